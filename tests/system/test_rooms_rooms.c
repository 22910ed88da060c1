/* SPDX-License-Identifier: MIT
 *
 * Rooms themselves: making them, changing who is in them, leaving, deleting.
 */
#include <string.h>

#include "tests/system/rooms_talk.h"

struct cast {
	struct harness *h;
	struct rooms_peer *alice, *bob, *carol, *dave;
};

static struct cast
begin(void)
{
	struct cast c = {.h = rp_start("rooms.captcha=off", "rooms.max_members=4", NULL)};

	c.alice = rp_enter(c.h, "Alice");
	c.bob = rp_enter(c.h, "bob");
	c.carol = rp_enter(c.h, "carol");
	c.dave = rp_enter(c.h, "dave");
	return c;
}

static void
end(struct cast *c)
{
	rp_free(c->alice);
	rp_free(c->bob);
	rp_free(c->carol);
	rp_free(c->dave);
	harness_free(c->h);
}

START_TEST(making)
{
	struct cast c = begin();
	json_t *info;
	const json_t *member;
	struct rt_id room;

	/* Doubles, other spellings and the maker are dropped; strangers are named. */
	rp_say(c.alice, "{'type': 'CREATE_ROOM', 'data': {'room-type': 1, 'room-name': "
			"'Klasse 7a', 'ref': 'r1', 'people': ['BOB', 'nobody', 'alice', "
			"'carol', 'bob', '!', 'nobody']}}");
	info = rp_hear(c.alice, "ROOM_INFO");
	memcpy(room.text, rp_text(info, "room"), sizeof(room.text));
	ck_assert_str_eq(rp_text(info, "ref"), "r1");
	ck_assert_str_eq(rp_text(info, "room-name"), "Klasse 7a");
	ck_assert_int_eq(rp_int(info, "room-type"), 1);
	ck_assert_str_eq(rp_text(info, "owner"), "Alice");
	rt_list_is(json_object_get(info, "admins"), "");
	rt_members_are(info, "Alice bob carol");
	rt_list_is(json_object_get(info, "dne"), "nobody !");
	ck_assert_int_eq(rp_int(info, "seq"), 1);
	/* A version 4. */
	ck_assert_int_eq(room.text[14], '4');
	member = json_array_get(json_object_get(info, "members"), 1);
	ck_assert_str_eq(rp_text(member, "chat_pubkey"), c.bob->chat_pem);
	ck_assert_uint_eq(json_array_size(json_object_get(member, "chat_pubkeys")), 1);

	info = rp_hear(c.bob, "JOIN_ROOM");
	ck_assert_str_eq(rp_text(info, "room"), room.text);
	ck_assert_ptr_null(json_object_get(info, "ref"));
	rt_members_are(info, "Alice bob carol");
	rt_list_is(json_object_get(info, "dne"), "nobody !");
	ck_assert_int_eq(rp_int(info, "seq"), 1);
	ck_assert_str_eq(rp_text(rp_hear(c.carol, "JOIN_ROOM"), "room"), room.text);
	rp_hear_nothing(c.dave);
	end(&c);
}
END_TEST

START_TEST(making_refused)
{
	static const struct {
		const char *data, *sig;
	} cases[] = {
	    {"'room-type': 1, 'room-name': 'x', 'people': []",
	     "MKROOM_INSUFFICIENT_PARTICIPANTS"},
	    {"'room-type': 1, 'room-name': 'x'", "MKROOM_INSUFFICIENT_PARTICIPANTS"},
	    {"'room-type': 1, 'room-name': 'x', 'people': ['alice', 'nobody']",
	     "MKROOM_INSUFFICIENT_PARTICIPANTS"},
	    {"'room-type': 0, 'people': ['bob', 'carol']",
	     "MKROOM_INSUFFICIENT_PARTICIPANTS"},
	    {"'room-type': 0, 'people': ['ALICE']", "MKROOM_INSUFFICIENT_PARTICIPANTS"},
	    {"'room-type': 3, 'room-name': 'x', 'people': ['bob']",
	     "MKROOM_INVALID_TYPE"},
	    {"'room-type': -1, 'room-name': 'x', 'people': ['bob']",
	     "MKROOM_INVALID_TYPE"},
	    {"'room-name': 'x', 'people': ['bob']", "MKROOM_INVALID_TYPE"},
	    {"'room-type': 1, 'room-name': '', 'people': ['bob']", "MKROOM_NAME_INVALID"},
	    {"'room-type': 1, 'people': ['bob']", "MKROOM_NAME_INVALID"},
	    {"'room-type': 2, 'room-name': 'a\\u0007b', 'people': ['bob']",
	     "MKROOM_NAME_INVALID"},
	    {"'room-type': 1, 'room-name': '%s', 'people': ['bob']",
	     "MKROOM_NAME_ABOVE_LIMIT"},
	    {"'room-type': 1, 'room-name': 'x', 'people': ['bob', 'carol', 'dave', "
	     "'erin']",
	     "MKROOM_TOO_MANY"},
	    {"'room-type': '1', 'room-name': 'x', 'people': ['bob']", "INVALID_PACKET"},
	    {"'room-type': 1, 'room-name': 'x', 'people': 'bob'", "INVALID_PACKET"},
	    {"'room-type': 1, 'room-name': 'x', 'people': [7]", "INVALID_PACKET"},
	};
	struct cast c = begin();
	char name[130], data[512];

	memset(name, 'n', 129);
	name[129] = '\0';
	rp_free(rp_enter(c.h, "erin"));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *hole = strstr(cases[i].data, "%s");

		if (hole != NULL)
			snprintf(data, sizeof(data), "%.*s%s%s",
				 (int)(hole - cases[i].data), cases[i].data, name,
				 hole + 2);
		else
			snprintf(data, sizeof(data), "%s", cases[i].data);
		rp_say(c.alice, "{'type': 'CREATE_ROOM', 'data': {'ref': 'r%d', %s}}",
		       (int)i, data);
		ck_assert_msg(
		    strcmp(rp_text(rp_hear_status(c.alice, cases[i].sig), "ref") + 1,
			   "") != 0,
		    "%s", data);
	}
	rp_hear_nothing(c.bob);
	/* Up to the limit it works: the maker counts, and 128 bytes are a name. */
	name[128] = '\0';
	(void)rt_create(c.alice, RT_CHANNEL, name, "bob carol dave");
	end(&c);
}
END_TEST

START_TEST(direct_room)
{
	struct cast c = begin();
	struct rt_id room = rt_create(c.alice, RT_DIRECT, "", "bob"), again;

	ck_assert_str_eq(rp_text(rp_hear(c.bob, "JOIN_ROOM"), "room"), room.text);
	(void)rt_send(c.alice, room, "hello");
	(void)rt_recv(c.bob, room, "Alice", "hello");
	/* The same one whoever asks, whatever is asked for; nobody joins again. */
	again = rt_create(c.bob, RT_DIRECT, "another name", "Alice");
	ck_assert_str_eq(again.text, room.text);
	again = rt_create(c.alice, RT_DIRECT, "", "bob nobody");
	ck_assert_str_eq(again.text, room.text);
	rt_list_is(json_object_get(json_object_get(c.alice->last, "data"), "dne"),
		   "nobody");
	/* And another one with somebody else. */
	again = rt_create(c.alice, RT_DIRECT, "", "carol");
	ck_assert_str_ne(again.text, room.text);
	rp_hear_nothing(c.bob);
	rp_hear_nothing(c.alice);
	end(&c);
}
END_TEST

START_TEST(direct_room_is_fixed)
{
	static const struct {
		const char *action, *data;
	} cases[] = {
	    {"rename", "'name': 'x'"},
	    {"rename", "'name': ''"},
	    {"add", "'people': ['dave']"},
	    {"remove", "'people': ['bob']"},
	    {"promote", "'user': 'bob'"},
	    {"demote", "'user': 'bob'"},
	    {"delete", ""},
	    {"leave", ""},
	};
	struct cast c = begin();
	struct rt_id room = rt_room(c.alice, RT_DIRECT, "bob", c.bob, NULL);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		rt_alter(c.alice, room, cases[i].action, "%s", cases[i].data);
		rt_status(c.alice, "NOT_ALLOWED", room.text, NULL);
	}
	rp_hear_nothing(c.bob);
	end(&c);
}
END_TEST

/* Both ask at once, again and again: always one room. */
START_TEST(direct_room_at_once)
{
	static const char ask[] = "{'type': 'CREATE_ROOM', 'data': {'room-type': 0, "
				  "'people': ['%s']}}";
	struct harness *h = rp_start("rooms.captcha=off", NULL);
	struct rooms_peer *alice = rp_enter(h, "alice");

	for (int i = 0; i < 5; i++) {
		char name[16], made[37];
		struct rooms_peer *p, *peers[2] = {alice, NULL};
		int infos = 0, joins = 0;

		snprintf(name, sizeof(name), "friend%d", i);
		peers[1] = p = rp_enter(h, name);
		rp_say(alice, ask, name);
		rp_say(p, ask, "alice");
		/* Each gets ROOM_INFO; the second one to be served got JOIN_ROOM first. */
		made[0] = '\0';
		for (int k = 0; k < 2; k++) {
			const char *type;
			json_t *data = rp_next(peers[k], &type);

			if (strcmp(type, "JOIN_ROOM") == 0) {
				joins++;
				data = rp_next(peers[k], &type);
			}
			ck_assert_str_eq(type, "ROOM_INFO");
			infos++;
			if (made[0] != '\0')
				ck_assert_str_eq(rp_text(data, "room"), made);
			memcpy(made, rp_text(data, "room"), sizeof(made));
		}
		ck_assert_int_eq(infos, 2);
		/* It may come behind the own ROOM_INFO, too. */
		for (int k = 0; k < 2 && joins == 0; k++) {
			rp_say(peers[k], "{'type': 'LIST_ROOMS', 'data': {}}");
			for (const char *type = ""; strcmp(type, "ROOMS") != 0;) {
				(void)rp_next(peers[k], &type);
				joins += strcmp(type, "JOIN_ROOM") == 0;
			}
		}
		ck_assert_int_eq(joins, 1);
		rp_free(p);
	}
	rp_free(alice);
	harness_free(h);
}
END_TEST

START_TEST(renaming)
{
	struct cast c = begin();
	struct rt_id room = rt_room(c.alice, RT_GROUP, "bob", c.bob, NULL);
	struct rooms_peer *second = rt_again(c.alice);
	struct rooms_peer *hear[] = {c.alice, c.bob, second};
	char name[130];

	rt_alter(c.alice, room, "rename", "'name': 'Neu'");
	for (int i = 0; i < 3; i++) {
		json_t *data = rt_altered(hear[i], room, "rename", "Alice"), *info;

		info = json_object_get(data, "info");
		ck_assert_str_eq(rp_text(json_object_get(data, "actiondata"), "name"),
				 "Neu");
		ck_assert_str_eq(rp_text(info, "room-name"), "Neu");
		rt_members_are(info, "Alice bob");
		ck_assert_ptr_null(json_object_get(
		    json_array_get(json_object_get(info, "members"), 0), "chat_pubkey"));
		ck_assert_int_eq(rp_int(data, "seq"), 2);
	}
	memset(name, 'n', 129);
	name[129] = '\0';
	rt_alter(c.alice, room, "rename", "'name': '%s'", name);
	rt_status(c.alice, "MKROOM_NAME_ABOVE_LIMIT", room.text, NULL);
	rt_alter(c.alice, room, "rename", "'name': ''");
	rt_status(c.alice, "MKROOM_NAME_INVALID", room.text, NULL);
	rt_alter(c.bob, room, "rename", "'name': ''");
	rt_status(c.bob, "NOT_ALLOWED", room.text, NULL);
	rt_alter(c.bob, room, "rename", "'name': 'x'");
	rt_status(c.bob, "NOT_ALLOWED", room.text, NULL);
	rt_alter(c.dave, room, "rename", "'name': 'x'");
	rt_status(c.dave, "NOT_IN_ROOM", room.text, NULL);
	rp_free(second);
	end(&c);
}
END_TEST

START_TEST(adding)
{
	struct cast c = begin();
	struct rt_id room = rt_room(c.alice, RT_GROUP, "bob", c.bob, NULL);
	json_t *data, *info;

	(void)rt_send(c.alice, room, "before");
	(void)rt_recv(c.bob, room, "Alice", "before");
	rp_say(c.alice,
	       "{'type': 'ALTER_ROOM', 'data': {'ref': 'a', 'action': 'add', "
	       "'actiondata': {'room': '%s', 'people': ['CAROL', 'bob', 'none']}}}",
	       room.text);
	data = rt_altered(c.alice, room, "add", "Alice");
	ck_assert_str_eq(rp_text(data, "ref"), "a");
	rt_list_is(json_object_get(data, "dne"), "none bob");
	rt_list_is(json_object_get(json_object_get(data, "actiondata"), "people"),
		   "carol");
	info = json_object_get(data, "info");
	rt_members_are(info, "Alice bob carol");
	/* Only those who came in show their keys. */
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(
		    json_object_get(json_array_get(json_object_get(info, "members"), i),
				    "chat_pubkey") != NULL,
		    i == 2);
	data = rt_altered(c.bob, room, "add", "Alice");
	ck_assert_ptr_null(json_object_get(data, "ref"));
	/* Who is added joins, with everybody's keys, and hears nothing older. */
	data = rp_hear(c.carol, "JOIN_ROOM");
	ck_assert_str_eq(rp_text(data, "room"), room.text);
	ck_assert_int_eq(rp_int(data, "seq"), 3);
	ck_assert_str_eq(
	    rp_text(json_array_get(json_object_get(data, "members"), 0), "chat_pubkey"),
	    c.alice->chat_pem);
	rt_list_is(json_object_get(data, "dne"), "");
	(void)rt_send(c.carol, room, "hi");
	ck_assert_int_eq(rt_recv(c.alice, room, "carol", "hi"), 4);
	(void)rt_recv(c.bob, room, "carol", "hi");
	/* Nobody to add; too many; without the right. */
	rt_alter(c.alice, room, "add", "'people': ['bob', 'none']");
	rt_status(c.alice, "MKROOM_INSUFFICIENT_PARTICIPANTS", room.text, NULL);
	rp_free(rp_enter(c.h, "erin"));
	rt_alter(c.alice, room, "add", "'people': ['dave', 'erin']");
	rt_status(c.alice, "MKROOM_TOO_MANY", room.text, NULL);
	rt_alter(c.bob, room, "add", "'people': ['dave']");
	rt_status(c.bob, "NOT_ALLOWED", room.text, NULL);
	rp_hear_nothing(c.dave);
	end(&c);
}
END_TEST

/* A name, which nobody has, that would be sent to all members. */
START_TEST(endless_names)
{
	struct cast c = begin();
	struct rt_id room = rt_room(c.alice, RT_GROUP, "bob", c.bob, NULL);
	size_t n = 100000;
	char *name = calloc(1, n + 1);
	const json_t *dne;

	memset(name, 'x', n);
	rp_say(c.alice,
	       "{'type': 'CREATE_ROOM', 'data': {'room-type': 1, 'room-name': 'R', "
	       "'people': ['bob', '%s']}}",
	       name);
	(void)rp_hear_status(c.alice, "MKROOM_TOO_MANY");
	rt_alter(c.alice, room, "add", "'people': ['carol', '%s']", name);
	rt_status(c.alice, "MKROOM_TOO_MANY", room.text, NULL);
	rt_alter(c.alice, room, "remove", "'people': ['bob', '%s']", name);
	rt_status(c.alice, "MKROOM_TOO_MANY", room.text, NULL);
	name[60000] = '\0'; /* and one that is as long as it may be */
	rt_alter(c.alice, room, "add", "'people': ['carol', '%s']", name);
	dne = json_object_get(rt_altered(c.alice, room, "add", "Alice"), "dne");
	ck_assert_uint_eq(json_string_length(json_array_get(dne, 0)), 60000);
	(void)rt_altered(c.bob, room, "add", "Alice");
	(void)rp_hear(c.carol, "JOIN_ROOM");
	free(name);
	end(&c);
}
END_TEST

START_TEST(removing)
{
	struct cast c = begin();
	struct rt_id room =
	    rt_room(c.alice, RT_GROUP, "bob carol dave", c.bob, c.carol, c.dave, NULL);
	struct rooms_peer *second = rt_again(c.carol);
	json_t *data;

	rp_free(rp_enter(c.h, "Erin"));
	rt_alter(c.alice, room, "remove",
		 "'people': ['Carol', 'alice', 'none', 'erin', '']");
	data = rt_altered(c.alice, room, "remove", "Alice");
	rt_list_is(json_object_get(json_object_get(data, "actiondata"), "people"),
		   "carol");
	rt_list_is(json_object_get(data, "dne"), "none erin  Alice");
	rt_members_are(json_object_get(data, "info"), "Alice bob dave");
	(void)rt_altered(c.bob, room, "remove", "Alice");
	(void)rt_altered(c.dave, room, "remove", "Alice");
	/* Those who are removed hear it on all connections, and nothing more. */
	(void)rt_altered(c.carol, room, "remove", "Alice");
	(void)rt_altered(second, room, "remove", "Alice");
	(void)rt_send(c.bob, room, "gone");
	(void)rt_recv(c.alice, room, "bob", "gone");
	(void)rt_recv(c.dave, room, "bob", "gone");
	rp_hear_nothing(c.carol);
	rp_hear_nothing(second);
	rt_action(c.carol, room, "send", "'format': 'msg-text', 'content': 'x'");
	rt_status(c.carol, "NOT_IN_ROOM", room.text, NULL);
	/* Rights. */
	rt_alter(c.bob, room, "remove", "'people': ['dave']");
	rt_status(c.bob, "NOT_ALLOWED", room.text, NULL);
	rt_alter(c.alice, room, "remove", "'people': ['carol']");
	rt_status(c.alice, "NOT_IN_ROOM", room.text, NULL);
	rt_alter(c.alice, room, "remove", "'people': ['alice']");
	rt_status(c.alice, "NOT_ALLOWED", room.text, NULL);
	/* Back in: everything goes on. */
	rt_alter(c.alice, room, "add", "'people': ['carol']");
	(void)rt_altered(c.alice, room, "add", "Alice");
	(void)rp_hear(c.carol, "JOIN_ROOM");
	(void)rp_hear(second, "JOIN_ROOM");
	(void)rt_send(c.carol, room, "back");
	(void)rt_recv(second, room, "carol", "back");
	(void)rt_recv(c.alice, room, "carol", "back");
	rp_free(second);
	end(&c);
}
END_TEST

START_TEST(ranks)
{
	struct cast c = begin();
	struct rt_id room =
	    rt_room(c.alice, RT_GROUP, "bob carol dave", c.bob, c.carol, c.dave, NULL);
	struct rooms_peer *all[] = {c.alice, c.bob, c.carol, c.dave};
	json_t *data = NULL;

	rt_alter(c.bob, room, "promote", "'user': 'bob'");
	rt_status(c.bob, "NOT_ALLOWED", room.text, NULL);
	rt_alter(c.alice, room, "promote", "'user': 'nobody'");
	rt_status(c.alice, "NOT_IN_ROOM", room.text, NULL);
	rt_alter(c.alice, room, "promote", "'user': 'alice'");
	rt_status(c.alice, "NOT_ALLOWED", room.text, NULL);
	rt_alter(c.alice, room, "demote", "'user': 'bob'");
	rt_status(c.alice, "NOT_ALLOWED", room.text, NULL);
	rt_alter(c.alice, room, "promote", "'user': 'CAROL'");
	rt_alter(c.alice, room, "promote", "'user': 'bob'");
	for (int i = 0; i < 4; i++) {
		data = rt_altered(all[i], room, "promote", "Alice");
		ck_assert_str_eq(rp_text(json_object_get(data, "actiondata"), "user"),
				 "carol");
		data = rt_altered(all[i], room, "promote", "Alice");
		rt_list_is(json_object_get(json_object_get(data, "info"), "admins"),
			   "carol bob");
	}
	/* An admin may do this and not that. */
	rt_alter(c.bob, room, "rename", "'name': 'Bobs'");
	for (int i = 0; i < 4; i++)
		(void)rt_altered(all[i], room, "rename", "bob");
	rt_alter(c.bob, room, "remove", "'people': ['carol']");
	rt_status(c.bob, "NOT_ALLOWED", room.text, NULL);
	rt_alter(c.bob, room, "remove", "'people': ['alice']");
	rt_status(c.bob, "NOT_ALLOWED", room.text, NULL);
	rt_alter(c.bob, room, "demote", "'user': 'carol'");
	rt_status(c.bob, "NOT_ALLOWED", room.text, NULL);
	rt_alter(c.bob, room, "delete", "%s", "");
	rt_status(c.bob, "NOT_ALLOWED", room.text, NULL);
	rt_alter(c.alice, room, "demote", "'user': 'carol'");
	for (int i = 0; i < 4; i++)
		data = rt_altered(all[i], room, "demote", "Alice");
	rt_list_is(json_object_get(json_object_get(data, "info"), "admins"), "bob");
	end(&c);
}
END_TEST

/* The owner leaves: the first admin, then the first member; the last one ends it. */
START_TEST(leaving)
{
	struct cast c = begin();
	struct rt_id room =
	    rt_room(c.alice, RT_GROUP, "bob carol dave", c.bob, c.carol, c.dave, NULL);
	struct rooms_peer *all[] = {c.alice, c.bob, c.carol, c.dave};
	struct rooms_peer *second = rt_again(c.alice);
	json_t *data;

	rt_alter(c.alice, room, "promote", "'user': 'carol'");
	for (int i = 0; i < 4; i++)
		(void)rt_altered(all[i], room, "promote", "Alice");
	(void)rt_altered(second, room, "promote", "Alice");
	rp_say(c.alice,
	       "{'type': 'ALTER_ROOM', 'data': {'ref': 'bye', 'action': 'leave', "
	       "'actiondata': {'room': '%s'}}}",
	       room.text);
	data = rt_altered(c.alice, room, "leave", "Alice");
	ck_assert_str_eq(rp_text(data, "ref"), "bye");
	(void)rt_altered(second, room, "leave", "Alice");
	data = rt_altered(c.bob, room, "leave", "Alice");
	ck_assert_str_eq(rp_text(json_object_get(data, "info"), "owner"), "carol");
	rt_members_are(json_object_get(data, "info"), "bob carol dave");
	(void)rt_altered(c.carol, room, "leave", "Alice");
	(void)rt_altered(c.dave, room, "leave", "Alice");
	rt_alter(c.alice, room, "leave", "%s", "");
	rt_status(c.alice, "NOT_IN_ROOM", room.text, NULL);
	rt_alter(c.carol, room, "leave", "%s", "");
	(void)rt_altered(c.carol, room, "leave", "carol");
	data = rt_altered(c.bob, room, "leave", "carol");
	ck_assert_str_eq(rp_text(json_object_get(data, "info"), "owner"), "bob");
	(void)rt_altered(c.dave, room, "leave", "carol");
	rt_alter(c.bob, room, "leave", "%s", "");
	(void)rt_altered(c.bob, room, "leave", "bob");
	(void)rt_altered(c.dave, room, "leave", "bob");
	rt_alter(c.dave, room, "leave", "%s", "");
	data = rt_altered(c.dave, room, "leave", "dave");
	ck_assert(rt_null(data, "info"));
	rt_alter(c.dave, room, "leave", "%s", "");
	rt_status(c.dave, "ROOM_DNE", room.text, NULL);
	rt_alter(c.alice, room, "leave", "%s", "");
	rt_status(c.alice, "ROOM_DNE", room.text, NULL);
	rp_free(second);
	end(&c);
}
END_TEST

START_TEST(deleting)
{
	struct cast c = begin();
	struct rt_id room = rt_room(c.alice, RT_GROUP, "bob carol", c.bob, c.carol, NULL);
	json_t *data;

	/* carol is away: what waits is dropped but for the end. */
	rp_free(c.carol);
	(void)rt_send(c.alice, room, "never read");
	(void)rt_recv(c.bob, room, "Alice", "never read");
	rp_say(c.alice,
	       "{'type': 'ALTER_ROOM', 'data': {'ref': 'del', 'action': 'delete', "
	       "'actiondata': {'room': '%s'}}}",
	       room.text);
	data = rt_altered(c.alice, room, "delete", "Alice");
	ck_assert_str_eq(rp_text(data, "ref"), "del");
	ck_assert(rt_null(data, "info"));
	data = rt_altered(c.bob, room, "delete", "Alice");
	ck_assert(rt_null(data, "info"));
	rt_action(c.bob, room, "send", "'format': 'msg-text', 'content': 'x'");
	rt_status(c.bob, "ROOM_DNE", room.text, NULL);
	rp_say(c.alice, "{'type': 'SYNC_ROOM_REQ', 'data': {'room': '%s', 'count': 1}}",
	       room.text);
	rt_status(c.alice, "ROOM_DNE", room.text, NULL);
	c.carol = rp_connect(c.h);
	rp_log_in(c.carol, "carol");
	rp_auth(c.carol);
	(void)rt_altered(c.carol, room, "delete", "Alice");
	(void)rp_hear(c.carol, "QUEUE_END");
	end(&c);
}
END_TEST

START_TEST(unknown_rooms)
{
	struct cast c = begin();
	struct rt_id nil = {"00000000-0000-0000-0000-000000000000"},
		     none = {"6ba7b810-9dad-41d1-80b4-00c04fd430c8"}, no = {"kitchen"};

	rt_alter(c.alice, none, "leave", "%s", "");
	rt_status(c.alice, "ROOM_DNE", none.text, NULL);
	rt_alter(c.alice, nil, "delete", "%s", "");
	(void)rp_hear_status(c.alice, "ROOM_DNE");
	rt_alter(c.alice, no, "rename", "'name': 'x'");
	(void)rp_hear_status(c.alice, "ROOM_DNE");
	rp_say(c.alice, "{'type': 'ALTER_ROOM', 'data': {'action': 'leave', "
			"'actiondata': {}}}");
	(void)rp_hear_status(c.alice, "INVALID_PACKET");
	rt_alter(c.alice, none, "explode", "%s", "");
	(void)rp_hear_status(c.alice, "INVALID_PACKET");
	end(&c);
}
END_TEST

/* Who is removed from the server is in no room any more, and a new user of that name is
 * in none either. */
START_TEST(removed_user)
{
	struct cast c = begin();
	struct rt_id group =
	    rt_room(c.alice, RT_GROUP, "bob carol", c.bob, c.carol, NULL);
	struct rt_id direct = rt_room(c.bob, RT_DIRECT, "alice", c.alice, NULL);
	json_t *data;

	rp_free(c.bob);
	harness_admin(c.h, "user", "remove", "bob", NULL);
	for (int i = 0; i < 2; i++) {
		data = rp_hear(c.alice, "ROOM_ALTERED");
		ck_assert_str_eq(rp_text(data, "action"), "leave");
		ck_assert_str_eq(rp_text(data, "by"), "bob");
	}
	(void)rt_altered(c.carol, group, "leave", "bob");
	c.bob = rp_enter(c.h, "bob");
	rp_say(c.bob, "{'type': 'LIST_ROOMS', 'data': {}}");
	ck_assert_uint_eq(
	    json_array_size(json_object_get(rp_hear(c.bob, "ROOMS"), "rooms")), 0);
	/* The old direct room stays with the other one; the new bob gets a new one. */
	(void)rt_send(c.alice, direct, "to nobody");
	ck_assert_str_ne(rt_create(c.alice, RT_DIRECT, "", "bob").text, direct.text);
	(void)rp_hear(c.bob, "JOIN_ROOM");
	rt_action(c.bob, group, "send", "'format': 'msg-text', 'content': 'x'");
	rt_status(c.bob, "NOT_IN_ROOM", group.text, NULL);
	end(&c);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("rooms: rooms");
	TCase *tc = harness_case(suite, "rooms");

	tcase_add_test(tc, making);
	tcase_add_test(tc, making_refused);
	tcase_add_test(tc, direct_room);
	tcase_add_test(tc, direct_room_is_fixed);
	tcase_add_test(tc, direct_room_at_once);
	tcase_add_test(tc, renaming);
	tcase_add_test(tc, adding);
	tcase_add_test(tc, endless_names);
	tcase_add_test(tc, removing);
	tcase_add_test(tc, ranks);
	tcase_add_test(tc, leaving);
	tcase_add_test(tc, deleting);
	tcase_add_test(tc, unknown_rooms);
	tcase_add_test(tc, removed_user);
	return harness_main(suite);
}
