/* SPDX-License-Identifier: MIT
 *
 * Dropping goes in steps, as it does for chats: the event, forced to the disk; then the
 * files; then "cleared". Were the files gone and the event lost, members would find an
 * empty room whose seqs begin anew, below their positions.  After a kill a room that is
 * dropped but not cleared is finished at the next start.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/file.h"
#include "store/rooms_priv.h"

/* The state of a room that nobody can find any more, once nobody reads in it. */
static struct room_state *
take_state(struct rooms *r, struct room *room)
{
	struct room_state *st;

	lock_take(&r->lock);
	while (room->opening || (room->state != NULL && room->state->users > 0))
		(void)lock_wait(&r->lock, &room->changed, 0);
	if ((st = room->state) != NULL) {
		TAILQ_REMOVE(&r->used, st, link);
		r->n_used--;
		room->state = NULL;
	}
	lock_drop(&r->lock);
	return st;
}

static enum qerr
remove_files(struct rooms *r, const struct uuid *id)
{
	char log[48], state[STATE_FILE_SIZE];
	enum qerr e, files;

	state_log_name(id, log);
	state_file_name(id, state);
	e = msglog_remove(r->store, log);
	if (file_unlink(r->store->fd[FOLDER_ROOMS], state) != 0 && errno != ENOENT &&
	    e == Q_OK)
		e = qerr_errno(errno);
	files = room_files_remove(r->store, id);
	return e != Q_OK ? e : files;
}

void
room_clear(struct rooms *r, struct room *room)
{
	struct record rec = {.kind = ROOM_CLEARED, .text = true};
	struct room_state *st = take_state(r, room);
	char id[UUID_SIZE];
	enum qerr e;

	if (st != NULL)
		state_free(st);
	uuid_text(&room->id, id);
	rec.data = span_str(id);
	(void)journal_sync(r->journal); /* when it fails it is reported */
	e = remove_files(r, &room->id);
	if (e == Q_OK)
		e = journal_append(r->journal, &rec);
	if (e != Q_OK) {
		store_report(r->store,
			     "room %s is deleted, but its files are not all removed: %s; "
			     "the next start tries again",
			     id, qerr_str(e));
		return;
	}
	lock_take(&r->lock);
	room_unpublish(r, room);
	lock_drop(&r->lock);
}

void
rooms_clear_dropped(struct rooms *r)
{
	struct index_node *node = index_walk(&r->ids, NULL), *next;

	for (; node != NULL; node = next) {
		struct room *room = INDEX_OBJECT(node, struct room, by_id);

		next = index_walk(&r->ids, node);
		if (room->dropped)
			room_clear(r, room);
	}
}

/* ---- users ---- */

void
user_gone(struct rooms *r, const char *user)
{
	struct occupant *o = occupant_find(r, user);

	if (o == NULL)
		return;
	farewells_free(&o->farewells);
	if (o->dirty)
		TAILQ_REMOVE(&r->dirty, o, in_dirty);
	o->dirty = false;
	occupant_done(r, o);
}

/* A room that the user is in.  False: there is none. */
static bool
some_room(struct rooms *r, const char *user, struct uuid *id)
{
	struct occupant *o;
	bool found;

	lock_take(&r->lock);
	o = occupant_find(r, user);
	if ((found = o != NULL && o->n > 0))
		*id = o->stay[0].room->id;
	lock_drop(&r->lock);
	return found;
}

/* Farewells that were not heard, and positions. */
static enum qerr
forget_rest(struct rooms *r, const char *user)
{
	struct record rec = {.kind = ROOM_GONE, .text = true};
	char folded[NAME_SIZE];
	struct occupant *o;
	bool waiting;
	enum qerr e = Q_OK;

	lock_take(&r->lock);
	while (r->saving)
		(void)lock_wait(&r->lock, &r->saved, 0);
	o = occupant_find(r, user);
	waiting = o != NULL && !STAILQ_EMPTY(&o->farewells);
	lock_drop(&r->lock);
	if (waiting) {
		memcpy(rec.from, user, strnlen(user, NAME_MAX_LEN));
		if ((e = journal_append(r->journal, &rec)) != Q_OK)
			return e;
		(void)journal_sync(r->journal); /* when it fails it is reported */
	}
	lock_take(&r->lock);
	user_gone(r, user);
	lock_drop(&r->lock);
	name_fold(user, folded);
	if (file_unlink(r->store->fd[FOLDER_SEEN], folded) != 0 && errno != ENOENT)
		e = qerr_errno(errno);
	return e;
}

enum qerr
rooms_forget(struct rooms *r, const char *user)
{
	struct room_ask leave = {.action = ROOM_LEAVE, .by = user};
	enum room_answer answer;
	struct uuid id;
	uint64_t seq;
	enum qerr e;

	if (!name_valid(span_str(user)))
		return Q_OK;
	while (some_room(r, user, &id)) {
		answer = change_room(r, &id, &leave, true, NULL, &seq, &e);
		if (answer == ROOM_FAILED)
			return e;
	}
	return forget_rest(r, user);
}
