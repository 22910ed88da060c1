/* SPDX-License-Identifier: MIT
 *
 * A room is in memory as long as it exists: its info, and in the tree of people who is
 * in it.  That is read from the journal at start.  Its log, and how its messages stand,
 * are looked at when it is used, and the states of those longest unused are forgotten.
 */
#include "store/rooms.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/rooms_priv.h"

#define STATES_MAX 2048 /* rooms in use at once; a state takes 1 to 100 KB */

/* ---- rooms ---- */

/* Room ids are random, and ours. */
static uint32_t
hash_id(const struct uuid *id)
{
	return (uint32_t)id->b[0] << 24 | (uint32_t)id->b[1] << 16 |
	       (uint32_t)id->b[2] << 8 | id->b[3];
}

struct room *
room_find(const struct rooms *r, const struct uuid *id)
{
	struct index_node *node = index_first(&r->ids, hash_id(id));

	for (; node != NULL; node = index_next(node)) {
		struct room *room = INDEX_OBJECT(node, struct room, by_id);

		if (uuid_eq(&room->id, id))
			return room;
	}
	return NULL;
}

struct room *
room_new(const struct uuid *id)
{
	struct room *room = calloc(1, sizeof(*room));

	if (room == NULL)
		return NULL;
	room->id = *id;
	room->base = ROOM_NO_BASE;
	room->end = &room->first;
	room->refs = 1;
	lock_cond_init(&room->changed);
	return room;
}

static void
room_free(struct room *room)
{
	assert(room->state == NULL && room->first == NULL);
	room_info_put(room->info);
	pthread_cond_destroy(&room->changed);
	free(room);
}

void
room_ref(struct room *room)
{
	room->refs++;
}

void
room_unref(struct room *room)
{
	if (--room->refs == 0)
		room_free(room);
}

void
room_publish(struct rooms *r, struct room *room)
{
	room_ref(room);
	index_add(&r->ids, &room->by_id, hash_id(&room->id));
}

void
room_unpublish(struct rooms *r, struct room *room)
{
	index_remove(&r->ids, &room->by_id);
	room_unref(room);
}

struct room *
room_get(struct rooms *r, const struct uuid *id)
{
	struct room *room;

	lock_take(&r->lock);
	room = room_find(r, id);
	if (room != NULL && room->dropped)
		room = NULL;
	if (room != NULL)
		room_ref(room);
	lock_drop(&r->lock);
	return room;
}

bool
room_take(struct rooms *r, struct room *room)
{
	while (room->busy)
		(void)lock_wait(&r->lock, &room->changed, 0);
	if (room->dropped)
		return false;
	room->busy = true;
	return true;
}

void
room_leave(struct room *room)
{
	assert(room->busy);
	room->busy = false;
	pthread_cond_broadcast(&room->changed);
}

enum room_answer
rooms_get(struct rooms *r, const struct uuid *id, const char *user,
	  const struct room_info **info)
{
	enum room_answer answer = ROOM_OK;
	struct room *room;

	lock_take(&r->lock);
	room = room_find(r, id);
	if (room == NULL || room->dropped)
		answer = ROOM_UNKNOWN;
	else if (user != NULL && rooms_stay(r, room, user) == NULL)
		answer = ROOM_NOT_IN;
	else
		*info = info_ref(room->info);
	lock_drop(&r->lock);
	return answer;
}

enum qerr
rooms_of(struct rooms *r, const char *user, const struct uuid *after, size_t max,
	 const struct room_info ***out, size_t *n, bool *more)
{
	const struct room_info **list = NULL;
	struct occupant *o;
	size_t first = 0, count = 0;
	enum qerr e = Q_OK;

	lock_take(&r->lock);
	if ((o = occupant_find(r, user)) != NULL) {
		first = after != NULL ? stay_behind(o, after) : 0;
		count = o->n - first < max ? o->n - first : max;
		if (count > 0 && (list = calloc(count, sizeof(*list))) == NULL)
			e = Q_NOMEM;
	}
	for (size_t i = 0; e == Q_OK && i < count; i++)
		list[i] = info_ref(o->stay[first + i].room->info);
	if (e == Q_OK)
		*more = o != NULL && first + count < o->n;
	lock_drop(&r->lock);
	if (e != Q_OK)
		return e;
	*out = list;
	*n = count;
	return Q_OK;
}

void
rooms_of_free(const struct room_info **list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		room_info_put(list[i]);
	free((void *)(uintptr_t)list);
}

/* ---- states ---- */

/* Those that nobody uses, longest unused first, until there are few enough. */
static struct room_state *
take_surplus(struct rooms *r)
{
	struct room_state *st;

	if (r->n_used <= STATES_MAX)
		return NULL;
	st = TAILQ_FIRST(&r->used);
	while (st != NULL && (st->users > 0 || st->room->busy))
		st = TAILQ_NEXT(st, link);
	if (st == NULL)
		return NULL;
	TAILQ_REMOVE(&r->used, st, link);
	r->n_used--;
	st->room->state = NULL;
	return st;
}

static enum qerr
open_state(struct rooms *r, struct room *room, struct room_state **out) REQUIRES(r->lock);

static enum qerr
open_state(struct rooms *r, struct room *room, struct room_state **out)
{
	struct room_state *surplus = NULL;
	enum qerr e;

	room->opening = true;
	lock_drop(&r->lock);
	e = state_open(r, room, out);
	lock_take(&r->lock);
	room->opening = false;
	if (e == Q_OK) {
		room->state = *out;
		if (room->base == ROOM_NO_BASE) {
			room->base = (*out)->last;
			room->base_messages = (*out)->n_messages;
			if (room->told < (*out)->last)
				room->told = (*out)->last;
		}
		TAILQ_INSERT_TAIL(&r->used, *out, link);
		r->n_used++;
		surplus = take_surplus(r);
	}
	pthread_cond_broadcast(&room->changed);
	if (surplus != NULL)
		state_free(surplus);
	return e;
}

/* Opening may mend the log, so it is for who is busy; others become so for that. */
enum qerr
state_get(struct rooms *r, struct room *room, struct room_state **out, bool busy)
{
	enum qerr e = Q_OK;

	lock_take(&r->lock);
	while (!busy && room->state == NULL && !room->dropped &&
	       (room->busy || room->opening))
		(void)lock_wait(&r->lock, &room->changed, 0);
	if (room->dropped) {
		e = Q_MISSING;
	} else if (room->state == NULL) {
		if (!busy)
			room->busy = true;
		e = open_state(r, room, out);
		if (!busy)
			room_leave(room);
	}
	if (e == Q_OK) {
		*out = room->state;
		(*out)->users++;
		TAILQ_REMOVE(&r->used, *out, link);
		TAILQ_INSERT_TAIL(&r->used, *out, link);
	}
	lock_drop(&r->lock);
	return e;
}

void
state_put(struct rooms *r, struct room_state *st)
{
	struct room *room;

	lock_take(&r->lock);
	room = st->room;
	assert(st->users > 0);
	if (--st->users == 0 && room->dropped)
		pthread_cond_broadcast(&room->changed);
	lock_drop(&r->lock);
}

/* ---- opening and closing ---- */

enum qerr
rooms_open(struct store *s, rooms_told *told, void *arg, struct rooms **out)
{
	struct rooms *r;
	enum qerr e = rooms_load(s, &r);

	if (e != Q_OK)
		return e;
	r->readonly = false;
	r->told = told;
	r->told_arg = arg;
	if (r->odd > 0)
		store_report(s,
			     "rooms/" ROOMS_JOURNAL ".log: %zu events do not fit to "
			     "what is before them",
			     r->odd);
	rooms_clear_dropped(r);
	room_files_recover(r);
	*out = r;
	return Q_OK;
}

void
rooms_close(struct rooms *r)
{
	struct index_node *node;
	struct room_state *st;
	bool left = false;

	if (r == NULL)
		return;
	while (!r->readonly && people_save(r, SIZE_MAX, &left) == Q_OK && left)
		continue;
	while ((st = TAILQ_FIRST(&r->used)) != NULL) {
		TAILQ_REMOVE(&r->used, st, link);
		st->room->state = NULL;
		state_free(st);
	}
	for (node = index_walk(&r->ids, NULL); node != NULL;) {
		struct room *room = INDEX_OBJECT(node, struct room, by_id);

		node = index_walk(&r->ids, node);
		room_free(room);
	}
	people_fini(r);
	journal_close(r->journal);
	msglog_close(r->past);
	index_fini(&r->ids);
	pairs_fini(&r->direct, NULL);
	lock_fini(&r->lock);
	pthread_cond_destroy(&r->saved);
	free(r);
}

bool
rooms_stale(const struct rooms *r)
{
	uint64_t last;

	return journal_last_id(r->journal, &last) != Q_OK || last != r->last_event;
}
