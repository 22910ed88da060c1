/* SPDX-License-Identifier: MIT
 *
 * relay: a partner who is gone, at each step, in each way.  Whoever is left is
 * told and is free again.
 */
#include "tests/system/relay_peer.h"

enum stage { ASKED, ACCEPTED, NONCE, FIRST_KEY, SECOND_KEY, TALKED, STAGES };
enum way { CLOSE, RESET, LOGOUT, KICK, HALF_A_FRAME, WAYS };

/* As far as stage; alice is the requester. */
static void
go(struct peer *alice, struct peer *bob, enum stage stage)
{
	peer_ask(alice, bob);
	if (stage >= ACCEPTED)
		peer_accept(bob, alice);
	if (stage >= NONCE)
		peer_nonce(alice, bob);
	if (stage >= FIRST_KEY)
		peer_first_key(bob, alice);
	if (stage >= SECOND_KEY)
		peer_second_key(alice, bob);
	if (stage >= TALKED)
		peer_talk(alice, bob);
}

static void
vanish(struct harness *h, struct peer *p, enum way way)
{
	switch (way) {
	case LOGOUT:
		peer_send_bare(p, RELAY_LOGOUT);
		peer_expect_end(p);
		break;
	case KICK:
		harness_admin(h, "ctl", "kick", p->name, NULL);
		peer_expect_forced_logout(p);
		break;
	case HALF_A_FRAME: peer_send_raw(p, span_of("\x30\x00\x00\x00half", 8)); break;
	default: break;
	}
	if (way == RESET)
		peer_reset(p);
	else
		peer_free(p);
}

START_TEST(partner_vanishes)
{
	struct harness *h = harness_start(NULL);
	struct peer *carol;

	harness_add_users(h, "alice", "bob", "carol", NULL);
	carol = peer_login(h, "carol");
	for (int i = 0; i < STAGES * 2; i++) {
		struct peer *alice = peer_login(h, "alice"), *bob = peer_login(h, "bob");
		struct peer *goes = i % 2 == 0 ? alice : bob;
		struct peer *stays = i % 2 == 0 ? bob : alice;
		enum stage stage = (enum stage)(i / 2);

		go(alice, bob, stage);
		vanish(h, goes, (enum way)_i);
		/* The requester of an unanswered request hears a refusal. */
		peer_expect_bare(stays, stage == ASKED && stays == alice
					    ? RELAY_CHAT_DENIED
					    : RELAY_CLOSED_CHAT);
		peer_expect_list(stays, "carol");
		peer_chat(carol, stays);
		peer_talk(carol, stays);
		peer_end_chat(carol, stays);
		peer_send_bare(stays, RELAY_LOGOUT);
		peer_expect_end(stays);
		peer_free(stays);
	}
	peer_free(carol);
	harness_free(h);
}
END_TEST

/* What was said before leaving is heard. */
START_TEST(last_words)
{
	struct harness *h = harness_start(NULL);
	struct peer *alice, *bob;

	harness_add_users(h, "alice", "bob", NULL);
	alice = peer_login(h, "alice");
	bob = peer_login(h, "bob");
	peer_chat(alice, bob);
	for (int i = 0; i < 100; i++)
		peer_say_text(alice, "farewell");
	peer_free(alice);
	for (int i = 0; i < 100; i++)
		peer_hear_text(bob, "farewell");
	peer_expect_bare(bob, RELAY_CLOSED_CHAT);
	peer_expect_list(bob, "");
	peer_free(bob);
	harness_free(h);
}
END_TEST

/* Both talk at once and one of them goes, with messages to it still on their
 * way: the other hears what could be read before that, in order, then 371, and
 * what it says meanwhile is nobody's fault. */
START_TEST(while_messages_cross)
{
	struct harness *h = harness_start(NULL);

	harness_add_users(h, "alice", "bob", NULL);
	for (int round = 0; round < 10; round++) {
		struct peer *alice = peer_login(h, "alice"), *bob = peer_login(h, "bob");
		int32_t opcode;
		struct span data;

		peer_chat(alice, bob);
		for (int i = 0; i < 20; i++) {
			peer_say_text(alice, "on its way");
			peer_say_text(bob, "on its way");
		}
		if (round % 2 == 0)
			peer_free(alice);
		else
			peer_reset(alice);
		for (int i = 0; i < 20; i++)
			peer_say_text(bob, "perhaps too late");
		while (peer_next(bob, &opcode, &data) && opcode == RELAY_PEER_MESSAGE)
			;
		ck_assert_int_eq(opcode, RELAY_CLOSED_CHAT);
		peer_expect_list(bob, "");
		peer_free(bob);
	}
	harness_free(h);
}
END_TEST

/* Frames that cross the partner's 370. */
START_TEST(while_the_end_crosses)
{
	struct harness *h = harness_start(NULL);
	struct peer *alice, *bob, *carol;

	harness_add_users(h, "alice", "bob", "carol", NULL);
	alice = peer_login(h, "alice");
	bob = peer_login(h, "bob");
	carol = peer_login(h, "carol");
	peer_chat(alice, bob);
	peer_send_bare(alice, RELAY_END_CHAT);
	peer_expect_list(alice, "bob carol");
	/* Bob has not read his 371 yet. */
	peer_say_text(bob, "are you there?");
	peer_send_text(bob, RELAY_NONCE, "1234");
	peer_send_bare(bob, RELAY_CHAT_ACCEPT);
	peer_send_bare(bob, RELAY_CHAT_DENIED);
	peer_send_bare(bob, RELAY_END_CHAT);
	peer_expect_bare(bob, RELAY_CLOSED_CHAT);
	peer_expect_list(bob, "alice carol");
	peer_expect_nothing(alice);
	/* None of it falls into the next chat. */
	peer_chat(alice, carol);
	peer_talk(alice, carol);
	peer_expect_nothing(bob);
	peer_free(alice);
	peer_free(bob);
	peer_free(carol);
	harness_free(h);
}
END_TEST

/* Both end it at the same time: each hears of it at most once. */
START_TEST(both_end_at_once)
{
	struct harness *h = harness_start(NULL);
	struct peer *p[2];
	int closed = 0;

	harness_add_users(h, "alice", "bob", NULL);
	p[0] = peer_login(h, "alice");
	p[1] = peer_login(h, "bob");
	peer_chat(p[0], p[1]);
	for (int i = 0; i < 2; i++) {
		peer_send_bare(p[i], RELAY_END_CHAT);
		peer_send_bare(p[i], RELAY_LIST);
	}
	for (int i = 0; i < 2; i++) {
		int32_t opcode = 0;
		struct span data;

		while (opcode != RELAY_LIST) {
			ck_assert(peer_next(p[i], &opcode, &data));
			closed += opcode == RELAY_CLOSED_CHAT;
		}
	}
	/* The second one's 371 may have come after its list was made. */
	ck_assert_int_le(closed, 1);
	peer_free(p[0]);
	peer_free(p[1]);
	harness_free(h);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("relay vanish");
	TCase *tc = harness_case(s, "vanish");

	tcase_add_loop_test(tc, partner_vanishes, 0, WAYS);
	tcase_add_test(tc, last_words);
	tcase_add_test(tc, while_messages_cross);
	tcase_add_test(tc, while_the_end_crosses);
	tcase_add_test(tc, both_end_at_once);
	return harness_main(s);
}
