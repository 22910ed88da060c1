/* SPDX-License-Identifier: MIT
 *
 * Leaving the full screen while something is not sent, or in doubt: with the screen goes
 * what it says, so the client says it once more below it.
 */
#include "tests/system/client_rooms.h"
#include "tests/system/tmux.h"

#include <signal.h>

#define PASSWORD "QUINTET_PASSWORD=geheim 12345"

struct two {
	struct harness *h;
	struct tmux *t;
	struct run *bob;
};

/* Contacts; alice, on the screen, has the chat open and a question under way when the
 * server hangs, and has typed on. */
static struct two
typed_on(void)
{
	struct two p = {.h = harness_start(NULL, NULL)};

	run_environment(PASSWORD);
	p.bob = run_start(p.h, "bob", "SERVER", "--user", "bob", "--protocol", "contacts",
			  "--clear", "--register", NULL);
	run_until(p.bob, "* logged in as bob\n");
	p.t = tmux_start(p.h);
	tmux_open(p.t, "alice", 100, 24, PASSWORD, "--user", "alice", "--protocol",
		  "contacts", "--clear", "--register", NULL);
	tmux_until(p.t, "alice", "logged in as alice");
	tmux_line(p.t, "alice", "/add bob");
	run_say(p.bob, "/wait contact\n/confirm alice\n");
	tmux_until(p.t, "alice", "bob is a contact now");
	tmux_line(p.t, "alice", "/chat bob");
	tmux_until(p.t, "alice", "chat with bob");
	tmux_line(p.t, "alice", "one");
	run_until(p.bob, "* unread from alice: 1\n");
	harness_freeze(p.h);
	tmux_line(p.t, "alice", "two");
	tmux_until(p.t, "alice", "?<alice> two");
	tmux_line(p.t, "alice", "/contacts");
	tmux_line(p.t, "alice", "three");
	tmux_until(p.t, "alice", "waiting for an answer");
	tmux_line(p.t, "alice", "/add carol");
	return p;
}

static void
finish(struct two *p)
{
	tmux_free(p->t);
	run_free(p->bob);
	harness_free(p->h);
}

START_TEST(given_up)
{
	struct two p = typed_on();

	tmux_key(p.t, "alice", "C-c");
	tmux_until(p.t, "alice", "Ctrl-C again leaves");
	tmux_key(p.t, "alice", "C-c");
	tmux_until(p.t, "alice", "leaving");
	tmux_line(p.t, "alice", "/quit");
	tmux_until_row(p.t, "alice", "! not sent: three");
	tmux_until_row(p.t, "alice", "! not done: /add carol");
	tmux_until_row(p.t, "alice", "! may not have arrived, to bob: two");
	tmux_until(p.t, "alice", "messages that may not have arrived: 1");
	ck_assert(!tmux_shows(p.t, "alice", "logged out"));
	ck_assert_int_eq(tmux_status(p.t, "alice"), 1);
	harness_kill(p.h);
	(void)run_end(p.bob);
	finish(&p);
}
END_TEST

/* /quit comes behind what was typed before it. */
START_TEST(in_turn)
{
	struct two p = typed_on();

	tmux_line(p.t, "alice", "/quit");
	ck_assert_int_eq(kill(p.h->pid, SIGCONT), 0);
	ck_assert_int_eq(tmux_status(p.t, "alice"), 0);
	ck_assert(!tmux_shows(p.t, "alice", "! "));
	run_until(p.bob, "* unread from alice: 3\n");
	run_say(p.bob, "/chat alice\n");
	run_until(p.bob, "<alice> one\n<alice> two\n<alice> three\n");
	ck_assert_int_eq(run_end(p.bob), 0);
	finish(&p);
}
END_TEST

/* What rooms would have sent again. */
START_TEST(while_away)
{
	struct harness *h = cr_start();
	struct run *bob;
	struct tmux *t;

	cr_sign_up(h, "alice");
	bob = cr_enter(h, "bob");
	t = tmux_start(h);
	tmux_open(t, "alice", 100, 24, "TERM=screen-256color", "--user", "alice",
		  "--protocol", "rooms", NULL);
	tmux_until(t, "alice", "logged in as alice");
	tmux_line(t, "alice", "/room bob");
	tmux_until(t, "alice", "chat with bob");
	harness_freeze(h);
	/* Two, since tmux scrolls by one when a program ends. */
	tmux_line(t, "alice", "into");
	tmux_line(t, "alice", "the dark");
	tmux_until(t, "alice", "?<alice> [2] the dark");
	harness_kill(h);
	tmux_until(t, "alice", "no connection, attempt ");
	tmux_line(t, "alice", "/quit");
	tmux_until_row(t, "alice", "! may not have arrived, to bob: the dark");
	tmux_until(t, "alice", "messages that may not have arrived: 2");
	ck_assert_int_eq(tmux_status(t, "alice"), 1);
	(void)run_end(bob);
	tmux_free(t);
	run_free(bob);
	harness_free(h);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("screen leave");
	TCase *t = harness_case(s, "screen leave");

	tcase_add_test(t, given_up);
	tcase_add_test(t, in_turn);
	tcase_add_test(t, while_away);
	return harness_main(s);
}
