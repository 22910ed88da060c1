/* SPDX-License-Identifier: MIT
 *
 * Two or three people with the real client in rooms of the real server: making rooms,
 * talking, changing what was said, files, who is in them, and what waited.
 */
#include "tests/system/client_pair.h"
#include "tests/system/client_rooms.h"
#include "tests/system/tmux.h"

#include <string.h>

/* Alice and Bob in a room that Alice has made and both have open. */
static struct pair
talking(void)
{
	struct pair p = {.h = cr_start()};

	cr_sign_up(p.h, "bob");
	cr_sign_up(p.h, "carol");
	p.alice = cr_enter(p.h, "alice");
	p.bob = cr_log_in(p.h, "bob", "bob", NULL);
	run_say(p.alice, "/create \"Math club\" bob nobody\n");
	run_until(p.alice, "* in #Math-club: made, group with 2 people: Math club\n"
			   "* chat with #Math-club\n! not possible with: nobody\n");
	run_until(p.bob,
		  "* in #Math-club: you are in this room now, group with 2 people: "
		  "Math club\n");
	run_say(p.bob, "/room math-club\n");
	run_until(p.bob, "* chat with #Math-club\n");
	return p;
}

START_TEST(talk)
{
	struct pair p = talking();

	run_say(p.alice,
		"hello\n  two  blanks, \"quotes\" and Za\xc5\xbc\xc3\xb3\xc5\x82\n"
		"//room is no command\n");
	/* bob may have read the first before the last is sent. */
	run_until(p.alice, "* sent 1\n");
	run_until(p.alice, "* sent 2\n");
	run_until(p.alice, "* sent 3\n");
	run_until(p.bob, "<alice> [1] hello\n"
			 "<alice> [2]   two  blanks, \"quotes\" and Za\xc5\xbc\xc3\xb3"
			 "\xc5\x82\n<alice> [3] /room is no command\n");
	run_until(p.alice, "* bob has read 3\n");
	run_say(p.bob, "and you?\n");
	run_until(p.alice, "<bob> [4] and you?\n");
	run_say(p.alice, "/list\n/rooms\n");
	run_until(p.alice, "* list: alice bob\n* room #Math-club, group: Math club\n"
			   "* rooms: 1\n");
	pair_quit(&p, 1, 0);
}
END_TEST

START_TEST(changing)
{
	struct pair p = talking();

	run_say(p.alice, "one\ntwo\n");
	run_until(p.bob, "<alice> [2] two\n");
	run_until(p.alice, "* sent 2\n");
	run_say(p.alice, "/edit Two!\n");
	run_until(p.alice, "* edited 2\n");
	run_until(p.bob, "* alice has changed 2: Two!\n");
	run_say(p.alice, "/edit 1 One!\n");
	run_until(p.bob, "* alice has changed 1: One!\n");
	run_say(p.bob, "/pin 1\n");
	run_until(p.alice, "* bob has pinned 1\n");
	run_say(p.bob, "/edit 1 mine\n/delete 2\n/pin 1\n/edit 99 x\n/delete\n");
	run_until(p.bob, "! message 1 is no text of yours\n"
			 "! cannot delete: this message is somebody else's\n");
	run_until(p.bob,
		  "! there is no message 99 here\n! there is no such message yet\n");
	run_until(p.alice, "* bob has unpinned 1\n");
	run_say(p.alice, "/delete 1 a slip of the pen\n");
	run_until(p.alice, "* deleted 1\n");
	run_until(p.bob, "* alice has deleted 1: a slip of the pen\n");
	/* Who comes later finds the newest text, and a gap. */
	run_quit(p.bob, 1);
	p.bob = cr_log_in(p.h, "bob", "bob", NULL);
	run_say(p.bob, "/room math-club\n/sync 10\n");
	run_until(p.bob, "* not shown, from alice: deleted since\n<alice> ");
	run_until(p.bob, "] Two!\n* before that in #Math-club: 2\n");
	run_say(p.bob, "/sync\n");
	run_until(p.bob, "* before that in #Math-club: 0\n");
	pair_quit(&p, 1, 0);
}
END_TEST

/* Rights, and what everybody hears of them. */
START_TEST(people)
{
	struct pair p = talking();
	struct run *carol;

	carol = cr_log_in(p.h, "carol", "carol", NULL);
	run_say(p.bob, "/invite carol\n/rename mine\n/drop\n");
	run_until(p.bob, "! cannot invite: you may not do this in this room\n"
			 "! cannot rename: you may not do this in this room\n"
			 "! cannot drop the room: you may not do this in this room\n");
	run_say(p.alice, "/promote bob\n");
	run_until(p.bob, "* in #Math-club: alice has promoted bob\n");
	run_say(p.bob, "/invite carol nobody\n");
	run_until(p.bob, "* in #Math-club: bob has added carol\n"
			 "! not possible with: nobody\n");
	run_until(carol, "* in #Math-club: you are in this room now, group with 3 "
			 "people: Math club\n");
	run_say(carol, "/room math-club\nhi all\n");
	run_until(p.alice, "<carol> [1] hi all\n");
	run_until(p.bob, "<carol> [1] hi all\n");
	run_say(p.bob, "/rename Maths & more\n/remove carol\n");
	run_until(p.alice, "* in #Math-club: bob has renamed it: Maths & more\n"
			   "* in #Math-club: bob has removed carol\n");
	run_until(carol, "* in #Math-club: bob has removed carol\n"
			 "* chat with #Math-club ended: you have been removed from the "
			 "room\n");
	run_say(carol, "/rooms\nanybody?\n");
	run_until(carol,
		  "* rooms: 0\n! not sent: no room is open; /room NAME opens one\n");
	run_say(p.alice, "/demote bob\n/leave\n");
	run_until(p.alice, "* chat with #Math-club ended: you have left the room\n");
	run_until(p.bob, "* in #Math-club: alice has demoted bob\n"
			 "* in #Math-club: alice has left\n");
	/* Now it is his. */
	run_say(p.bob, "/drop\n");
	run_until(p.bob, "* chat with #Math-club ended: the room has been deleted\n");
	run_quit(carol, 1);
	pair_quit(&p, 1, 1);
}
END_TEST

START_TEST(channel)
{
	struct pair p = talking();

	run_say(p.alice, "/channel news bob\n");
	run_until(p.alice, "* in #news: made, channel with 2 people: news\n");
	run_until(p.bob, "* in #news: you are in this room now, channel");
	run_say(p.bob, "/room news\nmay I?\n");
	run_until(p.bob, "! not sent: in this channel only its owner and those who were "
			 "promoted speak\n");
	run_say(p.alice, "school is out\n/promote bob\n");
	run_until(p.bob, "<alice> [1] school is out\n");
	run_until(p.bob, "* in #news: alice has promoted bob\n");
	run_say(p.bob, "hooray\n");
	run_until(p.alice, "<bob> [2] hooray\n");
	ck_assert(!run_said(p.alice, "has read"));
	pair_quit(&p, 1, 1);
}
END_TEST

/* Whom the administrator has sent away does not come back by itself, and hears why; when
 * the server stops, everybody comes back. */
START_TEST(kicked)
{
	struct harness *h = cr_start();
	struct run *alice;

	cr_sign_up(h, "alice");
	alice = cr_log_in(h, "alice", "alice", "--reconnect", NULL);
	harness_stop(h);
	run_until(alice, "* no connection, attempt 1 in ");
	harness_restart(h);
	run_until(alice, "* logged in as alice\n");
	harness_admin(h, "ctl", "kick", "alice", "lunch time", NULL);
	run_until(alice, "* disconnected\n");
	ck_assert_int_eq(run_end(alice), 1);
	ck_assert(run_complained(alice, "closed the connection: lunch time\n"));
	run_free(alice);
	harness_free(h);
}
END_TEST

/* A room of two, and what waits in rooms that are not open. */
START_TEST(waiting)
{
	struct pair p = talking();
	struct run *carol;

	run_say(p.alice, "/room carol\nfor you alone\n");
	run_until(p.alice, "* chat with carol\n* sent 1\n");
	run_say(p.bob, "in the club\nand more\n");
	run_until(p.alice, "* unread from #Math-club: ");
	run_say(p.alice, "/wait unread 900\n/rooms\n");
	run_until(p.alice, "* room carol, direct\n");
	carol = cr_log_in(p.h, "carol", "carol", NULL);
	run_until(carol, "* unread from alice: 1\n");
	ck_assert(!run_said(carol, "for you alone"));
	/* Marked, not read: it comes again. */
	run_quit(carol, 0);
	carol = cr_log_in(p.h, "carol", "carol", NULL);
	run_until(carol, "* unread from alice: 1\n");
	run_say(carol, "/room alice\n");
	run_until(carol, "* chat with alice\n<alice> [1] for you alone\n");
	run_until(p.alice, "* carol has read 1\n");
	/* Read: it does not. */
	run_quit(carol, 0);
	carol = cr_log_in(p.h, "carol", "carol", NULL);
	run_say(carol, "/rooms\n");
	run_until(carol, "* room alice, direct\n* rooms: 1\n");
	ck_assert(!run_said(carol, "unread"));
	run_say(p.alice, "/room math-club\n");
	run_until(p.alice, "* chat with #Math-club\n<bob> [2] in the club\n"
			   "<bob> [3] and more\n");
	run_quit(carol, 0);
	pair_quit(&p, 1, 0);
}
END_TEST

/* ---- files ---- */

START_TEST(files)
{
	struct pair p = talking();

	pair_make_file(p.h, "small.bin", "", 1000);
	pair_make_file(p.h, "large.bin", "", 5 << 20);
	pair_make_file(p.h, "empty", "", 0);
	pair_make_file(p.h, "toolarge", "", 20 << 20);
	run_say(
	    p.alice,
	    "/send small.bin\n/wait transfer 900\n/send large.bin\n/wait transfer 900\n"
	    "/send empty\n/wait transfer 900\n/send toolarge\n/send nothing\n");
	run_until(p.alice,
		  "* sending to #Math-club, 1000 bytes: small.bin\n"
		  "* delivered to #Math-club, 1000 bytes: small.bin\n* sent 1\n");
	run_until(p.alice, "* delivered to #Math-club, 5242880 bytes: large.bin\n");
	run_until(p.alice, "! toolarge is too large: 20971520 bytes, and ");
	run_until(p.alice, "! cannot open nothing: No such file or directory\n");
	run_until(p.bob, "* file 1 from alice: application/octet-stream, 1000 bytes, "
			 "small.bin, /get 1\n");
	run_until(p.bob, "* file 2 from alice: about ");
	run_until(p.bob, "* file 3 from alice: text/plain;charset=UTF-8, 0 bytes, empty, "
			 "/get 3\n");
	run_say(p.bob, "/get 1\n/get 2\n/get\n/get 7\n");
	run_until(p.bob, "* stored from alice, 1000 bytes: small-1.bin\n");
	run_until(p.bob, "* stored from alice, 5242880 bytes: large-1.bin\n");
	run_until(p.bob, "* stored from alice, 0 bytes: empty-1\n"
			 "! that is no message with a file\n");
	pair_same_files(p.h, "small.bin", "small-1.bin");
	pair_same_files(p.h, "large.bin", "large-1.bin");
	pair_quit(&p, 1, 1);
}
END_TEST

/* ---- what others may not do ---- */

START_TEST(hostile)
{
	struct pair p = talking();

	pair_make_file(p.h, "a\x1b]0;x\x07$(b).txt", "", 3);
	run_say(p.alice,
		"\x1b[2J\xe2\x80\xae turned\n/rename \xe2\x80\xaeyreve\n"
		"/send a\x1b]0;x\x07$(b).txt\n/wait transfer 900\n/delete 1 \x1b[31m\n");
	run_until(p.bob, "<alice> [1] \\x1b[2J\\u{202e} turned\n");
	run_until(p.bob, "* in #Math-club: alice has renamed it: \\u{202e}yreve\n");
	run_until(p.bob, ", 3 bytes, a\\x1b]0;x\\x07$(b).txt, /get 2\n");
	run_until(p.bob, "* alice has deleted 1: \\x1b[31m\n");
	run_say(p.bob, "/get\n");
	run_until(p.bob, "* stored from alice, 3 bytes: a__0_x___b_.txt\n");
	ck_assert(!run_said(p.bob, "\x1b"));
	pair_quit(&p, 1, 0);
}
END_TEST

/* ---- the full screen ---- */

START_TEST(screen)
{
	struct pair p = talking();
	struct tmux *x = tmux_start(p.h);

	run_quit(p.alice, 1);
	tmux_open(x, "alice", 80, 24, "TERM=screen-256color", "--protocol", "rooms",
		  "--user", "alice", NULL);
	tmux_until(x, "alice", "logged in as alice");
	tmux_until(x, "alice", "| #Math-club");
	tmux_line(x, "alice", "/room math-club");
	tmux_until(x, "alice", "|>#Math-club");
	tmux_until(x, "alice", "| bob");
	tmux_line(x, "alice", "hello");
	tmux_until_row(x, "alice",
		       "12:34 <alice> [1] hello                                       |");
	run_until(p.bob, "<alice> [1] hello\n");
	run_say(p.bob, "and hello to you\n");
	tmux_until_row(x, "alice",
		       "12:34 <bob> [2] and hello to you                              |");
	tmux_until_row(x, "alice",
		       "12:34 * bob has read 1                                        |");
	tmux_line(x, "alice", "/edit Hello!");
	tmux_until(x, "alice", "* edited 1");
	run_until(p.bob, "* alice has changed 1: Hello!\n");
	/* Another room: its people instead, and what is unread there. */
	tmux_line(x, "alice", "/room carol");
	tmux_until(x, "alice", "|>carol");
	run_say(p.bob, "still there?\n");
	tmux_until(x, "alice", "|+#Math-club");
	tmux_until(x, "alice", "1 unread | in chat");
	tmux_picture(x, "alice", "rooms");
	tmux_line(x, "alice", "/quit");
	ck_assert_int_eq(tmux_status(x, "alice"), 0);
	tmux_free(x);
	run_quit(p.bob, 0);
	harness_free(p.h);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("client rooms");
	TCase *c = harness_case(s, "rooms");

	tcase_add_test(c, talk);
	tcase_add_test(c, changing);
	tcase_add_test(c, people);
	tcase_add_test(c, channel);
	tcase_add_test(c, kicked);
	tcase_add_test(c, waiting);
	tcase_add_test(c, files);
	tcase_add_test(c, hostile);
	tcase_add_test(c, screen);
	return harness_main(s);
}
