/* SPDX-License-Identifier: MIT
 *
 * Listener and worker, over loopback, as far as they go without a protocol: what
 * is refused, what is closed, and that they go on after every shortage.
 */
#include "tests/unit/core.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>

#include "server/hub.h"
#include "server/listener.h"
#include "server/metrics.h"
#include "server/throttle.h"

static struct listener *listener;

static void
start_with(const char *const *overrides, size_t n)
{
	struct why why;

	core_start_with(overrides, n);
	ck_assert_int_eq(throttle_new(&core.throttle), Q_OK);
	ck_assert_msg(listener_bind("127.0.0.1:0", &listener, &why) == Q_OK, "%s",
		      why.text);
	ck_assert_int_eq(listener_start(listener, &core), Q_OK);
}

static void
start(void)
{
	static const char *const few[] = {"limits.per_address_before_login=3"};

	start_with(few, 1);
}

static void
start_impatient(void)
{
	static const char *const quick[] = {"limits.handshake_timeout=300ms"};

	start_with(quick, 1);
}

static void
stop(void)
{
	listener_free(listener);
	ck_assert(workers_wait(clock_mono_ms() + 50000));
	ck_assert_uint_eq(workers_count(), 0);
	throttle_free(core.throttle);
	core_stop();
}

static int
call(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons((uint16_t)listener_port(listener)),
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

/* The server closes fd, one way or the other. */
static void
expect_closed(int fd)
{
	char c;

	ck_assert_int_le(read(fd, &c, 1), 0);
	close(fd);
}

/* ---- addresses to listen on ---- */

START_TEST(specs)
{
	static const struct {
		const char *spec;
		enum qerr e;
		const char *says;
	} cases[] = {
	    {"127.0.0.1:0", Q_OK, "127.0.0.1:"},
	    {"0", Q_OK, ":"},
	    {"", Q_FORMAT, "does not end in a port"},
	    {"127.0.0.1", Q_FORMAT, "does not end in a port"},
	    {"127.0.0.1:", Q_FORMAT, "does not end in a port"},
	    {"127.0.0.1:65536", Q_FORMAT, "does not end in a port"},
	    {"127.0.0.1:-1", Q_FORMAT, "does not end in a port"},
	    {"127.0.0.1:9x", Q_FORMAT, "does not end in a port"},
	    {"::1:9034", Q_FORMAT, "write an IPv6 address as [::1]:9034"},
	    {"1.2.3.4.5:0", Q_FORMAT, "no address"},
	    {"192.0.2.1:0", Q_MISSING, "does not have the address"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct listener *l = NULL;
		struct why why = {""};

		ck_assert_int_eq(listener_bind(cases[i].spec, &l, &why), cases[i].e);
		if (cases[i].e == Q_OK) {
			ck_assert_ptr_nonnull(strstr(listener_address(l), cases[i].says));
			ck_assert_uint_gt(listener_port(l), 0);
		} else {
			ck_assert_ptr_null(l);
			ck_assert_msg(strstr(why.text, cases[i].says) != NULL, "%s",
				      why.text);
		}
		listener_free(l);
	}
}
END_TEST

START_TEST(port_in_use)
{
	struct listener *again;
	struct why why;

	ck_assert_int_eq(listener_bind(listener_address(listener), &again, &why),
			 Q_EXISTS);
	ck_assert_msg(strstr(why.text, "in use") != NULL, "%s", why.text);
}
END_TEST

/* ---- connections that come to nothing ---- */

START_TEST(unrecognised_is_closed)
{
	uint64_t before = metric_get(METRIC_unrecognised_total);
	int fd = call();

	ck_assert_int_eq(write(fd, "hello there\r\n", 13), 13);
	expect_closed(fd);
	CORE_AWAIT(workers_count() == 0);
	ck_assert_uint_eq(metric_get(METRIC_unrecognised_total), before + 1);
	ck_assert_uint_eq(sessions_count(core.sessions), 0);
}
END_TEST

START_TEST(silence_is_closed)
{
	int64_t from = clock_mono_ms();
	int fd = call();

	expect_closed(fd);
	ck_assert_int_ge(clock_mono_ms() - from, 250);
	fd = call();
	ck_assert_int_eq(write(fd, "\xf0\xff", 2), 2); /* might become a relay frame */
	expect_closed(fd);
}
END_TEST

START_TEST(a_look_at_the_port_counts_as_nothing)
{
	uint64_t before = metric_get(METRIC_unrecognised_total);

	close(call());
	CORE_AWAIT(metric_get(METRIC_connections_total) > 0 && workers_count() == 0);
	ck_assert_uint_eq(metric_get(METRIC_unrecognised_total), before);
}
END_TEST

START_TEST(limit_per_address)
{
	uint64_t before = metric_get(METRIC_connections_refused);
	int fd[3];

	for (int i = 0; i < 3; i++)
		fd[i] = call();
	CORE_AWAIT(sessions_count(core.sessions) == 3);
	expect_closed(call());
	CORE_AWAIT(metric_get(METRIC_connections_refused) == before + 1);
	close(fd[0]);
	CORE_AWAIT(sessions_count(core.sessions) == 2);
	fd[0] = call();
	CORE_AWAIT(sessions_count(core.sessions) == 3);
	for (int i = 0; i < 3; i++)
		close(fd[i]);
}
END_TEST

START_TEST(trusted_addresses_have_no_limit)
{
	static const char *const trust[] = {"limits.trust=127.0.0.0/8",
					    "limits.per_address=1",
					    "limits.per_address_before_login=1"};
	int fd[3];

	start_with(trust, 3);
	for (int i = 0; i < 3; i++)
		fd[i] = call();
	CORE_AWAIT(sessions_count(core.sessions) == 3);
	for (int i = 0; i < 3; i++)
		close(fd[i]);
	stop();
}
END_TEST

/* ---- shortages ---- */

START_TEST(no_descriptors_left)
{
	struct rlimit old, few;
	int waiting = call(), fd, next;
	uint64_t before;

	CORE_AWAIT(sessions_count(core.sessions) == 1);
	/* Room for this test's socket, and none for the server's. */
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	few = old;
	few.rlim_cur = (rlim_t)fd + 1;
	before = metric_get(METRIC_connections_refused);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	close(fd);
	next = call();
	expect_closed(next); /* at once, not when somebody leaves */
	CORE_AWAIT(metric_get(METRIC_connections_refused) == before + 1);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
	/* And on it goes. */
	next = call();
	CORE_AWAIT(sessions_count(core.sessions) == 2);
	close(next);
	close(waiting);
}
END_TEST

START_TEST(no_threads_left)
{
	struct rlimit old, none;
	uint64_t before = metric_get(METRIC_connections_refused);
	int fd;

	/* No address space for another stack is no thread. */
	ck_assert_int_eq(getrlimit(RLIMIT_AS, &old), 0);
	none = old;
	none.rlim_cur = 1;
	ck_assert_int_eq(setrlimit(RLIMIT_AS, &none), 0);
	fd = call();
	expect_closed(fd);
	ck_assert_int_eq(setrlimit(RLIMIT_AS, &old), 0);
	CORE_AWAIT(metric_get(METRIC_connections_refused) == before + 1);
	ck_assert_uint_eq(sessions_count(core.sessions), 0);
	fd = call();
	CORE_AWAIT(sessions_count(core.sessions) == 1);
	close(fd);
}
END_TEST

START_TEST(stop_with_somebody_there)
{
	int fd = call();

	CORE_AWAIT(sessions_count(core.sessions) == 1);
	hub_goodbye_all(&core);
	expect_closed(fd);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("listener");
	TCase *c = tcase_create("addresses");

	tcase_add_test(c, specs);
	tcase_add_test(c, trusted_addresses_have_no_limit);
	suite_add_tcase(s, c);
	c = tcase_create("silence");
	tcase_add_checked_fixture(c, start_impatient, stop);
	tcase_add_test(c, silence_is_closed);
	suite_add_tcase(s, c);
	c = tcase_create("connections");
	tcase_add_checked_fixture(c, start, stop);
	tcase_add_test(c, port_in_use);
	tcase_add_test(c, unrecognised_is_closed);
	tcase_add_test(c, a_look_at_the_port_counts_as_nothing);
	tcase_add_test(c, limit_per_address);
	tcase_add_test(c, no_descriptors_left);
	if (getenv("QUINTET_SANITIZER") == NULL) /* these need address space themselves */
		tcase_add_test(c, no_threads_left);
	tcase_add_test(c, stop_with_somebody_there);
	suite_add_tcase(s, c);
	return unit_main(s);
}
