/* SPDX-License-Identifier: MIT
 *
 * The full screen, byte by byte: what the client really writes to its terminal, and
 * what becomes of the terminal.  And what needs a partner who does not type: hostile
 * texts, lost servers, what waited.
 */
#include "tests/system/client_run.h"
#include "tests/system/tmux.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/system/harness_run.h"

#define COLOURS "TERM=screen-256color"
#define HOSTILE                                    \
	"\x1b[2J\x1b]0;pwned\x07\xc2\x9b"          \
	"2J\x08\x08\r12:34 <carol> hi\xe2\x80\xae" \
	"evil\xe2\x81\xa6\x7f"
#define HOSTILE_SHOWN "\\x1b[2J\\x1b]0;pwned\\x07\\x9b2J\\x08\\x08\\x0d12:34"

/* alice in a terminal of which the bytes can be read. */
static struct run *
alice_in_terminal(struct harness *h)
{
	struct run *r;

	run_environment("TERM=xterm");
	r = run_in_terminal(h, "alice", "SERVER", "--user", "alice", NULL);
	run_environment(NULL);
	run_until(r, "\x1b[?1049h");            /* another screen */
	run_until(r, "\x1b[?2004h\x1b[?1004h"); /* pasting, focus */
	run_until(r, "logged in as alice");
	return r;
}

static void
chat_of(struct run *alice, struct run *bob)
{
	run_say(bob, "/chat alice\n/wait chat\n");
	run_until(alice, "request from bob");
	run_say(alice, "/accept\r");
	run_until(bob, "* chat with alice, key ");
}

/* The bytes behind what was waited for last. */
static bool
wrote(const struct run *r, const char *bytes)
{
	return strstr((const char *)r->said.p + r->seen, bytes) != NULL;
}

START_TEST(bell_and_focus)
{
	struct harness *h = harness_start(NULL, NULL);
	struct run *alice, *bob = run_enter(h, "bob", NULL);

	run_enrol(h, "alice");
	alice = alice_in_terminal(h);
	chat_of(alice, bob);
	run_until(alice, "in chat");
	run_say(bob, "seen\n");
	run_until(alice, "seen");
	ck_assert(!run_said(alice, "\a"));
	run_say(alice, "\x1b[O"); /* the window loses the focus */
	run_say(alice, "x");
	run_until(alice, "x");
	run_say(bob, "unseen\n");
	run_until(alice, "\a");
	run_until(alice, "---- new ");
	run_until(alice, "unseen");
	run_say(alice, "\x7f/bell off\r");
	run_until(alice, "the bell is off");
	run_say(bob, "quiet\n");
	run_until(alice, "quiet");
	ck_assert(!wrote(alice, "\a"));
	run_say(alice, "/quit\r");
	run_until(alice, "\x1b[?1004l\x1b[?2004l");
	run_until(alice, "\x1b[?1049l");
	run_until(alice, "* logged out");
	run_quit(alice, 0);
	run_quit(bob, 0);
	harness_free(h);
}
END_TEST

/* Whatever ends it, the terminal is given back, the modes off and the first screen on. */
static const int ends[] = {SIGTERM, SIGINT, SIGSEGV, SIGABRT};

START_TEST(restored)
{
	struct harness *h = harness_start(NULL, NULL);
	struct run *alice;
	int status;

	run_enrol(h, "alice");
	alice = alice_in_terminal(h);
	ck_assert_int_eq(kill(alice->pid, ends[_i]), 0);
	run_until(alice, "\x1b[?1004l\x1b[?2004l");
	run_until(alice, "\x1b[?1049l");
	status = harness_reap(alice->pid, harness_deadline(HARNESS_WAIT));
	alice->pid = 0;
	if (ends[_i] == SIGTERM || ends[_i] == SIGINT)
		ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	else
		ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == ends[_i]);
	close(alice->in);
	close(alice->out);
	run_free(alice);
	harness_free(h);
}
END_TEST

/* What others send is shown and never obeyed: as bytes, and on the screen. */
START_TEST(hostile)
{
	struct harness *h = harness_start(NULL, NULL);
	struct run *alice, *bob = run_enter(h, "bob", NULL);
	static const char *const never[] = {"\x1b]", "\xc2\x9b",     "\a",
					    "\b",    "\xe2\x80\xae", "\xe2\x81\xa6"};

	run_enrol(h, "alice");
	alice = alice_in_terminal(h);
	chat_of(alice, bob);
	run_until(alice, "in chat");
	run_say(bob, HOSTILE "\n");
	run_say(bob, "the end\n");
	run_until(alice, "pwned"); /* as text */
	run_until(alice, "the end");
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		ck_assert_msg(!run_said(alice, never[i]), "wrote %zu", i);
	run_say(alice, "/quit\r");
	run_quit(alice, 0);
	run_free(bob);
	harness_free(h);
}
END_TEST

START_TEST(hostile_seen)
{
	static const char name[] = "\x1b[2J\xe2\x80\xaegnp.exe";
	struct harness *h = harness_start(NULL, NULL);
	struct run *bob = run_enter(h, "bob", NULL);
	struct tmux *t = tmux_start(h);
	char path[HARNESS_PATH], line[HARNESS_PATH + 16];
	FILE *f;

	run_enrol(h, "alice");
	tmux_open(t, "alice", 100, 24, COLOURS, "--user", "alice", NULL);
	tmux_until(t, "alice", "logged in");
	run_say(bob, "/chat alice\n/wait chat\n");
	tmux_until(t, "alice", "request from bob");
	tmux_line(t, "alice", "/accept");
	tmux_until(t, "alice", "in chat");
	run_say(bob, HOSTILE "\n");
	tmux_until(t, "alice", "<bob> " HOSTILE_SHOWN);
	ck_assert(tmux_shows(t, "alice", "chat with bob, key")); /* nothing was cleared */
	snprintf(path, sizeof(path), "%.400s/%s", h->dir, name);
	ck_assert_ptr_nonnull(f = fopen(path, "w"));
	ck_assert_int_eq(fclose(f), 0);
	snprintf(line, sizeof(line), "/send %s\n", path);
	run_say(bob, line);
	tmux_until(t, "alice", "\\x1b[2J\\u{202e}gnp.exe");
	tmux_picture(t, "alice", "hostile");
	run_free(bob);
	tmux_free(t);
	harness_free(h);
}
END_TEST

/* A file on its way has a bar; it stands still while the receiver does. */
START_TEST(progress)
{
	enum { SIZE = 100 * 1000 * 1000 };
	struct harness *h = harness_start(NULL, NULL);
	struct run *bob;
	struct tmux *t = tmux_start(h);
	char path[HARNESS_PATH];
	FILE *f;

	run_enrol(h, "alice");
	run_enrol(h, "bob");
	bob = run_start(h, "bob", "SERVER", "--user", "bob", "--downloads", h->dir, NULL);
	tmux_open(t, "alice", 80, 24, COLOURS, "--user", "alice", NULL);
	tmux_until(t, "alice", "logged in");
	run_say(bob, "/chat alice\n/wait chat\n");
	tmux_until(t, "alice", "request from bob");
	tmux_line(t, "alice", "/accept");
	tmux_until(t, "alice", "in chat");
	snprintf(path, sizeof(path), "%.400s/film.bin", h->dir);
	ck_assert_ptr_nonnull(f = fopen(path, "w"));
	ck_assert_int_eq(ftruncate(fileno(f), SIZE), 0);
	ck_assert_int_eq(fclose(f), 0);
	tmux_type(t, "alice", "/send ");
	tmux_type(t, "alice", h->dir);
	tmux_type(t, "alice", "/fil");
	tmux_key(t, "alice", "Tab");
	tmux_key(t, "alice", "Enter");
	run_until(bob, "file offered by alice");
	run_say(bob, "/get\n");
	tmux_until(t, "alice", "sending film.bin to bob");
	ck_assert_int_eq(kill(bob->pid, SIGSTOP), 0);
	tmux_type(t, "alice", "meanwhile");
	tmux_until_row(t, "alice", "bob> meanwhile");
	ck_assert(tmux_shows(t, "alice", "sending film.bin to bob"));
	tmux_picture(t, "alice", "progress");
	ck_assert_int_eq(kill(bob->pid, SIGCONT), 0);
	tmux_until(t, "alice", "delivered to bob, 100000000 bytes: film.bin");
	tmux_until_gone(t, "alice", "sending film.bin");
	run_free(bob);
	tmux_free(t);
	harness_free(h);
}
END_TEST

/* The server dies and comes back: the screen and the line being typed stay. */
START_TEST(lost)
{
	struct harness *h = harness_start(NULL, NULL);
	struct tmux *t = tmux_start(h);

	run_enrol(h, "alice");
	tmux_open(t, "alice", 80, 24, COLOURS, "--user", "alice", NULL);
	tmux_until(t, "alice", "logged in as alice");
	tmux_type(t, "alice", "half a line");
	harness_kill(h);
	tmux_until(t, "alice", "no connection");
	tmux_until(t, "alice", "what you type is kept");
	tmux_until(t, "alice", "logged in as alice");
	tmux_until_row(t, "alice", "> half a line");
	tmux_key(t, "alice", "Enter");
	tmux_until(t, "alice", "not connected: your line is kept");
	tmux_until_row(t, "alice", "> half a line");
	tmux_picture(t, "alice", "lost");
	harness_restart(h);
	tmux_until(t, "alice", " connected\n");
	tmux_until_row(t, "alice", "> half a line");
	tmux_key(t, "alice", "Enter");
	tmux_until(t, "alice", "! not sent: you are in no chat");
	tmux_until_row(t, "alice", "> half a line");
	tmux_key(t, "alice", "C-u");
	tmux_line(t, "alice", "/quit");
	ck_assert_int_eq(tmux_status(t, "alice"), 0);
	tmux_free(t);
	harness_free(h);
}
END_TEST

/* What was said is marked until the server has answered for it, or cannot any more. */
START_TEST(arrivals)
{
	struct harness *h = harness_start(NULL, NULL);
	struct tmux *t = tmux_start(h);
	struct run *bob = run_enter(h, "bob", NULL);

	run_enrol(h, "alice");
	tmux_open(t, "alice", 80, 24, COLOURS, "--user", "alice", NULL);
	tmux_until(t, "alice", "logged in as alice");
	run_say(bob, "/chat alice\n/wait chat\n");
	tmux_until(t, "alice", "request from bob");
	tmux_line(t, "alice", "/accept");
	tmux_until(t, "alice", "chat with bob, key");
	harness_freeze(h);
	tmux_line(t, "alice", "on its way");
	tmux_until(t, "alice", "?<alice> on its way");
	ck_assert_int_eq(kill(h->pid, SIGCONT), 0);
	tmux_until(t, "alice", " <alice> on its way");
	harness_freeze(h);
	tmux_line(t, "alice", "in vain");
	tmux_until(t, "alice", "?<alice> in vain");
	harness_kill(h);
	tmux_until(t, "alice", "! may not have arrived, to bob: in vain");
	tmux_until(t, "alice", "!<alice> in vain");
	tmux_until(t, "alice", " <alice> on its way");
	run_quit(bob, 1);
	tmux_free(t);
	harness_free(h);
}
END_TEST

/* Ctrl-Z gives the terminal to the shell, fg takes it back. */
START_TEST(stopped)
{
	struct harness *h = harness_start(NULL, NULL);
	struct tmux *t = tmux_start(h);
	char command[HARNESS_PATH * 2];

	run_enrol(h, "alice");
	tmux_run(t, "alice", 100, 24,
		 (const char *const[]){"env", "PS1=shell> ", "TERM=screen", "bash",
				       "--norc", "--noprofile", "-i", NULL});
	tmux_until(t, "alice", "shell>");
	snprintf(command, sizeof(command),
		 "clear; XDG_CONFIG_HOME=%.300s/alice %.400s 127.0.0.1:%u --user alice",
		 h->dir, getenv("QUINTET_CLIENT"), h->port);
	tmux_line(t, "alice", command);
	tmux_until(t, "alice", "logged in as alice");
	tmux_type(t, "alice", "half a line");
	tmux_until_row(t, "alice", "> half a line");
	tmux_key(t, "alice", "C-z");
	tmux_until(t, "alice", "Stopped");
	tmux_until_gone(t, "alice", "half a line");
	tmux_resize(t, "alice", 90, 20);
	tmux_line(t, "alice", "echo cooked$((1+1))");
	tmux_until_row(t, "alice", "cooked2"); /* the shell has its terminal back */
	tmux_line(t, "alice", "fg");
	tmux_until_row(t, "alice", "> half a line");
	tmux_until(t, "alice", "logged in as alice");
	tmux_key(t, "alice", "C-u");
	tmux_key(t, "alice", "C-d");
	tmux_until(t, "alice", "shell>");
	tmux_free(t);
	harness_free(h);
}
END_TEST

/* contacts: what waited is marked as old, and others' messages are counted. */
START_TEST(contacts)
{
	struct harness *h = harness_start(NULL, NULL);
	struct tmux *t = tmux_start(h);
	struct run *carol;

	run_environment("QUINTET_PASSWORD=geheim 12345");
	run_free(run_script(h, 0, "", "alice", "SERVER", "--protocol", "contacts",
			    "--register", "--user", "alice", "--clear", NULL));
	run_free(run_script(h, 0, "/add alice\n", "carol", "SERVER", "--protocol",
			    "contacts", "--register", "--user", "carol", "--clear",
			    NULL));
	run_free(run_script(h, 0, "/confirm carol\n", "alice", "SERVER", "--protocol",
			    "contacts", "--clear", NULL));
	run_free(run_script(h, 0, "/chat alice\nit waited\n", "carol", "SERVER",
			    "--protocol", "contacts", "--clear", NULL));
	tmux_open(t, "alice", 80, 24, "QUINTET_PASSWORD=geheim 12345", "--protocol",
		  "contacts", "--clear", NULL);
	tmux_until(t, "alice", "unread from carol: 1");
	tmux_until(t, "alice", "|+carol          1");
	tmux_until(t, "alice", "1 unread | connected");
	tmux_picture(t, "alice", "contacts");
	tmux_type(t, "alice", "/chat c");
	tmux_key(t, "alice", "Tab");
	tmux_key(t, "alice", "Enter");
	tmux_until(t, "alice", "~<carol> it waited");
	tmux_until(t, "alice", "|>carol\n");
	tmux_line(t, "alice", "thanks");
	tmux_until(t, "alice", " <alice> thanks");
	carol =
	    run_start(h, "carol", "SERVER", "--protocol", "contacts", "--clear", NULL);
	run_until(carol, "* unread from alice: 1\n");
	run_say(carol, "/chat alice\nlive\n");
	tmux_until(t, "alice", " <carol> live");
	run_quit(carol, 0);
	tmux_free(t);
	harness_free(h);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("screen raw");
	TCase *t = harness_case(s, "raw");

	tcase_add_test(t, bell_and_focus);
	tcase_add_loop_test(t, restored, 0, (int)(sizeof(ends) / sizeof(ends[0])));
	tcase_add_test(t, hostile);
	tcase_add_test(t, hostile_seen);
	tcase_add_test(t, progress);
	tcase_add_test(t, lost);
	tcase_add_test(t, arrivals);
	tcase_add_test(t, stopped);
	tcase_add_test(t, contacts);
	return harness_main(s);
}
