/* SPDX-License-Identifier: MIT
 *
 * STORE_ALWAYS: everybody waits for the disk, and one fdatasync takes the same time
 * for one record and for a thousand.  So callers take turns together:
 *
 *   gathering   the first to come leads, the others leave their batch and sleep
 *   its turn    when the turn before is over, the leader appends all batches
 *               with one write and forces them to the disk, while others gather
 *               for the next turn
 *   its end     the leader wakes the leader of the next turn, so that the disk
 *               goes on working, and then the sleepers
 *
 * With a fast disk it is not the disk that limits this, but waking threads, so
 * each sleeps and wakes once: the group's lock is held for moments only (where all
 * waited for the log's, a thread slept once more for nearly each record), there are
 * two gates, so that the end of a turn wakes nobody who waits for the next one,
 * and nobody takes a lock after it has been woken.
 *
 * Leaders of different logs work side by side, and the file system joins their
 * commits.  syncfs(2) for all logs at once was measured no faster, and it would wait
 * for other programs' files as well.
 */
#include <assert.h>
#include <errno.h>
#include <sched.h>

#include "store/msglog_priv.h"

void
group_init(struct group *g)
{
	lock_init(&g->lock);
	lock_cond_init(&g->idle);
	g->first = NULL;
	g->last = &g->first;
	gate_init(&g->done[0]);
	gate_init(&g->done[1]);
}

void
group_fini(struct group *g)
{
	assert(g->first == NULL && !g->busy);
	lock_fini(&g->lock);
	pthread_cond_destroy(&g->idle);
}

/* Wait for the turn before to end, and take all who have gathered. */
static struct batch *
begin_turn(struct group *g)
{
	struct batch *list;

	lock_take(&g->lock);
	while (g->busy)
		(void)lock_wait(&g->lock, &g->idle, 0);
	g->busy = true;
	lock_drop(&g->lock);
	/* Those who were woken just now are about to come with their next record:
	 * let them run first.  This alone doubles the size of groups. */
	sched_yield();
	lock_take(&g->lock);
	list = g->first;
	g->first = NULL;
	g->last = &g->first;
	g->number++;
	lock_drop(&g->lock);
	return list;
}

/* From the opening of the gate on, what is in the list may be gone. */
static void
end_turn(struct group *g, struct gate *done, bool alone)
{
	lock_take(&g->lock);
	gate_open(done);
	g->busy = false;
	pthread_cond_signal(&g->idle);
	lock_drop(&g->lock);
	if (!alone)
		gate_wake(done);
}

static void UNCHECKED_LOCK
lead(struct msglog *l, struct gate *done)
{
	struct batch *list = begin_turn(&l->group);
	bool alone = list->next == NULL;
	uint64_t upto = 0;
	struct why note;
	enum qerr e = msglog_take(l, true, &note);
	int err = errno, doubt = 0;

	if (e == Q_OK) {
		append_locked(l, list, &note);
		doubt = msglog_force(l, &upto);
		msglog_leave(l, &note);
	}
	for (struct batch *b = list; b != NULL; b = b->next)
		if (e != Q_OK) {
			b->e = e;
			b->err = err;
		} else if (b->e == Q_OK && doubt != 0) {
			b->e = Q_SYS;
			b->err = EIO;
		}
	end_turn(&l->group, done, alone);
	if (doubt != 0)
		msglog_doubt(l, upto, doubt);
}

void
group_append(struct msglog *l, struct batch *b)
{
	struct group *g = &l->group;
	struct gate *done;
	uint32_t turn;
	bool first;

	lock_take(&g->lock);
	first = g->first == NULL;
	*g->last = b;
	g->last = &b->next;
	/* The turn before the last, which had the same gate, is over: the leader of
	 * the last one has begun, or it would still gather. */
	done = &g->done[g->number & 1];
	turn = gate_turn(done);
	lock_drop(&g->lock);
	if (first)
		lead(l, done);
	else
		gate_wait(done, turn);
}
