/* SPDX-License-Identifier: MIT
 *
 * Who gets what: every event once at each connection of each member, in the room's order,
 * at once or at the next login.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/system/rooms_talk.h"

/* ---- what a connection has heard of a room ---- */

struct heard {
	json_int_t last; /* seq */
	size_t n;        /* events */
	size_t recv;     /* of these, messages */
	bool again;      /* some may come again, with the seq that they had */
};

static void
note(struct heard *o, const json_t *data, const char *type)
{
	json_int_t seq = rp_int(data, "seq");

	if (seq <= o->last && o->again)
		return;
	if (seq <= o->last)
		harness_fail("%s: seq %d behind %d", type, (int)seq, (int)o->last);
	o->last = seq;
	o->n++;
	o->recv += strcmp(type, "CHAT_ACTION_S") == 0 &&
		   strcmp(rp_text(data, "action"), "recv") == 0;
}

/* Hear events of one room until a packet of that type comes. */
static json_t *
hear_until(struct rooms_peer *p, struct heard *o, const char *type)
{
	const char *got;
	json_t *data;

	for (;;) {
		data = rp_next(p, &got);
		if (strcmp(got, type) == 0)
			return data;
		if (strcmp(got, "STATUS") == 0)
			ck_assert_str_eq(rp_text(data, "sig"), "SENT");
		else
			note(o, data, got);
	}
}

/* All that was told so far. */
static void
drain(struct rooms_peer *p, struct heard *o)
{
	rp_say(p, "{'type': 'LIST_ROOMS', 'data': {'count': 1}}");
	(void)hear_until(p, o, "ROOMS");
}

/* A fresh connection of one who is away, up to LOGIN_OK. */
static struct rooms_peer *
come_back(struct harness *h, const char *name)
{
	struct rooms_peer *p = rp_connect(h);

	rp_log_in(p, name);
	rp_auth(p);
	return p;
}

static void
seen(struct rooms_peer *p, struct rt_id room, json_int_t seq)
{
	rp_say(p, "{'type': 'SEEN', 'data': {'room': '%s', 'seq': %d}}", room.text,
	       (int)seq);
}

/* Close it when the server knows that all was had. */
static void
go(struct rooms_peer *p)
{
	rp_say(p, "{'type': 'LOGOUT', 'data': {}}");
	(void)rp_hear_status(p, "LOGGED_OUT");
	rp_free(p);
}

/* ---- the tests ---- */

/* Everybody talks at once, some with two connections: all hear all, once, in one order. */
START_TEST(all_at_once)
{
	enum { USERS = 5, CONNS = 7, ROUNDS = 20, EACH = 10 };
	struct harness *h = rp_start("rooms.captcha=off", NULL);
	struct rooms_peer *p[CONNS];
	struct heard heard[CONNS] = {{0, 0, 0, false}};
	struct rt_id room;
	char name[8];

	for (int i = 0; i < USERS; i++) {
		snprintf(name, sizeof(name), "u%d", i);
		p[i] = rp_enter(h, name);
	}
	p[5] = rt_again(p[0]);
	p[6] = rt_again(p[1]);
	room = rt_create(p[0], RT_GROUP, "R", "u1 u2 u3 u4");
	for (int r = 0; r < ROUNDS; r++) {
		for (int k = 0; k < EACH; k++)
			for (int i = 0; i < CONNS; i++)
				rt_action(p[i], room, "send",
					  "'format': 'msg-text', 'content': '%d %d'", i,
					  r * EACH + k);
		for (int i = 0; i < CONNS; i++)
			drain(p[i], &heard[i]);
	}
	/* Who drained first may miss the last words of others. */
	for (int i = 0; i < CONNS; i++)
		drain(p[i], &heard[i]);
	for (int i = 0; i < CONNS; i++) {
		ck_assert_uint_eq(heard[i].recv, (CONNS - 1) * ROUNDS * EACH);
		rp_free(p[i]);
	}
	harness_free(h);
}
END_TEST

/* What was missed comes at the next login, in order, once; across a restart, too. */
START_TEST(waiting)
{
	struct harness *h = rp_start("rooms.captcha=off", NULL);
	struct rooms_peer *alice = rp_enter(h, "alice"), *bob = rp_enter(h, "bob");
	struct rt_id room = rt_room(alice, RT_GROUP, "bob", bob, NULL), other, msg;
	char text[16];

	go(bob);
	for (int i = 0; i < 150; i++) {
		snprintf(text, sizeof(text), "%d", i);
		msg = rt_send(alice, room, text);
	}
	rt_action(alice, room, "edit", "'msg': '%s', 'content': 'new'", msg.text);
	(void)rt_sent(alice);
	rt_action(alice, room, "pin", "'msg': '%s'", msg.text);
	(void)rt_sent(alice);
	rt_action(alice, room, "delete", "'msg': '%s'", msg.text);
	(void)rt_sent(alice);
	rt_alter(alice, room, "rename", "'name': 'Neu'");
	(void)rt_altered(alice, room, "rename", "alice");
	rp_free(alice);
	harness_stop(h);
	harness_restart(h);
	alice = come_back(h, "alice");
	/* Own events do not wait. */
	(void)rp_hear(alice, "QUEUE_END");
	other = rt_create(alice, RT_CHANNEL, "C", "bob");
	(void)rt_send(alice, other, "in the channel");

	bob = come_back(h, "bob");
	/* Two rooms, each in its order. */
	for (int i = 0, in_room = 0, in_other = 0; i < 156; i++) {
		const char *type;
		json_t *data = rp_next(bob, &type);

		if (strcmp(rp_text(data, "room"), other.text) == 0) {
			in_other++;
			ck_assert_str_eq(type,
					 in_other == 1 ? "JOIN_ROOM" : "CHAT_ACTION_S");
			ck_assert_int_eq(rp_int(data, "seq"), in_other);
			continue;
		}
		in_room++;
		ck_assert_int_eq(rp_int(data, "seq"), in_room + 1);
		if (in_room <= 150) {
			snprintf(text, sizeof(text), "%d", in_room - 1);
			ck_assert_str_eq(
			    rp_text(json_object_get(data, "actiondata"), "content"),
			    text);
		} else if (in_room <= 153) {
			static const char *const actions[] = {"edited", "pinned",
							      "deleted"};

			ck_assert_str_eq(rp_text(data, "action"), actions[in_room - 151]);
		} else {
			ck_assert_str_eq(type, "ROOM_ALTERED");
			ck_assert_str_eq(
			    rp_text(json_object_get(data, "info"), "room-name"), "Neu");
		}
	}
	(void)rp_hear(bob, "QUEUE_END");
	go(bob);
	bob = come_back(h, "bob");
	(void)rp_hear(bob, "QUEUE_END");
	(void)rt_send(alice, room, "live");
	(void)rt_recv(bob, room, "alice", "live");
	rp_free(alice);
	rp_free(bob);
	harness_free(h);
}
END_TEST

/* Live events come behind those that waited, however slowly these are read. */
START_TEST(live_behind_waiting)
{
	struct harness *h = rp_start("rooms.captcha=off", "limits.outbox=16KiB", NULL);
	struct rooms_peer *alice = rp_enter(h, "alice"), *bob = rp_enter(h, "bob");
	struct rt_id room = rt_room(alice, RT_GROUP, "bob", bob, NULL);
	struct heard heard = {1, 0, 0, false};
	char *text = calloc(1, 8193);
	int small = 65536;

	memset(text, 'x', 8192);
	go(bob);
	for (int i = 0; i < 400; i++)
		(void)rt_send(alice, room, text);
	bob = rp_connect(h);
	rp_log_in(bob, "bob");
	ck_assert_int_eq(
	    setsockopt(bob->ws->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	rp_auth(bob);
	for (int i = 0; i < 50; i++)
		(void)rt_send(alice, room, "live");
	(void)hear_until(bob, &heard, "QUEUE_END");
	ck_assert_uint_ge(heard.recv, 400);
	drain(bob, &heard);
	ck_assert_uint_eq(heard.recv, 450);
	ck_assert_int_eq(heard.last, 451);
	(void)rt_send(alice, room, "after");
	ck_assert_int_eq(rt_recv(bob, room, "alice", "after"), 452);
	free(text);
	rp_free(alice);
	rp_free(bob);
	harness_free(h);
}
END_TEST

START_TEST(positions_by_hand)
{
	struct harness *h = rp_start("rooms.captcha=off", NULL);
	struct rooms_peer *alice = rp_enter(h, "alice"), *bob = rp_enter(h, "bob"),
			  *carol = rp_enter(h, "carol");
	struct rt_id room = rt_room(alice, RT_GROUP, "bob", bob, NULL);

	seen(bob, room, 1);
	for (int i = 0; i < 10; i++) {
		(void)rt_send(alice, room, "x");
		(void)rt_recv(bob, room, "alice", "x");
	}
	seen(bob, room, 6);
	seen(bob, room, 3); /* never back */
	rp_hear_nothing(bob);
	/* A second connection gets what still waits, while the first is on. */
	{
		struct rooms_peer *second = rp_again(bob);

		seen(second, room, 0); /* what it is sent does not count by itself */
		for (json_int_t i = 7; i <= 11; i++)
			ck_assert_int_eq(rt_recv(second, room, "alice", "x"), i);
		(void)rp_hear(second, "QUEUE_END");
		rp_reset(second);
	}
	seen(bob, room, 8);
	rp_hear_nothing(bob);
	/* Cut off without having read what was sent: it comes again. */
	(void)rt_send(alice, room, "unread");
	rp_reset(bob);
	bob = come_back(h, "bob");
	seen(bob, room, 0);
	for (json_int_t i = 9; i <= 11; i++)
		ck_assert_int_eq(rt_recv(bob, room, "alice", "x"), i);
	(void)rt_recv(bob, room, "alice", "unread");
	(void)rp_hear(bob, "QUEUE_END");
	/* Far ahead counts as the newest. */
	seen(bob, room, 1000000);
	rp_hear_nothing(bob);
	rp_reset(bob);
	(void)rt_send(alice, room, "next");
	bob = come_back(h, "bob");
	ck_assert_int_eq(rt_recv(bob, room, "alice", "next"), 13);
	(void)rp_hear(bob, "QUEUE_END");
	seen(carol, room, 1);
	rt_status(carol, "NOT_IN_ROOM", room.text, NULL);
	rp_say(carol, "{'type': 'SEEN', 'data': {'room': '%s', 'seq': -1}}", room.text);
	(void)rp_hear_status(carol, "INVALID_PACKET");
	memcpy(room.text, "6ba7b810-9dad-41d1-80b4-00c04fd430c8", 36);
	seen(carol, room, 1);
	rt_status(carol, "ROOM_DNE", room.text, NULL);
	rp_free(alice);
	rp_free(bob);
	rp_free(carol);
	harness_free(h);
}
END_TEST

/* Bob counts by hand, and says so for the first time when positions have been moved since
 * his AUTH_TOKEN: that is every second, and a connection is spared for its first three.
 * False: the machine was too slow to tell. */
static bool
says_late(struct harness *h, struct rooms_peer *alice, struct rt_id room)
{
	enum { TICK_MS = 1500, SPARED_MS = 3000 };
	struct heard first = {.again = true}, second = {.again = true};
	struct rooms_peer *bob;
	int64_t since;
	bool in_time;

	(void)rt_send(alice, room, "x");
	bob = rp_connect(h);
	rp_log_in(bob, "bob");
	since = clock_mono_ms();
	rp_auth(bob);
	(void)hear_until(bob, &first, "QUEUE_END");
	ck_assert_uint_ge(first.recv, 1);
	HARNESS_UNTIL(clock_mono_ms() >= since + TICK_MS);
	seen(bob, room, 0);
	rp_hear_nothing(bob);
	in_time = clock_mono_ms() < since + SPARED_MS;
	rp_reset(bob);
	bob = come_back(h, "bob");
	(void)hear_until(bob, &second, "QUEUE_END");
	rp_free(bob);
	if (in_time) {
		ck_assert_int_eq(second.last, first.last);
		ck_assert_uint_eq(second.recv, first.recv);
	}
	return in_time;
}

START_TEST(late_first_seen)
{
	enum { TRIES = 10 };
	struct harness *h = rp_start("rooms.captcha=off", NULL);
	struct rooms_peer *alice = rp_enter(h, "alice"), *bob = rp_enter(h, "bob");
	struct rt_id room = rt_room(alice, RT_GROUP, "bob", bob, NULL);
	int tries = 0;

	rp_free(bob);
	while (!says_late(h, alice, room))
		ck_assert_int_lt(++tries, TRIES);
	rp_free(alice);
	harness_free(h);
}
END_TEST

/* A room in which bob has to hear of two messages, the first of which was had; and bob, up
 * to QUEUE_END. */
static struct rooms_peer *
hear_two(struct harness *h, struct rooms_peer *alice, struct rt_id room, int64_t *since)
{
	struct rooms_peer *bob;
	json_int_t first;

	for (int i = 0; i < 2; i++)
		(void)rt_send(alice, room, "x");
	bob = rp_connect(h);
	rp_log_in(bob, "bob");
	*since = clock_mono_ms();
	rp_auth(bob);
	first = rt_recv(bob, room, "alice", "x");
	ck_assert_int_eq(rt_recv(bob, room, "alice", "x"), first + 1);
	(void)rp_hear(bob, "QUEUE_END");
	return bob;
}

/* One more connection of bob, before the first one could say that it counts by hand: it
 * waits for that.  False: the machine was too slow to tell. */
static bool
second_comes_early(struct harness *h, struct rooms_peer *alice, struct rt_id room,
		   json_int_t last)
{
	enum { SPARED_MS = 3000 };
	struct heard heard = {.again = true};
	struct rooms_peer *bob, *second;
	int64_t since;
	bool in_time;

	bob = hear_two(h, alice, room, &since);
	second = rp_again(bob); /* up to LOGIN_OK */
	seen(bob, room, last - 1);
	rp_hear_nothing(bob);
	in_time = clock_mono_ms() < since + SPARED_MS;
	seen(second, room, 0);
	(void)hear_until(second, &heard, "QUEUE_END");
	if (in_time) {
		ck_assert_int_eq(heard.last, last);
		ck_assert_uint_eq(heard.recv, 1);
	}
	seen(second, room, last);
	rp_hear_nothing(second);
	rp_reset(bob);
	rp_free(second);
	return in_time;
}

/* The server ends bob's connection before it could say anything. */
static bool
ended_early(struct harness *h, struct rooms_peer *alice, struct rt_id room,
	    json_int_t last)
{
	enum { SPARED_MS = 3000 };
	struct heard heard = {.again = true};
	struct rooms_peer *bob;
	int64_t since;
	bool in_time;

	bob = hear_two(h, alice, room, &since);
	rp_hear_nothing(bob); /* so that what came is acknowledged */
	harness_admin(h, "ctl", "kick", "bob", NULL);
	in_time = clock_mono_ms() < since + SPARED_MS;
	rp_free(bob);
	bob = come_back(h, "bob");
	seen(bob, room, 0);
	(void)hear_until(bob, &heard, "QUEUE_END");
	if (in_time) {
		ck_assert_int_eq(heard.last, last);
		ck_assert_uint_eq(heard.recv, 2);
	}
	seen(bob, room, last);
	go(bob);
	return in_time;
}

START_TEST(before_first_seen)
{
	enum { TRIES = 10 };
	struct harness *h = rp_start("rooms.captcha=off", NULL);
	struct rooms_peer *alice = rp_enter(h, "alice"), *bob = rp_enter(h, "bob");
	struct rt_id room = rt_room(alice, RT_GROUP, "bob", bob, NULL);
	json_int_t last = 1;
	int tries = 0;

	go(bob);
	do
		ck_assert_int_lt(tries++, TRIES);
	while (!(_i == 0 ? second_comes_early : ended_early)(h, alice, room, last += 2));
	rp_free(alice);
	harness_free(h);
}
END_TEST

/* Who was removed while away hears that, and nothing else, once. */
START_TEST(farewells)
{
	struct harness *h = rp_start("rooms.captcha=off", NULL);
	struct rooms_peer *alice = rp_enter(h, "alice"), *bob = rp_enter(h, "bob");
	struct rt_id room = rt_room(alice, RT_GROUP, "bob", bob, NULL), second;
	json_t *data;

	second = rt_room(alice, RT_CHANNEL, "bob", bob, NULL);
	go(bob);
	(void)rt_send(alice, room, "lost to bob");
	rt_alter(alice, room, "remove", "'people': ['bob']");
	(void)rt_altered(alice, room, "remove", "alice");
	(void)rt_send(alice, room, "none of his business");
	rt_alter(alice, second, "delete", "%s", "");
	(void)rt_altered(alice, second, "delete", "alice");
	rp_free(alice);
	harness_stop(h);
	harness_restart(h);
	bob = come_back(h, "bob");
	for (int i = 0; i < 2; i++) {
		data = rp_hear(bob, "ROOM_ALTERED");
		ck_assert_str_eq(rp_text(data, "by"), "alice");
		if (strcmp(rp_text(data, "room"), room.text) == 0) {
			ck_assert_str_eq(rp_text(data, "action"), "remove");
			rt_list_is(json_object_get(json_object_get(data, "actiondata"),
						   "people"),
				   "bob");
		} else {
			ck_assert_str_eq(rp_text(data, "room"), second.text);
			ck_assert_str_eq(rp_text(data, "action"), "delete");
			ck_assert(rt_null(data, "info"));
		}
	}
	(void)rp_hear(bob, "QUEUE_END");
	go(bob);
	bob = come_back(h, "bob");
	(void)rp_hear(bob, "QUEUE_END");
	rp_free(bob);
	harness_free(h);
}
END_TEST

/* Removed and let in again while away: the way in, and what came after it. */
START_TEST(out_and_in_again)
{
	struct harness *h = rp_start("rooms.captcha=off", NULL);
	struct rooms_peer *alice = rp_enter(h, "alice"), *bob = rp_enter(h, "bob");
	struct rt_id room = rt_room(alice, RT_GROUP, "bob", bob, NULL);
	json_int_t removed, joined;

	go(bob);
	(void)rt_send(alice, room, "before");
	rt_alter(alice, room, "remove", "'people': ['bob']");
	removed = rp_int(rt_altered(alice, room, "remove", "alice"), "seq");
	(void)rt_send(alice, room, "meanwhile");
	rt_alter(alice, room, "add", "'people': ['bob']");
	joined = rp_int(rt_altered(alice, room, "add", "alice"), "seq");
	(void)rt_send(alice, room, "after");
	bob = come_back(h, "bob");
	ck_assert_int_eq(rp_int(rt_altered(bob, room, "remove", "alice"), "seq"),
			 removed);
	ck_assert_int_eq(rp_int(rp_hear(bob, "JOIN_ROOM"), "seq"), joined);
	(void)rt_recv(bob, room, "alice", "after");
	(void)rp_hear(bob, "QUEUE_END");
	rp_free(alice);
	rp_free(bob);
	harness_free(h);
}
END_TEST

static int
slow_receivers(struct harness *h)
{
	struct buf out = BUF_INIT(1 << 16);
	const char *at;
	int n;

	ck_assert_int_eq(harness_command(h, &out, "ctl", "stats", NULL), 0);
	ck_assert_int_eq(buf_put_u8(&out, 0), Q_OK);
	at = strstr((char *)out.p, "slow_receivers_total");
	ck_assert_ptr_nonnull(at);
	n = atoi(at + strcspn(at, "0123456789\n"));
	buf_free(&out);
	return n;
}

/* One who does not read harms nobody, is cut off, and finds everything later. */
START_TEST(slow_member)
{
	enum { MESSAGES = 300 };
	struct harness *h = rp_start("rooms.captcha=off", "limits.outbox=64KiB", NULL);
	struct rooms_peer *alice = rp_enter(h, "alice"), *carol = rp_enter(h, "carol"),
			  *bob;
	struct heard heard = {1, 0, 0, false};
	char *text = calloc(1, 40001);
	struct rt_id room;
	int small = 65536;

	harness_reload(h, "limits.sender_wait=1s", NULL); /* for bob's connection */
	bob = rp_enter(h, "bob");
	harness_reload(h, NULL);
	room = rt_room(alice, RT_GROUP, "bob carol", bob, carol, NULL);
	memset(text, 'x', 40000);
	seen(bob, room, 1);
	rp_hear_nothing(bob);
	ck_assert_int_eq(
	    setsockopt(bob->ws->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	for (int i = 0; i < MESSAGES; i++) {
		(void)rt_send(alice, room, text);
		(void)rt_recv(carol, room, "alice", text);
	}
	HARNESS_UNTIL(slow_receivers(h) == 1);
	rp_reset(bob);
	(void)rt_send(alice, room, "end");
	(void)rt_recv(carol, room, "alice", "end");
	bob = come_back(h, "bob");
	(void)hear_until(bob, &heard, "QUEUE_END");
	ck_assert_uint_eq(heard.recv, MESSAGES + 1);
	free(text);
	rp_free(alice);
	rp_free(bob);
	rp_free(carol);
	harness_free(h);
}
END_TEST

/* One who reads in fits and starts misses nothing and is not cut off; what the user's
 * other connection says comes as well, and one's own answers keep their place. */
START_TEST(behind)
{
	enum { MESSAGES = 200 };
	struct harness *h =
	    rp_start("rooms.captcha=off", "limits.outbox=64KiB", "limits.sender_wait=1h",
		     "rooms.ping_timeout=1h", NULL);
	struct rooms_peer *alice = rp_enter(h, "alice"), *bob = rp_enter(h, "bob"),
			  *second = rt_again(bob);
	struct rt_id room = rt_room(alice, RT_GROUP, "bob", bob, second, NULL);
	struct heard heard[2] = {{1, 0, 0, false}, {1, 0, 0, false}};
	char *text = calloc(1, 40001);
	int small = 65536;
	const char *type;
	json_t *data;

	memset(text, 'x', 40000);
	rt_alter(alice, room, "promote", "'user': 'bob'");
	(void)rt_altered(alice, room, "promote", "alice");
	(void)rt_altered(bob, room, "promote", "alice");
	(void)rt_altered(second, room, "promote", "alice");
	heard[0].last = heard[1].last = 2;
	ck_assert_int_eq(
	    setsockopt(bob->ws->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	for (int i = 0; i < MESSAGES; i++) {
		(void)rt_send(alice, room, text);
		drain(second, &heard[1]);
		if (i % 50 == 49)
			(void)rt_send(second, room, "from the other");
		if (i % 50 == 49)
			(void)rt_recv(alice, room, "bob", "from the other");
	}
	/* bob is behind, and alters the room: the answer keeps its place. */
	rt_action(bob, room, "send", "'format': 'msg-text', 'content': 'mine'");
	rp_say(bob,
	       "{'type': 'ALTER_ROOM', 'data': {'ref': 'place', 'action': 'rename', "
	       "'actiondata': {'room': '%s', 'name': 'Bobs'}}}",
	       room.text);
	rp_say(bob, "{'type': 'LIST_ROOMS', 'data': {'count': 1}}");
	do {
		data = rp_next(bob, &type);
		if (strcmp(type, "STATUS") == 0)
			ck_assert_str_eq(rp_text(data, "sig"), "SENT");
		else
			note(&heard[0], data, type);
	} while (strcmp(type, "ROOM_ALTERED") != 0);
	ck_assert_str_eq(rp_text(data, "ref"), "place");
	ck_assert_uint_eq(heard[0].recv, MESSAGES + MESSAGES / 50);
	ck_assert_int_eq(heard[0].last, 1 + MESSAGES + MESSAGES / 50 + 2 + 1);
	(void)hear_until(bob, &heard[0], "ROOMS");
	free(text);
	rp_free(alice);
	rp_free(bob);
	rp_free(second);
	harness_free(h);
}
END_TEST

/* People come and go while others talk: in the end all have one history. */
START_TEST(coming_and_going)
{
	enum { ROUNDS = 30 };
	struct harness *h = rp_start("rooms.captcha=off", NULL);
	struct rooms_peer *alice = rp_enter(h, "alice"), *bob = rp_enter(h, "bob"),
			  *carol = rp_enter(h, "carol"), *dave = rp_enter(h, "dave");
	struct rt_id room = rt_room(alice, RT_GROUP, "bob carol", bob, carol, NULL);
	struct heard a = {1, 0, 0, false}, b = {1, 0, 0, false}, c = {1, 0, 0, true},
		     d = {0, 0, 0, false};
	struct rooms_peer *all[4];
	char *history[4];

	for (int i = 0; i < ROUNDS; i++) {
		for (int k = 0; k < 5; k++) {
			rt_action(alice, room, "send",
				  "'format': 'msg-text', 'content': 'a%d.%d'", i, k);
			rt_action(bob, room, "send",
				  "'format': 'msg-text', 'content': 'b%d.%d'", i, k);
			if (k == 2)
				rt_alter(alice, room, i % 2 == 0 ? "add" : "remove",
					 "'people': ['dave']");
		}
		if (i % 5 == 4) {
			/* carol reconnects in the middle. */
			drain(carol, &c);
			seen(carol, room, c.last);
			drain(carol, &c);
			rp_reset(carol);
			carol = come_back(h, "carol");
			(void)hear_until(carol, &c, "QUEUE_END");
		}
		drain(alice, &a);
		drain(bob, &b);
		drain(dave, &d);
	}
	rt_alter(alice, room, "add", "'people': ['dave']");
	for (int i = 0; i < 2; i++) {
		drain(alice, &a);
		drain(bob, &b);
		drain(carol, &c);
		drain(dave, &d);
	}
	ck_assert_uint_eq(a.recv, ROUNDS * 5);
	ck_assert_uint_eq(b.recv, ROUNDS * 5);
	ck_assert_uint_eq(c.recv, 2 * ROUNDS * 5);
	ck_assert_int_eq(a.last, c.last);
	ck_assert_int_eq(d.last, c.last);
	all[0] = alice;
	all[1] = bob;
	all[2] = carol;
	all[3] = dave;
	for (int i = 0; i < 4; i++) {
		rp_say(all[i],
		       "{'type': 'SYNC_ROOM_REQ', 'data': {'room': '%s', 'count': -200}}",
		       room.text);
		history[i] =
		    json_dumps(rp_hear(all[i], "SYNC_ROOM_DATA"), JSON_SORT_KEYS);
		ck_assert_str_eq(history[i], history[0]);
	}
	for (int i = 0; i < 4; i++) {
		free(history[i]);
		rp_free(all[i]);
	}
	harness_free(h);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("rooms: delivery");
	TCase *tc = harness_case(suite, "delivery");

	tcase_add_test(tc, all_at_once);
	tcase_add_test(tc, waiting);
	tcase_add_test(tc, live_behind_waiting);
	tcase_add_test(tc, positions_by_hand);
	tcase_add_test(tc, late_first_seen);
	tcase_add_loop_test(tc, before_first_seen, 0, 2);
	tcase_add_test(tc, farewells);
	tcase_add_test(tc, out_and_in_again);
	tcase_add_test(tc, slow_member);
	tcase_add_test(tc, behind);
	tcase_add_test(tc, coming_and_going);
	return harness_main(suite);
}
