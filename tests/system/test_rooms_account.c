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

static void
log_in(struct rooms_peer *p, const char *id, const char *password)
{
	rp_say(p,
	       "{'type':'LOGIN','data':{'id':'%s','password':'%s','save':false,"
	       "'ref':'login'}}",
	       id, password);
}

static void
use_token(struct rooms_peer *p, const char *user, const char *token)
{
	rp_say(p, "{'type':'AUTH_TOKEN','data':{'user':'%s','token':'%s','ref':'t'}}",
	       user, token);
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
	log_in(p, "nobody", "wrong password");
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
	log_in(p, "alice", "not that one");
	ck_assert_str_eq(rp_text(rp_hear_status(p, "LOGIN_INCORRECT"), "ref"), "login");
	log_in(p, "nobody", RP_PASSWORD);
	rp_hear_status(p, "LOGIN_INCORRECT");
	/* By e-mail address, in any case of letters; without a chat key it asks. */
	log_in(p, "ALICE@EXAMPLE.ORG", RP_PASSWORD);
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
	log_in(p, "alice", RP_PASSWORD);
	rp_hear(p, "GEN_TOKEN");
	use_token(p, "ALICE", p->token);
	ck_assert_str_eq(rp_text(rp_hear_status(p, "LOGIN_OK"), "ref"), "t");
	rp_hear(p, "QUEUE_END");
	/* Nothing changes any more. */
	log_in(p, "alice", "not that one");
	rp_hear_status(p, "ALREADY_LOGGED_IN");
	ask_sign_up(p, "bob");
	rp_hear_status(p, "ALREADY_LOGGED_IN");
	use_token(p, "alice", "wrong");
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
	log_in(p, "alice", RP_PASSWORD);
	rp_hear_status(p, "CHAT_PUBKEY_MISSING");
	solve(p, "123456");
	rp_hear_status(p, "CAPTCHA_EXPIRED"); /* none was asked; it still waits */
	log_in(p, "alice", "not that one");
	rp_hear_status(p, "LOGIN_INCORRECT");
	rp_say(p, "{'type':'CHAT_ENCRYPT_C','data':{'chat_pubkey':''}}");
	rp_hear_status(p, "NOT_LOGGED_IN");
	rp_free(p);
	harness_free(h);
}
END_TEST

static void
fail_login(struct rooms_peer *p, const char *id)
{
	log_in(p, id, "not that one");
	rp_hear_status(p, "LOGIN_INCORRECT");
}

START_TEST(failures_ask_for_a_captcha)
{
	struct harness *h = rp_start(NULL);
	struct rooms_peer *p = rp_connect(h), *q = rp_connect(h);
	char digits[16];

	rp_sign_up(p, "alice");
	/* Of the account: by its name and its address, on any connection. */
	fail_login(p, "alice");
	fail_login(q, "alice@example.org");
	fail_login(p, "Alice");
	log_in(q, "alice", RP_PASSWORD);
	rp_hear(q, "CAPTCHA"); /* in place of the answer */
	rp_digits(q, digits);
	solve(q, other_than(digits));
	rp_hear_status(q, "CAPTCHA_WRONG");
	solve(q, digits);
	rp_hear_status(q, "CAPTCHA_EXPIRED");
	/* Solved, it goes on: this one was wrong, ... */
	log_in(q, "alice", "not that one");
	ck_assert_str_eq(rp_text(rp_hear(q, "CAPTCHA"), "ref"), "login");
	rp_digits(q, digits);
	solve(q, digits);
	ck_assert_str_eq(rp_text(rp_hear_status(q, "LOGIN_INCORRECT"), "ref"), "login");
	/* ... and this one right, which clears the count. */
	log_in(p, "alice", RP_PASSWORD);
	rp_hear(p, "CAPTCHA");
	rp_digits(p, digits);
	solve(p, digits);
	rp_hear_status(p, "CHAT_PUBKEY_MISSING");
	fail_login(q, "alice");
	/* An account that does not exist counts alike. */
	fail_login(p, "nobody");
	fail_login(p, "nobody");
	fail_login(p, "nobody");
	log_in(p, "nobody", "not that one");
	rp_hear(p, "CAPTCHA");
	/* Others are not hindered. */
	fail_login(p, "somebody");
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
		log_in(p[i], "alice", "not that one");
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
		fail_login(p, name);
	}
	log_in(p, "another", RP_PASSWORD);
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
	log_in(p, "one", RP_PASSWORD);
	rp_hear_status(p, "CHAT_PUBKEY_MISSING");
	rp_free(p);
	harness_free(h);
}
END_TEST

/* ---- tokens ---- */

START_TEST(tokens_are_good_for_their_user)
{
	struct harness *h = rp_start("rooms.captcha=off", NULL);
	struct rooms_peer *p = rp_connect(h);
	char token[64];

	rp_sign_up(p, "bob");
	rp_sign_up(p, "alice");
	rp_log_in(p, "alice");
	strlcpy(token, p->token, sizeof(token));
	use_token(p, "bob", token);
	ck_assert_str_eq(rp_text(rp_hear_status(p, "TOKEN_INVALID"), "ref"), "t");
	use_token(p, "nobody", token);
	rp_hear_status(p, "TOKEN_INVALID");
	use_token(p, "../alice", token);
	rp_hear_status(p, "TOKEN_INVALID");
	token[0] = token[0] == 'A' ? 'B' : 'A';
	use_token(p, "alice", token);
	rp_hear_status(p, "TOKEN_INVALID");
	use_token(p, "alice", "");
	rp_hear_status(p, "TOKEN_INVALID");
	/* On another connection, and after a restart. */
	harness_stop(h);
	harness_restart(h);
	rp_free(rp_again(p));
	rp_free(p);
	harness_free(h);
}
END_TEST

START_TEST(tokens_expire)
{
	struct harness *h = rp_start("rooms.captcha=off", "rooms.token_life=3s",
				     "rooms.token_life_save=1h", NULL);
	struct rooms_peer *p = rp_connect(h), *in;
	char saved[64];
	int64_t until;

	rp_sign_up(p, "alice");
	rp_log_in(p, "alice");
	rp_say(p, "{'type':'LOGIN','data':{'id':'alice','password':'%s','save':true}}",
	       RP_PASSWORD);
	strlcpy(saved, rp_text(rp_hear(p, "GEN_TOKEN"), "token"), sizeof(saved));
	rp_log_in(p, "alice");
	in = rp_again(p);
	for (until = clock_mono_ms() + 3100; clock_mono_ms() < until;)
		harness_nap(until + 10000, "the token's life");
	use_token(p, "alice", p->token);
	rp_hear_status(p, "TOKEN_EXPIRED");
	use_token(p, "alice", saved);
	rp_hear_status(p, "LOGIN_OK");
	rp_hear(in, "QUEUE_END");
	rp_hear_nothing(in); /* who is in stays */
	rp_free(in);
	rp_free(p);
	harness_free(h);
}
END_TEST

START_TEST(the_oldest_of_many_tokens_goes)
{
	struct harness *h = rp_start("rooms.captcha=off", NULL);
	struct rooms_peer *p = rp_connect(h);
	char first[64], second[64];

	rp_sign_up(p, "alice");
	rp_log_in(p, "alice");
	strlcpy(first, p->token, sizeof(first));
	rp_log_in(p, "alice");
	strlcpy(second, p->token, sizeof(second));
	for (int i = 0; i < 15; i++)
		rp_log_in(p, "alice");
	use_token(p, "alice", first);
	rp_hear_status(p, "TOKEN_INVALID");
	use_token(p, "alice", second);
	rp_hear_status(p, "LOGIN_OK");
	rp_free(p);
	harness_free(h);
}
END_TEST

START_TEST(logout_kills_the_token)
{
	struct harness *h = rp_start("rooms.captcha=off", NULL);
	struct rooms_peer *p = rp_enter(h, "alice"), *same = rp_again(p), *other, *q;

	rp_hear(same, "QUEUE_END");
	other = rp_connect(h);
	rp_log_in(other, "alice");
	rp_auth(other);
	rp_hear(other, "QUEUE_END");
	rp_say(p, "{'type':'LOGOUT','data':{'ref':'bye'}}");
	ck_assert_str_eq(rp_text(rp_hear_status(p, "LOGGED_OUT"), "ref"), "bye");
	rp_hear_close(p, 1000);
	rp_hear_close(same, 1008);
	rp_hear_nothing(other);
	q = rp_connect(h);
	use_token(q, "alice", p->token);
	rp_hear_status(q, "TOKEN_INVALID");
	rp_free(q), rp_free(p), rp_free(same), rp_free(other);
	harness_free(h);
}
END_TEST

/* `server user passwd` reads it from a line of input. */
static void
new_password(struct harness *h, const char *user, const char *password)
{
	char command[3 * HARNESS_PATH];

	snprintf(command, sizeof(command),
		 "echo '%s' | '%s' user passwd %s --data '%s' >/dev/null", password,
		 getenv("QUINTET_SERVER"), user, h->data);
	ck_assert_int_eq(system(command), 0);
}

START_TEST(a_new_password_ends_what_the_old_one_allowed)
{
	struct harness *h = rp_start("rooms.captcha=off", NULL);
	struct rooms_peer *p = rp_enter(h, "alice"), *waiting = rp_connect(h);
	char *pem = rp_make_pem(), *key = rp_escape(pem);

	rp_sign_up(waiting, "bob");
	log_in(waiting, "bob", RP_PASSWORD);
	rp_hear_status(waiting, "CHAT_PUBKEY_MISSING");
	new_password(h, "alice", "another horse");
	new_password(h, "bob", "another horse");
	rp_hear_close(p, 1008);
	/* Not even the login that was half-way. */
	rp_say(waiting, "{'type':'CHAT_ENCRYPT_C','data':{'chat_pubkey':'%s'}}", key);
	rp_hear_status(waiting, "LOGIN_INCORRECT");
	use_token(waiting, "alice", p->token);
	rp_hear_status(waiting, "TOKEN_INVALID");
	fail_login(waiting, "alice");
	log_in(waiting, "alice", "another horse");
	rp_hear(waiting, "GEN_TOKEN");
	rp_free(p), rp_free(waiting);
	free(pem), free(key);
	harness_free(h);
}
END_TEST

START_TEST(a_removed_user_is_gone)
{
	struct harness *h = rp_start("rooms.captcha=off", NULL);
	struct rooms_peer *p = rp_enter(h, "alice"), *waiting = rp_connect(h);
	char *pem = rp_make_pem(), *key = rp_escape(pem);

	rp_sign_up(waiting, "bob");
	log_in(waiting, "bob", RP_PASSWORD);
	rp_hear_status(waiting, "CHAT_PUBKEY_MISSING");
	harness_admin(h, "user", "remove", "alice", NULL);
	harness_admin(h, "user", "remove", "bob", NULL);
	rp_hear_close(p, 1008);
	rp_say(waiting, "{'type':'CHAT_ENCRYPT_C','data':{'chat_pubkey':'%s'}}", key);
	rp_hear_status(waiting, "LOGIN_INCORRECT");
	use_token(waiting, "alice", p->token);
	rp_hear_status(waiting, "TOKEN_INVALID");
	fail_login(waiting, "alice");
	/* A new user of that name inherits nothing. */
	rp_sign_up(waiting, "alice");
	use_token(waiting, "alice", p->token);
	rp_hear_status(waiting, "TOKEN_INVALID");
	log_in(waiting, "alice", RP_PASSWORD);
	rp_hear_status(waiting, "CHAT_PUBKEY_MISSING");
	rp_free(p), rp_free(waiting);
	free(pem), free(key);
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
	tcase_add_test(t, tokens_are_good_for_their_user);
	tcase_add_test(t, tokens_expire);
	tcase_add_test(t, the_oldest_of_many_tokens_goes);
	tcase_add_test(t, logout_kills_the_token);
	tcase_add_test(t, a_new_password_ends_what_the_old_one_allowed);
	tcase_add_test(t, a_removed_user_is_gone);
	return harness_main(s);
}
