/* SPDX-License-Identifier: MIT
 *
 * Settings: what files say, what is wrong in them, what a profile keeps, and how the
 * command line, the files and the defaults go together.
 */
#include "tests/unit/trust_aid.h"

#include <string.h>

#include "client/options.h"
#include "client/setup.h"

static enum qerr
read_text(const char *text, struct settings *s, struct why *why)
{
	settings_default(s);
	return settings_read(s, "f.conf", span_str(text), why);
}

START_TEST(reading)
{
	struct settings s;
	struct why why;

	ck_assert_int_eq(read_text("", &s, &why), Q_OK);
	ck_assert_str_eq(s.server, "");
	ck_assert(!s.history);
	ck_assert(s.bell);
	ck_assert_int_eq(read_text("# mine\n; too\n\nserver = lab:1\n  user=alice  \n"
				   "history = on\nbell = false\nkey = /a b/k.pem\n",
				   &s, &why),
			 Q_OK);
	ck_assert_str_eq(s.server, "lab:1");
	ck_assert_str_eq(s.user, "alice");
	ck_assert_str_eq(s.key, "/a b/k.pem");
	ck_assert(s.history);
	ck_assert(!s.bell);
	/* What a second file does not say stays. */
	ck_assert_int_eq(settings_read(&s, "g", span_str("user = bob"), &why), Q_OK);
	ck_assert_str_eq(s.server, "lab:1");
	ck_assert_str_eq(s.user, "bob");
}
END_TEST

static const struct {
	const char *text, *says;
} wrong[] = {
    {"user = a\nnonsense = 1\n", "f.conf, line 2: there is no setting nonsense"},
    {"history = maybe\n", "f.conf, line 1: history is yes or no"},
    {"history\n", "f.conf, line 1: this is no line KEY = VALUE"},
    {"\n[lab]\nuser = a\n", "f.conf, line 3: there are no sections here, as [lab] is"},
};

START_TEST(mistakes)
{
	struct settings s;
	struct why why = {""};

	ck_assert_int_eq(read_text(wrong[_i].text, &s, &why), Q_FORMAT);
	ck_assert_msg(strstr(why.text, wrong[_i].says) == why.text, "%s", why.text);
}
END_TEST

START_TEST(too_long)
{
	static char text[2000];
	struct settings s;
	struct why why;

	memset(text, 'x', sizeof(text) - 1);
	memcpy(text, "server = ", 9);
	ck_assert_int_eq(read_text(text, &s, &why), Q_FORMAT);
	ck_assert_str_eq(why.text, "f.conf, line 1: the line is too long, or no text");
	text[9 + SETTINGS_TEXT_SIZE] = '\0';
	ck_assert_int_eq(read_text(text, &s, &why), Q_FORMAT);
	ck_assert_str_eq(why.text, "f.conf, line 1: the value of server is too long");
	text[9 + SETTINGS_TEXT_SIZE - 1] = '\0';
	ck_assert_int_eq(read_text(text, &s, &why), Q_OK);
	ck_assert_int_eq(settings_read(&s, "f", span_of("user = a\0b", 10), &why),
			 Q_FORMAT);
}
END_TEST

START_TEST(writing)
{
	struct settings s, again;
	struct buf out = BUF_INIT(SETTINGS_FILE_MAX), short_buf = BUF_INIT(20);
	struct why why;

	settings_default(&s);
	ck_assert_int_eq(settings_write(&s, &out), Q_OK);
	ck_assert_uint_eq(out.len, 0);
	strcpy(s.server, "lab:1");
	strcpy(s.user, "alice");
	s.history = true;
	s.bell = false;
	ck_assert_int_eq(settings_write(&s, &out), Q_OK);
	ck_assert(span_eq(buf_span(&out), span_str("server = lab:1\nuser = alice\n"
						   "history = yes\nbell = no\n")));
	settings_default(&again);
	ck_assert_int_eq(settings_read(&again, "f", buf_span(&out), &why), Q_OK);
	ck_assert_int_eq(memcmp(&s, &again, sizeof(s)), 0);
	ck_assert_int_eq(settings_write(&s, &short_buf), Q_LIMIT);
	ck_assert_uint_eq(short_buf.len, 0);
	buf_free(&out);
	buf_free(&short_buf);
}
END_TEST

/* The example is a file of settings that says nothing, and everything once its
 * comments are taken away. */
START_TEST(example)
{
	struct settings s, initial;
	struct why why;
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	ck_assert_ptr_nonnull(f);
	settings_print_example(f);
	fclose(f);
	settings_default(&initial);
	ck_assert_int_eq(read_text(text, &s, &why), Q_OK);
	ck_assert_int_eq(memcmp(&s, &initial, sizeof(s)), 0);
	for (char *p = text; (p = strstr(p, "\n# ")) != NULL; p++)
		if (strstr(p + 1, " =") < strchr(p + 1, '\n') &&
		    strstr(p + 1, " =") != NULL)
			memcpy(p + 1, "  ", 2);
	ck_assert_msg(read_text(text, &s, &why) == Q_OK, "%s", why.text);
	ck_assert_int_eq(memcmp(&s, &initial, sizeof(s)), 0);
	free(text);
}
END_TEST

/* ---- all of it together ---- */

static struct setup setup;

static enum qerr
run(const char *words, struct options *o, struct why *why)
{
	static char copy[256];
	char *argv[16] = {NULL}, *save = NULL;
	int argc = 0;
	enum qerr e;

	strcpy(copy, words);
	for (char *w = strtok_r(copy, " ", &save); w != NULL;
	     w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	if ((e = options_parse(argc, argv, o, why)) != Q_OK)
		return e;
	return setup_run(&setup, o, profile, why);
}

static void
no_terminal(void)
{
	aid_setup();
	ck_assert_ptr_nonnull(freopen("/dev/null", "r", stdin));
}

START_TEST(nothing_known)
{
	struct options o;
	struct why why;

	ck_assert_int_eq(run("client", &o, &why), Q_FORMAT);
	ck_assert_ptr_nonnull(strstr(why.text, "where, and as whom?"));
	ck_assert_int_eq(run("client --history --plain", &o, &why), Q_FORMAT);
	ck_assert_int_eq(run("client --profile lab", &o, &why), Q_FORMAT);
	ck_assert_int_eq(run("client --user alice", &o, &why), Q_OK);
	ck_assert_str_eq(o.target.host, "localhost");
	ck_assert_int_eq(run("client lab", &o, &why), Q_OK);
	ck_assert_str_eq(o.protocol->name, "relay");
	ck_assert_int_eq(run("client --config /nowhere lab", &o, &why), Q_MISSING);
}
END_TEST

START_TEST(layers)
{
	struct options o;
	struct why why;

	spill("quintet/client.conf", span_str("user = carol\nhistory = yes\nca = /ca\n"
					      "password_file = /p\nserver = here\n"));
	spill("quintet/profiles/lab.conf",
	      span_str("server = lab:77\nuser = bob\nprotocol = contacts\n"));
	ck_assert_int_eq(run("client", &o, &why), Q_OK);
	ck_assert_str_eq(o.user, "carol");
	ck_assert_str_eq(o.target.host, "here");
	ck_assert(o.history);
	ck_assert_str_eq(o.ca_file, "/ca");
	ck_assert_ptr_null(o.password_file); /* relay has none */
	ck_assert_int_eq(run("client --no-history --user dave there", &o, &why), Q_OK);
	ck_assert(!o.history);
	ck_assert_str_eq(o.user, "dave");
	ck_assert_str_eq(o.target.host, "there");
	ck_assert_int_eq(run("client --profile LAB", &o, &why), Q_OK);
	ck_assert_str_eq(o.user, "bob");
	ck_assert_int_eq(o.target.port, 77);
	ck_assert_str_eq(o.protocol->name, "contacts");
	ck_assert_str_eq(o.password_file, "/p");
	ck_assert(!setup.remember);
	/* The default profile is for those who name no server. */
	ck_assert_int_eq(profile_set_default(profile, "lab", NULL), Q_OK);
	ck_assert_int_eq(run("client", &o, &why), Q_OK);
	ck_assert_str_eq(o.user, "bob");
	ck_assert_int_eq(run("client there", &o, &why), Q_OK);
	ck_assert_str_eq(o.user, "carol");
	spill("mine.conf", span_str("user = erna\n"));
	spill("quintet/default-profile", span_str("gone\n"));
	ck_assert_int_eq(run("client", &o, &why), Q_FORMAT);
	ck_assert_ptr_nonnull(strstr(why.text, "there is no profile gone"));
	spill("quintet/profiles/bad.conf", span_str("user = .x\n"));
	ck_assert_int_eq(run("client --profile bad", &o, &why), Q_FORMAT);
	ck_assert_int_eq(run("client --history --protocol contacts lab", &o, &why),
			 Q_FORMAT);
}
END_TEST

START_TEST(remembered)
{
	struct buf names = BUF_INIT(1024);
	struct options o;
	struct why why;

	ck_assert_int_eq(run("client --profile Work lab:9 --user alice", &o, &why), Q_OK);
	ck_assert(setup.remember);
	ck_assert_int_eq(setup_remember(&setup, &o, profile, &why), Q_OK);
	ck_assert_int_eq(run("client", &o, &why), Q_OK);
	ck_assert_str_eq(o.user, "alice");
	ck_assert_int_eq(o.target.port, 9);
	/* The first one stays the default; enrolling makes no second one by itself. */
	ck_assert_int_eq(run("client --profile home h2 --user carol", &o, &why), Q_OK);
	ck_assert_int_eq(setup_remember(&setup, &o, profile, &why), Q_OK);
	ck_assert_int_eq(run("client", &o, &why), Q_OK);
	ck_assert_str_eq(o.user, "alice");
	ck_assert_int_eq(run("client --enroll h3 --user dave", &o, &why), Q_OK);
	ck_assert(!setup.remember);
	spill("quintet/profiles/.hidden.conf", span_str(""));
	spill("quintet/profiles/notes.txt", span_str(""));
	ck_assert_int_eq(profile_names(profile, &names, &why), Q_OK);
	ck_assert(span_eq(buf_span(&names), span_str("home\nwork\n")));
	buf_free(&names);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("settings");
	TCase *t = tcase_create("files"), *all = tcase_create("together");

	tcase_add_test(t, reading);
	tcase_add_loop_test(t, mistakes, 0, 4);
	tcase_add_test(t, too_long);
	tcase_add_test(t, writing);
	tcase_add_test(t, example);
	suite_add_tcase(s, t);
	tcase_add_checked_fixture(all, no_terminal, aid_teardown);
	tcase_add_test(all, nothing_known);
	tcase_add_test(all, layers);
	tcase_add_test(all, remembered);
	suite_add_tcase(s, all);
	return s;
}

int
main(void)
{
	return unit_main(suite());
}
