/* SPDX-License-Identifier: MIT
 *
 * A WebSocket is a session of the table like any other, whose protocol is this file's and
 * whose worker reads for the Engine.IO session that it carries: a new one, or one whose
 * client moves over from polling.
 *
 *	client                      server
 *	GET ...websocket&sid=S  ->  101; polls go on
 *	2probe                  ->  3probe; the poll that waits is sent away with `6`
 *	5                       ->  from here on S is here, polls get 400
 *
 * Polls are sent away a moment behind the probe, not at once: a client that does not wait
 * for 3probe has its `5` here by then.  A poll that comes when the WebSocket is there
 * already may be behind a `5` that is not here yet, and stays longer (eio_poll.c).  A
 * second WebSocket for S gets its 101, too, and is closed then: stock clients take an error
 * before as one of the network.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"
#include "server/engineio/eio_priv.h"
#include "server/server.h"

#define PIECE         65536
#define NOOP_AFTER_MS 20 /* the probe */

struct carrier {
	struct ws ws;
	struct eio_server *server;
	_Atomic(struct eio *) e; /* a reference; NULL: none yet, or refused */
	bool upgrade;            /* for a session that is there */
};

/* ---- sending ---- */

/* Packet number i of b. */
static struct span
packet_of(const struct bundle *b, unsigned i)
{
	return i == 0 ? span_of(b->packet, b->len) : blob_span(b->blobs[i - 1]);
}

/* The next piece of the first bundle.  Q_OK; errors as outbox_reserve_locked. */
static enum qerr
put_piece_locked(struct eio *e, struct bundle *b) REQUIRES(e->ws->out.lock)
{
	struct span packet = packet_of(b, e->part);
	size_t left = packet.len - e->part_done, n = left < PIECE ? left : PIECE;
	bool binary = b->binary || e->part > 0;
	enum qerr err;

	err = ws_piece_locked(e->ws, binary ? WS_BINARY : WS_TEXT,
			      span_of(packet.p + e->part_done, n), e->part_done == 0,
			      n == left);
	if (err != Q_OK)
		return err;
	e->part_done += n;
	if (n == left) {
		e->part++;
		e->part_done = 0;
	}
	return Q_OK;
}

static void
drop_first_locked(struct eio *e) REQUIRES(e->lock)
{
	struct eio_waiting *w = STAILQ_FIRST(&e->queue);

	STAILQ_REMOVE_HEAD(&e->queue, link);
	e->weight -= bundle_weight(w->bundle);
	e->part = 0;
	bundle_unref(w->bundle);
	free(w);
}

bool
eio_pump_locked(struct eio *e)
{
	struct eio_waiting *w;
	bool any = false;
	enum qerr err = Q_OK;

	LOCK_ASSERT_HELD(&e->lock);
	lock_take(&e->ws->out.lock);
	while (err == Q_OK && (w = STAILQ_FIRST(&e->queue)) != NULL) {
		if (w->bundle ==
		    e->server->close) { /* for polls: here, a frame says it */
			drop_first_locked(e);
			continue;
		}
		if ((err = put_piece_locked(e, w->bundle)) != Q_OK)
			break;
		any = true;
		if (e->part > w->bundle->count)
			drop_first_locked(e);
	}
	if (err == Q_FULL)
		outbox_want_room_locked(e->ws);
	lock_drop(&e->ws->out.lock);
	if (err == Q_NOMEM && !e->starved) {
		e->starved = true;
		eio_end_later(e, true);
	}
	return any;
}

/* ---- receiving ---- */

/* A frame as a packet. */
static enum qerr
packet_from(const struct ws_message *m, struct eio_packet *out)
{
	if (m->opcode == WS_TEXT)
		return eio_text_parse(m->payload, out);
	*out =
	    (struct eio_packet){.type = EIO_MESSAGE, .binary = true, .data = m->payload};
	return Q_OK;
}

/* In a turn. */
static enum qerr
take_message(struct eio *e, const struct ws_message *m)
{
	struct eio_packet packet;
	enum qerr err = packet_from(m, &packet);

	if (err == Q_OK)
		err = eio_receive(e, &packet);
	if (err == Q_FORMAT)
		eio_fail(e, "packet");
	return err;
}

/* A message, and those that have come with it: one turn. */
static enum qerr
take_messages(struct carrier *c, struct eio *e, struct ws_message *m)
{
	enum qerr err = Q_CLOSED;

	if (eio_turn_take(e)) {
		do {
			err = take_message(e, m);
			ws_limit(&c->ws, atomic_load(&e->max_message));
		} while (err == Q_OK && !atomic_load(&e->settle) && !eio_is_behind(e) &&
			 ws_more(&c->ws, m) == Q_OK);
	}
	eio_turn_give(e);
	return err;
}

/* ---- the upgrade ---- */

static enum qerr
next_text(struct carrier *c, struct eio_packet *out)
{
	struct ws_message m;
	enum qerr err;

	do
		err = ws_read(&c->ws, &m);
	while (err == Q_SHORT);
	if (err == Q_OK && (m.opcode != WS_TEXT || packet_from(&m, out) != Q_OK))
		err = Q_FORMAT;
	return err;
}

static void
set_probed(struct eio *e)
{
	lock_take(&e->lock);
	if (e->way == EIO_POLLING)
		e->way = EIO_PROBED;
	e->noop_at_ms = clock_mono_ms() + NOOP_AFTER_MS;
	pthread_cond_broadcast(&e->changed);
	lock_drop(&e->lock);
}

static enum qerr
set_upgraded(struct eio *e, struct carrier *c)
{
	bool left = false;

	lock_take(&e->lock);
	if (e->phase != EIO_OVER) {
		e->way = EIO_WEBSOCKET;
		e->wire = &c->ws;
	}
	/* Closed meanwhile: what waits goes out here. */
	if ((left = e->phase == EIO_LEAVING)) {
		(void)eio_pump_locked(e);
		e->phase = EIO_OVER;
	}
	pthread_cond_broadcast(&e->changed);
	eio_unlock(e);
	if (left)
		eio_left(e);
	return eio_closed(e) ? Q_CLOSED : Q_OK;
}

/* Q_OK: the session is on this WebSocket now. */
static enum qerr
upgrade(struct carrier *c, struct eio *e)
{
	struct session *s = c->ws.session;
	struct eio_packet p;
	enum qerr err;

	ws_deadline(&c->ws, clock_mono_ms() + EIO_PROBE_MS);
	if ((err = next_text(c, &p)) == Q_OK &&
	    (p.type != EIO_PING || !span_eq(p.data, span_str("probe"))))
		err = Q_FORMAT;
	if (err == Q_OK)
		err = ws_send(s, OUTBOX_CONTROL, WS_TEXT, span_str("3probe"));
	if (err == Q_OK) {
		set_probed(e);
		if ((err = next_text(c, &p)) == Q_OK && p.type != EIO_UPGRADE)
			err = Q_FORMAT;
	}
	ws_deadline(&c->ws, 0);
	if (err == Q_OK)
		err = set_upgraded(e, c);
	if (err != Q_OK)
		ws_end(s, err == Q_FORMAT ? WS_CODE_PROTOCOL : WS_CODE_NORMAL,
		       "no upgrade");
	return err;
}

/* This WebSocket is over: what it carried ends with it, what was to move over stays. */
static void
detach(struct eio *e, struct session *s)
{
	bool carried = false;

	lock_take(&e->lock);
	if (e->ws == s) {
		carried = e->way == EIO_WEBSOCKET;
		if (!carried)
			e->way = EIO_POLLING;
		e->ws = NULL;
		e->wire = NULL;
		e->noop_at_ms = 0;
		pthread_cond_broadcast(&e->changed);
		session_unref(s); /* the worker has one more */
	}
	lock_drop(&e->lock);
	if (carried)
		eio_end(e, EIO_BY_PEER, WS_CODE_NORMAL, NULL);
}

/* ---- the worker ---- */

/* The session that this WebSocket asked for. */
static struct eio *
begin(struct carrier *c, struct session *s)
{
	struct eio *e;
	enum qerr err = eio_begin(c->server, s, EIO_WEBSOCKET, s, &e);

	if (err != Q_OK) {
		ws_end(s, WS_CODE_INTERNAL,
		       err == Q_LIMIT ? "too many sessions" : qerr_str(err));
		return NULL;
	}
	atomic_store(&c->e, e);
	lock_take(&e->lock);
	if (e->phase == EIO_ALIVE)
		e->wire = &c->ws;
	lock_drop(&e->lock);
	return e;
}

static void
leave(struct carrier *c, struct eio *e)
{
	if (e != NULL)
		detach(e, c->ws.session);
	ws_fini(&c->ws);
}

/* Send on what waits. */
static void
send_on(struct eio *e, bool catching_up)
{
	lock_take(&e->lock);
	e->catching_up = catching_up;
	eio_unlock(e);
}

/* The same; and while too much waits, what the client says is left unread.  One that takes
 * nothing is ended by the flusher. */
static void
catch_up(struct carrier *c, struct eio *e)
{
	enum qerr err = Q_OK;

	send_on(e, false);
	if (!eio_is_behind(e))
		return;
	ws_done(&c->ws);
	while (err == Q_OK && eio_is_behind(e)) {
		send_on(e, true);
		outbox_flush_touched();
		err = outbox_wait_room(c->ws.session, 0);
	}
	send_on(e, false);
}

/* The worker, once the session is here.  What a login has touched of the stack, and what
 * malloc keeps for the thread that did it, are not for an idle session to keep. */
static void
carry(struct session *s)
{
	struct carrier *c = s->state;
	struct eio *e = atomic_load(&c->e);
	struct ws_message m;
	enum qerr err;

	do {
		if (atomic_exchange(&e->settle, false)) {
			ws_done(&c->ws);
			session_rest(s, carry);
			return;
		}
		catch_up(c, e);
		ws_limit(&c->ws, atomic_load(&e->max_message));
		err = ws_read(&c->ws, &m);
		if (err == Q_OK)
			err = take_messages(c, e, &m);
	} while (err == Q_OK || err == Q_SHORT);
	leave(c, e);
}

static void
carrier_main(struct session *s)
{
	struct carrier *c = s->state;
	struct eio *e = atomic_load(&c->e);
	const struct ws_options options = {
	    .max_message = EIO_BUDGET_ABOVE,
	    .budget = c->server->budget,
	    .budget_above = EIO_BUDGET_ABOVE,
	};
	enum qerr err = session_wakeable(s);

	ws_init(&c->ws, s, &options);
	if (err != Q_OK)
		ws_end(s, WS_CODE_INTERNAL, qerr_str(err));
	else if (!c->upgrade)
		e = begin(c, s);
	else if (e == NULL)
		ws_end(s, WS_CODE_NORMAL, NULL);
	else
		err = upgrade(c, e);
	if (err == Q_OK && e != NULL) {
		/* One at most for a session, which is in the table itself. */
		sessions_count_as(s->server->sessions, s, COUNT_PART);
		carry(s);
	} else {
		leave(c, e);
	}
}

/* ---- the row ---- */

static enum qerr
recognise(struct span first)
{
	(void)first;
	return Q_FORMAT; /* reached through HTTP, never by first bytes */
}

/* Events are delivered to the seat. */
static void
deliver(struct session *s, const struct event *event)
{
	(void)s, (void)event;
}

/* What ends the connection because of its user is the seat's to say.  A connection that
 * takes nothing has nothing said to it; its worker tells the session. */
static void
goodbye(struct session *s, enum goodbye why, const char *text)
{
	struct carrier *c = s->state;
	struct eio *e = atomic_load(&c->e);
	bool carries = false;

	if (e != NULL && why != GOODBYE_SLOW && why != GOODBYE_ERROR) {
		lock_take(&e->lock);
		carries = e->ws == s && e->way == EIO_WEBSOCKET;
		lock_drop(&e->lock);
	}
	if (carries)
		session_end(e->seat, why, text);
	ws_goodbye(s, why, text); /* unless that has said it */
}

static void
release(struct session *s)
{
	struct carrier *c = s->state;
	struct eio *e = atomic_load(&c->e);

	if (e != NULL)
		eio_unref(e);
	free(c);
}

static const struct protocol carrier_protocol = {
    .name = "engineio",
    .recognise = recognise,
    .deliver = deliver,
    .goodbye = goodbye,
    .release = release,
};

/* ---- the request ---- */

/* Only one WebSocket at a time may move a session over, and only once. */
static bool
attach(struct eio *e, struct session *s)
{
	bool free_place;

	lock_take(&e->lock);
	free_place = e->phase == EIO_ALIVE && e->ws == NULL && e->way == EIO_POLLING;
	if (free_place)
		e->ws = session_ref(s);
	lock_drop(&e->lock);
	return free_place;
}

void
eio_websocket(struct eio_server *server, struct eio *e, struct http *h,
	      struct http_request *r)
{
	struct session *s = http_session(h);
	struct carrier *c = calloc(1, sizeof(*c));
	bool attached;

	if (c == NULL) {
		http_error(h, 503, NULL);
		if (e != NULL)
			eio_unref(e);
		return;
	}
	c->server = server;
	c->upgrade = e != NULL;
	/* Before the 101: what the client sends behind it finds it here. */
	attached = e != NULL && attach(e, s);
	if (ws_accept(h, r) != Q_OK) {
		if (attached)
			detach(e, s);
		if (e != NULL)
			eio_unref(e);
		free(c);
		return;
	}
	if (e != NULL && !attached)
		eio_unref(e);
	atomic_init(&c->e, attached ? e : NULL);
	http_become(h, &carrier_protocol, c, carrier_main);
}
