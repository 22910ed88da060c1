/* SPDX-License-Identifier: MIT
 *
 * kill -9 and a full disk: what was confirmed is there, once, and the server goes on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "tests/system/rooms_talk.h"

static struct rooms_peer *
come_back(struct harness *h, const char *name)
{
	struct rooms_peer *p = rp_connect(h);

	rp_log_in(p, name);
	rp_auth(p);
	return p;
}

static void
send_numbered(struct rooms_peer *p, struct rt_id room, int i)
{
	rp_say(p,
	       "{'type': 'CHAT_ACTION', 'data': {'ref': 'r%d', 'room': '%s', 'action': "
	       "'send', 'actiondata': {'format': 'msg-text', 'content': '%d'}}}",
	       i, room.text, i);
}

static void
seen(struct rooms_peer *p, struct rt_id room, json_int_t seq)
{
	rp_say(p, "{'type': 'SEEN', 'data': {'room': '%s', 'seq': %d}}", room.text,
	       (int)seq);
}

/* Killed while a client sends: what has a SENT is there; the same refs again make no
 * doubles; the others miss nothing. */
START_TEST(killed)
{
	enum { ROUNDS = 4, EACH = 60 };
	struct harness *h = rp_start("rooms.captcha=off", NULL);
	struct rooms_peer *alice = rp_enter(h, "alice"), *bob = rp_enter(h, "bob");
	struct rt_id room = rt_room(alice, RT_GROUP, "bob", bob, NULL);
	char sent[ROUNDS * EACH][37];
	json_int_t had = 1, next = 0;
	const json_t *m;
	char from[37] = "";
	size_t i;

	seen(bob, room, 1);
	rp_hear_nothing(bob);
	for (int r = 0; r < ROUNDS; r++) {
		for (int k = 0; k < EACH; k++)
			send_numbered(alice, room, r * EACH + k);
		for (int k = 0; k < EACH / 2; k++)
			memcpy(sent[r * EACH + k], rt_sent(alice).text, 37);
		harness_kill(h);
		rp_free(alice);
		rp_reset(bob);
		harness_restart(h);
		alice = come_back(h, "alice");
		(void)rp_hear(alice, "QUEUE_END");
		for (int k = 0; k < EACH; k++) {
			struct rt_id msg;

			send_numbered(alice, room, r * EACH + k);
			msg = rt_sent(alice);
			if (k < EACH / 2)
				ck_assert_str_eq(msg.text, sent[r * EACH + k]);
			memcpy(sent[r * EACH + k], msg.text, 37);
		}
		bob = come_back(h, "bob");
		seen(bob, room, 0);
		for (const char *type = ""; strcmp(type, "QUEUE_END") != 0;) {
			json_t *data = rp_next(bob, &type);

			if (strcmp(type, "QUEUE_END") == 0)
				continue;
			/* The position may not have been saved. */
			if (rp_int(data, "seq") <= had)
				continue;
			ck_assert_int_eq(rp_int(data, "seq"), had + 1);
			ck_assert_int_eq(
			    atoi(rp_text(json_object_get(data, "actiondata"), "content")),
			    next);
			had++;
			next++;
		}
		ck_assert_int_eq(next, (r + 1) * EACH);
		seen(bob, room, had);
		rp_hear_nothing(bob);
	}
	/* One history, without holes or doubles. */
	next = 0;
	for (bool more = true; more;) {
		json_t *page;

		if (next == 0)
			rp_say(bob,
			       "{'type': 'SYNC_ROOM_REQ', 'data': {'room': '%s', "
			       "'count': 200}}",
			       room.text);
		else
			rp_say(bob,
			       "{'type': 'SYNC_ROOM_REQ', 'data': {'room': '%s', "
			       "'count': 200, 'from': '%s'}}",
			       room.text, from);
		page = rp_hear(bob, "SYNC_ROOM_DATA");
		more = rp_bool(page, "more");
		json_array_foreach(json_object_get(page, "messages"), i, m)
		{
			ck_assert_str_eq(rp_text(m, "msg"), sent[next]);
			ck_assert_int_eq(atoi(rp_text(m, "content")), next++);
			memcpy(from, rp_text(m, "msg"), sizeof(from));
		}
	}
	ck_assert_int_eq(next, ROUNDS * EACH);
	rp_free(alice);
	rp_free(bob);
	harness_stop(h);
	ck_assert_int_eq(harness_command(h, NULL, "check", NULL), 0);
	harness_free(h);
}
END_TEST

/* No file of the server may grow beyond bytes; 0: as large as it likes. */
static void
limit_files(struct harness *h, rlim_t bytes)
{
	struct rlimit r = {bytes != 0 ? bytes : RLIM_INFINITY, RLIM_INFINITY};

	ck_assert_int_eq(prlimit(h->pid, RLIMIT_FSIZE, &r, NULL), 0);
}

START_TEST(full_disk)
{
	struct harness *h = rp_start("rooms.captcha=off", NULL);
	struct rooms_peer *alice = rp_enter(h, "alice"), *bob = rp_enter(h, "bob");
	struct rt_id room = rt_room(alice, RT_GROUP, "bob", bob, NULL);
	char *text = calloc(1, 100001);

	memset(text, 'x', 100000);
	(void)rt_send(alice, room, "before");
	(void)rt_recv(bob, room, "alice", "before");
	limit_files(h, 1);
	rt_action(alice, room, "send", "'format': 'msg-text', 'content': 'lost'");
	rt_status(alice, "SERVER_ERROR", room.text, NULL);
	send_numbered(alice, room, 1);
	ck_assert_str_eq(rp_text(rp_hear_status(alice, "SERVER_ERROR"), "ref"), "r1");
	rt_action(alice, room, "send", "'format': 'msg-smallfile', 'content': '%s'",
		  text);
	rt_status(alice, "SERVER_ERROR", room.text, NULL);
	rt_alter(alice, room, "rename", "'name': 'lost'");
	rt_status(alice, "SERVER_ERROR", room.text, NULL);
	rp_say(alice, "{'type': 'CREATE_ROOM', 'data': {'room-type': 1, 'room-name': "
		      "'lost', 'people': ['bob']}}");
	rt_status(alice, "SERVER_ERROR", NULL, NULL);
	rp_hear_nothing(bob);
	/* Reading goes on. */
	rp_say(bob, "{'type': 'SYNC_ROOM_REQ', 'data': {'room': '%s', 'count': 5}}",
	       room.text);
	ck_assert_uint_eq(
	    json_array_size(json_object_get(rp_hear(bob, "SYNC_ROOM_DATA"), "messages")),
	    1);
	limit_files(h, 0);
	/* A ref that failed was not used up. */
	send_numbered(alice, room, 1);
	(void)rt_sent(alice);
	(void)rt_recv(bob, room, "alice", "1");
	(void)rt_send(alice, room, "after");
	(void)rt_recv(bob, room, "alice", "after");
	free(text);
	rp_free(alice);
	rp_free(bob);
	harness_stop(h);
	ck_assert_int_eq(harness_command(h, NULL, "check", NULL), 0);
	harness_free(h);
}
END_TEST

/* Neither half an account nor half a logout. */
START_TEST(full_disk_accounts)
{
	struct harness *h = rp_start("rooms.captcha=off", NULL);
	struct rooms_peer *alice = rp_enter(h, "alice"), *same = rp_again(alice),
			  *other = come_back(h, "alice"), *carol = rp_connect(h);

	(void)rp_hear(same, "QUEUE_END");
	(void)rp_hear(other, "QUEUE_END"); /* its token makes the file be written anew */
	limit_files(h, 1);
	rp_say(carol, "{'type':'SIGNUP','data':{'ref':'up','user':'carol','email':"
		      "'carol@example.org','fullname':'carol','dob':'01/02/2003',"
		      "'password':'" RP_PASSWORD "'}}");
	ck_assert_str_eq(rp_text(rp_hear_status(carol, "SERVER_ERROR"), "ref"), "up");
	rp_say(alice, "{'type':'LOGOUT','data':{'ref':'out'}}");
	ck_assert_str_eq(rp_text(rp_hear_status(alice, "SERVER_ERROR"), "ref"), "out");
	/* They are in as before, and the token is good. */
	rp_hear_nothing(alice);
	rp_hear_nothing(same);
	rp_free(same);
	same = rp_again(alice);
	(void)rp_hear(same, "QUEUE_END");
	limit_files(h, 0);
	/* Name and address were not used up. */
	rp_sign_up(carol, "carol");
	rp_log_in(carol, "carol");
	rp_auth(carol);
	(void)rp_hear(carol, "QUEUE_END");
	rp_say(alice, "{'type':'LOGOUT','data':{}}");
	rp_hear_status(alice, "LOGGED_OUT");
	rp_hear_close(alice, 1000);
	rp_hear_close(same, 1008);
	rp_hear_nothing(other);
	rp_free(alice);
	rp_free(same);
	rp_free(other);
	rp_free(carol);
	harness_stop(h);
	ck_assert_int_eq(harness_command(h, NULL, "check", NULL), 0);
	harness_free(h);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("rooms: crashes");
	TCase *tc = harness_case(suite, "crash");

	tcase_add_test(tc, killed);
	tcase_add_test(tc, full_disk);
	tcase_add_test(tc, full_disk_accounts);
	return harness_main(suite);
}
