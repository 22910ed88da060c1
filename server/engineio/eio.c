/* SPDX-License-Identifier: MIT
 *
 * DESIGN.  A session is a queue of bundles and a clock.  Whoever sends puts a bundle at
 * the end and, when the session is on a WebSocket, moves what fits into that
 * connection's outbox; what does not fit stays here, as references, and the connection's
 * worker is woken when there is room.  A poll takes from the front.  So an image to a
 * thousand members is one copy until it is on its way into a socket, and then one piece
 * of 64 KiB each.
 *
 * Ends.  The phase changes once, under the lock, and whoever changes it says so to the
 * connection at hand.  `closed` is called in a turn: by the one who has the turn when
 * there is one, else by the server's thread, so that it is always behind the last
 * message and nobody who merely sends, or the timer's thread, has to wait for it.
 *
 * Time is looked at by the timer and, since a timer may come late, at each look-up.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "base/clock.h"
#include "server/config.h"
#include "server/engineio/eio_priv.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/server.h"

#define LOOK_AGAIN_MS 50 /* at a session that is overdue but busy */

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

static void
drop_queue_locked(struct eio *e) REQUIRES(e->lock)
{
	eio_queue_free(&e->queue);
	e->weight = 0;
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
		if (n > room && !STAILQ_EMPTY(out))
			break;
		room -= n < room ? n : room;
		STAILQ_REMOVE_HEAD(&e->queue, link);
		e->weight -= bundle_weight(w->bundle);
		STAILQ_INSERT_TAIL(out, w, link);
	}
	if (e->phase != EIO_LEAVING || !STAILQ_EMPTY(&e->queue))
		return false;
	e->phase = EIO_OVER;
	return true;
}

void
eio_unlock(struct eio *e)
{
	struct session *ws = NULL;

	if (e->way == EIO_WEBSOCKET && e->ws != NULL && eio_pump_locked(e))
		ws = session_ref(e->ws);
	lock_drop(&e->lock);
	if (ws == NULL)
		return;
	outbox_touch(ws);
	session_unref(ws);
}

/* Would b be too much?  A single one never is, whatever its size. */
static bool
overflows_locked(struct eio *e, const struct bundle *b) REQUIRES(e->lock)
{
	size_t n = bundle_weight(b), max = e->options.max_backlog;

	return e->weight > 0 && (e->weight > max || n > max - e->weight);
}

enum qerr
eio_send(struct eio *e, struct bundle *b)
{
	enum qerr err = Q_CLOSED;

	lock_take(&e->lock);
	if (e->phase == EIO_ALIVE) {
		err = overflows_locked(e, b) ? Q_FULL : eio_put_locked(e, b);
		/* What is missing from its middle a client could not know of. */
		if (err != Q_OK)
			eio_end_later(e, true);
	}
	eio_unlock(e);
	return err;
}

void
eio_raise(struct eio *e, size_t max_message)
{
	atomic_store(&e->max_message, max_message);
	atomic_store(&e->raised, true);
}

/* ---- time ---- */

static int64_t
ping_at(const struct eio *e)
{
	return e->pong_ms + e->options.ping_interval_ms;
}

static int64_t
dies_at(const struct eio *e)
{
	return ping_at(e) + e->options.ping_timeout_ms;
}

/* Its pong may stand behind a large upload, or behind a message that is being handled. */
static bool
busy_locked(struct eio *e, int64_t now) REQUIRES(e->lock)
{
	if (e->turn)
		return true;
	if (!atomic_load(&e->raised))
		return false;
	return e->uploads > 0 ||
	       (e->wire != NULL &&
		now - atomic_load(&e->wire->heard_ms) < e->options.ping_timeout_ms);
}

static bool
expired_locked(struct eio *e, int64_t now) REQUIRES(e->lock)
{
	return now >= dies_at(e) && (e->phase != EIO_ALIVE || !busy_locked(e, now));
}

static void tick(void *arg);

static void
arm_locked(struct eio *e, int64_t now) REQUIRES(e->lock)
{
	int64_t at = e->pinged || e->phase != EIO_ALIVE ? dies_at(e) : ping_at(e);

	if (e->phase == EIO_OVER || !e->running)
		return;
	if (e->deadline_ms != 0 && e->deadline_ms < at)
		at = e->deadline_ms;
	if (at <= now)
		at = now + LOOK_AGAIN_MS;
	timer_set(e->server->core->timers, &e->timer, at, tick, e);
}

static void
time_out(struct eio *e)
{
	bool leaving;

	lock_take(&e->lock);
	if ((leaving = e->phase == EIO_LEAVING))
		e->phase = EIO_OVER;
	lock_drop(&e->lock);
	if (leaving)
		eio_left(e);
	else
		eio_end(e, EIO_BROKEN, WS_CODE_GOING_AWAY, "ping timeout");
}

bool
eio_expire(struct eio *e)
{
	bool expired;

	lock_take(&e->lock);
	expired = e->phase == EIO_OVER || expired_locked(e, clock_mono_ms());
	lock_drop(&e->lock);
	if (expired)
		time_out(e);
	return expired;
}

/* A ping that is due. */
static void
beat_locked(struct eio *e, int64_t now) REQUIRES(e->lock)
{
	if (e->phase == EIO_ALIVE && !e->pinged && now >= ping_at(e))
		e->pinged = eio_put_locked(e, e->server->ping) == Q_OK;
}

void
eio_beat(struct eio *e)
{
	int64_t now = clock_mono_ms();

	lock_take(&e->lock);
	beat_locked(e, now);
	arm_locked(e, now);
	eio_unlock(e);
}

/* Is the user's deadline over?  Once. */
static bool
is_late(struct eio *e)
{
	bool late;

	lock_take(&e->lock);
	late = e->phase == EIO_ALIVE && e->deadline_ms != 0 &&
	       clock_mono_ms() >= e->deadline_ms;
	if (late)
		e->deadline_ms = 0;
	lock_drop(&e->lock);
	return late;
}

/* The timer's thread.  Until here eio_left waits for it, no longer. */
static void
tick(void *arg)
{
	struct eio *e = eio_ref(arg);

	if (!eio_expire(e)) {
		if (is_late(e))
			eio_close(e, WS_CODE_NORMAL, "too late");
		eio_beat(e);
	}
	outbox_flush_touched();
	eio_unref(e);
}

void
eio_run(struct eio *e)
{
	lock_take(&e->lock);
	e->running = true;
	arm_locked(e, clock_mono_ms());
	lock_drop(&e->lock);
}

void
eio_pong(struct eio *e)
{
	int64_t now = clock_mono_ms();

	lock_take(&e->lock);
	e->pinged = false;
	e->pong_ms = now;
	arm_locked(e, now);
	lock_drop(&e->lock);
}

void
eio_deadline(struct eio *e, int64_t at_ms)
{
	lock_take(&e->lock);
	e->deadline_ms = at_ms;
	if (at_ms != 0)
		arm_locked(e, clock_mono_ms());
	lock_drop(&e->lock);
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
eio_turn_give(struct eio *e)
{
	bool tell;

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

enum qerr
eio_receive(struct eio *e, const struct eio_packet *packet)
{
	switch (packet->type) {
	case EIO_MESSAGE: e->server->handler->message(e, packet); break;
	case EIO_PONG: eio_pong(e); break;
	case EIO_CLOSE: eio_end(e, EIO_BY_PEER, WS_CODE_NORMAL, NULL); break;
	case EIO_OPEN:
	case EIO_PING: return Q_FORMAT; /* the server's */
	case EIO_UPGRADE:
	case EIO_NOOP: break;
	}
	return eio_closed(e) ? Q_CLOSED : Q_OK;
}

/* ---- the end ---- */

bool
eio_closed(struct eio *e)
{
	bool closed;

	lock_take(&e->lock);
	closed = e->phase != EIO_ALIVE;
	lock_drop(&e->lock);
	return closed;
}

void
eio_left(struct eio *e)
{
	struct session *ws = NULL;

	timer_cancel(e->server->core->timers, &e->timer);
	eio_forget(e);
	lock_take(&e->lock);
	if (e->ws != NULL)
		ws = session_ref(e->ws);
	lock_drop(&e->lock);
	if (ws != NULL)
		ws_end(ws, e->end_code, e->end_reason);
	session_unref(ws);
}

/* What is said to a poll that waits, or to none. */
struct farewell {
	struct eio_poll *poll; /* claimed */
	struct eio_queue queue;
	bool over;
};

/* A poll's answer that is larger has to be given by its own worker (http_on_end). */
#define SMALL_ANSWER 32768

static void
leave_polling_locked(struct eio *e, enum eio_how how, struct farewell *f)
    REQUIRES(e->lock)
{
	size_t most = SMALL_ANSWER / 2;

	e->phase = how == EIO_BY_US ? EIO_LEAVING : EIO_OVER;
	if (how == EIO_BY_US && eio_put_locked(e, e->server->close) != Q_OK)
		e->phase = EIO_OVER;
	/* A weight is of text, so blobs have to be asked for. */
	for (struct eio_waiting *w = STAILQ_FIRST(&e->queue); w != NULL;
	     w = STAILQ_NEXT(w, link))
		most += bundle_body_len(w->bundle);
	if (e->poll == NULL || e->poll->claimed || most > SMALL_ANSWER)
		return;
	f->poll = e->poll;
	f->poll->claimed = true;
	e->poll = NULL;
	if (how == EIO_BY_US)
		(void)eio_take_locked(e, &f->queue);
}

/* Said to a WebSocket, now or when a client that is moving over has arrived: one that is
 * closed on its way would wait for nothing. */
static void
note_end_locked(struct eio *e, enum ws_code code, const char *reason) REQUIRES(e->lock)
{
	LOCK_ASSERT_HELD(&e->lock);
	e->end_code = code;
	if (reason != NULL)
		strlcpy(e->end_reason, reason, sizeof(e->end_reason));
}

void
eio_end(struct eio *e, enum eio_how how, enum ws_code code, const char *reason)
{
	struct farewell f = {.poll = NULL};

	STAILQ_INIT(&f.queue);
	lock_take(&e->lock);
	if (e->phase != EIO_ALIVE) {
		lock_drop(&e->lock);
		return;
	}
	note_end_locked(e, code, reason);
	if (how != EIO_BY_US || atomic_load(&e->seat->ending) == GOODBYE_SLOW)
		drop_queue_locked(e);
	if (e->way == EIO_WEBSOCKET) {
		if (e->ws != NULL && how == EIO_BY_US)
			(void)eio_pump_locked(e);
		e->phase = EIO_OVER;
	} else {
		leave_polling_locked(e, how, &f);
	}
	f.over = e->phase == EIO_OVER;
	if (!e->turn)
		eio_end_later(e, false);
	pthread_cond_broadcast(&e->changed);
	lock_drop(&e->lock);

	if (f.poll != NULL && how == EIO_BY_US)
		eio_poll_answer(f.poll, &f.queue);
	else if (f.poll != NULL)
		eio_poll_answer_type(f.poll, how == EIO_BROKEN ? EIO_CLOSE : EIO_NOOP);
	if (f.over)
		eio_left(e);
}

void
eio_close(struct eio *e, enum ws_code code, const char *reason)
{
	eio_end(e, EIO_BY_US, code, reason);
}

void
eio_fail(struct eio *e, const char *reason)
{
	struct session *s = e->seat;

	metric_add(METRIC_protocol_errors_total, 1);
	log_limited(LOG_INFO, &s->peer, s, "protocol-error", "reason=%s", reason);
	eio_end(e, EIO_BROKEN, WS_CODE_PROTOCOL, reason);
}
