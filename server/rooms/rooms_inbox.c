/* SPDX-License-Identifier: MIT */
#include "server/rooms/rooms_inbox.h"

#include <stdlib.h>
#include <string.h>

#define ROOMS_FIRST 4

void
rooms_inbox_fini(struct rooms_inbox *in)
{
	free(in->rooms);
	free(in->own);
	free(in->farewells);
	in->rooms = NULL;
	in->own = NULL;
	in->farewells = NULL;
	in->n = in->n_own = in->n_farewells = 0;
}

/* An array with a place for one more; NULL: no memory, and it is as it was. */
static void *
grown(void *p, size_t n, size_t *cap, size_t size)
{
	size_t more = *cap == 0 ? ROOMS_FIRST : 2 * *cap;

	if (n < *cap)
		return p;
	if ((p = reallocarray(p, more, size)) != NULL)
		*cap = more;
	return p;
}

/* ---- rooms ---- */

/* The place of the room, or where it would stand. */
static size_t
place_of(const struct rooms_inbox *in, const struct uuid *id)
{
	size_t low = 0, high = in->n;

	if (in->last < in->n && uuid_eq(&in->rooms[in->last].id, id))
		return in->last;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (uuid_cmp(&in->rooms[mid].id, id) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct rooms_inbox_room *
rooms_inbox_find(struct rooms_inbox *in, const struct uuid *id)
{
	size_t i = place_of(in, id);

	if (i == in->n || !uuid_eq(&in->rooms[i].id, id))
		return NULL;
	in->last = i;
	return &in->rooms[i];
}

struct rooms_inbox_room *
rooms_inbox_enter(struct rooms_inbox *in, const struct uuid *id, uint64_t seq)
{
	size_t i = place_of(in, id);
	struct rooms_inbox_room *p;

	if (i < in->n && uuid_eq(&in->rooms[i].id, id)) {
		in->last = i;
		return &in->rooms[i];
	}
	if ((p = grown(in->rooms, in->n, &in->cap, sizeof(*p))) == NULL)
		return NULL;
	in->rooms = p;
	memmove(&p[i + 1], &p[i], (in->n - i) * sizeof(*p));
	p[i] = (struct rooms_inbox_room){
	    .id = *id, .sent = seq, .told = seq, .mark = seq, .had = seq};
	in->n++;
	in->last = i;
	return &p[i];
}

void
rooms_inbox_forget(struct rooms_inbox *in, const struct uuid *id)
{
	struct rooms_inbox_room *p = rooms_inbox_find(in, id);

	if (p == NULL)
		return;
	in->n--;
	memmove(p, p + 1, (in->n - (size_t)(p - in->rooms)) * sizeof(*p));
	rooms_inbox_passed(in, id, UINT64_MAX);
}

struct rooms_inbox_room *
rooms_inbox_owing(struct rooms_inbox *in, bool waited)
{
	for (size_t k = 0; k < in->n; k++) {
		size_t i = (in->next + k) % in->n;
		struct rooms_inbox_room *p = &in->rooms[i];

		if (rooms_inbox_owes(p) && (!waited || p->sent < p->waited)) {
			in->next = i + 1;
			return p;
		}
	}
	return NULL;
}

/* ---- what has arrived ---- */

void
rooms_inbox_sent(struct rooms_inbox_room *room, uint64_t seq, uint64_t end)
{
	if (room->mark_end == 0) {
		room->mark = seq;
		room->mark_end = end;
	}
	room->sent = seq;
	room->end = end;
}

uint64_t
rooms_inbox_acked(struct rooms_inbox_room *room, uint64_t acked)
{
	uint64_t upto = 0;

	if (room->end <= acked) {
		upto = room->sent;
		room->mark_end = 0;
	} else if (room->mark_end != 0 && room->mark_end <= acked) {
		upto = room->mark;
		room->mark = room->sent;
		room->mark_end = room->end;
	}
	if (room->frozen || upto <= room->had)
		return 0;
	room->had = upto;
	return upto;
}

bool
rooms_inbox_unsettled(const struct rooms_inbox *in)
{
	for (size_t i = 0; i < in->n_farewells; i++)
		if (!in->farewells[i].had)
			return true;
	for (size_t i = 0; i < in->n && !in->by_hand; i++)
		if (in->rooms[i].had < in->rooms[i].sent && !in->rooms[i].frozen)
			return true;
	return false;
}

/* ---- own events ---- */

enum qerr
rooms_inbox_own(struct rooms_inbox *in, const struct uuid *room, uint64_t seq)
{
	struct rooms_inbox_own *p = grown(in->own, in->n_own, &in->cap_own, sizeof(*p));

	if (p == NULL)
		return Q_NOMEM;
	in->own = p;
	p[in->n_own++] = (struct rooms_inbox_own){*room, seq};
	return Q_OK;
}

bool
rooms_inbox_is_own(const struct rooms_inbox *in, const struct uuid *room, uint64_t seq)
{
	for (size_t i = 0; i < in->n_own; i++)
		if (in->own[i].seq == seq && uuid_eq(&in->own[i].room, room))
			return true;
	return false;
}

void
rooms_inbox_passed(struct rooms_inbox *in, const struct uuid *room, uint64_t seq)
{
	size_t kept = 0;

	for (size_t i = 0; i < in->n_own; i++)
		if (in->own[i].seq > seq || !uuid_eq(&in->own[i].room, room))
			in->own[kept++] = in->own[i];
	in->n_own = kept;
	if (kept == 0) {
		free(in->own);
		in->own = NULL;
		in->cap_own = 0;
	}
}

/* ---- farewells ---- */

bool
rooms_inbox_bade(const struct rooms_inbox *in, const struct uuid *room, uint64_t seq)
{
	for (size_t i = 0; i < in->n_farewells; i++)
		if (in->farewells[i].seq == seq && uuid_eq(&in->farewells[i].room, room))
			return true;
	return false;
}

enum qerr
rooms_inbox_farewell(struct rooms_inbox *in, const struct uuid *room, uint64_t seq,
		     uint64_t end)
{
	struct rooms_inbox_farewell *p;

	if (rooms_inbox_bade(in, room, seq))
		return Q_EXISTS;
	p = grown(in->farewells, in->n_farewells, &in->cap_farewells, sizeof(*p));
	if (p == NULL)
		return Q_NOMEM;
	in->farewells = p;
	p[in->n_farewells++] = (struct rooms_inbox_farewell){*room, seq, end, false};
	return Q_OK;
}
