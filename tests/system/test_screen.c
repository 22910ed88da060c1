/* SPDX-License-Identifier: MIT
 *
 * The full screen as people see it: the real client in tmux, against the real server.
 * Screens that are stable are compared row by row; pictures of them are kept.
 */
#include "tests/system/client_run.h"
#include "tests/system/tmux.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define COLOURS "TERM=screen-256color"

struct two {
	struct harness *h;
	struct tmux *t;
};

static struct two
logged_in(int columns, int rows)
{
	struct two p = {.h = harness_start(NULL, NULL)};

	run_enrol(p.h, "alice");
	run_enrol(p.h, "bob");
	p.t = tmux_start(p.h);
	tmux_open(p.t, "alice", columns, rows, COLOURS, "--user", "alice", NULL);
	tmux_open(p.t, "bob", columns, rows, COLOURS, "--user", "bob", NULL);
	tmux_until(p.t, "alice", "logged in as alice");
	tmux_until(p.t, "bob", "logged in as bob");
	return p;
}

static struct two
chatting(int columns, int rows)
{
	struct two p = logged_in(columns, rows);

	tmux_line(p.t, "alice", "/chat bob");
	tmux_until(p.t, "bob", "request from alice: /accept or /deny");
	tmux_line(p.t, "bob", "/accept");
	tmux_until(p.t, "alice", "in chat");
	tmux_until(p.t, "bob", "in chat");
	return p;
}

static void
finish(struct two *p)
{
	tmux_free(p->t);
	harness_free(p->h);
}

START_TEST(chat)
{
	struct two p = logged_in(80, 24);

	tmux_until(p.t, "alice", "connected");
	tmux_until_row(p.t, "alice",
		       "12:34 * logged in as alice                                    |");
	tmux_until_row(
	    p.t, "alice",
	    "F1 help  F2 people  Tab completes  PgUp scrolls  Ctrl-R searches");
	tmux_picture(p.t, "alice", "login");
	tmux_line(p.t, "alice", "/chat bob");
	tmux_until(p.t, "alice", "asking bob");
	tmux_until_row(p.t, "bob",
		       "12:34 * request from alice: /accept or /deny                  |");
	tmux_until(p.t, "bob", "alice asks");
	tmux_until(p.t, "bob", "|?alice");
	tmux_picture(p.t, "bob", "request");
	tmux_line(p.t, "bob", "/accept");
	tmux_until(p.t, "alice", "| bob, key not verified");
	tmux_line(p.t, "alice", "Hello Bob! How are you?");
	tmux_until_row(p.t, "alice",
		       "12:34 <alice> Hello Bob! How are you?                         |");
	tmux_until_row(p.t, "bob",
		       "12:34 <alice> Hello Bob! How are you?                         |");
	tmux_until(p.t, "bob", "|>alice");
	tmux_line(p.t, "bob",
		  "Fine, thanks. This text is longer than the row is wide, so that "
		  "it goes on behind a bar.");
	tmux_until_row(p.t, "alice",
		       "12:34 <bob> Fine, thanks. This text is longer than the row is |");
	tmux_until_row(p.t, "alice",
		       "      | wide, so that it goes on behind a bar.                |");
	tmux_until_row(p.t, "alice", "bob>");
	/* Verified on one side, and shown there at once. */
	tmux_line(p.t, "alice", "/verify");
	tmux_until(p.t, "alice", "safety number with bob: ");
	tmux_line(p.t, "alice", "/verify yes");
	tmux_until(p.t, "alice", "| bob, key verified");
	tmux_picture(p.t, "alice", "chat");
	tmux_line(p.t, "bob", "/quit");
	ck_assert_int_eq(tmux_status(p.t, "bob"), 0);
	tmux_until(p.t, "alice", "chat with bob ended");
	tmux_key(p.t, "alice", "C-d");
	ck_assert_int_eq(tmux_status(p.t, "alice"), 0);
	finish(&p);
}
END_TEST

/* Glyphs of all widths; the bar behind them stays in its column. */
START_TEST(wide)
{
	struct two p = chatting(80, 24);

	tmux_line(p.t, "bob", "\xe4\xbd\xa0\xe5\xa5\xbd|e\xcc\x81|\xf0\x9f\x98\x80|");
	tmux_until_row(p.t, "alice",
		       "12:34 <bob> \xe4\xbd\xa0\xe5\xa5\xbd|e\xcc\x81|\xf0\x9f\x98\x80|"
		       "                                        |");
	/* Where terminals differ in width, what follows still has its place. */
	tmux_line(p.t, "bob",
		  "\xe2\x9d\xa4\xef\xb8\x8f \xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb "
		  "\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa.");
	tmux_until(p.t, "alice",
		   "\xf0\x9f\x87\xaa.                                         |");
	/* Editing goes by glyphs. */
	tmux_type(p.t, "bob",
		  "a\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb\xe4\xbd\xa0");
	tmux_key(p.t, "bob", "BSpace");
	tmux_key(p.t, "bob", "BSpace");
	tmux_type(p.t, "bob", "b");
	tmux_until_row(p.t, "bob", "alice> ab");
	/* A row full of wide ones is cut between two of them. */
	tmux_key(p.t, "bob", "C-u");
	tmux_line(
	    p.t, "bob",
	    "x\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0"
	    "\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0"
	    "\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0"
	    "\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0"
	    "\xe4\xbd\xa0");
	tmux_until_row(
	    p.t, "alice",
	    "12:34 <bob> x\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0"
	    "\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0"
	    "\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0"
	    "\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0"
	    "\xe4\xbd\xa0 |");
	tmux_until_row(
	    p.t, "alice",
	    "      | \xe4\xbd\xa0                                                    |");
	tmux_picture(p.t, "alice", "wide");
	finish(&p);
}
END_TEST

START_TEST(resize)
{
	struct two p = chatting(80, 24);

	tmux_line(p.t, "bob", "one two three four five six seven eight");
	tmux_until(p.t, "alice", "eight");
	tmux_type(p.t, "alice", "half a line");
	tmux_resize(p.t, "alice", 40, 10);
	tmux_until_row(p.t, "alice", " alice | bob, key ?             in chat");
	tmux_until_row(p.t, "alice", "12:34 <bob> one two three four five six");
	tmux_until_row(p.t, "alice", "      | seven eight");
	tmux_until_row(p.t, "alice", "bob> half a line");
	tmux_picture(p.t, "alice", "40x10");
	tmux_key(p.t, "alice", "F2"); /* no room beside: instead */
	tmux_until_row(p.t, "alice", ">bob");
	tmux_until_gone(p.t, "alice", "one two");
	tmux_key(p.t, "alice", "F2");
	tmux_until(p.t, "alice", "one two");
	tmux_resize(p.t, "alice", 200, 60);
	tmux_until(p.t, "alice",
		   "<bob> one two three four five six seven eight           ");
	tmux_until_row(p.t, "alice", "bob> half a line");
	tmux_picture(p.t, "alice", "200x60");
	tmux_resize(p.t, "alice", 12, 3);
	tmux_until_row(p.t, "alice", "too small");
	tmux_resize(p.t, "alice", 1, 1);
	tmux_resize(p.t, "alice", 20, 5);
	tmux_until(p.t, "alice", "> half a line");
	tmux_resize(p.t, "alice", 80, 24);
	tmux_until_row(p.t, "alice",
		       "12:34 <bob> one two three four five six seven eight           |");
	tmux_key(p.t, "alice", "Enter");
	tmux_until(p.t, "bob", "<alice> half a line");
	finish(&p);
}
END_TEST

START_TEST(paste)
{
	struct two p = chatting(80, 24);

	tmux_paste(p.t, "alice", "int\nmain(void)\n{\n\treturn 0;\n}\n");
	tmux_until_row(p.t, "alice", "     main(void)");
	tmux_key(p.t, "alice", "Enter");
	tmux_until_row(p.t, "bob",
		       "12:34 <alice> int                                             |");
	tmux_until_row(p.t, "bob",
		       "      |         return 0;                                     |");
	tmux_until_row(p.t, "bob",
		       "      | }                                                     |");
	/* Many lines: asked first. */
	tmux_paste(p.t, "alice", "1\n2\n3\n4\n5\n6\n7\n8\n/end\n");
	tmux_until(p.t, "alice", "put in 9 pasted lines as one message? y or n");
	tmux_picture(p.t, "alice", "paste");
	tmux_type(p.t, "alice", "n");
	tmux_until_gone(p.t, "alice", "pasted lines");
	tmux_until_row(p.t, "alice", "bob>");
	tmux_paste(p.t, "alice", "/end\n2\n3\n4\n5\n6\n7\n8\n9\n");
	tmux_until(p.t, "alice", "put in 9 pasted lines");
	tmux_type(p.t, "alice", "y");
	tmux_until_row(p.t, "alice", "     9");
	tmux_key(p.t, "alice", "Enter");
	/* One message, and no command. */
	tmux_until_row(p.t, "bob",
		       "12:34 <alice> /end                                            |");
	tmux_until_row(p.t, "bob",
		       "      | 9                                                     |");
	ck_assert(tmux_shows(p.t, "bob", "in chat"));
	finish(&p);
}
END_TEST

START_TEST(keys)
{
	struct two p = chatting(80, 24);

	/* Completion of commands, names, and through several. */
	tmux_type(p.t, "alice", "/verif");
	tmux_key(p.t, "alice", "Tab");
	tmux_until_row(p.t, "alice", "bob> /verify");
	tmux_key(p.t, "alice", "C-c");
	tmux_until(p.t, "alice", "cleared; Up brings it back");
	tmux_until_row(p.t, "alice", "bob>");
	tmux_key(p.t, "alice", "Up");
	tmux_until_row(p.t, "alice", "bob> /verify");
	tmux_key(p.t, "alice", "C-u");
	tmux_type(p.t, "alice", "B");
	tmux_key(p.t, "alice", "Tab");
	tmux_type(p.t, "alice", "hi");
	tmux_until_row(p.t, "alice", "bob> bob: hi");
	tmux_key(p.t, "alice", "C-w");
	tmux_key(p.t, "alice", "C-a");
	tmux_type(p.t, "alice", "to ");
	tmux_key(p.t, "alice", "C-e");
	tmux_key(p.t, "alice", "C-y");
	tmux_until_row(p.t, "alice", "bob> to bob: hi");
	tmux_key(p.t, "alice", "Enter");
	tmux_until(p.t, "bob", "<alice> to bob: hi");
	/* The help, by key and by command. */
	tmux_key(p.t, "alice", "F1");
	tmux_until_row(p.t, "alice", "KEYS");
	tmux_picture(p.t, "alice", "help");
	tmux_key(p.t, "alice", "NPage");
	tmux_until(p.t, "alice", "/accept, /deny");
	tmux_type(p.t, "alice", "q");
	tmux_until_gone(p.t, "alice", "/accept, /deny");
	tmux_line(p.t, "alice", "/help");
	tmux_until_row(p.t, "alice", "KEYS");
	tmux_key(p.t, "alice", "F1");
	tmux_until_gone(p.t, "alice", "KEYS");
	tmux_line(p.t, "alice", "/bell off");
	tmux_until(p.t, "alice", "* the bell is off");
	tmux_line(p.t, "alice", "/nothing");
	tmux_until(p.t, "alice", "! /nothing is no command");
	/* Twice Ctrl-C in an empty line leaves. */
	tmux_key(p.t, "alice", "C-c");
	tmux_until(p.t, "alice", "Ctrl-C again leaves");
	tmux_key(p.t, "alice", "C-c");
	ck_assert_int_eq(tmux_status(p.t, "alice"), 0);
	finish(&p);
}
END_TEST

START_TEST(history)
{
	struct two p = chatting(80, 10);
	char text[32];

	for (int i = 1; i <= 30; i++) {
		snprintf(text, sizeof(text), "line %d%s", i,
			 i == 7 ? " with a needle" : ".");
		tmux_line(p.t, "bob", text);
	}
	tmux_until(p.t, "alice", "line 30.");
	tmux_key(p.t, "alice", "PPage");
	tmux_until(p.t, "alice", "line 22.");
	tmux_until_gone(p.t, "alice", "line 30.");
	tmux_line(p.t, "bob", "something new"); /* does not scroll what is read */
	tmux_until(p.t, "alice", "1 new below; Esc goes there");
	ck_assert(!tmux_shows(p.t, "alice", "something new"));
	tmux_key(p.t, "alice", "Escape");
	tmux_until(p.t, "alice", "something new");
	tmux_until(p.t, "alice", "---- new -----"); /* where reading stopped */
	/* Search. */
	tmux_key(p.t, "alice", "C-r");
	tmux_type(p.t, "alice", "NEEDLE");
	tmux_until(p.t, "alice", "><bob> line 7 with a needle");
	tmux_until(p.t, "alice", "search: NEEDLE");
	ck_assert_ptr_nonnull(strstr(tmux_colours(p.t, "alice"), "\033[7mneedle"));
	tmux_picture(p.t, "alice", "search");
	tmux_key(p.t, "alice", "Escape");
	tmux_until(p.t, "alice", "something new");
	tmux_line(p.t, "alice", "/search line 2");
	tmux_until(p.t, "alice", "><bob> line 29.");
	tmux_key(p.t, "alice", "Up");
	tmux_until(p.t, "alice", "><bob> line 28.");
	tmux_key(p.t, "alice", "Down");
	tmux_until(p.t, "alice", "><bob> line 29.");
	tmux_key(p.t, "alice", "Enter");
	tmux_until_row(p.t, "alice", "bob>");
	tmux_key(p.t, "alice", "Home");
	tmux_until(p.t, "alice", "chat with bob, key");
	tmux_key(p.t, "alice", "End");
	tmux_until(p.t, "alice", "something new");
	finish(&p);
}
END_TEST

/* Escape sequence of a colour in what is seen? */
static bool
coloured(const char *screen)
{
	for (const char *p = screen; (p = strstr(p, "\033[")) != NULL; p++)
		for (const char *q = p + 2; *q != 'm' && *q != '\0'; q++)
			if ((q[-1] == '[' || q[-1] == ';') &&
			    ((q[0] == '3' && q[1] >= '0' && q[1] <= '8') ||
			     (q[0] == '9' && q[1] >= '0' && q[1] <= '7')))
				return true;
	return false;
}

START_TEST(terminals)
{
	static const struct {
		const char *setting;
		bool colours;
	} all[] = {
	    {"TERM=xterm-256color", true}, {"TERM=linux", true}, {"TERM=vt100", false},
	    {"NO_COLOR=1", false},         {"NO_COLOR=", true},
	};
	struct harness *h = harness_start(NULL, NULL);
	struct tmux *t = tmux_start(h);

	run_enrol(h, "alice");
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		tmux_open(t, "alice", 80, 24, all[i].setting, "--user", "alice", NULL);
		tmux_until_row(
		    t, "alice",
		    "12:34 * logged in as alice                                    |");
		ck_assert_msg(coloured(tmux_colours(t, "alice")) == all[i].colours, "%s",
			      all[i].setting);
		tmux_line(t, "alice", "/quit");
		ck_assert_int_eq(tmux_status(t, "alice"), 0);
		tmux_close(t, "alice");
	}
	tmux_open(t, "alice", 80, 24, "TERM=dumb", "--user", "alice", NULL);
	tmux_until_row(t, "alice",
		       "* lines, because the terminal dumb has no full screen");
	tmux_until_row(t, "alice", "* logged in as alice");
	tmux_free(t);
	harness_free(h);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("screen");
	TCase *t = harness_case(s, "screen");

	tcase_add_test(t, chat);
	tcase_add_test(t, wide);
	tcase_add_test(t, resize);
	tcase_add_test(t, paste);
	tcase_add_test(t, keys);
	tcase_add_test(t, history);
	tcase_add_test(t, terminals);
	return harness_main(s);
}
