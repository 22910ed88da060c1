/* SPDX-License-Identifier: MIT
 *
 * board: who may come in.  Passwords, tokens, accounts, guests, what is refused before a
 * login, and what ends a session.
 */
#include <stdio.h>
#include <string.h>

#include "tests/system/board_play.h"

static struct board_play *s;

/* Ask until it is let in; whatever else comes is a refusal that holds `reason`. */
static void
insist(const char *who, const char *words, const char *reason)
{
	int64_t deadline = harness_deadline(HARNESS_WAIT);
	struct span got;

	for (;;) {
		BOARDF(s, "%s> auth-request %s", who, words);
		ck_assert(board_next(board_peer_of(s, who), &got));
		if (memmem(got.p, got.len, "response\",1,", 12) != NULL)
			return;
		ck_assert_ptr_nonnull(memmem(got.p, got.len, reason, strlen(reason)));
		harness_nap(deadline, "somebody is let in");
	}
}

/* ---- passwords ---- */

START_TEST(password)
{
	s = board_start("Alice bob", NULL);
	board_polls(s, _i);
	/* Before, everything else is refused, and logout is not. */
	BOARD(s, "a: open", "a> get-anons 0,1", "a< auth-response -1,'Unauthorized'",
	      "a? chat-msg 1,1,'x'", "a< auth-response -1,'Unauthorized'",
	      "a< ack -1,'Unauthorized'", "a> typing",
	      "a< auth-response -1,'Unauthorized'", "a> logout",
	      "a< logout-response ...");
	/* The name comes back as it was registered. */
	BOARD(s, "a? auth-request 'aLICE','geheim-123'",
	      "a< auth-response 1,$uin,{'username':'Alice','token':$t,'expires':*}",
	      "a< ack 1,$uin", "a> auth-request 'bob','geheim-123'",
	      "a< auth-response -1,'Already logged in'", "a> get-anons 0,1",
	      "a< anons-list 0,[]", "a: nothing");
	ck_assert_uint_gt(strtoul(board_value(s, "uin") + 1, NULL, 10), 0);
	ck_assert_uint_eq(strlen(board_value(s, "t")), 43 + 2);
	board_end(s);
}
END_TEST

/* Unknown, wrong, missing: one reason. */
START_TEST(one_reason)
{
	s = board_start("alice", "limits.login_failures=100", NULL);
	harness_add_users(board_harness(s), "keyed", NULL);
	BOARD(s, "a: open", "a? auth-request 'alice','wrong-123'",
	      "a< auth-response -1,$why", "a< ack -1,$why",
	      "a> auth-request 'nobody','wrong-123'", "a< auth-response -1,$why",
	      "a> auth-request 'alice'", "a< auth-response -1,$why",
	      "a> auth-request 'nobody'", "a< auth-response -1,$why",
	      "a> auth-request 'keyed'", "a< auth-response -1,$why",
	      "a> auth-request 'keyed','geheim-123'", "a< auth-response -1,$why",
	      "a> auth-request '../alice','geheim-123'", "a< auth-response -1,$why",
	      "a> auth-request '',''", "a< auth-response -1,$why",
	      "a> auth-request 'alice',''", "a< auth-response -1,$why",
	      "a> auth-request 'alice',7", "a< auth-response -1,'Bad arguments'",
	      "a> auth-request", "a< auth-response -1,'Bad arguments'",
	      "a> auth-request 'alice','geheim-123'", "a< auth-response 1,...",
	      "a: nothing");
	board_end(s);
}
END_TEST

/* While the delay runs, the right password does not help; the connection is not kept. */
START_TEST(try_later)
{
	s = board_start("alice bob", "limits.login_failures=2", NULL);
	BOARD(s, "a: open", "a> auth-request 'alice','wrong-123'",
	      "a< auth-response -1,$why", "a> auth-request 'alice','wrong-123'",
	      "a< auth-response -1,$why", "a> auth-request 'alice','wrong-123'",
	      "a< auth-response -1,*", "a? auth-request 'alice','geheim-123'",
	      "a< auth-response -1,'Try later'", "a< ack -1,'Try later'",
	      /* Others come in. */
	      "bob: login");
	insist("a", "'alice','geheim-123'", "Try later");
	BOARD(s, "a> get-anons 0,1", "a< anons-list 0,[]");
	board_end(s);
}
END_TEST

/* ---- what CONNECT carries ---- */

START_TEST(tokens)
{
	s = board_start("alice bob", NULL);
	board_polls(s, _i);
	BOARD(s, "alice: open", "alice> auth-request 'alice','geheim-123'",
	      "alice< auth-response 1,$uin,{'username':'alice','token':$t,'expires':$e}",
	      /* auth-response is the first event. */
	      "alice/2: open {'token':$t}",
	      "alice/2< auth-response 1,$uin,{'username':'alice','token':*,'expires':*}",
	      "alice/2: nothing",
	      /* One that is of no use refuses nothing. */
	      "x: open {'token':'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'}",
	      "x< auth-response -1,...", "y: open {'token':7}");
	/* A password is lent to auth-request. */
	BOARD(s, "bob: open {'password':'geheim-123'}", "bob> auth-request 'bob'",
	      "bob< auth-response 1,...", "bob: nothing");
	/* Over a restart. */
	board_restart(s);
	BOARD(s, "alice: reset", "alice/3: enter $t", "alice/3? logout",
	      "alice/3< logout-response 1,*", "alice/3< ack 1,*",
	      /* The connection stays and may log in again. */
	      "alice/3> get-anons 0,1", "alice/3< auth-response -1,'Unauthorized'",
	      "alice/3: login", "alice/3> get-anons 0,1", "alice/3< anons-list 0,[]",
	      /* The token has ended. */
	      "z: open {'token':$t}", "z< auth-response -1,...", "z> get-anons 0,1",
	      "z< auth-response -1,'Unauthorized'");
	board_end(s);
}
END_TEST

START_TEST(token_lives_for_30_days)
{
	int64_t expires, want = clock_wall_ms() + 30LL * 24 * 3600 * 1000;

	s = board_start("alice", NULL);
	BOARD(s, "a: open", "a> auth-request 'alice','geheim-123'",
	      "a< auth-response 1,*,{'expires':$e}");
	expires = strtoll(board_value(s, "e"), NULL, 10);
	ck_assert_int_ge(expires, want - 60000);
	ck_assert_int_le(expires, want + 60000);
	board_end(s);
}
END_TEST

/* ---- accounts ---- */

START_TEST(registering)
{
	s = board_start("alice", NULL);
	BOARD(s, "a: open", "a? register 'New.One','long enough'",
	      "a< register-response 1,$uin", "a< ack 1,$uin",
	      /* It does not log in. */
	      "a> get-anons 0,1", "a< auth-response -1,'Unauthorized'",
	      "a> register 'NEW.ONE','long enough'", "a< register-response -1,*",
	      "a> register 'alice','long enough'", "a< register-response -1,*",
	      "a> register 'short','seven77'", "a< register-response -1,*",
	      "a> register '.dot','long enough'", "a< register-response -1,*",
	      "a> register '../x','long enough'", "a< register-response -1,*",
	      "a> register 'x y','long enough'", "a< register-response -1,*",
	      "a> register '','long enough'", "a< register-response -1,*",
	      "a> register 'abcdefghijklmnopqrstuvwxyz0123456','long enough'",
	      "a< register-response -1,*", "a> register 'just-a-name'",
	      "a< register-response -1,'Bad arguments'",
	      "a> auth-request 'new.one','long enough'",
	      "a< auth-response 1,*,{'username':'New.One'}");
	/* The same user in contacts. */
	BOARD(s, "~New.One> 110 New.One \"long enough\"", "~New.One< 212 400 New.One");
	board_end(s);
}
END_TEST

/* ---- guests ---- */

START_TEST(no_guests)
{
	s = board_start("", NULL);
	BOARD(s, "a: open", "a> auth-request 'visitor'", "a< auth-response -1,*",
	      "a> get-anons 0,1", "a< auth-response -1,'Unauthorized'");
	ck_assert(!harness_read(board_harness(s), "users/visitor", NULL));
	board_end(s);
}
END_TEST

static bool
exists(const char *path)
{
	struct buf b = BUF_INIT(65536);
	bool there = harness_read(board_harness(s), path, &b);

	buf_free(&b);
	return there;
}

START_TEST(guests)
{
	s = board_start("alice", "board.guests=yes", "board.max_guests=2", NULL);
	BOARD(s, "g: open", "g> auth-request 'Visitor'",
	      "g< auth-response 1,*,{'username':'Visitor','token':$t}",
	      /* While it is logged in, its token is needed. */
	      "g/2: open", "g/2> auth-request 'visitor'", "g/2< auth-response -1,*",
	      "g/3: enter $t", "g/2> auth-request 'No name'", "g/2< auth-response -1,*",
	      "g/2> auth-request 'second'", "g/2< auth-response 1,...",
	      /* Two are all there may be. */
	      "h: open", "h> auth-request 'third'", "h< auth-response -1,*",
	      /* A user with a password is no guest. */
	      "h> auth-request 'alice'", "h< auth-response -1,*");
	/* One without chats goes with its last connection, and makes room. */
	ck_assert(exists("users/second"));
	BOARD(s, "g/2: close");
	HARNESS_UNTIL(!exists("users/second"));
	BOARD(s, "h> auth-request 'third'", "h< auth-response 1,...", "g: close");
	ck_assert(exists("users/visitor"));
	BOARD(s, "g/3: close");
	HARNESS_UNTIL(!exists("users/visitor"));
	board_end(s);
}
END_TEST

/* A guest with a chat stays, and may come back by its name. */
START_TEST(guest_with_a_chat)
{
	s = board_start("alice", "board.guests=yes", NULL);
	board_deaf(s, "presence");
	BOARD(s, "alice: login", "alice> new-anons 'Bicycle','red'",
	      "alice< new-anons-response $a,'OK'", "alice< anons-added $a,...", "g: open",
	      "g> auth-request 'visitor'", "g< auth-response 1,...", "g> new-chat $a",
	      "g< new-chat-response $a,$c,'OK'",
	      "alice< chat-added $a,$c,'visitor','Bicycle'", "g: close", "g: open");
	insist("g", "'visitor'", "response\",-1,");
	BOARD(s, "g> get-user-chats", "g< user-chats 1,[{'chat_id':$c,'login':'alice'}]");
	/* With a password it is a guest no more: its sessions by name end. */
	board_set_password(s, "visitor", "geheim-999");
	BOARD(s, "g< notice *", "g: kicked", "g/2: open", "g/2> auth-request 'visitor'",
	      "g/2< auth-response -1,*");
	board_end(s);
}
END_TEST

/* ---- ends ---- */

START_TEST(kicked)
{
	s = board_start("alice bob carol", NULL);
	board_polls(s, _i);
	BOARD(s, "alice: login", "alice/2: login", "bob: login", "carol: login");
	harness_admin(board_harness(s), "ctl", "kick", "alice", NULL);
	BOARD(s, "alice< notice *", "alice: kicked", "alice/2< notice *",
	      "alice/2: kicked");
	harness_admin(board_harness(s), "user", "remove", "bob", NULL);
	BOARD(s, "bob< notice *", "bob: kicked");
	harness_admin(board_harness(s), "ctl", "say", "Closed at \"six\" \\o/", NULL);
	BOARD(s, "carol< notice 'Closed at \\\"six\\\" \\\\o/'", "carol: nothing",
	      /* And she may come again. */
	      "alice: login", "bob: open", "bob> auth-request 'bob','geheim-123'",
	      "bob< auth-response -1,*");
	board_end(s);
}
END_TEST

/* Sessions and tokens end with the password that made them. */
START_TEST(changed_password)
{
	s = board_start("alice", NULL);
	BOARD(s, "a: open", "a> auth-request 'alice','geheim-123'",
	      "a< auth-response 1,*,{'token':$t}");
	board_set_password(s, "alice", "geheim-999");
	BOARD(s, "a< notice *", "a: kicked", "a: open {'token':$t}",
	      "a< auth-response -1,...", "a> auth-request 'alice','geheim-123'",
	      "a< auth-response -1,*", "a> auth-request 'alice','geheim-999'",
	      "a< auth-response 1,...");
	board_end(s);
}
END_TEST

/* Nothing tells us that the server has read the poll: false when it had not. */
static bool
stops_while_polled(void)
{
	struct http_peer *poll;
	bool heard;

	s = board_start("alice bob", NULL);
	BOARD(s, "alice: login", "bob: login polling", "carol: open");
	poll = board_peer_of(s, "bob")->in;
	eio_ask_poll(poll, SOCKET, board_peer_of(s, "bob")->sid);
	for (int i = 0; i < 20; i++)
		BOARD(s, "alice> get-anons 0,1", "alice< anons-list 0,[]");
	harness_stop(board_harness(s));
	heard = http_await(poll, 1);
	if (heard)
		http_read(poll, false);
	/* One that came when the session was over gets 400. */
	heard = heard && poll->status != 400;
	if (heard)
		ck_assert(poll->status == 200 && span_eq(poll->body, span_str("1")));
	BOARD(s, "alice: end", "carol: end");
	board_end(s);
	return heard;
}

/* Without 41, so that browsers come back. */
START_TEST(server_stops)
{
	enum { TRIES = 10 };
	int tries = 0;

	while (!stops_while_polled())
		ck_assert_int_lt(++tries, TRIES);
}
END_TEST

/* 41 from the client: the transport stays, and nobody is logged in. */
START_TEST(leaving)
{
	s = board_start("alice", NULL);
	BOARD(s, "alice: login", "alice: leave");
	board_say(board_peer_of(s, "alice"), "0");
	{
		struct span got;

		ck_assert(board_next(board_peer_of(s, "alice"), &got));
		ck_assert(got.len > 8 && memcmp(got.p, "0{\"sid\":", 8) == 0);
	}
	BOARD(s, "alice> get-anons 0,1", "alice< auth-response -1,'Unauthorized'",
	      "alice: login");
	board_end(s);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("board_login");
	TCase *tc = harness_case(suite, "board_login");

	tcase_add_loop_test(tc, password, 0, 2);
	tcase_add_test(tc, one_reason);
	tcase_add_test(tc, try_later);
	tcase_add_loop_test(tc, tokens, 0, 2);
	tcase_add_test(tc, token_lives_for_30_days);
	tcase_add_test(tc, registering);
	tcase_add_test(tc, no_guests);
	tcase_add_test(tc, guests);
	tcase_add_test(tc, guest_with_a_chat);
	tcase_add_loop_test(tc, kicked, 0, 2);
	tcase_add_test(tc, changed_password);
	tcase_add_test(tc, server_stops);
	tcase_add_test(tc, leaving);
	return harness_main(suite);
}
