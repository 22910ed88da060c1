/* SPDX-License-Identifier: MIT
 *
 * pool.h - a few threads that keep what heavy work needs, so that thousands of
 * workers need not: its stack, libcrypto's random generators, malloc's cache.
 *
 * A worker brings a job and waits until it is done, so there are never more jobs than
 * workers.  They are taken in the order in which they came, and at most as many
 * run at once as the pool has threads.  A job may take locks, but must not wait for
 * another job of the same pool, nor for a peer.
 */
#ifndef SERVER_POOL_H
#define SERVER_POOL_H

#include <bsd/sys/queue.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct pool;

/* Q_NOMEM: not all threads were to be had. */
enum qerr pool_open(size_t threads, struct pool **out);
/* No job is waited for any more.  NULL is fine. */
void pool_close(struct pool *p);

/* A job, and the place it has in the queue: its owner's until pool_wait returned. */
struct pool_job {
	void (*run)(void *arg);
	void *arg;

	TAILQ_ENTRY(pool_job) link; /* the rest is the pool's */
	bool waiting;
	atomic_bool finished;
	sem_t done;
};

/* Have j->run(j->arg) done; pool_wait says when it is.  No lock held. */
void pool_start(struct pool *p, struct pool_job *j);
/* Once for each job that was started. */
void pool_wait(struct pool_job *j);

/* Both in one, for those that do not want to wait without end.  Q_FULL: so many wait
 * already; Q_TIMEOUT: wait_ms passed before its turn came.  In both cases run was not
 * called. */
enum qerr
pool_run(struct pool *p, void (*run)(void *arg), void *arg, size_t waiting, int wait_ms);

/* How many processors there are, but at least least and at most most. */
size_t pool_processors(size_t least, size_t most);

#endif
