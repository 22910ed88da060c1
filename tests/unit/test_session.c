/* SPDX-License-Identifier: MIT */
#include "tests/unit/core.h"

#include <arpa/inet.h>
#include <stdlib.h>

/* This thread is the worker; the peer writes from it too, or from another. */
static struct session *s;
static int peer;

static void
setup(void)
{
	core_start();
	s = core_session(&peer);
	session_adopt(s);
}

static void
teardown(void)
{
	session_deadline(s, 0);
	outbox_flush_touched();
	session_unref(s);
	if (peer >= 0)
		close(peer);
	core_stop();
}

static void
say(const void *p, size_t n)
{
	ck_assert_int_eq(write(peer, p, n), (ssize_t)n);
}

static void
hang_up(void)
{
	close(peer);
	peer = -1;
}

/* ---- reading ---- */

START_TEST(one_byte_at_a_time)
{
	static const char text[] = "a frame that comes in pieces";
	size_t n = sizeof(text) - 1;

	for (size_t i = 0; i < n; i++) {
		say(text + i, 1);
		ck_assert_int_eq(session_fill(s, 100), Q_OK);
		ck_assert_uint_eq(session_input(s).len, i + 1);
	}
	ck_assert(span_eq(session_input(s), span_str(text)));
	session_consume(s, 8);
	say("!", 1);
	ck_assert_int_eq(session_fill(s, 100), Q_OK);
	ck_assert(span_eq(session_input(s), span_str("that comes in pieces!")));
	session_consume(s, session_input(s).len);
	ck_assert_uint_eq(session_input(s).len, 0);
}
END_TEST

START_TEST(waiting_costs_no_buffer)
{
	say("hello", 5);
	ck_assert_int_eq(session_fill(s, 100), Q_OK);
	session_consume(s, 5);
	hang_up();
	ck_assert_int_eq(session_fill(s, 100), Q_CLOSED);
	ck_assert_uint_eq(s->in.cap, 0);
}
END_TEST

#define FLOOD (200 * 1024)

static void *
flood(void *arg)
{
	uint8_t *p = malloc(FLOOD);
	size_t sent = 0;

	(void)arg;
	for (size_t i = 0; i < FLOOD; i++)
		p[i] = (uint8_t)(i * 31 + i / 253);
	while (sent < FLOOD) {
		ssize_t n = write(peer, p + sent, FLOOD - sent);

		ck_assert_int_gt(n, 0);
		sent += (size_t)n;
	}
	free(p);
	return NULL;
}

START_TEST(a_lot)
{
	/* What is left unconsumed each time: none, a partial frame, more. */
	static const size_t leave[] = {0, 1, 700, 5000};
	size_t seen = 0, fills = 0;
	pthread_t t;

	ck_assert_int_eq(pthread_create(&t, NULL, flood, NULL), 0);
	while (seen < FLOOD) {
		struct span in;
		size_t eat;

		ck_assert_int_eq(session_fill(s, 65540), Q_OK);
		in = session_input(s);
		ck_assert_uint_le(in.len, 65540);
		eat = in.len - (in.len > leave[fills % 4] ? leave[fills % 4] : 0);
		if (seen + in.len == FLOOD)
			eat = in.len;
		for (size_t i = 0; i < eat; i++)
			if (in.p[i] != (uint8_t)((seen + i) * 31 + (seen + i) / 253))
				ck_abort_msg("wrong byte at %zu", seen + i);
		session_consume(s, eat);
		seen += eat;
		fills++;
	}
	pthread_join(t, NULL);
}
END_TEST

START_TEST(one_read_takes_much)
{
	static uint8_t block[60000];
	const int large = 1 << 20;

	setsockopt(peer, SOL_SOCKET, SO_SNDBUF, &large, sizeof(large));
	say(block, sizeof(block));
	ck_assert_int_eq(session_fill(s, 65540), Q_OK);
	ck_assert_uint_eq(session_input(s).len, sizeof(block));
	session_consume(s, sizeof(block));
	/* More was there while the large buffer is: it is used again. */
	say(block, sizeof(block));
	ck_assert_int_eq(session_fill(s, 65540), Q_OK);
	ck_assert_uint_eq(session_input(s).len, sizeof(block));
	session_consume(s, sizeof(block));
	/* A small limit holds, whatever the buffer was. */
	say("0123456789", 10);
	ck_assert_int_eq(session_fill(s, 4), Q_OK);
	ck_assert(span_eq(session_input(s), span_str("0123")));
}
END_TEST

START_TEST(limit)
{
	say("0123456789", 10);
	ck_assert_int_eq(session_fill(s, 4), Q_OK);
	ck_assert_uint_eq(session_input(s).len, 4);
	ck_assert_int_eq(session_fill(s, 4), Q_LIMIT);
	session_consume(s, 1);
	ck_assert_int_eq(session_fill(s, 4), Q_OK);
	ck_assert(span_eq(session_input(s), span_str("1234")));
	ck_assert_int_eq(session_fill(s, 100), Q_OK);
	ck_assert(span_eq(session_input(s), span_str("123456789")));
}
END_TEST

/* What may be held can be less than it was, while the buffer is still large and bytes go on
 * coming: between a large message and the next ones. */
START_TEST(limit_lowered)
{
	enum { MANY = 65536, LESS = 5000, LEFT = 4990 };
	static uint8_t some[2 * MANY];
	const int room = 8 * MANY;

	setsockopt(peer, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	say(some, MANY);
	while (session_input(s).len < MANY)
		ck_assert_int_eq(session_fill(s, MANY + 1), Q_OK);
	session_consume(s, MANY - LEFT);
	say(some, sizeof(some));
	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(session_fill(s, LESS), Q_OK);
		ck_assert_uint_gt(session_input(s).len, LEFT);
		ck_assert_uint_le(session_input(s).len, LESS);
		session_consume(s, session_input(s).len - LEFT);
	}
}
END_TEST

START_TEST(last_bytes_before_the_end)
{
	say("bye", 3);
	hang_up();
	ck_assert_int_eq(session_fill(s, 100), Q_OK);
	ck_assert(span_eq(session_input(s), span_str("bye")));
	ck_assert_int_eq(session_fill(s, 100), Q_CLOSED);
	ck_assert(span_eq(session_input(s), span_str("bye")));
}
END_TEST

START_TEST(fill_flushes_first)
{
	ck_assert_int_eq(outbox_put(s, OUTBOX_DATA, span_str("answer")), Q_OK);
	say("x", 1);
	ck_assert_int_eq(session_fill(s, 100), Q_OK);
	core_expect(peer, "answer");
}
END_TEST

/* ---- deadlines ---- */

START_TEST(deadline_passes)
{
	int64_t at;

	session_deadline(s, clock_mono_ms() + 60000);
	say("half", 4);
	ck_assert_int_eq(session_fill(s, 100), Q_OK);
	at = clock_mono_ms() + 60;
	session_deadline(s, at);
	ck_assert_int_eq(session_fill(s, 100), Q_TIMEOUT);
	ck_assert_int_ge(clock_mono_ms(), at);
	/* What comes later is not read, even where the kernel still takes it. */
	(void)send(peer, "late", 4, MSG_NOSIGNAL);
	ck_assert_int_eq(session_fill(s, 100), Q_TIMEOUT);
	ck_assert(!session_ended(s));
}
END_TEST

START_TEST(deadline_taken_away)
{
	session_deadline(s, clock_mono_ms() + 40);
	session_deadline(s, 0);
	usleep(80000);
	say("x", 1);
	ck_assert_int_eq(session_fill(s, 100), Q_OK);
}
END_TEST

/* ---- waking ---- */

static void *
kick_late(void *arg)
{
	(void)arg;
	usleep(30000);
	session_end(s, GOODBYE_KICKED, NULL);
	return NULL;
}

START_TEST(wakes_are_heard_once)
{
	session_wake(s); /* nobody has asked yet: kept until somebody does */
	say("x", 1);
	ck_assert_int_eq(session_fill(s, 100), Q_OK);
	ck_assert_int_eq(session_wakeable(s), Q_OK);
	ck_assert_int_eq(session_wakeable(s), Q_OK);
	ck_assert_int_eq(session_fill(s, 100), Q_SHORT);
	session_wake(s);
	session_wake(s);
	say("y", 1);
	ck_assert_int_eq(session_fill(s, 100), Q_SHORT);
	ck_assert_uint_eq(session_input(s).len, 1);
	ck_assert_int_eq(session_fill(s, 100), Q_OK);
	ck_assert(span_eq(session_input(s), span_str("xy")));
	hang_up();
	ck_assert_int_eq(session_fill(s, 100), Q_CLOSED);
}
END_TEST

#define WAKERS 3
#define WAKES  20000

static struct {
	atomic_int posted; /* what the worker is woken for */
	int taken;         /* the worker */
} mail;

static void *
post(void *arg)
{
	(void)arg;
	for (int i = 0; i < WAKES; i++) {
		atomic_fetch_add_explicit(&mail.posted, 1, memory_order_relaxed);
		session_wake(s);
		if (i % 64 == 0)
			usleep(100); /* let the worker go to sleep now and then */
	}
	return NULL;
}

/* No wake may be lost: after the last one, everything that was posted is seen. */
START_TEST(no_wake_is_lost)
{
	pthread_t t[WAKERS];

	atomic_store(&mail.posted, 0);
	mail.taken = 0;
	ck_assert_int_eq(session_wakeable(s), Q_OK);
	session_deadline(s, clock_mono_ms() + 50000);
	for (int i = 0; i < WAKERS; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, post, NULL), 0);
	while (mail.taken < WAKERS * WAKES) {
		ck_assert_int_eq(session_fill(s, 100), Q_SHORT);
		mail.taken = atomic_load_explicit(&mail.posted, memory_order_relaxed);
	}
	for (int i = 0; i < WAKERS; i++)
		pthread_join(t[i], NULL);
}
END_TEST

/* A peer that keeps the buffer full does not hide a wake. */
START_TEST(wake_comes_through_a_flood)
{
	static uint8_t flood[150000];
	const int wide = 400000;

	setsockopt(peer, SOL_SOCKET, SO_SNDBUF, &wide, sizeof(wide));
	ck_assert_int_eq(session_wakeable(s), Q_OK);
	say(flood, sizeof(flood));
	ck_assert_int_eq(session_fill(s, 60000), Q_OK);
	session_consume(s, session_input(s).len);
	session_wake(s);
	ck_assert_int_eq(session_fill(s, 60000), Q_SHORT);
	ck_assert_int_eq(session_fill(s, 60000), Q_OK);
}
END_TEST

START_TEST(end_of_a_wakeable_one)
{
	pthread_t t;

	ck_assert_int_eq(session_wakeable(s), Q_OK);
	ck_assert_int_eq(pthread_create(&t, NULL, kick_late, NULL), 0);
	ck_assert_int_eq(session_fill(s, 100), Q_CLOSED);
	pthread_join(t, NULL);
	session_wake(s); /* harmless */
	ck_assert_int_eq(session_fill(s, 100), Q_CLOSED);
}
END_TEST

/* ---- ending ---- */

static void *
kick(void *arg)
{
	if (arg != NULL)
		usleep(30000);
	session_end(s, GOODBYE_KICKED, "too loud");
	session_end(s, GOODBYE_SHUTDOWN, NULL); /* the first one counts */
	return NULL;
}

START_TEST(end_from_another_thread)
{
	pthread_t t;

	ck_assert_int_eq(pthread_create(&t, NULL, kick, s), 0);
	ck_assert_int_eq(session_fill(s, 100), Q_CLOSED);
	pthread_join(t, NULL);
	core_expect(peer, "bye 3 too loud\n");
	ck_assert(core_silent(peer));
	ck_assert_int_eq(atomic_load(&s->ending), GOODBYE_KICKED);
	ck_assert_int_eq(outbox_put(s, OUTBOX_CONTROL, span_str("x")), Q_CLOSED);
	(void)send(peer, "late", 4, MSG_NOSIGNAL);
	ck_assert_int_eq(session_fill(s, 100), Q_CLOSED);
}
END_TEST

/* The end may fall between the worker's look and its recv. */
START_TEST(end_races_with_read)
{
	for (int i = 0; i < 200; i++) {
		pthread_t t;

		ck_assert_int_eq(pthread_create(&t, NULL, kick, NULL), 0);
		ck_assert_int_eq(session_fill(s, 100), Q_CLOSED);
		pthread_join(t, NULL);
		session_unref(s);
		close(peer);
		s = core_session(&peer);
		session_adopt(s);
	}
}
END_TEST

START_TEST(end_by_the_worker)
{
	char c;

	session_end(s, GOODBYE_ERROR, "no such thing");
	core_expect(peer, "bye 5 no such thing\n");
	/* The worker goes on to listen for the peer's end. */
	say("x", 1);
	ck_assert_int_eq(recv(s->stream->fd, &c, 1, MSG_DONTWAIT), 1);
	ck_assert_int_eq(session_fill(s, 100), Q_CLOSED);
}
END_TEST

START_TEST(end_by_itself_says_nothing)
{
	session_end(s, GOODBYE_SELF, NULL);
	ck_assert(core_silent(peer));
	ck_assert(session_ended(s));
}
END_TEST

START_TEST(end_before_a_protocol)
{
	atomic_store(&s->protocol, NULL);
	session_end(s, GOODBYE_KICKED, "x");
	ck_assert(core_silent(peer));
	ck_assert_int_eq(session_fill(s, 100), Q_CLOSED);
}
END_TEST

START_TEST(address_texts)
{
	static const struct {
		const char *ip;
		uint16_t port;
		const char *text;
	} cases[] = {
	    {"::ffff:192.0.2.1", 9034, "192.0.2.1:9034"},
	    {"2001:db8::1", 65535, "[2001:db8::1]:65535"},
	    {"::", 0, "[::]:0"},
	};
	struct address a;
	char text[ADDRESS_SIZE];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert_int_eq(inet_pton(AF_INET6, cases[i].ip, &a.ip), 1);
		a.port = cases[i].port;
		address_text(&a, text);
		ck_assert_str_eq(text, cases[i].text);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("session");
	TCase *c = tcase_create("session");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, one_byte_at_a_time);
	tcase_add_test(c, waiting_costs_no_buffer);
	tcase_add_test(c, a_lot);
	tcase_add_test(c, one_read_takes_much);
	tcase_add_test(c, limit);
	tcase_add_test(c, limit_lowered);
	tcase_add_test(c, last_bytes_before_the_end);
	tcase_add_test(c, fill_flushes_first);
	tcase_add_test(c, deadline_passes);
	tcase_add_test(c, deadline_taken_away);
	tcase_add_test(c, wakes_are_heard_once);
	tcase_add_test(c, no_wake_is_lost);
	tcase_add_test(c, wake_comes_through_a_flood);
	tcase_add_test(c, end_of_a_wakeable_one);
	tcase_add_test(c, end_from_another_thread);
	tcase_add_test(c, end_races_with_read);
	tcase_add_test(c, end_by_the_worker);
	tcase_add_test(c, end_by_itself_says_nothing);
	tcase_add_test(c, end_before_a_protocol);
	tcase_add_test(c, address_texts);
	suite_add_tcase(suite, c);
	return unit_main(suite);
}
