/* SPDX-License-Identifier: MIT
 *
 * A queue of who waits, first come first served: a large message is not overtaken by
 * small ones for ever.  Each has a condition on its own stack, so that giving back wakes
 * only those whose turn it is.
 *
 * Nobody tells a budget that a session has ended; who waits looks now and then.
 */
#include "server/http/budget.h"

#include <assert.h>
#include <bsd/sys/queue.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/lock.h"
#include "server/session.h"

#define LOOK_MS 100

struct waiter {
	TAILQ_ENTRY(waiter) link;
	size_t n;
	bool granted;
	pthread_cond_t turn;
};

struct budget {
	struct lock lock;
	size_t total;                      /* [lock] */
	size_t held;                       /* [lock] */
	TAILQ_HEAD(waiters, waiter) queue; /* [lock] */
};

enum qerr
budget_new(size_t total, struct budget **out)
{
	struct budget *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return Q_NOMEM;
	lock_init(&b->lock);
	b->total = total;
	TAILQ_INIT(&b->queue);
	*out = b;
	return Q_OK;
}

void
budget_free(struct budget *b)
{
	if (b == NULL)
		return;
	assert(b->held == 0 && TAILQ_EMPTY(&b->queue));
	lock_fini(&b->lock);
	free(b);
}

static bool
fits_locked(struct budget *b, size_t n) REQUIRES(b->lock)
{
	return b->held == 0 || (b->held <= b->total && n <= b->total - b->held);
}

static void
grant_locked(struct budget *b) REQUIRES(b->lock)
{
	struct waiter *w;

	while ((w = TAILQ_FIRST(&b->queue)) != NULL && fits_locked(b, w->n)) {
		TAILQ_REMOVE(&b->queue, w, link);
		b->held += w->n;
		w->granted = true;
		pthread_cond_signal(&w->turn);
	}
}

void
budget_resize(struct budget *b, size_t total)
{
	lock_take(&b->lock);
	b->total = total;
	grant_locked(b);
	lock_drop(&b->lock);
}

/* Wait in the queue.  Q_OK: granted. */
static enum qerr
wait_locked(struct budget *b, struct waiter *w, const struct session *s,
	    int64_t deadline_ms) REQUIRES(b->lock)
{
	enum qerr e = Q_OK;

	TAILQ_INSERT_TAIL(&b->queue, w, link);
	while (!w->granted && e == Q_OK) {
		int64_t now = clock_mono_ms(), until = now + LOOK_MS;

		if (session_ended(s) || atomic_load(&s->timed_out))
			e = Q_CLOSED;
		else if (deadline_ms != 0 && now >= deadline_ms)
			e = Q_TIMEOUT;
		else
			(void)lock_wait(&b->lock, &w->turn,
					deadline_ms != 0 && deadline_ms < until
					    ? deadline_ms
					    : until);
	}
	if (w->granted)
		return Q_OK;
	/* Those behind may fit where this one did not. */
	TAILQ_REMOVE(&b->queue, w, link);
	grant_locked(b);
	return e;
}

enum qerr
budget_take(struct budget *b, struct session *s, size_t n, int64_t deadline_ms)
{
	struct waiter w = {.n = n};
	enum qerr e = Q_OK;

	lock_take(&b->lock);
	if (TAILQ_EMPTY(&b->queue) && fits_locked(b, n)) {
		b->held += n;
	} else {
		lock_cond_init(&w.turn);
		e = wait_locked(b, &w, s, deadline_ms);
		pthread_cond_destroy(&w.turn);
	}
	lock_drop(&b->lock);
	return e;
}

void
budget_give(struct budget *b, size_t n)
{
	lock_take(&b->lock);
	assert(n <= b->held);
	b->held -= n;
	grant_locked(b);
	lock_drop(&b->lock);
}

size_t
budget_held(struct budget *b)
{
	size_t held;

	lock_take(&b->lock);
	held = b->held;
	lock_drop(&b->lock);
	return held;
}
