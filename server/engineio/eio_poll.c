/* SPDX-License-Identifier: MIT
 *
 * GET and POST.  A GET that finds nothing waits for as long as a ping interval, holding
 * its worker.  Its answer is given by one thread: who sets `claimed`.  That is mostly its
 * own worker; whoever ends the session answers it by himself, so that the answer is in
 * the outbox before a stop closes that.
 *
 * Two requests that a client sends one after the other on two connections may come to us
 * in any order; where that would matter (a close behind a poll, a poll behind the end of
 * an upgrade) the one that should be second waits for GRACE_MS.
 */
#include <assert.h>

#include "base/clock.h"
#include "base/text.h"
#include "server/engineio/eio_priv.h"

#define GRACE_MS 100
#define NEXT_MS  1000 /* for the next poll of a client that goes on polling */
#define END_MS   1000 /* for somebody else's answer to be in the outbox */
#define LOOK_MS  10   /* how often it is looked at meanwhile */

/* ---- answering ---- */

/* The answer was given; the poll's worker may go on, and flushes it. */
static void
answered(struct eio_poll *p)
{
	lock_take(&p->e->lock);
	p->answered = true;
	pthread_cond_broadcast(&p->e->changed);
	lock_drop(&p->e->lock);
}

void
eio_poll_answer_type(struct eio_poll *p, enum eio_type type)
{
	const uint8_t packet[] = {(uint8_t)type};
	struct session *s = session_ref(http_session(p->h));

	(void)eio_reply(p->h, span_of(packet, sizeof(packet)));
	answered(p);
	outbox_touch(s);
	session_unref(s);
}

void
eio_poll_answer(struct eio_poll *p, struct eio_queue *q)
{
	struct buf body = BUF_INIT(SIZE_MAX / 2);
	struct session *s = session_ref(http_session(p->h));
	struct eio *e = p->e;
	struct eio_waiting *w;
	size_t n = 0;
	enum qerr err;

	STAILQ_FOREACH (w, q, link)
		n += bundle_body_len(w->bundle) + 1;
	err = buf_reserve(&body, n);
	STAILQ_FOREACH (w, q, link)
		if (err == Q_OK)
			err = bundle_body_put(w->bundle, &body, body.len == 0);
	eio_queue_free(q);
	if (err == Q_OK)
		err = eio_reply(p->h, buf_span(&body));
	else
		http_error(p->h, 503, NULL);
	buf_free(&body);
	answered(p);
	outbox_touch(s);
	session_unref(s);
	/* Something is missing from the middle. */
	if (err != Q_OK)
		eio_end(e, EIO_BY_PEER, WS_CODE_GOING_AWAY, NULL);
}

/* ---- GET ---- */

/* Does its worker wait for the client to take more of the answer, or is it the one that
 * asks?  Then waiting for the answer would only keep others from being told that it is
 * over. */
static bool
answers_slowly(struct session *s)
{
	bool waits;

	lock_take(&s->out.lock);
	waits = s->out.waiters > 0;
	lock_drop(&s->out.lock);
	return waits || session_is_worker(s);
}

/* The poll's connection is being ended, mostly by another thread, and nothing will go out
 * on it any more. */
static void
connection_ends(struct http *h, void *arg)
{
	int64_t until_ms = clock_mono_ms() + END_MS, now;
	struct session *s = http_session(h);
	struct eio_poll *p = arg;
	struct eio *e = p->e;

	eio_end(e, EIO_BY_US, WS_CODE_GOING_AWAY, NULL);
	lock_take(&e->lock);
	while (!p->answered && (now = clock_mono_ms()) < until_ms && !answers_slowly(s))
		(void)lock_wait(&e->lock, &e->changed, now + LOOK_MS);
	lock_drop(&e->lock);
}

/* Make it the session's poll.  False: refused, and answered. */
static bool
enter(struct eio_poll *p)
{
	struct eio *e = p->e;
	bool upgraded, twice;

	lock_take(&e->lock);
	upgraded = e->way == EIO_WEBSOCKET;
	if (upgraded || e->phase == EIO_OVER) {
		lock_drop(&e->lock);
		eio_refuse(p->h, upgraded ? EIO_BAD_REQUEST : EIO_UNKNOWN_SID);
		return false;
	}
	twice = e->poll != NULL;
	if (!twice) {
		e->poll = p;
		p->stays_ms = e->ws == NULL ? 0 : clock_mono_ms() + GRACE_MS;
		pthread_cond_broadcast(&e->changed);
	}
	lock_drop(&e->lock);
	if (twice) {
		eio_break(e, "two polls at once");
		eio_refuse(p->h, EIO_BAD_REQUEST);
	}
	return !twice;
}

/* Until when is there nothing to say?  0: there is something. */
static int64_t
wait_until_locked(struct eio *e, const struct eio_poll *p, int64_t now, int64_t until_ms)
    REQUIRES(e->lock)
{
	int64_t at = until_ms;

	if (e->phase != EIO_ALIVE || e->way == EIO_WEBSOCKET || !STAILQ_EMPTY(&e->queue))
		return 0;
	if (e->noop_at_ms != 0)
		at = e->noop_at_ms > p->stays_ms ? e->noop_at_ms : p->stays_ms;
	if (at > until_ms)
		at = until_ms;
	return now >= at ? 0 : at;
}

/* What is there to say, when it is time? */
static void
say(struct eio_poll *p)
{
	struct eio *e = p->e;
	bool upgraded, over = false;
	struct eio_queue q;

	STAILQ_INIT(&q);
	lock_take(&e->lock);
	if (e->poll == p)
		e->poll = NULL;
	if (p->claimed) {
		while (!p->answered)
			(void)lock_wait(&e->lock, &e->changed, 0);
		lock_drop(&e->lock);
		return;
	}
	p->claimed = true;
	upgraded = e->way == EIO_WEBSOCKET;
	if (!upgraded)
		over = eio_take_locked(e, &q);
	e->answering = !STAILQ_EMPTY(&q);
	if (p->asks)
		eio_asked_locked(e);
	lock_drop(&e->lock);
	if (over)
		eio_left(e);
	if (!STAILQ_EMPTY(&q)) {
		eio_poll_answer(p, &q);
		lock_take(&e->lock);
		e->answering = false;
		lock_drop(&e->lock);
	} else if (upgraded && p->stays_ms != 0) {
		eio_refuse(p->h, EIO_BAD_REQUEST);
		answered(p);
	} else {
		eio_poll_answer_type(p, EIO_NOOP);
	}
}

void
eio_poll(struct eio *e, struct http *h)
{
	int64_t now = clock_mono_ms(), until_ms = now + e->options.ping_interval_ms, ms;
	struct eio_poll p = {.e = e, .h = h};

	if (!enter(&p))
		return;
	outbox_flush_touched();
	http_on_end(h, connection_ends, &p);
	lock_take(&e->lock);
	while (!p.claimed && !session_ended(http_session(h)) &&
	       (ms = wait_until_locked(e, &p, clock_mono_ms(), until_ms)) != 0)
		(void)lock_wait(&e->lock, &e->changed, ms);
	lock_drop(&e->lock);
	eio_beat(e); /* the timer may come in this very millisecond */
	say(&p);
	http_on_end(h, NULL, NULL);
}

/* ---- POST ---- */

/* A client that closes has a poll waiting, which it sent before: let it come. */
static void
await_poll(struct eio *e)
{
	int64_t until_ms = clock_mono_ms() + GRACE_MS;
	bool in_time = true;

	lock_take(&e->lock);
	while (e->poll == NULL && e->phase == EIO_ALIVE && e->way == EIO_POLLING &&
	       in_time)
		in_time = lock_wait(&e->lock, &e->changed, until_ms);
	lock_drop(&e->lock);
}

/* In a turn, which is left meanwhile: let the client take some of what waits for it, before
 * the rest of its body is looked at.  Q_CLOSED; Q_TIMEOUT: it does not poll, as some do not
 * before they have their answer. */
static enum qerr
catch_up(struct eio *e)
{
	int64_t until_ms = clock_mono_ms() + NEXT_MS;
	bool in_time = true;

	eio_turn_give(e);
	outbox_flush_touched();
	lock_take(&e->lock);
	e->catching_up = true;
	while (e->way != EIO_WEBSOCKET && eio_is_behind_locked(e) && in_time) {
		if (e->answering)
			until_ms = clock_mono_ms() + NEXT_MS;
		in_time = lock_wait(&e->lock, &e->changed, until_ms) || e->answering;
	}
	e->catching_up = false;
	lock_drop(&e->lock);
	if (!eio_turn_take(e))
		return Q_CLOSED;
	return in_time ? Q_OK : Q_TIMEOUT;
}

/* In a turn. */
static enum qerr
take_packets(struct eio *e, struct span s)
{
	/* The body is the request's own memory (parse.h), and ours to change. */
	struct eio_body body = eio_body_of((void *)(uintptr_t)s.p, s.len);
	struct eio_packet packet;
	bool polls = true;
	enum qerr err;

	while ((err = eio_body_next(&body, &packet)) == Q_OK) {
		if (polls && eio_is_behind(e)) {
			if ((err = catch_up(e)) == Q_CLOSED)
				break;
			polls = err == Q_OK;
		}
		if (packet.type == EIO_CLOSE)
			await_poll(e);
		if ((err = eio_receive(e, &packet)) != Q_OK)
			break;
	}
	if (err == Q_MISSING)
		return Q_OK;
	if (err == Q_FORMAT)
		eio_fail(e, "packet");
	return err;
}

/* One at a time.  False: it is the second. */
static bool
begin_post(struct eio *e, bool *upgraded)
{
	bool first;

	lock_take(&e->lock);
	*upgraded = e->way == EIO_WEBSOCKET;
	if ((first = !e->posting && !*upgraded))
		e->posting = true;
	lock_drop(&e->lock);
	return first;
}

void
eio_post(struct eio *e, struct http *h, const struct http_request *r)
{
	enum qerr err = Q_CLOSED;
	bool upgraded;

	if (!begin_post(e, &upgraded)) {
		if (!upgraded)
			eio_break(e, "two posts at once");
		eio_refuse(h, EIO_BAD_REQUEST);
		return;
	}
	if (eio_turn_take(e)) {
		if (utf8_valid(r->body)) {
			err = take_packets(e, r->body);
		} else {
			err = Q_FORMAT;
			eio_fail(e, "not UTF-8");
		}
	}
	eio_turn_give(e);
	lock_take(&e->lock);
	e->posting = false;
	lock_drop(&e->lock);
	if (err == Q_FORMAT)
		eio_refuse(h, EIO_BAD_REQUEST);
	else
		(void)eio_reply(h, span_str("ok"));
}
