/* SPDX-License-Identifier: MIT
 *
 * All of rooms over TLS (wss): from the captcha to a file, what waited, and the end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/system/rooms_talk.h"

#define FILE_BYTES \
	((size_t)3 * 1024 * 1024) /* many TLS records, and a message that is large */

static struct rooms_peer *
connect_tls(struct harness *h, const char *token)
{
	struct rooms_peer *p = rp_open(h, true);

	rp_init(p, token);
	rp_agree(p);
	rp_hear_status(p, "CONN_OK");
	return p;
}

/* Captcha, password, chat key, token. */
static struct rooms_peer *
enter_tls(struct harness *h, const char *name)
{
	struct rooms_peer *p = connect_tls(h, NULL);

	rp_sign_up(p, name);
	rp_log_in(p, name);
	rp_auth(p);
	(void)rp_hear(p, "QUEUE_END");
	return p;
}

static struct rt_id
send_file(struct rooms_peer *p, struct rt_id room, const char *content)
{
	struct rt_id msg;
	char *json;
	int n = asprintf(&json,
			 "{\"type\": \"CHAT_ACTION\", \"data\": {\"room\": \"%s\", "
			 "\"action\": \"send\", \"actiondata\": {\"format\": "
			 "\"msg-smallfile\", \"content\": \"%s\"}}}",
			 room.text, content);

	ck_assert_int_gt(n, 0);
	rp_send(p, span_of(json, (size_t)n));
	msg = rt_sent(p);
	free(json);
	return msg;
}

static void
fetch(struct rooms_peer *p, struct rt_id room, struct rt_id msg, const char *content)
{
	json_t *data;

	rp_say(p, "{'type': 'FETCH', 'data': {'room': '%s', 'msg': '%s'}}", room.text,
	       msg.text);
	data = rp_hear(p, "FILE");
	ck_assert_str_eq(rp_text(data, "msg"), msg.text);
	ck_assert(strcmp(rp_text(data, "content"), content) == 0);
}

/* The log has the two, in order. */
static void
sync_has(struct rooms_peer *p, struct rt_id room, struct rt_id text, struct rt_id file)
{
	const json_t *list;

	rp_say(p, "{'type': 'SYNC_ROOM_REQ', 'data': {'room': '%s', 'count': 10}}",
	       room.text);
	list = json_object_get(rp_hear(p, "SYNC_ROOM_DATA"), "messages");
	ck_assert_uint_eq(json_array_size(list), 2);
	ck_assert_str_eq(rp_text(json_array_get(list, 0), "msg"), text.text);
	ck_assert_str_eq(rp_text(json_array_get(list, 0), "content"), "hello");
	ck_assert_str_eq(rp_text(json_array_get(list, 1), "msg"), file.text);
	ck_assert(rt_null(json_array_get(list, 1), "content"));
}

START_TEST(all_of_it)
{
	struct harness *h = rp_start(NULL);
	struct rooms_peer *alice = enter_tls(h, "alice"), *bob = enter_tls(h, "bob");
	struct rt_id room = rt_room(alice, RT_GROUP, "bob", bob, NULL), text, file;
	char *content = calloc(1, FILE_BYTES + 1), token[sizeof(bob->token)];
	json_t *data;

	ck_assert_ptr_nonnull(content);
	for (size_t i = 0; i < FILE_BYTES; i++)
		content[i] = (char)('a' + i % 23);
	text = rt_send(alice, room, "hello");
	(void)rt_recv(bob, room, "alice", "hello");
	file = send_file(alice, room, content);
	data = json_object_get(rt_hear(bob, room, "recv"), "actiondata");
	ck_assert(rt_null(data, "content"));
	ck_assert_int_eq(rp_int(data, "size"), (json_int_t)FILE_BYTES);
	fetch(bob, room, file, content);
	sync_has(bob, room, text, file);
	/* Away, and back with the token in CONN_INIT: what waited has come. */
	memcpy(token, bob->token, sizeof(token));
	ck_assert(harness_has_session(h, "bob"));
	rp_free(bob);
	/* TLS is a thread's here: it closes a moment later, and what is acknowledged until
	 * then has been delivered. */
	HARNESS_UNTIL(!harness_has_session(h, "bob"));
	rt_action(alice, room, "pin", "'msg': '%s'", text.text);
	rt_status(alice, "SENT", room.text, text.text);
	bob = connect_tls(h, token);
	rp_hear_status(bob, "LOGIN_OK");
	/* What bob has not said SEEN to may come once more. */
	do
		data = rp_hear(bob, "CHAT_ACTION_S");
	while (strcmp(rp_text(data, "action"), "recv") == 0);
	ck_assert_str_eq(rp_text(data, "action"), "pinned");
	ck_assert(rp_bool(json_object_get(data, "actiondata"), "pinned"));
	(void)rp_hear(bob, "QUEUE_END");
	rp_say(bob, "{'type':'LOGOUT','data':{}}");
	rp_hear_status(bob, "LOGGED_OUT");
	rp_hear_close(bob, 1000);
	free(content);
	rp_free(alice);
	rp_free(bob);
	harness_free(h);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("rooms: over TLS");
	TCase *tc = harness_case(suite, "tls");

	tcase_add_test(tc, all_of_it);
	return harness_main(suite);
}
