/* SPDX-License-Identifier: MIT
 *
 * Time: pings, and the end of those that are not heard of.  It is looked at by the timer
 * and, since a timer may come late, at each look-up of a session.  Late by seconds, when
 * this process stood still: then a client that hears us was not asked yet, and is not the
 * one to pay for it.
 */
#include <assert.h>

#include "base/clock.h"
#include "server/engineio/eio_priv.h"
#include "server/server.h"

#define LOOK_AGAIN_MS 50 /* at a session that is overdue but busy */

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

/* Its pong may stand behind a large upload, or behind a message that is being handled or
 * is left unread. */
static bool
busy_locked(struct eio *e, int64_t now) REQUIRES(e->lock)
{
	if (e->turn || e->catching_up)
		return true;
	if (!atomic_load(&e->raised))
		return false;
	return e->uploads > 0 ||
	       (e->wire != NULL &&
		now - atomic_load(&e->wire->heard_ms) < e->options.ping_timeout_ms);
}

/* A client that hears us, and did not get the ping that was due. */
static bool
unasked_locked(struct eio *e) REQUIRES(e->lock)
{
	if (e->poll != NULL)
		return !e->pinged || e->poll->asks;
	return e->way == EIO_WEBSOCKET && !e->pinged;
}

static bool
expired_locked(struct eio *e, int64_t now) REQUIRES(e->lock)
{
	if (now < dies_at(e))
		return false;
	return e->phase != EIO_ALIVE || (!busy_locked(e, now) && !unasked_locked(e));
}

void
eio_asked_locked(struct eio *e)
{
	LOCK_ASSERT_HELD(&e->lock);
	if (e->pinged)
		e->pong_ms = clock_mono_ms() - e->options.ping_interval_ms;
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
	if (e->phase != EIO_ALIVE || e->pinged || now < ping_at(e))
		return;
	e->pinged = eio_put_locked(e, e->server->ping) == Q_OK;
	if (e->poll != NULL)
		e->poll->asks = e->pinged;
	else if (e->way == EIO_WEBSOCKET)
		eio_asked_locked(e);
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
