/* SPDX-License-Identifier: MIT
 *
 * A file of bytes and a file about it.  The bytes come first and go last, so what has
 * an .info is whole; bytes without one are what a kill in the middle has left, nobody
 * was told of them, and "server check" finds them.
 *
 * A read compares the CRC-32, which costs a millisecond for the largest file; the
 * SHA-256 costs twenty and is for "server check".
 *
 * Deleting a chat looks at every .info there is, a few microseconds each.  An index by
 * chat would be quicker and one more thing that can be wrong.
 */
#include "store/media.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libdeflate.h>

#include "store/file.h"
#include "store/media_priv.h"

/* ---- adding ---- */

/* Both files, or neither.  Q_EXISTS: the id was used, whatever media-ids said. */
static enum qerr
add_files(struct store *s, uint64_t id, struct span info, struct span content)
{
	char file[MEDIA_FILE_SIZE], info_file[MEDIA_FILE_SIZE];
	int dir = s->fd[FOLDER_MEDIA], err;
	enum qerr e;

	media_file(id, "", file);
	media_file(id, MEDIA_SUFFIX, info_file);
	if ((e = file_create(dir, file, content, 0600)) == Q_EXISTS)
		return e;
	if (e == Q_OK && (e = file_create(dir, info_file, info, 0600)) == Q_OK)
		return Q_OK;
	err = errno;
	if (e != Q_EXISTS) /* it may have its name, and not have reached the disk */
		(void)file_unlink(dir, info_file);
	(void)file_unlink(dir, file);
	errno = err;
	return e;
}

enum qerr
media_add(struct store *s, struct media_info *info, struct span content)
{
	struct media_record m = {.info = *info};
	struct buf text = BUF_INIT(MEDIA_INFO_MAX);
	uint64_t id;
	enum qerr e;

	if (content.len == 0 || content.len > MEDIA_SIZE_MAX)
		return Q_LIMIT;
	m.info.size = content.len;
	if ((e = media_digest(content, &m)) == Q_OK)
		e = media_encode(&m, &text);
	if (e == Q_OK)
		do
			if ((e = media_id_take(s, &id)) == Q_OK)
				e = add_files(s, id, buf_span(&text), content);
		while (e == Q_EXISTS);
	buf_free(&text);
	if (e != Q_OK)
		return e;
	info->id = id;
	info->size = content.len;
	return Q_OK;
}

/* ---- reading ---- */

enum qerr
media_load(struct store *s, uint64_t id, struct media_record *out)
{
	struct buf b = BUF_INIT(MEDIA_INFO_MAX);
	char file[MEDIA_FILE_SIZE];
	enum qerr e;

	media_file(id, MEDIA_SUFFIX, file);
	if ((e = file_read(s->fd[FOLDER_MEDIA], file, &b)) == Q_LIMIT)
		e = Q_FORMAT;
	if (e == Q_OK)
		e = media_decode(buf_span(&b), out);
	if (e == Q_OK)
		out->info.id = id;
	buf_free(&b);
	return e;
}

static enum qerr
load_or_report(struct store *s, uint64_t id, struct media_record *out)
{
	enum qerr e = media_load(s, id, out);

	if (e == Q_FORMAT)
		store_report(s, "media/%llu" MEDIA_SUFFIX ": damaged",
			     (unsigned long long)id);
	return e;
}

enum qerr
media_info(struct store *s, uint64_t id, struct media_info *out)
{
	struct media_record m;
	enum qerr e = load_or_report(s, id, &m);

	if (e == Q_OK)
		*out = m.info;
	return e;
}

enum qerr
media_read(struct store *s, uint64_t id, struct buf *out)
{
	char file[MEDIA_FILE_SIZE];
	size_t before = out->len;
	struct media_record m;
	struct stat st;
	enum qerr e = load_or_report(s, id, &m);

	if (e != Q_OK)
		return e;
	if (m.info.size > out->max - before)
		return Q_LIMIT;
	media_file(id, "", file);
	e = file_read_limit(s->fd[FOLDER_MEDIA], file, m.info.size, out, &st);
	if (e == Q_LIMIT) /* longer than it was */
		e = Q_FORMAT;
	if (e == Q_OK &&
	    (out->len - before != m.info.size ||
	     libdeflate_crc32(0, out->p + before, out->len - before) != m.crc))
		e = Q_FORMAT;
	if (e == Q_FORMAT)
		store_report(s, "media/%s: damaged", file);
	if (e != Q_OK)
		out->len = before;
	return e;
}

/* ---- small pictures ---- */

static bool
is_there(struct store *s, uint64_t id)
{
	char info[MEDIA_FILE_SIZE];

	media_file(id, MEDIA_SUFFIX, info);
	return faccessat(s->fd[FOLDER_MEDIA], info, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Whoever removes the media takes the .info first and this file last.  So one of the two
 * sees the other, and none stays behind. */
enum qerr
media_thumb_add(struct store *s, uint64_t id, struct span content)
{
	int dir = s->fd[FOLDER_MEDIA];
	char file[MEDIA_FILE_SIZE];
	enum qerr e;

	if (content.len > MEDIA_THUMB_MAX)
		return Q_LIMIT;
	media_file(id, MEDIA_SMALL, file);
	if ((e = file_create(dir, file, content, 0600)) == Q_EXISTS || is_there(s, id))
		return e;
	(void)file_unlink(dir, file);
	return Q_MISSING;
}

enum qerr
media_thumb_read(struct store *s, uint64_t id, struct buf *out)
{
	char file[MEDIA_FILE_SIZE];

	media_file(id, MEDIA_SMALL, file);
	return file_read(s->fd[FOLDER_MEDIA], file, out);
}

/* ---- removing ---- */

/* Take both files away, without the fsync that makes it last. */
static enum qerr
unlink_files(struct store *s, uint64_t id)
{
	static const char *const suffixes[] = {MEDIA_SUFFIX, "", MEDIA_SMALL};
	char file[MEDIA_FILE_SIZE];
	enum qerr e, result = Q_MISSING;

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		media_file(id, suffixes[i], file);
		e = file_unlink(s->fd[FOLDER_MEDIA], file) == 0 ? Q_OK
								: qerr_errno(errno);
		if (e != Q_OK && e != Q_MISSING)
			return e;
		if (e == Q_OK)
			result = Q_OK;
	}
	return result;
}

enum qerr
media_remove(struct store *s, uint64_t id)
{
	enum qerr e = unlink_files(s, id);

	if (e == Q_OK && fsync(s->fd[FOLDER_MEDIA]) != 0)
		e = qerr_errno(errno);
	return e;
}

struct removal {
	struct store *store;
	uint64_t chat;
	bool some;
	enum qerr result; /* the first failure */
};

static bool
remove_if_of_chat(void *arg, const char *name)
{
	struct removal *r = arg;
	struct media_record m;
	uint64_t id;
	enum media_part part;
	enum qerr e;

	/* One that cannot be read belongs to nobody; "server check" tells of it. */
	if (media_file_parse(name, &id, &part) != Q_OK || part != MEDIA_INFO ||
	    media_load(r->store, id, &m) != Q_OK || m.info.chat != r->chat)
		return true;
	e = unlink_files(r->store, id);
	if (e == Q_OK)
		r->some = true;
	else if (e != Q_MISSING && r->result == Q_OK)
		r->result = e;
	return true;
}

enum qerr
media_remove_chat(struct store *s, uint64_t chat)
{
	struct removal r = {s, chat, false, Q_OK};
	enum qerr e = folder_each(s, FOLDER_MEDIA, remove_if_of_chat, &r);

	if (e == Q_OK)
		e = r.result;
	if (r.some && fsync(s->fd[FOLDER_MEDIA]) != 0 && e == Q_OK)
		e = qerr_errno(errno);
	return e;
}
