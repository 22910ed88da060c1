/* SPDX-License-Identifier: MIT
 *
 * Passwords of users, and the gate: how many hash at once, who waits, and in which
 * order they come in.
 */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "server/log.h"
#include "server/passwords.h"
#include "tests/unit/tempdir.h"

static struct store *store;
static struct accounts *accounts;
static struct passwords *p;

static void
setup(void)
{
	struct store_options opt = STORE_OPTIONS_DEFAULT;

	opt.durability = STORE_NEVER;
	tempdir_make();
	log_open("", LOG_ERROR, 0, NULL);
	ck_assert_int_eq(store_open(tempdir, &opt, &store, NULL), Q_OK);
	ck_assert_int_eq(accounts_new(store, &accounts), Q_OK);
	ck_assert_int_eq(passwords_open(store, accounts, &p), Q_OK);
}

static void
teardown(void)
{
	passwords_close(p);
	accounts_free(accounts);
	store_close(store);
	log_close();
	tempdir_remove();
}

static void
add(const char *name, const char *password)
{
	struct user u = {.uin = 0};

	ck_assert_int_eq(name_copy(span_str(name), u.name), Q_OK);
	if (password != NULL)
		ck_assert_int_eq(passwords_hash(p, span_str(password), u.password), Q_OK);
	ck_assert_int_eq(accounts_add(accounts, &u, (struct span){NULL, 0}, NULL), Q_OK);
}

static enum qerr
check(const char *name, const char *password)
{
	return passwords_check(p, name, span_str(password));
}

START_TEST(right_and_wrong)
{
	static const struct {
		const char *name, *password;
		enum qerr result;
	} cases[] = {
	    {"Alice", "correct horse", Q_OK},
	    {"aLICE", "correct horse", Q_OK},
	    {"alice", "correct horsf", Q_DENIED},
	    {"alice", "correct hors", Q_DENIED},
	    {"alice", "", Q_DENIED},
	    {"bob", "correct horse", Q_DENIED}, /* has none */
	    {"bob", "", Q_DENIED},
	    {"carol", "correct horse", Q_DENIED}, /* is not there */
	    {"../users/alice", "correct horse", Q_DENIED},
	    {"", "correct horse", Q_DENIED},
	};

	add("Alice", "correct horse");
	add("bob", NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(check(cases[i].name, cases[i].password) == cases[i].result,
			      "\"%s\" with \"%s\"", cases[i].name, cases[i].password);
	ck_assert_int_eq(passwords_check(p, "alice", span_of("correct horse\0", 14)),
			 Q_DENIED);
}
END_TEST

START_TEST(setting)
{
	struct user u;

	add("Alice", "the first one");
	ck_assert_int_eq(users_get(store, "alice", &u), Q_OK);
	strcpy(u.email, "alice@example.org");
	ck_assert_int_eq(users_update(store, &u), Q_OK);
	ck_assert_int_eq(passwords_set(p, "ALICE", span_str("the second one")), Q_OK);
	ck_assert_int_eq(check("alice", "the first one"), Q_DENIED);
	ck_assert_int_eq(check("alice", "the second one"), Q_OK);
	ck_assert_int_eq(users_get(store, "alice", &u), Q_OK);
	ck_assert_str_eq(u.email, "alice@example.org");
	ck_assert_int_eq(passwords_set(p, "alice", span_str("short")), Q_FORMAT);
	ck_assert_int_eq(check("alice", "the second one"), Q_OK);
	ck_assert_int_eq(passwords_set(p, "bob", span_str("long enough")), Q_MISSING);
}
END_TEST

/* The processor time that a call takes, in microseconds. */
static int64_t
cost(const char *name)
{
	struct timespec a, b;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	ck_assert_int_eq(check(name, "wrong password"), Q_DENIED);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	return (b.tv_sec - a.tv_sec) * 1000000 + (b.tv_nsec - a.tv_nsec) / 1000;
}

static bool
alike(int64_t a, int64_t b)
{
	return a < b * 2 && b < a * 2;
}

/* A stranger must not learn from the time who is there.  A hash is thousands of
 * microseconds; leaving it out would be seen at once, in the least of any number of
 * calls.  A processor that is shared may be slow for one of them and not for another:
 * then it takes more of them to see what each costs. */
START_TEST(nobody_costs_what_somebody_costs)
{
	static const char *const names[] = {"alice", "bob", "carol"};
	int64_t least[3] = {INT64_MAX, INT64_MAX, INT64_MAX};

	add("alice", "correct horse");
	add("bob", NULL);
	for (int i = 0; i < 200; i++) {
		for (int k = 0; k < 3; k++) {
			int64_t one = cost(names[k]);

			least[k] = one < least[k] ? one : least[k];
		}
		if (i >= 6 && alike(least[0], least[1]) && alike(least[0], least[2]))
			break;
	}
	ck_assert_int_gt(least[0], 500);
	ck_assert_msg(alike(least[0], least[1]) && alike(least[0], least[2]),
		      "%d, %d and %d us", (int)least[0], (int)least[1], (int)least[2]);
}
END_TEST

/* ---- many at once ---- */

#define CROWD 60

static atomic_int right;

static void *
one_of_many(void *arg)
{
	const char *password = arg;
	enum qerr e;

	while ((e = check("alice", password)) == Q_TIMEOUT)
		continue; /* a machine that is busy enough takes that long for sixty */
	if (e == (*password == 'c' ? Q_OK : Q_DENIED))
		atomic_fetch_add(&right, 1);
	return NULL;
}

static char yes[] = "correct horse", no[] = "wrong horse!!";

START_TEST(a_crowd_gets_its_answers)
{
	pthread_t t[CROWD];

	add("alice", yes);
	atomic_store(&right, 0);
	for (int i = 0; i < CROWD; i++)
		ck_assert_int_eq(
		    pthread_create(&t[i], NULL, one_of_many, i % 3 ? yes : no), 0);
	for (int i = 0; i < CROWD; i++)
		pthread_join(t[i], NULL);
	ck_assert_int_eq(atomic_load(&right), CROWD);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("passwords");
	TCase *c = tcase_create("passwords");

	tcase_set_timeout(c, 120);
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, right_and_wrong);
	tcase_add_test(c, setting);
	tcase_add_test(c, nobody_costs_what_somebody_costs);
	tcase_add_test(c, a_crowd_gets_its_answers);
	suite_add_tcase(s, c);
	return unit_main(s);
}
