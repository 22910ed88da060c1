/* SPDX-License-Identifier: MIT
 *
 * The real client whose server goes away and comes back, in another mind or in the same.
 */
#include "tests/system/client_pair.h"

#include <signal.h>
#include <string.h>

static struct harness *h;

/* Killed, or stopped in order. */
static void
take_down(bool kill)
{
	if (kill)
		harness_kill(h);
	else
		harness_stop(h);
}

START_TEST(comes_back)
{
	struct run *alice, *bob;

	h = harness_start(_i == 2 ? "relay.codes=distinct" : NULL, NULL);
	alice = run_enter(h, "alice", "--reconnect", NULL);
	bob = run_enter(h, "bob", "--reconnect", NULL);
	run_say(alice, "/chat bob\n/wait chat 900\n");
	run_say(bob, "/wait request 900\n/accept\n/wait chat 900\nhello\n");
	run_until(alice, "<bob> hello\n");
	take_down(_i == 0);
	run_until(alice, "* chat with bob ended: the connection is lost\n"
			 "* no connection, attempt 1 in ");
	run_until(bob, "* no connection, attempt 1 in ");
	/* Typed meanwhile: read when there is somebody to read it to. */
	run_say(alice, "/list\n");
	harness_restart(h);
	run_until(alice, "* connected to ");
	run_until(alice, "* logged in as alice\n* the chat with bob has ended with the "
			 "connection: /chat bob asks anew\n");
	run_until(alice, "* list: ");
	run_until(bob, "* logged in as bob\n");
	run_say(bob, "/chat alice\n/wait chat 900\n");
	run_until(alice, "* request from bob");
	run_say(alice, "/accept\n/wait chat 900\nback again\n");
	run_until(bob, "<alice> back again\n");
	run_quit(alice, 0);
	/* Bob's hello may not have arrived, as far as his client knows. */
	(void)run_end(bob);
	run_free(bob);
	harness_free(h);
}
END_TEST

/* Two who come back, in a chat. */
static struct pair
talking(void)
{
	struct pair p = {.h = harness_start(NULL, NULL)};

	p.alice = run_enter(p.h, "alice", "--reconnect", NULL);
	p.bob = run_enter(p.h, "bob", "--reconnect", NULL);
	pair_chat(&p);
	return p;
}

/* What was on its way is named. */
START_TEST(unsent)
{
	struct pair p = talking();

	/* A server that no longer acts on anything, and then dies. */
	harness_freeze(p.h);
	run_say(p.alice, "one\n/nothing\n");
	run_until(p.alice, "! /nothing is no command");
	harness_kill(p.h);
	run_until(p.alice, "! may not have arrived, to bob: one\n");
	run_until(p.alice, "* no connection, attempt 1 in ");
	harness_restart(p.h);
	run_until(p.alice, "* logged in as alice\n");
	/* Not sent a second time. */
	run_until(p.bob, "* logged in as bob\n");
	ck_assert(!run_said(p.bob, "<alice> one"));
	pair_quit(&p, 1, 0);
}
END_TEST

/* What the server has answered for is not in doubt. */
START_TEST(confirmed)
{
	struct pair p = talking();

	run_say(p.alice, "one\n");
	run_until(p.bob, "<alice> one\n");
	/* The client asks after a second. */
	run_say(p.alice, "/wait sent 900\n/list\n");
	run_until(p.alice, "* list: ");
	harness_kill(p.h);
	run_until(p.alice, "* no connection, attempt 1 in ");
	ck_assert(!run_said(p.alice, "may not have arrived"));
	harness_restart(p.h);
	run_until(p.alice, "* logged in as alice\n");
	pair_quit(&p, 0, 0);
}
END_TEST

/* A script's connection ends when it ends, unless it says otherwise. */
START_TEST(script)
{
	struct run *alice;

	h = harness_start(NULL, NULL);
	alice = run_enter(h, "alice", _i == 0 ? "--plain" : "--no-reconnect", NULL);
	harness_kill(h);
	run_until(alice, "* disconnected\n");
	run_quit(alice, 1);
	harness_restart(h);
	harness_free(h);
}
END_TEST

/* A person is not kept waiting for the connection. */
START_TEST(leaves_meanwhile)
{
	struct run *alice;

	h = harness_start(NULL, NULL);
	run_enrol(h, "alice");
	alice = run_in_terminal(h, "alice", "SERVER", "--user", "alice", "--plain",
				"--reconnect", NULL);
	run_until(alice, "* logged in as alice");
	harness_kill(h);
	run_until(alice, "* no connection, attempt 2 in ");
	run_say(alice, "hello?\n");
	run_until(alice, "! not sent: there is no connection");
	run_say(alice, "/quit\n");
	run_until(alice, "* logged out");
	run_quit(alice, 0);
	harness_restart(h);
	harness_free(h);
}
END_TEST

/* ---- it does not come back ---- */

/* The key was taken away while the server was down. */
START_TEST(refused)
{
	struct run *alice;

	h = harness_start(NULL, NULL);
	alice = run_enter(h, "alice", "--reconnect", NULL);
	harness_stop(h);
	run_until(alice, "* no connection, attempt 1 in ");
	harness_admin(h, "user", "remove", "alice", NULL);
	harness_restart(h);
	run_until(alice, "* connected to ");
	ck_assert_int_eq(run_ended(alice), 1);
	ck_assert(run_complained(alice, "the server refused alice: "));
	run_free(alice);
	harness_free(h);
}
END_TEST

START_TEST(kicked)
{
	struct run *alice;

	h = harness_start(NULL, NULL);
	alice = run_enter(h, "alice", "--reconnect", NULL);
	harness_admin(h, "ctl", "kick", "alice", NULL);
	run_until(alice, "* disconnected\n");
	run_quit(alice, 1);
	harness_free(h);
}
END_TEST

/* The same user somewhere else: two that come back would throw each other out. */
START_TEST(replaced)
{
	struct run *alice, *again;

	h = harness_start(NULL, NULL);
	alice = run_enter(h, "alice", "--reconnect", NULL);
	again = run_start(h, "alice", "SERVER", "--user", "alice", "--reconnect", NULL);
	run_until(again, "* logged in as alice\n");
	run_until(alice, "* disconnected\n");
	ck_assert_int_eq(run_ended(alice), 1);
	ck_assert(run_complained(alice, "you have logged in from another place"));
	run_free(alice);
	run_quit(again, 0);
	harness_free(h);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("client reconnect");
	TCase *t = harness_case(s, "coming back"),
	      *u = harness_case(s, "not coming back");

	tcase_add_loop_test(t, comes_back, 0, 3);
	tcase_add_test(t, unsent);
	tcase_add_test(t, confirmed);
	tcase_add_loop_test(t, script, 0, 2);
	tcase_add_test(t, leaves_meanwhile);
	tcase_add_test(u, refused);
	tcase_add_test(u, kicked);
	tcase_add_test(u, replaced);
	return s;
}

int
main(void)
{
	return harness_main(suite());
}
