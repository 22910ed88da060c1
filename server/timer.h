/* SPDX-License-Identifier: MIT
 *
 * timer.h - one thread that calls functions at their time: requests that
 * lapse, handshake and idle deadlines.
 *
 * Struct timers are embedded in their owner's memory; setting and cancelling
 * cost no allocation.  Callbacks run on the timer thread with no lock held;
 * they must not block, and they flush what they put into outboxes
 * (outbox_flush_touched) themselves.
 */
#ifndef SERVER_TIMER_H
#define SERVER_TIMER_H

#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct timers;

struct timer {
	RB_ENTRY(timer) link; /* [timers] */
	int64_t at_ms;        /* [timers] monotonic */
	uint64_t seq;         /* [timers] orders equal times */
	bool armed;           /* [timers] in the tree */
	void (*fire)(void *arg);
	void *arg;
};

/* Start the thread.  Q_NOMEM. */
enum qerr timers_new(struct timers **out);
/* Stop the thread; no timer may be armed.  NULL is fine. */
void timers_free(struct timers *t);
/* Arm, or arm anew, for at_ms on the monotonic clock.  tm was zeroed or used
 * before. */
void timer_set(struct timers *t, struct timer *tm, int64_t at_ms, void (*fire)(void *arg),
	       void *arg);
/* Afterwards tm is not armed and its callback is not running (unless the
 * caller is that callback): its memory may go.  The caller must hold no lock
 * that the callback takes. */
void timer_cancel(struct timers *t, struct timer *tm);

#endif
