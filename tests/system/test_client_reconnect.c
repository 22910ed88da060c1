/* SPDX-License-Identifier: MIT
 *
 * The real client whose server goes away and comes back, in another mind or in the same.
 */
#include "tests/system/client_run.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct harness *h;

static struct run *
start(const char *name, const char *option)
{
	char line[64];
	struct run *r;

	run_enrol(h, name);
	r = run_start(h, name, "SERVER", "--user", name, option, NULL);
	snprintf(line, sizeof(line), "* logged in as %s\n", name);
	run_until(r, line);
	return r;
}

static void
end(struct run *r, int status)
{
	ck_assert_int_eq(run_end(r), status);
	run_free(r);
}

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
	alice = start("alice", "--reconnect");
	bob = start("bob", "--reconnect");
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
	end(alice, 0);
	/* Bob's hello may not have arrived, as far as his client knows. */
	(void)run_end(bob);
	run_free(bob);
	harness_free(h);
}
END_TEST

/* What was on its way is named. */
START_TEST(unsent)
{
	struct run *alice, *bob;

	h = harness_start(NULL, NULL);
	alice = start("alice", "--reconnect");
	bob = start("bob", "--reconnect");
	run_say(alice, "/chat bob\n/wait chat 900\n");
	run_say(bob, "/wait request 900\n/accept\n/wait chat 900\n");
	run_until(alice, "* chat with bob, key ");
	run_until(bob, "* chat with alice, key ");
	/* A server that no longer acts on anything, and then dies. */
	harness_freeze(h);
	run_say(alice, "one\n/nothing\n");
	run_until(alice, "! /nothing is no command");
	harness_kill(h);
	run_until(alice, "! may not have arrived, to bob: one\n");
	run_until(alice, "* no connection, attempt 1 in ");
	harness_restart(h);
	run_until(alice, "* logged in as alice\n");
	/* Not sent a second time. */
	run_until(bob, "* logged in as bob\n");
	ck_assert(!run_said(bob, "<alice> one"));
	end(alice, 1);
	end(bob, 0);
	harness_free(h);
}
END_TEST

/* What the server has answered for is not in doubt. */
START_TEST(confirmed)
{
	struct run *alice, *bob;

	h = harness_start(NULL, NULL);
	alice = start("alice", "--reconnect");
	bob = start("bob", "--reconnect");
	run_say(alice, "/chat bob\n/wait chat 900\n");
	run_say(bob, "/wait request 900\n/accept\n/wait chat 900\n");
	run_until(alice, "* chat with bob, key ");
	run_say(alice, "one\n");
	run_until(bob, "<alice> one\n");
	/* The client asks after a second. */
	run_say(alice, "/wait sent 900\n/list\n");
	run_until(alice, "* list: ");
	harness_kill(h);
	run_until(alice, "* no connection, attempt 1 in ");
	ck_assert(!run_said(alice, "may not have arrived"));
	harness_restart(h);
	run_until(alice, "* logged in as alice\n");
	end(alice, 0);
	end(bob, 0);
	harness_free(h);
}
END_TEST

/* A script's connection ends when it ends, unless it says otherwise. */
START_TEST(script)
{
	struct run *alice;

	h = harness_start(NULL, NULL);
	alice = start("alice", _i == 0 ? "--plain" : "--no-reconnect");
	harness_kill(h);
	run_until(alice, "* disconnected\n");
	end(alice, 1);
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
	end(alice, 0);
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
	alice = start("alice", "--reconnect");
	harness_stop(h);
	run_until(alice, "* no connection, attempt 1 in ");
	harness_admin(h, "user", "remove", "alice", NULL);
	harness_restart(h);
	run_until(alice, "* connected to ");
	ck_assert_int_eq(run_end(alice), 1);
	ck_assert(run_complained(alice, "the server refused alice: "));
	run_free(alice);
	harness_free(h);
}
END_TEST

START_TEST(kicked)
{
	struct run *alice;

	h = harness_start(NULL, NULL);
	alice = start("alice", "--reconnect");
	harness_admin(h, "ctl", "kick", "alice", NULL);
	run_until(alice, "* disconnected\n");
	end(alice, 1);
	harness_free(h);
}
END_TEST

/* The same user somewhere else: two that come back would throw each other out. */
START_TEST(replaced)
{
	struct run *alice, *again;

	h = harness_start(NULL, NULL);
	alice = start("alice", "--reconnect");
	again = run_start(h, "alice", "SERVER", "--user", "alice", "--reconnect", NULL);
	run_until(again, "* logged in as alice\n");
	run_until(alice, "* disconnected\n");
	ck_assert_int_eq(run_end(alice), 1);
	ck_assert(run_complained(alice, "you have logged in from another place"));
	run_free(alice);
	end(again, 0);
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
