/* SPDX-License-Identifier: MIT
 *
 * Reading, and what it costs.  Thousands of sessions are idle at any time, so
 * waiting must cost no buffer; and a lone message should cost one recv(2), so
 * there is no poll(2) before it.  Hence a waiting read goes to a small array on
 * the stack, and what came is copied into s->in, whose memory is given back
 * before the next wait.  When the array was filled to the brim, more is likely
 * there: a second read takes it straight into a large s->in, which is then kept
 * (and tried first, without waiting) for as long as reads keep finding bytes.
 *
 * A peer that sends small messages faster than they are answered one by one is given
 * a moment, so that each read brings several: pace.h says who and how long.
 *
 * Ending.  `ending` and `timed_out` are set before the stream's reading side is
 * shut, and session_fill looks at them before and after each wait, because Linux
 * still delivers bytes that come after shutdown(SHUT_RD).
 */
#include "server/session.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#include "base/clock.h"
#include "crypto/random.h"
#include "server/config.h"
#include "server/metrics.h"
#include "server/protocol.h"
#include "server/server.h"

#define SMALL_READ 1536
#define LARGE_READ 65536
/* Above limits.outbox, for what cannot wait: one message of the largest size and
 * the answers and farewells behind it. */
#define OUTBOX_ABOVE 131072

static _Thread_local const struct session *own; /* whose worker this thread is */

void
session_adopt(struct session *s)
{
	own = s;
}

bool
session_is_worker(const struct session *s)
{
	return own == s;
}

/* ---- life ---- */

struct session *
session_new(struct server *server, struct stream *stream, const struct address *peer)
{
	struct session *s = calloc(1, sizeof(*s));
	size_t soft = (size_t)config_now()->outbox;

	if (s == NULL) {
		stream->ops->free(stream);
		return NULL;
	}
	atomic_init(&s->refs, 1);
	s->server = server;
	s->stream = stream;
	s->peer = *peer;
	address_text(peer, s->peer_text);
	s->since_ms = clock_wall_ms();
	s->in = (struct buf)BUF_INIT(0);
	outbox_init(&s->out, soft, soft + OUTBOX_ABOVE);
	return s;
}

struct session *
session_ref(struct session *s)
{
	atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	return s;
}

void
session_unref(struct session *s)
{
	const struct protocol *p;

	if (s == NULL ||
	    atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
		return;
	p = atomic_load(&s->protocol);
	if (p != NULL)
		p->release(s);
	limits_let_go(s);
	assert(!s->deadline.armed && !s->out.in_flusher && s->source == NULL);
	buf_wipe(&s->in);
	outbox_fini(&s->out);
	s->stream->ops->free(s->stream);
	free(s);
}

/* ---- reading ---- */

struct span
session_input(struct session *s)
{
	return span_of(s->in.p == NULL ? NULL : s->in.p + s->in_used,
		       s->in.len - s->in_used);
}

void
session_consume(struct session *s, size_t n)
{
	assert(n <= s->in.len - s->in_used);
	s->in_used += n;
}

static enum qerr
over(const struct session *s)
{
	if (session_ended(s))
		return Q_CLOSED;
	return atomic_load(&s->timed_out) ? Q_TIMEOUT : Q_OK;
}

static enum qerr
read_stream(struct session *s, void *p, size_t n, enum stream_wait wait, size_t *got)
{
	return s->stream->ops->read(s->stream, p, n, wait, got);
}

/* Read into s->in behind what it holds, up to its capacity; which may be more than what it
 * may hold now, where it was larger before. */
static enum qerr
read_in(struct session *s, enum stream_wait wait)
{
	size_t most = s->in.cap < s->in.max ? s->in.cap : s->in.max, got;
	enum qerr e;

	assert(s->in.len < most);
	e = read_stream(s, s->in.p + s->in.len, most - s->in.len, wait, &got);
	if (e == Q_OK)
		s->in.len += got;
	return e;
}

/* The last read took all that it had room for: take what else is there, in a
 * large buffer.  Nothing there, or an end, is left for the next session_fill to
 * see. */
static void
read_rest(struct session *s)
{
	size_t room = s->in.len < LARGE_READ ? LARGE_READ - s->in.len : LARGE_READ;

	if (room > s->in.max - s->in.len)
		room = s->in.max - s->in.len;
	if (room > 0 && buf_reserve(&s->in, room) == Q_OK)
		(void)read_in(s, STREAM_NOW);
}

/* Read with nothing in s->in.  Not inlined, so that its array is on the stack only
 * while it waits. */
static __attribute__((noinline)) enum qerr
read_small(struct session *s, enum stream_wait wait)
{
	uint8_t small[SMALL_READ];
	size_t got, n = s->in.max < sizeof(small) ? s->in.max : sizeof(small);
	enum qerr e;

	buf_wipe(&s->in);
	if ((e = read_stream(s, small, n, wait, &got)) != Q_OK)
		return e;
	e = buf_put(&s->in, small, got);
	secret_wipe(small, got);
	if (e == Q_OK && got == sizeof(small))
		read_rest(s);
	return e;
}

/* Read more behind the part of a message that is there already. */
static enum qerr
read_more(struct session *s, enum stream_wait wait)
{
	size_t room = s->in.max - s->in.len;
	enum qerr e = buf_reserve(&s->in, room < SMALL_READ ? room : SMALL_READ);

	if (e == Q_OK)
		e = read_in(s, wait);
	if (e == Q_OK && s->in.len == s->in.cap)
		read_rest(s);
	return e;
}

static enum qerr
read_some(struct session *s, enum stream_wait wait)
{
	if (s->in.len > 0)
		return read_more(s, wait);
	/* A large buffer is kept for as long as it is of use. */
	if (wait == STREAM_NOW && s->in.cap > SMALL_READ && s->in.cap <= s->in.max)
		return read_in(s, wait);
	return read_small(s, wait);
}

/* The timer's slack, 50 us of itself, would be as long again. */
static void
nap(int64_t ns)
{
	static _Thread_local bool sharp;
	const struct timespec t = {.tv_nsec = (long)ns};

	if (!sharp)
		(void)prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	sharp = true;
	(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
}

/* Look before waiting, and if the peer streams, give it the time for more. */
static enum qerr
look(struct session *s)
{
	size_t before = s->in.len;
	enum qerr e = read_some(s, STREAM_NOW);
	int64_t ns;

	if (e != Q_OK && e != Q_FULL)
		return e;
	if ((ns = pace_looked(&s->pace, s->in.len - before)) > 0) {
		nap(ns);
		read_rest(s);
	}
	return e;
}

/* Q_OK with more bytes in s->in; Q_SHORT when the worker was woken. */
static enum qerr
fill_once(struct session *s)
{
	enum qerr e = Q_FULL;

	if (pace_looks(&s->pace) || (s->in.len == 0 && s->in.cap > SMALL_READ))
		e = look(s);
	if (e == Q_FULL)
		e = read_some(s, STREAM_WAIT);
	if (e == Q_OK)
		pace_came(&s->pace, clock_mono_ns());
	return e;
}

enum qerr
session_fill(struct session *s, size_t max)
{
	enum qerr e;

	outbox_flush_touched();
	buf_consume(&s->in, s->in_used);
	s->in_used = 0;
	if (s->in.len >= max)
		return Q_LIMIT;
	s->in.max = max;
	if ((e = over(s)) != Q_OK)
		return e;
	/* Looked at first: a peer that keeps the buffer full must not hide it. */
	if (waker_heard(&s->stream->waker))
		return Q_SHORT;
	e = fill_once(s);
	return e != Q_OK && over(s) != Q_OK ? over(s) : e;
}

enum qerr
session_wakeable(struct session *s)
{
	assert(session_is_worker(s));
	return waker_open(&s->stream->waker);
}

void
session_wake(struct session *s)
{
	waker_ring(&s->stream->waker);
}

static void
shut_reading(struct session *s)
{
	atomic_store(&s->deaf, true);
	s->stream->ops->end_reading(s->stream);
}

static void
deadline_passed(void *arg)
{
	struct session *s = arg;

	atomic_store(&s->timed_out, true);
	shut_reading(s);
}

void
session_deadline(struct session *s, int64_t at_ms)
{
	if (at_ms == 0)
		timer_cancel(s->server->timers, &s->deadline);
	else
		timer_set(s->server->timers, &s->deadline, at_ms, deadline_passed, s);
}

/* ---- ending ---- */

bool
session_ended(const struct session *s)
{
	return atomic_load(&s->ending) != GOODBYE_NONE;
}

void
session_end(struct session *s, enum goodbye why, const char *text)
{
	const struct protocol *p;
	int alive = GOODBYE_NONE;

	assert(why != GOODBYE_NONE);
	if (!atomic_compare_exchange_strong(&s->ending, &alive, (int)why))
		return;
	if (why == GOODBYE_SLOW)
		metric_add(METRIC_slow_receivers_total, 1);
	p = atomic_load(&s->protocol);
	if (p != NULL && why != GOODBYE_SELF)
		p->goodbye(s, why, text);
	lock_take(&s->out.lock);
	outbox_close_locked(&s->out);
	lock_drop(&s->out.lock);
	/* The worker itself needs no waking; and with its reading side open it can
	 * wait for the peer to take the farewell (worker.c). */
	if (!session_is_worker(s))
		shut_reading(s);
	outbox_touch(s);
	outbox_flush_touched();
}

void
session_continue(struct session *s, void (*then)(struct session *s))
{
	assert(session_is_worker(s) && s->then == NULL);
	s->then = then; /* worker.c does the rest */
}

void
session_rest(struct session *s, void (*then)(struct session *s))
{
	session_continue(s, then);
	s->rests = true;
	/* The other thread shall not begin a cache of its own with it, nor look for more
	 * of what a login has sent in a row. */
	s->pace = (struct pace){0};
	if (session_input(s).len == 0) {
		buf_wipe(&s->in);
		s->in_used = 0;
	}
}
