/* SPDX-License-Identifier: MIT
 *
 * DESIGN.  A session is a queue of bundles and a clock.  Whoever sends puts a bundle at
 * the end and, when the session is on a WebSocket, moves what fits into that
 * connection's outbox; what does not fit stays here, as references, and the connection's
 * worker is woken when there is room.  A poll takes from the front.  So an image to a
 * thousand members is one copy until it is on its way into a socket, and then one piece
 * of 64 KiB each.
 *
 * Handlers are called in turns; eio_end.c says how the last one comes to its own.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "server/engineio/eio_priv.h"
#include "server/server.h"

/* The share of max_backlog above which a client is to take something before it is heard
 * again: the longest answer, and what others say meanwhile, find room behind it. */
#define BEHIND 4

/* ---- the seat's stream: none ---- */

static enum qerr
no_read(struct stream *st, void *p, size_t n, enum stream_wait wait, size_t *got)
{
	(void)st, (void)p, (void)n, (void)wait, (void)got;
	return Q_CLOSED;
}

static enum qerr
no_write(struct stream *st, const void *p, size_t n, size_t *put)
{
	(void)st, (void)p, (void)n, (void)put;
	return Q_CLOSED;
}

static void
no_end(struct stream *st)
{
	(void)st;
}

static void
no_free(struct stream *st)
{
	free(st);
}

/* Named after the connection that the session began on. */
static const struct stream_ops no_ops[] = {
    {"plain", false, no_read, no_write, no_end, no_end, no_free},
    {"tls", true, no_read, no_write, no_end, no_end, no_free},
};

static struct stream *
no_stream(const struct stream *like)
{
	struct stream *st = calloc(1, sizeof(*st));

	if (st == NULL)
		return NULL;
	st->ops = &no_ops[like->ops->sealed ? 1 : 0];
	st->fd = -1;
	return st;
}

/* ---- life ---- */

enum qerr
eio_make(struct eio_server *server, struct session *http, struct eio **out)
{
	struct stream *st = no_stream(http->stream);
	struct eio *e = calloc(1, sizeof(*e));

	if (st == NULL || e == NULL) {
		free(st);
		free(e);
		return Q_NOMEM;
	}
	if ((e->seat = session_new(server->core, st, &http->peer)) == NULL) {
		free(e);
		return Q_NOMEM;
	}
	e->seat->state = e;
	atomic_store(&e->seat->protocol, server->handler->row);
	e->server = server;
	lock_init(&e->lock);
	lock_cond_init(&e->changed);
	STAILQ_INIT(&e->queue);
	e->pong_ms = clock_mono_ms();
	lock_take(&server->lock);
	e->options = server->options;
	lock_drop(&server->lock);
	atomic_init(&e->max_message, e->options.max_message);
	*out = e;
	return Q_OK;
}

void
eio_release(struct session *seat)
{
	struct eio *e = seat->state;

	assert(!e->timer.armed && e->ws == NULL && e->poll == NULL);
	if (e->state != NULL)
		e->server->handler->free(e->state);
	eio_queue_free(&e->queue);
	pthread_cond_destroy(&e->changed);
	lock_fini(&e->lock);
	free(e);
}

struct session *
eio_seat(struct eio *e)
{
	return e->seat;
}

struct eio *
eio_of(struct session *seat)
{
	return seat->state;
}

void
eio_set_state(struct eio *e, void *state)
{
	e->state = state;
}

void *
eio_state(struct eio *e)
{
	return e->state;
}

void *
eio_arg(struct eio *e)
{
	return e->server->handler->arg;
}

struct eio *
eio_ref(struct eio *e)
{
	(void)session_ref(e->seat);
	return e;
}

void
eio_unref(struct eio *e)
{
	session_unref(e->seat);
}

/* ---- the queue ---- */

void
eio_queue_free(struct eio_queue *q)
{
	struct eio_waiting *w;

	while ((w = STAILQ_FIRST(q)) != NULL) {
		STAILQ_REMOVE_HEAD(q, link);
		bundle_unref(w->bundle);
		free(w);
	}
}

enum qerr
eio_put_locked(struct eio *e, struct bundle *b)
{
	struct eio_waiting *w = malloc(sizeof(*w));

	LOCK_ASSERT_HELD(&e->lock);
	if (w == NULL)
		return Q_NOMEM;
	w->bundle = bundle_ref(b);
	STAILQ_INSERT_TAIL(&e->queue, w, link);
	e->weight += bundle_weight(b);
	if (e->poll != NULL)
		pthread_cond_broadcast(&e->changed);
	return Q_OK;
}

bool
eio_take_locked(struct eio *e, struct eio_queue *out)
{
	size_t room = e->options.max_payload, n;
	struct eio_waiting *w;

	LOCK_ASSERT_HELD(&e->lock);
	assert(e->part == 0 && e->part_done == 0);
	STAILQ_INIT(out);
	while ((w = STAILQ_FIRST(&e->queue)) != NULL) {
		n = bundle_body_len(w->bundle) + 1;
		/* A close goes alone: clients look at it before the events beside it. */
		if (!STAILQ_EMPTY(out) && (n > room || w->bundle == e->server->close))
			break;
		room -= n < room ? n : room;
		STAILQ_REMOVE_HEAD(&e->queue, link);
		e->weight -= bundle_weight(w->bundle);
		STAILQ_INSERT_TAIL(out, w, link);
	}
	if (e->catching_up)
		pthread_cond_broadcast(&e->changed);
	if (e->phase != EIO_LEAVING || !STAILQ_EMPTY(&e->queue))
		return false;
	e->phase = EIO_OVER;
	return true;
}

/* Into the WebSocket's outbox with what fits.  Whether any did. */
static bool
pump_locked(struct eio *e) REQUIRES(e->lock)
{
	return e->way == EIO_WEBSOCKET && e->ws != NULL && eio_pump_locked(e);
}

/* went: some is in the WebSocket's outbox since the lock was taken. */
static void
unlock(struct eio *e, bool went) RELEASES(e->lock)
{
	struct session *ws = NULL;

	if (pump_locked(e) || went)
		ws = session_ref(e->ws);
	lock_drop(&e->lock);
	if (ws == NULL)
		return;
	outbox_touch(ws);
	session_unref(ws);
}

void
eio_unlock(struct eio *e)
{
	unlock(e, false);
}

/* Would b be too much?  A single one never is, whatever its size. */
static bool
overflows_locked(struct eio *e, const struct bundle *b) REQUIRES(e->lock)
{
	size_t n = bundle_weight(b), max = e->options.max_backlog;

	return e->weight > 0 && (e->weight > max || n > max - e->weight);
}

enum qerr
eio_send_all(struct eio *e, struct bundle *const *b, size_t n)
{
	enum qerr err = Q_CLOSED;
	bool went = false;

	lock_take(&e->lock);
	if (e->phase == EIO_ALIVE) {
		err = Q_OK;
		for (size_t i = 0; i < n && err == Q_OK; i++) {
			/* What can go does not wait. */
			if (overflows_locked(e, b[i]))
				went = pump_locked(e) || went;
			err =
			    overflows_locked(e, b[i]) ? Q_FULL : eio_put_locked(e, b[i]);
		}
		/* What is missing from its middle a client could not know of. */
		if (err != Q_OK)
			eio_end_later(e, true);
	}
	unlock(e, went);
	return err;
}

enum qerr
eio_send(struct eio *e, struct bundle *b)
{
	return eio_send_all(e, &b, 1);
}

void
eio_raise(struct eio *e, size_t max_message)
{
	atomic_store(&e->max_message, max_message);
	atomic_store(&e->raised, true);
	atomic_store(&e->settle, true);
}

/* ---- turns ---- */

bool
eio_turn_take(struct eio *e)
{
	bool alive;

	lock_take(&e->lock);
	while (e->turn)
		(void)lock_wait(&e->lock, &e->changed, 0);
	e->turn = true;
	alive = e->phase == EIO_ALIVE;
	lock_drop(&e->lock);
	return alive;
}

/* The last handler, and the end of its seat. */
static void
tell_closed(struct eio *e)
{
	struct sessions *t = e->server->core->sessions;

	e->server->handler->closed(e);
	session_end(e->seat, GOODBYE_SELF, NULL);
	sessions_logout(t, e->seat);
	sessions_remove(t, e->seat);
}

void
eio_rest(struct eio *e)
{
	if (!e->owes_rest)
		return;
	e->owes_rest = false;
	if (e->server->handler->rest != NULL)
		e->server->handler->rest(e);
}

void
eio_turn_give(struct eio *e)
{
	bool tell;

	eio_rest(e);
	lock_take(&e->lock);
	if ((tell = e->phase != EIO_ALIVE && !e->told))
		e->told = true;
	lock_drop(&e->lock);
	if (tell)
		tell_closed(e);
	lock_take(&e->lock);
	e->turn = false;
	/* It was ended between the two. */
	if (e->phase != EIO_ALIVE && !e->told)
		eio_end_later(e, false);
	pthread_cond_broadcast(&e->changed);
	lock_drop(&e->lock);
}

bool
eio_is_behind_locked(struct eio *e)
{
	LOCK_ASSERT_HELD(&e->lock);
	return e->phase == EIO_ALIVE && !e->starved &&
	       e->weight > e->options.max_backlog / BEHIND;
}

bool
eio_is_behind(struct eio *e)
{
	bool behind;

	lock_take(&e->lock);
	behind = eio_is_behind_locked(e);
	lock_drop(&e->lock);
	return behind;
}

enum qerr
eio_receive(struct eio *e, const struct eio_packet *packet)
{
	switch (packet->type) {
	case EIO_MESSAGE:
		e->owes_rest = true;
		e->server->handler->message(e, packet);
		break;
	case EIO_PONG: eio_pong(e); break;
	case EIO_CLOSE:
		eio_rest(e);
		eio_end(e, EIO_BY_PEER, WS_CODE_NORMAL, NULL);
		break;
	case EIO_OPEN:
	case EIO_PING: return Q_FORMAT; /* the server's */
	case EIO_UPGRADE:
	case EIO_NOOP: break;
	}
	return eio_closed(e) ? Q_CLOSED : Q_OK;
}
