/* SPDX-License-Identifier: MIT
 *
 * A change of a room goes in steps, by one thread that has made the room busy:
 *
 *   1. is it allowed, what will the room be?      everything that can fail, but
 *   2. the journal                                from here on it has happened
 *   3. the room's log                             a seq, beside the messages
 *   4. memory, and telling
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/rooms_change_priv.h"

bool
action_adds(enum room_action action)
{
	return action == ROOM_CREATE || action == ROOM_ADD;
}

enum qerr
changing_init(struct changing *c, const struct room_ask *ask)
{
	memset(c, 0, sizeof(*c));
	c->ask = ask;
	STAILQ_INIT(&c->farewells);
	c->people = calloc(ask->n_people + 1, sizeof(*c->people));
	c->dne = calloc(ask->n_people + ask->n_dne + 1, sizeof(*c->dne));
	if (c->people == NULL || c->dne == NULL) {
		free(c->people);
		free(c->dne);
		return Q_NOMEM;
	}
	c->change.action = ask->action;
	c->change.people = (const char(*)[NAME_SIZE])c->people;
	c->change.dne = c->dne;
	if (action_adds(ask->action) || ask->action == ROOM_REMOVE) {
		for (size_t i = 0; i < ask->n_dne; i++)
			c->dne[i] = ask->dne[i];
		c->change.n_dne = ask->n_dne;
	}
	if (ask->action == ROOM_CREATE || ask->action == ROOM_RENAME)
		memcpy(c->change.name, ask->name, strnlen(ask->name, ROOM_NAME_MAX));
	return Q_OK;
}

void
changing_fini(struct changing *c)
{
	farewells_free(&c->farewells);
	room_info_put(c->info);
	free(c->people);
	free(c->dne);
}

/* ---- memory ---- */

enum qerr
room_pair(struct rooms *r, struct room *room)
{
	enum qerr e = pairs_add(&r->direct, &room->pair, room->info->members[0],
				room->info->members[1], 0);

	room->paired = e == Q_OK;
	return e == Q_EXISTS ? Q_OK : e;
}

void
room_unpair(struct rooms *r, struct room *room)
{
	if (room->paired)
		pairs_remove(&r->direct, &room->pair);
	room->paired = false;
}

void
change_apply(struct rooms *r, struct room *room, struct room_info *info,
	     const struct room_change *change, const char *by, int64_t time_ms,
	     uint64_t seq, struct room_farewells *farewells)
{
	struct room_info *old = room->info;
	struct room_farewell last = {.info = info != NULL ? info : old,
				     .action = change->action,
				     .seq = seq,
				     .time_ms = time_ms};

	memcpy(last.by, by, strnlen(by, NAME_MAX_LEN));
	farewells_give(r, farewells, old, change, by, &last);
	if (action_adds(change->action))
		for (size_t i = 0; i < change->n_people; i++)
			stay_add(r, room, change->people[i], seq);
	if (change->action == ROOM_REMOVE)
		for (size_t i = 0; i < change->n_people; i++)
			stay_remove(r, room, change->people[i]);
	if (change->action == ROOM_LEAVE)
		stay_remove(r, room, by);
	if (info == NULL) {
		for (size_t i = 0; i < old->n_members; i++)
			stay_remove(r, room, old->members[i]);
		room->dropped = true;
	}
	if (info == NULL || info->n_members < 2)
		room_unpair(r, room);
	if (info != NULL) {
		room->info = info;
		room_info_put(old);
	}
}

/* Step 4, with the lock.  *now is a reference to what is told. */
void
changing_finish(struct rooms *r, struct room *room, struct changing *c,
		const struct room_info **now)
{
	change_apply(r, room, c->info, &c->change, c->ask->by, c->time_ms, c->seq,
		     &c->farewells);
	c->info = NULL;
	room->told = c->seq;
	if (room->base == ROOM_NO_BASE) { /* it has just been made */
		room->base = c->seq;
		room->held = true;
	}
	*now = info_ref(room->info);
}

void
changing_tell(struct rooms *r, const struct changing *c, const struct room_info *info)
{
	struct room_event ev = {.seq = c->seq,
				.time_ms = c->time_ms,
				.kind = ROOM_CHANGED,
				.change = &c->change,
				.origin = c->ask->origin};

	memcpy(ev.from, c->ask->by, strnlen(c->ask->by, NAME_MAX_LEN));
	if (r->told != NULL)
		r->told(r->told_arg, info, &ev, 1);
}

/* ---- changing ---- */

/* Step 1, with the lock. */
static enum room_answer
prepare(struct rooms *r, struct room *room, struct changing *c, bool forced, enum qerr *e)
{
	enum room_answer answer = judge_change(r, room, c, forced);

	if (answer != ROOM_OK)
		return answer;
	if ((*e = info_apply(room->info, &c->change, c->ask->by, &c->info)) != Q_OK ||
	    (*e = farewells_make(room->info, &c->change, c->ask->by, &c->farewells)) !=
		Q_OK)
		return ROOM_FAILED;
	if (c->change.action == ROOM_ADD)
		*e = stays_reserve(r, c->change.people, c->change.n_people);
	return *e == Q_OK ? ROOM_OK : ROOM_FAILED;
}

/* Steps 2 and 3. */
static enum qerr
carry_out(struct rooms *r, struct room *room, struct changing *c)
{
	struct room_state *st;
	int64_t now_ms = clock_wall_ms();
	enum qerr e = state_get(r, room, &st, true);

	if (e != Q_OK)
		return e;
	people_hold(r, room);
	if ((e = change_catch_up(r, room, st, false)) == Q_OK) {
		c->seq = st->last + 1;
		c->time_ms = now_ms > st->last_ms ? now_ms : st->last_ms;
		if (c->info != NULL)
			info_stamp(c->info, &room->id, room->info->type,
				   room->info->created_ms, c->seq);
		e = write_change(r, room, room->info->type, c);
		if (e == Q_OK && c->info != NULL)
			(void)change_catch_up(r, room, st,
					      false); /* else the next one does */
	}
	state_put(r, st);
	return e;
}

static enum room_answer
change_taken(struct rooms *r, struct room *room, struct changing *c, bool forced,
	     const struct room_info **now, enum qerr *e) REQUIRES(r->lock);

/* The room is busy, and is not any more afterwards. */
static enum room_answer
change_taken(struct rooms *r, struct room *room, struct changing *c, bool forced,
	     const struct room_info **now, enum qerr *e)
{
	enum room_answer answer = prepare(r, room, c, forced, e);
	bool dropped;

	if (answer == ROOM_OK) {
		lock_drop(&r->lock);
		*e = carry_out(r, room, c);
		lock_take(&r->lock);
		if (*e != Q_OK) {
			answer = ROOM_FAILED;
			if (c->change.action == ROOM_ADD)
				stays_unreserve(r, c->change.people, c->change.n_people);
		}
	}
	if (answer != ROOM_OK) {
		room_leave(room);
		return answer;
	}
	changing_finish(r, room, c, now);
	dropped = room->dropped;
	lock_drop(&r->lock);
	changing_tell(r, c, *now);
	lock_take(&r->lock);
	room_leave(room);
	if (dropped) {
		lock_drop(&r->lock);
		room_clear(r, room);
		lock_take(&r->lock);
	}
	return ROOM_OK;
}

enum room_answer
change_room(struct rooms *r, const struct uuid *id, const struct room_ask *ask,
	    bool forced, const struct room_info **info, uint64_t *seq, enum qerr *e)
{
	const struct room_info *now = NULL;
	enum room_answer answer = ROOM_UNKNOWN;
	struct changing c;
	struct room *room;

	*e = changing_init(&c, ask);
	if (*e != Q_OK)
		return ROOM_FAILED;
	lock_take(&r->lock);
	if ((room = room_find(r, id)) != NULL && !room->dropped) {
		room_ref(room);
		if (room_take(r, room))
			answer = change_taken(r, room, &c, forced, &now, e);
		room_unref(room);
	}
	lock_drop(&r->lock);
	if (answer == ROOM_OK) {
		*seq = c.seq;
		if (info != NULL)
			*info = now;
		else
			room_info_put(now);
	}
	changing_fini(&c);
	return answer;
}

enum room_answer
rooms_change(struct rooms *r, const struct uuid *room, const struct room_ask *ask,
	     const struct room_info **info, uint64_t *seq, enum qerr *e)
{
	return change_room(r, room, ask, false, info, seq, e);
}
