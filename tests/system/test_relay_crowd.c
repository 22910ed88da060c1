/* SPDX-License-Identifier: MIT
 *
 * relay: two hundred at once, and one who does not read.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "tests/system/relay_peer.h"

#define CROWD  200
#define ROUNDS 20

START_TEST(two_hundred_in_pairs)
{
	struct harness *h = harness_start("limits.per_address_before_login=1000",
					  "limits.handshake_timeout=10m", NULL);
	struct peer *p[CROWD];
	char text[64];

	for (int i = 0; i < CROWD; i++) {
		char name[NAME_SIZE];

		snprintf(name, sizeof(name), "user%03d", i);
		harness_add_user(h, name, KEY_EC_P256);
		p[i] = peer_connect(h);
		peer_hello_send(p[i], name);
	}
	/* All of them in the handshake at once. */
	for (int i = 0; i < CROWD; i++)
		peer_hello_receive(p[i]);
	for (int i = 0; i < CROWD; i++)
		peer_prove(p[i], harness_key(h, p[i]->name));
	for (int i = 0; i < CROWD; i++)
		peer_expect_nothing(p[i]);
	/* Each step by everybody before the next one. */
	for (int i = 0; i < CROWD; i += 2)
		peer_ask(p[i], p[i + 1]);
	for (int i = 0; i < CROWD; i += 2)
		peer_accept(p[i + 1], p[i]);
	for (int i = 0; i < CROWD; i += 2)
		peer_nonce(p[i], p[i + 1]);
	for (int i = 0; i < CROWD; i += 2)
		peer_first_key(p[i + 1], p[i]);
	for (int i = 0; i < CROWD; i += 2)
		peer_second_key(p[i], p[i + 1]);
	peer_expect_list(p[0], "");
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < CROWD; i++) {
			snprintf(text, sizeof(text), "round %d from %d", round, i);
			peer_say_text(p[i], text);
		}
	}
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < CROWD; i++) {
			snprintf(text, sizeof(text), "round %d from %d", round, i ^ 1);
			peer_hear_text(p[i], text);
		}
	}
	for (int i = 0; i < CROWD; i += 2)
		peer_free(p[i]);
	for (int i = 1; i < CROWD; i += 2)
		peer_expect_bare(p[i], RELAY_CLOSED_CHAT);
	for (int i = 1; i < CROWD; i += 2)
		peer_free(p[i]);
	harness_free(h);
}
END_TEST

/* ---- one who does not read ---- */

#define MESSAGE 32768
#define PATIENT (64 << 20) /* more than all buffers between the two can hold */

static uint8_t message[MESSAGE];

struct sender {
	struct peer *p;
	struct buf out; /* the frame that is on its way */
	size_t gone;    /* bytes of it */
	size_t begun;   /* frames */
};

/* Send on, without waiting; false when nothing goes. */
static bool
send_on(struct sender *s)
{
	size_t n;

	if (s->gone == s->out.len) {
		s->out.len = s->gone = 0;
		peer_say_into(s->p, &s->out, span_of(message, sizeof(message)));
		s->begun++;
	}
	n = peer_try_raw(s->p, span_of(s->out.p + s->gone, s->out.len - s->gone));
	s->gone += n;
	return n > 0;
}

/* Send until nothing has gone for a second: the server does not take more than
 * it may keep. */
static void
send_until_it_stalls(struct sender *s)
{
	struct pollfd room = {.fd = s->p->fd, .events = POLLOUT};

	do {
		while (send_on(s))
			ck_assert_uint_lt(s->begun * MESSAGE, PATIENT);
	} while (poll(&room, 1, 1000) > 0 && !peer_readable(s->p));
}

static void
begin_slow(struct harness *h, struct peer **alice, struct peer **bob)
{
	harness_add_users(h, "alice", "bob", "carol", "dave", NULL);
	*alice = peer_login(h, "alice");
	*bob = peer_connect_narrow(h, 4096);
	peer_hello(*bob, "bob");
	peer_prove(*bob, harness_key(h, "bob"));
	peer_expect_nothing(*bob);
	peer_chat(*alice, *bob);
}

START_TEST(slow_reader_slows_the_sender)
{
	struct harness *h =
	    harness_start("limits.sender_wait=1m", "relay.archive=no", NULL);
	struct sender s = {.out = BUF_INIT(1 << 20)};
	struct peer *bob, *carol, *dave;

	begin_slow(h, &s.p, &bob);
	send_until_it_stalls(&s);
	ck_assert(!peer_readable(s.p));
	/* Everybody else goes on. */
	carol = peer_login(h, "carol");
	dave = peer_login(h, "dave");
	peer_chat(carol, dave);
	for (int i = 0; i < 20; i++)
		peer_talk(carol, dave);
	/* And when he reads, he has missed nothing. */
	for (size_t heard = 0; heard < s.begun; heard++) {
		if (s.gone < s.out.len)
			(void)send_on(&s);
		peer_hear(bob, span_of(message, sizeof(message)));
	}
	peer_talk(s.p, bob);
	buf_free(&s.out);
	peer_free(s.p);
	peer_free(bob);
	peer_free(carol);
	peer_free(dave);
	harness_free(h);
}
END_TEST

START_TEST(reader_that_never_reads)
{
	struct harness *h =
	    harness_start("limits.sender_wait=500ms", "relay.archive=no", NULL);
	struct sender s = {.out = BUF_INIT(1 << 20)};
	int64_t until = harness_deadline(2 * HARNESS_WAIT);
	struct peer *bob, *carol;

	begin_slow(h, &s.p, &bob);
	/* The sender is told in the end, and is free. */
	while (!peer_readable(s.p)) {
		if (!send_on(&s))
			harness_nap(until, "the sender is told");
		ck_assert_uint_lt(s.begun * MESSAGE, PATIENT);
	}
	peer_expect_bare(s.p, RELAY_CLOSED_CHAT);
	while (s.gone < s.out.len)
		if (!send_on(&s))
			harness_nap(until, "the rest goes");
	peer_expect_nothing(s.p);
	carol = peer_login(h, "carol");
	peer_chat(s.p, carol);
	peer_talk(s.p, carol);
	buf_free(&s.out);
	peer_free(s.p);
	peer_free(bob);
	peer_free(carol);
	harness_free(h);
}
END_TEST

/* The sender gives up while the server waits for the reader. */
START_TEST(sender_leaves_while_it_waits)
{
	struct harness *h =
	    harness_start("limits.sender_wait=1m", "relay.archive=no", NULL);
	struct sender s = {.out = BUF_INIT(1 << 20)};
	struct span data;
	struct peer *bob;
	int32_t opcode;

	begin_slow(h, &s.p, &bob);
	send_until_it_stalls(&s);
	peer_reset(s.p);
	while (peer_next(bob, &opcode, &data) && opcode == RELAY_PEER_MESSAGE)
		;
	ck_assert_int_eq(opcode, RELAY_CLOSED_CHAT);
	peer_expect_list(bob, "");
	buf_free(&s.out);
	peer_free(bob);
	harness_free(h);
}
END_TEST

/* So does the orderly end: a stuck pair does not hold it up. */
START_TEST(stop_while_a_sender_waits)
{
	struct harness *h = harness_start("limits.sender_wait=1m", "relay.archive=no",
					  "server.drain=500ms", NULL);
	struct sender s = {.out = BUF_INIT(1 << 20)};
	struct peer *bob;

	begin_slow(h, &s.p, &bob);
	send_until_it_stalls(&s);
	harness_stop(h);
	buf_free(&s.out);
	peer_free(s.p);
	peer_free(bob);
	harness_free(h);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("relay crowd");
	TCase *tc = harness_case(s, "crowd");

	tcase_add_test(tc, two_hundred_in_pairs);
	tcase_add_test(tc, slow_reader_slows_the_sender);
	tcase_add_test(tc, reader_that_never_reads);
	tcase_add_test(tc, sender_leaves_while_it_waits);
	tcase_add_test(tc, stop_while_a_sender_waits);
	return harness_main(s);
}
