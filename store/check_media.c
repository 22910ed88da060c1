/* SPDX-License-Identifier: MIT
 *
 * Media and positions.  What is wrong with an .info, or with the bytes beside it, is
 * said of one of the two; set aside they are together, because neither is of use alone.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "store/check_priv.h"
#include "store/file.h"
#include "store/media_priv.h"
#include "store/positions_priv.h"

static void
cannot_read(struct check *c, enum store_folder folder, const char *file, enum qerr e)
{
	check_say(c, false, "%s/%s: cannot be read: %s", store_folder_names[folder], file,
		  qerr_str(e));
}

static bool
is_there(struct check *c, const char *file)
{
	struct stat st;

	return fstatat(c->store->fd[FOLDER_MEDIA], file, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* One of a pair is bad; the other one goes with it, and the small picture. */
static void
bad_pair(struct check *c, uint64_t id, const char *file, const char *other,
	 const char *reason)
{
	char small[MEDIA_FILE_SIZE];

	media_file(id, MEDIA_SMALL, small);
	check_bad_file(c, FOLDER_MEDIA, file, reason);
	if (c->repair && is_there(c, other))
		check_bad_file(c, FOLDER_MEDIA, other, "belongs to a file set aside");
	if (c->repair && is_there(c, small))
		check_bad_file(c, FOLDER_MEDIA, small, "belongs to a file set aside");
}

/* Do the bytes fit what the .info says? */
static enum qerr
compare(struct check *c, const char *file, const struct media_record *m)
{
	struct buf b = BUF_INIT(MEDIA_SIZE_MAX);
	struct media_record found;
	enum qerr e = file_read(c->store->fd[FOLDER_MEDIA], file, &b);

	if (e == Q_LIMIT)
		e = Q_FORMAT;
	if (e == Q_OK && b.len != m->info.size)
		e = Q_FORMAT;
	if (e == Q_OK)
		e = media_digest(buf_span(&b), &found);
	if (e == Q_OK &&
	    (found.crc != m->crc || memcmp(found.hash, m->hash, sizeof(found.hash)) != 0))
		e = Q_FORMAT;
	buf_free(&b);
	return e;
}

static void
check_info(struct check *c, uint64_t id, const char *info, const char *bytes)
{
	struct media_record m;
	enum qerr e = media_load(c->store, id, &m);

	if (e == Q_MISSING) /* removed meanwhile, or set aside with its bytes */
		return;
	if (e == Q_FORMAT)
		bad_pair(c, id, info, bytes, "damaged");
	else if (e != Q_OK)
		cannot_read(c, FOLDER_MEDIA, info, e);
	else if (!check_chat_known(c, m.info.chat)) {
		if (is_there(c, info))
			bad_pair(c, id, info, bytes, "belongs to no chat");
	} else if ((e = compare(c, bytes, &m)) == Q_OK)
		c->result->media++;
	else if (e == Q_FORMAT)
		bad_pair(c, id, bytes, info, "damaged");
	else if (e != Q_MISSING)
		cannot_read(c, FOLDER_MEDIA, bytes, e);
	else if (is_there(c, info))
		check_bad_file(c, FOLDER_MEDIA, info, "has no bytes beside it");
}

/* One that is no good would be made anew if it were not there, so it is set aside. */
static void
check_thumb(struct check *c, const char *file, const char *info)
{
	struct buf b = BUF_INIT(MEDIA_THUMB_MAX);
	enum qerr e = file_read(c->store->fd[FOLDER_MEDIA], file, &b);

	if (e == Q_LIMIT)
		check_bad_file(c, FOLDER_MEDIA, file, "is too large");
	else if (e != Q_OK && e != Q_MISSING)
		cannot_read(c, FOLDER_MEDIA, file, e);
	else if (e == Q_OK && !is_there(c, info) && is_there(c, file))
		check_bad_file(c, FOLDER_MEDIA, file, "belongs to no media");
	buf_free(&b);
}

bool
check_media_file(void *arg, const char *file)
{
	char info[MEDIA_FILE_SIZE], bytes[MEDIA_FILE_SIZE];
	struct check *c = arg;
	uint64_t id;
	enum media_part part;

	if (file_is_temporary(file))
		return true;
	if (media_file_parse(file, &id, &part) != Q_OK) {
		check_bad_file(c, FOLDER_MEDIA, file, "is not named as media");
		return true;
	}
	media_file(id, MEDIA_SUFFIX, info);
	media_file(id, "", bytes);
	if (part == MEDIA_INFO)
		check_info(c, id, info, bytes);
	else if (part == MEDIA_THUMB)
		check_thumb(c, file, info);
	else if (!is_there(c, info) && is_there(c, bytes) &&
		 !media_id_recent(c->store, id))
		check_bad_file(c, FOLDER_MEDIA, bytes,
			       "was never finished: it has no .info");
	return true;
}

bool
check_queue_file(void *arg, const char *file)
{
	struct check *c = arg;
	char folded[NAME_SIZE] = "";
	enum qerr e;

	if (file_is_temporary(file))
		return true;
	if (name_valid(span_str(file)))
		name_fold(file, folded);
	if (strcmp(file, folded) != 0) {
		check_bad_file(c, FOLDER_QUEUE, file,
			       "is not named as a user's positions");
		return true;
	}
	e = positions_examine(c->store, file);
	if (e == Q_FORMAT)
		check_bad_file(c, FOLDER_QUEUE, file, "damaged");
	else if (e != Q_OK && e != Q_MISSING)
		cannot_read(c, FOLDER_QUEUE, file, e);
	return true;
}
