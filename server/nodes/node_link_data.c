/* SPDX-License-Identifier: MIT
 *
 * node_link_data.c - the bytes of calls on their way through a link.
 *
 * DESIGN.  Out: the worker of each data connection cuts what it has read into pieces and
 * puts them into the link's outbox, one piece a turn, and only while there is room: so a
 * fat call and a thin one get as many turns, and a link that is slow slows its clients.
 * The piece is put under [calls], as every B8 is, so none comes behind it.
 *
 * In: the link's worker puts what comes into the outbox of the data connection.  A reader
 * that has not taken a mebibyte keeps the link waiting, since the wire knows no
 * other way to slow a single call down, but only for a moment; then its call is over.
 */
#include <string.h>

#include "base/clock.h"
#include "server/metrics.h"
#include "server/nodes/node_link.h"
#include "server/nodes/links.h"
#include "server/nodes/nodes_session.h"

#define PIECE_MAX 32768 /* bytes in one turn */
#define LOOK_MS   500   /* how often one that waits looks whether its call is over */
#define STALL_MS  2000  /* how long a link waits for one reader */

/* ---- out ---- */

/* Q_FULL: no room; Q_CLOSED: the call is over. */
static enum qerr
append_locked(struct leg *leg, struct node_link *l, struct span piece)
    REQUIRES(nodes_calls.lock)
{
	struct outbox *o = &l->session->out;
	const struct call *call = leg->call;
	enum call_side other = leg->side == CALLER ? CALLEE : CALLER;
	uint8_t *at;
	enum qerr e;

	if (leg->closed)
		return Q_CLOSED;
	lock_take(&o->lock);
	e = outbox_reserve_locked(o, OUTBOX_DATA, NODES_DATA_HEAD_LEN + piece.len, &at);
	if (e == Q_OK) {
		nodes_data_head(at, call->uin[leg->side], call->uin[other], piece.len);
		memcpy(at + NODES_DATA_HEAD_LEN, piece.p, piece.len);
		outbox_commit_locked(o, NODES_DATA_HEAD_LEN + piece.len);
	}
	lock_drop(&o->lock);
	return e;
}

/* It is the leg's turn. */
static enum qerr
put_piece(struct leg *leg, struct node_link *l, struct span piece)
{
	enum qerr e;

	for (;;) {
		lock_take(&nodes_calls.lock);
		e = append_locked(leg, l, piece);
		lock_drop(&nodes_calls.lock);
		if (e != Q_FULL)
			return e;
		outbox_flush_touched();
		e = outbox_wait_room(l->session, clock_mono_ms() + LOOK_MS);
		if (e == Q_CLOSED)
			return e;
	}
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

enum qerr
links_data(struct leg *leg, struct span bytes)
{
	struct node_link *l = link_of_leg(leg);
	enum qerr e = Q_OK;
	struct turn turn;

	if (l == NULL)
		return Q_CLOSED;
	turn_init(&turn);
	while (e == Q_OK && bytes.len > 0) {
		size_t n = bytes.len < PIECE_MAX ? bytes.len : PIECE_MAX;

		turns_take(&l->turns, &turn);
		e = put_piece(leg, l, span_of(bytes.p, n));
		turns_pass(&l->turns, &turn);
		bytes = span_of(bytes.p + n, bytes.len - n);
		/* Now, and not while others wait for their turn. */
		if (e == Q_OK) {
			outbox_touch(l->session);
			outbox_flush_touched();
		}
	}
	turn_fini(&turn);
	session_unref(l->session);
	return e;
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

/* The reader is too slow: its call is over, if it still is that reader's. */
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

/* Q_TIMEOUT: it does not read. */
static enum qerr
pour(struct session *to, struct span bytes)
{
	int64_t until_ms = 0;
	enum qerr e;

	while ((e = outbox_put(to, OUTBOX_DATA, bytes)) == Q_FULL) {
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
		if (to == NULL || pour(to, m->bytes) == Q_TIMEOUT)
			give_up(l, m);
		session_unref(to);
		break;
	}
}
