/* SPDX-License-Identifier: MIT
 *
 * The chats that protocols share: making and finding them, what is found after a
 * restart, races for one pair.
 */
#include "tests/unit/chats_store.h"

#include <pthread.h>
#include <stdatomic.h>

/* ---- one after another ---- */

START_TEST(make_and_find)
{
	struct chat_info made, got, *list;
	size_t n;

	ck_assert_int_eq(chats_create(c, "Alice", "bob", 0, &made), Q_OK);
	ck_assert_uint_eq(made.id, 1);
	ck_assert_str_eq(made.maker, "Alice");
	ck_assert_str_eq(made.other, "bob");
	ck_assert_uint_eq(made.anons_id, 0);
	ck_assert_int_gt(made.created_ms, 0);
	/* The pair has it, whoever asks and however spelled. */
	ck_assert_int_eq(chats_create(c, "BOB", "alice", 0, &got), Q_EXISTS);
	ck_assert_mem_eq(&got, &made, sizeof(got));
	ck_assert_int_eq(chats_find(c, "bob", "ALICE", 0, &got), Q_OK);
	ck_assert_uint_eq(got.id, 1);
	/* About an announcement it is another one. */
	ck_assert_int_eq(chats_find(c, "Alice", "bob", 7, &got), Q_MISSING);
	ck_assert_int_eq(chats_create(c, "BOB", "alice", 7, &got), Q_OK);
	ck_assert_uint_eq(got.id, 2);
	ck_assert_uint_eq(got.anons_id, 7);
	ck_assert_str_eq(got.maker, "bob"); /* as it was spelled first */
	ck_assert_str_eq(got.other, "Alice");
	create("alice", "Carol");
	ck_assert_int_eq(chats_of(c, "aLiCe", &list, &n), Q_OK);
	ck_assert_uint_eq(n, 3);
	for (size_t i = 0; i < n; i++)
		ck_assert_uint_eq(list[i].id, i + 1);
	free(list);
	ck_assert_uint_eq(count_of("carol"), 1);
	ck_assert_int_eq(chats_of(c, "nobody", &list, &n), Q_OK);
	ck_assert_ptr_null(list);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(chats_get(c, 4, &got), Q_MISSING);
	ck_assert_int_eq(chats_get(c, 0, &got), Q_MISSING);
	ck_assert_int_eq(chats_find(c, "bob", "carol", 0, &got), Q_MISSING);
}
END_TEST

START_TEST(names_that_are_none)
{
	struct chat_info info;
	static const char *const pairs[][2] = {
	    {"alice", "Alice"}, {"", "bob"},
	    {"alice", ""},      {"a b", "bob"},
	    {"bob", "-x"},      {"alice", "123456789012345678901234567890123"}};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		ck_assert_int_eq(chats_create(c, pairs[i][0], pairs[i][1], 0, &info),
				 Q_FORMAT);
		ck_assert_int_eq(chats_find(c, pairs[i][0], pairs[i][1], 0, &info),
				 Q_MISSING);
		ck_assert_uint_eq(count_of(pairs[i][0]), 0);
	}
	ck_assert_int_eq(chats_create(c, "alice", "bob", UINT64_MAX, &info), Q_FORMAT);
	ck_assert(!exists(JOURNAL));
}
END_TEST

START_TEST(ids_are_used_once)
{
	struct chat_info info;

	ck_assert_uint_eq(create("alice", "bob"), 1);
	ck_assert_uint_eq(create("alice", "carol"), 2);
	ck_assert_int_eq(chats_delete(c, 2), Q_OK);
	ck_assert_int_eq(chats_delete(c, 2), Q_MISSING);
	ck_assert_int_eq(chats_get(c, 2, &info), Q_MISSING);
	ck_assert_int_eq(chats_find(c, "alice", "carol", 0, &info), Q_MISSING);
	ck_assert_uint_eq(count_of("carol"), 0);
	reopen();
	ck_assert_str_eq(told, "");
	ck_assert_int_eq(chats_get(c, 2, &info), Q_MISSING);
	ck_assert_int_eq(chats_delete(c, 2), Q_MISSING);
	ck_assert_uint_eq(create("alice", "carol"), 3);
	ck_assert_int_eq(chats_delete(c, 1), Q_OK);
	ck_assert_int_eq(chats_delete(c, 3), Q_OK);
	reopen();
	ck_assert_uint_eq(count_of("alice"), 0);
	ck_assert_uint_eq(create("alice", "bob"), 4);
}
END_TEST

/* ---- against a model ---- */

#define PEOPLE 6
#define TOPICS 2

static const char *const people[PEOPLE] = {"ann", "Ben", "cleo", "Dan.2", "eve-x", "f_"};

static struct {
	uint64_t id; /* 0: there is none */
	int maker;
	int64_t created_ms;
} model[PEOPLE][PEOPLE][TOPICS]; /* [lower][higher] */

static void
compare_with_model(void)
{
	struct chat_info info, *list;

	for (int a = 0; a < PEOPLE; a++) {
		size_t expected = 0, n;

		for (int b = 0; b < PEOPLE; b++)
			for (int t = 0; t < TOPICS; t++) {
				int lo = a < b ? a : b, hi = a < b ? b : a;
				uint64_t id = model[lo][hi][t].id;
				enum qerr e;

				if (a == b)
					continue;
				expected += id != 0;
				e = chats_find(c, people[a], people[b], (uint64_t)t,
					       &info);
				ck_assert_int_eq(e, id != 0 ? Q_OK : Q_MISSING);
				if (id == 0)
					continue;
				ck_assert_uint_eq(info.id, id);
				ck_assert_int_eq(info.created_ms,
						 model[lo][hi][t].created_ms);
				ck_assert_str_eq(info.maker,
						 people[model[lo][hi][t].maker]);
				ck_assert_int_eq(chats_get(c, id, &info), Q_OK);
				ck_assert_uint_eq(info.anons_id, (uint64_t)t);
			}
		ck_assert_int_eq(chats_of(c, people[a], &list, &n), Q_OK);
		ck_assert_uint_eq(n, expected);
		for (size_t i = 1; i < n; i++)
			ck_assert_uint_gt(list[i].id, list[i - 1].id);
		free(list);
	}
}

START_TEST(replay_gives_the_same)
{
	uint64_t newest = 0;

	memset(model, 0, sizeof(model));
	srandom(4711);
	for (int step = 0; step < 3000; step++) {
		int a = (int)(random() % PEOPLE), b = (int)(random() % PEOPLE);
		int t = (int)(random() % TOPICS), lo = a < b ? a : b, hi = a < b ? b : a;
		struct chat_info info;

		if (a == b)
			continue;
		if (random() % 2 == 0) {
			enum qerr e =
			    chats_create(c, people[a], people[b], (uint64_t)t, &info);

			ck_assert_int_eq(e, model[lo][hi][t].id == 0 ? Q_OK : Q_EXISTS);
			if (e == Q_OK) {
				ck_assert_uint_gt(info.id, newest);
				newest = info.id;
				model[lo][hi][t].id = info.id;
				model[lo][hi][t].maker = a;
				model[lo][hi][t].created_ms = info.created_ms;
			}
		} else if (model[lo][hi][t].id != 0) {
			ck_assert_int_eq(chats_delete(c, model[lo][hi][t].id), Q_OK);
			model[lo][hi][t].id = 0;
		}
		if (step % 250 == 0) {
			compare_with_model();
			reopen();
			ck_assert_str_eq(told, "");
			compare_with_model();
		}
	}
}
END_TEST

/* ---- at the same time ---- */

#define THREADS 6
#define ROUNDS  150

static _Atomic int made, turn;
static uint64_t ids[THREADS][ROUNDS];

static void *
create_same(void *arg)
{
	int me = *(int *)arg;
	struct chat_info info;
	char name[NAME_SIZE];

	for (int i = 0; i < ROUNDS; i++) {
		enum qerr e;

		snprintf(name, sizeof(name), "user%d", i);
		if (me % 2 == 0)
			e = chats_create(c, "alice", name, 0, &info);
		else
			e = chats_create(c, name, "Alice", 0, &info);
		ck_assert(e == Q_OK || e == Q_EXISTS);
		made += e == Q_OK;
		ids[me][i] = info.id;
	}
	return NULL;
}

START_TEST(exactly_one_makes_it)
{
	pthread_t threads[THREADS];
	int me[THREADS];

	store_set_durability(s, _i == 0 ? STORE_ALWAYS : STORE_INTERVAL, 1000);
	for (int i = 0; i < THREADS; i++) {
		me[i] = i;
		ck_assert_int_eq(pthread_create(&threads[i], NULL, create_same, &me[i]),
				 0);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	ck_assert_int_eq(made, ROUNDS);
	for (int i = 1; i < THREADS; i++)
		ck_assert_mem_eq(ids[i], ids[0], sizeof(ids[0]));
	reopen();
	ck_assert_uint_eq(count_of("alice"), ROUNDS);
	ck_assert_str_eq(told, "");
}
END_TEST

static void *
write_until_closed(void *arg)
{
	uint64_t id = *(uint64_t *)arg;
	struct msglog *l;
	enum qerr e;

	for (;;) {
		if ((e = chats_open_log(c, id, &l)) != Q_OK) {
			ck_assert_int_eq(e, Q_MISSING);
			return NULL;
		}
		e = say_in(l, "once more");
		msglog_close(l);
		turn++;
		ck_assert(e == Q_OK || e == Q_CLOSED);
	}
}

START_TEST(nobody_revives_a_log)
{
	for (int round = 0; round < 40; round++) {
		uint64_t id = create("alice", "bob");
		pthread_t threads[3];

		turn = 0;
		store_set_durability(s, round % 2 == 0 ? STORE_ALWAYS : STORE_INTERVAL,
				     10);
		for (int i = 0; i < 3; i++)
			ck_assert_int_eq(
			    pthread_create(&threads[i], NULL, write_until_closed, &id),
			    0);
		while (turn < 20)
			usleep(100);
		ck_assert_int_eq(chats_delete(c, id), Q_OK);
		for (int i = 0; i < 3; i++)
			pthread_join(threads[i], NULL);
		ck_assert_int_eq(count_names("d/messages", ""), 0);
	}
	store_sync(s);
	ck_assert_str_eq(told, "");
}
END_TEST

int
main(void)
{
	Suite *su = suite_create("chats");
	TCase *t = tcase_create("chats");

	suite_add_tcase(su, t);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, make_and_find);
	tcase_add_test(t, names_that_are_none);
	tcase_add_test(t, ids_are_used_once);
	tcase_add_test(t, replay_gives_the_same);
	tcase_add_loop_test(t, exactly_one_makes_it, 0, 2);
	tcase_add_test(t, nobody_revives_a_log);
	return unit_main(su);
}
