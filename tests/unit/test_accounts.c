/* SPDX-License-Identifier: MIT
 *
 * Users as logins see them: PEMs dropped in, replaced, removed; the cache and
 * when it must not be believed.
 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "server/accounts.h"
#include "server/log.h"
#include "tests/unit/pem.h"

static char dir[64];
static struct store *store;
static struct accounts *a;
static char name[NAME_SIZE];

static void
setup(void)
{
	struct store_options opt = STORE_OPTIONS_DEFAULT;

	/* In memory where that is possible: one test makes thousands of users. */
	snprintf(dir, sizeof(dir), "%s/quintet-accounts-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	log_open("", LOG_ERROR, 0, NULL);
	ck_assert_int_eq(store_open(dir, &opt, &store, NULL), Q_OK);
	ck_assert_int_eq(accounts_new(store, &a), Q_OK);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static void
teardown(void)
{
	accounts_free(a);
	store_close(store);
	log_close();
	nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Put a PEM where people put them, age_s seconds old. */
static void
drop(const char *file, struct span pem, int age_s)
{
	char path[128], beside[160];
	struct timespec when[2];
	int fd;

	snprintf(path, sizeof(path), "%s/pems/%s", dir, file);
	snprintf(beside, sizeof(beside), "%s.new", path);
	fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, pem.p, pem.len), (ssize_t)pem.len);
	clock_gettime(CLOCK_REALTIME, &when[0]);
	when[0].tv_sec -= age_s;
	when[1] = when[0];
	ck_assert_int_eq(futimens(fd, when), 0);
	close(fd);
	ck_assert_int_eq(rename(beside, path), 0);
}

static struct key *
key_of(const char *pem)
{
	struct key *k = NULL;

	ck_assert_int_eq(key_parse_public(pem_load(pem), &k), Q_OK);
	return k;
}

/* who has exactly that key. */
static void
assert_key(const char *who, const char *pem)
{
	struct key *expected = key_of(pem), *k = NULL;

	ck_assert_int_eq(accounts_key(a, who, name, &k), Q_OK);
	ck_assert(key_same(k, expected));
	key_free(k);
	key_free(expected);
}

START_TEST(dropped_in)
{
	struct key *k = NULL;
	struct user u, again;

	ck_assert_int_eq(accounts_key(a, "alice", name, &k), Q_MISSING);
	ck_assert_int_eq(accounts_get(a, "alice", &u), Q_MISSING);
	drop("Alice.pem", pem_load("ec-pub"), 100);
	assert_key("aLICE", "ec-pub");
	ck_assert_str_eq(name, "Alice");
	ck_assert_int_eq(accounts_get(a, "alice", &u), Q_OK);
	ck_assert_str_eq(u.name, "Alice");
	ck_assert_uint_ne(u.uin, 0);
	assert_key("alice", "ec-pub"); /* out of the cache */
	ck_assert_str_eq(name, "Alice");
	/* Another key: the same user. */
	drop("Alice.pem", pem_load("rsa2048-pub"), 50);
	assert_key("alice", "rsa2048-pub");
	ck_assert_int_eq(accounts_get(a, "alice", &again), Q_OK);
	ck_assert_uint_eq(again.uin, u.uin);
}
END_TEST

START_TEST(removed)
{
	struct key *k = NULL;
	char path[128];

	drop("alice.pem", pem_load("ec-pub"), 100);
	assert_key("alice", "ec-pub");
	assert_key("alice", "ec-pub");
	snprintf(path, sizeof(path), "%s/pems/alice.pem", dir);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(accounts_key(a, "alice", name, &k), Q_MISSING);
	drop("alice.pem", pem_load("ec-pub"), 100);
	assert_key("alice", "ec-pub");
	ck_assert_int_eq(users_remove(store, "alice"), Q_OK);
	ck_assert_int_eq(accounts_key(a, "alice", name, &k), Q_MISSING);
	ck_assert_ptr_null(k);
}
END_TEST

/* Change the file in place, to another key of the same length, and keep its
 * stamp: who looks at the stamp alone cannot tell. */
static void
change_unseen(const char *file, struct key **fresh)
{
	struct buf pem = BUF_INIT(KEY_PEM_MAX);
	struct timespec when[2];
	char path[128];
	struct stat st;
	int fd;

	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, fresh), Q_OK);
	ck_assert_int_eq(key_public_pem(*fresh, &pem), Q_OK);
	snprintf(path, sizeof(path), "%s/pems/%s", dir, file);
	fd = open(path, O_RDWR);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_uint_eq(pem.len, (size_t)st.st_size);
	when[0] = when[1] = st.st_mtim;
	ck_assert_int_eq(pwrite(fd, pem.p, pem.len, 0), (ssize_t)pem.len);
	ck_assert_int_eq(futimens(fd, when), 0);
	close(fd);
	buf_free(&pem);
}

/* A file that has not been touched for a while is read and parsed once. */
START_TEST(old_files_come_from_the_cache)
{
	struct key *fresh;

	drop("alice.pem", pem_load("ec-pub"), 100);
	assert_key("alice", "ec-pub");
	change_unseen("alice.pem", &fresh);
	assert_key("alice", "ec-pub");
	key_free(fresh);
}
END_TEST

/* One that was may change once more within a tick of the clock. */
START_TEST(young_files_do_not)
{
	struct key *fresh, *now = NULL;

	drop("alice.pem", pem_load("ec-pub"), 0);
	assert_key("alice", "ec-pub");
	change_unseen("alice.pem", &fresh);
	ck_assert_int_eq(accounts_key(a, "alice", name, &now), Q_OK);
	ck_assert(key_same(now, fresh));
	key_free(now);
	key_free(fresh);
}
END_TEST

static const char *const unusable[] = {"rsa1024-pub", "p384-pub",         "ed25519-pub",
				       "ec",          "ec-pub-off-curve", "ca"};

START_TEST(bad_key)
{
	struct key *k = NULL;
	struct user u;

	drop("alice.pem", pem_load(unusable[_i]), 100);
	ck_assert_int_eq(accounts_key(a, "alice", name, &k), Q_FORMAT);
	ck_assert_int_eq(accounts_get(a, "alice", &u), Q_MISSING);
	/* Mended, it works at once. */
	drop("alice.pem", pem_load("ec-pub"), 0);
	assert_key("alice", "ec-pub");
}
END_TEST

START_TEST(odd_names)
{
	static const char *const names[] = {
	    "",           ".",    "..",
	    "../alice",   "a/b",  "-a",
	    "alice.pem ", "a\nb", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	struct key *k = NULL;
	struct user u;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		ck_assert_int_eq(accounts_key(a, names[i], name, &k), Q_MISSING);
		ck_assert_int_eq(accounts_get(a, names[i], &u), Q_MISSING);
	}
}
END_TEST

START_TEST(adding)
{
	struct user u = {.name = "Bob"}, v = {.name = "bOB"}, w = {.name = "carol"};
	struct key *k = key_of("ec-pub"), *none = NULL;

	ck_assert_int_eq(accounts_add(a, &u, pem_load("ec-pub"), k), Q_OK);
	ck_assert_uint_ne(u.uin, 0);
	assert_key("bob", "ec-pub");
	ck_assert_str_eq(name, "Bob");
	ck_assert_int_eq(accounts_add(a, &v, pem_load("ec-pub"), k), Q_EXISTS);
	ck_assert_int_eq(accounts_add(a, &w, span_of(NULL, 0), NULL), Q_OK);
	ck_assert_int_eq(accounts_key(a, "carol", name, &none), Q_MISSING);
	ck_assert_int_eq(accounts_get(a, "CAROL", &v), Q_OK);
	ck_assert_uint_eq(v.uin, w.uin);
	/* Her key comes later, as a file. */
	drop("carol.pem", pem_load("rsa2048-pub"), 0);
	assert_key("carol", "rsa2048-pub");
	key_free(k);
}
END_TEST

START_TEST(damaged_record)
{
	char path[128];
	struct user u;
	int fd;

	drop("alice.pem", pem_load("ec-pub"), 100);
	assert_key("alice", "ec-pub");
	snprintf(path, sizeof(path), "%s/users/alice", dir);
	fd = open(path, O_WRONLY | O_TRUNC);
	ck_assert_int_eq(write(fd, "rubbish\n", 8), 8);
	close(fd);
	ck_assert_int_eq(accounts_get(a, "alice", &u), Q_OK); /* made anew from the key */
	ck_assert_str_eq(u.name, "alice");
	assert_key("alice", "ec-pub");
}
END_TEST

/* More users than the cache holds, twice: each gets the right answer. */
START_TEST(many)
{
	struct span pem = pem_load("ec-pub");
	char file[NAME_SIZE + 4], kept[4096], *dot;

	ck_assert_uint_le(pem.len, sizeof(kept));
	memcpy(kept, pem.p, pem.len);
	for (int i = 0; i < 8600; i++) {
		struct key *k = NULL;

		snprintf(file, sizeof(file), "u%d.pem", i % 4300);
		if (i < 4300)
			drop(file, span_of(kept, pem.len), 100);
		dot = strchr(file, '.');
		*dot = '\0';
		ck_assert_int_eq(accounts_key(a, file, name, &k), Q_OK);
		ck_assert_str_eq(name, file);
		key_free(k);
	}
}
END_TEST

static void *
login_often(void *arg)
{
	char got[NAME_SIZE];

	(void)arg;
	for (int i = 0; i < 300; i++) {
		struct key *k = NULL;
		enum qerr e = accounts_key(a, "alice", got, &k);

		ck_assert_msg(e == Q_OK, "%s", qerr_str(e));
		key_free(k);
	}
	return NULL;
}

START_TEST(threads)
{
	pthread_t t[4];

	drop("alice.pem", pem_load("ec-pub"), 100);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, login_often, NULL), 0);
	for (int i = 0; i < 20; i++)
		drop("alice.pem", pem_load(i % 2 == 0 ? "rsa2048-pub" : "ec-pub"),
		     100 + i);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	assert_key("alice", "ec-pub");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("accounts");
	TCase *c = tcase_create("accounts");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, dropped_in);
	tcase_add_test(c, removed);
	tcase_add_test(c, old_files_come_from_the_cache);
	tcase_add_test(c, young_files_do_not);
	tcase_add_loop_test(c, bad_key, 0, sizeof(unusable) / sizeof(unusable[0]));
	tcase_add_test(c, odd_names);
	tcase_add_test(c, adding);
	tcase_add_test(c, damaged_record);
	tcase_add_test(c, many);
	tcase_add_test(c, threads);
	suite_add_tcase(s, c);
	return unit_main(s);
}
