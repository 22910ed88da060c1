/* SPDX-License-Identifier: MIT
 *
 * Who writes?  Normally the thread that had something to say, at the end of its
 * batch.  When a socket is full, the flusher (in_flusher is set, and everybody
 * else only appends), until the outbox is empty again.  At the end the session's
 * worker, in outbox_drain.  All of them write under the outbox lock, from the
 * front: so bytes leave in the order in which they came in.
 */
#include "server/outbox.h"

#include <assert.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/clock.h"
#include "server/locks.h"
#include "server/server.h"
#include "server/session.h"

/* The first block is one that malloc keeps in the thread's own cache: taking it
 * and giving it back costs next to nothing, as each lone message does both.  From
 * there it grows by four, so that a batch is not copied often. */
#define FIRST_BLOCK        1000
#define GROW_BY_FOUR_UNTIL 65536

void
outbox_init(struct outbox *o, size_t soft, size_t hard)
{
	assert(soft > 0 && soft <= hard);
	*o = (struct outbox){.data = BUF_INIT(SIZE_MAX / 2),
			     .soft = soft,
			     .hard = hard,
			     .patience_ms = FLUSHER_PATIENCE_MS};
	lock_init(&o->lock);
	lock_cond_init(&o->room);
}

void
outbox_fini(struct outbox *o)
{
	assert(o->waiters == 0);
	buf_free(&o->data);
	pthread_cond_destroy(&o->room);
	lock_fini(&o->lock);
}

size_t
outbox_waiting_locked(struct outbox *o)
{
	LOCK_ASSERT_HELD(&o->lock);
	return o->data.len - o->sent;
}

uint64_t
outbox_acked_locked(struct session *s) REQUIRES(s->out.lock)
{
	uint64_t written = s->out.written;
	int unacked = 0;

	LOCK_ASSERT_HELD(&s->out.lock);
	if (ioctl(s->stream->fd, SIOCOUTQ, &unacked) != 0 || unacked < 0 ||
	    (uint64_t)unacked > written)
		return 0;
	return written - (uint64_t)unacked;
}

/* ---- filling ---- */

static enum qerr
make_room_locked(struct outbox *o, size_t n) REQUIRES(o->lock)
{
	struct buf *b = &o->data;
	size_t more;

	if (n <= b->cap - b->len)
		return Q_OK;
	/* Moving the rest to the front is worth it when it is the smaller part. */
	if (o->sent > b->len / 2) {
		buf_consume(b, o->sent);
		o->sent = 0;
		if (n <= b->cap - b->len)
			return Q_OK;
	}
	more = b->cap == 0 ? FIRST_BLOCK : b->cap;
	if (b->cap > 0 && b->cap < GROW_BY_FOUR_UNTIL)
		more = 3 * b->cap;
	if (more > n && buf_reserve(b, more) == Q_OK)
		return Q_OK;
	return buf_reserve(b, n);
}

static size_t
beyond_soft(const struct outbox *o, size_t waiting)
{
	return waiting > o->soft ? waiting - o->soft : 0;
}

enum qerr
outbox_reserve_locked(struct outbox *o, enum outbox_class class, size_t n, uint8_t **at)
{
	size_t waiting = outbox_waiting_locked(o), most = o->hard + o->beyond;
	enum qerr e;

	if (o->closed)
		return Q_CLOSED;
	if (class == OUTBOX_DATA && waiting >= o->soft)
		return Q_FULL;
	if (class == OUTBOX_CONTROL && (waiting > most || n > most - waiting))
		return Q_LIMIT;
	if ((e = make_room_locked(o, n)) != Q_OK)
		return e;
	if (class == OUTBOX_DATA)
		o->beyond = beyond_soft(o, waiting + n);
	*at = o->data.p + o->data.len;
	return Q_OK;
}

void
outbox_commit_locked(struct outbox *o, size_t n)
{
	LOCK_ASSERT_HELD(&o->lock);
	assert(n <= o->data.cap - o->data.len);
	o->data.len += n;
}

enum qerr
outbox_put(struct session *s, enum outbox_class class, struct span bytes)
{
	struct outbox *o = &s->out;
	uint8_t *at;
	enum qerr e;

	lock_take(&o->lock);
	e = outbox_reserve_locked(o, class, bytes.len, &at);
	if (e == Q_OK && bytes.len > 0) {
		memcpy(at, bytes.p, bytes.len);
		outbox_commit_locked(o, bytes.len);
	}
	lock_drop(&o->lock);
	if (e == Q_OK)
		outbox_touch(s);
	else if (e == Q_LIMIT)
		session_end(s, GOODBYE_SLOW, NULL);
	return e;
}

/* Wake those who wait for room once half of it is free: not after each write,
 * so that a sender that was slowed down goes on with a whole batch. */
static bool
half_free_locked(struct outbox *o) REQUIRES(o->lock)
{
	return outbox_waiting_locked(o) <= o->soft / 2;
}

static void
tell_waiters_locked(struct outbox *o) REQUIRES(o->lock)
{
	if (o->waiters > 0 && (o->closed || half_free_locked(o)))
		pthread_cond_broadcast(&o->room);
}

void
outbox_want_room_locked(struct session *s) REQUIRES(s->out.lock)
{
	LOCK_ASSERT_HELD(&s->out.lock);
	if (half_free_locked(&s->out))
		session_wake(s);
	else
		s->out.wants_room = true;
}

void
outbox_close_locked(struct outbox *o)
{
	LOCK_ASSERT_HELD(&o->lock);
	o->closed = true;
	tell_waiters_locked(o);
}

/* ---- writing ---- */

static void
break_locked(struct outbox *o) REQUIRES(o->lock)
{
	o->broken = o->closed = true;
	buf_free(&o->data);
	o->sent = 0;
}

/* What has gone of a large message makes no room for anything else. */
static void
shrink_locked(struct outbox *o) REQUIRES(o->lock)
{
	size_t left = beyond_soft(o, outbox_waiting_locked(o));

	if (left < o->beyond)
		o->beyond = left;
}

enum qerr
outbox_write_locked(struct outbox *o, struct stream *st)
{
	size_t before = o->sent;
	enum qerr e = Q_OK;

	LOCK_ASSERT_HELD(&o->lock);
	if (o->broken)
		return Q_CLOSED;
	while (o->sent < o->data.len) {
		size_t put;

		e = st->ops->write(st, o->data.p + o->sent, o->data.len - o->sent, &put);
		if (e != Q_OK)
			break;
		o->sent += put;
		o->written += put;
	}
	if (e == Q_OK) {
		buf_free(&o->data);
		o->sent = o->beyond = 0;
	} else if (e == Q_FULL) {
		if (o->sent > before)
			o->progress_ms = clock_mono_ms();
		shrink_locked(o);
	} else {
		break_locked(o);
		if (e != Q_TIMEOUT)
			e = Q_CLOSED;
	}
	tell_waiters_locked(o);
	if (o->wants_room && half_free_locked(o)) {
		o->wants_room = false;
		waker_ring(&st->waker);
	}
	return e;
}

UNCHECKED_LOCK enum qerr /* the analysis does not see through s->out */
outbox_flush_locked(struct session *s)
{
	struct outbox *o = &s->out;
	enum qerr e;

	LOCK_ASSERT_HELD(&o->lock);
	if (o->in_flusher)
		return Q_OK;
	if ((e = outbox_write_locked(o, s->stream)) != Q_FULL)
		return e;
	o->in_flusher = true;
	if (o->sent == 0)
		o->progress_ms = clock_mono_ms();
	flusher_watch(s->server->flusher, s);
	return Q_OK;
}

/* Write from the caller's memory.  Q_FULL: *left was not taken. */
static UNCHECKED_LOCK enum qerr /* as above */
write_through_locked(struct session *s, struct span bytes, struct span *left)
{
	struct outbox *o = &s->out;
	size_t at = 0, put;
	enum qerr e = Q_OK;

	while (at < bytes.len && e == Q_OK) {
		e = s->stream->ops->write(s->stream, bytes.p + at, bytes.len - at, &put);
		if (e == Q_OK) {
			at += put;
			o->written += put;
		}
	}
	if (e != Q_OK && e != Q_FULL) {
		break_locked(o);
		tell_waiters_locked(o);
	}
	*left = span_of(bytes.p + at, bytes.len - at);
	return e == Q_OK || e == Q_FULL || e == Q_TIMEOUT ? e : Q_CLOSED;
}

UNCHECKED_LOCK enum qerr /* as above */
outbox_send_locked(struct session *s, struct span bytes, enum qerr *flushed)
{
	struct outbox *o = &s->out;
	uint8_t *at;
	enum qerr e;

	LOCK_ASSERT_HELD(&o->lock);
	*flushed = Q_OK;
	if (o->closed)
		return Q_CLOSED;
	if (outbox_waiting_locked(o) == 0) {
		*flushed = write_through_locked(s, bytes, &bytes);
		if (*flushed != Q_FULL)
			return Q_OK;
	}
	e = outbox_reserve_locked(o, OUTBOX_DATA, bytes.len, &at);
	if (e == Q_OK) {
		memcpy(at, bytes.p, bytes.len);
		outbox_commit_locked(o, bytes.len);
		*flushed = outbox_flush_locked(s);
	} else if (*flushed == Q_FULL) {
		/* Nobody has the rest of what has begun to go. */
		break_locked(o);
		tell_waiters_locked(o);
		*flushed = Q_CLOSED;
		e = Q_OK;
	}
	return e;
}

void
outbox_flushed(struct session *s, enum qerr e)
{
	if (e == Q_CLOSED || e == Q_TIMEOUT)
		session_end(s, e == Q_TIMEOUT ? GOODBYE_SLOW : GOODBYE_SELF, NULL);
}

void
outbox_flush(struct session *s)
{
	enum qerr e;

	lock_take(&s->out.lock);
	e = outbox_flush_locked(s);
	lock_drop(&s->out.lock);
	outbox_flushed(s, e);
}

/* ---- what this thread has touched ----
 *
 * s->toucher names the thread (by the address of its list) that has s on its
 * list, so that touching s again for each message of a batch costs one load.  It
 * is a hint: when another thread overwrites it, s may get onto a list twice, and
 * is then flushed twice.  It never names a thread whose list s is not on. */

#define TOUCHED_MAX 64

static _Thread_local struct {
	unsigned n;
	struct session *list[TOUCHED_MAX];
} touched;

void
outbox_touch(struct session *s)
{
	if (atomic_load_explicit(&s->toucher, memory_order_relaxed) == &touched)
		return;
	if (touched.n == TOUCHED_MAX)
		outbox_flush_touched();
	atomic_store_explicit(&s->toucher, &touched, memory_order_relaxed);
	touched.list[touched.n++] = session_ref(s);
}

/* Each entry leaves the list before it is flushed: a flush may end a session,
 * which touches and flushes in its turn. */
void
outbox_flush_touched(void)
{
	while (touched.n > 0) {
		struct session *s = touched.list[--touched.n];
		const void *me = &touched;

		atomic_compare_exchange_strong_explicit(
		    &s->toucher, &me, NULL, memory_order_relaxed, memory_order_relaxed);
		outbox_flush(s);
		session_unref(s);
	}
}

/* ---- waiting ---- */

enum qerr
outbox_wait_room(struct session *s, int64_t deadline_ms)
{
	struct outbox *o = &s->out;
	bool in_time = true;
	enum qerr e = Q_OK;

	lock_take(&o->lock);
	if (!o->closed && outbox_waiting_locked(o) >= o->soft) {
		o->waiters++;
		do
			in_time = lock_wait(&o->lock, &o->room, deadline_ms);
		while (in_time && !o->closed && outbox_waiting_locked(o) > o->soft / 2);
		o->waiters--;
	}
	if (o->closed)
		e = Q_CLOSED;
	else if (outbox_waiting_locked(o) >= o->soft)
		e = Q_TIMEOUT;
	lock_drop(&o->lock);
	return e;
}

/* Another thread may be ending s right now: its farewell is in once the outbox is
 * closed. */
static void
wait_closed(struct outbox *o, int64_t deadline_ms)
{
	bool in_time = true;

	lock_take(&o->lock);
	o->waiters++;
	while (in_time && !o->closed)
		in_time = lock_wait(&o->lock, &o->room, deadline_ms);
	o->waiters--;
	lock_drop(&o->lock);
}

enum qerr
outbox_drain(struct session *s, int64_t deadline_ms)
{
	struct outbox *o = &s->out;
	enum qerr e;

	assert(deadline_ms != 0 && session_ended(s));
	wait_closed(o, deadline_ms);
	for (;;) {
		struct pollfd p = {.fd = s->stream->fd, .events = POLLOUT};
		int left = clock_left_ms(deadline_ms);
		bool abandoned;

		lock_take(&o->lock);
		e = outbox_write_locked(o, s->stream);
		if (e == Q_FULL && left == 0) {
			break_locked(o);
			e = Q_TIMEOUT;
		}
		abandoned = o->broken && o->in_flusher;
		lock_drop(&o->lock);
		if (abandoned)
			flusher_poke(s->server->flusher);
		if (e != Q_FULL)
			return e;
		(void)poll(&p, 1, left);
	}
}
