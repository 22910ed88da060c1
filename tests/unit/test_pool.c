/* SPDX-License-Identifier: MIT
 *
 * The pool: that a job is done, in which order, how many at once, and what becomes of
 * one that does not get its turn.
 */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "server/pool.h"

#define THREADS 2
#define JOBS    40

static struct pool *pool;
static pthread_t owner;

static void
setup(void)
{
	owner = pthread_self();
	ck_assert_int_eq(pool_open(THREADS, &pool), Q_OK);
}

static void
teardown(void)
{
	pool_close(pool);
}

/* ---- jobs ---- */

static void
elsewhere(void *arg)
{
	sigset_t blocked;

	ck_assert(!pthread_equal(pthread_self(), owner));
	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	ck_assert_int_eq(sigismember(&blocked, SIGTERM), 1);
	*(int *)arg = 7;
}

/* Keeps a thread until the gate opens. */
struct hold {
	sem_t *begun, *gate;
};

static void
hold(void *arg)
{
	struct hold *h = arg;

	sem_post(h->begun);
	sem_wait(h->gate);
}

/* Occupy all threads of the pool. */
struct occupied {
	sem_t begun, gate;
	struct hold hold;
	struct pool_job jobs[THREADS];
};

static void
occupy(struct occupied *o)
{
	sem_init(&o->begun, 0, 0);
	sem_init(&o->gate, 0, 0);
	o->hold = (struct hold){&o->begun, &o->gate};
	for (int i = 0; i < THREADS; i++) {
		o->jobs[i] = (struct pool_job){.run = hold, .arg = &o->hold};
		pool_start(pool, &o->jobs[i]);
		sem_wait(&o->begun);
	}
}

static void
let_go(struct occupied *o)
{
	for (int i = 0; i < THREADS; i++)
		sem_post(&o->gate);
	for (int i = 0; i < THREADS; i++)
		pool_wait(&o->jobs[i]);
	sem_destroy(&o->begun);
	sem_destroy(&o->gate);
}

/* ---- tests ---- */

START_TEST(a_job_is_done_by_another_thread)
{
	int result = 0;
	struct pool_job j = {.run = elsewhere, .arg = &result};

	pool_start(pool, &j);
	pool_wait(&j);
	ck_assert_int_eq(result, 7);
	result = 0;
	ck_assert_int_eq(pool_run(pool, elsewhere, &result, 1, 60000), Q_OK);
	ck_assert_int_eq(result, 7);
}
END_TEST

static atomic_int order;

static void
number(void *arg)
{
	*(int *)arg = atomic_fetch_add(&order, 1);
}

/* With one thread: with more, two that begin one after another may overtake each
 * other on their first line. */
START_TEST(who_comes_first_is_first)
{
	struct pool_job jobs[JOBS];
	struct pool *one;
	int got[JOBS];

	ck_assert_int_eq(pool_open(1, &one), Q_OK);
	atomic_store(&order, 0);
	for (int i = 0; i < JOBS; i++) {
		jobs[i] = (struct pool_job){.run = number, .arg = &got[i]};
		pool_start(one, &jobs[i]);
	}
	for (int i = JOBS; i-- > 0;)
		pool_wait(&jobs[i]);
	for (int i = 0; i < JOBS; i++)
		ck_assert_int_eq(got[i], i);
	pool_close(one);
}
END_TEST

START_TEST(so_many_at_once_and_no_more)
{
	struct occupied o;
	int result = -1;
	struct pool_job j = {.run = number, .arg = &result};

	atomic_store(&order, 0);
	occupy(&o);
	pool_start(pool, &j);
	usleep(20000);
	ck_assert_int_eq(atomic_load(&order), 0);
	let_go(&o);
	pool_wait(&j);
	ck_assert_int_eq(result, 0);
}
END_TEST

START_TEST(waiting_has_an_end)
{
	struct occupied o;
	int result = -1;

	atomic_store(&order, 0);
	occupy(&o);
	ck_assert_int_eq(pool_run(pool, number, &result, 5, 10), Q_TIMEOUT);
	/* The count that it left behind takes nobody's place. */
	ck_assert_int_eq(pool_run(pool, number, &result, 1, 10), Q_TIMEOUT);
	ck_assert_int_eq(pool_run(pool, number, &result, 0, 10), Q_FULL);
	let_go(&o);
	ck_assert_int_eq(result, -1);
	ck_assert_int_eq(pool_run(pool, number, &result, 1, 60000), Q_OK);
	ck_assert_int_eq(result, 0);
}
END_TEST

/* Its turn has come in time, and the job takes longer than the wait. */
static void
slow(void *arg)
{
	usleep(30000);
	number(arg);
}

/* A busy machine may not begin it in time; then it is not done at all. */
START_TEST(what_has_begun_is_waited_for)
{
	int result = -1, tries = 0;

	atomic_store(&order, 5);
	while (pool_run(pool, slow, &result, 1, 10) == Q_TIMEOUT) {
		ck_assert_int_eq(result, -1);
		ck_assert_int_lt(++tries, 1000);
	}
	ck_assert_int_eq(result, 5);
}
END_TEST

/* ---- many callers ---- */

static atomic_int sum;

static void
add(void *arg)
{
	atomic_fetch_add(&sum, *(int *)arg);
}

static void *
caller(void *arg)
{
	for (int i = 1; i <= JOBS; i++)
		ck_assert_int_eq(pool_run(pool, add, &i, 1000, 60000), Q_OK);
	return arg;
}

START_TEST(a_crowd_of_callers)
{
	pthread_t t[8];

	atomic_store(&sum, 0);
	for (int i = 0; i < 8; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, caller, NULL), 0);
	for (int i = 0; i < 8; i++)
		pthread_join(t[i], NULL);
	ck_assert_int_eq(atomic_load(&sum), 8 * JOBS * (JOBS + 1) / 2);
}
END_TEST

START_TEST(processors)
{
	ck_assert_uint_eq(pool_processors(3, 3), 3);
	ck_assert_uint_ge(pool_processors(2, 1000), 2);
	ck_assert_uint_eq(pool_processors(100000, 200000), 100000);
	ck_assert_uint_eq(pool_processors(1, 1), 1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("pool");
	TCase *c = tcase_create("pool");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, a_job_is_done_by_another_thread);
	tcase_add_test(c, who_comes_first_is_first);
	tcase_add_test(c, so_many_at_once_and_no_more);
	tcase_add_test(c, waiting_has_an_end);
	tcase_add_test(c, what_has_begun_is_waited_for);
	tcase_add_test(c, a_crowd_of_callers);
	tcase_add_test(c, processors);
	suite_add_tcase(s, c);
	return unit_main(s);
}
