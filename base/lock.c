/* SPDX-License-Identifier: MIT */
#include "base/lock.h"

#include <assert.h>
#include <errno.h>
#include <time.h>

static uintptr_t
self(void)
{
	return (uintptr_t)pthread_self();
}

static void
must(int rc)
{
	assert(rc == 0);
	(void)rc;
}

void
lock_init(struct lock *l)
{
	must(pthread_mutex_init(&l->mutex, NULL));
	atomic_init(&l->owner, 0);
}

void
lock_fini(struct lock *l)
{
	assert(atomic_load_explicit(&l->owner, memory_order_relaxed) == 0);
	must(pthread_mutex_destroy(&l->mutex));
}

void UNCHECKED_LOCK
lock_take(struct lock *l)
{
	assert(!lock_held(l));
	must(pthread_mutex_lock(&l->mutex));
	atomic_store_explicit(&l->owner, self(), memory_order_relaxed);
}

void UNCHECKED_LOCK
lock_drop(struct lock *l)
{
	assert(lock_held(l));
	atomic_store_explicit(&l->owner, 0, memory_order_relaxed);
	must(pthread_mutex_unlock(&l->mutex));
}

/* Relaxed is enough: only this thread ever stores this thread's identity. */
bool
lock_held(struct lock *l)
{
	return atomic_load_explicit(&l->owner, memory_order_relaxed) == self();
}

bool UNCHECKED_LOCK
lock_wait(struct lock *l, pthread_cond_t *c, int64_t deadline_ms)
{
	struct timespec ts;
	int rc;

	assert(lock_held(l));
	atomic_store_explicit(&l->owner, 0, memory_order_relaxed);
	if (deadline_ms == 0) {
		rc = pthread_cond_wait(c, &l->mutex);
	} else {
		ts.tv_sec = (time_t)(deadline_ms / 1000);
		ts.tv_nsec = (long)(deadline_ms % 1000) * 1000000;
		rc = pthread_cond_timedwait(c, &l->mutex, &ts);
	}
	atomic_store_explicit(&l->owner, self(), memory_order_relaxed);
	assert(rc == 0 || rc == ETIMEDOUT);
	return rc == 0;
}

void
lock_cond_init(pthread_cond_t *c)
{
	pthread_condattr_t a;

	must(pthread_condattr_init(&a));
	must(pthread_condattr_setclock(&a, CLOCK_MONOTONIC));
	must(pthread_cond_init(c, &a));
	must(pthread_condattr_destroy(&a));
}
