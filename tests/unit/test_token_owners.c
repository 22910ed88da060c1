/* SPDX-License-Identifier: MIT
 *
 * Whose token it is, also while others are issued and the tree is emptied.
 */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "server/token_owners.h"
#include "tests/unit/tempdir.h"

static struct store *store;

static void
setup(void)
{
	struct store_options opt = STORE_OPTIONS_DEFAULT;
	struct why why;

	tempdir_make();
	ck_assert_int_eq(store_open(at("d"), &opt, &store, &why), Q_OK);
}

static void
teardown(void)
{
	token_owners_clear();
	store_close(store);
	tempdir_remove();
}

static void
issue(const char *user, enum token_kind kind, char token[TOKEN_SIZE], struct token_id *id)
{
	ck_assert_int_eq(
	    tokens_issue(store, user, kind, clock_wall_ms() + 3600000, token, id), Q_OK);
}

static void
assert_owner(const char *token, const char *user)
{
	char found[NAME_SIZE] = "?";

	ck_assert_int_eq(token_owners_find(store, span_str(token), found), Q_OK);
	ck_assert_str_eq(found, user);
}

static enum qerr
find(const char *token)
{
	char user[NAME_SIZE];

	return token_owners_find(store, span_str(token), user);
}

START_TEST(of_files_and_issued)
{
	char old[TOKEN_SIZE], board[TOKEN_SIZE], fresh[TOKEN_SIZE], unknown[TOKEN_SIZE];
	struct token_id id;

	issue("alice", TOKEN_ROOMS, old, &id);
	issue("bob", TOKEN_BOARD, board, &id);
	assert_owner(old, "alice");
	assert_owner(board, "bob");
	/* Now all that there are are known: what is issued has to be told. */
	issue("Carol", TOKEN_ROOMS, fresh, &id);
	ck_assert_int_eq(find(fresh), Q_MISSING);
	token_owners_add(&id, "Carol");
	token_owners_add(&id, "Carol");
	assert_owner(fresh, "Carol");
	memcpy(unknown, fresh, sizeof(unknown));
	unknown[0] = unknown[0] == 'a' ? 'b' : 'a';
	ck_assert_int_eq(find(unknown), Q_MISSING);
	ck_assert_int_eq(find("no token"), Q_MISSING);
	/* What is forgotten is read again. */
	token_owners_clear();
	assert_owner(fresh, "carol");
	assert_owner(old, "alice");
}
END_TEST

/* Each with a number for a hash. */
static void
add_many(uint64_t *next, size_t n)
{
	struct token_id id;

	memset(&id, 0, sizeof(id));
	while (n-- > 0) {
		*next += 1;
		memcpy(id.hash, next, sizeof(*next));
		token_owners_add(&id, "dave");
	}
}

START_TEST(more_than_enough)
{
	char token[TOKEN_SIZE];
	struct token_id id;
	uint64_t next = 0;

	issue("alice", TOKEN_ROOMS, token, &id);
	for (int i = 0; i < 5; i++) {
		assert_owner(token, "alice");
		add_many(&next, 20000);
	}
}
END_TEST

static atomic_bool over;

static void *
add_on(void *arg)
{
	uint64_t next = (uint64_t)(uintptr_t)arg << 32;

	while (!over)
		add_many(&next, 100);
	return NULL;
}

/* A token that is in a file is found, however many others are added and forgotten while
 * the files are read. */
START_TEST(read_while_others_are_issued)
{
	char token[TOKEN_SIZE], user[NAME_SIZE];
	struct token_id id;
	pthread_t thread[2];

	for (int i = 0; i < 40; i++) {
		snprintf(user, sizeof(user), "user%d", i);
		issue(user, TOKEN_ROOMS, token, &id);
	}
	over = false;
	for (uintptr_t i = 0; i < 2; i++)
		ck_assert_int_eq(
		    pthread_create(&thread[i], NULL, add_on, (void *)(i + 1)), 0);
	for (int i = 0; i < 300; i++) {
		enum qerr e;

		token_owners_clear();
		e = find(token);
		ck_assert_msg(e == Q_OK, "time %d: %s", i, qerr_str(e));
	}
	over = true;
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("token_owners");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, of_files_and_issued);
	tcase_add_test(t, more_than_enough);
	tcase_add_test(t, read_while_others_are_issued);
	suite_add_tcase(suite, t);
	return unit_main(suite);
}
