/* SPDX-License-Identifier: MIT
 *
 * The files of who is banned or muted: what is kept, when it ends, and that damage and a
 * full disk let nobody in.
 */
#include "tests/unit/unit.h"

#include <signal.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "store/check.h"
#include "store/restrictions.h"
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
setup(void)
{
	struct store_options opt = STORE_OPTIONS_DEFAULT;

	signal(SIGXFSZ, SIG_IGN);
	told[0] = '\0';
	tempdir_make();
	opt.report = report;
	ck_assert_int_eq(store_open(at("d"), &opt, &s, NULL), Q_OK);
}

static void
teardown(void)
{
	store_close(s);
	tempdir_remove();
}

static enum qerr
put(const char *user, enum restriction_kind kind, int64_t until_ms, const char *reason)
{
	struct restriction r = {
	    .set = true, .since_ms = 1763718000123, .until_ms = until_ms};

	strcpy(r.reason, reason);
	return restrictions_change(s, user, kind, &r);
}

static struct restrictions
get(const char *user)
{
	struct restrictions r;

	ck_assert_int_eq(restrictions_load(s, user, &r), Q_OK);
	return r;
}

START_TEST(both_kinds)
{
	int64_t later = clock_wall_ms() + 60000;
	struct restrictions r = get("bob");
	struct buf text;

	ck_assert(!r.of[RESTRICTION_BAN].set && !r.of[RESTRICTION_MUTE].set);
	ck_assert_int_eq(put("Bob", RESTRICTION_BAN, 0, "pushed\nthe plug"), Q_OK);
	text = slurp("d/restrictions/bob");
	ck_assert(span_eq(span_of(text.p, text.len - 16),
			  span_str("quintet-restrictions: 1\nban-since: 1763718000123\n"
				   "ban-reason: pushed\\nthe plug\n")));
	buf_free(&text);
	ck_assert_int_eq(put("bob", RESTRICTION_MUTE, later, ""), Q_OK);
	r = get("BOB");
	ck_assert(r.of[RESTRICTION_BAN].set && r.of[RESTRICTION_MUTE].set);
	ck_assert_int_eq(r.of[RESTRICTION_BAN].since_ms, 1763718000123);
	ck_assert_int_eq(r.of[RESTRICTION_BAN].until_ms, 0);
	ck_assert_str_eq(r.of[RESTRICTION_BAN].reason, "pushed\nthe plug");
	ck_assert_int_eq(r.of[RESTRICTION_MUTE].until_ms, later);
	ck_assert(restriction_holds(&r.of[RESTRICTION_MUTE], later - 1));
	ck_assert(!restriction_holds(&r.of[RESTRICTION_MUTE], later));
	ck_assert(restriction_holds(&r.of[RESTRICTION_BAN], INT64_MAX));
	/* One lifted leaves the other; none leaves no file. */
	ck_assert_int_eq(restrictions_change(s, "bob", RESTRICTION_BAN, NULL), Q_OK);
	r = get("bob");
	ck_assert(!r.of[RESTRICTION_BAN].set && r.of[RESTRICTION_MUTE].set);
	ck_assert_int_eq(restrictions_change(s, "bob", RESTRICTION_MUTE, NULL), Q_OK);
	ck_assert(!exists("d/restrictions/bob"));
	ck_assert_int_eq(restrictions_change(s, "bob", RESTRICTION_MUTE, NULL), Q_OK);
	ck_assert_int_eq(put("no name", RESTRICTION_BAN, 0, ""), Q_FORMAT);
}
END_TEST

/* What has lapsed is dropped by the next change. */
START_TEST(lapsed)
{
	struct restrictions r;

	ck_assert_int_eq(put("bob", RESTRICTION_MUTE, clock_wall_ms() + 60000, ""), Q_OK);
	ck_assert_int_eq(put("bob", RESTRICTION_MUTE, 1763718000124, "over"), Q_OK);
	ck_assert(!exists("d/restrictions/bob"));
	ck_assert_int_eq(put("bob", RESTRICTION_BAN, 0, ""), Q_OK);
	r = get("bob");
	ck_assert(r.of[RESTRICTION_BAN].set && !r.of[RESTRICTION_MUTE].set);
}
END_TEST

/* Any byte lost or changed is noticed, and nothing believed. */
START_TEST(damage)
{
	struct buf whole;
	struct restrictions r;

	ck_assert_int_eq(put("bob", RESTRICTION_BAN, INT64_MAX, "why"), Q_OK);
	whole = slurp("d/restrictions/bob");
	for (size_t n = 0; n < whole.len; n++) {
		spill("d/restrictions/bob", span_of(whole.p, n));
		ck_assert_int_eq(restrictions_load(s, "bob", &r), Q_FORMAT);
		spill("d/restrictions/bob", buf_span(&whole));
		whole.p[n] ^= 1;
		spill("d/restrictions/bob", buf_span(&whole));
		ck_assert_int_eq(restrictions_load(s, "bob", &r), Q_FORMAT);
		whole.p[n] ^= 1;
	}
	/* It stays where it is: a mute does not end the ban that it may be. */
	spill("d/restrictions/bob", span_of(whole.p, whole.len - 1));
	ck_assert_int_eq(put("bob", RESTRICTION_MUTE, 0, ""), Q_FORMAT);
	ck_assert_int_eq(restrictions_change(s, "bob", RESTRICTION_MUTE, NULL), Q_FORMAT);
	ck_assert(exists("d/restrictions/bob"));
	ck_assert_str_eq(told, "");
	ck_assert_int_eq(restrictions_change(s, "bob", RESTRICTION_BAN, NULL), Q_OK);
	ck_assert(!exists("d/restrictions/bob"));
	ck_assert_ptr_nonnull(strstr(told, "restrictions"));
	spill("d/restrictions/bob", span_of(whole.p, 7));
	ck_assert_int_eq(put("bob", RESTRICTION_BAN, 0, ""), Q_OK);
	ck_assert(get("bob").of[RESTRICTION_BAN].set);
	buf_free(&whole);
}
END_TEST

/* What is no file can be told from no ban as little; it gives way to a decision. */
START_TEST(no_file)
{
	struct restrictions r;

	ck_assert_int_eq(mkdir(at("d/restrictions/bob"), 0700), 0);
	ck_assert_int_ne(restrictions_load(s, "bob", &r), Q_OK);
	ck_assert_int_eq(put("bob", RESTRICTION_MUTE, 0, ""), Q_FORMAT);
	ck_assert_int_eq(restrictions_change(s, "bob", RESTRICTION_BAN, NULL), Q_OK);
	ck_assert(!exists("d/restrictions/bob"));
	ck_assert_ptr_nonnull(strstr(told, "restrictions/bob: unreadable; moved to"));
}
END_TEST

static void
say(void *arg, const char *sentence)
{
	(void)arg;
	report(NULL, sentence);
}

START_TEST(checked_and_removed)
{
	struct check_result result;
	struct user u = {.name = "bob"};

	ck_assert_int_eq(users_add(s, &u, span_of(NULL, 0), NULL), Q_OK);
	ck_assert_int_eq(put("bob", RESTRICTION_BAN, 0, ""), Q_OK);
	ck_assert_int_eq(store_check(s, false, say, NULL, &result), Q_OK);
	ck_assert_str_eq(told, "");
	spill("d/restrictions/bob", span_str("quintet-restrictions: 1\n"));
	spill("d/restrictions/Carol", span_str(""));
	ck_assert_int_eq(store_check(s, false, say, NULL, &result), Q_OK);
	ck_assert_uint_eq(result.problems, 2);
	ck_assert_ptr_nonnull(strstr(told, "restrictions/bob: damaged"));
	ck_assert(exists("d/restrictions/bob"));
	ck_assert_int_eq(users_remove(s, "BOB"), Q_OK);
	ck_assert(!exists("d/restrictions/bob"));
}
END_TEST

static bool
collect(void *arg, const char *user)
{
	strcat(arg, user);
	return true;
}

START_TEST(each)
{
	char all[256] = "";

	ck_assert_int_eq(put("Bob", RESTRICTION_BAN, 0, ""), Q_OK);
	spill("d/restrictions/Carol", span_str("")); /* not named as we name them */
	spill("d/restrictions/dave", span_str(""));  /* damaged: whoever asks finds out */
	ck_assert_int_eq(restrictions_each(s, collect, all), Q_OK);
	ck_assert(strcmp(all, "bobdave") == 0 || strcmp(all, "davebob") == 0);
}
END_TEST

START_TEST(full_disk)
{
	struct rlimit all, none;
	enum qerr e;

	ck_assert_int_eq(put("bob", RESTRICTION_BAN, 0, "first"), Q_OK);
	getrlimit(RLIMIT_FSIZE, &all);
	none = all;
	none.rlim_cur = 8;
	setrlimit(RLIMIT_FSIZE, &none);
	e = put("bob", RESTRICTION_BAN, 0, "second");
	setrlimit(RLIMIT_FSIZE, &all);
	ck_assert_int_ne(e, Q_OK);
	ck_assert_str_eq(get("bob").of[RESTRICTION_BAN].reason, "first");
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("restrictions");
	TCase *tc = tcase_create("restrictions");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, both_kinds);
	tcase_add_test(tc, lapsed);
	tcase_add_test(tc, damage);
	tcase_add_test(tc, no_file);
	tcase_add_test(tc, checked_and_removed);
	tcase_add_test(tc, each);
	tcase_add_test(tc, full_disk);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return unit_main(make_suite());
}
