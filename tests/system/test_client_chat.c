/* SPDX-License-Identifier: MIT
 *
 * Two people with the real client and the real server: lines in, lines out.
 */
#include "tests/system/client_pair.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/system/harness_run.h"

static struct pair
logged_in(void)
{
	struct pair p = {.h = harness_start(NULL, NULL)};

	p.alice = run_enter(p.h, "alice", NULL);
	p.bob = run_enter(p.h, "bob", NULL);
	return p;
}

static struct pair
chatting(void)
{
	struct pair p = logged_in();

	pair_chat(&p);
	return p;
}

START_TEST(chat)
{
	struct pair p = chatting();

	run_say(p.alice, "hello\n");
	run_until(p.bob, "\n<alice> hello\n");
	run_say(p.bob,
		"//list is no command here\n\n\tZa\xc5\xbc\xc3\xb3\xc5\x82\xc4\x87\n");
	run_until(p.alice, "<bob> /list is no command here\n<bob> \n"
			   "<bob> \tZa\xc5\xbc\xc3\xb3\xc5\x82\xc4\x87\n");
	run_say(p.alice, "/end\n");
	run_until(p.alice, "* chat with bob ended: by you\n");
	run_until(p.bob, "* chat with alice ended: by the other side\n");
	/* And once more, the other way round. */
	run_say(p.bob, "/chat alice\n");
	run_until(p.alice, "* request from bob");
	run_say(p.alice, "/accept\n");
	run_until(p.bob, "* chat with alice, key ");
	run_say(p.bob, "again\n");
	run_until(p.alice, "<bob> again\n");
	pair_quit(&p, 0, 0);
}
END_TEST

START_TEST(requests)
{
	struct pair p = logged_in();

	run_say(p.alice, "/list\n");
	run_until(p.alice, "* list: bob\n");
	run_say(p.alice, "/chat bob\n");
	run_until(p.bob, "* request from alice: /accept or /deny\n");
	run_say(p.bob, "/list\n/wait list 900\n/deny\n");
	run_until(p.bob, "* list: (nobody)\n* denied alice\n");
	run_until(p.alice, "* no chat with bob: refused, busy or not here\n");
	run_say(p.alice, "/chat bob\n/end\n/chat carol\n");
	run_until(p.alice, "* asking bob\n* request over: bob\n* asking carol\n"
			   "* no chat with carol: refused, busy or not here\n");
	run_until(p.bob, "* request over: alice\n");
	pair_quit(&p, 0, 0);
}
END_TEST

/* What a script gets wrong is said, and remembered in the exit status. */
START_TEST(refused)
{
	struct pair p = logged_in();

	run_say(p.alice, "/accept\n/chat\n/chat ../x\n/chat ALICE\n/nothing\nhello\n"
			 "/wait chat 900\n");
	run_until(p.alice, "! nobody is asking you\n! /chat takes one name\n"
			   "! \"../x\" is no name\n! ALICE is you\n"
			   "! /nothing is no command: /help lists them; // begins a text "
			   "that begins with /\n"
			   "! not sent: you are in no chat; /chat NAME begins one\n"
			   "! waited for chat in vain\n");
	run_until(p.alice, "* logged out\n");
	pair_quit(&p, 1, 0);
}
END_TEST

START_TEST(wait_runs_out)
{
	struct pair p = logged_in();

	run_say(p.alice, "/wait request 0.2\nnever read\n");
	run_until(p.alice, "! waited for request in vain\n* logged out\n");
	ck_assert(!run_said(p.alice, "not sent"));
	pair_quit(&p, 1, 0);
}
END_TEST

/* Many lines through a pipe, the longest that there can be, and one that is too
 * long; the end of the input loses nothing. */
START_TEST(bulk)
{
	enum { LINES = 20000, LONGEST = 65460 };
	struct pair p = chatting();
	struct buf text = BUF_INIT(8 << 20), want = BUF_INIT(8 << 20);
	char *x = malloc(LONGEST + 2);

	ck_assert_ptr_nonnull(x);
	memset(x, 'x', LONGEST + 1);
	x[LONGEST + 1] = '\0';
	for (int i = 0; i < LINES; i++) {
		ck_assert_int_eq(buf_printf(&text, "line %d\n", i), Q_OK);
		ck_assert_int_eq(buf_printf(&want, "<alice> line %d\n", i), Q_OK);
	}
	ck_assert_int_eq(buf_printf(&text, "%s\n%s\n//%s\nlast", x, x + 1, x + 2), Q_OK);
	ck_assert_int_eq(buf_printf(&want,
				    "<alice> %s\n<alice> /%s\n<alice> last\n"
				    "* chat with alice ended: by the other side\n",
				    x + 1, x + 2),
			 Q_OK);
	ck_assert_int_eq(buf_put_u8(&text, 0), Q_OK);
	ck_assert_int_eq(buf_put_u8(&want, 0), Q_OK);
	run_say(p.alice, (const char *)text.p);
	ck_assert_int_eq(run_end(p.alice), 1); /* one was refused */
	ck_assert(
	    run_said(p.alice, "! not sent: 65461 bytes are too long, 65460 at most\n"));
	run_until(p.bob, (const char *)want.p);
	ck_assert_int_eq(run_end(p.bob), 0);
	run_free(p.alice);
	run_free(p.bob);
	buf_free(&text);
	buf_free(&want);
	free(x);
	harness_free(p.h);
}
END_TEST

START_TEST(hostile_text)
{
	struct pair p = chatting();

	/* Clears the screen, sets the title, turns the line round, ends it. */
	run_say(p.bob, "a\x1b[2J\x1b]0;title\a\xe2\x80\xae"
		       "b\rc\xc2\x9b"
		       "1m\n");
	run_until(p.alice, "<bob> a\\x1b[2J\\x1b]0;title\\x07\\u{202e}b\\x0dc\\x9b1m\n");
	run_say(p.bob, "\xff\n");
	run_until(p.bob, "! not sent: this is not UTF-8 text\n");
	harness_admin(p.h, "ctl", "say", "five more minutes", NULL);
	run_until(p.alice, "* notice: five more minutes\n");
	harness_admin(p.h, "ctl", "kick", "bob", "that is enough", NULL);
	run_until(p.alice, "* chat with bob ended: by the other side\n");
	run_until(p.bob, "* disconnected\n");
	ck_assert_int_eq(run_end(p.bob), 1);
	ck_assert(run_complained(
	    p.bob, "client: the server ended the session: that is enough\n"));
	ck_assert_ptr_null(memchr(p.alice->said.p, 0x1b, p.alice->said.len));
	run_quit(p.alice, 0);
	run_free(p.bob);
	harness_free(p.h);
}
END_TEST

START_TEST(partner_vanishes)
{
	struct pair p = chatting();

	kill(p.bob->pid, SIGKILL);
	run_until(p.alice, "* chat with bob ended: by the other side\n");
	run_say(p.alice, "anybody?\n/chat bob\n");
	run_until(p.alice, "! not sent: you are in no chat; /chat NAME begins one\n");
	run_until(p.alice, "* no chat with bob");
	harness_reap(p.bob->pid, harness_deadline(HARNESS_WAIT));
	p.bob->pid = 0;
	run_quit(p.alice, 1);
	run_free(p.bob);
	harness_free(p.h);
}
END_TEST

START_TEST(server_stops)
{
	struct pair p = chatting();

	run_say(p.bob, "/wait gone 900\n");
	harness_stop(p.h);
	run_until(p.alice, "* disconnected\n");
	run_until(p.bob, "* disconnected\n");
	ck_assert_int_eq(run_end(p.alice), 1);
	ck_assert_int_eq(run_end(p.bob), 1);
	ck_assert(run_complained(p.alice, "client: the server ended the session"));
	run_free(p.alice);
	run_free(p.bob);
	harness_free(p.h);
}
END_TEST

START_TEST(server_killed)
{
	struct pair p = chatting();

	harness_kill(p.h);
	run_until(p.alice, "* disconnected\n");
	ck_assert_int_eq(run_end(p.alice), 1);
	ck_assert(run_complained(p.alice, "client: "));
	ck_assert_int_eq(run_ended(p.bob), 1);
	run_free(p.alice);
	run_free(p.bob);
	harness_free(p.h);
}
END_TEST

/* The same user a second time: the older session is told, and ends. */
START_TEST(replaced)
{
	struct pair p = logged_in();
	struct run *again = run_start(p.h, "alice", "SERVER", "--plain", NULL);

	run_until(again, "* user alice, as the last time");
	run_until(again, "* logged in as alice\n");
	run_until(p.alice, "* disconnected\n");
	run_quit(again, 0);
	pair_quit(&p, 1, 0);
}
END_TEST

/* The output has no reader any more. */
START_TEST(output_closed)
{
	struct pair p = chatting();

	close(p.alice->out);
	p.alice->out = -1;
	run_say(p.bob, "hello?\n");
	run_until(p.bob, "* chat with alice ended: by the other side\n");
	pair_quit(&p, 1, 0);
}
END_TEST

START_TEST(terminal)
{
	struct harness *h = harness_start(NULL, NULL);
	struct run *bob = run_enter(h, "bob", NULL), *alice;
	char line[5200];

	run_enrol(h, "alice");
	alice = run_in_terminal(h, "alice", "--plain", "SERVER", "--user", "alice", NULL);
	run_until(alice, "* logged in as alice\r\n");
	run_say(alice, "/help\n");
	run_until(alice, "* /end            end the chat, or withdraw the request\r\n");
	run_say(alice, "/accept\n");
	run_until(alice, "! nobody is asking you\r\n");
	run_say(alice, "/chat bob\n");
	run_until(bob, "* request from alice");
	run_say(bob, "/accept\n/wait chat 900\n");
	run_until(alice, "* chat with bob, key ");
	run_say(alice, "\n\nhello\n");
	run_until(bob, "* chat with alice, key ");
	run_until(bob, "\n<alice> hello\n");
	ck_assert(!run_said(bob, "<alice> \n"));
	/* More than the terminal passes on: not sent in part. */
	memset(line, 'y', sizeof(line) - 2);
	line[sizeof(line) - 2] = '\n';
	line[sizeof(line) - 1] = '\0';
	run_say(alice, line);
	run_until(alice, "! not sent: terminals cut lines as long as this one");
	run_say(alice, "\x04");
	run_until(alice, "* logged out\r\n");
	ck_assert_int_eq(run_end(alice), 0); /* a person may make mistakes */
	run_until(bob, "* chat with alice ended: by the other side\n");
	ck_assert(!run_said(bob, "yyy"));
	run_free(alice);
	run_quit(bob, 0);
	harness_free(h);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("client chat");
	TCase *t = harness_case(s, "chat");

	tcase_add_test(t, chat);
	tcase_add_test(t, requests);
	tcase_add_test(t, refused);
	tcase_add_test(t, wait_runs_out);
	tcase_add_test(t, bulk);
	tcase_add_test(t, hostile_text);
	tcase_add_test(t, partner_vanishes);
	tcase_add_test(t, server_stops);
	tcase_add_test(t, server_killed);
	tcase_add_test(t, replaced);
	tcase_add_test(t, output_closed);
	tcase_add_test(t, terminal);
	return harness_main(s);
}
