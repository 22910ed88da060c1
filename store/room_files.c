/* SPDX-License-Identifier: MIT
 *
 * files/ROOM.MSG is the content of one message, as it came.  The record in the room's log
 * says how long it is and its CRC-32, and it alone decides whether the file counts:
 *
 *   .tmp-...        being written, under no lock; a start removes it
 *   .new-ROOM.MSG   the record that makes the message, or deletes it, is being written
 *   ROOM.MSG        there is such a message
 *
 * After a kill a start looks each .new- up in its room: a message that is there gets its
 * file, of others it is removed.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <libdeflate.h>

#include "store/file.h"
#include "store/rooms_priv.h"

_Static_assert(FILE_TEMP_SIZE == 64, "as rooms_priv.h has it");

#define HIDDEN     ".new-"
#define HIDDEN_LEN (sizeof(HIDDEN) - 1)

static void
file_name(const struct uuid *room, const struct uuid *msg, bool hidden,
	  char out[ROOM_FILE_SIZE])
{
	char r[UUID_SIZE], m[UUID_SIZE];

	uuid_text(room, r);
	uuid_text(msg, m);
	snprintf(out, ROOM_FILE_SIZE, "%s%s.%s", hidden ? HIDDEN : "", r, m);
}

enum qerr
room_file_parse(const char *name, struct uuid *room, struct uuid *msg, bool *hidden)
{
	char again[ROOM_FILE_SIZE];

	*hidden = strncmp(name, HIDDEN, HIDDEN_LEN) == 0;
	if (strlen(name) != 2 * UUID_LEN + 1 + (*hidden ? HIDDEN_LEN : 0))
		return Q_FORMAT;
	if (uuid_parse(span_of(name + (*hidden ? HIDDEN_LEN : 0), UUID_LEN), room) !=
		Q_OK ||
	    uuid_parse(span_of(name + strlen(name) - UUID_LEN, UUID_LEN), msg) != Q_OK)
		return Q_FORMAT;
	file_name(room, msg, *hidden, again);
	return strcmp(name, again) == 0 ? Q_OK : Q_FORMAT;
}

enum qerr
room_file_write(struct store *s, struct span content, char temp[64], uint32_t *crc)
{
	int dir = s->fd[FOLDER_FILES], fd;
	bool sync = atomic_load(&s->logs.durability) != STORE_NEVER;
	enum qerr e = file_temp_open(dir, temp, &fd);

	if (e != Q_OK) {
		temp[0] = '\0';
		return e;
	}
	e = file_write_all(fd, content.p, content.len);
	if (e == Q_OK && sync && fsync(fd) != 0)
		e = qerr_errno(errno);
	close(fd);
	if (e != Q_OK) {
		room_file_discard(s, temp);
		temp[0] = '\0';
		return e;
	}
	*crc = libdeflate_crc32(0, content.p, content.len);
	return Q_OK;
}

void
room_file_discard(struct store *s, const char *temp)
{
	int saved = errno;

	(void)file_unlink(s->fd[FOLDER_FILES], temp);
	errno = saved;
}

enum qerr
room_file_hide(struct store *s, const char *temp, const struct uuid *room,
	       const struct uuid *msg)
{
	int dir = s->fd[FOLDER_FILES];
	char plain[ROOM_FILE_SIZE], hidden[ROOM_FILE_SIZE];

	file_name(room, msg, false, plain);
	file_name(room, msg, true, hidden);
	if (file_rename(dir, temp != NULL ? temp : plain, dir, hidden) != 0)
		return qerr_errno(errno);
	/* The record must not outlive the name under which its content can be found. */
	if (temp != NULL && atomic_load(&s->logs.durability) != STORE_NEVER &&
	    fsync(dir) != 0) {
		(void)file_unlink(dir, hidden);
		return Q_SYS;
	}
	return Q_OK;
}

void
room_file_settle(struct store *s, const struct uuid *room, const struct uuid *msg,
		 bool keep)
{
	int dir = s->fd[FOLDER_FILES];
	char plain[ROOM_FILE_SIZE], hidden[ROOM_FILE_SIZE];

	file_name(room, msg, false, plain);
	file_name(room, msg, true, hidden);
	if (keep ? file_rename(dir, hidden, dir, plain) != 0
		 : file_unlink(dir, hidden) != 0 && errno != ENOENT)
		store_report(s, "files/%s: cannot be %s: %s", hidden,
			     keep ? "given its name" : "removed", strerror(errno));
}

enum qerr
room_file_read(struct store *s, const struct uuid *room, const struct uuid *msg,
	       uint64_t size, uint32_t crc, struct buf *out)
{
	int dir = s->fd[FOLDER_FILES];
	char name[ROOM_FILE_SIZE];
	size_t before = out->len;
	enum qerr e;

	if (size > out->max - out->len)
		return Q_LIMIT;
	file_name(room, msg, false, name);
	if ((e = file_read(dir, name, out)) == Q_MISSING) {
		file_name(room, msg, true, name); /* being deleted, or just sent */
		e = file_read(dir, name, out);
	}
	if (e == Q_LIMIT ||
	    (e == Q_OK && (out->len - before != size ||
			   libdeflate_crc32(0, out->p + before, (size_t)size) != crc))) {
		out->len = before;
		store_report(s, "files/%s: damaged", name);
		return Q_FORMAT;
	}
	return e;
}

/* ---- after a kill, and when a room goes ---- */

/* Has that room such a message, with its content in a file?  When nobody knows, it has. */
static bool
wanted(struct rooms *r, const struct uuid *id, const struct uuid *msg)
{
	struct room *room = room_get(r, id);
	struct room_state *st;
	struct room_line line;
	bool is_wanted = false;
	enum qerr e;

	if (room == NULL)
		return false;
	if ((e = state_get(r, room, &st, false)) == Q_OK) {
		e = state_line(r, st, msg, &line);
		is_wanted = e == Q_OK && line.in_file && !line.deleted;
		state_put(r, st);
	}
	lock_take(&r->lock);
	room_unref(room);
	lock_drop(&r->lock);
	return is_wanted || (e != Q_OK && e != Q_MISSING);
}

static bool
recover_one(void *arg, const char *name)
{
	struct rooms *r = arg;
	struct uuid room, msg;
	bool hidden;

	if (room_file_parse(name, &room, &msg, &hidden) == Q_OK && hidden)
		room_file_settle(r->store, &room, &msg, wanted(r, &room, &msg));
	return true;
}

void
room_files_recover(struct rooms *r)
{
	enum qerr e = folder_each(r->store, FOLDER_FILES, recover_one, r);

	if (e != Q_OK)
		store_report(r->store, "files: cannot be listed: %s", qerr_str(e));
}

struct removing {
	struct store *s;
	const struct uuid *room;
	enum qerr e;
};

static bool
remove_one(void *arg, const char *name)
{
	struct removing *rm = arg;
	struct uuid room, msg;
	bool hidden;

	if (room_file_parse(name, &room, &msg, &hidden) == Q_OK &&
	    uuid_eq(&room, rm->room) && file_unlink(rm->s->fd[FOLDER_FILES], name) != 0 &&
	    errno != ENOENT)
		rm->e = qerr_errno(errno);
	return true;
}

enum qerr
room_files_remove(struct store *s, const struct uuid *room)
{
	struct removing rm = {s, room, Q_OK};
	enum qerr e = folder_each(s, FOLDER_FILES, remove_one, &rm);

	return e != Q_OK ? e : rm.e;
}
