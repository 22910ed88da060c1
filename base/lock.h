/* SPDX-License-Identifier: MIT
 *
 * lock.h - a mutex that knows its owner, so that "caller holds the lock" is
 * checked and not only written.  Built with clang the annotations let
 * -Wthread-safety check the callers too.  A pthread call that fails here is a
 * mistake of the programmer: it aborts.  The order of the server's locks is in
 * server/locks.h.
 */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#if defined(__clang__)
#	define LOCKABLE       __attribute__((capability("mutex")))
#	define REQUIRES(...)  __attribute__((requires_capability(__VA_ARGS__)))
#	define EXCLUDES(...)  __attribute__((locks_excluded(__VA_ARGS__)))
#	define ACQUIRES(...)  __attribute__((acquire_capability(__VA_ARGS__)))
#	define RELEASES(...)  __attribute__((release_capability(__VA_ARGS__)))
#	define UNCHECKED_LOCK __attribute__((no_thread_safety_analysis))
#else
#	define LOCKABLE
#	define REQUIRES(...)
#	define EXCLUDES(...)
#	define ACQUIRES(...)
#	define RELEASES(...)
#	define UNCHECKED_LOCK
#endif

struct LOCKABLE lock {
	pthread_mutex_t mutex;
	_Atomic(uintptr_t) owner; /* pthread_self() of the holder, else 0 */
};

/* For locks with static storage. */
#define LOCK_INIT                                              \
	{                                                      \
		.mutex = PTHREAD_MUTEX_INITIALIZER, .owner = 0 \
	}

void lock_init(struct lock *l);
/* Nobody may hold it. */
void lock_fini(struct lock *l);
/* Waits for the lock; the caller must not hold it already (asserted). */
void lock_take(struct lock *l) ACQUIRES(*l);
/* The caller must hold it (asserted). */
void lock_drop(struct lock *l) RELEASES(*l);
/* True when the calling thread holds it; for asserts. */
bool lock_held(struct lock *l);
#define LOCK_ASSERT_HELD(l) assert(lock_held(l))
/* pthread_cond_wait / _timedwait for a condition made with lock_cond_init.
 * deadline_ms is on the monotonic clock, 0 waits for ever.  The caller holds
 * the lock before and after.  False when the deadline passed. */
bool lock_wait(struct lock *l, pthread_cond_t *c, int64_t deadline_ms) REQUIRES(*l);
/* A condition on the monotonic clock. */
void lock_cond_init(pthread_cond_t *c);

#endif
