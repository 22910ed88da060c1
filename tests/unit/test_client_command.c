/* SPDX-License-Identifier: MIT
 *
 * What people and scripts type: commands, lines, servers, options.
 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "client/command.h"
#include "client/lines.h"
#include "client/options.h"
#include "client/target.h"

/* ---- commands ---- */

static const struct {
	const char *line;
	enum qerr e;
	enum command_verb verb;
	const char *text;
} commands[] = {
    {"hello", Q_OK, COMMAND_TEXT, "hello"},
    {"", Q_OK, COMMAND_TEXT, ""},
    {" /list", Q_OK, COMMAND_TEXT, " /list"},
    {"//list", Q_OK, COMMAND_TEXT, "/list"},
    {"//", Q_OK, COMMAND_TEXT, "/"},
    {"/list", Q_OK, COMMAND_LIST, ""},
    {"/list \r", Q_OK, COMMAND_LIST, ""},
    {"/chat bob", Q_OK, COMMAND_CHAT, "bob"},
    {"/chat \t bob ", Q_OK, COMMAND_CHAT, "bob"},
    {"/accept", Q_OK, COMMAND_ACCEPT, ""},
    {"/deny", Q_OK, COMMAND_DENY, ""},
    {"/end", Q_OK, COMMAND_END, ""},
    {"/help", Q_OK, COMMAND_HELP, ""},
    {"/logout", Q_OK, COMMAND_LOGOUT, ""},
    {"/quit", Q_OK, COMMAND_QUIT, ""},
    {"/", Q_FORMAT, 0, NULL},
    {"/lis", Q_FORMAT, 0, NULL},
    {"/listen", Q_FORMAT, 0, NULL},
    {"/list bob", Q_FORMAT, 0, NULL},
    {"/chat", Q_FORMAT, 0, NULL},
    {"/chat bob carol", Q_FORMAT, 0, NULL},
};
#define COMMANDS ((int)(sizeof(commands) / sizeof(commands[0])))

START_TEST(command)
{
	struct command c;
	struct why why = {""};

	ck_assert_int_eq(command_parse(span_str(commands[_i].line), &c, &why),
			 commands[_i].e);
	if (commands[_i].e != Q_OK) {
		ck_assert_str_ne(why.text, "");
		return;
	}
	ck_assert_int_eq(c.verb, commands[_i].verb);
	ck_assert(span_eq(c.text, span_str(commands[_i].text)));
}
END_TEST

static const struct {
	const char *line;
	enum command_wait wait; /* WAIT_NOTHING: refused */
	int64_t ms;
} waits[] = {
    {"/wait request", WAIT_REQUEST, COMMAND_WAIT_MS},
    {"/wait chat 5", WAIT_CHAT, 5000},
    {"/wait closed 0.25", WAIT_CLOSED, 250},
    {"/wait message 1.", WAIT_MESSAGE, 1000},
    {"/wait list 0", WAIT_LIST, 0},
    {"/wait notice 86400", WAIT_NOTICE, 86400000},
    {"/wait gone 0.0019", WAIT_GONE, 1},
    {"/wait", WAIT_NOTHING, 0},
    {"/wait nothing", WAIT_NOTHING, 0},
    {"/wait chat x", WAIT_NOTHING, 0},
    {"/wait chat 1.2.3", WAIT_NOTHING, 0},
    {"/wait chat -1", WAIT_NOTHING, 0},
    {"/wait chat .5", WAIT_NOTHING, 0},
    {"/wait chat 86401", WAIT_NOTHING, 0},
    {"/wait chat 99999999999999999999999", WAIT_NOTHING, 0},
    {"/wait chat 1 2", WAIT_NOTHING, 0},
};
#define WAITS ((int)(sizeof(waits) / sizeof(waits[0])))

START_TEST(waiting)
{
	struct command c;
	struct why why;
	enum qerr e = command_parse(span_str(waits[_i].line), &c, &why);

	ck_assert_int_eq(e, waits[_i].wait == WAIT_NOTHING ? Q_FORMAT : Q_OK);
	if (e != Q_OK)
		return;
	ck_assert_int_eq(c.verb, COMMAND_WAIT);
	ck_assert_int_eq(c.wait, waits[_i].wait);
	ck_assert_int_eq(c.wait_ms, waits[_i].ms);
	ck_assert_ptr_nonnull(strstr(waits[_i].line, command_wait_word(c.wait)));
}
END_TEST

/* ---- lines ---- */

/* The same text, whatever pieces it comes in. */
START_TEST(lines)
{
	static const char text[] =
	    "one\n\nthree is too long for ten\nten bytes!\n\x00x\nlast";
	static const struct {
		enum qerr e;
		const char *text;
		size_t len;
	} want[] = {
	    {Q_OK, "one", 3},         {Q_OK, "", 0},    {Q_LIMIT, NULL, 0},
	    {Q_OK, "ten bytes!", 10}, {Q_OK, "\0x", 2}, {Q_OK, "last", 4},
	    {Q_CLOSED, NULL, 0},
	};
	size_t piece = (size_t)_i, sent = 0, len = sizeof(text) - 1, got = 0;
	struct lines l;
	struct span line;
	int fd[2];
	enum qerr e;

	ck_assert_int_eq(pipe(fd), 0);
	lines_init(&l, fd[0], 10);
	do {
		while ((e = lines_next(&l, &line)) == Q_SHORT) {
			size_t n = len - sent < piece ? len - sent : piece;

			ck_assert_int_eq(write(fd[1], text + sent, n), (ssize_t)n);
			sent += n;
			if (n == 0)
				close(fd[1]);
			ck_assert_int_eq(lines_read(&l), n == 0 ? Q_CLOSED : Q_OK);
		}
		ck_assert_uint_lt(got, sizeof(want) / sizeof(want[0]));
		ck_assert_int_eq(e, want[got].e);
		if (e == Q_OK)
			ck_assert(span_eq(line, span_of(want[got].text, want[got].len)));
		got++;
	} while (e != Q_CLOSED);
	ck_assert_uint_eq(got, sizeof(want) / sizeof(want[0]));
	lines_fini(&l);
	close(fd[0]);
}
END_TEST

/* A line without an end does not fill the memory, and is one refusal. */
START_TEST(endless_line)
{
	static char some[60000];
	struct lines l;
	struct span line;
	int fd[2];

	memset(some, 'x', sizeof(some));
	ck_assert_int_eq(pipe(fd), 0);
	lines_init(&l, fd[0], 100);
	for (int i = 0; i < 20; i++) {
		ck_assert_int_eq(write(fd[1], some, sizeof(some)), (ssize_t)sizeof(some));
		for (int k = 0; k < 4; k++) {
			ck_assert_int_eq(lines_read(&l), Q_OK);
			ck_assert_int_eq(lines_next(&l, &line), Q_SHORT);
		}
		ck_assert_uint_le(l.buf.cap, l.buf.max);
	}
	close(fd[1]);
	while (lines_read(&l) == Q_OK)
		;
	ck_assert_int_eq(lines_next(&l, &line), Q_LIMIT);
	ck_assert_int_eq(lines_next(&l, &line), Q_CLOSED);
	lines_fini(&l);
	close(fd[0]);
}
END_TEST

START_TEST(lines_trouble)
{
	struct lines l;
	struct span line;

	lines_init(&l, -1, 100);
	ck_assert_int_eq(lines_next(&l, &line), Q_SHORT);
	ck_assert_int_eq(lines_read(&l), Q_SYS);
	lines_fini(&l);
}
END_TEST

/* ---- servers ---- */

static const struct {
	const char *text, *host; /* NULL: refused */
	uint16_t port;
	const char *shown;
} targets[] = {
    {"localhost", "localhost", 9034, "localhost:9034"},
    {"Lab-PC.local:80", "lab-pc.local", 80, "lab-pc.local:80"},
    {"192.168.1.10:65535", "192.168.1.10", 65535, "192.168.1.10:65535"},
    {"::1", "::1", 9034, "[::1]:9034"},
    {"[::1]", "::1", 9034, "[::1]:9034"},
    {"[FE80::1%eth0]:7", "fe80::1%eth0", 7, "[fe80::1%eth0]:7"},
    {"", NULL, 0, NULL},
    {":9034", NULL, 0, NULL},
    {"host:", NULL, 0, NULL},
    {"host:0", NULL, 0, NULL},
    {"host:65536", NULL, 0, NULL},
    {"host:+1", NULL, 0, NULL},
    {"host:1x", NULL, 0, NULL},
    {"[::1", NULL, 0, NULL},
    {"[::1]x", NULL, 0, NULL},
    {"../../etc", NULL, 0, NULL},
    {"a/b", NULL, 0, NULL},
    {".hidden", NULL, 0, NULL},
    {"-option", NULL, 0, NULL},
    {"a b", NULL, 0, NULL},
    {"a\nb", NULL, 0, NULL},
};
#define TARGETS ((int)(sizeof(targets) / sizeof(targets[0])))

START_TEST(target)
{
	char shown[TARGET_TEXT_SIZE];
	struct target t;
	struct why why = {""};
	enum qerr e = target_parse(targets[_i].text, &t, &why);

	if (targets[_i].host == NULL) {
		ck_assert_int_eq(e, Q_FORMAT);
		ck_assert_str_ne(why.text, "");
		return;
	}
	ck_assert_int_eq(e, Q_OK);
	ck_assert_str_eq(t.host, targets[_i].host);
	ck_assert_uint_eq(t.port, targets[_i].port);
	target_text(&t, shown);
	ck_assert_str_eq(shown, targets[_i].shown);
}
END_TEST

START_TEST(target_length)
{
	char text[TARGET_HOST_MAX + 2];
	struct target t;

	memset(text, 'a', sizeof(text));
	text[TARGET_HOST_MAX + 1] = '\0';
	ck_assert_int_eq(target_parse(text, &t, NULL), Q_FORMAT);
	text[TARGET_HOST_MAX] = '\0';
	ck_assert_int_eq(target_parse(text, &t, NULL), Q_OK);
}
END_TEST

/* ---- options ---- */

/* Words, separated by blanks. */
static enum qerr
parse_options(const char *words, struct options *o, struct why *why)
{
	static char copy[256];
	char *argv[16] = {NULL}, *save = NULL;
	static struct settings settings;
	int argc = 0;
	enum qerr e;

	strcpy(copy, words);
	for (char *w = strtok_r(copy, " ", &save); w != NULL;
	     w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	settings_default(&settings);
	if ((e = options_parse(argc, argv, o, why)) != Q_OK)
		return e;
	return options_complete(o, &settings, why);
}

START_TEST(options)
{
	struct options o;
	struct why why;

	ck_assert_int_eq(parse_options("client", &o, &why), Q_OK);
	ck_assert_int_eq(o.task, OPTIONS_LOGIN);
	ck_assert_str_eq(o.target.host, "localhost");
	ck_assert_str_eq(o.user, "");
	ck_assert_str_eq(o.protocol->name, "relay");
	/* Options before and after the host. */
	ck_assert_int_eq(parse_options("client --enroll lab:1 --user alice", &o, &why),
			 Q_OK);
	ck_assert_int_eq(o.task, OPTIONS_ENROL);
	ck_assert_str_eq(o.target.host, "lab");
	ck_assert_str_eq(o.user, "alice");
	ck_assert_int_eq(
	    parse_options(
		"client lab --plain --protocol relay --ca c --key=k --passphrase-file p",
		&o, &why),
	    Q_OK);
	ck_assert_str_eq(o.ca_file, "c");
	ck_assert_str_eq(o.key_file, "k");
	ck_assert_str_eq(o.passphrase_file, "p");
	ck_assert_int_eq(parse_options("client --help --nonsense", &o, &why), Q_OK);
	ck_assert_int_eq(o.task, OPTIONS_HELP);
	ck_assert_int_eq(parse_options("client lab --version", &o, &why), Q_OK);
	ck_assert_int_eq(o.task, OPTIONS_VERSION);
}
END_TEST

START_TEST(options_refused)
{
	static const char *const cases[] = {
	    "client --nonsense",   "client -x",
	    "client --user",       "client --user .alice",
	    "client a b",          "client --protocol board",
	    "client lab:x",        "client --code XXXX",
	    "client --enroll=lab", "client --enroll lab --ca f",
	};
	struct options o;
	struct why why = {""};

	ck_assert_int_eq(parse_options(cases[_i], &o, &why), Q_FORMAT);
	ck_assert_str_ne(why.text, "");
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("client command");
	TCase *t = tcase_create("command");

	tcase_add_loop_test(t, command, 0, COMMANDS);
	tcase_add_loop_test(t, waiting, 0, WAITS);
	tcase_add_loop_test(t, lines, 1, 60);
	tcase_add_test(t, endless_line);
	tcase_add_test(t, lines_trouble);
	tcase_add_loop_test(t, target, 0, TARGETS);
	tcase_add_test(t, target_length);
	tcase_add_test(t, options);
	tcase_add_loop_test(t, options_refused, 0, 10);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_main(suite());
}
