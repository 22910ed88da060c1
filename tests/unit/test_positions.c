/* SPDX-License-Identifier: MIT
 *
 * Positions: forwards only, whoever saves when; damage costs nothing but repetition.
 */
#include "tests/unit/unit.h"

#include <inttypes.h>
#include <pthread.h>
#include <sys/resource.h>

#include "store/check.h"
#include "store/positions.h"
#include "tests/unit/said.h"
#include "tests/unit/tempdir.h"

#define FILE_OF_ALICE "d/queue/alice"

static struct store *s;

static void
open_store(void)
{
	struct store_options opt = STORE_OPTIONS_DEFAULT;
	struct why why;

	opt.report = say;
	ck_assert_int_eq(store_open(at("d"), &opt, &s, &why), Q_OK);
}

static void
setup(void)
{
	tempdir_make();
	open_store();
	said[0] = '\0';
}

static void
teardown(void)
{
	store_close(s);
	tempdir_remove();
}

static enum qerr
save(uint64_t chat, uint64_t id)
{
	struct position p = {chat, id};

	return positions_save(s, "Alice", &p, 1);
}

/* "CHAT:ID CHAT:ID ..." */
static const char *
loaded(const char *user)
{
	static char text[256];
	struct position *p;
	size_t n;

	ck_assert_int_eq(positions_load(s, user, &p, &n), Q_OK);
	ck_assert((n == 0) == (p == NULL));
	text[0] = '\0';
	for (size_t i = 0; i < n; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 "%s%" PRIu64 ":%" PRIu64, i == 0 ? "" : " ", p[i].chat, p[i].id);
	free(p);
	return text;
}

START_TEST(forwards_only)
{
	const struct position some[] = {{9, 90}, {3, 30}, {9, 91}, {4, 0}, {9, 17}};

	ck_assert_str_eq(loaded("alice"), "");
	ck_assert_int_eq(positions_save(s, "alice", some, 5), Q_OK);
	ck_assert_str_eq(loaded("ALICE"), "3:30 9:91");
	ck_assert_int_eq(save(5, 50), Q_OK);
	ck_assert_int_eq(save(3, 29), Q_OK); /* never back */
	ck_assert_int_eq(save(9, 100), Q_OK);
	ck_assert_str_eq(loaded("alice"), "3:30 5:50 9:100");
	ck_assert_str_eq(loaded("bob"), "");
	ck_assert_int_eq(positions_save(s, "alice", NULL, 0), Q_OK);
	store_close(s);
	open_store();
	ck_assert_str_eq(loaded("alice"), "3:30 5:50 9:100");
	ck_assert_int_eq(count_names("d/queue", ""), 1);
}
END_TEST

/* "CHAT:FROM-TO CHAT:FROM-TO ..." */
static const char *
all_had(const char *user)
{
	static char text[4096];
	struct had *h;
	size_t n;

	ck_assert_int_eq(positions_load_had(s, user, &h, &n), Q_OK);
	ck_assert((n == 0) == (h == NULL));
	text[0] = '\0';
	for (size_t i = 0; i < n; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 "%s%" PRIu64 ":%" PRIu64 "-%" PRIu64, i == 0 ? "" : " ",
			 h[i].chat, h[i].from, h[i].to);
	free(h);
	return text;
}

static void
had(uint64_t chat, uint64_t from, uint64_t to)
{
	struct had h = {chat, from, to};

	ck_assert_int_eq(positions_add(s, "Alice", &h, 1), Q_OK);
}

/* What was had out of turn stays apart until what lies between was had, too. */
START_TEST(stretches)
{
	static const struct {
		uint64_t from, to;
		const char *then;
	} steps[] = {
	    {50, 60, "7:50-60"},
	    {70, 70, "7:50-60 7:70-70"},
	    {55, 58, "7:50-60 7:70-70"}, /* nothing new */
	    {61, 62, "7:50-62 7:70-70"}, /* touches */
	    {40, 49, "7:40-62 7:70-70"},
	    {64, 68, "7:40-62 7:64-68 7:70-70"},
	    {63, 63, "7:40-68 7:70-70"}, /* joins two */
	    {3, 2, "7:40-68 7:70-70"},   /* none at all */
	    {2, 2, "7:2-2 7:40-68 7:70-70"},
	    {0, 0, "7:2-2 7:40-68 7:70-70"},
	    {1, 1, "7:1-2 7:40-68 7:70-70"}, /* now there is a position */
	    {30, 80, "7:1-2 7:30-80"},       /* covers both */
	    {1, 29, "7:1-80"},
	};

	had(3, 5, 6);
	had(9, 1, 4);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		char then[128];

		had(7, steps[i].from, steps[i].to);
		snprintf(then, sizeof(then), "3:5-6 %s 9:1-4", steps[i].then);
		ck_assert_str_eq(all_had("alice"), then);
	}
	ck_assert_str_eq(loaded("alice"), "7:80 9:4");
	store_close(s);
	open_store();
	ck_assert_str_eq(all_had("alice"), "3:5-6 7:1-80 9:1-4");
	/* A position that moves takes in what lies on its way. */
	had(9, 10, 12);
	had(9, 20, 22);
	ck_assert_int_eq(save(9, 11), Q_OK);
	ck_assert_str_eq(all_had("alice"), "3:5-6 7:1-80 9:1-12 9:20-22");
	ck_assert_int_eq(positions_drop(s, "alice", 9), Q_OK);
	ck_assert_str_eq(all_had("alice"), "3:5-6 7:1-80");
}
END_TEST

START_TEST(stretches_are_bounded)
{
	struct had *h;
	size_t n;

	had(1, 1, 1);
	had(2, 3, 3);
	for (uint64_t i = 2; i <= 100; i++)
		had(1, 10 * i, 10 * i);
	ck_assert_int_eq(positions_load_had(s, "alice", &h, &n), Q_OK);
	ck_assert_uint_eq(n, 64 + 1);
	ck_assert_uint_eq(h[0].to, 1); /* the position stays */
	ck_assert_uint_eq(h[1].from, 10 * (100 - 62));
	ck_assert_uint_eq(h[63].from, 1000);
	ck_assert_uint_eq(h[64].chat, 2);
	free(h);
}
END_TEST

/* A log that has lost its end takes what was had of it along. */
START_TEST(cut_back)
{
	const struct had some[] = {
	    {1, 1, 90}, {2, 1, 10}, {2, 20, 30}, {2, 40, 50}, {3, 1, 90}};
	static const struct {
		uint64_t last;
		const char *left;
	} cuts[] = {
	    {51, "1:1-90 2:1-10 2:20-30 2:40-50 3:1-90"},
	    {50, "1:1-90 2:1-10 2:20-30 2:40-50 3:1-90"},
	    {49, "1:1-90 2:1-10 2:20-30 2:40-49 3:1-90"},
	    {40, "1:1-90 2:1-10 2:20-30 2:40-40 3:1-90"},
	    {39, "1:1-90 2:1-10 2:20-30 3:1-90"},
	    {20, "1:1-90 2:1-10 2:20-20 3:1-90"},
	    {15, "1:1-90 2:1-10 3:1-90"},
	    {1, "1:1-90 2:1-1 3:1-90"},
	    {0, "1:1-90 3:1-90"},
	};

	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		ck_assert_int_eq(positions_remove(s, "alice"), Q_OK);
		ck_assert_int_eq(positions_add(s, "alice", some, 5), Q_OK);
		ck_assert_int_eq(positions_cut(s, "Alice", 2, cuts[i].last), Q_OK);
		ck_assert_str_eq(all_had("alice"), cuts[i].left);
	}
	ck_assert_int_eq(positions_cut(s, "bob", 2, 1), Q_OK);
	ck_assert(!exists("d/queue/bob"));
}
END_TEST

START_TEST(dropping_and_removing)
{
	ck_assert_int_eq(positions_drop(s, "alice", 3), Q_OK);
	ck_assert_int_eq(positions_remove(s, "alice"), Q_OK);
	ck_assert(!exists(FILE_OF_ALICE));
	for (uint64_t chat = 1; chat <= 3; chat++)
		ck_assert_int_eq(save(chat, 10), Q_OK);
	ck_assert_int_eq(positions_drop(s, "alice", 2), Q_OK);
	ck_assert_int_eq(positions_drop(s, "alice", 4), Q_OK);
	ck_assert_str_eq(loaded("alice"), "1:10 3:10");
	ck_assert_int_eq(positions_drop(s, "alice", 3), Q_OK);
	ck_assert_int_eq(positions_drop(s, "alice", 1), Q_OK);
	ck_assert_str_eq(loaded("alice"), "");
	ck_assert_int_eq(save(1, 1), Q_OK); /* a new beginning */
	ck_assert_str_eq(loaded("alice"), "1:1");
	ck_assert_int_eq(positions_remove(s, "alice"), Q_OK);
	ck_assert(!exists(FILE_OF_ALICE));
}
END_TEST

START_TEST(only_names)
{
	static const char *const bad[] = {"", "..", "a/b", "\xc3\xa4", ".tmp-1"};
	struct position p = {1, 1}, *list;
	size_t n;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_int_eq(positions_load(s, bad[i], &list, &n), Q_FORMAT);
		ck_assert_int_eq(positions_save(s, bad[i], &p, 1), Q_FORMAT);
		ck_assert_int_eq(positions_drop(s, bad[i], 1), Q_FORMAT);
		ck_assert_int_eq(positions_remove(s, bad[i]), Q_FORMAT);
	}
	ck_assert_int_eq(count_names("d/queue", ""), 0);
}
END_TEST

/* What did not move is not written again. */
START_TEST(nothing_new_costs_no_write)
{
	struct stat before, after;

	ck_assert_int_eq(save(1, 10), Q_OK);
	ck_assert_int_eq(stat(at(FILE_OF_ALICE), &before), 0);
	ck_assert_int_eq(save(1, 10), Q_OK);
	ck_assert_int_eq(stat(at(FILE_OF_ALICE), &after), 0);
	ck_assert_uint_eq(before.st_ino, after.st_ino);
	ck_assert_int_eq(save(1, 11), Q_OK);
	ck_assert_int_eq(stat(at(FILE_OF_ALICE), &after), 0);
	ck_assert_uint_ne(before.st_ino, after.st_ino);
	ck_assert_uint_eq(after.st_mode & 07777, 0600);
}
END_TEST

/* ---- trouble ---- */

START_TEST(damaged_at_every_byte)
{
	struct buf whole;
	size_t cases = 0;

	ck_assert_int_eq(save(1, 10), Q_OK);
	ck_assert_int_eq(save(20, 200), Q_OK);
	had(20, 300, 301);
	had(21, 2, 2);
	whole = slurp(FILE_OF_ALICE);
	for (size_t i = 0; i < whole.len; i++, cases += 2) {
		whole.p[i] ^= 1;
		spill(FILE_OF_ALICE, buf_span(&whole));
		whole.p[i] ^= 1;
		said[0] = '\0';
		ck_assert_str_eq(loaded("alice"), "");
		ASSERT_SAID("queue/alice: damaged; moved to bad/");
		ck_assert(!exists(FILE_OF_ALICE));
		spill(FILE_OF_ALICE, span_of(whole.p, i));
		said[0] = '\0';
		ck_assert_int_eq(save(7, 70), Q_OK);
		ASSERT_SAID("queue/alice: damaged; moved to bad/");
		ck_assert_str_eq(loaded("alice"), "7:70");
	}
	ck_assert_int_eq(count_names("d/bad", "queue-alice"), (int)cases);
	buf_free(&whole);
}
END_TEST

/* With a right check, but not as it would be written. */
START_TEST(odd_lines)
{
	static const char *const odd[] = {
	    "quintet-positions: 1\n2 1\n1 1\ncheck: d51d216e\n",
	    "quintet-positions: 1\n0 1\ncheck: 1882ff54\n",
	    "quintet-positions: 1\n1\ncheck: aac8bde1\n",
	    "quintet-positions: 2\n1 1\ncheck: 26aaea9f\n",
	    "quintet-positions: 1\n1 0\ncheck: b925a970\n",
	    "quintet-positions: 1\n1 5 6-7\ncheck: 88275f52\n",
	    "quintet-positions: 1\n1 5 7-6\ncheck: 29800976\n",
	    "quintet-positions: 1\n1 5 8-9 10-11\ncheck: c7f4b3cf\n",
	    "quintet-positions: 1\n1 5 8-9 3-4\ncheck: 3303143d\n",
	    "quintet-positions: 1\n1 5 8-\ncheck: 7299a5ef\n",
	    "quintet-positions: 1\n1 5  8-9\ncheck: da87970d\n",
	    "quintet-positions: 1\n1 5 8-9 \ncheck: 6dff4e57\n",
	    "quintet-positions: 1\n1 0 1-2\ncheck: 384a021d\n",
	    "quintet-positions: 1\n1 5 08-9\ncheck: ba67008f\n",
	};

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		spill(FILE_OF_ALICE, span_str(odd[i]));
		said[0] = '\0';
		ck_assert_str_eq(loaded("alice"), "");
		ASSERT_SAID("queue/alice: damaged; moved to bad/");
	}
}
END_TEST

START_TEST(full_disk)
{
	ck_assert_int_eq(save(1, 10), Q_OK);
	limit_files(20);
	ck_assert_int_ne(save(1, 11), Q_OK);
	ck_assert_int_ne(positions_drop(s, "alice", 1), Q_OK);
	limit_files(RLIM_INFINITY);
	ck_assert_str_eq(loaded("alice"), "1:10");
	ck_assert_int_eq(count_names("d/queue", ""), 1);
	ck_assert_int_eq(save(1, 11), Q_OK);
	ck_assert_str_eq(loaded("alice"), "1:11");
}
END_TEST

START_TEST(check_finds_damage)
{
	struct check_result r;

	ck_assert_int_eq(save(1, 10), Q_OK);
	ck_assert_int_eq(store_check(s, true, say, NULL, &r), Q_OK);
	ck_assert_uint_eq(r.problems, 0);
	spill("d/queue/bob", span_str("1 10\n"));
	spill("d/queue/Carol", span_str(""));
	ck_assert_int_eq(store_check(s, false, say, NULL, &r), Q_OK);
	ck_assert_uint_eq(r.problems, 2);
	ASSERT_SAID("queue/bob: damaged");
	ASSERT_SAID("queue/Carol: is not named as a user's positions");
	ck_assert_int_eq(store_check(s, true, say, NULL, &r), Q_OK);
	ck_assert_uint_eq(r.repaired, 2);
	ck_assert_int_eq(count_names("d/queue", ""), 1);
}
END_TEST

/* ---- many at once ---- */

#define SAVERS 4

static void *
save_rising(void *arg)
{
	uint64_t mine = *(const uint64_t *)arg, had = 0;

	for (uint64_t i = 1; i <= 100; i++) {
		struct position p[] = {{mine, i}, {50, i * 3 + mine}}, *list;
		size_t n;

		ck_assert_int_eq(positions_save(s, "alice", p, 2), Q_OK);
		ck_assert_int_eq(positions_load(s, "alice", &list, &n), Q_OK);
		ck_assert_uint_ge(list[n - 1].id, had); /* chat 50, everybody's */
		had = list[n - 1].id;
		free(list);
	}
	return NULL;
}

START_TEST(many_savers)
{
	uint64_t chats[SAVERS];
	pthread_t t[SAVERS];

	for (uint64_t i = 0; i < SAVERS; i++) {
		chats[i] = i + 1;
		ck_assert_int_eq(pthread_create(&t[i], NULL, save_rising, &chats[i]), 0);
	}
	for (int i = 0; i < SAVERS; i++)
		pthread_join(t[i], NULL);
	ck_assert_str_eq(loaded("alice"), "1:100 2:100 3:100 4:100 50:304");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("positions");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, forwards_only);
	tcase_add_test(t, stretches);
	tcase_add_test(t, stretches_are_bounded);
	tcase_add_test(t, cut_back);
	tcase_add_test(t, dropping_and_removing);
	tcase_add_test(t, only_names);
	tcase_add_test(t, nothing_new_costs_no_write);
	tcase_add_test(t, damaged_at_every_byte);
	tcase_add_test(t, odd_lines);
	tcase_add_test(t, full_disk);
	tcase_add_test(t, check_finds_damage);
	tcase_add_test(t, many_savers);
	suite_add_tcase(suite, t);
	return unit_main(suite);
}
