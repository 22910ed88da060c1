/* SPDX-License-Identifier: MIT */
#include "server/nodes/turns.h"

#include <assert.h>

void
turns_init(struct turns *t)
{
	lock_init(&t->lock);
	TAILQ_INIT(&t->queue);
}

void
turns_fini(struct turns *t)
{
	assert(TAILQ_EMPTY(&t->queue));
	lock_fini(&t->lock);
}

void
turn_init(struct turn *me)
{
	lock_cond_init(&me->yours);
}

void
turn_fini(struct turn *me)
{
	pthread_cond_destroy(&me->yours);
}

void
turns_take(struct turns *t, struct turn *me)
{
	lock_take(&t->lock);
	TAILQ_INSERT_TAIL(&t->queue, me, place);
	while (TAILQ_FIRST(&t->queue) != me)
		(void)lock_wait(&t->lock, &me->yours, 0);
	lock_drop(&t->lock);
}

/* The signal is given under the lock: the other's condition is gone soon after it has
 * heard. */
void
turns_pass(struct turns *t, struct turn *me)
{
	struct turn *next;

	lock_take(&t->lock);
	assert(TAILQ_FIRST(&t->queue) == me);
	TAILQ_REMOVE(&t->queue, me, place);
	if ((next = TAILQ_FIRST(&t->queue)) != NULL)
		pthread_cond_signal(&next->yours);
	lock_drop(&t->lock);
}
