/* SPDX-License-Identifier: MIT
 *
 * The first run, profiles, and the folder that all is kept in: the real client in a
 * terminal and without one.
 */
#include "tests/system/client_run.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
answer(struct run *r, const char *question, const char *line)
{
	run_until(r, question);
	run_say(r, line);
	run_say(r, "\n");
}

static void
leave(struct run *r)
{
	run_say(r, "/quit\n");
	run_until(r, "* logged out");
	run_quit(r, 0);
}

START_TEST(relay)
{
	struct harness *h = harness_start(NULL, NULL);
	char code[20], where[32], line[128];
	struct run *r = run_in_terminal(h, "alice", "--plain", NULL);

	harness_enrol_code(h, code);
	snprintf(where, sizeof(where), "127.0.0.1:%u", h->port);
	answer(r, "Server (HOST or HOST:PORT) [localhost]: ", "no host!");
	run_until(r, "\"no host!\" is no host");
	answer(r, "[localhost]: ", where);
	answer(r, "Protocol (relay, contacts, rooms or nodes) [relay]: ", "");
	answer(r, "Your name there", ".alice");
	run_until(r, "! a name has 1 to 32");
	answer(r, "Your name there", "alice");
	/* What was mistyped is asked for again. */
	answer(r, "Enrolment code: ", "AAAA-AAAA-AAAA");
	run_until(r, "! an enrolment code looks like XXXX-XXXX-XXXX-XXXX");
	answer(r, "Enrolment code: ", "AAAA-AAAA-AAAA-AAAA");
	answer(r, "Passphrase for your new key (empty for none): ", "one");
	answer(r, "The same again: ", "two");
	run_until(r, "! these were two different passphrases");
	answer(r, "Passphrase for your new key (empty for none): ", "");
	run_until(r, "! the enrolment code is wrong");
	answer(r, "Enrolment code: ", code);
	run_until(r, "* remembered as the profile default");
	run_until(r, "* logged in as alice");
	leave(r);
	ck_assert_uint_eq(run_mode(h, "alice", "profiles"), 0700);
	ck_assert_uint_eq(run_mode(h, "alice", "profiles/default.conf"), 0600);
	ck_assert_uint_eq(run_mode(h, "alice", "default-profile"), 0600);
	/* Afterwards nothing is asked, in a terminal and without one. */
	r = run_in_terminal(h, "alice", "--plain", NULL);
	run_until(r, "* logged in as alice");
	ck_assert(!run_said(r, "[relay]"));
	leave(r);
	r = run_start(h, "alice", NULL);
	run_until(r, "* logged in as alice");
	run_quit(r, 0);
	r = run_start(h, "alice", "--list-profiles", NULL);
	snprintf(line, sizeof(line), "default: alice at %s, relay, the default\n", where);
	run_until(r, line);
	run_quit(r, 0);
	harness_free(h);
}
END_TEST

START_TEST(contacts)
{
	struct harness *h = harness_start(NULL, NULL);
	char where[32];
	struct run *r = run_in_terminal(h, "bob", "--plain", NULL);

	snprintf(where, sizeof(where), "127.0.0.1:%u", h->port);
	answer(r, "[localhost]: ", where);
	answer(r, "[relay]: ", "contacts");
	answer(r, "Your name there", "bob");
	answer(r, "is an account to be made? (yes/no) ", "yes");
	answer(r, "Does the teacher's screen show this fingerprint? (yes/no) ", "yes");
	answer(r, "New password for bob: ", "geheim123");
	answer(r, "The same again: ", "geheim123");
	run_until(r, "* logged in as bob");
	leave(r);
	/* What could not log in is not the default from then on. */
	r = run_in_terminal(h, "carol", "--plain", NULL);
	answer(r, "[localhost]: ", where);
	answer(r, "[relay]: ", "contacts");
	answer(r, "Your name there", "bob");
	answer(r, "is an account to be made? (yes/no) ", "no");
	answer(r, "Does the teacher's screen show this fingerprint? (yes/no) ", "yes");
	answer(r, "Password for bob: ", "geheim321");
	run_until(r, "the name or the password is wrong");
	run_quit(r, 1);
	r = run_in_terminal(h, "carol", "--plain", NULL);
	for (int i = 0; i < 3; i++)
		answer(r, "[localhost]: ", "no host!");
	run_quit(r, 2);
	r = run_in_terminal(h, "bob", "--plain", NULL);
	answer(r, "Password for bob: ", "geheim123");
	run_until(r, "* logged in as bob");
	leave(r);
	harness_free(h);
}
END_TEST

/* Ctrl-D is no answer, at whichever question. */
START_TEST(ends)
{
	static const char *const questions[] = {
	    "[localhost]: ",   "[relay]: ",
	    "Your name there", "is an account to be made? (yes/no) ",
	    "(yes/no) ",       "New password for bob: ",
	    "The same again: "};
	struct harness *h = harness_start(NULL, NULL);
	char where[32];
	const char *answers[] = {where, "contacts", "bob", "yes", "yes", "geheim123"};
	const size_t n = sizeof(questions) / sizeof(questions[0]);

	snprintf(where, sizeof(where), "127.0.0.1:%u", h->port);
	for (size_t end = 0; end < n; end++) {
		char home[16];
		struct run *r;

		snprintf(home, sizeof(home), "bob%zu", end); /* nothing is known */
		r = run_in_terminal(h, home, "--plain", NULL);
		for (size_t i = 0; i < end; i++)
			answer(r, questions[i], answers[i]);
		run_until(r, questions[end]);
		run_say(r, "\x04");
		run_quit(r, 1);
	}
	harness_free(h);
}
END_TEST

/* Neither is it a key without a passphrase, nor a code; and no is not what was meant. */
START_TEST(ends_enrolment)
{
	struct harness *h = harness_start(NULL, NULL);
	struct run *r =
	    run_in_terminal(h, "bob", "--enroll", "SERVER", "--user", "bob", NULL);

	run_until(r, "Enrolment code: ");
	run_say(r, "\x04");
	run_quit(r, 1);
	r = run_in_terminal(h, "bob", "--enroll", "SERVER", "--user", "bob", NULL);
	answer(r, "Enrolment code: ", "AAAA-AAAA-AAAA-AAAA");
	run_until(r, "Passphrase for your new key (empty for none): ");
	run_say(r, "\x04");
	run_until(r, "no passphrase was given");
	run_quit(r, 1);
	r = run_in_terminal(h, "bob", "--protocol", "contacts", "--user", "bob", "SERVER",
			    NULL);
	answer(r, "(yes/no) ", "perhaps");
	run_until(r, "! yes or no?");
	answer(r, "(yes/no) ", "no");
	run_quit(r, 1);
	harness_free(h);
}
END_TEST

/* One line, and the status of a mistake. */
START_TEST(nobody_to_ask)
{
	struct harness *h = harness_start(NULL, NULL);

	run_refused(h, 2,
		    "client: where, and as whom? HOST --user NAME says it; in a terminal "
		    "it is asked and remembered\n",
		    "alice", "--plain", NULL);
	run_free(run_script(h, 2, "", "alice", "--profile", "lab", NULL));
	harness_free(h);
}
END_TEST

START_TEST(profiles)
{
	struct harness *h = harness_start(NULL, NULL);
	char code[20], path[HARNESS_PATH];
	struct run *r;
	FILE *f;

	/* The first enrolment is the default. */
	run_enrol(h, "alice");
	/* By name, from the command line alone. */
	run_free(run_script(h, 1, "", "alice", "--enroll", "SERVER", "--user", "bob",
			    "--code", "AAAA-AAAA-AAAA-AAAA", "--profile", "wrong", NULL));
	harness_enrol_code(h, code);
	r = run_script(h, 0, "", "alice", "--enroll", "SERVER", "--user", "bob", "--code",
		       code, "--profile", "second", NULL);
	ck_assert(run_said(r, "* remembered as the profile second\n"));
	run_free(r);
	r = run_script(h, 0, "", "alice", "--list-profiles", NULL);
	ck_assert(run_said(r, "default: alice at 127.0.0.1:"));
	ck_assert(run_said(r, ", relay, the default\nsecond: bob at 127.0.0.1:"));
	ck_assert(!run_said(r, "wrong"));
	run_free(r);
	r = run_script(h, 0, "", "alice", "--profile", "second", NULL);
	ck_assert(run_said(r, "* logged in as bob\n"));
	run_free(r);
	/* A file of settings of one's own. */
	snprintf(path, sizeof(path), "%.400s/mine.conf", h->dir);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs("profile = second\n", f);
	fclose(f);
	r = run_script(h, 0, "", "alice", "--config", path, NULL);
	ck_assert(run_said(r, "* logged in as bob\n"));
	run_free(r);
	harness_free(h);
}
END_TEST

/* What others could read is closed, or refused. */
START_TEST(modes)
{
	struct harness *h = harness_start(NULL, NULL);
	char path[HARNESS_PATH];
	struct run *r;

	run_enrol(h, "alice");
	run_path(h, "alice", ".", path);
	ck_assert_int_eq(chmod(path, 0755), 0);
	run_path(h, "alice", "keys", path);
	ck_assert_int_eq(chmod(path, 0750), 0);
	run_free(run_script(h, 0, "", "alice", "SERVER", NULL));
	ck_assert_uint_eq(run_mode(h, "alice", "."), 0700);
	ck_assert_uint_eq(run_mode(h, "alice", "keys"), 0700);
	run_path(h, "alice", "keys/alice.pem", path);
	ck_assert_int_eq(chmod(path, 0640), 0);
	r = run_script(h, 1, "", "alice", "SERVER", NULL);
	ck_assert(run_complained(
	    r, "alice.pem is secret, but others may read it: chmod 600 it first\n"));
	run_free(r);
	harness_free(h);
}
END_TEST

START_TEST(list_settings)
{
	struct harness *h = harness_start(NULL, NULL);
	struct run *r = run_script(h, 0, "", "alice", "--list-settings", NULL);
	ck_assert(run_said(r, "\n# history = no\n"));
	ck_assert(run_said(r, "\n# server =\n"));
	run_free(r);
	harness_free(h);
}
END_TEST

/* Who was here last cannot be remembered: that keeps nobody out. */
START_TEST(not_remembered)
{
	struct harness *h = harness_start(NULL, NULL);
	char path[HARNESS_PATH];
	struct run *r;

	run_enrol(h, "alice");
	run_path(h, "alice", "last-user", path);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	r = run_start(h, "alice", "SERVER", "--user", "alice", NULL);
	run_until(r, "! cannot write last-user: ");
	run_until(r, "* logged in as alice\n");
	run_quit(r, 0);
	harness_free(h);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("client first");
	TCase *t = harness_case(s, "first");

	tcase_add_test(t, relay);
	tcase_add_test(t, contacts);
	tcase_add_test(t, ends);
	tcase_add_test(t, ends_enrolment);
	tcase_add_test(t, nobody_to_ask);
	tcase_add_test(t, profiles);
	tcase_add_test(t, modes);
	tcase_add_test(t, list_settings);
	tcase_add_test(t, not_remembered);
	return harness_main(s);
}
