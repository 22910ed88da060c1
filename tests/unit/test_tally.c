/* SPDX-License-Identifier: MIT
 *
 * Tallies of shared chats: what was saved comes back, damage and strangers are seen, a
 * chat takes its tally with it.
 */
#include "tests/unit/unit.h"

#include <sys/resource.h>

#include "store/chats.h"
#include "store/check.h"
#include "store/tally.h"
#include "tests/unit/said.h"
#include "tests/unit/tempdir.h"

static struct store *s;
static struct chats *chats;

/* Chat 1 (alice, bob). */
static void
setup(void)
{
	struct store_options opt = STORE_OPTIONS_DEFAULT;
	struct chat_info info;
	struct why why;

	tempdir_make();
	opt.report = say;
	ck_assert_int_eq(store_open(at("d"), &opt, &s, &why), Q_OK);
	ck_assert_int_eq(chats_open(s, &chats), Q_OK);
	ck_assert_int_eq(chats_create(chats, "alice", "bob", 0, &info), Q_OK);
	ck_assert_uint_eq(info.id, 1);
	said[0] = '\0';
}

static void
teardown(void)
{
	chats_close(chats);
	store_close(s);
	tempdir_remove();
}

static const struct tally sample = {1024, {500, 524}, {510, 7}};

START_TEST(comes_back)
{
	const struct tally least = {0, {0, 0}, {0, 0}};
	const struct tally most = {
	    INT64_MAX, {INT64_MAX, INT64_MAX}, {INT64_MAX, INT64_MAX}};
	const struct tally *cases[] = {&sample, &least, &most};
	struct tally t;

	ck_assert_int_eq(tally_load(s, 1, &t), Q_MISSING);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(tally_save(s, 1, cases[i]), Q_OK);
		memset(&t, 0xaa, sizeof(t));
		ck_assert_int_eq(tally_load(s, 1, &t), Q_OK);
		ck_assert_mem_eq(&t, cases[i], sizeof(t));
	}
	ck_assert_int_eq(count_names("d/tallies", ""), 1);
	ck_assert_int_eq(tally_remove(s, 1), Q_OK);
	ck_assert_int_eq(tally_remove(s, 1), Q_OK);
	ck_assert_int_eq(tally_load(s, 1, &t), Q_MISSING);
	ck_assert_str_eq(said, "");
}
END_TEST

START_TEST(damaged_at_every_byte)
{
	struct tally t = {7, {7, 7}, {7, 7}};
	struct buf whole;

	ck_assert_int_eq(tally_save(s, 1, &sample), Q_OK);
	whole = slurp("d/tallies/1");
	for (size_t i = 0; i < whole.len; i++) {
		whole.p[i] ^= 1;
		spill("d/tallies/1", buf_span(&whole));
		whole.p[i] ^= 1;
		said[0] = '\0';
		ck_assert_int_eq(tally_load(s, 1, &t), Q_MISSING);
		ASSERT_SAID("tallies/1: damaged; moved to bad/");
		spill("d/tallies/1", span_of(whole.p, i));
		ck_assert_int_eq(tally_load(s, 1, &t), Q_MISSING);
		ck_assert(!exists("d/tallies/1"));
	}
	ck_assert_uint_eq(t.upto, 7);
	buf_free(&whole);
}
END_TEST

/* Nobody writes what contradicts itself: seen more than there is. */
START_TEST(contradictions)
{
	static const struct tally odd[] = {
	    {10, {11, 0}, {0, 0}},
	    {10, {0, 11}, {0, 0}},
	    {10, {4, 6}, {7, 0}},
	    {10, {4, 6}, {0, 5}},
	};
	struct tally t;

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		ck_assert_int_eq(tally_save(s, 1, &odd[i]), Q_OK);
		ck_assert_int_eq(tally_load(s, 1, &t), Q_MISSING);
	}
}
END_TEST

START_TEST(full_disk)
{
	struct tally t, more = sample;

	ck_assert_int_eq(tally_save(s, 1, &sample), Q_OK);
	limit_files(20);
	more.upto++;
	ck_assert_int_ne(tally_save(s, 1, &more), Q_OK);
	limit_files(RLIM_INFINITY);
	ck_assert_int_eq(tally_load(s, 1, &t), Q_OK);
	ck_assert_uint_eq(t.upto, sample.upto);
	ck_assert_int_eq(count_names("d/tallies", ""), 1);
}
END_TEST

START_TEST(goes_with_its_chat)
{
	ck_assert_int_eq(tally_save(s, 1, &sample), Q_OK);
	ck_assert_int_eq(chats_delete(chats, 1), Q_OK);
	ck_assert(!exists("d/tallies/1"));
}
END_TEST

START_TEST(check_finds_damage)
{
	struct check_result r;

	ck_assert_int_eq(tally_save(s, 1, &sample), Q_OK);
	ck_assert_int_eq(store_check(s, true, say, NULL, &r), Q_OK);
	ck_assert_msg(r.problems == 0, "%s", said);
	ck_assert_int_eq(tally_save(s, 2, &sample), Q_OK);
	spill("d/tallies/01", span_str(""));
	spill("d/tallies/3", span_str("x"));
	ck_assert_int_eq(store_check(s, false, say, NULL, &r), Q_OK);
	ck_assert_uint_eq(r.problems, 3);
	ASSERT_SAID("tallies/2: belongs to no chat");
	ASSERT_SAID("tallies/01: is not named as a chat's tally");
	ASSERT_SAID("tallies/3: damaged");
	ck_assert_int_eq(store_check(s, true, say, NULL, &r), Q_OK);
	ck_assert_uint_eq(r.repaired, 3);
	ck_assert_int_eq(count_names("d/tallies", ""), 1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("tally");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, comes_back);
	tcase_add_test(t, damaged_at_every_byte);
	tcase_add_test(t, contradictions);
	tcase_add_test(t, full_disk);
	tcase_add_test(t, goes_with_its_chat);
	tcase_add_test(t, check_finds_damage);
	suite_add_tcase(suite, t);
	return unit_main(suite);
}
