/* SPDX-License-Identifier: MIT
 *
 * What is said in rooms: every action, what the others hear of it, every refusal and its
 * cause; refs; receipts; chat keys.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/system/rooms_talk.h"

static const char none[] = "6ba7b810-9dad-41d1-80b4-00c04fd430c8";

struct cast {
	struct harness *h;
	struct rooms_peer *alice, *bob, *carol;
	struct rt_id room;
};

static struct cast
begin(int type)
{
	struct cast c = {.h = rp_start("rooms.captcha=off", NULL)};

	c.alice = rp_enter(c.h, "alice");
	c.bob = rp_enter(c.h, "bob");
	c.carol = rp_enter(c.h, "carol");
	c.room = type == RT_DIRECT
		     ? rt_room(c.alice, type, "bob", c.bob, NULL)
		     : rt_room(c.alice, type, "bob carol", c.bob, c.carol, NULL);
	return c;
}

static void
end(struct cast *c)
{
	rp_free(c->alice);
	rp_free(c->bob);
	rp_free(c->carol);
	harness_free(c->h);
}

static void
refused(struct rooms_peer *p, struct rt_id room, const char *action, const char *data,
	const char *sig)
{
	rt_action(p, room, action, "%s", data);
	(void)rp_hear_status(p, sig);
}

START_TEST(sending)
{
	struct cast c = begin(RT_GROUP);
	struct rooms_peer *second = rt_again(c.alice);
	struct rt_id first, next;
	json_t *data;

	first = rt_send(c.alice, c.room, "one");
	ck_assert_int_eq(first.text[14], '7');
	data = rt_hear(c.bob, c.room, "recv");
	ck_assert_int_eq(rp_int(data, "seq"), 2);
	ck_assert_str_eq(rp_text(data, "msg"), first.text);
	ck_assert_str_eq(rp_text(data, "from"), "alice");
	ck_assert_int_gt(rp_int(data, "time"), 1700000000000);
	data = json_object_get(data, "actiondata");
	ck_assert_str_eq(rp_text(data, "format"), "msg-text");
	ck_assert_str_eq(rp_text(data, "content"), "one");
	ck_assert_ptr_null(json_object_get(data, "size"));
	(void)rt_recv(c.carol, c.room, "alice", "one");
	/* The sender's other connection hears it, too; the sender does not. */
	(void)rt_recv(second, c.room, "alice", "one");
	rp_hear_nothing(c.alice);
	/* Text comes as it went, whatever it holds. */
	next = rt_send(second, c.room, "\\\"\\\\ \\u00fc \\ud83d\\ude00 </a>");
	ck_assert_str_gt(next.text, first.text);
	(void)rt_recv(c.alice, c.room, "alice", "\"\\ \xc3\xbc \xf0\x9f\x98\x80 </a>");
	rp_free(second);
	end(&c);
}
END_TEST

START_TEST(sending_refused)
{
	struct cast c = begin(RT_GROUP);
	struct rt_id strange;
	char *text = rt_long_text(65537);

	strange = rt_create(c.bob, RT_GROUP, "Other", "carol");
	(void)rp_hear(c.carol, "JOIN_ROOM");
	refused(c.alice, strange, "send", "'format': 'msg-text', 'content': 'x'",
		"NOT_IN_ROOM");
	memcpy(strange.text, none, sizeof(none));
	refused(c.alice, strange, "send", "'format': 'msg-text', 'content': 'x'",
		"ROOM_DNE");
	refused(c.alice, c.room, "send", "'format': 'msg-video', 'content': 'x'",
		"UNSUPPORTED_MSG_FORMAT");
	refused(c.alice, c.room, "send", "'format': 'msg-text', 'content': ''",
		"INVALID_PACKET");
	refused(c.alice, c.room, "send", "'format': 'msg-text'", "INVALID_PACKET");
	refused(c.alice, c.room, "shout", "", "INVALID_PACKET");
	rp_say(c.alice, "{'type': 'CHAT_ACTION', 'data': {'room': '%s'}}", c.room.text);
	(void)rp_hear_status(c.alice, "INVALID_PACKET");
	/* 64 KiB are a message; a byte more is not. */
	rt_action(c.alice, c.room, "send", "'format': 'msg-text', 'content': '%s'", text);
	(void)rp_hear_status(c.alice, "CONTENT_ABOVE_LIMIT");
	text[65536] = '\0';
	(void)rt_send(c.alice, c.room, text);
	(void)rt_recv(c.bob, c.room, "alice", text);
	rp_hear_nothing(c.bob);
	free(text);
	end(&c);
}
END_TEST

START_TEST(channels)
{
	struct cast c = begin(RT_CHANNEL);
	struct rt_id msg;
	char data[128];

	refused(c.bob, c.room, "send", "'format': 'msg-text', 'content': 'x'",
		"NOT_ALLOWED");
	msg = rt_send(c.alice, c.room, "news");
	(void)rt_recv(c.bob, c.room, "alice", "news");
	snprintf(data, sizeof(data), "'msg': '%s'", msg.text);
	refused(c.bob, c.room, "pin", data, "NOT_ALLOWED");
	/* Promoted, bob may; demoted, he may still take back what he said. */
	rt_alter(c.alice, c.room, "promote", "'user': 'bob'");
	(void)rt_altered(c.alice, c.room, "promote", "alice");
	(void)rt_altered(c.bob, c.room, "promote", "alice");
	msg = rt_send(c.bob, c.room, "mine");
	(void)rt_recv(c.alice, c.room, "bob", "mine");
	rt_alter(c.alice, c.room, "demote", "'user': 'bob'");
	(void)rt_altered(c.alice, c.room, "demote", "alice");
	(void)rt_altered(c.bob, c.room, "demote", "alice");
	refused(c.bob, c.room, "send", "'format': 'msg-text', 'content': 'x'",
		"NOT_ALLOWED");
	rt_action(c.bob, c.room, "edit", "'msg': '%s', 'content': 'better'", msg.text);
	ck_assert_str_eq(rt_sent(c.bob).text, msg.text);
	(void)rt_hear(c.alice, c.room, "edited");
	rt_action(c.bob, c.room, "delete", "'msg': '%s', 'reason': 'no'", msg.text);
	(void)rt_sent(c.bob);
	(void)rt_hear(c.alice, c.room, "deleted");
	end(&c);
}
END_TEST

START_TEST(editing)
{
	struct cast c = begin(RT_GROUP);
	struct rt_id msg = rt_send(c.alice, c.room, "teh");
	char *text = rt_long_text(65537);
	json_t *data;

	(void)rt_recv(c.bob, c.room, "alice", "teh");
	rt_action(c.alice, c.room, "edit", "'msg': '%s', 'content': 'the'", msg.text);
	rt_status(c.alice, "SENT", c.room.text, msg.text);
	data = rt_hear(c.bob, c.room, "edited");
	ck_assert_str_eq(rp_text(data, "msg"), msg.text);
	ck_assert_str_eq(rp_text(json_object_get(data, "actiondata"), "content"), "the");
	ck_assert_str_eq(rp_text(json_object_get(data, "actiondata"), "msg"), msg.text);
	/* Not another's, also not by the owner's hand; not one that is not there. */
	rt_action(c.bob, c.room, "edit", "'msg': '%s', 'content': 'x'", msg.text);
	rt_status(c.bob, "MSG_NOT_YOURS", c.room.text, msg.text);
	rt_action(c.alice, c.room, "edit", "'msg': '%s', 'content': 'x'", none);
	rt_status(c.alice, "MSG_DNE", c.room.text, none);
	rt_action(c.alice, c.room, "edit", "'msg': 'seven', 'content': 'x'");
	(void)rp_hear_status(c.alice, "MSG_DNE");
	rt_action(c.alice, c.room, "edit", "'msg': '%s', 'content': ''", msg.text);
	(void)rp_hear_status(c.alice, "INVALID_PACKET");
	rt_action(c.alice, c.room, "edit", "'msg': '%s', 'content': '%s'", msg.text,
		  text);
	(void)rp_hear_status(c.alice, "CONTENT_ABOVE_LIMIT");
	rp_hear_nothing(c.bob);
	free(text);
	end(&c);
}
END_TEST

START_TEST(deleting)
{
	struct cast c = begin(RT_GROUP);
	struct rt_id a = rt_send(c.alice, c.room, "a"), b;
	char *reason = rt_long_text(4097);
	json_t *data;

	(void)rt_recv(c.bob, c.room, "alice", "a");
	b = rt_send(c.bob, c.room, "b");
	(void)rt_recv(c.alice, c.room, "bob", "b");
	(void)rt_recv(c.carol, c.room, "alice", "a");
	(void)rt_recv(c.carol, c.room, "bob", "b");
	rt_action(c.carol, c.room, "delete", "'msg': '%s'", b.text);
	rt_status(c.carol, "MSG_NOT_YOURS", c.room.text, b.text);
	rt_action(c.bob, c.room, "delete", "'msg': '%s', 'reason': '%s'", b.text, reason);
	(void)rp_hear_status(c.bob, "CONTENT_ABOVE_LIMIT");
	reason[4096] = '\0';
	/* The owner may delete anybody's. */
	rt_action(c.alice, c.room, "delete", "'msg': '%s', 'reason': '%s'", b.text,
		  reason);
	(void)rt_sent(c.alice);
	data = rt_hear(c.carol, c.room, "deleted");
	ck_assert_str_eq(rp_text(data, "from"), "alice");
	ck_assert_str_eq(rp_text(json_object_get(data, "actiondata"), "reason"), reason);
	/* It is gone for everything but as a place in the log. */
	rt_action(c.bob, c.room, "delete", "'msg': '%s'", b.text);
	(void)rt_hear(c.bob, c.room, "deleted");
	rt_status(c.bob, "MSG_DNE", c.room.text, b.text);
	rt_action(c.bob, c.room, "edit", "'msg': '%s', 'content': 'x'", b.text);
	rt_status(c.bob, "MSG_DNE", c.room.text, b.text);
	rt_action(c.bob, c.room, "pin", "'msg': '%s'", b.text);
	rt_status(c.bob, "MSG_DNE", c.room.text, b.text);
	/* One's own, without a reason. */
	rt_action(c.alice, c.room, "delete", "'msg': '%s'", a.text);
	(void)rt_sent(c.alice);
	data = rt_hear(c.carol, c.room, "deleted");
	ck_assert(rt_null(json_object_get(data, "actiondata"), "reason"));
	free(reason);
	end(&c);
}
END_TEST

/* In a direct room nobody deletes what the other one said. */
START_TEST(deleting_in_direct_rooms)
{
	struct cast c = begin(RT_DIRECT);
	struct rt_id b = rt_send(c.bob, c.room, "b");

	(void)rt_recv(c.alice, c.room, "bob", "b");
	rt_action(c.alice, c.room, "delete", "'msg': '%s'", b.text);
	rt_status(c.alice, "MSG_NOT_YOURS", c.room.text, b.text);
	rt_action(c.bob, c.room, "delete", "'msg': '%s'", b.text);
	(void)rt_sent(c.bob);
	(void)rt_hear(c.alice, c.room, "deleted");
	end(&c);
}
END_TEST

START_TEST(pinning)
{
	struct cast c = begin(RT_GROUP);
	struct rt_id msg = rt_send(c.alice, c.room, "a");

	(void)rt_recv(c.bob, c.room, "alice", "a");
	for (int i = 0; i < 3; i++) {
		json_t *data;

		rt_action(c.bob, c.room, "pin", "'msg': '%s'", msg.text);
		ck_assert_str_eq(rt_sent(c.bob).text, msg.text);
		data = rt_hear(c.alice, c.room, "pinned");
		ck_assert_int_eq(rp_bool(json_object_get(data, "actiondata"), "pinned"),
				 i % 2 == 0);
		ck_assert_str_eq(rp_text(data, "from"), "bob");
	}
	rt_action(c.bob, c.room, "pin", "'msg': '%s'", none);
	rt_status(c.bob, "MSG_DNE", c.room.text, none);
	end(&c);
}
END_TEST

/* A message of one room is none in another. */
START_TEST(messages_of_other_rooms)
{
	struct cast c = begin(RT_GROUP);
	struct rt_id msg = rt_send(c.alice, c.room, "a"), other;

	(void)rt_recv(c.bob, c.room, "alice", "a");
	other = rt_room(c.alice, RT_GROUP, "bob", c.bob, NULL);
	(void)rt_send(c.alice, other, "b");
	(void)rt_recv(c.bob, other, "alice", "b");
	rt_action(c.alice, other, "edit", "'msg': '%s', 'content': 'x'", msg.text);
	rt_status(c.alice, "MSG_DNE", other.text, msg.text);
	rp_say(c.alice, "{'type': 'FETCH', 'data': {'room': '%s', 'msg': '%s'}}",
	       other.text, msg.text);
	rt_status(c.alice, "MSG_DNE", other.text, msg.text);
	rp_hear_nothing(c.bob);
	end(&c);
}
END_TEST

/* ---- refs ---- */

static struct rt_id
send_ref(struct rooms_peer *p, struct rt_id room, const char *ref, const char *content)
{
	struct rt_id msg;

	rp_say(p,
	       "{'type': 'CHAT_ACTION', 'data': {'ref': '%s', 'room': '%s', 'action': "
	       "'send', 'actiondata': {'format': 'msg-text', 'content': '%s'}}}",
	       ref, room.text, content);
	msg = rt_sent(p);
	ck_assert_str_eq(rp_text(json_object_get(p->last, "data"), "ref"), ref);
	return msg;
}

START_TEST(refs)
{
	struct cast c = begin(RT_GROUP);
	struct rt_id first = send_ref(c.alice, c.room, "r-1", "once"), again, other;

	/* The same ref stores nothing, on whatever connection, after whatever happened. */
	again = send_ref(c.alice, c.room, "r-1", "twice");
	ck_assert_str_eq(again.text, first.text);
	rp_reset(c.alice);
	c.alice = rp_connect(c.h);
	rp_log_in(c.alice, "alice");
	rp_auth(c.alice);
	(void)rp_hear(c.alice, "QUEUE_END");
	again = send_ref(c.alice, c.room, "r-1", "thrice");
	ck_assert_str_eq(again.text, first.text);
	/* Another's ref is another one. */
	(void)rt_recv(c.bob, c.room, "alice", "once");
	other = send_ref(c.bob, c.room, "r-1", "bobs");
	ck_assert_str_ne(other.text, first.text);
	(void)rt_recv(c.alice, c.room, "bob", "bobs");
	rp_hear_nothing(c.bob);
	/* A server that stops right now would not know what alice has had. */
	rp_say(c.alice, "{'type': 'LOGOUT', 'data': {}}");
	(void)rp_hear_status(c.alice, "LOGGED_OUT");
	rp_free(c.alice);
	rp_free(c.bob);
	rp_free(c.carol);
	harness_stop(c.h);
	harness_restart(c.h);
	c.alice = rp_connect(c.h);
	rp_log_in(c.alice, "alice");
	rp_auth(c.alice);
	(void)rp_hear(c.alice, "QUEUE_END");
	again = send_ref(c.alice, c.room, "r-1", "after a restart");
	ck_assert_str_eq(again.text, first.text);
	rp_free(c.alice);
	harness_free(c.h);
}
END_TEST

/* Requests are answered in order, each with its ref. */
START_TEST(order_of_answers)
{
	struct cast c = begin(RT_GROUP);
	char ref[66];

	for (int i = 0; i < 50; i++) {
		rp_say(c.alice,
		       "{'type': 'CHAT_ACTION', 'data': {'ref': 's%d', 'room': "
		       "'%s', 'action': 'send', 'actiondata': {'format': "
		       "'msg-text', 'content': 'n%d'}}}",
		       i, c.room.text, i);
		rp_say(c.alice, "{'type': 'LIST_ROOMS', 'data': {'ref': 'l%d'}}", i);
		rp_say(c.alice,
		       "{'type': 'ALTER_ROOM', 'data': {'ref': 'a%d', 'action': "
		       "'rename', 'actiondata': {'room': '%s', 'name': 'N%d'}}}",
		       i, c.room.text, i);
	}
	for (int i = 0; i < 50; i++) {
		snprintf(ref, sizeof(ref), "s%d", i);
		ck_assert_str_eq(rp_text(rp_hear_status(c.alice, "SENT"), "ref"), ref);
		ref[0] = 'l';
		ck_assert_str_eq(rp_text(rp_hear(c.alice, "ROOMS"), "ref"), ref);
		ref[0] = 'a';
		ck_assert_str_eq(rp_text(rp_hear(c.alice, "ROOM_ALTERED"), "ref"), ref);
	}
	memset(ref, 'r', 65);
	ref[65] = '\0';
	rp_say(c.alice, "{'type': 'LIST_ROOMS', 'data': {'ref': '%s'}}", ref);
	(void)rp_hear_status(c.alice, "INVALID_PACKET");
	end(&c);
}
END_TEST

/* ---- receipts ---- */

static void
receipt(struct rooms_peer *p, struct rt_id room, const char *msg)
{
	rp_say(p, "{'type': 'READ_RECEIPT', 'data': {'room': '%s', 'msg': '%s'}}",
	       room.text, msg);
}

START_TEST(receipts)
{
	struct cast c = begin(RT_GROUP);
	struct rooms_peer *second = rt_again(c.bob), *all[3];
	struct rt_id one = rt_send(c.alice, c.room, "1"),
		     two = rt_send(c.alice, c.room, "2");

	all[0] = c.bob;
	all[1] = second;
	all[2] = c.carol;
	for (int i = 0; i < 3; i++) {
		(void)rt_recv(all[i], c.room, "alice", "1");
		(void)rt_recv(all[i], c.room, "alice", "2");
	}
	receipt(c.bob, c.room, two.text);
	all[0] = c.alice;
	for (int i = 0; i < 3; i++) {
		json_t *data = rp_hear(all[i], "READ_RECEIPT");

		ck_assert_str_eq(rp_text(data, "user"), "bob");
		ck_assert_str_eq(rp_text(data, "msg"), two.text);
		ck_assert_str_eq(rp_text(data, "room"), c.room.text);
	}
	/* Never back, and not again. */
	receipt(c.bob, c.room, one.text);
	receipt(second, c.room, two.text);
	rp_hear_nothing(c.bob);
	rp_hear_nothing(second);
	rp_hear_nothing(c.alice);
	receipt(c.bob, c.room, none);
	rt_status(c.bob, "MSG_DNE", c.room.text, none);
	rp_say(c.carol, "{'type': 'SYNC_ROOM_REQ', 'data': {'room': '%s', 'count': 1}}",
	       c.room.text);
	ck_assert_str_eq(
	    rp_text(json_object_get(rp_hear(c.carol, "SYNC_ROOM_DATA"), "read"), "bob"),
	    two.text);
	/* Somebody outside. */
	rp_free(second);
	second = rp_enter(c.h, "mallory");
	receipt(second, c.room, one.text);
	rt_status(second, "NOT_IN_ROOM", c.room.text, NULL);
	rp_free(second);
	end(&c);
}
END_TEST

START_TEST(no_receipts_in_channels)
{
	struct cast c = begin(RT_CHANNEL);
	struct rt_id one = rt_send(c.alice, c.room, "1");

	(void)rt_recv(c.bob, c.room, "alice", "1");
	receipt(c.bob, c.room, one.text);
	rp_hear_nothing(c.bob);
	rp_hear_nothing(c.alice);
	end(&c);
}
END_TEST

START_TEST(no_receipts_in_large_rooms)
{
	struct harness *h = rp_start("rooms.captcha=off", NULL);
	struct rooms_peer *alice, *bob;
	struct rt_id room, msg;
	char people[1024] = "bob", name[8];

	for (int i = 0; i < 31; i++) {
		snprintf(name, sizeof(name), "u%d", i);
		harness_add_user(h, name, KEY_EC_P256);
		if (i == 30)
			break; /* 32 members: alice, bob, u0 to u29 */
		snprintf(people + strlen(people), sizeof(people) - strlen(people), " %s",
			 name);
	}
	alice = rp_enter(h, "alice");
	bob = rp_enter(h, "bob");
	room = rt_room(alice, RT_GROUP, people, bob, NULL);
	msg = rt_send(alice, room, "1");
	(void)rt_recv(bob, room, "alice", "1");
	receipt(bob, room, msg.text);
	ck_assert_str_eq(rp_text(rp_hear(alice, "READ_RECEIPT"), "msg"), msg.text);
	rt_alter(alice, room, "add", "'people': ['u30']");
	(void)rt_altered(alice, room, "add", "alice");
	(void)rt_altered(bob, room, "add", "alice");
	msg = rt_send(alice, room, "2");
	(void)rt_recv(bob, room, "alice", "2");
	receipt(bob, room, msg.text);
	rp_hear_nothing(bob);
	rp_hear_nothing(alice);
	rp_free(alice);
	rp_free(bob);
	harness_free(h);
}
END_TEST

/* ---- chat keys ---- */

START_TEST(new_keys)
{
	struct cast c = begin(RT_GROUP);
	struct rt_id direct = rt_room(c.alice, RT_DIRECT, "bob", c.bob, NULL);
	char *first = NULL;

	/* Told once in each room; a ninth key pushes out the first. */
	for (int i = 0; i < 8; i++) {
		char *pem = rp_make_pem(), *text = rp_escape(pem);
		struct rt_id rooms[2] = {c.room, direct};

		rt_action(c.alice, c.room, "save-pubkey", "'chat_pubkey': '%s'", text);
		rt_status(c.alice, "CHAT_PUBKEY_OK", c.room.text, NULL);
		for (int k = 0; k < 2; k++) {
			json_t *data = rp_hear(c.bob, "CHAT_ACTION_S");
			const char *room = rp_text(data, "room");

			ck_assert(strcmp(room, rooms[0].text) == 0 ||
				  strcmp(room, rooms[1].text) == 0);
			ck_assert_str_eq(rp_text(data, "action"), "pubkey");
			ck_assert(rt_null(data, "msg"));
			data = json_object_get(data, "actiondata");
			ck_assert_str_eq(rp_text(data, "chat_pubkey"), pem);
			ck_assert_int_eq(json_object_get(data, "dropped") != NULL,
					 i == 7);
		}
		(void)rt_hear(c.carol, c.room, "pubkey");
		/* Known already: fine, and no news. */
		rt_action(c.alice, c.room, "save-pubkey", "'chat_pubkey': '%s'", text);
		rt_status(c.alice, "CHAT_PUBKEY_OK", c.room.text, NULL);
		rp_hear_nothing(c.bob);
		free(first);
		first = pem;
		free(text);
	}
	rp_say(c.bob, "{'type': 'LIST_ROOMS', 'data': {}}");
	{
		json_t *rooms = json_object_get(rp_hear(c.bob, "ROOMS"), "rooms");
		const json_t *alice = json_array_get(
		    json_object_get(json_array_get(rooms, 0), "members"), 0);

		ck_assert_uint_eq(json_array_size(json_object_get(alice, "chat_pubkeys")),
				  8);
		ck_assert_str_eq(rp_text(alice, "chat_pubkey"), first);
	}
	refused(c.alice, c.room, "save-pubkey", "'chat_pubkey': 'key'",
		"CHAT_PUBKEY_INVALID");
	refused(c.alice, c.room, "save-pubkey", "", "INVALID_PACKET");
	free(first);
	end(&c);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("rooms: actions");
	TCase *tc = harness_case(suite, "actions");

	tcase_add_test(tc, sending);
	tcase_add_test(tc, sending_refused);
	tcase_add_test(tc, channels);
	tcase_add_test(tc, editing);
	tcase_add_test(tc, deleting);
	tcase_add_test(tc, deleting_in_direct_rooms);
	tcase_add_test(tc, pinning);
	tcase_add_test(tc, messages_of_other_rooms);
	tcase_add_test(tc, refs);
	tcase_add_test(tc, order_of_answers);
	tcase_add_test(tc, receipts);
	tcase_add_test(tc, no_receipts_in_channels);
	tcase_add_test(tc, no_receipts_in_large_rooms);
	tcase_add_test(tc, new_keys);
	return harness_main(suite);
}
