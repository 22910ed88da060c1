/* SPDX-License-Identifier: MIT
 *
 * Tokens, chat keys and e-mail addresses: what is kept, what ends with what, and that
 * damage and full disks hurt nobody.
 */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/text.h"
#include "store/chatkeys.h"
#include "store/check.h"
#include "store/tokens.h"
#include "store/users.h"
#include "tests/unit/tempdir.h"

static struct store *s;
static char told[4096];

static void
report(void *arg, const char *sentence)
{
	(void)arg;
	strncat(told, sentence, sizeof(told) - strlen(told) - 1);
}

static void
open_store(void)
{
	struct store_options opt = STORE_OPTIONS_DEFAULT;
	struct why why;

	opt.report = report;
	if (store_open(at("d"), &opt, &s, &why) != Q_OK)
		ck_abort_msg("%s", why.text);
}

static void
reopen(void)
{
	store_close(s);
	open_store();
}

static void
setup(void)
{
	signal(SIGXFSZ, SIG_IGN);
	told[0] = '\0';
	tempdir_make();
	open_store();
}

static void
teardown(void)
{
	store_close(s);
	tempdir_remove();
}

/* ---- tokens ---- */

static enum qerr
check_token(const char *user, enum token_kind kind, const char *token, int64_t now_ms)
{
	return tokens_check(s, user, kind, span_str(token), now_ms, NULL);
}

START_TEST(test_token)
{
	int64_t now = clock_wall_ms(), until_ms;
	char token[TOKEN_SIZE], other[TOKEN_SIZE];
	struct token_id id, again;
	struct buf file;

	ck_assert_int_eq(tokens_issue(s, "Alice", TOKEN_ROOMS, now + 1000, token, &id),
			 Q_OK);
	ck_assert_uint_eq(strlen(token), TOKEN_LEN);
	ck_assert_uint_eq(
	    strspn(token,
		   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
	    TOKEN_LEN);
	memcpy(other, token, sizeof(token));
	other[20] ^= 1;
	for (int round = 0; round < 2; round++, reopen()) {
		ck_assert_int_eq(
		    tokens_check(s, "ALICE", TOKEN_ROOMS, span_str(token), now, &again),
		    Q_OK);
		ck_assert_int_eq(memcmp(&id, &again, sizeof(id)), 0);
		until_ms = 0;
		ck_assert_int_eq(tokens_find(s, "alice", TOKEN_ROOMS, span_str(token),
					     now, &again, &until_ms),
				 Q_OK);
		ck_assert_int_eq(until_ms, now + 1000);
		ck_assert_int_eq(tokens_find(s, "alice", TOKEN_ROOMS, span_str(other),
					     now, &again, &until_ms),
				 Q_MISSING);
		ck_assert_int_eq(check_token("alice", TOKEN_BOARD, token, now),
				 Q_MISSING);
		ck_assert_int_eq(check_token("alice", TOKEN_ROOMS, other, now),
				 Q_MISSING);
		ck_assert_int_eq(check_token("alice", TOKEN_ROOMS, "", now), Q_MISSING);
		ck_assert_int_eq(check_token("bob", TOKEN_ROOMS, token, now), Q_MISSING);
		ck_assert_int_eq(check_token("no name!", TOKEN_ROOMS, token, now),
				 Q_MISSING);
		ck_assert_int_eq(check_token("alice", TOKEN_ROOMS, token, now + 1000),
				 Q_TIMEOUT);
	}
	file = slurp("d/tokens/alice");
	ck_assert_ptr_null(memmem(file.p, file.len, token, TOKEN_LEN));
	buf_free(&file);
	ck_assert_int_eq(tokens_revoke(s, "alice", &id), Q_OK);
	ck_assert_int_eq(tokens_revoke(s, "alice", &id), Q_OK);
	ck_assert_int_eq(check_token("alice", TOKEN_ROOMS, token, now), Q_MISSING);
	ck_assert(!exists("d/tokens/alice"));
	ck_assert_int_eq(tokens_issue(s, "..", TOKEN_ROOMS, now, token, &id), Q_FORMAT);
	ck_assert_int_eq(tokens_revoke_all(s, ".."), Q_OK);
}
END_TEST

START_TEST(test_token_limit)
{
	int64_t now = clock_wall_ms();
	char token[TOKENS_A_USER + 2][TOKEN_SIZE], board[TOKEN_SIZE];

	ck_assert_int_eq(tokens_issue(s, "bob", TOKEN_BOARD, now + 1000, board, NULL),
			 Q_OK);
	for (int i = 0; i < TOKENS_A_USER + 2; i++)
		ck_assert_int_eq(
		    tokens_issue(s, "bob", TOKEN_ROOMS, now + 1000, token[i], NULL),
		    Q_OK);
	for (int i = 0; i < TOKENS_A_USER + 2; i++)
		ck_assert_int_eq(check_token("bob", TOKEN_ROOMS, token[i], now),
				 i < 2 ? Q_MISSING : Q_OK);
	ck_assert_int_eq(check_token("bob", TOKEN_BOARD, board, now), Q_OK);
	ck_assert_int_eq(tokens_revoke_all(s, "BOB"), Q_OK);
	ck_assert_int_eq(check_token("bob", TOKEN_ROOMS, token[9], now), Q_MISSING);
	ck_assert_int_eq(check_token("bob", TOKEN_BOARD, board, now), Q_MISSING);
}
END_TEST

struct owned {
	struct token_id id[8];
	char user[8][NAME_SIZE];
	size_t n, max;
};

static bool
note_owner(void *arg, const char *user, const struct token_id *id)
{
	struct owned *o = arg;

	o->id[o->n] = *id;
	memcpy(o->user[o->n++], user, NAME_SIZE);
	return o->n < o->max;
}

START_TEST(test_tokens_each)
{
	int64_t now = clock_wall_ms();
	struct owned o = {.n = 0, .max = 8};
	char token[TOKEN_SIZE];
	struct token_id id, same;

	ck_assert_int_eq(tokens_each(s, TOKEN_ROOMS, note_owner, &o), Q_OK);
	ck_assert_uint_eq(o.n, 0);
	ck_assert_int_eq(tokens_issue(s, "bob", TOKEN_BOARD, now + 1000, token, NULL),
			 Q_OK);
	ck_assert_int_eq(tokens_issue(s, "Alice", TOKEN_ROOMS, now - 1, token, &id),
			 Q_OK);
	ck_assert_int_eq(token_id_of(span_str(token), &same), Q_OK);
	ck_assert_mem_eq(&id, &same, sizeof(id));
	/* One that cannot be read keeps nobody from the others. */
	spill("d/tokens/carol", span_str("damaged"));
	ck_assert_int_eq(tokens_each(s, TOKEN_ROOMS, note_owner, &o), Q_OK);
	ck_assert_uint_eq(o.n, 1);
	ck_assert_str_eq(o.user[0], "alice");
	ck_assert_mem_eq(&o.id[0], &id, sizeof(id));
	/* false stops. */
	ck_assert_int_eq(tokens_issue(s, "dora", TOKEN_ROOMS, now, token, NULL), Q_OK);
	o = (struct owned){.n = 0, .max = 1};
	ck_assert_int_eq(tokens_each(s, TOKEN_ROOMS, note_owner, &o), Q_OK);
	ck_assert_uint_eq(o.n, 1);
}
END_TEST

START_TEST(test_token_old)
{
	int64_t now = clock_wall_ms(), month = INT64_C(31) * 86400000;
	char old[TOKEN_SIZE], older[TOKEN_SIZE];

	tokens_issue(s, "bob", TOKEN_ROOMS, now - month, older, NULL);
	tokens_issue(s, "bob", TOKEN_ROOMS, now - 1000, old, NULL);
	ck_assert_int_eq(check_token("bob", TOKEN_ROOMS, older, now), Q_MISSING);
	ck_assert_int_eq(check_token("bob", TOKEN_ROOMS, old, now), Q_TIMEOUT);
}
END_TEST

START_TEST(test_token_files)
{
	int64_t now = clock_wall_ms();
	char token[TOKEN_SIZE], none[TOKEN_SIZE] = "";
	struct buf file;
	enum qerr e;

	ck_assert_int_eq(tokens_issue(s, "bob", TOKEN_ROOMS, now + 1000, token, NULL),
			 Q_OK);
	limit_files(50);
	e = tokens_issue(s, "bob", TOKEN_ROOMS, now + 1000, none, NULL);
	limit_files(RLIM_INFINITY);
	ck_assert_int_eq(e, Q_FULL);
	ck_assert_str_eq(none, "");
	ck_assert_int_eq(check_token("bob", TOKEN_ROOMS, token, now), Q_OK);
	file = slurp("d/tokens/bob");
	for (size_t n = 0; n < file.len; n++) {
		spill("d/tokens/bob", span_of(file.p, n));
		told[0] = '\0';
		ck_assert_int_eq(check_token("bob", TOKEN_ROOMS, token, now), Q_MISSING);
		ck_assert_ptr_nonnull(strstr(told, "damaged"));
		ck_assert(!exists("d/tokens/bob"));
	}
	file.p[30] ^= 1;
	spill("d/tokens/bob", buf_span(&file));
	ck_assert_int_eq(tokens_issue(s, "bob", TOKEN_ROOMS, now + 1000, token, NULL),
			 Q_OK);
	ck_assert_int_eq(check_token("bob", TOKEN_ROOMS, token, now), Q_OK);
	buf_free(&file);
}
END_TEST

struct issuer {
	const char *user;
	enum qerr issued, checked;
};

/* No ck_assert outside the test's own thread. */
static void *
issue_many(void *arg)
{
	char token[TOKEN_SIZE];
	struct issuer *o = arg;

	/* Two threads have one user: no token is to go because there are too many. */
	for (int i = 0; i < TOKENS_A_USER / 2 && o->checked == Q_OK; i++) {
		o->issued = tokens_issue(s, o->user, TOKEN_ROOMS, INT64_MAX, token, NULL);
		if (o->issued != Q_OK)
			break;
		o->checked = check_token(o->user, TOKEN_ROOMS, token, 0);
	}
	return NULL;
}

START_TEST(test_tokens_at_once)
{
	struct issuer o[] = {{"alice", Q_OK, Q_OK},
			     {"ALICE", Q_OK, Q_OK},
			     {"bob", Q_OK, Q_OK},
			     {"carol", Q_OK, Q_OK}};
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, issue_many, &o[i]), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(o[i].issued, Q_OK);
		ck_assert_int_eq(o[i].checked, Q_OK);
	}
	ck_assert_str_eq(told, "");
}
END_TEST

/* ---- chat keys ---- */

#define PEM "-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n"

START_TEST(test_chatkeys)
{
	char id[CHATKEY_ID_SIZE], dropped[CHATKEY_ID_SIZE] = "?", pem[200];
	struct chatkeys keys;

	ck_assert_int_eq(chatkeys_load(s, "alice", &keys), Q_OK);
	ck_assert_uint_eq(keys.n, 0);
	for (int i = 0; i < 9; i++) {
		snprintf(id, sizeof(id), "%016x", i);
		snprintf(pem, sizeof(pem), "key: %d\n" PEM, i);
		ck_assert_int_eq(chatkeys_add(s, "Alice", id, span_str(pem), dropped),
				 Q_OK);
		ck_assert_str_eq(dropped, i < 8 ? "" : "0000000000000000");
		ck_assert_int_eq(chatkeys_add(s, "alice", id, span_str(PEM), dropped),
				 Q_EXISTS);
	}
	reopen();
	ck_assert_int_eq(chatkeys_load(s, "ALICE", &keys), Q_OK);
	ck_assert_uint_eq(keys.n, 8);
	ck_assert_str_eq(keys.key[7].pem, pem);
	ck_assert_str_eq(keys.key[7].id, id);
	ck_assert_str_eq(keys.key[0].id, "0000000000000001");
	ck_assert_int_eq(chatkeys_remove(s, "alice"), Q_OK);
	ck_assert_int_eq(chatkeys_remove(s, "alice"), Q_OK);
	ck_assert_int_eq(chatkeys_load(s, "alice", &keys), Q_OK);
	ck_assert_uint_eq(keys.n, 0);
}
END_TEST

START_TEST(test_chatkeys_refused)
{
	char big[CHATKEY_PEM_MAX + 2];
	struct chatkeys keys;
	struct buf file;
	enum qerr e;

	memset(big, 'x', sizeof(big));
	big[sizeof(big) - 1] = '\n';
	ck_assert_int_eq(
	    chatkeys_add(s, "a", "0123456789abcdef", span_of(big, sizeof(big)), NULL),
	    Q_LIMIT);
	ck_assert_int_eq(chatkeys_add(s, "a", "0123456789ABCDEF", span_str(PEM), NULL),
			 Q_FORMAT);
	ck_assert_int_eq(chatkeys_add(s, "a", "0123456789abcde", span_str(PEM), NULL),
			 Q_FORMAT);
	ck_assert_int_eq(chatkeys_add(s, "a", "0123456789abcdef", span_str("x"), NULL),
			 Q_FORMAT);
	ck_assert_int_eq(
	    chatkeys_add(s, "a", "0123456789abcdef", span_str("\033\n"), NULL), Q_FORMAT);
	ck_assert_int_eq(chatkeys_add(s, "", "0123456789abcdef", span_str(PEM), NULL),
			 Q_FORMAT);
	ck_assert_int_eq(chatkeys_add(s, "a", "0123456789abcdef",
				      span_of(big + 2, sizeof(big) - 2), NULL),
			 Q_OK);
	limit_files(100);
	e = chatkeys_add(s, "a", "0123456789abcdee", span_str(PEM), NULL);
	limit_files(RLIM_INFINITY);
	ck_assert_int_eq(e, Q_FULL);
	file = slurp("d/chatkeys/a");
	for (size_t n = 0; n < file.len; n += 13) {
		spill("d/chatkeys/a", span_of(file.p, n));
		ck_assert_int_eq(chatkeys_load(s, "a", &keys), Q_OK);
		ck_assert_uint_eq(keys.n, 0);
		ck_assert(!exists("d/chatkeys/a"));
	}
	buf_free(&file);
}
END_TEST

/* ---- signing up ---- */

static enum qerr
sign_up(const char *name, const char *email, enum user_taken *taken)
{
	struct user u = {.uin = 0};

	strcpy(u.name, name);
	strcpy(u.email, email);
	return users_signup(s, &u, taken);
}

static const char *
by_email(const char *email)
{
	static char name[NAME_SIZE];

	return users_by_email(s, email, name) == Q_OK ? name : "none";
}

START_TEST(test_signup)
{
	enum user_taken taken = USER_TAKEN_NAME;
	struct user u = {.uin = 0};

	ck_assert_int_eq(sign_up("Alice", "Alice.Ünal@Example.org", &taken), Q_OK);
	for (int round = 0; round < 2; round++, reopen()) {
		ck_assert_int_eq(sign_up("bob", "alice.üNAL@example.ORG", &taken),
				 Q_EXISTS);
		ck_assert_int_eq(taken, USER_TAKEN_EMAIL);
		ck_assert_int_eq(sign_up("ALICE", "bob@example.org", &taken), Q_EXISTS);
		ck_assert_int_eq(taken, USER_TAKEN_NAME);
		ck_assert_str_eq(by_email("ALICE.ünal@example.org"), "Alice");
		ck_assert_str_eq(by_email("bob@example.org"), "none");
		ck_assert_int_eq(users_get(s, "bob", &u), Q_MISSING);
	}
	ck_assert_int_eq(count_names("d/emails", ""), 1);
	ck_assert_int_eq(count_names("d/uins", ""), 1);
	/* Others need not have one of their own. */
	strcpy(u.name, "carol");
	strcpy(u.email, "alice.ünal@example.org");
	u.uin = 0;
	ck_assert_int_eq(users_add(s, &u, span_of(NULL, 0), NULL), Q_OK);
	ck_assert_str_eq(by_email("alice.ünal@example.org"), "Alice");
	ck_assert_int_eq(users_remove(s, "carol"), Q_OK);
	ck_assert_str_eq(by_email("alice.ünal@example.org"), "Alice");
	ck_assert_int_eq(users_get(s, "alice", &u), Q_OK);
	strcpy(u.email, "new@example.org");
	ck_assert_int_eq(users_update(s, &u), Q_OK);
	ck_assert_str_eq(by_email("alice.ünal@example.org"), "none");
	ck_assert_str_eq(by_email("NEW@example.org"), "Alice");
	ck_assert_int_eq(users_remove(s, "alice"), Q_OK);
	ck_assert_str_eq(by_email("new@example.org"), "none");
	ck_assert_int_eq(count_names("d/emails", ""), 0);
	ck_assert_int_eq(sign_up("dave", "new@example.org", &taken), Q_OK);
}
END_TEST

/* Killed between the address and the user; and an address that is not UTF-8. */
START_TEST(test_signup_left)
{
	enum user_taken taken;
	char file[256];

	ck_assert_int_eq(sign_up("alice", "a@b", &taken), Q_OK);
	snprintf(file, sizeof(file), "%.200s", find_name("d/emails", ""));
	ck_assert_int_eq(users_remove(s, "alice"), Q_OK);
	spill(file, span_str("alice\n"));
	ck_assert_str_eq(by_email("A@B"), "none");
	ck_assert_int_eq(sign_up("bob", "A@b", &taken), Q_OK);
	ck_assert_str_eq(by_email("a@b"), "bob");
	spill(file, span_str("rubbish"));
	ck_assert_str_eq(by_email("a@b"), "none");
	ck_assert_int_ne(sign_up("carol", "\xff@b", &taken), Q_OK);
	ck_assert_str_eq(by_email("\xff@b"), "none");
	ck_assert_int_eq(count_names("d/users", ""), 1);
}
END_TEST

struct one_of {
	char name[32];
	const char *email;
	enum qerr e;
};

static void *
try_to_sign_up(void *arg)
{
	struct one_of *o = arg;
	enum user_taken taken;

	o->e = sign_up(o->name, o->email, &taken);
	return NULL;
}

START_TEST(test_signup_at_once)
{
	struct one_of o[6];
	pthread_t t[6];

	for (int round = 0; round < 10; round++) {
		char email[40];
		int made = 0;

		snprintf(email, sizeof(email), "x%d@y", round);
		for (int i = 0; i < 6; i++) {
			snprintf(o[i].name, sizeof(o[i].name), "u%d-%d", round, i);
			o[i].email = email;
			pthread_create(&t[i], NULL, try_to_sign_up, &o[i]);
		}
		for (int i = 0; i < 6; i++)
			pthread_join(t[i], NULL);
		for (int i = 0; i < 6; i++) {
			made += o[i].e == Q_OK;
			ck_assert(o[i].e == Q_OK || o[i].e == Q_EXISTS);
		}
		ck_assert_int_eq(made, 1);
	}
	ck_assert_int_eq(count_names("d/uins", ""), 10);
}
END_TEST

/* What a new password, and a removal, end. */
START_TEST(test_what_ends)
{
	int64_t now = clock_wall_ms();
	enum user_taken taken;
	char token[TOKEN_SIZE];
	struct chatkeys keys;
	struct user u;

	sign_up("alice", "a@b", &taken);
	tokens_issue(s, "alice", TOKEN_ROOMS, now + 1000, token, NULL);
	chatkeys_add(s, "alice", "0123456789abcdef", span_str(PEM), NULL);
	ck_assert_int_eq(users_get(s, "alice", &u), Q_OK);
	strcpy(u.fullname, "Alice Liddell");
	ck_assert_int_eq(users_update(s, &u), Q_OK);
	ck_assert_int_eq(check_token("alice", TOKEN_ROOMS, token, now), Q_OK);
	strcpy(u.password, "$y$another");
	ck_assert_int_eq(users_update(s, &u), Q_OK);
	ck_assert_int_eq(check_token("alice", TOKEN_ROOMS, token, now), Q_MISSING);
	ck_assert_int_eq(chatkeys_load(s, "alice", &keys), Q_OK);
	ck_assert_uint_eq(keys.n, 1);
	tokens_issue(s, "alice", TOKEN_BOARD, now + 1000, token, NULL);
	ck_assert_int_eq(users_remove(s, "alice"), Q_OK);
	ck_assert_int_eq(check_token("alice", TOKEN_BOARD, token, now), Q_MISSING);
	ck_assert_int_eq(chatkeys_load(s, "alice", &keys), Q_OK);
	ck_assert_uint_eq(keys.n, 0);
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("tokens");
	TCase *tc = tcase_create("tokens");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, test_token);
	tcase_add_test(tc, test_token_limit);
	tcase_add_test(tc, test_tokens_each);
	tcase_add_test(tc, test_token_old);
	tcase_add_test(tc, test_token_files);
	tcase_add_test(tc, test_tokens_at_once);
	tcase_add_test(tc, test_chatkeys);
	tcase_add_test(tc, test_chatkeys_refused);
	tcase_add_test(tc, test_signup);
	tcase_add_test(tc, test_signup_left);
	tcase_add_test(tc, test_signup_at_once);
	tcase_add_test(tc, test_what_ends);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return unit_main(make_suite());
}
