/* SPDX-License-Identifier: MIT
 *
 * Who wishes whom as a contact: each step from each state, the same after a restart
 * as before, races for one pair, damage, full disks.
 */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>

#include "store/check.h"
#include "store/relations.h"
#include "tests/unit/tempdir.h"

#define JOURNAL "d/contacts/contacts.log"

static struct store *s;
static struct relations *r;
static char told[4096];

static void
report(void *arg, const char *sentence)
{
	(void)arg;
	strncat(told, sentence, sizeof(told) - strlen(told) - 2);
	strcat(told, "\n");
}

static void
open_all(void)
{
	struct store_options opt = STORE_OPTIONS_DEFAULT;
	struct why why;

	opt.report = report;
	if (store_open(at("d"), &opt, &s, &why) != Q_OK)
		ck_abort_msg("%s", why.text);
	ck_assert_int_eq(relations_open(s, &r), Q_OK);
}

static void
close_all(void)
{
	relations_close(r);
	store_close(s);
}

static void
reopen(void)
{
	close_all();
	told[0] = '\0';
	open_all();
}

static void
setup(void)
{
	signal(SIGXFSZ, SIG_IGN);
	told[0] = '\0';
	tempdir_make();
	open_all();
}

static void
teardown(void)
{
	close_all();
	tempdir_remove();
}

static enum wish_result
wish(const char *from, const char *to)
{
	enum wish_result result;

	ck_assert_int_eq(relations_wish(r, from, to, &result), Q_OK);
	return result;
}

/* What user has with other; false: it is not in the list. */
static bool
info_of(const char *user, const char *other, struct relation_info *out)
{
	struct relation_info *list;
	bool found = false;
	size_t n;

	ck_assert_int_eq(relations_of(r, user, &list, &n), Q_OK);
	for (size_t i = 0; i < n; i++)
		if (name_cmp(list[i].name, other) == 0) {
			*out = list[i];
			found = true;
		}
	free(list);
	return found;
}

static size_t
count_of(const char *user)
{
	struct relation_info *list;
	size_t n;

	ck_assert_int_eq(relations_of(r, user, &list, &n), Q_OK);
	ck_assert((n == 0) == (list == NULL));
	free(list);
	return n;
}

static bool
has_news(const char *user, const char *other)
{
	struct relation_info info = {.news = false};

	return info_of(user, other, &info) && info.news;
}

static size_t
journal_size(void)
{
	struct stat st;

	return stat(at(JOURNAL), &st) == 0 ? (size_t)st.st_size : 0;
}

/* ---- one after another ---- */

START_TEST(two_become_contacts)
{
	struct relation_info mine, other;

	ck_assert_int_eq(relations_get(r, "Alice", "bob"), RELATION_NONE);
	ck_assert_int_eq(wish("Alice", "bob"), WISH_NEW);
	ck_assert_int_eq(relations_get(r, "ALICE", "Bob"), RELATION_WISHED);
	ck_assert_int_eq(relations_get(r, "bob", "alice"), RELATION_ASKED);
	ck_assert(info_of("alice", "bob", &mine) && info_of("bob", "alice", &other));
	ck_assert_int_eq(mine.relation, RELATION_WISHED);
	ck_assert_int_eq(other.relation, RELATION_ASKED);
	ck_assert_str_eq(other.name, "Alice");
	ck_assert_int_gt(mine.since_ms, 0);
	ck_assert_int_eq(mine.since_ms, other.since_ms);
	ck_assert(!mine.news && !other.news);
	usleep(3000);
	ck_assert_int_eq(wish("BOB", "aLICE"), WISH_CONFIRMED);
	ck_assert_int_eq(relations_get(r, "alice", "bob"), RELATION_CONTACT);
	ck_assert_int_eq(relations_get(r, "bob", "alice"), RELATION_CONTACT);
	ck_assert(info_of("alice", "bob", &other) && other.since_ms > mine.since_ms);
	ck_assert_str_eq(other.name, "bob"); /* as it was spelled first */
	ck_assert(has_news("alice", "bob")); /* who asked hears of the answer, once */
	ck_assert(!has_news("bob", "alice"));
	reopen();
	ck_assert(has_news("alice", "bob"));
	ck_assert_int_eq(relations_told(r, "ALICE", "BOB"), Q_OK);
	ck_assert(!has_news("alice", "bob"));
	reopen();
	ck_assert(!has_news("alice", "bob"));
	ck_assert_int_eq(relations_get(r, "alice", "bob"), RELATION_CONTACT);
	ck_assert_str_eq(told, "");
}
END_TEST

START_TEST(nothing_new)
{
	size_t size;

	wish("alice", "bob");
	size = journal_size();
	ck_assert_int_eq(wish("alice", "bob"), WISH_OLD);
	ck_assert_int_eq(relations_told(r, "alice", "bob"), Q_OK);
	ck_assert_int_eq(relations_told(r, "bob", "alice"), Q_OK);
	ck_assert_int_eq(relations_told(r, "alice", "nobody"), Q_OK);
	ck_assert_int_eq(relations_remove(r, "bob", "alice"), Q_MISSING);
	ck_assert_int_eq(relations_remove(r, "alice", "carol"), Q_MISSING);
	ck_assert_int_eq(relations_forget(r, "nobody"), Q_OK);
	ck_assert_uint_eq(journal_size(), size);
	wish("bob", "alice");
	ck_assert_int_eq(relations_told(r, "alice", "bob"), Q_OK);
	size = journal_size();
	ck_assert_int_eq(wish("alice", "bob"), WISH_OLD);
	ck_assert_int_eq(wish("bob", "alice"), WISH_OLD);
	ck_assert_int_eq(relations_told(r, "alice", "bob"), Q_OK);
	ck_assert_uint_eq(journal_size(), size);
	ck_assert_uint_eq(count_of("carol"), 0);
}
END_TEST

START_TEST(removing)
{
	/* A wish is taken back by who had it. */
	wish("alice", "bob");
	ck_assert_int_eq(relations_remove(r, "ALICE", "Bob"), Q_OK);
	ck_assert_int_eq(relations_get(r, "bob", "alice"), RELATION_NONE);
	ck_assert_uint_eq(count_of("alice") + count_of("bob"), 0);
	ck_assert_int_eq(relations_remove(r, "alice", "bob"), Q_MISSING);
	/* A contact ends for both, whoever ends it, news and all. */
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(wish("alice", "bob"), WISH_NEW);
		ck_assert_int_eq(wish("bob", "alice"), WISH_CONFIRMED);
		ck_assert_int_eq(relations_remove(r, i == 0 ? "alice" : "bob",
						  i == 0 ? "bob" : "alice"),
				 Q_OK);
		ck_assert_int_eq(relations_get(r, "alice", "bob"), RELATION_NONE);
		ck_assert_uint_eq(count_of("alice") + count_of("bob"), 0);
		reopen();
		ck_assert_uint_eq(count_of("alice") + count_of("bob"), 0);
	}
	/* Both have to ask again. */
	ck_assert_int_eq(wish("bob", "alice"), WISH_NEW);
	ck_assert_int_eq(relations_get(r, "alice", "bob"), RELATION_ASKED);
	ck_assert_int_eq(wish("alice", "bob"), WISH_CONFIRMED);
	ck_assert(has_news("bob", "alice") && !has_news("alice", "bob"));
}
END_TEST

START_TEST(lists_are_in_order)
{
	static const char *const others[] = {"zoe", "Carl", "bob", "Dora", "anton"};
	static const char *const sorted[] = {"anton", "bob", "Carl", "Dora", "zoe"};
	struct relation_info *list;
	size_t n;

	for (int i = 0; i < 5; i++)
		wish(i % 2 == 0 ? "me" : others[i], i % 2 == 0 ? others[i] : "me");
	ck_assert_int_eq(relations_of(r, "ME", &list, &n), Q_OK);
	ck_assert_uint_eq(n, 5);
	for (int i = 0; i < 5; i++)
		ck_assert_str_eq(list[i].name, sorted[i]);
	free(list);
}
END_TEST

START_TEST(names_that_are_none)
{
	static const char *const pairs[][2] = {
	    {"alice", "Alice"}, {"", "bob"},
	    {"alice", ""},      {"a b", "bob"},
	    {"bob", "-x"},      {"alice", "123456789012345678901234567890123"}};
	enum wish_result result;

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		const char *a = pairs[i][0], *b = pairs[i][1];

		ck_assert_int_eq(relations_wish(r, a, b, &result), Q_FORMAT);
		ck_assert_int_eq(relations_get(r, a, b), RELATION_NONE);
		ck_assert_int_eq(relations_remove(r, a, b), Q_MISSING);
		ck_assert_int_eq(relations_told(r, a, b), Q_OK);
		ck_assert_int_eq(relations_forget(r, b), Q_OK);
		ck_assert_uint_eq(count_of(b), 0);
	}
	ck_assert(!exists(JOURNAL));
	relations_close(NULL);
}
END_TEST

START_TEST(forgetting)
{
	wish("alice", "bob");
	wish("bob", "alice");
	wish("carol", "alice");
	wish("alice", "dora");
	wish("bob", "carol");
	ck_assert_int_eq(relations_forget(r, "ALICE"), Q_OK);
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(count_of("alice"), 0);
		ck_assert_uint_eq(count_of("dora"), 0);
		ck_assert_int_eq(relations_get(r, "carol", "alice"), RELATION_NONE);
		ck_assert_int_eq(relations_get(r, "bob", "carol"), RELATION_WISHED);
		reopen();
	}
	/* Whoever has the name next begins anew, with the spelling of then. */
	ck_assert_int_eq(wish("bob", "aliCE"), WISH_NEW);
	ck_assert_int_eq(relations_get(r, "alice", "bob"), RELATION_ASKED);
	reopen();
	struct relation_info info;

	ck_assert(info_of("bob", "alice", &info));
	ck_assert_str_eq(info.name, "aliCE");
}
END_TEST

/* ---- against a model ---- */

#define PEOPLE 5

static const char *const people[PEOPLE] = {"ann", "Ben", "cleo", "Dan.2", "eve-x"};
static struct {
	enum relation relation; /* of the first to the second */
	bool news;
} model[PEOPLE][PEOPLE];

static void
set_both(int a, int b, enum relation to_a, enum relation to_b)
{
	model[a][b].relation = to_a;
	model[b][a].relation = to_b;
	model[a][b].news = model[b][a].news = false;
}

static void
step_in_both(int a, int b, int what)
{
	enum relation now = model[a][b].relation;
	enum qerr e;

	switch (what) {
	case 0:
	case 1:
		if (now == RELATION_NONE) {
			ck_assert_int_eq(wish(people[a], people[b]), WISH_NEW);
			set_both(a, b, RELATION_WISHED, RELATION_ASKED);
		} else if (now == RELATION_ASKED) {
			ck_assert_int_eq(wish(people[a], people[b]), WISH_CONFIRMED);
			set_both(a, b, RELATION_CONTACT, RELATION_CONTACT);
			model[b][a].news = true;
		} else {
			ck_assert_int_eq(wish(people[a], people[b]), WISH_OLD);
		}
		break;
	case 2:
		e = relations_remove(r, people[a], people[b]);
		if (now == RELATION_WISHED || now == RELATION_CONTACT) {
			ck_assert_int_eq(e, Q_OK);
			set_both(a, b, RELATION_NONE, RELATION_NONE);
		} else {
			ck_assert_int_eq(e, Q_MISSING);
		}
		break;
	case 3:
		ck_assert_int_eq(relations_told(r, people[a], people[b]), Q_OK);
		model[a][b].news = false;
		break;
	default:
		if (random() % 8 != 0)
			break;
		ck_assert_int_eq(relations_forget(r, people[a]), Q_OK);
		for (int i = 0; i < PEOPLE; i++)
			if (i != a)
				set_both(a, i, RELATION_NONE, RELATION_NONE);
	}
}

static void
compare_with_model(void)
{
	for (int a = 0; a < PEOPLE; a++) {
		size_t expected = 0;

		for (int b = 0; b < PEOPLE; b++) {
			if (a == b)
				continue;
			expected += model[a][b].relation != RELATION_NONE;
			ck_assert_int_eq(relations_get(r, people[a], people[b]),
					 model[a][b].relation);
			ck_assert(has_news(people[a], people[b]) == model[a][b].news);
		}
		ck_assert_uint_eq(count_of(people[a]), expected);
	}
}

START_TEST(replay_gives_the_same)
{
	memset(model, 0, sizeof(model));
	srandom(1848);
	for (int step = 0; step < 20000; step++) {
		int a = (int)(random() % PEOPLE), b = (int)(random() % PEOPLE);

		if (a != b)
			step_in_both(a, b, (int)(random() % 5));
		if (step % 500 == 0) {
			struct relation_info before[PEOPLE], after;
			bool there[PEOPLE];

			compare_with_model();
			for (int i = 1; i < PEOPLE; i++)
				there[i] = info_of(people[0], people[i], &before[i]);
			reopen();
			ck_assert_str_eq(told, "");
			compare_with_model();
			for (int i = 1; i < PEOPLE; i++) {
				ck_assert(info_of(people[0], people[i], &after) ==
					  there[i]);
				ck_assert(!there[i] ||
					  before[i].since_ms == after.since_ms);
			}
		}
	}
}
END_TEST

/* ---- at the same time ---- */

#define ROUNDS 200

static _Atomic int results[3];

static void *
wish_all(void *arg)
{
	bool reverse = arg != NULL;
	char name[NAME_SIZE];

	for (int i = 0; i < ROUNDS; i++) {
		snprintf(name, sizeof(name), "user%d", i);
		results[wish(reverse ? name : "alice", reverse ? "alice" : name)]++;
	}
	return NULL;
}

START_TEST(exactly_one_confirms)
{
	pthread_t threads[4];

	store_set_durability(s, _i == 0 ? STORE_ALWAYS : STORE_INTERVAL, 1000);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, wish_all,
						i % 2 == 0 ? NULL : tempdir),
				 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	ck_assert_int_eq(results[WISH_NEW], ROUNDS);
	ck_assert_int_eq(results[WISH_CONFIRMED], ROUNDS);
	ck_assert_int_eq(results[WISH_OLD], 2 * ROUNDS);
	for (int i = 0; i < 2; i++) {
		struct relation_info *list;
		size_t n;

		ck_assert_int_eq(relations_of(r, "alice", &list, &n), Q_OK);
		ck_assert_uint_eq(n, ROUNDS);
		for (size_t k = 0; k < n; k++)
			ck_assert_int_eq(list[k].relation, RELATION_CONTACT);
		free(list);
		reopen();
	}
}
END_TEST

static void *
wish_and_remove(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;
	enum wish_result result;

	for (int i = 0; i < 2000; i++) {
		const char *a = people[rand_r(&seed) % PEOPLE];
		const char *b = people[rand_r(&seed) % PEOPLE];
		int what = (int)(rand_r(&seed) % 8);

		if (what < 4)
			(void)relations_wish(r, a, b, &result);
		else if (what < 6)
			(void)relations_remove(r, a, b);
		else if (what == 6)
			(void)relations_told(r, a, b);
		else if (rand_r(&seed) % 4 == 0)
			(void)relations_forget(r, a);
		(void)count_of(a);
	}
	return NULL;
}

/* The file tells the same as memory whatever the threads did in which order. */
START_TEST(file_and_memory_agree)
{
	pthread_t threads[4];

	for (uintptr_t i = 0; i < 4; i++)
		ck_assert_int_eq(
		    pthread_create(&threads[i], NULL, wish_and_remove, (void *)(i + 1)),
		    0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	for (int a = 0; a < PEOPLE; a++)
		for (int b = 0; b < PEOPLE; b++) {
			if (a == b)
				continue;
			model[a][b].relation = relations_get(r, people[a], people[b]);
			model[a][b].news = has_news(people[a], people[b]);
		}
	reopen();
	ck_assert_str_eq(told, "");
	compare_with_model();
}
END_TEST

/* ---- damage ---- */

static void
damage_line(int line)
{
	struct buf b = slurp(JOURNAL);
	size_t i = 0;

	while (line > 0)
		line -= b.p[i++] == '\n';
	b.p[i + 30] ^= 1;
	spill(JOURNAL, buf_span(&b));
	buf_free(&b);
}

/* wish, confirm, remove, wish: what is left when one of these lines is damaged. */
static const enum relation left[] = {RELATION_WISHED, RELATION_WISHED, RELATION_WISHED,
				     RELATION_NONE};

START_TEST(flipped_byte)
{
	wish("alice", "bob");
	wish("bob", "alice");
	ck_assert_int_eq(relations_remove(r, "bob", "alice"), Q_OK);
	wish("alice", "bob");
	damage_line(_i);
	reopen();
	ck_assert_msg(strstr(told, _i == 3
				       ? "contacts/contacts.log: a torn end"
				       : "contacts/contacts.log: 1 damaged line") != NULL,
		      "%s", told);
	ck_assert_int_eq(relations_get(r, "alice", "bob"), left[_i]);
	wish("alice", "bob");
	ck_assert_int_eq(wish("bob", "alice"), WISH_CONFIRMED);
}
END_TEST

START_TEST(torn_end)
{
	struct buf b;

	wish("alice", "bob");
	wish("bob", "alice");
	close_all();
	b = slurp(JOURNAL);
	b.len--;
	spill(JOURNAL, buf_span(&b));
	buf_free(&b);
	told[0] = '\0';
	open_all();
	ck_assert(strstr(told, "contacts/contacts.log: a torn end") != NULL);
	ck_assert_int_eq(relations_get(r, "alice", "bob"), RELATION_WISHED);
	ck_assert_int_eq(wish("bob", "alice"), WISH_CONFIRMED);
	reopen();
	ck_assert_str_eq(told, "");
	ck_assert_int_eq(relations_get(r, "alice", "bob"), RELATION_CONTACT);
}
END_TEST

static void
say_nothing(void *arg, const char *sentence)
{
	strcpy(arg, sentence);
}

START_TEST(check_repairs)
{
	struct check_result result;
	char last[600] = "";

	for (int i = 0; i < 20; i++) {
		char name[NAME_SIZE];

		snprintf(name, sizeof(name), "user%d", i);
		wish("alice", name);
	}
	damage_line(7);
	ck_assert_int_eq(store_check(s, true, say_nothing, last, &result), Q_OK);
	ck_assert_uint_eq(result.repaired, 1);
	ck_assert_uint_eq(result.records, 19);
	ck_assert(strstr(last, "contacts/contacts.log: 1 damaged line") != NULL);
	wish("alice", "bob");
	ck_assert_int_eq(store_check(s, true, say_nothing, last, &result), Q_OK);
	ck_assert_uint_eq(result.problems, 0);
	reopen();
	ck_assert_str_eq(told, "");
	ck_assert_uint_eq(count_of("alice"), 20);
	ck_assert_int_eq(relations_get(r, "alice", "user7"), RELATION_NONE);
}
END_TEST

START_TEST(cannot_be_read)
{
	relations_close(r);
	r = NULL;
	ck_assert_int_eq(mkdir(at(JOURNAL), 0700), 0);
	ck_assert_int_eq(relations_open(s, &r), Q_SYS);
	ck_assert_ptr_null(r);
}
END_TEST

/* ---- full disk ---- */

START_TEST(full_disk)
{
	enum wish_result result = WISH_OLD;

	wish("alice", "bob");
	wish("carol", "alice");
	wish("alice", "carol");
	limit_files(journal_size() + 20);
	ck_assert_int_eq(relations_wish(r, "bob", "alice", &result), Q_FULL);
	ck_assert_int_eq(relations_wish(r, "bob", "dora", &result), Q_FULL);
	ck_assert_int_eq(relations_remove(r, "alice", "bob"), Q_FULL);
	ck_assert_int_eq(relations_remove(r, "alice", "carol"), Q_FULL);
	ck_assert_int_eq(relations_told(r, "carol", "alice"), Q_FULL);
	ck_assert_int_eq(relations_forget(r, "alice"), Q_FULL);
	ck_assert_int_eq(result, WISH_OLD);
	limit_files(RLIM_INFINITY);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(relations_get(r, "alice", "bob"), RELATION_WISHED);
		ck_assert_int_eq(relations_get(r, "alice", "carol"), RELATION_CONTACT);
		ck_assert(has_news("carol", "alice"));
		ck_assert_uint_eq(count_of("dora"), 0);
		ck_assert_uint_eq(count_of("bob"), 1);
		reopen();
		ck_assert_str_eq(told, "");
	}
	/* There is room again. */
	ck_assert_int_eq(relations_told(r, "carol", "alice"), Q_OK);
	ck_assert_int_eq(wish("bob", "alice"), WISH_CONFIRMED);
	ck_assert_int_eq(relations_forget(r, "carol"), Q_OK);
	reopen();
	ck_assert_uint_eq(count_of("alice"), 1);
}
END_TEST

static Suite *
suite(void)
{
	Suite *su = suite_create("relations");
	TCase *t = tcase_create("relations");

	suite_add_tcase(su, t);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, two_become_contacts);
	tcase_add_test(t, nothing_new);
	tcase_add_test(t, removing);
	tcase_add_test(t, lists_are_in_order);
	tcase_add_test(t, names_that_are_none);
	tcase_add_test(t, forgetting);
	tcase_add_test(t, replay_gives_the_same);
	tcase_add_loop_test(t, exactly_one_confirms, 0, 2);
	tcase_add_test(t, file_and_memory_agree);
	tcase_add_loop_test(t, flipped_byte, 0, 4);
	tcase_add_test(t, torn_end);
	tcase_add_test(t, check_repairs);
	tcase_add_test(t, cannot_be_read);
	tcase_add_test(t, full_disk);
	return su;
}

int
main(void)
{
	return unit_main(suite());
}
