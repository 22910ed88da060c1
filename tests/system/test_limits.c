/* SPDX-License-Identifier: MIT
 *
 * Fair limits, in each protocol's own words: what is too much for now is refused, costs
 * nothing else, and is granted later.  (Accounts by relay: test_relay_enrol.c, by
 * contacts: test_contacts_register.c, by rooms: test_rooms_account.c.)
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/system/contacts_play.h"
#include "tests/system/nodes_peer.h"
#include "tests/system/relay_peer.h"
#include "tests/system/rooms_talk.h"

/* ---- contacts ---- */

START_TEST(contacts_messages)
{
	struct play *s =
	    play_start("alice bob", "limits.messages=3", "limits.messages_rate=1", NULL);

	play_befriend(s, "alice", "bob");
	/* In one go: the first ones get through, in order, and the others do not. */
	PLAY(s, "alice> 115 1 one", "alice> 115 1 two", "alice> 115 1 three",
	     "alice> 115 1 four", "alice> 115 1 \"\" data:,picture", "alice< 219 400",
	     "alice< 219 400", "alice< 219 400", "alice< 219 413", "alice< 219 413",
	     /* What is wrong is wrong all the same, and others are not touched. */
	     "alice> 115 2 x", "alice< 219 408", "bob< 220 1 1000000000001 one",
	     "bob< 220 1 1000000000002 two", "bob< 220 1 1000000000003 three",
	     "bob> 115 1 hello", "bob< 219 400", "alice< 220 1 1000000000004 hello",
	     "bob: nothing",
	     /* A new login brings nothing back. */
	     "alice: logout", "alice: login", "alice> 115 1 five", "alice< 219 413");
	play_end(s);
}
END_TEST

START_TEST(contacts_wait_and_go_on)
{
	struct play *s =
	    play_start("alice bob", "limits.messages=1", "limits.messages_rate=60", NULL);
	struct line_peer *alice;
	int refused = 0, sent = 0;

	play_befriend(s, "alice", "bob");
	alice = play_peer(s, "alice");
	/* A second each, in which many are refused; on a busy machine few. */
	while (sent < 3 || refused < 2) {
		struct span line;

		line_say(alice, "115 1 hello");
		line = line_expect(alice);
		if (span_eq(line, span_str("219 400"))) {
			sent++;
		} else {
			ck_assert(span_eq(line, span_str("219 413")));
			refused++;
			usleep(50000);
		}
	}
	play_end(s);
}
END_TEST

START_TEST(contacts_joins_and_searches)
{
	struct play *s =
	    play_start("alice bob carol", "limits.joins=2", "limits.joins_rate=1",
		       "limits.searches=1", "limits.searches_rate=1", NULL);

	PLAY(s, "bob: login", "bob> 121 alice", "bob< 232 400", "alice: login",
	     "alice< 233 bob", "alice> 121 bob", "alice< 232 400", "bob< 233 alice",
	     "alice> 113 bob", "alice< 217 400", "alice> 121 carol", "alice< 232 413",
	     "alice> 113 bob", "alice< 217 413", "alice> 113 carol", "alice< 217 411",
	     "alice> 120", "alice< 228 400", "alice< 229 2", "alice< 230 bob",
	     "alice< 230 carol", "alice< 231", "alice> 120", "alice< 228 413",
	     "alice> 118", "alice< 223 400", "alice< 224 1",
	     "alice< 225 bob 1000000000001", "alice< 226", "carol: login",
	     "carol: nothing", "bob> 120", "bob< 228 400", "bob< 229 2", "bob< 230 alice",
	     "bob< 230 carol", "bob< 231");
	play_end(s);
}
END_TEST

/* A person who pastes a long program, with the settings as they come. */
START_TEST(a_paste_gets_through)
{
	struct play *s = play_start("alice bob", "limits.messages_rate=3000", NULL);
	struct line_peer *alice;

	play_befriend(s, "alice", "bob");
	alice = play_peer(s, "alice");
	for (int i = 0; i < 1500; i++)
		line_say(alice, "115 1 line %d", i);
	for (int i = 0; i < 1500; i++)
		line_hear(alice, "219 400");
	play_end(s);
}
END_TEST

/* ---- rooms ---- */

static void
expect_later(struct rooms_peer *p, const char *setting, const char *ref)
{
	json_t *data = rp_hear_status(p, "TRY_LATER");

	ck_assert_int_ge(rp_int(data, "seconds"), 1);
	ck_assert_ptr_nonnull(strstr(rp_text(data, "desc"), setting));
	ck_assert_str_eq(rp_text(data, "ref"), ref);
}

static void
say(struct rooms_peer *p, struct rt_id room, const char *ref)
{
	rp_say(p,
	       "{'type': 'CHAT_ACTION', 'data': {'room': '%s', 'ref': '%s', 'action': "
	       "'send', 'actiondata': {'format': 'msg-text', 'content': '%s'}}}",
	       room.text, ref, ref);
}

START_TEST(rooms_messages)
{
	struct harness *h = rp_start("rooms.captcha=off", "limits.messages=3",
				     "limits.messages_rate=1", NULL);
	struct rooms_peer *a = rp_enter(h, "alice"), *b = rp_enter(h, "bob"), *again;
	struct rt_id room, first;

	room = rt_room(a, RT_GROUP, "bob", b, NULL);
	first = rt_send(a, room, "one");
	say(a, room, "two");
	rt_sent(a);
	rt_action(a, room, "pin", "'msg': '%s'", first.text);
	rt_sent(a);
	say(a, room, "four");
	expect_later(a, "limits.messages", "four");
	rp_say(a,
	       "{'type': 'ALTER_ROOM', 'data': {'action': 'rename', 'ref': 'r', "
	       "'actiondata': {'room': '%s', 'name': 'x'}}}",
	       room.text);
	expect_later(a, "limits.messages", "r");
	/* Wrong is wrong first; reading and leaving are never refused. */
	rt_action(a, room, "edit", "'msg': '%s', 'content': ''", first.text);
	rp_hear_status(a, "INVALID_PACKET");
	rp_say(a,
	       "{'type': 'SYNC_ROOM_REQ', 'data': {'room': '%s', 'count': -5, "
	       "'from': null}}",
	       room.text);
	ck_assert_uint_eq(
	    json_array_size(json_object_get(rp_hear(a, "SYNC_ROOM_DATA"), "messages")),
	    2);
	/* Another connection of hers has the same bucket. */
	again = rt_again(a);
	say(again, room, "five");
	expect_later(again, "limits.messages", "five");
	rp_free(again);
	rt_recv(b, room, "alice", "one");
	rt_recv(b, room, "alice", "two");
	rt_hear(b, room, "pinned");
	rt_send(b, room, "hello");
	rt_recv(a, room, "bob", "hello");
	rt_alter(a, room, "leave", "%s", "");
	rt_altered(a, room, "leave", "alice");
	rp_free(a);
	rp_free(b);
	harness_free(h);
}
END_TEST

START_TEST(rooms_joins)
{
	struct harness *h =
	    rp_start("rooms.captcha=off", "limits.joins=3", "limits.joins_rate=1", NULL);
	struct rooms_peer *a = rp_enter(h, "alice");
	struct rt_id room;

	for (const char *const *name =
		 (const char *const[]){"bob", "carol", "dave", NULL};
	     *name != NULL; name++)
		rp_free(rp_enter(h, *name));
	/* Each person counts. */
	room = rt_create(a, RT_GROUP, "one", "bob carol");
	rp_say(a, "{'type': 'CREATE_ROOM', 'data': {'ref': 'c', 'room-type': 1, "
		  "'room-name': 'two', 'people': ['bob', 'carol']}}");
	expect_later(a, "limits.joins", "c");
	rt_alter(a, room, "add", "'people': ['dave']");
	rt_altered(a, room, "add", "alice");
	rp_say(a, "{'type': 'CREATE_ROOM', 'data': {'ref': 'd', 'room-type': 0, "
		  "'room-name': '', 'people': ['bob']}}");
	expect_later(a, "limits.joins", "d");
	rp_say(a,
	       "{'type': 'ALTER_ROOM', 'data': {'action': 'add', 'ref': 'e', "
	       "'actiondata': {'room': '%s', 'people': ['bob']}}}",
	       room.text);
	expect_later(a, "limits.joins", "e");
	rp_free(a);
	harness_free(h);
}
END_TEST

/* ---- all together ---- */

/* A user has one bucket, in whichever protocols. */
START_TEST(one_bucket_for_all_protocols)
{
	struct harness *h = rp_start("rooms.captcha=off", "limits.messages=4",
				     "limits.messages_rate=1", NULL);
	struct rooms_peer *a = rp_enter(h, "alice"), *b = rp_enter(h, "bob");
	struct rt_id room = rt_room(a, RT_GROUP, "bob", b, NULL);
	struct play *s;

	rt_send(a, room, "one");
	rt_send(a, room, "two");
	s = play_with(h);
	PLAY(s, "a> 110 alice \"" RP_PASSWORD "\"", "a< 212 400 alice",
	     "b> 110 bob \"" RP_PASSWORD "\"", "b< 212 400 bob", "b> 121 alice",
	     "b< 232 400", "a< 233 bob", "a> 121 bob", "a< 232 400", "b< 233 alice",
	     "a> 113 bob", "a< 217 400", "a> 115 1 three", "a< 219 400", "a> 115 1 four",
	     "a< 219 400", "a> 115 1 five", "a< 219 413");
	say(a, room, "six");
	expect_later(a, "limits.messages", "six");
	rp_free(a);
	rp_free(b);
	play_end(s);
}
END_TEST

/* ---- relay and nodes, which have no word for it ---- */

START_TEST(relay_requests)
{
	struct harness *h =
	    harness_start("limits.joins=1", "limits.joins_rate=1", "limits.messages=1",
			  "limits.messages_rate=1", NULL);
	struct peer *a, *b;

	harness_add_users(h, "alice", "bob", NULL);
	a = peer_login(h, "alice");
	b = peer_login(h, "bob");
	peer_chat(a, b);
	/* What is said there is its receiver's to slow down. */
	for (int i = 0; i < 100; i++) {
		peer_say_text(a, "hello");
		peer_hear_text(b, "hello");
	}
	peer_end_chat(a, b);
	peer_request(a, "bob");
	peer_expect_bare(a, RELAY_CHAT_DENIED);
	peer_expect_nothing(b);
	peer_chat(b, a);
	peer_free(a);
	peer_free(b);
	harness_free(h);
}
END_TEST

START_TEST(nodes_calls_are_limited)
{
	struct harness *h = harness_start("limits.joins=1", "limits.joins_rate=1", NULL);
	struct nodes_peer *a, *b;

	harness_add_users(h, "alice", "bob", NULL);
	a = nodes_login(h, "alice");
	b = nodes_login(h, "bob");
	nodes_say(a, NODES_CALL, b->uin);
	nodes_expect(b, NODES_CALLED, a->uin);
	nodes_say(b, NODES_REFUSE, a->uin);
	nodes_expect(a, NODES_NOT_FOUND, b->uin);
	nodes_say(a, NODES_CALL, b->uin);
	nodes_expect(a, NODES_NOT_FOUND, b->uin);
	nodes_expect_nothing(b);
	nodes_say(b, NODES_CALL, a->uin);
	nodes_expect(a, NODES_CALLED, b->uin);
	nodes_close(a);
	nodes_close(b);
	harness_free(h);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("limits");
	TCase *tc = harness_case(suite, "limits");

	tcase_add_test(tc, contacts_messages);
	tcase_add_test(tc, contacts_wait_and_go_on);
	tcase_add_test(tc, contacts_joins_and_searches);
	tcase_add_test(tc, a_paste_gets_through);
	tcase_add_test(tc, rooms_messages);
	tcase_add_test(tc, rooms_joins);
	tcase_add_test(tc, one_bucket_for_all_protocols);
	tcase_add_test(tc, relay_requests);
	tcase_add_test(tc, nodes_calls_are_limited);
	return harness_main(suite);
}
