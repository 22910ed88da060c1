/* SPDX-License-Identifier: MIT
 *
 * The account part of rooms: making one, proving a password, tokens.
 */
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "tests/system/rooms_peer.h"

/* SIGNUP with all fields as they are. */
static void
sign_up(struct rooms_peer *p, const char *user, const char *email, const char *fullname,
	const char *dob, const char *password)
{
	rp_say(p,
	       "{'type':'SIGNUP','data':{'user':'%s','email':'%s','fullname':'%s',"
	       "'dob':'%s','password':'%s','ref':'s'}}",
	       user, email, fullname, dob, password);
}

static void
ask_sign_up(struct rooms_peer *p, const char *user)
{
	char email[64];

	snprintf(email, sizeof(email), "%s@example.org", user);
	sign_up(p, user, email, user, "2001-02-03", RP_PASSWORD);
}

static void
solve(struct rooms_peer *p, const char *digits)
{
	rp_say(p, "{'type':'S_CAPTCHA','data':{'solved':'%s'}}", digits);
}

static char *
repeat(const char *what, size_t n)
{
	char *out = calloc(n, strlen(what) + 1);

	ck_assert_ptr_nonnull(out);
	while (n-- > 0)
		strcat(out, what);
	return out;
}

/* Digits that are not these. */
static const char *
other_than(const char *digits)
{
	return strcmp(digits, "000000") == 0 ? "000001" : "000000";
}

/* ---- SIGNUP ---- */

START_TEST(signup_says_what_is_wrong_in_order)
{
	struct harness *h = rp_start(NULL);
	struct rooms_peer *p = rp_connect(h);
	char *long_name = repeat("n", 33), *long_part = repeat("e", 250);
	char *full = repeat("f", 257), *password = repeat("p", 385);
	char email[300];
	json_t *data;

	snprintf(email, sizeof(email), "%s@e.org", long_part); /* 256 */
	/* Everything else is wrong, too: the first mistake is named. */
	rp_say(p, "{'type':'SIGNUP'}");
	rp_hear_status(p, "SIGNUP_MISSING_CREDS");
	rp_say(p, "{'type':'SIGNUP','data':{'user':'a','email':null,'fullname':'A',"
		  "'dob':'01/02/2003','password':'longenough'}}");
	rp_hear_status(p, "SIGNUP_MISSING_CREDS");
	sign_up(p, "", "x", "", "x", "x");
	data = rp_hear_status(p, "SIGNUP_MISSING_CREDS");
	ck_assert_str_eq(rp_text(data, "ref"), "s");
	sign_up(p, "no spaces", "x", "\\u0007", "x", "x");
	rp_hear_status(p, "SIGNUP_USERNAME_INVALID");
	sign_up(p, long_name, "x", "\\u0007", "x", "x");
	rp_hear_status(p, "SIGNUP_USERNAME_ABOVE_LIMIT");
	strlcat(email, "g", sizeof(email));
	sign_up(p, "ann", email, "\\u0007", "x", "x");
	rp_hear_status(p, "SIGNUP_EMAIL_ABOVE_LIMIT");
	sign_up(p, "ann", "no address", "\\u0007", "x", "x");
	rp_hear_status(p, "SIGNUP_EMAIL_INVALID");
	sign_up(p, "ann", "a@b@c", "\\u0007", "x", "x");
	rp_hear_status(p, "SIGNUP_EMAIL_INVALID");
	sign_up(p, "ann", "a@b", full, "x", "x");
	rp_hear_status(p, "SIGNUP_NAME_ABOVE_LIMIT");
	sign_up(p, "ann", "a@b", "bell \\u0007", "x", "x");
	rp_hear_status(p, "SIGNUP_NAME_INVALID");
	sign_up(p, "ann", "a@b", "Ann", "2003-02-30", "x");
	rp_hear_status(p, "SIGNUP_DOB_INVALID");
	sign_up(p, "ann", "a@b", "Ann", "2999-01-01", "x");
	rp_hear_status(p, "SIGNUP_DOB_INVALID");
	sign_up(p, "ann", "a@b", "Ann", "1-2-2003", "x");
	rp_hear_status(p, "SIGNUP_DOB_INVALID");
	sign_up(p, "ann", "a@b", "Ann", "03/02/2001", password);
	rp_hear_status(p, "SIGNUP_PASSWORD_ABOVE_LIMIT");
	sign_up(p, "ann", "a@b", "Ann", "03-02-2001", "1234567");
	rp_hear_status(p, "SIGNUP_PASSWORD_BELOW_LIMIT");
	/* At the limits it is right. */
	password[384] = '\0';
	full[256] = '\0';
	long_name[32] = '\0';
	email[256] = '\0';
	sign_up(p, long_name, email, full, "2001/02/03", password);
	data = rp_hear(p, "CAPTCHA");
	ck_assert_str_eq(rp_text(data, "ref"), "s");
	rp_free(p);
	free(long_name), free(long_part), free(full), free(password);
	harness_free(h);
}
END_TEST

/* What exists is said only to those who have solved a captcha. */
START_TEST(names_and_addresses_are_taken_once)
{
	struct harness *h = rp_start(NULL);
	struct rooms_peer *p = rp_connect(h);
	struct buf out = BUF_INIT(4096);
	char digits[16];

	rp_sign_up(p, "Alice");
	sign_up(p, "aLICE", "other@example.org", "A", "01/02/2003", RP_PASSWORD);
	rp_hear(p, "CAPTCHA");
	rp_digits(p, digits);
	solve(p, digits);
	rp_hear_status(p, "SIGNUP_USERNAME_ALREADY_EXISTS");
	sign_up(p, "bob", "ALICE@example.ORG", "B", "01/02/2003", RP_PASSWORD);
	rp_hear(p, "CAPTCHA");
	rp_digits(p, digits);
	/* As a number, too. */
	rp_say(p, "{'type':'S_CAPTCHA','data':{'solved':%d,'ref':'c'}}", atoi(digits));
	ck_assert_str_eq(rp_text(rp_hear_status(p, "SIGNUP_EMAIL_ALREADY_EXISTS"), "ref"),
			 "c");
	/* Somebody who is known by a key alone has the name. */
	harness_add_user(h, "carol", KEY_EC_P256);
	ask_sign_up(p, "carol");
	rp_hear(p, "CAPTCHA");
	rp_digits(p, digits);
	solve(p, digits);
	rp_hear_status(p, "SIGNUP_USERNAME_ALREADY_EXISTS");
	/* It is an account like any other. */
	ck_assert_int_eq(harness_command(h, &out, "user", "show", "alice", NULL), 0);
	ck_assert_int_eq(buf_put_u8(&out, 0), Q_OK);
	ck_assert_ptr_nonnull(strstr((char *)out.p, "name: Alice\n"));
	ck_assert_ptr_nonnull(strstr((char *)out.p, "email: Alice@example.org\n"));
	ck_assert_ptr_nonnull(strstr((char *)out.p, "dob: 2003-02-01\n"));
	ck_assert_ptr_nonnull(strstr((char *)out.p, "password: set\n"));
	buf_free(&out);
	rp_free(p);
	harness_free(h);
}
END_TEST

/* ---- captchas ---- */

START_TEST(captchas_are_for_one_use)
{
	struct harness *h = rp_start(NULL);
	struct rooms_peer *p = rp_connect(h);
	char digits[16], second[16];
	int64_t until;

	solve(p, "123456");
	rp_hear_status(p, "CAPTCHA_EXPIRED"); /* nothing was asked */
	ask_sign_up(p, "ann");
	rp_hear(p, "CAPTCHA");
	rp_digits(p, digits);
	ck_assert_uint_eq(strlen(digits), 6);
	solve(p, other_than(digits));
	rp_hear_status(p, "CAPTCHA_WRONG");
	solve(p, digits);
	rp_hear_status(p, "CAPTCHA_EXPIRED"); /* it was dead by then */
	/* A new SIGNUP and a new LOGIN kill the old one. */
	ask_sign_up(p, "ann");
	rp_hear(p, "CAPTCHA");
	rp_digits(p, digits);
	ask_sign_up(p, "ann");
	rp_hear(p, "CAPTCHA");
	rp_digits(p, second);
	if (strcmp(digits, second) != 0) {
		solve(p, digits);
		rp_hear_status(p, "CAPTCHA_WRONG");
	}
	ask_sign_up(p, "ann");
	rp_hear(p, "CAPTCHA");
	rp_digits(p, digits);
	rp_try_password(p, "nobody", "wrong password");
	rp_hear_status(p, "LOGIN_INCORRECT");
	solve(p, digits);
	rp_hear_status(p, "CAPTCHA_EXPIRED");
	/* So does a SIGNUP that is wrong. */
	ask_sign_up(p, "ann");
	rp_hear(p, "CAPTCHA");
	rp_digits(p, digits);
	rp_say(p, "{'type':'SIGNUP'}");
	rp_hear_status(p, "SIGNUP_MISSING_CREDS");
	solve(p, digits);
	rp_hear_status(p, "CAPTCHA_EXPIRED");
	/* Time does, too. */
	harness_reload(h, "rooms.captcha_life=100ms", NULL);
	ask_sign_up(p, "ann");
	rp_hear(p, "CAPTCHA");
	rp_digits(p, digits);
	for (until = clock_mono_ms() + 150; clock_mono_ms() < until;)
		harness_nap(until + 10000, "the captcha's life");
	solve(p, digits);
	rp_hear_status(p, "CAPTCHA_EXPIRED");
	rp_free(p);
	harness_free(h);
}
END_TEST

START_TEST(a_solved_captcha_is_used_up)
{
	struct harness *h = rp_start(NULL);
	struct rooms_peer *p = rp_connect(h);
	char digits[16];

	ask_sign_up(p, "ann");
	rp_hear(p, "CAPTCHA");
	rp_digits(p, digits);
	solve(p, digits);
	rp_hear_status(p, "NEW_ACC_OK");
	solve(p, digits);
	rp_hear_status(p, "CAPTCHA_EXPIRED");
	rp_free(p);
	harness_free(h);
}
END_TEST

START_TEST(captchas_tell_nothing_unless_in_a_test)
{
	struct harness *h = harness_start(NULL);
	struct rooms_peer *p = rp_connect(h);
	char digits[16];

	ask_sign_up(p, "ann");
	rp_hear(p, "CAPTCHA");
	rp_digits(p, digits);
	ck_assert_str_eq(digits, "");
	rp_free(p);
	harness_free(h);

	h = rp_start("rooms.captcha=off", NULL);
	p = rp_connect(h);
	ask_sign_up(p, "ann");
	ck_assert_str_eq(rp_text(rp_hear_status(p, "NEW_ACC_OK"), "ref"), "s");
	rp_free(p);
	harness_free(h);
}
END_TEST

START_TEST(captchas_are_not_switched_off_without_the_mark)
{
	static const char *const settings[] = {"rooms.captcha=test", "rooms.captcha=off"};

	for (size_t i = 0; i < 2; i++) {
		struct harness *h = harness_new();
		struct buf out = BUF_INIT(65536);

		ck_assert_int_eq(harness_command(h, &out, "--listen", "127.0.0.1:0",
						 "--set", settings[i], NULL),
				 1);
		ck_assert_int_eq(buf_put_u8(&out, 0), Q_OK);
		ck_assert_ptr_nonnull(strstr((char *)out.p, "test-mode"));
		ck_assert_ptr_nonnull(strstr((char *)out.p, "rooms.captcha"));
		buf_free(&out);
		harness_free(h);
	}
}
END_TEST

/* ---- LOGIN ---- */

START_TEST(a_login_proves_the_password_alone)
{
	struct harness *h = rp_start(NULL);
	struct rooms_peer *p = rp_connect(h);
	char *pem = rp_make_pem(), *key = rp_escape(pem);
	json_t *data;

	rp_sign_up(p, "alice");
	rp_say(p, "{'type':'LOGIN'}");
	rp_hear_status(p, "LOGIN_MISSING_CREDS");
	rp_say(p, "{'type':'LOGIN','data':{'id':'alice','password':''}}");
	rp_hear_status(p, "LOGIN_MISSING_CREDS");
	rp_try_password(p, "alice", "not that one");
	ck_assert_str_eq(rp_text(rp_hear_status(p, "LOGIN_INCORRECT"), "ref"), "login");
	rp_try_password(p, "nobody", RP_PASSWORD);
	rp_hear_status(p, "LOGIN_INCORRECT");
	/* By e-mail address, in any case of letters; without a chat key it asks. */
	rp_try_password(p, "ALICE@EXAMPLE.ORG", RP_PASSWORD);
	ck_assert_str_eq(rp_text(rp_hear_status(p, "CHAT_PUBKEY_MISSING"), "ref"),
			 "login");
	rp_say(p, "{'type':'CHAT_ENCRYPT_C','data':{'chat_pubkey':'no key'}}");
	rp_hear_status(p, "CHAT_PUBKEY_INVALID");
	rp_say(p, "{'type':'CHAT_ENCRYPT_C','data':{'chat_pubkey':'%s','ref':'k'}}", key);
	ck_assert_str_eq(rp_text(rp_hear_status(p, "CHAT_PUBKEY_OK"), "ref"), "k");
	data = rp_hear(p, "GEN_TOKEN");
	ck_assert_str_eq(rp_text(data, "ref"), "login");
	ck_assert_uint_eq(strlen(rp_text(data, "token")), 43);
	strlcpy(p->token, rp_text(data, "token"), sizeof(p->token));
	/* It has a key now, and is not logged in yet. */
	rp_say(p, "{'type':'CHAT_ENCRYPT_C','data':{'chat_pubkey':'%s'}}", key);
	rp_hear_status(p, "NOT_LOGGED_IN");
	rp_say(p, "{'type':'LOGOUT','data':{'ref':'x'}}");
	ck_assert_str_eq(rp_text(rp_hear_status(p, "NOT_LOGGED_IN"), "ref"), "x");
	rp_say(p, "{'type':'LIST_ROOMS','data':{'after':null,'count':1}}");
	rp_hear_status(p, "NOT_LOGGED_IN");
	rp_say(p, "{'type':'CREATE_ROOM','data':{'room-type':'wrong'}}");
	rp_hear_status(p, "NOT_LOGGED_IN");
	rp_try_password(p, "alice", RP_PASSWORD);
	rp_hear(p, "GEN_TOKEN");
	rp_try_token(p, "ALICE", p->token);
	ck_assert_str_eq(rp_text(rp_hear_status(p, "LOGIN_OK"), "ref"), "t");
	rp_hear(p, "QUEUE_END");
	/* Nothing changes any more. */
	rp_try_password(p, "alice", "not that one");
	rp_hear_status(p, "ALREADY_LOGGED_IN");
	ask_sign_up(p, "bob");
	rp_hear_status(p, "ALREADY_LOGGED_IN");
	rp_try_token(p, "alice", "wrong");
	rp_hear_status(p, "ALREADY_LOGGED_IN");
	rp_say(p, "{'type':'CHAT_ENCRYPT_C','data':{'chat_pubkey':'%s'}}", key);
	rp_hear_status(p, "CHAT_PUBKEY_OK");
	rp_say(p, "{'type':'CHAT_ENCRYPT_C','data':{'chat_pubkey':'-'}}");
	rp_hear_status(p, "CHAT_PUBKEY_INVALID");
	rp_hear_nothing(p);
	rp_free(p);
	free(pem), free(key);
	harness_free(h);
}
END_TEST

/* A login that waits for a key is over when another one begins. */
START_TEST(a_login_without_a_key_can_be_left)
{
	struct harness *h = rp_start(NULL);
	struct rooms_peer *p = rp_connect(h);

	rp_sign_up(p, "alice");
	rp_try_password(p, "alice", RP_PASSWORD);
	rp_hear_status(p, "CHAT_PUBKEY_MISSING");
	solve(p, "123456");
	rp_hear_status(p, "CAPTCHA_EXPIRED"); /* none was asked; it still waits */
	rp_try_password(p, "alice", "not that one");
	rp_hear_status(p, "LOGIN_INCORRECT");
	rp_say(p, "{'type':'CHAT_ENCRYPT_C','data':{'chat_pubkey':''}}");
	rp_hear_status(p, "NOT_LOGGED_IN");
	rp_free(p);
	harness_free(h);
}
END_TEST

START_TEST(failures_ask_for_a_captcha)
{
	struct harness *h = rp_start(NULL);
	struct rooms_peer *p = rp_connect(h), *q = rp_connect(h);
	char digits[16];

	rp_sign_up(p, "alice");
	/* Of the account: by its name and its address, on any connection. */
	rp_fail_login(p, "alice");
	rp_fail_login(q, "alice@example.org");
	rp_fail_login(p, "Alice");
	rp_try_password(q, "alice", RP_PASSWORD);
	rp_hear(q, "CAPTCHA"); /* in place of the answer */
	rp_digits(q, digits);
	solve(q, other_than(digits));
	rp_hear_status(q, "CAPTCHA_WRONG");
	solve(q, digits);
	rp_hear_status(q, "CAPTCHA_EXPIRED");
	/* Solved, it goes on: this one was wrong, ... */
	rp_try_password(q, "alice", "not that one");
	ck_assert_str_eq(rp_text(rp_hear(q, "CAPTCHA"), "ref"), "login");
	rp_digits(q, digits);
	solve(q, digits);
	ck_assert_str_eq(rp_text(rp_hear_status(q, "LOGIN_INCORRECT"), "ref"), "login");
	/* ... and this one right, which clears the count. */
	rp_try_password(p, "alice", RP_PASSWORD);
	rp_hear(p, "CAPTCHA");
	rp_digits(p, digits);
	solve(p, digits);
	rp_hear_status(p, "CHAT_PUBKEY_MISSING");
	rp_fail_login(q, "alice");
	/* An account that does not exist counts alike. */
	rp_fail_login(p, "nobody");
	rp_fail_login(p, "nobody");
	rp_fail_login(p, "nobody");
	rp_try_password(p, "nobody", "not that one");
	rp_hear(p, "CAPTCHA");
	/* Others are not hindered. */
	rp_fail_login(p, "somebody");
	rp_free(p);
	rp_free(q);
	harness_free(h);
}
END_TEST

/* All are sent before any is answered. */
START_TEST(guesses_at_once_learn_no_more)
{
	enum { N = 12 };
	struct harness *h = rp_start(NULL);
	struct rooms_peer *p[N];
	int answered = 0;
	const char *type;

	for (int i = 0; i < N; i++)
		p[i] = rp_connect(h);
	rp_sign_up(p[0], "alice");
	for (int i = 0; i < N; i++)
		rp_try_password(p[i], "alice", "not that one");
	for (int i = 0; i < N; i++) {
		(void)rp_next(p[i], &type);
		if (strcmp(type, "CAPTCHA") != 0)
			answered++;
		rp_free(p[i]);
	}
	ck_assert_int_eq(answered, 3);
	harness_free(h);
}
END_TEST

START_TEST(an_address_with_many_failures_is_asked_too)
{
	struct harness *h = rp_start("rooms.login_failures_address=4",
				     "limits.login_failures=1000", NULL);
	struct rooms_peer *p = rp_connect(h);
	char name[16];

	for (int i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "user%d", i);
		rp_fail_login(p, name);
	}
	rp_try_password(p, "another", RP_PASSWORD);
	rp_hear(p, "CAPTCHA");
	rp_free(p);
	harness_free(h);
}
END_TEST

START_TEST(too_many_accounts_come_later)
{
	struct harness *h =
	    rp_start("rooms.captcha=off", "rooms.signups_per_address=2", NULL);
	struct rooms_peer *p = rp_connect(h);
	json_t *data;

	rp_sign_up(p, "one");
	rp_sign_up(p, "two");
	ask_sign_up(p, "three");
	data = rp_hear_status(p, "TRY_LATER");
	ck_assert_int_gt(rp_int(data, "seconds"), 0);
	ck_assert_str_eq(rp_text(data, "ref"), "s");
	/* It is no bad packet, and nothing else is hindered. */
	rp_try_password(p, "one", RP_PASSWORD);
	rp_hear_status(p, "CHAT_PUBKEY_MISSING");
	rp_free(p);
	harness_free(h);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("rooms accounts");
	TCase *t = harness_case(s, "account");

	tcase_add_test(t, signup_says_what_is_wrong_in_order);
	tcase_add_test(t, names_and_addresses_are_taken_once);
	tcase_add_test(t, captchas_are_for_one_use);
	tcase_add_test(t, a_solved_captcha_is_used_up);
	tcase_add_test(t, captchas_tell_nothing_unless_in_a_test);
	tcase_add_test(t, captchas_are_not_switched_off_without_the_mark);
	tcase_add_test(t, a_login_proves_the_password_alone);
	tcase_add_test(t, a_login_without_a_key_can_be_left);
	tcase_add_test(t, failures_ask_for_a_captcha);
	tcase_add_test(t, guesses_at_once_learn_no_more);
	tcase_add_test(t, an_address_with_many_failures_is_asked_too);
	tcase_add_test(t, too_many_accounts_come_later);
	return harness_main(s);
}
