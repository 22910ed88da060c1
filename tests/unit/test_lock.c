/* SPDX-License-Identifier: MIT
 *
 * The lock that knows its owner, and the clocks.
 */
#include "base/lock.h"

#include <assert.h>
#include <limits.h>
#include <signal.h>

#include "base/clock.h"
#include "tests/unit/unit.h"

static struct lock lock = LOCK_INIT;
static pthread_cond_t changed;
static long shared;

START_TEST(test_owner)
{
	struct lock l;

	lock_init(&l);
	ck_assert(!lock_held(&l));
	lock_take(&l);
	ck_assert(lock_held(&l));
	LOCK_ASSERT_HELD(&l);
	lock_drop(&l);
	ck_assert(!lock_held(&l));
	lock_take(&l); /* usable again */
	lock_drop(&l);
	lock_fini(&l);
}
END_TEST

static void *
look(void *arg)
{
	bool *held = arg;

	*held = lock_held(&lock);
	return NULL;
}

/* Held by one thread is not held by another. */
START_TEST(test_other_thread)
{
	pthread_t t;
	bool held = true;

	lock_take(&lock);
	ck_assert_int_eq(pthread_create(&t, NULL, look, &held), 0);
	ck_assert_int_eq(pthread_join(t, NULL), 0);
	ck_assert(!held);
	ck_assert(lock_held(&lock));
	lock_drop(&lock);
}
END_TEST

static void *
add(void *arg)
{
	for (int i = 0; i < 20000; i++) {
		lock_take(&lock);
		shared++;
		lock_drop(&lock);
	}
	return arg;
}

START_TEST(test_exclusion)
{
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, add, NULL), 0);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_join(t[i], NULL), 0);
	ck_assert_int_eq(shared, 80000);
}
END_TEST

/* ---- mistakes of the programmer ----
 *
 * Made in functions of which clang's analysis knows nothing: at compile time it
 * finds most of them. */

static void
take(void) UNCHECKED_LOCK
{
	lock_take(&lock);
}

static void
drop(void) UNCHECKED_LOCK
{
	lock_drop(&lock);
}

static void
wait_a_little(void) UNCHECKED_LOCK
{
	lock_wait(&lock, &changed, clock_mono_ms() + 10);
}

START_TEST(test_take_twice)
{
	take();
	take();
}
END_TEST

START_TEST(test_drop_free)
{
	drop();
}
END_TEST

START_TEST(test_assert_held)
{
	LOCK_ASSERT_HELD(&lock);
}
END_TEST

START_TEST(test_fini_held)
{
	take();
	lock_fini(&lock);
}
END_TEST

START_TEST(test_wait_without)
{
	lock_cond_init(&changed);
	wait_a_little();
}
END_TEST

static void *
drop_foreign(void *arg)
{
	drop();
	return arg;
}

START_TEST(test_drop_foreign)
{
	pthread_t t;

	take();
	ck_assert_int_eq(pthread_create(&t, NULL, drop_foreign, NULL), 0);
	pthread_join(t, NULL);
}
END_TEST

/* ---- waiting ---- */

START_TEST(test_wait_deadline)
{
	int64_t start = clock_mono_ms();

	lock_cond_init(&changed);
	lock_take(&lock);
	while (lock_wait(&lock, &changed, start + 50))
		; /* spurious wake-ups */
	ck_assert_int_ge(clock_mono_ms() - start, 49);
	ck_assert(lock_held(&lock));
	ck_assert(!lock_wait(&lock, &changed, start)); /* past: at once */
	ck_assert(lock_held(&lock));
	lock_drop(&lock);
}
END_TEST

static void *
answer(void *arg)
{
	lock_take(&lock);
	shared = 1;
	pthread_cond_signal(&changed);
	while (shared != 2)
		lock_wait(&lock, &changed, 0);
	lock_drop(&lock);
	return arg;
}

/* The lock is free while its holder waits, and held again afterwards. */
START_TEST(test_wait_signal)
{
	pthread_t t;

	lock_cond_init(&changed);
	lock_take(&lock);
	ck_assert_int_eq(pthread_create(&t, NULL, answer, NULL), 0);
	while (shared != 1)
		ck_assert(lock_wait(&lock, &changed, clock_mono_ms() + 20000));
	ck_assert(lock_held(&lock));
	shared = 2;
	pthread_cond_signal(&changed);
	lock_drop(&lock);
	ck_assert_int_eq(pthread_join(t, NULL), 0);
	ck_assert(!lock_held(&lock));
}
END_TEST

/* ---- clocks ---- */

START_TEST(test_clocks)
{
	int64_t mono = clock_mono_ms(), now;

	for (int i = 0; i < 10000; i++) {
		now = clock_mono_ms();
		ck_assert_int_ge(now, mono);
		mono = now;
	}
	ck_assert_int_gt(clock_wall_ms(), 1700000000000);  /* November 2023 */
	ck_assert_int_lt(clock_wall_ms(), 32503680000000); /* the year 3000 */
}
END_TEST

START_TEST(test_left)
{
	int64_t now = clock_mono_ms();
	int left = clock_left_ms(now + 100000);

	ck_assert_int_eq(clock_left_ms(0), -1);
	ck_assert_int_eq(clock_left_ms(now - 1), 0);
	ck_assert_int_eq(clock_left_ms(INT64_MIN / 2), 0);
	ck_assert_int_eq(clock_left_ms(INT64_MAX), INT_MAX);
	ck_assert_int_le(left, 100000);
	ck_assert_int_gt(left, 90000);
}
END_TEST

static Suite *
lock_suite(void)
{
	Suite *s = suite_create("lock");
	TCase *t = tcase_create("lock");

	tcase_add_test(t, test_owner);
	tcase_add_test(t, test_other_thread);
	tcase_add_test(t, test_exclusion);
	tcase_add_test(t, test_wait_deadline);
	tcase_add_test(t, test_wait_signal);
	suite_add_tcase(s, t);
	t = tcase_create("mistakes");
	tcase_add_test_raise_signal(t, test_take_twice, SIGABRT);
	tcase_add_test_raise_signal(t, test_drop_free, SIGABRT);
	tcase_add_test_raise_signal(t, test_drop_foreign, SIGABRT);
	tcase_add_test_raise_signal(t, test_assert_held, SIGABRT);
	tcase_add_test_raise_signal(t, test_fini_held, SIGABRT);
	tcase_add_test_raise_signal(t, test_wait_without, SIGABRT);
	suite_add_tcase(s, t);
	t = tcase_create("clock");
	tcase_add_test(t, test_clocks);
	tcase_add_test(t, test_left);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_main(lock_suite());
}
