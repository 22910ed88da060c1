/* SPDX-License-Identifier: MIT
 *
 * Who is in which rooms: a tree of people, each with the rooms in the order of their
 * ids. "Is she a member?" and "the rooms behind this one" are searches in it.  People
 * are kept as long as they are in a room or have to hear of one.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "store/rooms_priv.h"

static int
by_folded(const struct occupant *a, const struct occupant *b)
{
	return strcmp(a->folded, b->folded);
}

#define PRIVATE __attribute__((unused)) static
RB_PROTOTYPE_INTERNAL(occupants, occupant, by_name, by_folded, PRIVATE)
RB_GENERATE_INTERNAL(occupants, occupant, by_name, by_folded, PRIVATE)

struct occupant *
occupant_find(const struct rooms *r, const char *name)
{
	struct occupant *o = RB_ROOT(&r->people);
	char folded[NAME_SIZE];
	int c;

	name_fold(name, folded);
	while (o != NULL && (c = strcmp(folded, o->folded)) != 0)
		o = c < 0 ? RB_LEFT(o, by_name) : RB_RIGHT(o, by_name);
	return o;
}

struct occupant *
occupant_make(struct rooms *r, const char *name)
{
	struct occupant *o = occupant_find(r, name);

	if (o != NULL || (o = calloc(1, sizeof(*o))) == NULL)
		return o;
	memcpy(o->name, name, strnlen(name, NAME_MAX_LEN));
	name_fold(o->name, o->folded);
	STAILQ_INIT(&o->farewells);
	RB_INSERT(occupants, &r->people, o);
	return o;
}

static void
occupant_free(struct rooms *r, struct occupant *o)
{
	RB_REMOVE(occupants, &r->people, o);
	if (o->dirty)
		TAILQ_REMOVE(&r->dirty, o, in_dirty);
	farewells_free(&o->farewells);
	free(o->stay);
	free(o);
}

void
occupant_done(struct rooms *r, struct occupant *o)
{
	if (o->n == 0 && o->reserved == 0 && STAILQ_EMPTY(&o->farewells) && !o->dirty)
		occupant_free(r, o);
}

void
people_fini(struct rooms *r)
{
	struct occupant *o;

	while ((o = RB_ROOT(&r->people)) != NULL)
		occupant_free(r, o);
}

/* ---- stays ---- */

/* How many rooms have an id below id, or up to it. */
static size_t
place_of(const struct occupant *o, const struct uuid *id, bool behind)
{
	size_t lo = 0, hi = o->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = uuid_cmp(&o->stay[mid].room->id, id);

		if (c < 0 || (behind && c == 0))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

size_t
stay_behind(const struct occupant *o, const struct uuid *id)
{
	return place_of(o, id, true);
}

struct room_stay *
stay_find(struct occupant *o, const struct room *room)
{
	size_t i = place_of(o, &room->id, false);

	return i < o->n && o->stay[i].room == room ? &o->stay[i] : NULL;
}

struct room_stay *
rooms_stay(struct rooms *r, const struct room *room, const char *name)
{
	struct occupant *o = occupant_find(r, name);

	return o != NULL ? stay_find(o, room) : NULL;
}

static bool
reserve_one(struct occupant *o)
{
	size_t max = o->max;
	struct room_stay *stay;

	if (o->n + o->reserved == max) {
		max = max == 0 ? 4 : max * 2;
		if ((stay = reallocarray(o->stay, max, sizeof(*stay))) == NULL)
			return false;
		o->stay = stay;
		o->max = max;
	}
	o->reserved++;
	return true;
}

enum qerr
stays_reserve(struct rooms *r, const char (*names)[NAME_SIZE], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct occupant *o = occupant_make(r, names[i]);

		if (o != NULL && reserve_one(o))
			continue;
		if (o != NULL)
			occupant_done(r, o);
		stays_unreserve(r, names, i);
		return Q_NOMEM;
	}
	return Q_OK;
}

void
stays_unreserve(struct rooms *r, const char (*names)[NAME_SIZE], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct occupant *o = occupant_find(r, names[i]);

		assert(o != NULL && o->reserved > 0);
		o->reserved--;
		occupant_done(r, o);
	}
}

void
stay_add(struct rooms *r, struct room *room, const char *name, uint64_t joined)
{
	struct occupant *o = occupant_find(r, name);
	size_t i = place_of(o, &room->id, false);

	assert(o->reserved > 0 && (i == o->n || o->stay[i].room != room));
	o->reserved--;
	memmove(&o->stay[i + 1], &o->stay[i], (o->n - i) * sizeof(o->stay[0]));
	o->n++;
	/* What its file says, if it is still to be read, is from an earlier stay. */
	o->stay[i] =
	    (struct room_stay){.room = room, .joined = joined, .seen = joined - 1};
}

void
stay_remove(struct rooms *r, struct room *room, const char *name)
{
	struct occupant *o = occupant_find(r, name);
	struct room_stay *stay = o != NULL ? stay_find(o, room) : NULL;

	if (stay == NULL)
		return;
	o->n--;
	memmove(stay, stay + 1, (size_t)(&o->stay[o->n] - stay) * sizeof(o->stay[0]));
	occupant_done(r, o);
}
