/* SPDX-License-Identifier: MIT
 *
 * Fair limits: what fails costs time, per user and address, and recovers; the
 * table never grows; trusted addresses are not counted.
 */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "server/config.h"
#include "server/throttle.h"

static struct throttle *t;

static void
use(const char *const *set, size_t n)
{
	struct config_source src = {NULL, false, set, n};
	struct config *c;

	ck_assert_int_eq(config_load(&src, &c, NULL), Q_OK);
	config_publish(c);
}

static void
setup(void)
{
	use(NULL, 0);
	ck_assert_int_eq(throttle_new(&t), Q_OK);
}

static void
teardown(void)
{
	throttle_free(t);
	config_fini();
}

static struct address
from(const char *text)
{
	struct address a = {.port = 1};
	char mapped[64];

	snprintf(mapped, sizeof(mapped), "%s%s",
		 strchr(text, ':') == NULL ? "::ffff:" : "", text);
	ck_assert_int_eq(inet_pton(AF_INET6, mapped, &a.ip), 1);
	return a;
}

START_TEST(delays)
{
	static const int expected[] = {0,    0,    0,    0,    0,    500,
				       1000, 2000, 4000, 8000, 8000, 8000};
	struct address a = from("10.0.0.1"), b = from("10.0.0.2");

	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		ck_assert_int_eq(throttle_login_failed(t, "Alice", &a), expected[i]);
	ck_assert_int_eq(throttle_login_delay(t, "aLICE", &a), 8000); /* any case */
	/* Nobody else pays. */
	ck_assert_int_eq(throttle_login_delay(t, "bob", &a), 0);
	ck_assert_int_eq(throttle_login_delay(t, "alice", &b), 0);
	throttle_login_ok(t, "alice", &a);
	ck_assert_int_eq(throttle_login_delay(t, "alice", &a), 0);
	ck_assert_int_eq(throttle_login_failed(t, "alice", &a), 0);
}
END_TEST

START_TEST(window_ends)
{
	const char *set[] = {"limits.login_failures=1", "limits.login_failures_window=1h",
			     "limits.login_failures_window=1s"};
	struct address a = from("10.0.0.1");
	int64_t begun;

	use(set, 2);
	begun = clock_mono_ms();
	ck_assert_int_eq(throttle_login_failed(t, "alice", &a), 0);
	ck_assert_int_eq(throttle_login_failed(t, "alice", &a), 500);
	use(set, 3);
	while (throttle_login_delay(t, "alice", &a) != 0)
		usleep(10000);
	ck_assert_int_ge(clock_mono_ms() - begun, 1000);
	ck_assert_int_eq(throttle_login_failed(t, "alice", &a), 0);
}
END_TEST

/* The last failure's delay runs out by itself, and a success ends it. */
START_TEST(what_is_left_of_a_delay)
{
	const char *set[] = {"limits.login_failures=1", "limits.trust=10.0.0.9"};
	struct address a = from("10.0.0.1"), b = from("10.0.0.2"), c = from("10.0.0.9");
	int64_t begun = clock_mono_ms();

	use(set, 2);
	ck_assert_int_eq(throttle_login_left(t, "alice", &a), 0);
	throttle_login_failed(t, "alice", &a);
	ck_assert_int_eq(throttle_login_left(t, "alice", &a), 0);
	throttle_login_failed(t, "alice", &a);
	ck_assert_int_le(throttle_login_left(t, "Alice", &a), 500);
	ck_assert_int_eq(throttle_login_left(t, "alice", &b), 0);
	ck_assert_int_eq(throttle_login_left(t, "bob", &a), 0);
	while (throttle_login_left(t, "alice", &a) != 0)
		usleep(10000);
	ck_assert_int_ge(clock_mono_ms() - begun, 500);
	/* The next one costs more; nobody has counted a look. */
	for (int ms = 1000; ms <= 8000; ms *= 2)
		ck_assert_int_eq(throttle_login_failed(t, "alice", &a), ms);
	ck_assert_int_gt(throttle_login_left(t, "alice", &a), 0);
	throttle_login_ok(t, "alice", &a);
	ck_assert_int_eq(throttle_login_left(t, "alice", &a), 0);
	for (int i = 0; i < 3; i++)
		throttle_login_failed(t, "alice", &c);
	ck_assert_int_eq(throttle_login_left(t, "alice", &c), 0);
}
END_TEST

/* A whole class mistypes: nothing.  One address tries name after name: it waits. */
START_TEST(address_alone)
{
	struct address a = from("10.0.0.1");
	char name[32];

	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "user%d", i);
		ck_assert_int_eq(throttle_login_failed(t, name, &a), 0);
	}
	ck_assert_int_eq(throttle_login_failed(t, "another", &a), 500);
	ck_assert_int_eq(throttle_login_failed(t, "and.another", &a), 1000);
	/* Then also for those who mean well, for a minute. */
	ck_assert_int_eq(throttle_login_delay(t, "alice", &a), 1000);
}
END_TEST

/* What was no valid name counts as one user more, and once. */
START_TEST(no_name)
{
	struct address a = from("10.0.0.1");

	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(throttle_login_failed(t, "", &a), 0);
	ck_assert_int_eq(throttle_login_failed(t, "", &a), 500);
	throttle_login_ok(t, "", &a);
	for (int i = 0; i < 94; i++)
		ck_assert_int_le(throttle_login_failed(t, "", &a), 8000);
	ck_assert_int_eq(throttle_login_failed(t, "alice", &a), 500); /* the 101st */
}
END_TEST

START_TEST(ipv6_counts_as_its_network)
{
	struct address a = from("2001:db8::1"), b = from("2001:db8::ffff:1"),
		       c = from("2001:db8:0:1::1");

	for (int i = 0; i < 6; i++)
		throttle_login_failed(t, "alice", i % 2 == 0 ? &a : &b);
	ck_assert_int_eq(throttle_login_delay(t, "alice", &b), 500);
	ck_assert_int_eq(throttle_login_delay(t, "alice", &c), 0);
	/* IPv4 addresses are counted one by one. */
	a = from("10.0.0.1");
	b = from("10.0.0.2");
	for (int i = 0; i < 6; i++)
		throttle_login_failed(t, "bob", &a);
	ck_assert_int_eq(throttle_login_delay(t, "bob", &a), 500);
	ck_assert_int_eq(throttle_login_delay(t, "bob", &b), 0);
}
END_TEST

START_TEST(trusted)
{
	const char *set[] = {"limits.trust=10.0.0.0/24, 2001:db8::/32"};
	struct address a = from("10.0.0.1"), b = from("10.0.1.1");

	use(set, 1);
	ck_assert(address_trusted(&a));
	ck_assert(!address_trusted(&b));
	for (int i = 0; i < 300; i++) {
		ck_assert_int_eq(throttle_login_failed(t, "alice", &a), 0);
	}
}
END_TEST

START_TEST(other_failures)
{
	struct address a = from("10.0.0.1"), b = from("10.0.0.2");

	/* Of a user from anywhere, of an address for anybody, of both: each by itself. */
	ck_assert_int_eq(throttle_fail(t, "x", "Alice", NULL, 60000), 1);
	ck_assert_int_eq(throttle_fail(t, "x", "aLICE", NULL, 60000), 2);
	ck_assert_int_eq(throttle_fail(t, "x", NULL, &a, 60000), 1);
	ck_assert_int_eq(throttle_failures(t, "x", "alice", NULL, 60000), 2);
	ck_assert_int_eq(throttle_failures(t, "x", "alice", &a, 60000), 0);
	ck_assert_int_eq(throttle_failures(t, "x", NULL, &a, 60000), 1);
	ck_assert_int_eq(throttle_failures(t, "x", NULL, &b, 60000), 0);
	ck_assert_int_eq(throttle_failures(t, "y", "alice", NULL, 60000), 0);
	throttle_forgive(t, "x", "alice", NULL);
	throttle_forgive(t, "x", "nobody", NULL);
	ck_assert_int_eq(throttle_failures(t, "x", "alice", NULL, 60000), 0);
	ck_assert_int_eq(throttle_failures(t, "x", NULL, &a, 60000), 1);
	/* The window has passed. */
	usleep(2000);
	ck_assert_int_eq(throttle_failures(t, "x", NULL, &a, 1), 0);
	ck_assert_int_eq(throttle_fail(t, "x", NULL, &a, 1), 1);
}
END_TEST

/* More sources than places: the longest unused are forgotten, the others not. */
START_TEST(flood)
{
	struct address a = from("10.0.0.1"), x = from("10.1.0.0");

	for (int i = 0; i < 7; i++)
		throttle_login_failed(t, "alice", &a);
	for (unsigned i = 0; i < 30000; i++) {
		memcpy(&x.ip.s6_addr[12], &i, sizeof(i));
		throttle_fail(t, "enrol", NULL, &x, 60000);
		if (i % 1000 == 0) /* she is still trying */
			ck_assert_int_ge(throttle_login_failed(t, "alice", &a), 2000);
	}
	for (unsigned i = 0; i < 30000; i++) {
		memcpy(&x.ip.s6_addr[12], &i, sizeof(i));
		throttle_fail(t, "enrol", NULL, &x, 60000);
	}
	ck_assert_int_eq(throttle_login_delay(t, "alice", &a), 0);
}
END_TEST

/* ---- waiting ---- */

static atomic_int let_through, turned_away;

static void *
waiter(void *arg)
{
	if (throttle_wait(t, arg, 3600000))
		atomic_fetch_add(&let_through, 1);
	else
		atomic_fetch_add(&turned_away, 1);
	return NULL;
}

START_TEST(at_most_64_wait)
{
	struct session s = {.id = 1}, other = {.id = 2};
	pthread_t threads[80];

	for (int i = 0; i < 80; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, waiter, &s), 0);
	while (atomic_load(&turned_away) < 16)
		usleep(1000);
	ck_assert_int_eq(atomic_load(&let_through), 0); /* the others do wait */
	atomic_store(&s.ending, GOODBYE_SHUTDOWN);
	for (int i = 0; i < 80; i++)
		pthread_join(threads[i], NULL);
	ck_assert_int_eq(atomic_load(&let_through), 64);
	ck_assert_int_eq(atomic_load(&turned_away), 16);
	ck_assert(throttle_wait(t, &other, 1)); /* they made room again */
	ck_assert(throttle_wait(t, &other, 0));
}
END_TEST

START_TEST(waits_for_so_long)
{
	struct session s = {.id = 1};
	int64_t begun = clock_mono_ms();

	ck_assert(throttle_wait(t, &s, 300));
	ck_assert_int_ge(clock_mono_ms() - begun, 300);
}
END_TEST

START_TEST(an_ended_session_does_not_wait)
{
	struct session s = {.id = 1};

	atomic_store(&s.ending, GOODBYE_SHUTDOWN);
	ck_assert(throttle_wait(t, &s, 3600000)); /* or the test's own limit passes */
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("throttle");
	TCase *c = tcase_create("throttle");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, delays);
	tcase_add_test(c, window_ends);
	tcase_add_test(c, what_is_left_of_a_delay);
	tcase_add_test(c, address_alone);
	tcase_add_test(c, no_name);
	tcase_add_test(c, ipv6_counts_as_its_network);
	tcase_add_test(c, trusted);
	tcase_add_test(c, other_failures);
	tcase_add_test(c, flood);
	tcase_add_test(c, at_most_64_wait);
	tcase_add_test(c, waits_for_so_long);
	tcase_add_test(c, an_ended_session_does_not_wait);
	suite_add_tcase(s, c);
	return unit_main(s);
}
