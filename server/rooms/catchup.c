/* SPDX-License-Identifier: MIT
 *
 * catchup.c - events from the files: what waited for a login, and what did not fit while
 * the client was slow.
 *
 * DESIGN.  A round takes one room that owes something, reads some events of it, and puts
 * each into the outbox.  When that is full the round ends; the worker is woken once half
 * of it is free, and goes on behind what was sent.  Nothing is kept in between.  Rounds
 * follow each other until nothing is owed; a room then gets its events live, which is
 * decided under the outbox lock, in the same hold that lets them in.
 *
 * QUEUE_END comes when every room has sent what had been written at the login; what was
 * written since then may still be owed.
 */
#include "base/clock.h"
#include "server/log.h"
#include "server/rooms/deliver.h"

#define READ_MAX 64
/* Somebody may be writing as fast as we read: look at requests in between. */
#define ROUNDS_MAX 8

/* ---- into the outbox ---- */

/* Call put with the lock held, and again after a flush when the outbox is full: should it
 * still be, the worker is woken when it is not any more, and this is Q_FULL. */
static enum qerr
put_or_wait(struct session *s, enum qerr (*put)(struct session *s, void *arg), void *arg)
{
	enum qerr e;

	lock_take(&s->out.lock);
	e = put(s, arg);
	lock_drop(&s->out.lock);
	if (e == Q_FULL) {
		outbox_flush(s);
		lock_take(&s->out.lock);
		if ((e = put(s, arg)) == Q_FULL)
			outbox_want_room_locked(s);
		lock_drop(&s->out.lock);
	}
	outbox_touch(s);
	return e;
}

/* ---- one room ---- */

struct reading {
	struct rooms_session *rs;
	struct uuid id;
	const struct room_info *info;
	uint64_t after, told, waited; /* as they were when we began to read */
	struct rooms_origin *answering;
	struct buf plain;
	size_t n;
	bool stopped;
	enum qerr e;
	/* the event at hand */
	const struct room_event *ev;
	bool silent;  /* it is nothing to this connection */
	bool answers; /* it is the answer to the request at hand */
	bool out;     /* by it the user is out of the room */
};

static enum qerr
put_event(struct session *s, void *arg) REQUIRES(s->out.lock)
{
	struct reading *r = arg;
	struct rooms_inbox *in = r->rs->inbox;
	struct rooms_inbox_room *room = rooms_inbox_find(in, &r->id);
	enum qerr e = Q_OK;

	if (room == NULL)
		return Q_SHORT;
	if (r->out) {
		e = rooms_farewell_locked(s, OUTBOX_DATA, &r->id, r->ev->seq,
					  buf_span(&r->plain));
		if (e == Q_OK)
			rooms_inbox_forget(in, &r->id);
		return e;
	}
	if (!r->silent)
		e = rooms_send_locked(s, OUTBOX_DATA, buf_span(&r->plain));
	if (e != Q_OK)
		return e;
	if (r->answers)
		r->answering->answered = true;
	rooms_inbox_sent(room, r->ev->seq, rooms_end_locked(s));
	rooms_inbox_passed(in, &r->id, r->ev->seq);
	rooms_settle_soon_locked(s);
	return Q_OK;
}

/* What is the event to this connection?  False: it was not told of it (yet). */
static bool
judge(struct reading *r, const struct room_event *ev)
{
	struct session *s = r->rs->session;
	const char *user = r->rs->user;
	bool own, changed = ev->kind == ROOM_CHANGED;

	lock_take(&s->out.lock);
	own = rooms_inbox_is_own(r->rs->inbox, &r->id, ev->seq);
	lock_drop(&s->out.lock);
	r->ev = ev;
	r->answers = own && changed && r->answering != NULL;
	/* Own events do not wait for a login; later ones of other connections count. */
	r->silent =
	    own ? !r->answers : ev->seq <= r->waited && name_cmp(ev->from, user) == 0;
	r->out = false;
	if (changed && ev->change->action == ROOM_REMOVE)
		for (size_t i = 0; i < ev->change->n_people; i++)
			r->out |= name_cmp(ev->change->people[i], user) == 0;
	return ev->seq <= r->told;
}

static bool
each_event(void *arg, const struct room_event *ev)
{
	struct reading *r = arg;
	struct span ref = {NULL, 0};
	enum rooms_view view = rooms_view(ev, r->rs->user);

	r->n++;
	if (!judge(r, ev)) {
		r->stopped = true;
		return false;
	}
	if (r->answers) {
		ref = r->answering->ref;
		if (ev->change->action == ROOM_CREATE)
			view = ROOMS_VIEW_MAKER;
	}
	r->plain.len = 0;
	if (!r->silent)
		r->e = rooms_render(r->rs->session->server, r->info, ev, view, ref,
				    &r->plain);
	if (r->e == Q_OK)
		r->e = put_or_wait(r->rs->session, put_event, r);
	r->stopped = r->e != Q_OK || r->out;
	return !r->stopped;
}

/* What was told and is not in the file (a record that is damaged, or a file that cannot
 * be read) must not be asked for again and again. */
static void
give_up_on(struct reading *r, enum qerr e)
{
	struct session *s = r->rs->session;
	struct rooms_inbox_room *room;

	lock_take(&s->out.lock);
	if (e == Q_MISSING) {
		rooms_inbox_forget(r->rs->inbox, &r->id);
	} else if ((room = rooms_inbox_find(r->rs->inbox, &r->id)) != NULL) {
		room->frozen |= e != Q_OK;
		if (room->sent < r->told) {
			rooms_inbox_sent(room, r->told, rooms_end_locked(s));
			rooms_inbox_passed(r->rs->inbox, &r->id, r->told);
		}
	}
	lock_drop(&s->out.lock);
	if (e != Q_OK && e != Q_MISSING)
		log_limited(LOG_ERROR, &s->peer, s, "room-unreadable", "error=%s",
			    qerr_str(e));
}

static enum qerr
read_room(struct reading *r)
{
	struct rooms *rooms = r->rs->session->server->rooms;
	enum qerr e;

	if (rooms_get(rooms, &r->id, r->rs->user, &r->info) != ROOM_OK) {
		/* Whoever took the user out of it is about to tell so. */
		give_up_on(r, Q_MISSING);
		return Q_OK;
	}
	r->plain = (struct buf)BUF_INIT(SIZE_MAX / 2);
	e = rooms_events(rooms, &r->id, NULL, r->after, READ_MAX, each_event, r, NULL);
	room_info_put(r->info);
	buf_free(&r->plain);
	if (e == Q_NOMEM)
		return e;
	if (e != Q_OK || (!r->stopped && r->n < READ_MAX))
		give_up_on(r, e);
	return r->e == Q_SHORT ? Q_OK : r->e;
}

/* ---- the last words about rooms ---- */

struct bidding {
	struct rooms_session *rs;
	const struct room_info *info;
	const struct room_event *ev;
	struct buf plain;
	enum qerr e;
};

static enum qerr
put_farewell(struct session *s, void *arg) REQUIRES(s->out.lock)
{
	struct bidding *b = arg;
	enum qerr e = rooms_farewell_locked(s, OUTBOX_DATA, &b->info->id, b->ev->seq,
					    buf_span(&b->plain));

	if (e == Q_FULL)
		b->rs->inbox->farewells_due = true;
	return e;
}

static bool
each_farewell(void *arg, const struct room_info *info, const struct room_event *ev)
{
	struct bidding *b = arg;
	struct session *s = b->rs->session;
	bool bade;

	lock_take(&s->out.lock);
	bade = rooms_inbox_bade(b->rs->inbox, &info->id, ev->seq);
	lock_drop(&s->out.lock);
	if (bade)
		return true;
	b->info = info;
	b->ev = ev;
	b->plain.len = 0;
	b->e = rooms_render(s->server, info, ev, ROOMS_VIEW_MEMBER,
			    (struct span){NULL, 0}, &b->plain);
	if (b->e == Q_OK)
		b->e = put_or_wait(s, put_farewell, b);
	return b->e == Q_OK;
}

static enum qerr
bid_farewells(struct rooms_session *rs)
{
	struct session *s = rs->session;
	struct bidding b = {.rs = rs, .plain = BUF_INIT(SIZE_MAX / 2)};
	bool due;
	enum qerr e;

	lock_take(&s->out.lock);
	due = rs->inbox->farewells_due;
	rs->inbox->farewells_due = false;
	lock_drop(&s->out.lock);
	if (!due)
		return Q_OK;
	e = rooms_farewells(s->server->rooms, rs->user, each_farewell, &b);
	buf_free(&b.plain);
	return e != Q_OK ? e : b.e;
}

/* ---- rounds ---- */

static enum qerr
put_queue_end(struct session *s, void *arg) REQUIRES(s->out.lock)
{
	static const char text[] = "{\"type\":\"QUEUE_END\",\"data\":{}}";
	struct rooms_inbox *in = arg;
	enum qerr e;

	if (in->phase != ROOMS_INBOX_ARRIVING || rooms_inbox_owing(in, true) != NULL)
		return Q_OK;
	if ((e = rooms_send_locked(s, OUTBOX_DATA, span_str(text))) == Q_OK)
		in->phase = ROOMS_INBOX_HERE;
	return e;
}

/* The next room that owes something.  What waited goes before what happens. */
static bool
next_room(struct rooms_session *rs, struct reading *r)
{
	struct session *s = rs->session;
	struct rooms_inbox_room *room;

	lock_take(&s->out.lock);
	room = rooms_inbox_owing(rs->inbox, true);
	if (room == NULL && rs->inbox->phase == ROOMS_INBOX_HERE)
		room = rooms_inbox_owing(rs->inbox, false);
	if (room != NULL) {
		r->id = room->id;
		r->after = room->sent;
		r->told = room->told;
		r->waited = room->waited;
	}
	lock_drop(&s->out.lock);
	return room != NULL;
}

enum qerr
rooms_catch_up(struct rooms_session *rs, struct rooms_origin *answering)
{
	enum qerr e = Q_OK;

	for (int i = 0; i < ROUNDS_MAX; i++) {
		struct reading r = {.rs = rs, .answering = answering};

		if ((e = bid_farewells(rs)) != Q_OK ||
		    (e = put_or_wait(rs->session, put_queue_end, rs->inbox)) != Q_OK)
			return e;
		if (!next_room(rs, &r))
			return Q_OK;
		if ((e = read_room(&r)) != Q_OK)
			return e;
	}
	return Q_SHORT;
}

void
rooms_fail(struct rooms_session *rs, enum qerr e)
{
	struct session *s = rs->session;

	if (e == Q_CLOSED)
		return;
	log_limited(LOG_ERROR, &s->peer, s, "catch-up-failed", "error=%s", qerr_str(e));
	session_end(s, GOODBYE_ERROR, NULL);
}

void
rooms_await_answer(struct rooms_session *rs, struct rooms_origin *origin)
{
	struct session *s = rs->session;
	int64_t until_ms = clock_mono_ms() + config_now()->sender_wait_ms;
	enum qerr e = Q_SHORT;

	while (!origin->answered && (e == Q_SHORT || e == Q_FULL)) {
		e = rooms_catch_up(rs, origin);
		if (e != Q_FULL || origin->answered)
			continue;
		outbox_flush_touched();
		if ((e = outbox_wait_room(s, until_ms)) == Q_OK)
			e = Q_FULL;
		else if (e == Q_TIMEOUT)
			session_end(s, GOODBYE_SLOW, NULL);
	}
}

void
rooms_woken(struct rooms_session *rs)
{
	enum qerr e;

	if (rs->inbox == NULL)
		return;
	e = rooms_catch_up(rs, NULL);
	if (e == Q_SHORT)
		session_wake(rs->session);
	else if (e != Q_OK && e != Q_FULL)
		rooms_fail(rs, e);
}
