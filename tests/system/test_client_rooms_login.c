/* SPDX-License-Identifier: MIT
 *
 * The real client at a server of rooms: signing up with the captcha, tokens instead of
 * passwords, chat keys that change, and connections that are lost.
 */
#include "tests/system/client_rooms.h"

#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/system/rooms_peer.h"

/* A file of home's folder for the server, whose CA is part of the path. */
static bool
find_file(struct harness *h, const char *home, const char *user, const char *file,
	  char out[HARNESS_PATH])
{
	char pattern[HARNESS_PATH], place[128];
	glob_t found;
	bool there;

	snprintf(place, sizeof(place), "rooms/*/%s/%s", user, file);
	run_path(h, home, place, pattern);
	there = glob(pattern, 0, NULL, &found) == 0 && found.gl_pathc == 1;
	if (there)
		snprintf(out, HARNESS_PATH, "%s", found.gl_pathv[0]);
	globfree(&found);
	return there;
}

static mode_t
mode_of(const char *path)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	return st.st_mode & 0777;
}

/* ---- signing up ---- */

/* Wait for the captcha and read what it says. */
static void
solve(struct harness *h, struct run *r, char digits[7])
{
	char path[HARNESS_PATH];

	run_until(r, "* the picture is also in ");
	ck_assert(find_file(h, "alice", "alice", "captcha.png", path));
	run_until(r, path);
	cr_digits(path, digits);
}

START_TEST(sign_up)
{
	struct harness *h = rp_start(NULL);
	char digits[7], wrong[8];
	struct run *r;

	run_environment(NULL);
	r = run_start(h, "alice", "SERVER", "--protocol", "rooms", "--register", "--user",
		      "alice", "--fingerprint", run_ca_fingerprint(h), NULL);
	run_say(r, CR_PASSWORD "\nalice@example.org\nAlice Example\n31/12/2001\n");
	solve(h, r, digits);
	snprintf(wrong, sizeof(wrong), "%s\n",
		 strcmp(digits, "123456") == 0 ? "654321" : "123456");
	run_say(r, wrong);
	run_until(r, "! those were not the digits: here are others\n");
	solve(h, r, digits);
	run_say(r, digits);
	run_say(r, "\n");
	run_until(r, "* registered alice\n");
	run_until(r, "* logged in as alice\n");
	run_quit(r, 0);
	harness_free(h);
}
END_TEST

/* A person in a terminal sees the picture, and is asked again for what is wrong. */
START_TEST(in_terminal)
{
	struct harness *h = rp_start(NULL);
	char digits[7];
	struct run *r;

	run_environment(NULL);
	r = run_in_terminal(h, "alice", "SERVER", "--protocol", "rooms", "--register",
			    "--user", "alice", "--plain", "--fingerprint",
			    run_ca_fingerprint(h), NULL);
	run_until(r, "New password for alice: ");
	run_say(r, CR_PASSWORD "\n");
	run_until(r, "The same again: ");
	run_say(r, CR_PASSWORD "\n");
	run_until(r, "E-mail address: ");
	run_say(r, "nowhere\n");
	run_until(r, "! an e-mail address has one @");
	run_until(r, "E-mail address: ");
	run_say(r, "alice@example.org\n");
	run_until(r, "Full name: ");
	run_say(r, "Alice Example\n");
	run_until(r, "Date of birth (yyyy-mm-dd): ");
	run_say(r, "2999-01-01\n");
	run_until(r, "! a date of birth is a day in the past");
	run_until(r, "Date of birth (yyyy-mm-dd): ");
	run_say(r, "2001-12-31\n");
	run_until(r, "\xe2\x96\x88"); /* a full block */
	solve(h, r, digits);
	run_until(r, "The six digits in the picture: ");
	run_say(r, digits);
	run_say(r, "\n");
	run_until(r, "* logged in as alice");
	ck_assert(!run_said(r, CR_PASSWORD));
	run_say(r, "/quit\n");
	run_until(r, "* logged out");
	run_free(r);
	harness_free(h);
}
END_TEST

static const struct {
	const char *answers, *complaint;
} bad[] = {
    {"short\n", "a password has 8 to 384 bytes"},
    {CR_PASSWORD "\nnowhere\n", "an e-mail address has one @"},
    {CR_PASSWORD "\na@b\n\n", "a full name is not empty"},
    {CR_PASSWORD "\na@b\nA\n30/02/2001\n", "a date of birth is a day in the past"},
    {CR_PASSWORD "\na@b\n", "nobody answers \"Full name\""},
    {CR_PASSWORD "\nalice@example.org\nA\n2001-01-01\n",
     "the server refuses: this e-mail address has an account"},
};

START_TEST(refused)
{
	struct harness *h = cr_start();

	cr_sign_up(h, "alice");
	run_environment(NULL);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct run *r =
		    run_script(h, 1, bad[i].answers, "bob", "SERVER", "--protocol",
			       "rooms", "--register", "--user", "bob", "--fingerprint",
			       run_ca_fingerprint(h), NULL);
		ck_assert_msg(run_complained(r, bad[i].complaint), "%zu: %s", i,
			      (const char *)r->complaint.p);
		run_free(r);
	}
	harness_free(h);
}
END_TEST

/* ---- tokens ---- */

static struct run *
script(struct harness *h, int status, const char *input, const char *option)
{
	return run_script(h, status, input, "alice", "SERVER", "--protocol", "rooms",
			  "--user", "alice", option, NULL);
}

START_TEST(token)
{
	struct harness *h = cr_start();
	char path[HARNESS_PATH];
	struct run *r;

	cr_sign_up(h, "alice");
	ck_assert(find_file(h, "alice", "alice", "token", path));
	ck_assert_int_eq(mode_of(path), 0600);
	ck_assert(find_file(h, "alice", "alice", "chat-key.pem", path));
	ck_assert_int_eq(mode_of(path), 0600);
	/* No password, nobody to ask. */
	run_environment(NULL);
	for (int i = 0; i < 2; i++) {
		r = script(h, 0, "/quit\n", NULL);
		ck_assert(run_said(r, "* logged in as alice\n"));
		run_free(r);
	}
	run_free(script(h, 0, "/logout\n", NULL));
	ck_assert(!find_file(h, "alice", "alice", "token", path));
	r = script(h, 1, "", NULL);
	ck_assert(run_complained(r, "no password was given"));
	run_free(r);
	r = script(h, 1, "wrong wrong\n", NULL);
	ck_assert(run_complained(r, "the name or the password is wrong"));
	run_free(r);
	run_free(script(h, 0, CR_PASSWORD "\n", "--no-remember"));
	ck_assert(!find_file(h, "alice", "alice", "token", path));
	harness_free(h);
}
END_TEST

/* The administrator has changed the password: the token is dead. */
START_TEST(token_dies)
{
	struct harness *h = cr_start();
	char path[HARNESS_PATH];
	struct run *r;
	FILE *f;

	cr_sign_up(h, "alice");
	ck_assert(find_file(h, "alice", "alice", "token", path));
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_gt(fputs("bm8gdG9rZW4gYXQgYWxsLCBidXQgb2YgaXRzIHNpemU\n", f), 0);
	ck_assert_int_eq(fclose(f), 0);
	r = script(h, 0, "", NULL);
	ck_assert(run_said(r, "* the server wants your password again\n"));
	ck_assert(run_said(r, "* logged in as alice\n"));
	run_free(r);
	run_environment(NULL);
	run_free(script(h, 0, "", NULL));
	harness_free(h);
}
END_TEST

/* In the clear the server proves itself all the same. */
START_TEST(in_the_clear)
{
	struct harness *h = cr_start();
	struct run *r;

	cr_sign_up(h, "alice");
	r = script(h, 0, "", "--clear");
	ck_assert(run_said(r, "* logged in as alice\n"));
	run_free(r);
	harness_free(h);
}
END_TEST

/* ---- keys ---- */

/* Bob logs in from another machine: a key that nobody here has seen before. */
START_TEST(other_device)
{
	struct harness *h = cr_start();
	struct run *alice, *bob, *second;

	cr_sign_up(h, "bob");
	alice = cr_enter(h, "alice");
	bob = cr_log_in(h, "bob", "bob", NULL);
	run_say(alice, "/room bob\nhello\n");
	run_until(alice, "* sent 1\n");
	run_say(bob, "/room alice\n");
	run_until(bob, "<alice> [1] hello\n");
	run_say(alice, "/verify\n/verify yes\n");
	run_until(alice, "* safety number with bob: ");
	run_until(alice, "* the key of bob is verified\n");

	second =
	    cr_log_in(h, "bob2", "bob", "--fingerprint", run_ca_fingerprint(h), NULL);
	run_until(alice, "! THE KEY OF bob HAS CHANGED, or somebody is in between: ");
	run_until(bob, "! THE KEY OF bob HAS CHANGED");
	run_say(second, "/room alice\n/sync\nfrom my other machine\n");
	run_until(second, "* not shown, from alice: ");
	run_until(alice, "* not shown, from bob: signed with a key of bob that is not "
			 "trusted here");
	/* The old one still counts, the new one reads nothing. */
	run_say(alice, "which machine?\n");
	run_until(bob, "<alice> [3] which machine?\n");
	run_until(second, "* not shown, from alice: ");
	run_say(alice, "/trust bob\nand now?\n");
	run_until(alice, "* trusting the key of bob: ");
	run_until(second, "and now?\n");
	run_say(second, "now it is trusted\n");
	run_until(alice, "<bob> ");
	run_until(alice, "now it is trusted\n");
	run_quit(alice, 1);
	run_quit(bob, 1);
	run_quit(second, 0);
	/* Trusted once is trusted, in later runs too. */
	run_environment(NULL);
	alice = cr_log_in(h, "alice", "alice", NULL);
	run_say(alice, "/rooms\n/trust bob\n");
	run_until(alice, "! the key of bob has not changed\n");
	ck_assert(!run_said(alice, "CHANGED"));
	run_quit(alice, 1);
	harness_free(h);
}
END_TEST

/* ---- lost connections ---- */

static size_t
times_said(const struct run *r, const char *text)
{
	const char *at = (const char *)r->said.p;
	size_t n = 0;

	while ((at = strstr(at, text)) != NULL) {
		n++;
		at++;
	}
	return n;
}

/* The server stores a line and dies before it can say so: the line is sent again and
 * stored once. */
START_TEST(resent)
{
	struct harness *h = cr_start();
	struct run *alice, *bob;

	cr_sign_up(h, "bob");
	cr_sign_up(h, "alice");
	alice = cr_log_in(h, "alice", "alice", "--reconnect", NULL);
	bob = cr_log_in(h, "bob", "bob", "--reconnect", NULL);
	run_say(alice, "/create club bob\n/wait chat 900\nbefore\n");
	run_until(alice, "* sent 1\n");
	run_say(bob, "/wait unread 900\n/room club\n");
	run_until(bob, "<alice> [1] before\n");
	harness_freeze(h);
	run_say(alice, "while it stood still\nand another\n/nothing\n");
	run_until(alice, "! /nothing is no command");
	harness_kill(h);
	run_until(alice, "* no connection, attempt 1 in ");
	harness_restart(h);
	run_until(alice, "* sent 2\n");
	run_until(alice, "* sent 3\n");
	run_until(bob, "while it stood still\n");
	run_until(bob, "and another\n");
	run_say(alice, "after\n");
	run_until(bob, "after\n");
	ck_assert_uint_eq(times_said(bob, "while it stood still"), 1);
	ck_assert_uint_eq(times_said(bob, "and another"), 1);
	run_until(alice, "* sent 4\n");
	ck_assert(!run_said(alice, "may not have arrived"));
	run_quit(alice, 1);
	run_quit(bob, 0);
	harness_free(h);
}
END_TEST

/* Without coming back it is said what may be lost. */
START_TEST(unsent)
{
	struct harness *h = cr_start();
	struct run *alice;

	cr_sign_up(h, "bob");
	alice = cr_enter(h, "alice");
	run_say(alice, "/room bob\n/wait chat 900\n");
	run_until(alice, "* chat with bob\n");
	harness_freeze(h);
	run_say(alice, "one\n/nothing\n");
	run_until(alice, "! /nothing is no command");
	harness_kill(h);
	run_until(alice, "! may not have arrived, to bob: one\n* disconnected\n");
	run_quit(alice, 1);
	harness_restart(h);
	harness_free(h);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("client rooms login");
	TCase *c = harness_case(s, "login");

	tcase_add_test(c, sign_up);
	tcase_add_test(c, in_terminal);
	tcase_add_test(c, refused);
	tcase_add_test(c, token);
	tcase_add_test(c, token_dies);
	tcase_add_test(c, in_the_clear);
	tcase_add_test(c, other_device);
	tcase_add_test(c, resent);
	tcase_add_test(c, unsent);
	return harness_main(s);
}
