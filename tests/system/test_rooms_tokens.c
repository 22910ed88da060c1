/* SPDX-License-Identifier: MIT
 *
 * What a login in rooms leaves: tokens, and what ends them.
 */
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "tests/system/rooms_peer.h"

START_TEST(tokens_are_good_for_their_user)
{
	struct harness *h = rp_start("rooms.captcha=off", NULL);
	struct rooms_peer *p = rp_connect(h);
	char token[64];

	rp_sign_up(p, "bob");
	rp_sign_up(p, "alice");
	rp_log_in(p, "alice");
	strlcpy(token, p->token, sizeof(token));
	rp_try_token(p, "bob", token);
	ck_assert_str_eq(rp_text(rp_hear_status(p, "TOKEN_INVALID"), "ref"), "t");
	rp_try_token(p, "nobody", token);
	rp_hear_status(p, "TOKEN_INVALID");
	rp_try_token(p, "../alice", token);
	rp_hear_status(p, "TOKEN_INVALID");
	token[0] = token[0] == 'A' ? 'B' : 'A';
	rp_try_token(p, "alice", token);
	rp_hear_status(p, "TOKEN_INVALID");
	rp_try_token(p, "alice", "");
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
	rp_try_token(p, "alice", p->token);
	rp_hear_status(p, "TOKEN_EXPIRED");
	rp_try_token(p, "alice", saved);
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
	rp_try_token(p, "alice", first);
	rp_hear_status(p, "TOKEN_INVALID");
	rp_try_token(p, "alice", second);
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
	rp_try_token(q, "alice", p->token);
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
	rp_try_password(waiting, "bob", RP_PASSWORD);
	rp_hear_status(waiting, "CHAT_PUBKEY_MISSING");
	new_password(h, "alice", "another horse");
	new_password(h, "bob", "another horse");
	rp_hear_close(p, 1008);
	/* Not even the login that was half-way. */
	rp_say(waiting, "{'type':'CHAT_ENCRYPT_C','data':{'chat_pubkey':'%s'}}", key);
	rp_hear_status(waiting, "LOGIN_INCORRECT");
	rp_try_token(waiting, "alice", p->token);
	rp_hear_status(waiting, "TOKEN_INVALID");
	rp_fail_login(waiting, "alice");
	rp_try_password(waiting, "alice", "another horse");
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
	rp_try_password(waiting, "bob", RP_PASSWORD);
	rp_hear_status(waiting, "CHAT_PUBKEY_MISSING");
	harness_admin(h, "user", "remove", "alice", NULL);
	harness_admin(h, "user", "remove", "bob", NULL);
	rp_hear_close(p, 1008);
	rp_say(waiting, "{'type':'CHAT_ENCRYPT_C','data':{'chat_pubkey':'%s'}}", key);
	rp_hear_status(waiting, "LOGIN_INCORRECT");
	rp_try_token(waiting, "alice", p->token);
	rp_hear_status(waiting, "TOKEN_INVALID");
	rp_fail_login(waiting, "alice");
	/* A new user of that name inherits nothing. */
	rp_sign_up(waiting, "alice");
	rp_try_token(waiting, "alice", p->token);
	rp_hear_status(waiting, "TOKEN_INVALID");
	rp_try_password(waiting, "alice", RP_PASSWORD);
	rp_hear_status(waiting, "CHAT_PUBKEY_MISSING");
	rp_free(p), rp_free(waiting);
	free(pem), free(key);
	harness_free(h);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("rooms: tokens");
	TCase *t = harness_case(s, "tokens");

	tcase_add_test(t, tokens_are_good_for_their_user);
	tcase_add_test(t, tokens_expire);
	tcase_add_test(t, the_oldest_of_many_tokens_goes);
	tcase_add_test(t, logout_kills_the_token);
	tcase_add_test(t, a_new_password_ends_what_the_old_one_allowed);
	tcase_add_test(t, a_removed_user_is_gone);
	return harness_main(s);
}
