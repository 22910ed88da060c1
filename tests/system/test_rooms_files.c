/* SPDX-License-Identifier: MIT
 *
 * Files in rooms: contents that are too large to come by themselves, and are fetched.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/system/rooms_talk.h"

#define LARGEST (32 * 1024 * 1024)

static const char none[] = "6ba7b810-9dad-41d1-80b4-00c04fd430c8";

struct cast {
	struct harness *h;
	struct rooms_peer *alice, *bob;
	struct rt_id room;
};

static struct cast
begin(struct harness *h)
{
	struct cast c = {.h = h};

	c.alice = rp_enter(h, "alice");
	c.bob = rp_enter(h, "bob");
	c.room = rt_room(c.alice, RT_DIRECT, "bob", c.bob, NULL);
	return c;
}

/* Moving a large file takes a slow machine its time, and meanwhile nobody reads what the
 * other one is asked. */
static struct cast
begin_patient(void)
{
	return begin(rp_start("rooms.captcha=off", "rooms.ping_timeout=1h",
			      "limits.sender_wait=1h", NULL));
}

static void
end(struct cast *c)
{
	rp_free(c->alice);
	rp_free(c->bob);
	harness_free(c->h);
}

static void
ask_for(struct rooms_peer *p, struct rt_id room, const char *msg)
{
	rp_say(p, "{'type': 'FETCH', 'data': {'ref': 'f', 'room': '%s', 'msg': '%s'}}",
	       room.text, msg);
}

static json_t *
fetch(struct rooms_peer *p, struct rt_id room, struct rt_id msg)
{
	ask_for(p, room, msg.text);
	return rp_hear(p, "FILE");
}

static void
offer_file(struct rooms_peer *p, struct rt_id room, size_t size)
{
	char *text = rt_long_text(size), *json;
	int n = asprintf(&json,
			 "{\"type\": \"CHAT_ACTION\", \"data\": {\"room\": \"%s\", "
			 "\"action\": \"send\", \"actiondata\": {\"format\": "
			 "\"msg-smallfile\", \"content\": \"%s\"}}}",
			 room.text, text);

	ck_assert_int_gt(n, 0);
	rp_send(p, span_of(json, (size_t)n));
	free(json);
	free(text);
}

static struct rt_id
send_file(struct rooms_peer *p, struct rt_id room, size_t size)
{
	offer_file(p, room, size);
	return rt_sent(p);
}

START_TEST(fetched)
{
	static const size_t sizes[] = {10, 65536, 65537, 3000000};
	struct cast c = begin_patient();

	for (size_t i = 0; i < 4; i++) {
		struct rt_id msg = send_file(c.alice, c.room, sizes[i]);
		json_t *data = rt_hear(c.bob, c.room, "recv");

		data = json_object_get(data, "actiondata");
		ck_assert_str_eq(rp_text(data, "format"), "msg-smallfile");
		if (sizes[i] > 65536) {
			ck_assert(rt_null(data, "content"));
			ck_assert_uint_eq((size_t)rp_int(data, "size"), sizes[i]);
		} else {
			ck_assert_uint_eq(strlen(rp_text(data, "content")), sizes[i]);
		}
		data = fetch(c.bob, c.room, msg);
		ck_assert_str_eq(rp_text(data, "msg"), msg.text);
		ck_assert_str_eq(rp_text(data, "ref"), "f");
		ck_assert_uint_eq(strlen(rp_text(data, "content")), sizes[i]);
		ck_assert_uint_eq(strspn(rp_text(data, "content"), "x"), sizes[i]);
		rt_action(c.alice, c.room, "edit", "'msg': '%s', 'content': 'x'",
			  msg.text);
		rt_status(c.alice, "UNSUPPORTED_MSG_FORMAT", c.room.text, msg.text);
		rt_action(c.alice, c.room, "delete", "'msg': '%s'", msg.text);
		(void)rt_sent(c.alice);
		(void)rt_hear(c.bob, c.room, "deleted");
		ask_for(c.bob, c.room, msg.text);
		rt_status(c.bob, "MSG_DNE", c.room.text, msg.text);
	}
	rp_say(c.bob, "{'type': 'FETCH', 'data': {'room': '%s', 'msg': '%s'}}", none,
	       none);
	rt_status(c.bob, "ROOM_DNE", none, NULL);
	end(&c);
}
END_TEST

START_TEST(largest)
{
	struct cast c = begin_patient();
	struct rt_id msg = send_file(c.alice, c.room, LARGEST);

	ck_assert_uint_eq(strlen(rp_text(fetch(c.alice, c.room, msg), "content")),
			  LARGEST);
	offer_file(c.alice, c.room, LARGEST + 1);
	(void)rp_hear_status(c.alice, "CONTENT_ABOVE_LIMIT");
	end(&c);
}
END_TEST

/* What the server asks meanwhile stands behind the file, and ends nobody who
 * takes it slowly. */
START_TEST(slowly)
{
	struct cast c = begin(rp_start("rooms.captcha=off", "rooms.ping_interval=50ms",
				       "limits.outbox=4KiB", NULL));
	struct rt_id msg = send_file(c.alice, c.room, 8000000);
	struct rooms_peer *other;
	int small = 65536;
	struct span got;

	ck_assert_int_eq(
	    setsockopt(c.bob->ws->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	(void)rt_hear(c.bob, c.room, "recv");
	ask_for(c.bob, c.room, msg.text);
	/* It is on its way, and stands still; somebody else is asked meanwhile, as often
	 * as bob. */
	ck_assert(http_await(c.bob->ws, 100000));
	other = rp_connect(c.h);
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(ws_next(other->ws, &got), WS_FIN | 9);
	ck_assert_uint_eq(strlen(rp_text(rp_hear(c.bob, "FILE"), "content")), 8000000);
	rp_hear_nothing(c.bob);
	rp_free(other);
	end(&c);
}
END_TEST

START_TEST(switched_off)
{
	struct cast c = begin(rp_start("rooms.captcha=off", "rooms.max_file=0", NULL));

	offer_file(c.alice, c.room, 1);
	(void)rp_hear_status(c.alice, "UNSUPPORTED_MSG_FORMAT");
	(void)rt_send(c.alice, c.room, "text");
	end(&c);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("rooms: files");
	TCase *tc = harness_case(suite, "files");

	tcase_add_test(tc, fetched);
	tcase_add_test(tc, largest);
	tcase_add_test(tc, slowly);
	tcase_add_test(tc, switched_off);
	return harness_main(suite);
}
