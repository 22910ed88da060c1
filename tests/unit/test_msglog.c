/* SPDX-License-Identifier: MIT
 *
 * Message logs: pages, batches, many threads.
 */
#include "tests/unit/msglog_store.h"

#include <pthread.h>

/* ---- the ordinary day ---- */

START_TEST(names)
{
	static const char *const bad[] = {"",    ".a", "+a",  "A+b",
					  "a/b", "..", "a b", "\xc3\xa4"};
	char too_long[MSGLOG_CHAT_MAX + 2];
	char name[MSGLOG_CHAT_MAX + 1];

	open_store();
	msglog_pair_name("Zoe", "adam", name);
	ck_assert_str_eq(name, "adam+zoe");
	msglog_pair_name("adam", "ZOE", name);
	ck_assert_str_eq(name, "adam+zoe");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(msglog_open(s, bad[i], &l), Q_FORMAT);
	memset(too_long, 'a', sizeof(too_long));
	too_long[sizeof(too_long) - 1] = '\0';
	ck_assert_int_eq(msglog_open(s, too_long, &l), Q_FORMAT);
	ck_assert_ptr_null(l);
}
END_TEST

START_TEST(append_and_read)
{
	struct record r[3] = {message("one"), message("two"), message("three")};
	struct msglog *same;
	struct stat st;
	uint64_t id = 9;
	struct seen seen;
	size_t damaged = 9;

	open_all();
	ck_assert(!exists(LOG)); /* made at the first append */
	ck_assert_int_eq(msglog_last_id(l, &id), Q_OK);
	ck_assert_uint_eq(id, 0);
	seen = page(0, 10, &damaged);
	ck_assert_uint_eq(seen.n + damaged, 0);
	umask(0777);
	r[1].time_ms = 1234;
	ck_assert_int_eq(msglog_append(l, r, 3), Q_OK);
	ck_assert_int_eq(msglog_append(l, r, 0), Q_OK);
	ck_assert_uint_eq(r[2].id, 3);
	ck_assert_int_gt(r[0].time_ms, 1763000000000);
	ck_assert_int_eq(r[1].time_ms, 1234);
	ck_assert_int_eq(stat(at(LOG), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(msglog_open(s, "a+b", &same), Q_OK);
	ck_assert_ptr_eq(same, l);
	msglog_close(same);
	seen = page(1, 10, NULL);
	ck_assert_uint_eq(seen.n, 2);
	ck_assert_str_eq(seen.last_text, "three");
	ck_assert_uint_eq(page(1, 1, NULL).n, 1);
	ck_assert_uint_eq(page(1, 0, NULL).n, 0);
	ck_assert_uint_eq(page(3, 10, NULL).n, 0);
	ck_assert_uint_eq(page(UINT64_MAX, 10, NULL).n, 0);
	close_all();
	open_all();
	ck_assert_int_eq(msglog_last_id(l, &id), Q_OK);
	ck_assert_uint_eq(id, 3);
	ck_assert_int_eq(say(l, "four"), Q_OK);
	ck_assert_uint_eq(page(0, 10, NULL).ids[3], 4);
}
END_TEST

START_TEST(a_bad_record_spoils_its_batch_only)
{
	struct record r[2] = {message("good"), message("bad\xff")};
	uint64_t id;

	open_all();
	ck_assert_int_eq(msglog_append(l, r, 2), Q_FORMAT);
	ck_assert_uint_eq(r[0].id, 0);
	ck_assert_int_eq(r[0].time_ms, 0);
	ck_assert_int_eq(say(l, "next"), Q_OK);
	ck_assert_int_eq(msglog_last_id(l, &id), Q_OK);
	ck_assert_uint_eq(id, 1);
}
END_TEST

static bool
stop_and_append(void *arg, const struct record *r)
{
	(void)r;
	ck_assert_int_eq(say(l, "from within"), Q_OK);
	++*(int *)arg;
	return *(int *)arg < 2;
}

START_TEST(readers_may_append_and_stop)
{
	int calls = 0;

	open_all();
	fill(l, 5);
	ck_assert_int_eq(msglog_read(l, 0, 100, stop_and_append, &calls, NULL), Q_OK);
	ck_assert_int_eq(calls, 2);
	ck_assert_uint_eq(page(0, 100, NULL).n, 7);
}
END_TEST

START_TEST(every_page_of_a_long_log)
{
	enum { N = 20000 };

	open_all();
	fill(l, N);
	for (uint64_t after = 0; after < N; after += after < 300 ? 1 : 97) {
		size_t damaged;
		struct seen seen = page(after, 3, &damaged);
		size_t want = N - after < 3 ? (size_t)(N - after) : 3;
		char text[16];

		ck_assert_uint_eq(seen.n, want);
		ck_assert_uint_eq(seen.ids[0], after + 1);
		ck_assert_uint_eq(damaged, 0);
		snprintf(text, sizeof(text), "%llu", (unsigned long long)(after + want));
		ck_assert_str_eq(seen.last_text, text);
	}
}
END_TEST

/* Guessing by ids is led astray here, and must still arrive. */
START_TEST(records_of_very_different_sizes)
{
	static char big[300000];
	uint64_t n = 0;

	open_all();
	memset(big, 'x', sizeof(big) - 1);
	for (int i = 0; i < 6; i++) {
		fill(l, 500);
		ck_assert_int_eq(say(l, big), Q_OK);
		n += 501;
	}
	for (uint64_t after = 0; after < n; after += 50)
		ck_assert_uint_eq(page(after, 1, NULL).ids[0], after + 1);
	ck_assert_uint_eq(page(500, 1, NULL).ids[0], 501);
	ck_assert_uint_eq(page(n - 1, 1, NULL).ids[0], n);
}
END_TEST

/* ---- threads ---- */

enum { WRITERS = 8, EACH = 200 };

static void *
writer(void *arg)
{
	const char *chat = arg;
	struct msglog *mine;
	uint64_t last = 0;

	ck_assert_int_eq(msglog_open(s, chat, &mine), Q_OK);
	for (int i = 0; i < EACH; i++) {
		struct record r[2] = {message("x"), message("y")};

		ck_assert_int_eq(msglog_append(mine, r, 2), Q_OK);
		ck_assert_uint_gt(r[0].id, last);
		ck_assert_uint_eq(r[1].id, r[0].id + 1);
		last = r[1].id;
	}
	msglog_close(mine);
	return NULL;
}

static bool
count(void *arg, const struct record *r)
{
	uint64_t *next = arg;

	ck_assert_uint_eq(r->id, ++*next);
	return true;
}

static void *
reader(void *arg)
{
	struct msglog *mine;
	uint64_t n = 0;

	ck_assert_int_eq(msglog_open(s, "a+b", &mine), Q_OK);
	while (n < WRITERS * EACH * 2) {
		size_t damaged;

		ck_assert_int_eq(msglog_read(mine, n, 50, count, &n, &damaged), Q_OK);
		ck_assert_uint_eq(damaged, 0);
		store_sync(s);
	}
	msglog_close(mine);
	return arg;
}

static const struct {
	enum store_durability durability;
	int max_open;
} thread_rows[] = {{STORE_INTERVAL, 256}, {STORE_ALWAYS, 256}, {STORE_NEVER, 1}};

START_TEST(many_threads_in_one_log)
{
	static char one_log[] = "a+b";
	pthread_t w[WRITERS], r;
	uint64_t id;

	opt.durability = thread_rows[_i].durability;
	opt.max_open_logs = thread_rows[_i].max_open;
	opt.interval_ms = 1;
	open_all();
	for (int i = 0; i < WRITERS; i++)
		ck_assert_int_eq(pthread_create(&w[i], NULL, writer, one_log), 0);
	ck_assert_int_eq(pthread_create(&r, NULL, reader, NULL), 0);
	for (int i = 0; i < WRITERS; i++)
		pthread_join(w[i], NULL);
	pthread_join(r, NULL);
	ck_assert_int_eq(msglog_last_id(l, &id), Q_OK);
	ck_assert_uint_eq(id, WRITERS * EACH * 2);
	ck_assert_int_eq(reports, 0);
}
END_TEST

START_TEST(many_threads_in_many_logs)
{
	static char names[WRITERS][24];
	pthread_t w[WRITERS];

	opt.durability = thread_rows[_i].durability;
	opt.max_open_logs = 2; /* descriptors go back and forth */
	opt.interval_ms = 1;
	open_store();
	for (int i = 0; i < WRITERS; i++) {
		snprintf(names[i], sizeof(names[i]), "chat%d", i / 2);
		ck_assert_int_eq(pthread_create(&w[i], NULL, writer, names[i]), 0);
	}
	for (int i = 0; i < WRITERS; i++) {
		pthread_join(w[i], NULL);
		store_set_durability(s, i % 2 == 0 ? STORE_ALWAYS : STORE_INTERVAL, 1);
	}
	store_close(s);
	open_store();
	for (int i = 0; i < WRITERS / 2; i++) {
		uint64_t id;

		ck_assert_int_eq(msglog_open(s, names[2 * i], &l), Q_OK);
		ck_assert_int_eq(msglog_last_id(l, &id), Q_OK);
		ck_assert_uint_eq(id, 4 * EACH);
		msglog_close(l);
	}
	l = NULL;
	ck_assert_int_eq(reports, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("msglog");
	TCase *t = tcase_create("logs");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, names);
	tcase_add_test(t, append_and_read);
	tcase_add_test(t, a_bad_record_spoils_its_batch_only);
	tcase_add_test(t, readers_may_append_and_stop);
	tcase_add_test(t, every_page_of_a_long_log);
	tcase_add_test(t, records_of_very_different_sizes);
	tcase_add_loop_test(t, many_threads_in_one_log, 0, 3);
	tcase_add_loop_test(t, many_threads_in_many_logs, 0, 3);
	suite_add_tcase(suite, t);
	return unit_main(suite);
}
