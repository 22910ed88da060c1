/* SPDX-License-Identifier: MIT
 *
 * A red-black tree ordered by time, and one thread that sleeps until the first
 * one is due.  Timers are set a few times in a session's life, not for each
 * message, so a tree under one mutex is plenty; a timer wheel would be faster
 * and rounder, and harder to read.
 *
 * Most timers are deadlines that are cancelled long before.  So the thread is woken
 * only for a timer that is due before it would look by itself, and cancelling
 * wakes nobody: a login would otherwise pay for two switches of threads.
 *
 * A callback runs without the lock, so it may set and cancel timers and take
 * any other lock.  `running` says which timer it belongs to, so that
 * timer_cancel can promise that it is over.
 */
#include "server/timer.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/lock.h"

RB_HEAD(timer_tree, timer);

struct timers {
	struct lock lock;
	pthread_cond_t changed; /* a timer is due before looks_ms, or stop */
	pthread_cond_t done;    /* a callback has returned */
	struct timer_tree tree; /* [lock] */
	struct timer *running;  /* [lock] whose callback runs; only compared */
	int64_t looks_ms;       /* [lock] until when the thread sleeps */
	uint64_t next_seq;      /* [lock] */
	bool stop;              /* [lock] */
	pthread_t thread;
};

static int
timer_cmp(struct timer *a, struct timer *b)
{
	if (a->at_ms != b->at_ms)
		return a->at_ms < b->at_ms ? -1 : 1;
	return a->seq < b->seq ? -1 : a->seq > b->seq;
}

/* RB_GENERATE_STATIC, but for a word that <sys/cdefs.h> does not always have. */
RB_GENERATE_INTERNAL(timer_tree, timer, link, timer_cmp, static __attribute__((unused)))

/* Run what is due, or sleep until something is. */
static void
turn_locked(struct timers *t) REQUIRES(t->lock)
{
	struct timer *tm = RB_MIN(timer_tree, &t->tree);
	void (*fire)(void *);
	void *arg;

	LOCK_ASSERT_HELD(&t->lock);
	if (tm == NULL || tm->at_ms > clock_mono_ms()) {
		t->looks_ms = tm == NULL ? INT64_MAX : tm->at_ms;
		lock_wait(&t->lock, &t->changed, tm == NULL ? 0 : tm->at_ms);
		t->looks_ms = 0;
		return;
	}
	RB_REMOVE(timer_tree, &t->tree, tm);
	tm->armed = false;
	fire = tm->fire;
	arg = tm->arg;
	t->running = tm;
	lock_drop(&t->lock);
	fire(arg); /* may free tm */
	lock_take(&t->lock);
	t->running = NULL;
	pthread_cond_broadcast(&t->done);
}

static void *
timer_thread(void *arg)
{
	struct timers *t = arg;

	lock_take(&t->lock);
	while (!t->stop)
		turn_locked(t);
	lock_drop(&t->lock);
	return NULL;
}

static void
release(struct timers *t)
{
	pthread_cond_destroy(&t->changed);
	pthread_cond_destroy(&t->done);
	lock_fini(&t->lock);
	free(t);
}

enum qerr
timers_new(struct timers **out)
{
	struct timers *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return Q_NOMEM;
	lock_init(&t->lock);
	lock_cond_init(&t->changed);
	lock_cond_init(&t->done);
	RB_INIT(&t->tree);
	if (pthread_create(&t->thread, NULL, timer_thread, t) != 0) {
		release(t);
		return Q_NOMEM;
	}
	*out = t;
	return Q_OK;
}

void
timers_free(struct timers *t)
{
	if (t == NULL)
		return;
	lock_take(&t->lock);
	t->stop = true;
	pthread_cond_signal(&t->changed);
	lock_drop(&t->lock);
	pthread_join(t->thread, NULL);
	assert(RB_EMPTY(&t->tree));
	release(t);
}

void
timer_set(struct timers *t, struct timer *tm, int64_t at_ms, void (*fire)(void *arg),
	  void *arg)
{
	lock_take(&t->lock);
	if (tm->armed)
		RB_REMOVE(timer_tree, &t->tree, tm);
	tm->at_ms = at_ms;
	tm->seq = t->next_seq++;
	tm->fire = fire;
	tm->arg = arg;
	tm->armed = true;
	RB_INSERT(timer_tree, &t->tree, tm);
	if (at_ms < t->looks_ms)
		pthread_cond_signal(&t->changed);
	lock_drop(&t->lock);
}

void
timer_cancel(struct timers *t, struct timer *tm)
{
	bool inside = pthread_equal(pthread_self(), t->thread);

	lock_take(&t->lock);
	/* Another thread may arm it again while we wait: look at both each time. */
	for (;;) {
		if (tm->armed) {
			RB_REMOVE(timer_tree, &t->tree, tm);
			tm->armed = false;
		}
		if (inside || t->running != tm)
			break;
		lock_wait(&t->lock, &t->done, 0);
	}
	lock_drop(&t->lock);
}
