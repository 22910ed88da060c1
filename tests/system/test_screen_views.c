/* SPDX-License-Identifier: MIT
 *
 * Views of the full screen: each partner, room and call stands apart, unread marks stay,
 * and what is typed goes to whom one sees.  The real client in tmux.
 */
#include "tests/system/client_rooms.h"
#include "tests/system/tmux.h"

#include <stdio.h>
#include <string.h>

#define COLOURS "TERM=screen-256color"

static struct harness *h;
static struct tmux *t;

/* Alice, whose screen is looked at. */
static void
open_screen(const char *protocol)
{
	t = tmux_start(h);
	tmux_open(t, "alice", 80, 24, COLOURS, "--user", "alice", "--protocol", protocol,
		  NULL);
	tmux_until(t, "alice", "logged in as alice");
}

/* She asks for a chat; who is asked says something in it. */
static void
ask(const char *command, struct run *who, const char *words)
{
	char lines[128];

	tmux_line(t, "alice", command);
	snprintf(lines, sizeof(lines), "/wait request\n/accept\n/wait chat\n%s\n", words);
	run_say(who, lines);
}

static void
finish(struct run *bob, struct run *carol)
{
	tmux_line(t, "alice", "/quit");
	ck_assert_int_eq(tmux_status(t, "alice"), 0);
	tmux_free(t);
	(void)run_end(bob);
	(void)run_end(carol);
	run_free(bob);
	run_free(carol);
	harness_free(h);
}

/* One partner after the other. */
START_TEST(relay)
{
	struct run *bob, *carol;

	h = harness_start(NULL, NULL);
	run_enrol(h, "alice");
	bob = run_enter(h, "bob", NULL);
	carol = run_enter(h, "carol", NULL);
	open_screen("relay");
	ask("/chat bob", bob, "one");
	tmux_until(t, "alice", "<bob> one");
	ck_assert(!tmux_shows(t, "alice", "logged in as alice"));
	/* Elsewhere, while bob goes on. */
	tmux_key(t, "alice", "M-1");
	tmux_until(t, "alice", "in chat with bob");
	tmux_until(t, "alice", "logged in as alice");
	ck_assert(!tmux_shows(t, "alice", "<bob> one"));
	run_say(bob, "two\n");
	tmux_until(t, "alice", "1 unread | in chat with bob");
	tmux_until(t, "alice", "|>bob            1");
	ck_assert(!tmux_shows(t, "alice", "two"));
	tmux_picture(t, "alice", "views");
	/* Nothing is said to somebody who is not seen. */
	tmux_line(t, "alice", "hi");
	tmux_until(t, "alice", "bob does not hear what is said here");
	tmux_key(t, "alice", "M-2");
	tmux_until_row(t, "alice",
		       "---- new ---------------------------------------------------- |");
	tmux_until(t, "alice", "<bob> two");
	tmux_until_gone(t, "alice", "unread");
	tmux_until_row(t, "alice", "bob> hi");
	tmux_key(t, "alice", "Enter");
	run_until(bob, "<alice> hi\n");
	run_say(bob, "/end\n");
	tmux_until(t, "alice", "chat with bob ended");
	/* What nobody hears any more stays in the line. */
	tmux_line(t, "alice", "good bye");
	tmux_until(t, "alice", "! not sent: you are in no chat");
	tmux_until_row(t, "alice", "> good bye");
	tmux_key(t, "alice", "C-u");
	ask("/chat carol", carol, "three");
	tmux_until(t, "alice", "<carol> three");
	ck_assert(!tmux_shows(t, "alice", "<bob>"));
	/* What bob has said can still be read, and searched. */
	tmux_key(t, "alice", "M-p");
	tmux_until(t, "alice", "<bob> two");
	tmux_until(t, "alice", " | bob ");
	tmux_line(t, "alice", "/search three");
	tmux_until(t, "alice", "search: three");
	ck_assert(!tmux_shows(t, "alice", "><carol>"));
	tmux_key(t, "alice", "Escape");
	tmux_until_gone(t, "alice", "search:");
	tmux_line(t, "alice", "/view carol");
	tmux_until_row(t, "alice", "carol>");
	tmux_line(t, "alice", "/view dave");
	tmux_until(t, "alice", "! there is nothing to be seen of that name");
	tmux_line(t, "alice", "four");
	run_until(carol, "<alice> four\n");
	finish(bob, carol);
}
END_TEST

static struct run *
caller(const char *name)
{
	return run_enter(h, name, "--protocol", "nodes", "--plain", NULL);
}

/* Several at once: to go to the view of a call is to go back to the call. */
START_TEST(calls)
{
	struct run *bob, *carol;
	const char *found;

	h = harness_start(NULL, NULL);
	run_enrol(h, "alice");
	bob = caller("bob");
	carol = caller("carol");
	open_screen("nodes");
	ask("/call bob", bob, "one");
	tmux_until(t, "alice", "<bob> one");
	ask("/call carol", carol, "two");
	tmux_until(t, "alice", "<carol> two");
	ck_assert(!tmux_shows(t, "alice", "<bob> one"));
	run_say(bob, "three\nfour\n");
	tmux_until(t, "alice", "2 unread");
	ck_assert(!tmux_shows(t, "alice", "three"));
	tmux_key(t, "alice", "M-a");
	tmux_until(t, "alice", "<bob> four");
	tmux_until(t, "alice", "<bob> one");
	tmux_until_gone(t, "alice", "unread");
	tmux_until_row(t, "alice", "bob>");
	/* To come back is no news. */
	found = strstr(tmux_screen(t, "alice"), "* chat with bob, key");
	ck_assert_ptr_nonnull(found);
	ck_assert_ptr_null(strstr(found + 1, "* chat with bob, key"));
	tmux_line(t, "alice", "to bob");
	run_until(bob, "<alice> to bob\n");
	finish(bob, carol);
}
END_TEST

START_TEST(rooms)
{
	struct run *bob, *carol;

	h = cr_start();
	cr_sign_up(h, "alice");
	bob = cr_enter(h, "bob");
	carol = cr_enter(h, "carol");
	open_screen("rooms");
	run_say(bob, "/create \"Maths\" alice\nabout numbers\n");
	run_say(carol, "/create \"Music\" alice\nabout notes\n");
	tmux_until(t, "alice", "2 unread");
	tmux_key(t, "alice", "M-a");
	tmux_until(t, "alice", "about numbers");
	tmux_until(t, "alice", "1 unread");
	tmux_key(t, "alice", "M-a");
	tmux_until(t, "alice", "about notes");
	tmux_until_gone(t, "alice", "about numbers");
	tmux_until_gone(t, "alice", "unread");
	tmux_line(t, "alice", "fine");
	run_until(carol, "<alice> ");
	run_say(bob, "about sets\n");
	tmux_until(t, "alice", "1 unread");
	tmux_key(t, "alice", "M-p");
	tmux_until(t, "alice", "about sets");
	tmux_until(t, "alice", "about numbers");
	ck_assert(!tmux_shows(t, "alice", "fine"));
	tmux_line(t, "alice", "oh");
	run_until(bob, "<alice> ");
	finish(bob, carol);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("screen views");
	TCase *c = harness_case(s, "views");

	tcase_add_test(c, relay);
	tcase_add_test(c, calls);
	tcase_add_test(c, rooms);
	return harness_main(s);
}
