/* SPDX-License-Identifier: MIT
 *
 * Message logs whose times rise strictly: while the clock stands or goes back, over
 * a restart, with many writers; and finding a record by its time.
 */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>

#include "store/msglog.h"
#include "tests/unit/tempdir.h"

#define T0 1763000000000

/* A clock that shows what the test says; this stands before the C library's. */
static _Atomic int64_t wall_ms;

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	if (id != CLOCK_REALTIME || wall_ms == 0)
		return (int)syscall(SYS_clock_gettime, id, ts);
	ts->tv_sec = (time_t)(wall_ms / 1000);
	ts->tv_nsec = (long)(wall_ms % 1000 * 1000000);
	return 0;
}

static struct store *s;
static struct msglog *l;

static void
open_all(void)
{
	struct store_options opt = STORE_OPTIONS_DEFAULT;
	struct why why;

	ck_assert_int_eq(store_open(at("d"), &opt, &s, &why), Q_OK);
	ck_assert_int_eq(msglog_open(s, "chat-1", &l), Q_OK);
}

static void
close_all(void)
{
	msglog_close(l);
	store_close(s);
	l = NULL;
	s = NULL;
}

static void
setup(void)
{
	tempdir_make();
	open_all();
}

static void
teardown(void)
{
	close_all();
	wall_ms = 0;
	tempdir_remove();
}

static struct record
message(void)
{
	return (struct record){
	    .kind = "msg", .from = "alice", .text = true, .data = span_str("hello")};
}

/* Append n at once; the time of the last. */
static int64_t
say(size_t n)
{
	struct record r[8] = {message(), message(), message(), message(),
			      message(), message(), message(), message()};

	ck_assert_uint_le(n, 8);
	ck_assert_int_eq(msglog_append_rising(l, r, n), Q_OK);
	for (size_t i = 1; i < n; i++)
		ck_assert_int_eq(r[i].time_ms, r[i - 1].time_ms + 1);
	return r[n - 1].time_ms;
}

static uint64_t
found(int64_t time_ms)
{
	uint64_t id = 12345;

	ck_assert_int_eq(msglog_find_time(l, time_ms, &id), Q_OK);
	return id;
}

START_TEST(times_rise)
{
	ck_assert_uint_eq(found(T0), 0); /* no file yet */
	wall_ms = T0;
	ck_assert_int_eq(say(3), T0 + 2);
	ck_assert_int_eq(say(1), T0 + 3); /* it stands */
	wall_ms = T0 - 50000;
	ck_assert_int_eq(say(2), T0 + 5); /* it went back */
	close_all();
	open_all();
	ck_assert_int_eq(say(1), T0 + 6); /* known again after a restart */
	wall_ms = T0 + 1000;
	ck_assert_int_eq(say(2), T0 + 1001); /* it caught up */
	ck_assert_uint_eq(found(0), 0);
	ck_assert_uint_eq(found(-1), 0);
	ck_assert_uint_eq(found(T0 - 1), 0);
	ck_assert_uint_eq(found(T0), 1);
	ck_assert_uint_eq(found(T0 + 4), 5);
	ck_assert_uint_eq(found(T0 + 999), 7);
	ck_assert_uint_eq(found(T0 + 1001), 9);
	ck_assert_uint_eq(found(INT64_MAX), 9);
}
END_TEST

/* A torn end does not count, nor does an append that failed. */
START_TEST(only_what_is_in_the_file_counts)
{
	struct record bad = message();
	struct buf b;

	wall_ms = T0;
	say(2);
	bad.data = span_of("\xff", 1);
	wall_ms = T0 + 5000;
	ck_assert_int_eq(msglog_append_rising(l, &bad, 1), Q_FORMAT);
	ck_assert_int_eq(bad.time_ms, 0);
	wall_ms = T0;
	ck_assert_int_eq(say(1), T0 + 2);
	close_all();
	b = slurp("d/messages/chat-1.log");
	spill("d/messages/chat-1.log", span_of(b.p, b.len - 1));
	buf_free(&b);
	open_all();
	ck_assert_int_eq(say(1), T0 + 2);
	ck_assert_uint_eq(found(T0 + 2), 3);
}
END_TEST

START_TEST(the_end_of_time)
{
	struct record last = message();

	last.time_ms = INT64_MAX - 1;
	ck_assert_int_eq(msglog_append(l, &last, 1), Q_OK);
	last.time_ms = 0;
	ck_assert_int_eq(msglog_append_rising(l, &last, 1), Q_LIMIT);
	ck_assert_uint_eq(last.id, 1);
}
END_TEST

/* Every record of a log that is long enough to be searched, with stretches where
 * much and where little was said. */
START_TEST(every_time_of_a_long_log)
{
	enum { N = 6000 };
	static int64_t times[N + 1];
	int64_t prev = T0;

	for (int i = 1; i <= N; i++) {
		wall_ms = prev + (i % 1000 == 0 ? 86400000 : i % 7 == 0 ? 3 : 0);
		prev = times[i] = say(1);
	}
	for (int i = 1; i<N; i += i % 1000> 990 ? 1 : 13) {
		ck_assert_uint_eq(found(times[i]), (uint64_t)i);
		ck_assert_uint_eq(found(times[i + 1] - 1), (uint64_t)i);
	}
	ck_assert_uint_eq(found(times[1] - 1), 0);
	ck_assert_uint_eq(found(times[N] - 1), N - 1);
}
END_TEST

static void *
writer(void *arg)
{
	(void)arg;
	for (int i = 0; i < 200; i++)
		say(4);
	return NULL;
}

struct last {
	uint64_t n;
	int64_t time_ms;
};

static bool
rises(void *arg, const struct record *r)
{
	struct last *last = arg;

	ck_assert_uint_eq(r->id, last->n + 1);
	ck_assert_int_gt(r->time_ms, last->time_ms);
	*last = (struct last){r->id, r->time_ms};
	return true;
}

START_TEST(many_writers)
{
	pthread_t t[4];
	struct last last = {0, 0};

	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, writer, NULL), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	ck_assert_int_eq(msglog_read(l, 0, 100000, rises, &last, NULL), Q_OK);
	ck_assert_uint_eq(last.n, 3200);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("msglog_time");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, times_rise);
	tcase_add_test(t, only_what_is_in_the_file_counts);
	tcase_add_test(t, the_end_of_time);
	tcase_add_test(t, every_time_of_a_long_log);
	tcase_add_test(t, many_writers);
	suite_add_tcase(suite, t);
	return unit_main(suite);
}
