/* SPDX-License-Identifier: MIT */
#include "server/http/budget.h"

#include "tests/unit/core.h"

static struct budget *budget;

static struct session *
session(int *peer)
{
	core_start();
	ck_assert_int_eq(budget_new(100, &budget), Q_OK);
	return core_session(peer);
}

static void
done(struct session *s, int peer)
{
	ck_assert_uint_eq(budget_held(budget), 0);
	budget_free(budget);
	session_unref(s);
	close(peer);
	core_stop();
}

/* ---- somebody who takes in another thread ---- */

struct taker {
	struct session *s;
	size_t n;
	int64_t deadline_ms;
	atomic_int result; /* -1: not yet */
	pthread_t thread;
};

static void *
take(void *arg)
{
	struct taker *t = arg;

	atomic_store(&t->result, (int)budget_take(budget, t->s, t->n, t->deadline_ms));
	return NULL;
}

static void
begin(struct taker *t, struct session *s, size_t n, int64_t deadline_ms)
{
	*t = (struct taker){.s = s, .n = n, .deadline_ms = deadline_ms, .result = -1};
	ck_assert_int_eq(pthread_create(&t->thread, NULL, take, t), 0);
}

static int
result(struct taker *t)
{
	ck_assert_int_eq(pthread_join(t->thread, NULL), 0);
	return atomic_load(&t->result);
}

/* Somebody waits when not even one byte, which would fit, is given any more. */
static void
await_somebody_waiting(struct session *s)
{
	enum qerr e;

	CORE_AWAIT(((e = budget_take(budget, s, 1, clock_mono_ms() + 1)) == Q_OK
			? budget_give(budget, 1)
			: (void)0,
		    e == Q_TIMEOUT));
}

START_TEST(what_fits_is_given)
{
	int peer;
	struct session *s = session(&peer);

	ck_assert_int_eq(budget_take(budget, s, 60, 0), Q_OK);
	ck_assert_int_eq(budget_take(budget, s, 40, 0), Q_OK);
	ck_assert_uint_eq(budget_held(budget), 100);
	budget_give(budget, 60);
	ck_assert_int_eq(budget_take(budget, s, 60, 0), Q_OK);
	budget_give(budget, 40);
	budget_give(budget, 60);
	/* More than there is: alone. */
	ck_assert_int_eq(budget_take(budget, s, 500, 0), Q_OK);
	ck_assert_int_eq(budget_take(budget, s, 1, clock_mono_ms() + 20), Q_TIMEOUT);
	budget_give(budget, 500);
	done(s, peer);
}
END_TEST

START_TEST(first_come_first_served)
{
	int peer;
	struct session *s = session(&peer);
	struct taker large, small;

	ck_assert_int_eq(budget_take(budget, s, 90, 0), Q_OK);
	begin(&large, s, 80, 0);
	await_somebody_waiting(s);
	begin(&small, s, 10, 0);
	usleep(20000); /* time in which it must not get them */
	/* 10 would fit, and wait behind 80. */
	ck_assert_int_eq(atomic_load(&small.result), -1);
	budget_give(budget, 90);
	ck_assert_int_eq(result(&large), Q_OK);
	ck_assert_int_eq(result(&small), Q_OK);
	ck_assert_uint_eq(budget_held(budget), 90);
	budget_give(budget, 80);
	budget_give(budget, 10);
	done(s, peer);
}
END_TEST

START_TEST(an_end_ends_the_wait)
{
	int peer, other;
	struct session *s = session(&peer), *dead = core_session(&other);
	struct taker waits, behind;

	ck_assert_int_eq(budget_take(budget, s, 90, 0), Q_OK);
	begin(&waits, dead, 50, 0);
	await_somebody_waiting(s);
	begin(&behind, s, 10, 0);
	session_end(dead, GOODBYE_SELF, NULL);
	ck_assert_int_eq(result(&waits), Q_CLOSED);
	/* Who stood behind it fits. */
	ck_assert_int_eq(result(&behind), Q_OK);
	budget_give(budget, 100);
	session_unref(dead);
	close(other);
	done(s, peer);
}
END_TEST

START_TEST(resize)
{
	int peer;
	struct session *s = session(&peer);
	struct taker t;

	ck_assert_int_eq(budget_take(budget, s, 90, 0), Q_OK);
	begin(&t, s, 50, 0);
	await_somebody_waiting(s);
	ck_assert_int_eq(atomic_load(&t.result), -1);
	budget_resize(budget, 140);
	ck_assert_int_eq(result(&t), Q_OK);
	budget_resize(budget, 10); /* below what is held: nothing new for now */
	ck_assert_int_eq(budget_take(budget, s, 1, clock_mono_ms() + 20), Q_TIMEOUT);
	budget_give(budget, 140);
	done(s, peer);
}
END_TEST

/* Many threads, and never more out than there is. */
static atomic_size_t out_now;

static void *
churn(void *arg)
{
	struct session *s = arg;

	for (size_t i = 0; i < 300; i++) {
		size_t n = 1 + i * 7 % 60;

		ck_assert_int_eq(budget_take(budget, s, n, 0), Q_OK);
		ck_assert_uint_le(atomic_fetch_add(&out_now, n) + n, 100);
		atomic_fetch_sub(&out_now, n);
		budget_give(budget, n);
	}
	return NULL;
}

START_TEST(many)
{
	int peer;
	struct session *s = session(&peer);
	pthread_t threads[8];

	for (size_t i = 0; i < 8; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, churn, s), 0);
	for (size_t i = 0; i < 8; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	done(s, peer);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("budget");
	TCase *c = tcase_create("budget");

	tcase_add_test(c, what_fits_is_given);
	tcase_add_test(c, first_come_first_served);
	tcase_add_test(c, an_end_ends_the_wait);
	tcase_add_test(c, resize);
	tcase_add_test(c, many);
	suite_add_tcase(suite, c);
	return unit_main(suite);
}
