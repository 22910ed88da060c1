/* SPDX-License-Identifier: MIT
 *
 * relay: requests and their answers (docs/protocols/relay.md, "Chat request").
 */
#include "tests/system/relay_peer.h"

static struct harness *h;
static struct peer *alice, *bob, *carol;

static void
begin(const char *setting)
{
	h = harness_start(setting, NULL);
	harness_add_users(h, "alice", "bob", "carol", NULL);
	alice = peer_login(h, "alice");
	bob = peer_login(h, "bob");
	carol = peer_login(h, "carol");
}

static void
end(void)
{
	peer_free(alice);
	peer_free(bob);
	peer_free(carol);
	harness_free(h);
}

/* Alice asks for name, is refused, and bob and carol have not heard of it. */
static void
refused(const char *name)
{
	peer_request(alice, name);
	peer_expect_bare(alice, RELAY_CHAT_DENIED);
	peer_expect_nothing(bob);
	peer_expect_nothing(carol);
}

START_TEST(denied)
{
	begin(NULL);
	peer_ask(alice, bob);
	peer_send_bare(bob, RELAY_CHAT_DENIED);
	peer_expect_bare(alice, RELAY_CHAT_DENIED);
	peer_expect_nothing(bob);
	peer_expect_list(carol, "alice bob");
	peer_chat(alice, bob);
	end();
}
END_TEST

START_TEST(unknown_offline_self_and_no_names)
{
	begin(NULL);
	harness_add_users(h, "dave", NULL); /* known, never logged in */
	refused("nobody");
	refused("dave");
	refused("alice");
	refused("ALICE");
	refused("");
	refused("../bob");
	refused("a-name-that-is-longer-than-any-name-may-be");
	peer_expect_list(alice, "bob carol");
	end();
}
END_TEST

START_TEST(busy_while_chatting)
{
	begin(NULL);
	peer_chat(bob, carol);
	refused("bob");
	refused("carol");
	/* Nor may one who chats ask somebody else. */
	peer_request(bob, "alice");
	peer_expect_bare(bob, RELAY_CHAT_DENIED);
	peer_expect_nothing(alice);
	peer_talk(bob, carol);
	end();
}
END_TEST

START_TEST(busy_while_pending)
{
	begin(NULL);
	peer_ask(bob, carol);
	refused("bob");
	refused("carol");
	/* Neither the one who asked nor the one who was asked may ask again. */
	peer_request(bob, "alice");
	peer_expect_bare(bob, RELAY_CHAT_DENIED);
	peer_request(carol, "alice");
	peer_expect_bare(carol, RELAY_CHAT_DENIED);
	peer_expect_nothing(alice);
	/* The request stands. */
	peer_accept(carol, bob);
	end();
}
END_TEST

START_TEST(crossed_requests)
{
	struct peer *first, *second;

	begin(NULL);
	peer_request(alice, "bob");
	peer_request(bob, "alice");
	/* Whoever was first has asked; the other hears of that before it is
	 * refused. */
	HARNESS_UNTIL(peer_readable(alice) || peer_readable(bob));
	second = peer_readable(alice) ? alice : bob;
	first = second == alice ? bob : alice;
	peer_expect_name(second, RELAY_CHAT_REQUEST, first->name);
	peer_expect_bare(second, RELAY_CHAT_DENIED);
	peer_expect_nothing(first);
	peer_accept(second, first);
	peer_end_chat(first, second);
	end();
}
END_TEST

START_TEST(only_the_asked_may_answer)
{
	begin(NULL);
	peer_ask(alice, bob);
	peer_send_bare(alice, RELAY_CHAT_ACCEPT);
	peer_send_bare(alice, RELAY_CHAT_DENIED);
	peer_expect_nothing(alice);
	peer_send_bare(carol, RELAY_CHAT_ACCEPT);
	peer_send_bare(carol, RELAY_CHAT_DENIED);
	peer_send_bare(carol, RELAY_END_CHAT);
	peer_expect_nothing(carol);
	peer_expect_nothing(bob);
	peer_accept(bob, alice);
	end();
}
END_TEST

START_TEST(answers_inside_a_chat_change_nothing)
{
	begin(NULL);
	peer_chat(alice, bob);
	peer_send_bare(bob, RELAY_CHAT_ACCEPT);
	peer_send_bare(bob, RELAY_CHAT_DENIED);
	peer_send_bare(alice, RELAY_CHAT_ACCEPT);
	peer_send_bare(alice, RELAY_CHAT_DENIED);
	peer_talk(alice, bob);
	peer_expect_nothing(alice);
	peer_expect_nothing(bob);
	end();
}
END_TEST

START_TEST(withdrawn)
{
	begin(NULL);
	peer_ask(alice, bob);
	peer_send_bare(alice, RELAY_END_CHAT);
	peer_expect_bare(bob, RELAY_CLOSED_CHAT);
	/* An answer that crossed it is nobody's fault. */
	peer_send_bare(bob, RELAY_CHAT_ACCEPT);
	peer_expect_list(bob, "alice carol");
	peer_expect_list(alice, "bob carol");
	peer_chat(bob, alice);
	end();
}
END_TEST

START_TEST(lapses)
{
	int64_t since;

	begin("relay.request_timeout=300ms");
	since = clock_mono_ms();
	peer_ask(alice, bob);
	peer_expect_bare(alice, RELAY_CHAT_DENIED);
	peer_expect_bare(bob, RELAY_CLOSED_CHAT);
	ck_assert_int_ge(clock_mono_ms() - since, 299);
	peer_send_bare(bob, RELAY_CHAT_ACCEPT); /* too late */
	peer_expect_list(bob, "alice carol");
	peer_expect_list(alice, "bob carol");
	end();
}
END_TEST

/* A request that was answered, or that ended otherwise, does not lapse later. */
START_TEST(only_pending_requests_lapse)
{
	begin("relay.request_timeout=2s");
	harness_add_users(h, "dave", NULL);
	peer_chat(alice, bob);

	struct peer *dave = peer_login(h, "dave");

	/* Withdrawn, and asked again: the second request has its own time. */
	peer_ask(carol, dave);
	peer_send_bare(carol, RELAY_END_CHAT);
	peer_expect_bare(dave, RELAY_CLOSED_CHAT);
	peer_ask(carol, dave);
	peer_expect_bare(carol, RELAY_CHAT_DENIED);
	peer_expect_bare(dave, RELAY_CLOSED_CHAT);
	peer_expect_nothing(carol);
	peer_expect_nothing(dave);
	/* The older chat has seen more than its request's time go by. */
	peer_talk(alice, bob);
	peer_free(dave);
	end();
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("relay requests");
	TCase *tc = harness_case(s, "requests");

	tcase_add_test(tc, denied);
	tcase_add_test(tc, unknown_offline_self_and_no_names);
	tcase_add_test(tc, busy_while_chatting);
	tcase_add_test(tc, busy_while_pending);
	tcase_add_test(tc, crossed_requests);
	tcase_add_test(tc, only_the_asked_may_answer);
	tcase_add_test(tc, answers_inside_a_chat_change_nothing);
	tcase_add_test(tc, withdrawn);
	tcase_add_test(tc, lapses);
	tcase_add_test(tc, only_pending_requests_lapse);
	return harness_main(s);
}
