/* SPDX-License-Identifier: MIT
 *
 * Pages of what was said, and of rooms.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/system/contacts_play.h"
#include "tests/system/rooms_talk.h"

static json_t *
sync_page(struct rooms_peer *p, struct rt_id room, int count, const char *from)
{
	if (from == NULL)
		rp_say(p,
		       "{'type': 'SYNC_ROOM_REQ', 'data': {'ref': 's', 'room': '%s', "
		       "'count': %d, 'from': null}}",
		       room.text, count);
	else
		rp_say(p,
		       "{'type': 'SYNC_ROOM_REQ', 'data': {'ref': 's', 'room': '%s', "
		       "'count': %d, 'from': '%s'}}",
		       room.text, count, from);
	return rp_hear(p, "SYNC_ROOM_DATA");
}

static const json_t *
message(const json_t *page, size_t i)
{
	return json_array_get(json_object_get(page, "messages"), i);
}

/* The contents of a page, and whether there is more. */
static void
page_is(const json_t *page, const char *contents, bool more)
{
	json_t *list = json_array();
	const json_t *m;
	size_t i;

	json_array_foreach(json_object_get(page, "messages"), i, m)
	    json_array_append(list, json_object_get(m, "content"));
	rt_list_is(list, contents);
	json_decref(list);
	ck_assert_int_eq(rp_bool(page, "more"), more);
	ck_assert_str_eq(rp_text(page, "ref"), "s");
}

/* Ten messages, "0" to "9". */
static void
ten(struct rooms_peer *p, struct rt_id room, struct rt_id msg[10])
{
	char text[4];

	for (int i = 0; i < 10; i++) {
		snprintf(text, sizeof(text), "%d", i);
		msg[i] = rt_send(p, room, text);
	}
}

START_TEST(pages)
{
	struct harness *h = rp_start("rooms.captcha=off", NULL);
	struct rooms_peer *alice = rp_enter(h, "alice"), *bob = rp_enter(h, "bob");
	struct rt_id room = rt_room(alice, RT_GROUP, "bob", bob, NULL), msg[10];
	const json_t *m;
	json_t *page;

	page = sync_page(alice, room, 5, NULL);
	page_is(page, "", false);
	ck_assert_uint_eq(json_object_size(json_object_get(page, "read")), 0);
	ten(alice, room, msg);
	page_is(sync_page(alice, room, 3, NULL), "0 1 2", true);
	page_is(sync_page(alice, room, 3, msg[2].text), "3 4 5", true);
	page_is(sync_page(alice, room, 4, msg[5].text), "6 7 8 9", false);
	page_is(sync_page(alice, room, 4, msg[9].text), "", false);
	page_is(sync_page(alice, room, -3, NULL), "7 8 9", true);
	page_is(sync_page(alice, room, -3, msg[7].text), "4 5 6", true);
	page_is(sync_page(alice, room, -4, msg[4].text), "0 1 2 3", false);
	page_is(sync_page(alice, room, -4, msg[0].text), "", false);
	page_is(sync_page(alice, room, 1000000, NULL), "0 1 2 3 4 5 6 7 8 9", false);
	page = sync_page(alice, room, 1, NULL);
	m = message(page, 0);
	ck_assert_str_eq(rp_text(m, "msg"), msg[0].text);
	ck_assert_str_eq(rp_text(m, "from"), "alice");
	ck_assert_str_eq(rp_text(m, "format"), "msg-text");
	ck_assert_int_gt(rp_int(m, "time"), 1700000000000);
	ck_assert(!rp_bool(m, "edited") && !rp_bool(m, "deleted") &&
		  !rp_bool(m, "pinned"));
	rp_free(alice);
	rp_free(bob);
	harness_free(h);
}
END_TEST

START_TEST(refused)
{
	static const struct {
		const char *data, *sig;
	} cases[] = {
	    {"'count': 0", "INVALID_PACKET"},
	    {"'count': 1.5", "INVALID_PACKET"},
	    {"'count': '1'", "INVALID_PACKET"},
	    {"'from': null", "INVALID_PACKET"},
	    {"'count': 1, 'from': '6ba7b810-9dad-41d1-80b4-00c04fd430c8'", "MSG_DNE"},
	    {"'count': -1, 'from': 'kitchen'", "MSG_DNE"},
	};
	struct harness *h = rp_start("rooms.captcha=off", NULL);
	struct rooms_peer *alice = rp_enter(h, "alice"), *bob = rp_enter(h, "bob"),
			  *carol = rp_enter(h, "carol");
	struct rt_id room = rt_room(alice, RT_GROUP, "bob", bob, NULL);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		rp_say(alice, "{'type': 'SYNC_ROOM_REQ', 'data': {'room': '%s', %s}}",
		       room.text, cases[i].data);
		(void)rp_hear_status(alice, cases[i].sig);
	}
	rp_say(carol, "{'type': 'SYNC_ROOM_REQ', 'data': {'room': '%s', 'count': 1}}",
	       room.text);
	rt_status(carol, "NOT_IN_ROOM", room.text, NULL);
	rp_say(carol, "{'type': 'FETCH', 'data': {'room': '%s', 'msg': '%s'}}", room.text,
	       room.text);
	rt_status(carol, "NOT_IN_ROOM", room.text, NULL);
	rp_say(alice, "{'type': 'SYNC_ROOM_REQ', 'data': {'count': 1}}");
	(void)rp_hear_status(alice, "INVALID_PACKET");
	rp_free(alice);
	rp_free(bob);
	rp_free(carol);
	harness_free(h);
}
END_TEST

/* Pages show how messages stand: edited, pinned, deleted; and after a restart. */
START_TEST(standing)
{
	struct harness *h = rp_start("rooms.captcha=off", NULL);
	struct rooms_peer *alice = rp_enter(h, "alice"), *bob = rp_enter(h, "bob");
	struct rt_id room = rt_room(alice, RT_GROUP, "bob", bob, NULL), msg[10];
	const json_t *m;
	json_t *page;

	ten(alice, room, msg);
	rt_action(alice, room, "edit", "'msg': '%s', 'content': 'one'", msg[1].text);
	(void)rt_sent(alice);
	rt_action(alice, room, "pin", "'msg': '%s'", msg[2].text);
	(void)rt_sent(alice);
	rt_action(alice, room, "delete", "'msg': '%s', 'reason': 'why'", msg[3].text);
	(void)rt_sent(alice);
	rt_action(alice, room, "delete", "'msg': '%s'", msg[4].text);
	(void)rt_sent(alice);
	for (int round = 0; round < 2; round++) {
		page = sync_page(alice, room, 5, NULL);
		m = message(page, 1);
		ck_assert_str_eq(rp_text(m, "content"), "one");
		ck_assert(rp_bool(m, "edited") && !rp_bool(m, "pinned"));
		m = message(page, 2);
		ck_assert(rp_bool(m, "pinned") && !rp_bool(m, "edited"));
		m = message(page, 3);
		ck_assert(rp_bool(m, "deleted") && rt_null(m, "content"));
		ck_assert_str_eq(rp_text(m, "reason"), "why");
		ck_assert_str_eq(rp_text(m, "from"), "alice");
		m = message(page, 4);
		ck_assert(rp_bool(m, "deleted") && rt_null(m, "content") &&
			  rt_null(m, "reason"));
		/* A tombstone is a place to go on from. */
		page_is(sync_page(alice, room, 2, msg[3].text), "(null) 5", true);
		page_is(sync_page(alice, room, -2, msg[3].text), "one 2", true);
		if (round == 1)
			break;
		rp_free(alice);
		rp_free(bob);
		harness_stop(h);
		harness_restart(h);
		alice = rp_connect(h);
		rp_log_in(alice, "alice");
		rp_auth(alice);
		(void)rp_hear(alice, "QUEUE_END");
	}
	rp_free(alice);
	harness_free(h);
}
END_TEST

/* A page ends before its contents exceed 1 MiB. */
START_TEST(bytes_of_a_page)
{
	struct harness *h = rp_start("rooms.captcha=off", NULL);
	struct rooms_peer *alice = rp_enter(h, "alice"), *bob = rp_enter(h, "bob");
	struct rt_id room = rt_room(alice, RT_GROUP, "bob", bob, NULL), msg[20];
	char *text = malloc(65537);
	json_t *page;

	memset(text, 'x', 65536);
	text[65536] = '\0';
	for (int i = 0; i < 20; i++)
		msg[i] = rt_send(alice, room, text);
	page = sync_page(alice, room, 20, NULL);
	ck_assert_uint_eq(json_array_size(json_object_get(page, "messages")), 16);
	ck_assert(rp_bool(page, "more"));
	ck_assert_str_eq(rp_text(message(page, 15), "msg"), msg[15].text);
	page = sync_page(alice, room, 20, msg[15].text);
	ck_assert_uint_eq(json_array_size(json_object_get(page, "messages")), 4);
	ck_assert(!rp_bool(page, "more"));
	/* Backwards it keeps the newest. */
	page = sync_page(alice, room, -20, NULL);
	ck_assert_uint_eq(json_array_size(json_object_get(page, "messages")), 16);
	ck_assert_str_eq(rp_text(message(page, 0), "msg"), msg[4].text);
	ck_assert(rp_bool(page, "more"));
	free(text);
	rp_free(alice);
	rp_free(bob);
	harness_free(h);
}
END_TEST

/* 200 are a page, whatever was asked for; new members see the whole log. */
START_TEST(newcomers_read_all)
{
	struct harness *h = rp_start("rooms.captcha=off", NULL);
	struct rooms_peer *alice = rp_enter(h, "alice"), *bob = rp_enter(h, "bob"),
			  *carol = rp_enter(h, "carol");
	struct rt_id room = rt_room(alice, RT_GROUP, "bob", bob, NULL);
	char from[37], text[8];
	const json_t *m;
	json_t *page;
	size_t i, n = 0;

	for (int k = 0; k < 250; k++) {
		snprintf(text, sizeof(text), "%d", k);
		(void)rt_send(alice, room, text);
	}
	rt_alter(alice, room, "add", "'people': ['carol']");
	(void)rp_hear(carol, "JOIN_ROOM");
	page = sync_page(carol, room, 250, NULL);
	ck_assert_uint_eq(json_array_size(json_object_get(page, "messages")), 200);
	ck_assert(rp_bool(page, "more"));
	for (int k = 0; k < 2; k++) {
		json_array_foreach(json_object_get(page, "messages"), i, m)
		{
			ck_assert_uint_eq(strtoul(rp_text(m, "content"), NULL, 10), n++);
			memcpy(from, rp_text(m, "msg"), sizeof(from));
		}
		if (k == 0)
			page = sync_page(carol, room, 200, from);
	}
	ck_assert_uint_eq(n, 250);
	rp_free(alice);
	rp_free(bob);
	rp_free(carol);
	harness_free(h);
}
END_TEST

START_TEST(files_in_pages)
{
	struct harness *h = rp_start("rooms.captcha=off", NULL);
	struct rooms_peer *alice = rp_enter(h, "alice"), *bob = rp_enter(h, "bob");
	struct rt_id room = rt_room(alice, RT_GROUP, "bob", bob, NULL);
	char *text = malloc(70001);
	const json_t *m;

	memset(text, 'x', 70000);
	text[70000] = '\0';
	rt_action(alice, room, "send", "'format': 'msg-smallfile', 'content': '%s'",
		  text);
	(void)rt_sent(alice);
	rt_action(alice, room, "send", "'format': 'msg-smallfile', 'content': 'small'");
	(void)rt_sent(alice);
	m = message(sync_page(alice, room, 2, NULL), 0);
	ck_assert(rt_null(m, "content"));
	ck_assert_int_eq(rp_int(m, "size"), 70000);
	ck_assert_str_eq(rp_text(m, "format"), "msg-smallfile");
	m = message(sync_page(alice, room, 2, NULL), 1);
	ck_assert_str_eq(rp_text(m, "content"), "small");
	free(text);
	rp_free(alice);
	rp_free(bob);
	harness_free(h);
}
END_TEST

/* ---- LIST_ROOMS ---- */

START_TEST(listing)
{
	struct harness *h = rp_start("rooms.captcha=off", NULL);
	struct rooms_peer *alice = rp_enter(h, "alice"), *bob = rp_enter(h, "bob");
	char after[37] = "";
	json_t *data, *rooms, *info;
	size_t i, seen = 0;

	rp_say(bob, "{'type': 'LIST_ROOMS', 'data': {'after': null, 'count': 10}}");
	data = rp_hear(bob, "ROOMS");
	ck_assert_uint_eq(json_array_size(json_object_get(data, "rooms")), 0);
	ck_assert(!rp_bool(data, "more"));
	for (int k = 0; k < 7; k++) {
		(void)rt_create(alice, k % 2 == 0 ? RT_GROUP : RT_CHANNEL, "R", "bob");
		(void)rp_hear(bob, "JOIN_ROOM");
	}
	for (int page = 0; page < 3; page++) {
		if (page == 0)
			rp_say(bob, "{'type': 'LIST_ROOMS', 'data': {'ref': 'l', "
				    "'after': null, 'count': 3}}");
		else
			rp_say(bob,
			       "{'type': 'LIST_ROOMS', 'data': {'ref': 'l', 'after': "
			       "'%s', 'count': 3}}",
			       after);
		data = rp_hear(bob, "ROOMS");
		rooms = json_object_get(data, "rooms");
		ck_assert_str_eq(rp_text(data, "ref"), "l");
		ck_assert_int_eq(rp_bool(data, "more"), page < 2);
		ck_assert_uint_eq(json_array_size(rooms), page < 2 ? 3 : 1);
		json_array_foreach(rooms, i, info)
		{
			ck_assert_str_gt(rp_text(info, "room"), after);
			memcpy(after, rp_text(info, "room"), sizeof(after));
			rt_members_are(info, "alice bob");
			ck_assert_ptr_null(json_object_get(info, "seq"));
			ck_assert_str_eq(
			    rp_text(json_array_get(json_object_get(info, "members"), 0),
				    "chat_pubkey"),
			    alice->chat_pem);
			seen++;
		}
	}
	ck_assert_uint_eq(seen, 7);
	rp_say(bob, "{'type': 'LIST_ROOMS', 'data': {'count': 0}}");
	(void)rp_hear_status(bob, "INVALID_PACKET");
	rp_free(alice);
	rp_free(bob);
	harness_free(h);
}
END_TEST

/* At most 1 MiB: rooms with many members make a page shorter. */
START_TEST(bytes_of_a_list)
{
	struct harness *h = rp_start("rooms.captcha=off", NULL);
	char *people = calloc(1, 64 * 1024), name[40];
	struct rooms_peer *alice;
	json_t *data, *rooms;
	size_t seen = 0, pages = 0;
	char after[37] = "00000000-0000-0000-0000-000000000000";

	/* Some 45 KiB a room. */
	for (int i = 0; i < 700; i++) {
		snprintf(name, sizeof(name), "a-name-of-thirty-characters-%04d", i);
		play_add_users(h, name);
		snprintf(people + strlen(people), 64, "%s%s", i > 0 ? " " : "", name);
	}
	alice = rp_enter(h, "alice");
	for (int i = 0; i < 20; i++)
		(void)rt_create(alice, RT_GROUP, "R", people);
	for (bool more = true; more; pages++) {
		rp_say(alice, "{'type': 'LIST_ROOMS', 'data': {'after': '%s'}}", after);
		data = rp_hear(alice, "ROOMS");
		rooms = json_object_get(data, "rooms");
		more = rp_bool(data, "more");
		ck_assert_uint_gt(json_array_size(rooms), 0);
		seen += json_array_size(rooms);
		memcpy(after,
		       rp_text(json_array_get(rooms, json_array_size(rooms) - 1), "room"),
		       sizeof(after));
	}
	ck_assert_uint_eq(seen, 20);
	ck_assert_uint_gt(pages, 1);
	free(people);
	rp_free(alice);
	harness_free(h);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("rooms: pages");
	TCase *tc = harness_case(suite, "sync");

	tcase_add_test(tc, pages);
	tcase_add_test(tc, refused);
	tcase_add_test(tc, standing);
	tcase_add_test(tc, bytes_of_a_page);
	tcase_add_test(tc, newcomers_read_all);
	tcase_add_test(tc, files_in_pages);
	tcase_add_test(tc, listing);
	tcase_add_test(tc, bytes_of_a_list);
	return harness_main(suite);
}
