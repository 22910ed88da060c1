/* SPDX-License-Identifier: MIT
 *
 * deliver.c - events as they happen, into one connection, on the threads of those who
 * cause them.
 *
 * An event goes straight into the outbox while the connection is here, owes nothing of
 * that room and has room.  Otherwise it is only noted how far the room was told; the
 * worker reads the rest from the file (catchup.c).  Both ways raise rooms_inbox_room.sent
 * under the outbox lock and skip what is not above it, so each event goes out once, and
 * those of a room in the order of its file, whoever is faster.
 *
 * Whoever sends never waits here: that is what the file is for.  A connection that takes
 * nothing at all is ended by the flusher, and finds what it missed at its next login.
 */
#include <assert.h>

#include "server/log.h"
#include "server/rooms/deliver.h"

uint64_t
rooms_end_locked(struct session *s) REQUIRES(s->out.lock)
{
	return s->out.written + outbox_waiting_locked(&s->out);
}

/* s's, when something may be delivered to it. */
static struct rooms_inbox *
inbox_locked(struct session *s) REQUIRES(s->out.lock)
{
	struct rooms_session *rs = s->state;

	if (rs == NULL || rs->inbox == NULL || rs->inbox->phase == ROOMS_INBOX_AWAY)
		return NULL;
	return rs->inbox;
}

static void
delivered(struct session *s, enum qerr e)
{
	if (e == Q_OK) {
		outbox_touch(s);
	} else if (e == Q_LIMIT) {
		session_end(s, GOODBYE_SLOW, NULL);
	} else if (e != Q_CLOSED && e != Q_FULL) {
		/* It is in the file: the next login finds it. */
		log_limited(LOG_ERROR, &s->peer, NULL, "deliver-failed",
			    "conn=%llu error=%s", (unsigned long long)s->id, qerr_str(e));
		session_end(s, GOODBYE_ERROR, NULL);
	}
}

/* ---- members ---- */

static struct rooms_origin *
own(const struct session *s, const struct room_event *ev)
{
	struct rooms_origin *origin = ev->origin;

	return origin != NULL && origin->session == s ? origin : NULL;
}

/* Catching up will meet them. */
static enum qerr
remember_own_locked(const struct rooms_telling *t, struct session *s,
		    struct rooms_inbox *in, uint64_t after) REQUIRES(s->out.lock)
{
	enum qerr e = Q_OK;

	for (size_t i = 0; e == Q_OK && i < t->n; i++)
		if (t->events[i].seq > after && own(s, &t->events[i]) != NULL)
			e = rooms_inbox_own(in, &t->info->id, t->events[i].seq);
	return e;
}

/* One event; Q_FULL: the outbox does not take it. */
static enum qerr
put_locked(const struct rooms_telling *t, struct session *s,
	   struct rooms_inbox_room *room, size_t i, enum rooms_view view)
    REQUIRES(s->out.lock)
{
	const struct room_event *ev = &t->events[i];
	struct rooms_origin *origin = own(s, ev);
	struct span plain = view == ROOMS_VIEW_NEW ? t->join : t->plain[i];
	enum qerr e = Q_OK;

	if (origin != NULL && origin->answers)
		plain = t->answer;
	if (origin == NULL || origin->answers)
		e = rooms_send_locked(s, OUTBOX_DATA, plain);
	if (e != Q_OK)
		return e;
	if (origin != NULL)
		origin->answered = true;
	rooms_inbox_sent(room, ev->seq, rooms_end_locked(s));
	return Q_OK;
}

static enum qerr
events_locked(const struct rooms_telling *t, struct session *s, enum rooms_view view)
    REQUIRES(s->out.lock)
{
	struct rooms_inbox *in = inbox_locked(s);
	struct rooms_inbox_room *room;
	bool owing;
	enum qerr e = Q_OK;

	if (in == NULL)
		return Q_OK;
	/* A room that is new to the connection begins here. */
	room = rooms_inbox_enter(in, &t->info->id, t->events[0].seq - 1);
	if (room == NULL)
		return Q_NOMEM;
	owing = rooms_inbox_owes(room);
	if (t->events[t->n - 1].seq > room->told)
		room->told = t->events[t->n - 1].seq;
	if (owing || t->unreadable || in->phase != ROOMS_INBOX_HERE) {
		if (in->phase == ROOMS_INBOX_HERE && !owing)
			session_wake(s);
		return remember_own_locked(t, s, in, room->sent);
	}
	for (size_t i = 0; e == Q_OK && i < t->n; i++)
		if (t->events[i].seq > room->sent)
			e = put_locked(t, s, room, i, view);
	rooms_settle_soon_locked(s);
	if (e != Q_FULL)
		return e;
	outbox_want_room_locked(s);
	return remember_own_locked(t, s, in, room->sent);
}

/* Did s cause any of it?  Its answer is written when everybody has been told: who has
 * heard it finds the others knowing. */
static bool
causes(const struct rooms_telling *t, const struct session *s)
{
	for (size_t i = 0; i < t->n; i++)
		if (own(s, &t->events[i]) != NULL)
			return true;
	return false;
}

void
rooms_deliver(const struct rooms_telling *t, struct session *s, enum rooms_view view)
{
	bool now = !causes(t, s);
	enum qerr e, flushed = Q_OK;

	lock_take(&s->out.lock);
	e = events_locked(t, s, view);
	if (e == Q_OK && now)
		flushed = outbox_flush_locked(s);
	lock_drop(&s->out.lock);
	if (e == Q_OK && now)
		outbox_flushed(s, flushed);
	else
		delivered(s, e);
}

/* ---- those who are out ---- */

enum qerr
rooms_farewell_locked(struct session *s, enum outbox_class class, const struct uuid *room,
		      uint64_t seq, struct span plain)
{
	struct rooms_inbox *in = inbox_locked(s);
	enum qerr e;

	if (in == NULL || (e = rooms_inbox_farewell(in, room, seq, 0)) == Q_EXISTS)
		return Q_OK;
	if (e == Q_OK && (e = rooms_send_locked(s, class, plain)) != Q_OK)
		in->n_farewells--;
	if (e == Q_OK) {
		in->farewells[in->n_farewells - 1].end = rooms_end_locked(s);
		rooms_settle_soon_locked(s);
	}
	return e;
}

/* What waited of the room is dropped; this is the last of it, at once. */
static enum qerr
farewell_locked(const struct rooms_telling *t, struct session *s) REQUIRES(s->out.lock)
{
	const struct rooms_session *rs = s->state;
	struct rooms_inbox *in = inbox_locked(s);
	const struct room_event *ev = &t->events[0];
	struct rooms_origin *origin = own(s, ev);
	struct rooms_inbox_room *room;
	bool had, self;
	enum qerr e;

	if (in == NULL)
		return Q_OK;
	room = rooms_inbox_find(in, &t->info->id);
	had = room != NULL && room->sent >= ev->seq;
	rooms_inbox_forget(in, &t->info->id);
	if (had)
		return Q_OK;
	self = origin != NULL || name_cmp(ev->from, rs->user) == 0;
	if (!self && (t->unreadable || in->phase != ROOMS_INBOX_HERE))
		e = Q_FULL;
	else if (!self)
		e = rooms_farewell_locked(s, OUTBOX_DATA, &t->info->id, ev->seq,
					  t->plain[0]);
	else if (origin == NULL)
		e = rooms_send_locked(s, OUTBOX_CONTROL, t->plain[0]);
	else if ((e = rooms_send_locked(s, OUTBOX_DATA, t->answer)) == Q_OK)
		origin->answered = true;
	if (e != Q_FULL)
		return e;
	/* The store keeps it for others; one's own request is answered by its worker. */
	in->farewells_due |= !self;
	outbox_want_room_locked(s);
	return Q_OK;
}

void
rooms_deliver_farewell(const struct rooms_telling *t, struct session *s)
{
	enum qerr e;

	lock_take(&s->out.lock);
	e = farewell_locked(t, s);
	lock_drop(&s->out.lock);
	delivered(s, e);
}

/* ---- what does not wait ---- */

void
rooms_deliver_passing(struct session *s, struct span plain)
{
	struct rooms_inbox *in;
	enum qerr e = Q_OK;

	lock_take(&s->out.lock);
	in = inbox_locked(s);
	if (in != NULL && in->phase == ROOMS_INBOX_HERE)
		e = rooms_send_locked(s, OUTBOX_DATA, plain);
	lock_drop(&s->out.lock);
	delivered(s, e);
}
