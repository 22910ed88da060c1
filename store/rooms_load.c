/* SPDX-License-Identifier: MIT
 *
 * The journal is read once, at start.  An event that does not fit to what was read before
 * (a line before it was damaged) is counted and passed over, but for what it proves: a
 * room whose files were removed is gone.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/msglog_priv.h"
#include "store/rooms_priv.h"

static enum qerr
replay_change(struct rooms *r, const struct record *rec, const struct change_text *t)
{
	const struct room_change *c = &t->change;
	struct room *room = room_find(r, &t->room);
	struct room_farewells farewells = STAILQ_HEAD_INITIALIZER(farewells);
	struct room_info *info = NULL;
	enum qerr e;

	if ((room == NULL) != (c->action == ROOM_CREATE) ||
	    (room != NULL && room->dropped)) {
		r->odd++;
		return Q_OK;
	}
	if ((e = info_apply(room != NULL ? room->info : NULL, c, rec->from, &info)) !=
	    Q_OK) {
		r->odd += e == Q_FORMAT;
		return e == Q_FORMAT ? Q_OK : e;
	}
	if (info != NULL)
		info_stamp(info, &t->room, t->type,
			   room != NULL ? room->info->created_ms : rec->time_ms, t->seq);
	if ((e = stays_reserve(r, c->people, action_adds(c->action) ? c->n_people : 0)) !=
	    Q_OK)
		goto out;
	if (room != NULL)
		e = farewells_make(room->info, c, rec->from, &farewells);
	else if ((room = room_new(&t->room)) == NULL)
		e = Q_NOMEM;
	else {
		room_publish(r, room);
		room_unref(room);
	}
	if (e != Q_OK) {
		stays_unreserve(r, c->people, action_adds(c->action) ? c->n_people : 0);
		goto out;
	}
	room->change_id = rec->id;
	room->change_seq = t->seq;
	change_apply(r, room, info, c, rec->from, rec->time_ms, t->seq, &farewells);
	if (c->action == ROOM_CREATE && t->type == ROOM_DIRECT && c->n_people == 2)
		e = room_pair(r, room);
	return e;
out:
	room_info_put(info);
	return e;
}

/* "cleared": the room's id is all that is known of it. */
static void
replay_cleared(struct rooms *r, const struct record *rec)
{
	struct uuid id;
	struct room *room;

	if (uuid_parse(rec->data, &id) != Q_OK || (room = room_find(r, &id)) == NULL) {
		r->odd++;
		return;
	}
	if (!room->dropped) { /* the line that said so is lost */
		struct room_farewells none = STAILQ_HEAD_INITIALIZER(none);
		struct room_change drop = {.action = ROOM_DROP};

		change_apply(r, room, NULL, &drop, "", rec->time_ms, 0, &none);
		r->odd++;
	}
	room_unpublish(r, room);
}

static enum qerr
replay(void *arg, const struct record *rec)
{
	struct rooms *r = arg;
	struct change_text t;
	enum qerr e;

	r->last_event = rec->id;
	if (strcmp(rec->kind, ROOM_CLEARED) == 0) {
		replay_cleared(r, rec);
		return Q_OK;
	}
	if (strcmp(rec->kind, ROOM_GONE) == 0) {
		user_gone(r, rec->from);
		return Q_OK;
	}
	if (strcmp(rec->kind, ROOM_TOLD) == 0) {
		if (told_replay(r, rec) != Q_OK)
			r->odd++;
		return Q_OK;
	}
	if ((e = change_take(rec, &t)) == Q_FORMAT) {
		r->odd++;
		return Q_OK;
	}
	if (e == Q_OK) {
		e = replay_change(r, rec, &t);
		change_free(&t);
	}
	return e;
}

enum qerr
rooms_load(struct store *s, struct rooms **out)
{
	struct rooms *r = calloc(1, sizeof(*r));
	enum qerr e = Q_NOMEM;

	if (r == NULL)
		return Q_NOMEM;
	r->store = s;
	r->readonly = true;
	RB_INIT(&r->people);
	TAILQ_INIT(&r->used);
	TAILQ_INIT(&r->dirty);
	if (pairs_init(&r->direct) != Q_OK)
		goto no_pairs;
	if (index_init(&r->ids) != Q_OK)
		goto no_ids;
	lock_init(&r->lock);
	lock_cond_init(&r->saved);
	e = journal_open(s, FOLDER_ROOMS, ROOMS_JOURNAL, replay, r, &r->journal);
	if (e == Q_OK)
		e = msglog_open_in(s, FOLDER_ROOMS, ROOMS_JOURNAL, &r->past);
	if (e != Q_OK) {
		int err = errno;

		rooms_close(r);
		errno = err;
		return e;
	}
	*out = r;
	return Q_OK;
no_ids:
	pairs_fini(&r->direct, NULL);
no_pairs:
	free(r);
	return e;
}
