/* SPDX-License-Identifier: MIT */
#include "server/timer.h"

#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include <bsd/string.h>

#include "base/clock.h"
#include "base/lock.h"

static struct timers *timers;
static struct lock lock = LOCK_INIT;
static char fired[32]; /* [lock] a letter for each callback */

static void
setup(void)
{
	fired[0] = '\0';
	ck_assert_int_eq(timers_new(&timers), Q_OK);
}

static void
teardown(void)
{
	timers_free(timers);
}

static void
note(void *arg)
{
	lock_take(&lock);
	strlcat(fired, arg, sizeof(fired));
	lock_drop(&lock);
}

static void
await(const char *want)
{
	int64_t until_ms = clock_mono_ms() + 50000;
	bool same = false;

	while (!same) {
		lock_take(&lock);
		same = strcmp(fired, want) == 0;
		lock_drop(&lock);
		ck_assert_msg(clock_mono_ms() < until_ms, "fired %s, not %s", fired,
			      want);
		usleep(1000);
	}
}

/* The timers' thread stands in a callback from hold() to let_go(), so that nothing
 * fires between two calls of a test, however slow the machine is. */
static struct timer held;
static atomic_int holds, may_go;

static void
stand_still(void *arg)
{
	(void)arg;
	atomic_store(&holds, 1);
	while (!atomic_load(&may_go))
		usleep(1000);
}

static void
hold(void)
{
	atomic_store(&holds, 0);
	atomic_store(&may_go, 0);
	timer_set(timers, &held, clock_mono_ms(), stand_still, NULL);
	while (!atomic_load(&holds))
		usleep(1000);
}

static void
let_go(void)
{
	atomic_store(&may_go, 1);
}

START_TEST(by_time_then_by_turn)
{
	struct timer a = {0}, b = {0}, c = {0}, d = {0};
	int64_t now = clock_mono_ms();

	hold();
	timer_set(timers, &d, now + 60, note, "d");
	timer_set(timers, &b, now + 40, note, "b");
	timer_set(timers, &c, now + 40, note, "c");
	timer_set(timers, &a, now - 5, note, "a");
	let_go();
	await("abcd");
	ck_assert_int_ge(clock_mono_ms(), now + 60);
	ck_assert(!a.armed && !b.armed && !c.armed && !d.armed);
}
END_TEST

START_TEST(set_again_moves)
{
	struct timer a = {0}, b = {0};
	int64_t now = clock_mono_ms();

	hold();
	timer_set(timers, &a, now + 20, note, "a");
	timer_set(timers, &b, now + 50, note, "b");
	timer_set(timers, &a, now + 80, note, "A"); /* later, and with other work */
	let_go();
	await("bA");
	timer_set(timers, &b, now + 100000, note, "b");
	timer_set(timers, &b, now, note, "c"); /* earlier */
	await("bAc");
}
END_TEST

START_TEST(cancelled_does_not_fire)
{
	struct timer a = {0}, b = {0};
	int64_t now = clock_mono_ms();

	hold();
	timer_set(timers, &a, now + 30, note, "a");
	timer_set(timers, &b, now + 60, note, "b");
	timer_cancel(timers, &a);
	ck_assert(!a.armed);
	timer_cancel(timers, &a); /* again: nothing */
	let_go();
	await("b");
}
END_TEST

static atomic_int entered, may_leave, left;

static void
linger(void *arg)
{
	(void)arg;
	atomic_store(&entered, 1);
	while (!atomic_load(&may_leave))
		usleep(1000);
	usleep(20000);
	atomic_store(&left, 1);
}

START_TEST(cancel_waits_for_the_callback)
{
	struct timer a = {0};

	timer_set(timers, &a, clock_mono_ms(), linger, NULL);
	while (!atomic_load(&entered))
		usleep(1000);
	atomic_store(&may_leave, 1);
	timer_cancel(timers, &a);
	ck_assert_int_eq(atomic_load(&left), 1);
}
END_TEST

struct owner {
	struct timer timer;
	int turns;
};

/* Arms itself three times, then cancels and frees its own timer. */
static void
repeat(void *arg)
{
	struct owner *o = arg;

	note("r");
	if (++o->turns < 3) {
		timer_set(timers, &o->timer, clock_mono_ms() + 1, repeat, o);
		return;
	}
	timer_set(timers, &o->timer, clock_mono_ms() + 1, repeat, o);
	timer_cancel(timers, &o->timer);
	free(o);
	note("f");
}

START_TEST(callback_may_use_its_own_timer)
{
	struct owner *o = calloc(1, sizeof(*o));

	ck_assert_ptr_nonnull(o);
	timer_set(timers, &o->timer, clock_mono_ms(), repeat, o);
	await("rrrf");
}
END_TEST

/* Many threads set and cancel; what is not cancelled fires exactly once. */
#define STORM 200

static atomic_int storm_fired;

static void
count(void *arg)
{
	(void)arg;
	atomic_fetch_add(&storm_fired, 1);
}

static void *
storm(void *arg)
{
	static struct timer kept[4][STORM];
	struct timer dropped = {0};
	int who = *(int *)arg;

	for (int i = 0; i < STORM; i++) {
		timer_set(timers, &kept[who][i], clock_mono_ms() + i % 7, count, NULL);
		timer_set(timers, &dropped, clock_mono_ms() + 1000000, count, NULL);
		timer_cancel(timers, &dropped);
	}
	return NULL;
}

START_TEST(many_threads)
{
	int who[4] = {0, 1, 2, 3};
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, storm, &who[i]), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	for (int i = 0; i < 25000 && atomic_load(&storm_fired) < 4 * STORM; i++)
		usleep(2000);
	ck_assert_int_eq(atomic_load(&storm_fired), 4 * STORM);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("timer");
	TCase *c = tcase_create("timer");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, by_time_then_by_turn);
	tcase_add_test(c, set_again_moves);
	tcase_add_test(c, cancelled_does_not_fire);
	tcase_add_test(c, cancel_waits_for_the_callback);
	tcase_add_test(c, callback_may_use_its_own_timer);
	tcase_add_test(c, many_threads);
	suite_add_tcase(s, c);
	return unit_main(s);
}
