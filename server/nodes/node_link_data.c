/* SPDX-License-Identifier: MIT
 *
 * node_link_data.c - the bytes of calls on their way through a link.
 *
 * DESIGN.  Out: the worker of each data connection reads a piece into memory that has room
 * for D0's head before it, and sends it in its turn: one piece a turn, and only while the
 * link's outbox has room.  So a fat call and a thin one get as many turns, and a link that
 * is slow slows its clients.  TLS seals the piece from where it was read; a whole one is
 * four full records.  B8 is put under [calls], and a piece takes the outbox's lock under
 * it, so none comes behind the B8 of its call.
 *
 * In: the link's worker writes what comes to the data connection, and what its socket does
 * not take waits in its outbox.  A reader
 * that has not taken a mebibyte keeps the link waiting, since the wire knows no
 * other way to slow a single call down, but only for a moment; then its call is over.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "server/metrics.h"
#include "server/nodes/node_link.h"
#include "server/nodes/links.h"
#include "server/nodes/nodes_session.h"

#define LOOK_MS  500  /* how often one that waits looks whether its call is over */
#define STALL_MS 2000 /* how long a link waits for one reader */

/* ---- out ---- */

/* A D0 in the making: its head, and the bytes behind it. */
struct piece {
	uint8_t head[NODES_DATA_HEAD_LEN];
	uint8_t bytes[NODES_DATA_MAX];
};

/* Q_FULL: no room; Q_CLOSED: the call is over. */
static UNCHECKED_LOCK enum qerr
send_once(struct leg *leg, struct session *link, struct span d0)
{
	enum qerr e, flushed;

	lock_take(&nodes_calls.lock);
	if (leg->closed) {
		lock_drop(&nodes_calls.lock);
		return Q_CLOSED;
	}
	lock_take(&link->out.lock);
	lock_drop(&nodes_calls.lock);
	e = outbox_send_locked(link, d0, &flushed);
	lock_drop(&link->out.lock);
	outbox_flushed(link, flushed);
	return e;
}

/* It is the leg's turn. */
static enum qerr
send_waiting(struct leg *leg, struct session *link, struct span d0)
{
	enum qerr e;

	while ((e = send_once(leg, link, d0)) == Q_FULL) {
		if (session_ended(leg->session))
			return Q_CLOSED;
		outbox_flush_touched();
		e = outbox_wait_room(link, clock_mono_ms() + LOOK_MS);
		if (e == Q_CLOSED)
			return e;
	}
	return e;
}

/* Say the first n bytes of p as D0. */
static enum qerr
send_piece(struct leg *leg, struct node_link *l, struct piece *p, size_t n)
{
	const struct call *call = leg->call;
	struct turn turn;
	enum qerr e;

	nodes_data_head(p->head, call->uin[leg->side],
			call->uin[leg->side == CALLER ? CALLEE : CALLER], n);
	turn_init(&turn);
	turns_take(&l->turns, &turn);
	e = send_waiting(leg, l->session, span_of(p, NODES_DATA_HEAD_LEN + n));
	turns_pass(&l->turns, &turn);
	turn_fini(&turn);
	metric_add(METRIC_message_bytes_total, n);
	return e;
}

/* What the client has sent before the call was up. */
static enum qerr
send_early(struct leg *leg, struct node_link *l, struct piece *p)
{
	struct session *s = leg->session;
	enum qerr e = Q_OK;
	struct span in;

	while (e == Q_OK && (in = session_input(s)).len > 0) {
		size_t n = in.len < sizeof(p->bytes) ? in.len : sizeof(p->bytes);

		memcpy(p->bytes, in.p, n);
		session_consume(s, n);
		e = send_piece(leg, l, p, n);
	}
	return e;
}

/* Read a piece.  Q_SHORT: woken, or nothing was there and *p was given back, since one
 * that waits needs none. */
static enum qerr
read_piece(struct session *s, struct piece **p, size_t *n)
{
	struct stream *st = s->stream;
	enum qerr e;

	if (*p == NULL && (*p = malloc(sizeof(**p))) == NULL)
		return Q_NOMEM;
	e = st->ops->read(st, (*p)->bytes, sizeof((*p)->bytes), STREAM_NOW, n);
	if (e != Q_FULL)
		return e;
	free(*p);
	*p = NULL;
	e = waker_wait(&st->waker, st->fd, POLLIN);
	return e == Q_OK ? Q_SHORT : e;
}

/* The link, whose session is held, or NULL: the call is over. */
static struct node_link *
link_of_leg(struct leg *leg)
{
	struct node_link *l = NULL;

	lock_take(&nodes_calls.lock);
	if (!leg->closed) {
		l = node_link_of(leg->wire);
		session_ref(l->session);
	}
	lock_drop(&nodes_calls.lock);
	return l;
}

/* From the client's socket to the link, until one of them or the call ends. */
static void
forward(struct leg *leg, struct node_link *l)
{
	struct piece *p = malloc(sizeof(*p));
	struct session *s = leg->session;
	enum qerr e = Q_NOMEM;
	size_t n;

	if (p != NULL)
		e = send_early(leg, l, p);
	buf_free(&s->in);
	s->in_used = 0;
	while ((e == Q_OK || e == Q_SHORT) && !session_ended(s) && !leg_is_over(leg))
		if ((e = read_piece(s, &p, &n)) == Q_OK)
			e = send_piece(leg, l, p, n);
	free(p);
}

void
links_forward(struct leg *leg)
{
	struct node_link *l = link_of_leg(leg);

	if (l == NULL)
		return;
	forward(leg, l);
	session_unref(l->session);
}

/* ---- in ---- */

enum where { NOBODY, EARLY, HERE };

/* Where do the bytes go?  HERE: *to, a reference.  EARLY: they are kept, or there is no
 * room (*kept). */
static enum where
place_of_data(struct node_link *l, const struct nodes_message *m, struct session **to,
	      bool *kept) REQUIRES(nodes_calls.lock)
{
	struct call *call = calls_wire_data(&nodes_calls, &l->wire, m->uin, m->uin2);
	struct leg *leg;

	if (call == NULL)
		return NOBODY;
	leg = call->data[call->uin[CALLER] == m->uin2 ? CALLER : CALLEE];
	if (leg != NULL) {
		*to = session_ref(leg->session);
		return HERE;
	}
	*kept = buf_put_span(&call->early, m->bytes) == Q_OK;
	return EARLY;
}

/* The same, waiting until there is room for what is early. */
static enum where
find_place(struct node_link *l, const struct nodes_message *m, struct session **to)
{
	int64_t until_ms = clock_mono_ms() + STALL_MS;
	bool kept = true, in_time = true;
	enum where w;

	lock_take(&nodes_calls.lock);
	while ((w = place_of_data(l, m, to, &kept)) == EARLY && !kept && in_time)
		in_time = lock_wait(&nodes_calls.lock, &nodes_changed, until_ms);
	lock_drop(&nodes_calls.lock);
	return w == EARLY && !kept ? HERE : w;
}

/* The reader cannot have it all: its call is over, if it still is that reader's.  Another
 * one of the two cannot have come up meanwhile: its AB or AA is behind this message. */
static void
give_up(struct node_link *l, const struct nodes_message *m)
{
	struct call *call;

	nodes_begin();
	call = calls_wire_data(&nodes_calls, &l->wire, m->uin, m->uin2);
	if (call != NULL)
		calls_break(&nodes_calls, call, NODES_ARG);
	nodes_finish(l->session->server);
}

static enum qerr
send_now(struct session *to, struct span bytes)
{
	enum qerr e, flushed;

	lock_take(&to->out.lock);
	e = outbox_send_locked(to, bytes, &flushed);
	lock_drop(&to->out.lock);
	outbox_flushed(to, flushed);
	return e;
}

/* Q_TIMEOUT: it does not read.  Whatever is not Q_OK: these bytes have not gone, and
 * nothing may come behind them. */
static enum qerr
pour(struct session *to, struct span bytes)
{
	int64_t until_ms = 0;
	enum qerr e;

	while ((e = send_now(to, bytes)) == Q_FULL) {
		outbox_flush_touched();
		if (until_ms == 0)
			until_ms = clock_mono_ms() + STALL_MS;
		if ((e = outbox_wait_room(to, until_ms)) != Q_OK)
			return e;
	}
	return e;
}

void
node_link_take_data(struct node_link *l, const struct nodes_message *m)
{
	struct session *to = NULL;

	if (m->bytes.len == 0)
		return;
	switch (find_place(l, m, &to)) {
	case NOBODY:
		node_link_tell(l, &(struct nodes_message){.type = NODES_CALL_OVER,
							  .uin = m->uin,
							  .uin2 = m->uin2});
		break;
	case EARLY: break;
	case HERE:
		if (to == NULL || pour(to, m->bytes) != Q_OK)
			give_up(l, m);
		session_unref(to);
		break;
	}
}
