/* SPDX-License-Identifier: MIT
 *
 * relay: the administrator's deeds, a second login, and the server's own end.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tests/system/relay_peer.h"

static struct harness *h;
static struct peer *alice, *bob;

static void
begin(void)
{
	h = harness_start(NULL);
	harness_add_users(h, "alice", "bob", "carol", NULL);
	alice = peer_login(h, "alice");
	bob = peer_login(h, "bob");
}

static void
end(void)
{
	peer_free(alice);
	peer_free(bob);
	harness_free(h);
}

/* 373 with this reason, then the end. */
static void
logged_out(struct peer *p, const char *reason)
{
	struct span data = peer_expect(p, RELAY_FORCED_LOGOUT);

	if (reason != NULL)
		ck_assert(memmem(data.p, data.len, reason, strlen(reason)) != NULL);
	peer_expect_end(p);
}

START_TEST(logout)
{
	begin();
	peer_chat(alice, bob);
	peer_send_bare(alice, RELAY_LOGOUT);
	peer_expect_bare(bob, RELAY_CLOSED_CHAT);
	peer_expect_end(alice); /* without 373: it was asked for */
	peer_expect_list(bob, "");
	end();
}
END_TEST

START_TEST(kicked)
{
	begin();
	peer_chat(alice, bob);
	harness_admin(h, "ctl", "kick", "ALICE", "lesson is over", NULL);
	logged_out(alice, "lesson is over");
	peer_expect_bare(bob, RELAY_CLOSED_CHAT);
	peer_expect_list(bob, "");
	/* She may come back. */
	peer_free(alice);
	alice = peer_login(h, "alice");
	peer_chat(bob, alice);
	end();
}
END_TEST

START_TEST(kick_of_nobody_is_said)
{
	struct buf said = BUF_INIT(4096);

	begin();
	ck_assert_int_ne(harness_command(h, &said, "ctl", "kick", "nobody", NULL), 0);
	ck_assert_uint_gt(said.len, 0);
	buf_free(&said);
	peer_expect_nothing(alice);
	end();
}
END_TEST

START_TEST(replaced_by_a_second_login)
{
	struct peer *again;

	begin();
	peer_chat(alice, bob);
	again = peer_login(h, "Alice");
	logged_out(alice, NULL);
	peer_expect_bare(bob, RELAY_CLOSED_CHAT);
	peer_expect_list(bob, "alice");
	peer_chat(bob, again);
	peer_talk(bob, again);
	peer_free(again);
	end();
}
END_TEST

/* Only step 3 replaces: who does not have the key throws nobody out. */
START_TEST(failed_login_replaces_nobody)
{
	struct peer *stranger;

	begin();
	peer_chat(alice, bob);
	stranger = peer_connect(h);
	peer_hello(stranger, "alice");
	peer_talk(alice, bob);
	peer_prove(stranger, harness_key(h, "carol"));
	peer_expect_end(stranger);
	peer_talk(alice, bob);
	peer_free(stranger);
	end();
}
END_TEST

START_TEST(new_key_ends_the_session)
{
	struct buf pem = BUF_INIT(KEY_PEM_MAX);
	char path[HARNESS_PATH + 16];
	struct peer *p;

	begin();
	ck_assert_int_eq(key_public_pem(harness_key(h, "carol"), &pem), Q_OK);
	harness_write(h, "../new.pem", buf_span(&pem));
	snprintf(path, sizeof(path), "%s/new.pem", h->dir);
	harness_admin(h, "user", "key", "alice", path, NULL);
	logged_out(alice, NULL);
	/* The old key is void, the new one counts. */
	p = peer_connect(h);
	peer_hello(p, "alice");
	peer_prove(p, harness_key(h, "alice"));
	peer_expect_end(p);
	peer_free(p);
	p = peer_connect(h);
	peer_hello(p, "alice");
	peer_prove(p, harness_key(h, "carol"));
	peer_expect_list(p, "bob");
	peer_free(p);
	buf_free(&pem);
	end();
}
END_TEST

START_TEST(removed_user)
{
	struct peer *p;

	begin();
	peer_chat(alice, bob);
	harness_admin(h, "user", "remove", "alice", NULL);
	logged_out(alice, NULL);
	peer_expect_bare(bob, RELAY_CLOSED_CHAT);
	p = peer_connect(h);
	peer_hello(p, "alice");
	peer_prove(p, harness_key(h, "alice"));
	peer_expect_end(p);
	peer_free(p);
	end();
}
END_TEST

/* ---- what disturbs nobody ---- */

START_TEST(notices_for_those_who_want_them)
{
	begin();
	peer_send_bare(alice, RELAY_NOTICE);
	peer_expect_nothing(alice);
	peer_chat(alice, bob);
	harness_admin(h, "ctl", "say", "ten minutes left \xe2\x8f\xb3", NULL);
	ck_assert(span_eq(peer_expect(alice, RELAY_NOTICE),
			  span_str("ten minutes left \xe2\x8f\xb3")));
	peer_expect_nothing(bob);
	peer_talk(alice, bob);
	end();
}
END_TEST

START_TEST(reload_disturbs_nobody)
{
	begin();
	peer_chat(alice, bob);
	harness_admin(h, "ctl", "reload", NULL);
	peer_talk(alice, bob);
	ck_assert_int_eq(kill(h->pid, SIGHUP), 0);
	peer_talk(alice, bob);
	end();
}
END_TEST

START_TEST(sessions_and_stats_are_told)
{
	struct buf said = BUF_INIT(65536);

	begin();
	peer_chat(alice, bob);
	peer_talk(alice, bob);
	ck_assert_int_eq(harness_command(h, &said, "ctl", "sessions", NULL), 0);
	ck_assert(memmem(said.p, said.len, "alice", 5) != NULL);
	ck_assert(memmem(said.p, said.len, "bob", 3) != NULL);
	ck_assert(memmem(said.p, said.len, "carol", 5) == NULL);
	said.len = 0;
	ck_assert_int_eq(harness_command(h, &said, "ctl", "stats", NULL), 0);
	ck_assert(memmem(said.p, said.len, "messages_total", 14) != NULL);
	buf_free(&said);
	end();
}
END_TEST

/* ---- the server stops ---- */

/* 371 may come first; then 373 and the end. */
static void
told_of_the_end(struct peer *p, bool chatting)
{
	int32_t opcode;
	struct span data;

	ck_assert(peer_next(p, &opcode, &data));
	if (chatting && opcode == RELAY_CLOSED_CHAT)
		ck_assert(peer_next(p, &opcode, &data));
	ck_assert_int_eq(opcode, RELAY_FORCED_LOGOUT);
	peer_expect_end(p);
}

static const struct {
	bool by_command;
	int signal;
} stops[] = {{false, SIGTERM}, {false, SIGINT}, {true, 0}};

START_TEST(everybody_is_told_when_the_server_stops)
{
	struct peer *carol, *silent, *half;

	begin();
	carol = peer_login(h, "carol");
	silent = peer_connect(h);
	half = peer_connect(h);
	/* One in a handshake, one that has said nothing: they hold nothing up. */
	peer_hello(half, "carol");
	peer_chat(alice, bob);
	peer_say_text(alice, "before the end");
	peer_hear_text(bob, "before the end");
	if (stops[_i].by_command)
		harness_admin(h, "ctl", "stop", NULL);
	else
		ck_assert_int_eq(kill(h->pid, stops[_i].signal), 0);
	told_of_the_end(carol, false);
	told_of_the_end(alice, true);
	told_of_the_end(bob, true);
	peer_drain(silent);
	peer_drain(half);
	harness_expect_end(h);
	peer_free(carol);
	peer_free(silent);
	peer_free(half);
	end();
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("relay ends");
	TCase *tc = harness_case(s, "ends");

	tcase_add_test(tc, logout);
	tcase_add_test(tc, kicked);
	tcase_add_test(tc, kick_of_nobody_is_said);
	tcase_add_test(tc, replaced_by_a_second_login);
	tcase_add_test(tc, failed_login_replaces_nobody);
	tcase_add_test(tc, new_key_ends_the_session);
	tcase_add_test(tc, removed_user);
	tcase_add_test(tc, notices_for_those_who_want_them);
	tcase_add_test(tc, reload_disturbs_nobody);
	tcase_add_test(tc, sessions_and_stats_are_told);
	tcase_add_loop_test(tc, everybody_is_told_when_the_server_stops, 0, 3);
	return harness_main(s);
}
