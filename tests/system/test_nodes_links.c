/* SPDX-License-Identifier: MIT
 *
 * Servers that are linked: finding each other's users, calls across, and what happens
 * when a call, a server or a link ends.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/system/nodes_labs.h"

#define BIG (8 * 1024 * 1024) /* more than all buffers on the way */

static struct nodes_peer *alice, *bob, *data[2];

/* Two labs that are linked, 0 having dialled, with alice and bob. */
static void
two_labs(const char *setting)
{
	labs_make(2);
	lab_boot(1, "", "0", NULL, setting, NULL);
	lab_boot(0, "1", "", NULL, setting, NULL);
	LAB_LINKED(0, 1);
	LAB_LINKED(1, 1);
	alice = nodes_login(lab[0].h, "alice");
	bob = nodes_login(lab[1].h, "bob");
}

static void
leave(void)
{
	nodes_close(alice);
	nodes_close(bob);
	labs_free();
}

/* ---- calls ---- */

/* In both directions, over the same link. */
START_TEST(call_across)
{
	two_labs(NULL);
	for (int i = 0; i < 2; i++) {
		int a = i, b = 1 - i;
		struct nodes_peer *who[2] = {alice, bob};

		nodes_call(lab[a].h, who[a], lab[b].h, who[b], data);
		nodes_send_bytes(data[0], span_str("hello"));
		nodes_expect_bytes(data[1], span_str("hello"));
		nodes_send_bytes(data[1], span_str("hello yourself"));
		nodes_expect_bytes(data[0], span_str("hello yourself"));
		nodes_expect_nothing(alice);
		nodes_expect_nothing(bob);
		nodes_send_bytes(data[0], span_str("bye"));
		nodes_close(data[0]);
		nodes_expect_bytes(data[1], span_str("bye"));
		nodes_expect_end(data[1]);
		nodes_close(data[1]);
	}
	leave();
}
END_TEST

/* Nobody is told anything, and the pair can call again at once. */
START_TEST(hung_up)
{
	static const char last[] = "the last words";

	two_labs(NULL);
	for (int i = 0; i < 4; i++) {
		nodes_call(lab[0].h, alice, lab[1].h, bob, data);
		nodes_send_bytes(data[0], span_str("I am in"));
		nodes_expect_bytes(data[1], span_str("I am in"));
		nodes_send_bytes(data[i % 2], span_str(last));
		if (i < 2)
			nodes_finish_sending(data[i % 2]);
		nodes_expect_bytes(data[1 - i % 2], span_str(last));
		if (i >= 2) {
			nodes_reset(data[i % 2]);
			data[i % 2] = NULL;
		}
		nodes_expect_end(data[1 - i % 2]);
		nodes_close(data[0]);
		nodes_close(data[1]);
		nodes_expect_nothing(alice);
		nodes_expect_nothing(bob);
	}
	leave();
}
END_TEST

START_TEST(refused)
{
	two_labs(NULL);
	nodes_say(alice, NODES_CALL, bob->uin);
	nodes_expect(bob, NODES_CALLED, alice->uin);
	nodes_say(bob, NODES_REFUSE, alice->uin);
	nodes_expect(alice, NODES_NOT_FOUND, bob->uin);
	nodes_expect_nothing(bob);
	leave();
}
END_TEST

START_TEST(caller_gives_up)
{
	uint32_t uin;

	two_labs(NULL);
	uin = alice->uin;
	nodes_say(alice, NODES_CALL, bob->uin);
	nodes_expect(bob, NODES_CALLED, alice->uin);
	nodes_close(alice);
	alice = NULL;
	nodes_expect(bob, NODES_NOT_FOUND, uin);
	leave();
}
END_TEST

START_TEST(callee_leaves)
{
	uint32_t uin;

	two_labs("nodes.search_timeout=3s");
	uin = bob->uin;
	nodes_say(alice, NODES_CALL, uin);
	nodes_expect(bob, NODES_CALLED, alice->uin);
	nodes_close(bob);
	nodes_expect(alice, NODES_NOT_FOUND, uin);
	/* He is offline now, and has been forgotten. */
	nodes_say(alice, NODES_CALL, uin);
	nodes_expect(alice, NODES_NOT_FOUND, uin);
	bob = nodes_login(lab[1].h, "bob");
	nodes_call(lab[0].h, alice, lab[1].h, bob, data);
	nodes_close(data[0]);
	nodes_expect_end(data[1]);
	nodes_close(data[1]);
	leave();
}
END_TEST

START_TEST(nobody_has_this_number)
{
	int64_t began;

	two_labs("nodes.search_timeout=300ms");
	began = clock_mono_ms();
	nodes_say(alice, NODES_CALL, 4711);
	nodes_expect(alice, NODES_NOT_FOUND, 4711);
	ck_assert_int_ge(clock_mono_ms() - began, 290);
	/* Without a link nobody is waited for. */
	harness_stop(lab[1].h);
	LAB_LINKED(0, 0);
	nodes_say(alice, NODES_CALL, 4711);
	nodes_expect(alice, NODES_NOT_FOUND, 4711);
	leave();
}
END_TEST

START_TEST(unanswered)
{
	two_labs("nodes.call_timeout=2s");
	nodes_say(alice, NODES_CALL, bob->uin);
	nodes_expect(bob, NODES_CALLED, alice->uin);
	nodes_expect(bob, NODES_NOT_FOUND, alice->uin);
	nodes_expect(alice, NODES_NOT_FOUND, bob->uin);
	leave();
}
END_TEST

/* The callee's data connection does not come, then the caller's. */
START_TEST(no_data)
{
	two_labs("nodes.data_timeout=2s");
	nodes_say(alice, NODES_CALL, bob->uin);
	nodes_expect(bob, NODES_CALLED, alice->uin);
	nodes_say(bob, NODES_ALLOW, alice->uin);
	nodes_expect(alice, NODES_NOT_FOUND, bob->uin);
	nodes_expect(bob, NODES_NOT_FOUND, alice->uin);
	nodes_say(alice, NODES_CALL, bob->uin);
	nodes_expect(bob, NODES_CALLED, alice->uin);
	nodes_say(bob, NODES_ALLOW, alice->uin);
	data[1] = nodes_data_open(lab[1].h, NULL, alice->uin, bob->uin);
	nodes_expect(alice, NODES_READY, bob->uin);
	nodes_expect_end(data[1]);
	nodes_close(data[1]);
	nodes_expect_nothing(alice);
	leave();
}
END_TEST

/* ---- much data ---- */

/* The byte at that place of what side says. */
static uint8_t
byte_at(int side, size_t at)
{
	return (uint8_t)(at * 167 + (at >> 8) + (at >> 16) * 31 + (size_t)side * 101);
}

/* One direction of a call: from writes, to reads and checks. */
struct flow {
	struct nodes_peer *from, *to;
	int side;
	size_t sent, got, total;
};

static void
flow_send(struct flow *f)
{
	uint8_t some[16384];
	size_t n = f->total - f->sent < sizeof(some) ? f->total - f->sent : sizeof(some);
	ssize_t r;

	for (size_t i = 0; i < n; i++)
		some[i] = byte_at(f->side, f->sent + i);
	r = n == 0 ? 0 : send(f->from->fd, some, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (r < 0 && errno != EAGAIN)
		harness_fail("after %zu bytes: %s", f->sent, strerror(errno));
	f->sent += r > 0 ? (size_t)r : 0;
}

static void
flow_receive(struct flow *f)
{
	uint8_t some[65536];
	ssize_t r = recv(f->to->fd, some, sizeof(some), MSG_DONTWAIT);

	if (r == 0 || (r < 0 && errno != EAGAIN))
		harness_fail("the end after %zu of %zu bytes", f->got, f->total);
	for (ssize_t i = 0; i < r; i++)
		if (some[i] != byte_at(f->side, f->got + (size_t)i))
			harness_fail("byte %zu is another one", f->got + (size_t)i);
	f->got += r > 0 ? (size_t)r : 0;
}

/* Wait until something can go on, and let it. */
static void
flows_step(struct flow *f, size_t n)
{
	struct pollfd p[8];

	ck_assert_uint_le(2 * n, 8);
	for (size_t i = 0; i < n; i++) {
		p[2 * i] = (struct pollfd){
		    .fd = f[i].sent < f[i].total ? f[i].from->fd : -1, .events = POLLOUT};
		p[2 * i + 1] = (struct pollfd){
		    .fd = f[i].got < f[i].total ? f[i].to->fd : -1, .events = POLLIN};
	}
	if (poll(p, 2 * n, clock_left_ms(harness_deadline(HARNESS_WAIT))) <= 0)
		harness_fail("nothing moves: %zu of %zu", f[0].got, f[0].total);
	for (size_t i = 0; i < n; i++) {
		if (p[2 * i].revents != 0)
			flow_send(&f[i]);
		if (p[2 * i + 1].revents != 0)
			flow_receive(&f[i]);
	}
}

START_TEST(big_both_ways)
{
	struct flow f[2];

	two_labs(NULL);
	nodes_call(lab[0].h, alice, lab[1].h, bob, data);
	f[0] = (struct flow){data[0], data[1], 0, 0, 0, BIG};
	f[1] = (struct flow){data[1], data[0], 1, 0, 0, BIG};
	while (f[0].got < BIG || f[1].got < BIG)
		flows_step(f, 2);
	nodes_close(data[0]);
	nodes_expect_end(data[1]);
	nodes_close(data[1]);
	leave();
}
END_TEST

/* All that was sent is delivered, although the sender has hung up long before, and its
 * end comes behind it: B8 is behind the last D0. */
START_TEST(big_and_hung_up)
{
	int who = _i;
	struct flow f;

	two_labs(NULL);
	nodes_call(lab[0].h, alice, lab[1].h, bob, data);
	f = (struct flow){data[who], data[1 - who], who, 0, 0, BIG};
	while (f.sent < BIG)
		flows_step(&f, 1);
	nodes_finish_sending(data[who]);
	while (f.got < BIG)
		flow_receive(&f);
	nodes_expect_end(data[1 - who]);
	nodes_close(data[0]);
	nodes_close(data[1]);
	leave();
}
END_TEST

/* A thin call beside a fat one: each of its words is there before much of the other. */
#define LATE ((size_t)512 << 20)
START_TEST(fair)
{
	struct nodes_peer *dave, *eve, *thin[2];
	struct flow f;
	uint8_t c;

	two_labs(NULL);
	harness_add_users(lab[0].h, "dave", NULL);
	harness_add_users(lab[1].h, "eve", NULL);
	dave = nodes_login(lab[0].h, "dave");
	eve = nodes_login(lab[1].h, "eve");
	nodes_call(lab[0].h, alice, lab[1].h, bob, data);
	nodes_call(lab[0].h, dave, lab[1].h, eve, thin);
	f = (struct flow){data[0], data[1], 0, 0, 0, SIZE_MAX};
	while (f.got < BIG)
		flows_step(&f, 1);
	for (int i = 0; i < 50; i++) {
		size_t before = f.got;
		ssize_t n;

		c = (uint8_t)i;
		nodes_send_bytes(thin[0], span_of(&c, 1));
		while ((n = recv(thin[1]->fd, &c, 1, MSG_DONTWAIT)) != 1) {
			ck_assert_int_eq(errno, EAGAIN);
			if (f.got - before > LATE)
				harness_fail("word %d is late", i);
			flows_step(&f, 1);
		}
		ck_assert_int_eq(c, i);
	}
	for (int i = 0; i < 2; i++) {
		nodes_close(thin[i]);
		nodes_close(data[i]);
	}
	nodes_close(dave);
	nodes_close(eve);
	leave();
}
END_TEST

/* A reader that does not read ends its own call, and no other. */
START_TEST(a_reader_that_does_not_read)
{
	struct nodes_peer *dave, *eve, *thin[2];
	int64_t until = harness_deadline(30000);
	static uint8_t some[65536];

	two_labs(NULL);
	harness_add_users(lab[0].h, "dave", NULL);
	harness_add_users(lab[1].h, "eve", NULL);
	dave = nodes_login(lab[0].h, "dave");
	eve = nodes_login(lab[1].h, "eve");
	nodes_call(lab[0].h, dave, lab[1].h, eve, thin);
	nodes_call(lab[0].h, alice, lab[1].h, bob, data);
	/* Bob reads nothing: after all buffers and two seconds alice's end is closed. */
	while (nodes_try_send(data[0], span_of(some, sizeof(some)), 8000))
		if (clock_left_ms(until) == 0)
			harness_fail("it takes everything");
	nodes_send_bytes(thin[0], span_str("still here"));
	nodes_expect_bytes(thin[1], span_str("still here"));
	nodes_send_bytes(thin[1], span_str("me too"));
	nodes_expect_bytes(thin[0], span_str("me too"));
	for (int i = 0; i < 2; i++) {
		nodes_close(thin[i]);
		nodes_close(data[i]);
	}
	nodes_close(dave);
	nodes_close(eve);
	LAB_LINKED(0, 1);
	leave();
}
END_TEST

/* ---- ends of servers ---- */

/* The other side is told, and the link is back when the server is. */
START_TEST(killed)
{
	struct nodes_peer *dave;

	two_labs(NULL);
	harness_add_users(lab[0].h, "dave", NULL);
	dave = nodes_login(lab[0].h, "dave");
	nodes_call(lab[0].h, alice, lab[1].h, bob, data);
	nodes_say(dave, NODES_CALL, bob->uin);
	nodes_expect(bob, NODES_CALLED, dave->uin);
	harness_kill(lab[1].h);
	nodes_expect_end(data[0]);
	nodes_expect(dave, NODES_NOT_FOUND, bob->uin);
	nodes_close(data[0]);
	nodes_close(data[1]);
	nodes_close(bob);
	nodes_close(dave);
	LAB_LINKED(0, 0);
	harness_restart(lab[1].h);
	LAB_LINKED(0, 1);
	LAB_LINKED(1, 1);
	bob = nodes_login(lab[1].h, "bob");
	nodes_call(lab[0].h, alice, lab[1].h, bob, data);
	nodes_send_bytes(data[1], span_str("again"));
	nodes_expect_bytes(data[0], span_str("again"));
	nodes_close(data[0]);
	nodes_close(data[1]);
	leave();
}
END_TEST

/* The server stops in good order with links and a call up. */
START_TEST(stopped)
{
	two_labs(NULL);
	nodes_call(lab[0].h, alice, lab[1].h, bob, data);
	harness_stop(lab[0].h);
	nodes_expect_end(data[1]);
	nodes_close(data[0]);
	nodes_close(data[1]);
	LAB_LINKED(1, 0);
	leave();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("nodes_links");
	TCase *tc = harness_case(suite, "nodes_calls");

	tcase_add_test(tc, call_across);
	tcase_add_test(tc, hung_up);
	tcase_add_test(tc, refused);
	tcase_add_test(tc, caller_gives_up);
	tcase_add_test(tc, callee_leaves);
	tcase_add_test(tc, nobody_has_this_number);
	tcase_add_test(tc, unanswered);
	tcase_add_test(tc, no_data);
	tc = harness_case(suite, "nodes_data");
	tcase_add_test(tc, big_both_ways);
	tcase_add_loop_test(tc, big_and_hung_up, 0, 2);
	tcase_add_test(tc, fair);
	tcase_add_test(tc, a_reader_that_does_not_read);
	tc = harness_case(suite, "nodes_ends");
	tcase_add_test(tc, killed);
	tcase_add_test(tc, stopped);
	return harness_main(suite);
}
