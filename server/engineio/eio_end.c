/* SPDX-License-Identifier: MIT
 *
 * The end of a session.  The phase changes once, under the lock, and whoever changes it
 * says so to the connection at hand.  `closed` is called in a turn: by the one who has
 * the turn when there is one, else by the server's thread, so that it is always behind
 * the last message, and nobody who merely sends, nor the timer's thread, waits for it.
 */
#include <assert.h>

#include <bsd/string.h>

#include "server/engineio/eio_priv.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/server.h"

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

static void
drop_queue_locked(struct eio *e) REQUIRES(e->lock)
{
	eio_queue_free(&e->queue);
	e->weight = 0;
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
eio_break(struct eio *e, const char *reason)
{
	struct session *s = e->seat;

	metric_add(METRIC_protocol_errors_total, 1);
	log_limited(LOG_INFO, &s->peer, s, "protocol-error", "reason=%s", reason);
	eio_end(e, EIO_BROKEN, WS_CODE_PROTOCOL, reason);
}

void
eio_fail(struct eio *e, const char *reason)
{
	eio_rest(e); /* what came before it was right */
	eio_break(e, reason);
}
