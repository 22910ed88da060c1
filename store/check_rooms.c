/* SPDX-License-Identifier: MIT
 *
 * Rooms, as check_chats.c does it for chats: the journal is read anew, into a struct rooms
 * that mends and writes nothing, also when a server has the rooms open. A room is in the
 * journal before it has files; so what is not known to a journal read after the file was
 * seen belongs to no room.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/check_priv.h"
#include "store/examine.h"
#include "store/file.h"
#include "store/rooms_priv.h"
#include "store/users_priv.h"

#define LOG_PREFIX  "room-"
#define READ_LINES  1024
#define CONTENT_MAX (256 * 1024 * 1024)

static void
cannot_read(struct check *c, enum store_folder folder, const char *file, enum qerr e)
{
	check_say(c, false, "%s/%s: cannot be read: %s", store_folder_names[folder], file,
		  qerr_str(e));
}

static bool
is_there(struct check *c, enum store_folder folder, const char *file)
{
	return faccessat(c->store->fd[folder], file, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
	       errno != ENOENT;
}

/* ---- rooms ---- */

static bool
known(struct check *c, const struct uuid *id)
{
	bool found;

	lock_take(&c->rooms->lock);
	found = room_find(c->rooms, id) != NULL;
	lock_drop(&c->rooms->lock);
	return found;
}

/* Read the journal, or read it again when there may be more in it.  False: it cannot be
 * read, which is said when it is checked itself, and proves nothing. */
static bool
refresh(struct check *c)
{
	if (c->rooms != NULL && !rooms_stale(c->rooms))
		return true;
	rooms_close(c->rooms);
	c->rooms = NULL;
	return rooms_load(c->store, &c->rooms) == Q_OK;
}

static bool
room_known(struct check *c, const struct uuid *id)
{
	return (c->rooms != NULL && known(c, id)) || !refresh(c) || known(c, id);
}

void
check_rooms_fini(struct check *c)
{
	rooms_close(c->rooms);
	c->rooms = NULL;
}

/* ---- logs ---- */

static bool
log_room(const char *log, struct uuid *id)
{
	return strncmp(log, LOG_PREFIX, strlen(LOG_PREFIX)) == 0 &&
	       uuid_parse(span_str(log + strlen(LOG_PREFIX)), id) == Q_OK;
}

bool
check_room_orphan(struct check *c, const char *log)
{
	struct uuid id;

	return log_room(log, &id) && !room_known(c, &id);
}

/* Are the contents there that messages have in files of their own? */
static enum qerr
check_contents(struct check *c, const struct uuid *id, struct room_state *st,
	       struct room_line *lines)
{
	char file[5 + 2 * UUID_SIZE], room[UUID_SIZE], msg[UUID_SIZE];
	size_t got = 1;
	enum qerr e = Q_OK;

	uuid_text(id, room);
	for (uint64_t at = 0; e == Q_OK && got > 0; at += got) {
		e = state_lines(c->rooms, st, at, READ_LINES, lines, &got);
		for (size_t i = 0; e == Q_OK && i < got; i++) {
			struct uuid m = message_id(id, lines[i].ms, lines[i].number);

			if (!lines[i].in_file)
				continue;
			uuid_text(&m, msg);
			/* Or it has not yet got its name, as files says too. */
			snprintf(file, sizeof(file), ".new-%s.%s", room, msg);
			if (!is_there(c, FOLDER_FILES, file + 5) &&
			    !is_there(c, FOLDER_FILES, file))
				check_say(c, false,
					  "files/%s: the content of a message is missing",
					  file + 5);
		}
	}
	return e;
}

void
check_room_log(struct check *c, const char *log)
{
	struct room_line *lines = calloc(READ_LINES, sizeof(*lines));
	struct room_state *st;
	struct room *room;
	struct uuid id;
	enum qerr e = lines == NULL ? Q_NOMEM : Q_OK;

	if (!log_room(log, &id) || !room_known(c, &id) || c->rooms == NULL ||
	    (room = room_get(c->rooms, &id)) == NULL) {
		free(lines);
		return;
	}
	if (e == Q_OK && (e = state_get(c->rooms, room, &st, false)) == Q_OK) {
		e = check_contents(c, &id, st, lines);
		if (e == Q_FORMAT && (e = state_rebuild(c->rooms, st)) == Q_OK)
			e = check_contents(c, &id, st, lines);
		state_put(c->rooms, st);
	}
	free(lines);
	lock_take(&c->rooms->lock);
	room_unref(room);
	lock_drop(&c->rooms->lock);
	if (e != Q_OK && e != Q_MISSING)
		check_say(c, false, "messages/%s.log: cannot be read: %s", log,
			  qerr_str(e));
}

/* ---- rooms/ ---- */

/* Q_FORMAT: a line, or the head, is damaged. */
static enum qerr
examine_state(struct check *c, const struct uuid *id)
{
	struct room_line *lines = calloc(READ_LINES, sizeof(*lines));
	uint64_t applied, n, at = 0;
	enum qerr e =
	    lines == NULL ? Q_NOMEM : state_file_head(c->rooms, id, &applied, &n);

	while (e == Q_OK && at < n) {
		size_t step = n - at < READ_LINES ? (size_t)(n - at) : READ_LINES;

		e = state_file_read(c->rooms, id, at, step, lines);
		/* A server may have been writing just there. */
		if (e == Q_FORMAT)
			e = state_file_read(c->rooms, id, at, step, lines);
		at += step;
	}
	free(lines);
	return e;
}

static void
check_state(struct check *c, const char *file, const struct uuid *id)
{
	enum qerr e = Q_MISSING;

	if (!room_known(c, id)) {
		if (is_there(c, FOLDER_ROOMS, file))
			check_bad_file(c, FOLDER_ROOMS, file, "belongs to no room");
		return;
	}
	if (c->rooms != NULL)
		e = examine_state(c, id);
	if (e == Q_FORMAT)
		check_bad_file(c, FOLDER_ROOMS, file,
			       "damaged; it is made anew from the messages");
	else if (e != Q_OK && e != Q_MISSING)
		cannot_read(c, FOLDER_ROOMS, file, e);
}

bool
check_rooms_file(void *arg, const char *file)
{
	struct check *c = arg;
	size_t len = strlen(file);
	struct uuid id;

	if (file_is_temporary(file))
		return true;
	if (strcmp(file, ROOMS_JOURNAL ".log") == 0)
		check_log(c, FOLDER_ROOMS, ROOMS_JOURNAL);
	else if (len == UUID_LEN + strlen(STATE_SUFFIX) &&
		 strcmp(file + UUID_LEN, STATE_SUFFIX) == 0 &&
		 uuid_parse(span_of(file, UUID_LEN), &id) == Q_OK)
		check_state(c, file, &id);
	else
		check_bad_file(c, FOLDER_ROOMS, file, "does not belong here");
	return true;
}

/* ---- files/ ---- */

static enum room_answer
examine_content(struct check *c, const struct uuid *room, const struct uuid *msg,
		enum qerr *e)
{
	struct buf b = BUF_INIT(CONTENT_MAX);
	enum room_answer a = rooms_fetch(c->rooms, room, msg, &b, e);

	buf_free(&b);
	return a;
}

bool
check_files_file(void *arg, const char *file)
{
	struct check *c = arg;
	struct uuid room, msg;
	enum room_answer a;
	bool hidden;
	enum qerr e;

	if (file_is_temporary(file))
		return true;
	if (room_file_parse(file, &room, &msg, &hidden) != Q_OK) {
		check_bad_file(c, FOLDER_FILES, file, "does not belong here");
		return true;
	}
	if (hidden) /* on its way; or the next start decides about it */
		return true;
	if (!room_known(c, &room)) {
		if (is_there(c, FOLDER_FILES, file))
			check_bad_file(c, FOLDER_FILES, file, "belongs to no room");
		return true;
	}
	if (c->rooms == NULL)
		return true;
	a = examine_content(c, &room, &msg, &e);
	if (a == ROOM_NO_MESSAGE) { /* since the room was looked at, perhaps */
		check_rooms_fini(c);
		if (refresh(c))
			a = examine_content(c, &room, &msg, &e);
	}
	if (a == ROOM_OK)
		c->result->media++;
	else if (a == ROOM_FAILED && e == Q_FORMAT)
		check_bad_file(c, FOLDER_FILES, file, "damaged");
	else if (a == ROOM_FAILED)
		cannot_read(c, FOLDER_FILES, file, e);
	else if (is_there(c, FOLDER_FILES, file))
		check_bad_file(c, FOLDER_FILES, file, "belongs to no message");
	return true;
}

/* ---- one file a user ---- */

static bool
check_personal(struct check *c, enum store_folder folder, const char *file,
	       enum qerr (*examine)(struct store *s, const char *file))
{
	char folded[NAME_SIZE] = "";
	enum qerr e;

	if (file_is_temporary(file))
		return true;
	if (name_valid(span_str(file)))
		name_fold(file, folded);
	if (strcmp(file, folded) != 0) {
		check_bad_file(c, folder, file, "is not named as a user's file");
		return true;
	}
	e = examine(c->store, file);
	if (e == Q_FORMAT)
		check_bad_file(c, folder, file, "damaged");
	else if (e != Q_OK && e != Q_MISSING)
		cannot_read(c, folder, file, e);
	return true;
}

bool
check_seen_file(void *arg, const char *file)
{
	return check_personal(arg, FOLDER_SEEN, file, seen_examine);
}

bool
check_tokens_file(void *arg, const char *file)
{
	return check_personal(arg, FOLDER_TOKENS, file, tokens_examine);
}

bool
check_chatkeys_file(void *arg, const char *file)
{
	return check_personal(arg, FOLDER_CHATKEYS, file, chatkeys_examine);
}

bool
check_restrictions_file(void *arg, const char *file)
{
	return check_personal(arg, FOLDER_RESTRICTIONS, file, restrictions_examine);
}

bool
check_email_file(void *arg, const char *file)
{
	struct check *c = arg;
	enum qerr e;

	if (file_is_temporary(file))
		return true;
	lock_take(&c->store->users);
	e = email_examine(c->store, file);
	lock_drop(&c->store->users);
	if (e == Q_FORMAT)
		check_bad_file(c, FOLDER_EMAILS, file,
			       "names nobody who has this e-mail address");
	else if (e != Q_OK && e != Q_MISSING)
		cannot_read(c, FOLDER_EMAILS, file, e);
	return true;
}
