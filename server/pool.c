/* SPDX-License-Identifier: MIT
 *
 * Two semaphores carry the traffic: one of the pool counts jobs, one in each job says
 * that it is done.  Posting costs a system call only when somebody sleeps there, so
 * under load the threads go from job to job without any; and unlike a condition, a
 * semaphore is posted without holding a lock into which the other side would run.
 */
#include "server/pool.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/lock.h"
#include "crypto/random.h"

struct pool {
	struct lock lock;
	TAILQ_HEAD(jobs, pool_job) jobs; /* [lock] who came first is first */
	size_t waiting;                  /* [lock] how many are in there */
	bool closing;                    /* [lock] */
	sem_t wanted;   /* at least as often as jobs wait; once a thread when closing */
	size_t threads; /* that were started */
	pthread_t thread[];
};

/* ---- the threads ---- */

static void
take_down(sem_t *sem)
{
	while (sem_wait(sem) != 0)
		assert(errno == EINTR);
}

/* The next job, or NULL when there is none: a job whose owner did not wait so long
 * leaves its count behind. */
static struct pool_job *
next_job(struct pool *p, bool *closing)
{
	struct pool_job *j;

	lock_take(&p->lock);
	*closing = p->closing;
	if ((j = TAILQ_FIRST(&p->jobs)) != NULL) {
		TAILQ_REMOVE(&p->jobs, j, link);
		j->waiting = false;
		p->waiting--;
	}
	lock_drop(&p->lock);
	return j;
}

static void *
pool_thread(void *arg)
{
	struct pool *p = arg;
	struct pool_job *j;
	bool closing = false;

	while (!closing) {
		take_down(&p->wanted);
		if ((j = next_job(p, &closing)) == NULL)
			continue;
		j->run(j->arg);
		atomic_store_explicit(&j->finished, true, memory_order_release);
		sem_post(&j->done); /* its owner goes on, and it is gone */
	}
	crypto_thread_idle();
	return NULL;
}

/* ---- the callers ---- */

/* False: there wait most already. */
static bool
enqueue(struct pool *p, struct pool_job *j, size_t most)
{
	bool room;

	sem_init(&j->done, 0, 0);
	lock_take(&p->lock);
	assert(!p->closing);
	if ((room = p->waiting < most)) {
		TAILQ_INSERT_TAIL(&p->jobs, j, link);
		j->waiting = true;
		p->waiting++;
	}
	lock_drop(&p->lock);
	if (room)
		sem_post(&p->wanted);
	return room;
}

void
pool_start(struct pool *p, struct pool_job *j)
{
	(void)enqueue(p, j, SIZE_MAX);
}

void
pool_wait(struct pool_job *j)
{
	take_down(&j->done);
	sem_destroy(&j->done);
}

/* Take j out of the queue; false when it is not there any more. */
static bool
withdraw(struct pool *p, struct pool_job *j)
{
	bool waiting;

	lock_take(&p->lock);
	if ((waiting = j->waiting)) {
		TAILQ_REMOVE(&p->jobs, j, link);
		p->waiting--;
	}
	lock_drop(&p->lock);
	return waiting;
}

/* Wait until j is done, or ms have passed.  That it is finished is asked again because
 * ThreadSanitizer does not know sem_clockwait, and would see a race in the result. */
static bool
wait_done(struct pool_job *j, int ms)
{
	struct timespec until;
	int r;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	do
		r = sem_clockwait(&j->done, CLOCK_MONOTONIC, &until);
	while (r != 0 && errno == EINTR);
	return r == 0 && atomic_load_explicit(&j->finished, memory_order_acquire);
}

enum qerr
pool_run(struct pool *p, void (*run)(void *arg), void *arg, size_t waiting, int wait_ms)
{
	struct pool_job j = {.run = run, .arg = arg};
	enum qerr e = Q_OK;

	if (!enqueue(p, &j, waiting))
		e = Q_FULL;
	else if (!wait_done(&j, wait_ms)) {
		if (withdraw(p, &j))
			e = Q_TIMEOUT;
		else
			take_down(&j.done);
	}
	sem_destroy(&j.done);
	return e;
}

size_t
pool_processors(size_t least, size_t most)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	if (n < 0 || (size_t)n < least)
		return least;
	return (size_t)n > most ? most : (size_t)n;
}

/* ---- its life ---- */

/* Signals are for the main thread, also in programs that do not block them. */
static bool
start_thread(struct pool *p)
{
	sigset_t all, before;
	bool started;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	started = pthread_create(&p->thread[p->threads], NULL, pool_thread, p) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (started)
		p->threads++;
	return started;
}

enum qerr
pool_open(size_t threads, struct pool **out)
{
	struct pool *p = calloc(1, sizeof(*p) + threads * sizeof(p->thread[0]));

	if (p == NULL)
		return Q_NOMEM;
	lock_init(&p->lock);
	sem_init(&p->wanted, 0, 0);
	TAILQ_INIT(&p->jobs);
	while (p->threads < threads)
		if (!start_thread(p)) {
			pool_close(p);
			return Q_NOMEM;
		}
	*out = p;
	return Q_OK;
}

void
pool_close(struct pool *p)
{
	if (p == NULL)
		return;
	lock_take(&p->lock);
	assert(TAILQ_EMPTY(&p->jobs));
	p->closing = true;
	lock_drop(&p->lock);
	for (size_t i = 0; i < p->threads; i++)
		sem_post(&p->wanted);
	for (size_t i = 0; i < p->threads; i++)
		pthread_join(p->thread[i], NULL);
	sem_destroy(&p->wanted);
	lock_fini(&p->lock);
	free(p);
}
