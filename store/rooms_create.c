/* SPDX-License-Identifier: MIT
 *
 * A room that is being made is known to nobody but, if it is a direct one, to the index of
 * pairs: of two people who ask for theirs at the same instant the second one finds it
 * there, waits, and gets it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "crypto/random.h"
#include "store/rooms_change_priv.h"

static struct room *
find_direct(struct rooms *r, const struct room_change *c) REQUIRES(r->lock);

/* The direct room of the two, once it is known whether there is one; with the lock. */
static struct room *
find_direct(struct rooms *r, const struct room_change *c)
{
	struct pair *pair;
	struct room *room;

	while ((pair = pairs_find(&r->direct, c->people[0], c->people[1], 0)) != NULL) {
		room = INDEX_OBJECT(pair, struct room, pair);
		if (room->info != NULL)
			return room;
		room_ref(room);
		(void)lock_wait(&r->lock, &room->changed, 0);
		room_unref(room);
	}
	return NULL;
}

static enum qerr
make_room(struct rooms *r, struct room *room, struct changing *c,
	  const struct room_info **now)
{
	struct room_state *st;
	enum qerr e;

	c->seq = 1;
	c->time_ms = clock_wall_ms();
	info_stamp(c->info, &room->id, c->ask->type, c->time_ms, 1);
	e = write_change(r, room, c->ask->type, c);
	lock_take(&r->lock);
	if (e == Q_OK) {
		room_publish(r, room);
		changing_finish(r, room, c, now);
	} else {
		room_unpair(r, room);
		stays_unreserve(r, c->change.people, c->change.n_people);
		room_leave(room);
	}
	lock_drop(&r->lock);
	if (e != Q_OK)
		return e;
	/* Opening appends the event, or whoever uses the room next does. */
	if (state_get(r, room, &st, true) == Q_OK)
		state_put(r, st);
	changing_tell(r, c, *now);
	lock_take(&r->lock);
	room_leave(room);
	lock_drop(&r->lock);
	return Q_OK;
}

/* With the lock: everything that is needed, and a busy room that only the pair finds. */
static enum qerr
prepare_room(struct rooms *r, struct changing *c, struct room **out)
{
	uint8_t random[16];
	struct uuid id;
	struct room *room;
	enum qerr e;

	random_bytes(random, sizeof(random));
	id = uuid_v4(random);
	if ((room = room_new(&id)) == NULL)
		return Q_NOMEM;
	room->busy = true;
	if ((e = info_apply(NULL, &c->change, c->ask->by, &c->info)) == Q_OK &&
	    (e = stays_reserve(r, c->change.people, c->change.n_people)) == Q_OK &&
	    c->ask->type == ROOM_DIRECT) {
		e = pairs_add(&r->direct, &room->pair, c->change.people[0],
			      c->change.people[1], 0);
		room->paired = e == Q_OK;
		if (e != Q_OK)
			stays_unreserve(r, c->change.people, c->change.n_people);
	}
	if (e != Q_OK) {
		room_unref(room);
		return e;
	}
	*out = room;
	return Q_OK;
}

enum room_answer
rooms_create(struct rooms *r, const struct room_ask *ask, const struct room_info **info,
	     uint64_t *seq, enum qerr *e)
{
	const struct room_info *now = NULL;
	enum room_answer answer;
	struct changing c;
	struct room *room = NULL, *there = NULL;

	if ((*e = changing_init(&c, ask)) != Q_OK)
		return ROOM_FAILED;
	if ((answer = judge_create(&c)) != ROOM_OK)
		goto out;
	lock_take(&r->lock);
	if (ask->type == ROOM_DIRECT && (there = find_direct(r, &c.change)) != NULL) {
		*info = info_ref(there->info);
		*seq = there->info->changed;
		answer = ROOM_REPEATED;
	} else {
		*e = prepare_room(r, &c, &room);
	}
	lock_drop(&r->lock);
	if (there != NULL)
		goto out;
	if (*e == Q_OK)
		*e = make_room(r, room, &c, &now);
	if (room != NULL) {
		lock_take(&r->lock);
		room_unref(room);
		lock_drop(&r->lock);
	}
	answer = *e == Q_OK ? ROOM_OK : ROOM_FAILED;
	if (answer == ROOM_OK) {
		*info = now;
		*seq = c.seq;
	}
out:
	changing_fini(&c);
	return answer;
}
