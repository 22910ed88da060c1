/* SPDX-License-Identifier: MIT
 *
 * Users: the file's codec, UINs, dropped keys, races, kills and damage.
 */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "store/users.h"
#include "tests/unit/tempdir.h"

#define PEM "-----BEGIN PUBLIC KEY-----\nMFk=\n-----END PUBLIC KEY-----\n"

static struct store *s;
static _Atomic int reports;

static void
report(void *arg, const char *sentence)
{
	(void)arg;
	ck_assert_ptr_nonnull(sentence);
	reports++;
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
setup(void)
{
	tempdir_make();
	open_store();
	reports = 0;
}

static void
teardown(void)
{
	store_close(s);
	tempdir_remove();
}

static void
reopen(void)
{
	store_close(s);
	open_store();
}

static struct user
named(const char *name)
{
	struct user u = {.uin = 0};

	strcpy(u.name, name);
	return u;
}

/* A SHA-256 that begins with these UINs. */
static const uint8_t *
print_of(uint32_t first, uint32_t second)
{
	static uint8_t f[32];

	memset(f, 0, sizeof(f));
	le32_put(f, first);
	le32_put(f + 4, second);
	return f;
}

static enum qerr
add(const char *name, const char *pem, const uint8_t *fingerprint)
{
	struct user u = named(name);

	return users_add(s, &u, span_str(pem), fingerprint);
}

/* ---- the codec ---- */

static const char alice_text[] = "quintet-user: 1\nname: Alice\nuin: 2893471113\n"
				 "created: 1763718000123\n"
				 "fullname: A\\nB \\\\ \xc3\x84\ngender: f\ncheck: ";

static void
assert_user_file(struct span text, enum qerr want)
{
	struct user u;

	ck_assert_int_eq(user_decode(text, &u), want);
}

START_TEST(user_files_are_as_drawn)
{
	struct user u = named("Alice"), back;
	struct buf b = BUF_INIT(8192), again = BUF_INIT(8192);

	u.uin = 2893471113;
	u.created_ms = 1763718000123;
	strcpy(u.fullname, "A\nB \\ \xc3\x84");
	strcpy(u.gender, "f");
	ck_assert_int_eq(user_encode(&u, &b), Q_OK);
	ck_assert_uint_eq(b.len, sizeof(alice_text) - 1 + 9);
	ck_assert(span_eq(span_of(b.p, sizeof(alice_text) - 1), span_str(alice_text)));
	ck_assert_int_eq(user_decode(buf_span(&b), &back), Q_OK);
	ck_assert_str_eq(back.name, "Alice");
	ck_assert_uint_eq(back.uin, u.uin);
	ck_assert_int_eq(back.created_ms, u.created_ms);
	ck_assert_str_eq(back.fullname, u.fullname);
	ck_assert_str_eq(back.password, "");
	memset(u.password, '$', USER_PASSWORD_MAX);
	memset(u.email, '\x01', USER_EMAIL_MAX); /* four bytes each when written */
	memset(u.fullname, '\x02', USER_FULLNAME_MAX);
	strcpy(u.dob, "1999-12-31");
	ck_assert_int_eq(user_encode(&u, &again), Q_OK);
	ck_assert_int_eq(user_decode(buf_span(&again), &back), Q_OK);
	ck_assert_mem_eq(&back, &u, sizeof(u));
	for (size_t i = 0; i < b.len; i++) {
		assert_user_file(span_of(b.p, i), Q_FORMAT);
		b.p[i] ^= 1;
		assert_user_file(buf_span(&b), Q_FORMAT);
		b.p[i] ^= 1;
	}
	buf_free(&b);
	buf_free(&again);
}
END_TEST

START_TEST(users_that_cannot_be_written)
{
	struct user u = named("Alice"), x;
	struct buf b = BUF_INIT(8192), small = BUF_INIT(100);

	u.uin = 5;
	x = u, x.uin = 0;
	ck_assert_int_eq(user_encode(&x, &b), Q_FORMAT);
	x = u, x.created_ms = -1;
	ck_assert_int_eq(user_encode(&x, &b), Q_FORMAT);
	x = u, strcpy(x.name, "a/b");
	ck_assert_int_eq(user_encode(&x, &b), Q_FORMAT);
	x = u, strcpy(x.email, "\xff");
	ck_assert_int_eq(user_encode(&x, &b), Q_FORMAT);
	x = u, memset(x.dob, 'x', sizeof(x.dob)); /* no NUL */
	ck_assert_int_eq(user_encode(&x, &b), Q_FORMAT);
	x = u, memset(x.email, 'x', 200);
	ck_assert_int_eq(user_encode(&x, &small), Q_LIMIT);
	ck_assert_uint_eq(b.len + small.len, 0);
	buf_free(&b);
	buf_free(&small);
}
END_TEST

/* ---- adding ---- */

START_TEST(a_user_comes_and_goes)
{
	struct user u = named("Alice"), back;
	struct buf pem = BUF_INIT(1000);
	struct file_stamp stamp, again;
	char name[NAME_SIZE];

	strcpy(u.password, "$y$hash");
	ck_assert_int_eq(users_get(s, "alice", &back), Q_MISSING);
	ck_assert_int_eq(users_add(s, &u, span_str(PEM), print_of(77, 1)), Q_OK);
	ck_assert_uint_eq(u.uin, 77);
	ck_assert_int_gt(u.created_ms, 1763000000000);
	ck_assert_int_eq(users_get(s, "ALICE", &back), Q_OK);
	ck_assert_str_eq(back.name, "Alice");
	ck_assert_str_eq(back.password, "$y$hash");
	ck_assert_int_eq(users_by_uin(s, 77, name), Q_OK);
	ck_assert_str_eq(name, "Alice");
	ck_assert_int_eq(users_by_uin(s, 78, name), Q_MISSING);
	ck_assert_int_eq(users_find_pem(s, "aLice", &pem, &stamp, name), Q_OK);
	ck_assert(span_eq(buf_span(&pem), span_str(PEM)));
	ck_assert_str_eq(name, "alice");
	ck_assert_int_eq(users_stamp_pem(s, "aLice", &again), Q_OK);
	ck_assert_mem_eq(&stamp, &again, sizeof(stamp));
	ck_assert_int_eq(add("ALICE", PEM, NULL), Q_EXISTS);
	ck_assert_int_eq(users_remove(s, "aLICE"), Q_OK);
	ck_assert_int_eq(users_remove(s, "aLICE"), Q_MISSING);
	ck_assert_int_eq(count_names("d/users", "") + count_names("d/uins", "") +
			     count_names("d/pems", ""),
			 0);
	ck_assert_int_eq(users_find_pem(s, "alice", &pem, &stamp, NULL), Q_MISSING);
	ck_assert_int_eq(users_stamp_pem(s, "alice", &stamp), Q_MISSING);
	ck_assert_int_eq(reports, 0);
	buf_free(&pem);
}
END_TEST

START_TEST(names_that_are_none)
{
	struct user u = named("../x");
	struct buf pem = BUF_INIT(10);
	struct file_stamp stamp;

	ck_assert_int_eq(users_add(s, &u, span_str(PEM), NULL), Q_FORMAT);
	ck_assert_int_eq(users_get(s, "../x", &u), Q_MISSING);
	ck_assert_int_eq(users_remove(s, ""), Q_MISSING);
	ck_assert_int_eq(users_put_pem(s, "../x", span_str(PEM)), Q_MISSING);
	ck_assert_int_eq(users_find_pem(s, "a name longer than any name may ever be",
					&pem, &stamp, NULL),
			 Q_MISSING);
	ck_assert_int_eq(users_stamp_pem(s, "/", &stamp), Q_MISSING);
	ck_assert_int_eq(users_update(s, &u), Q_MISSING);
}
END_TEST

START_TEST(uins_from_the_key)
{
	struct user u;
	char name[NAME_SIZE];

	u = named("a");
	ck_assert_int_eq(users_add(s, &u, span_str(PEM), print_of(0, 5)), Q_OK);
	ck_assert_uint_eq(u.uin, 5); /* never 0 */
	u = named("b");
	ck_assert_int_eq(users_add(s, &u, span_str(PEM), print_of(5, 6)), Q_OK);
	ck_assert_uint_eq(u.uin, 6); /* 5 is taken */
	u = named("c");
	ck_assert_int_eq(users_add(s, &u, span_str(PEM), print_of(5, 6)), Q_OK);
	ck_assert_uint_ne(u.uin, 0);
	ck_assert_int_eq(users_by_uin(s, u.uin, name), Q_OK);
	ck_assert_str_eq(name, "c");
	u = named("d"); /* without a key */
	ck_assert_int_eq(users_add(s, &u, span_of(NULL, 0), NULL), Q_OK);
	ck_assert_uint_ne(u.uin, 0);
	ck_assert_int_eq(count_names("d/pems", "d.pem"), 0);
	/* The bytes on the wire are the first of the fingerprint. */
	u = named("e");
	ck_assert_int_eq(users_add(s, &u, span_str(PEM),
				   (const uint8_t *)"\x01\x02\x03\x04"
						    "5678"
						    "90123456789012345678901"
						    "2"),
			 Q_OK);
	ck_assert_uint_eq(u.uin, 0x04030201);
}
END_TEST

START_TEST(updates_keep_name_and_uin)
{
	struct user u = named("Alice"), back;

	ck_assert_int_eq(users_update(s, &u), Q_MISSING);
	ck_assert_int_eq(users_add(s, &u, span_of(NULL, 0), print_of(9, 0)), Q_OK);
	u = named("aLICE");
	u.uin = 1234;
	strcpy(u.email, "a@b.c");
	ck_assert_int_eq(users_update(s, &u), Q_OK);
	ck_assert_int_eq(users_get(s, "alice", &back), Q_OK);
	ck_assert_str_eq(back.name, "Alice");
	ck_assert_uint_eq(back.uin, 9);
	ck_assert_int_gt(back.created_ms, 0);
	ck_assert_str_eq(back.email, "a@b.c");
	strcpy(u.email, "\xff");
	ck_assert_int_eq(users_update(s, &u), Q_FORMAT);
}
END_TEST

static _Atomic int winners, losers;

static void *
racer(void *arg)
{
	const char *const *spelling = arg;

	for (int i = 0; i < 5; i++) {
		char name[NAME_SIZE];
		enum qerr e;

		snprintf(name, sizeof(name), "%s%d", *spelling, i);
		e = add(name, PEM, NULL);
		if (e == Q_OK)
			winners++;
		else if (e == Q_EXISTS)
			losers++;
	}
	return NULL;
}

START_TEST(one_of_many_gets_the_name)
{
	static const char *spellings[4] = {"alice", "ALICE", "Alice", "aliCE"};
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, racer, &spellings[i]), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	ck_assert_int_eq(winners, 5);
	ck_assert_int_eq(losers, 15);
	ck_assert_int_eq(count_names("d/uins", ""), 5);
}
END_TEST

START_TEST(nothing_is_left_when_the_disk_is_full)
{
	/* Room for the UIN; for that and the key; for neither. */
	static const rlim_t rooms[] = {0, 20, sizeof(PEM) - 1};
	struct user u = named("alice");

	memset(u.fullname, 'x', 200);
	for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
		limit_files(rooms[i]);
		ck_assert_int_eq(users_add(s, &u, span_str(PEM), print_of(9, 0)), Q_FULL);
		limit_files(RLIM_INFINITY);
		ck_assert_uint_eq(u.uin, 0);
		ck_assert_int_eq(count_names("d/users", "") + count_names("d/uins", "") +
				     count_names("d/pems", ""),
				 0);
	}
	ck_assert_int_eq(users_add(s, &u, span_str(PEM), print_of(9, 0)), Q_OK);
	limit_files(30);
	ck_assert_int_eq(users_update(s, &u), Q_FULL);
	ck_assert_int_eq(users_put_pem(s, "alice", span_str(PEM)), Q_FULL);
	limit_files(RLIM_INFINITY);
	ck_assert_int_eq(count_names("d/pems", ""), 1);
	ck_assert_int_eq(users_get(s, "alice", &u), Q_OK);
}
END_TEST

/* ---- kills ---- */

START_TEST(kill_while_adding)
{
	for (int round = 0; round < 15; round++) {
		int acknowledged[2], status, done = 0;
		char prefix[16], name[NAME_SIZE], c;
		struct user u;
		pid_t pid;

		snprintf(prefix, sizeof(prefix), "u%d-", round);
		ck_assert_int_eq(pipe(acknowledged), 0);
		store_close(s);
		if ((pid = fork()) == 0) {
			open_store();
			for (int i = 0;; i++) {
				snprintf(name, sizeof(name), "%s%d", prefix, i);
				if (add(name, PEM, NULL) != Q_OK ||
				    write(acknowledged[1], "x", 1) != 1)
					_exit(1);
			}
		}
		close(acknowledged[1]);
		ck_assert_int_eq(read(acknowledged[0], &c, 1), 1);
		usleep((useconds_t)(rand() % 4000));
		kill(pid, SIGKILL);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert(WIFSIGNALED(status));
		do
			done++;
		while (read(acknowledged[0], &c, 1) == 1);
		close(acknowledged[0]);
		open_store();
		ck_assert_int_eq(count_names("d/pems", ".new-"), 0);
		for (int i = 0; i <= done; i++) {
			struct buf pem = BUF_INIT(1000);
			struct file_stamp stamp;
			enum qerr user, key;

			snprintf(name, sizeof(name), "%s%d", prefix, i);
			user = users_get(s, name, &u);
			key = users_find_pem(s, name, &pem, &stamp, NULL);
			/* Whole or not at all; and all that were acknowledged. */
			ck_assert_int_eq(user, key);
			if (i < done)
				ck_assert_int_eq(user, Q_OK);
			else if (user == Q_MISSING)
				ck_assert_int_eq(add(name, PEM, NULL), Q_OK);
			buf_free(&pem);
		}
	}
}
END_TEST

/* The states that a kill can leave, one by one. */
START_TEST(interrupted_registrations)
{
	struct user u = named("carol"), v = named("dave");
	char name[NAME_SIZE];

	spill("d/uins/44", span_str("carol\n"));
	spill("d/pems/.new-carol.pem", span_str(PEM));
	ck_assert_int_eq(users_add(s, &v, span_of(NULL, 0), print_of(45, 0)), Q_OK);
	spill("d/pems/.new-dave.pem", span_str(PEM));
	reopen();
	/* carol had no user file: never was.  dave had: the key is shown. */
	ck_assert_int_eq(users_get(s, "carol", &u), Q_MISSING);
	ck_assert(!exists("d/pems/.new-carol.pem"));
	ck_assert_int_eq(count_names("d/bad", "carol"), 1);
	ck_assert(exists("d/pems/dave.pem"));
	ck_assert_int_eq(users_by_uin(s, 44, name), Q_MISSING);
	/* The number is free for anybody. */
	u = named("erin");
	ck_assert_int_eq(users_add(s, &u, span_str(PEM), print_of(44, 0)), Q_OK);
	ck_assert_uint_eq(u.uin, 44);
	ck_assert_int_eq(users_by_uin(s, 44, name), Q_OK);
	ck_assert_str_eq(name, "erin");
}
END_TEST

/* ---- damage ---- */

START_TEST(a_damaged_user_is_set_aside)
{
	struct user u = named("alice");
	uint32_t uin;

	ck_assert_int_eq(users_add(s, &u, span_str(PEM), print_of(50, 0)), Q_OK);
	uin = u.uin;
	spill("d/users/alice", span_str("quintet-user: 1\nname: ali"));
	ck_assert_int_eq(users_get(s, "alice", &u), Q_FORMAT);
	ck_assert_int_eq(reports, 1);
	ck_assert_int_eq(count_names("d/bad", "users-alice"), 1);
	ck_assert_int_eq(users_get(s, "alice", &u), Q_MISSING);
	/* The key is still there, and gives the same number. */
	u = named("alice");
	ck_assert_int_eq(users_adopt(s, &u, print_of(50, 0)), Q_OK);
	ck_assert_uint_eq(u.uin, uin);
	/* Another's file under this name is damage, too. */
	ck_assert_int_eq(rename(at("d/users/alice"), at("d/users/bob")), 0);
	ck_assert_int_eq(users_get(s, "bob", &u), Q_FORMAT);
	spill("d/users/eve", span_of(NULL, 0));
	ck_assert_int_eq(add("eve", PEM, NULL), Q_OK); /* makes room */
	ck_assert_int_eq(count_names("d/bad", "users-eve"), 1);
}
END_TEST

START_TEST(a_damaged_uin_is_written_anew)
{
	struct user u = named("alice");

	spill("d/uins/60", span_str("no new line"));
	spill("d/uins/61", span_str("../../etc\n"));
	ck_assert_int_eq(users_add(s, &u, span_of(NULL, 0), print_of(60, 0)), Q_OK);
	ck_assert_uint_eq(u.uin, 60);
	u = named("bob");
	ck_assert_int_eq(users_add(s, &u, span_of(NULL, 0), print_of(61, 0)), Q_OK);
	ck_assert_uint_eq(u.uin, 61);
}
END_TEST

/* ---- dropped keys ---- */

START_TEST(a_dropped_key_makes_a_user)
{
	struct user u = named("Bob");
	struct buf pem = BUF_INIT(1000);
	struct file_stamp stamp;
	char spelled[NAME_SIZE];

	ck_assert_int_eq(users_adopt(s, &u, print_of(1, 2)), Q_MISSING);
	ck_assert_int_eq(users_find_pem(s, "bob", &pem, &stamp, spelled), Q_MISSING);
	spill("d/pems/Bob.pem", span_str(PEM)); /* at once, without a restart */
	ck_assert_int_eq(users_find_pem(s, "bOB", &pem, &stamp, spelled), Q_OK);
	ck_assert_str_eq(spelled, "Bob");
	ck_assert_int_eq(users_stamp_pem(s, "bob", &stamp), Q_OK);
	ck_assert_int_eq(users_get(s, "bob", &u), Q_MISSING);
	ck_assert_int_eq(add("bob", PEM, NULL), Q_EXISTS);
	u = named("Bob");
	ck_assert_int_eq(users_adopt(s, &u, print_of(70, 0)), Q_OK);
	ck_assert_uint_eq(u.uin, 70);
	ck_assert_int_eq(users_adopt(s, &u, print_of(70, 0)), Q_EXISTS);
	/* A new key takes the folded name, and the old spelling goes. */
	ck_assert_int_eq(users_put_pem(s, "bob", span_str("new")), Q_OK);
	ck_assert(!exists("d/pems/Bob.pem"));
	pem.len = 0;
	ck_assert_int_eq(users_find_pem(s, "Bob", &pem, &stamp, spelled), Q_OK);
	ck_assert_str_eq(spelled, "bob");
	ck_assert(span_eq(buf_span(&pem), span_str("new")));
	ck_assert_int_eq(users_get(s, "bob", &u), Q_OK);
	ck_assert_uint_eq(u.uin, 70);
	ck_assert_int_eq(users_put_pem(s, "nobody", span_str("new")), Q_MISSING);
	ck_assert_int_eq(users_put_pem(s, "bob", span_of(NULL, 0)), Q_FORMAT);
	buf_free(&pem);
}
END_TEST

START_TEST(several_spellings)
{
	struct buf pem = BUF_INIT(100);
	struct file_stamp stamp;
	char spelled[NAME_SIZE];

	spill("d/pems/eVE.pem", span_str("eVE"));
	spill("d/pems/EVE.pem", span_str("EVE"));
	spill("d/pems/Evelyn.pem", span_str("x"));
	ck_assert_int_eq(users_find_pem(s, "eve", &pem, &stamp, spelled), Q_OK);
	ck_assert_str_eq(spelled, "EVE"); /* the first in byte order */
	spill("d/pems/eve.pem", span_str("eve"));
	pem.len = 0;
	ck_assert_int_eq(users_find_pem(s, "EVE", &pem, &stamp, spelled), Q_OK);
	ck_assert_str_eq(spelled, "eve"); /* but the folded one before all */
	ck_assert_int_eq(users_remove(s, "eve"), Q_OK);
	ck_assert_int_eq(count_names("d/pems", ""), 1);
	buf_free(&pem);
}
END_TEST

START_TEST(the_index_follows_the_folder)
{
	struct file_stamp stamp;

	for (int i = 0; i < 50; i++) {
		ck_assert_int_eq(users_stamp_pem(s, "bob", &stamp), Q_MISSING);
		spill("d/pems/Bob.pem", span_str(PEM));
		ck_assert_int_eq(users_stamp_pem(s, "bob", &stamp), Q_OK);
		ck_assert_int_eq(unlink(at("d/pems/Bob.pem")), 0);
		if (i % 10 == 0) /* the index is trusted by then */
			usleep(50000);
	}
}
END_TEST

START_TEST(keys_that_are_too_large)
{
	static char big[16 * 1024 + 1];
	struct buf pem = BUF_INIT(1 << 20);
	struct file_stamp stamp;

	memset(big, 'x', sizeof(big));
	ck_assert_int_eq(users_put_pem(s, "bob", span_of(big, sizeof(big))), Q_LIMIT);
	spill("d/pems/bob.pem", span_of(big, sizeof(big)));
	ck_assert_int_eq(users_find_pem(s, "bob", &pem, &stamp, NULL), Q_LIMIT);
	spill("d/pems/bob.pem", span_of(big, sizeof(big) - 1));
	ck_assert_int_eq(users_find_pem(s, "bob", &pem, &stamp, NULL), Q_OK);
	ck_assert_uint_eq(pem.len, sizeof(big) - 1);
	buf_free(&pem);
}
END_TEST

/* ---- listing ---- */

struct list {
	char text[4000];
	int stop_after;
};

static bool
append_name(void *arg, const char *name)
{
	struct list *l = arg;

	strcat(l->text, name);
	strcat(l->text, " ");
	return --l->stop_after != 0;
}

START_TEST(each_user_once_in_order)
{
	struct list l = {"", 0};

	ck_assert_int_eq(users_each(s, append_name, &l), Q_OK);
	ck_assert_str_eq(l.text, "");
	ck_assert_int_eq(add("Dora", PEM, NULL), Q_OK);
	ck_assert_int_eq(add("alice", "", NULL), Q_OK);
	ck_assert_int_eq(add("Bert", PEM, NULL), Q_OK);
	spill("d/pems/CARL.pem", span_str(PEM));
	spill("d/pems/Carl.pem", span_str(PEM));
	spill("d/pems/no key", span_str(PEM));
	spill("d/pems/.new-x.pem", span_str(PEM));
	spill("d/users/Upper", span_str("x"));
	ck_assert_int_eq(users_each(s, append_name, &l), Q_OK);
	ck_assert_str_eq(l.text, "alice Bert CARL Dora ");
	l = (struct list){"", 2};
	ck_assert_int_eq(users_each(s, append_name, &l), Q_OK);
	ck_assert_str_eq(l.text, "alice Bert ");
	/* A damaged file: the key alone makes the user. */
	spill("d/users/bert", span_str("x"));
	spill("d/users/alice", span_str("x"));
	l = (struct list){"", 0};
	ck_assert_int_eq(users_each(s, append_name, &l), Q_OK);
	ck_assert_str_eq(l.text, "bert CARL Dora ");
	ck_assert_int_eq(reports, 2);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("users");
	TCase *t = tcase_create("users");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, user_files_are_as_drawn);
	tcase_add_test(t, users_that_cannot_be_written);
	tcase_add_test(t, a_user_comes_and_goes);
	tcase_add_test(t, names_that_are_none);
	tcase_add_test(t, uins_from_the_key);
	tcase_add_test(t, updates_keep_name_and_uin);
	tcase_add_test(t, one_of_many_gets_the_name);
	tcase_add_test(t, nothing_is_left_when_the_disk_is_full);
	tcase_add_test(t, kill_while_adding);
	tcase_add_test(t, interrupted_registrations);
	tcase_add_test(t, a_damaged_user_is_set_aside);
	tcase_add_test(t, a_damaged_uin_is_written_anew);
	tcase_add_test(t, a_dropped_key_makes_a_user);
	tcase_add_test(t, several_spellings);
	tcase_add_test(t, the_index_follows_the_folder);
	tcase_add_test(t, keys_that_are_too_large);
	tcase_add_test(t, each_user_once_in_order);
	suite_add_tcase(suite, t);
	return unit_main(suite);
}
