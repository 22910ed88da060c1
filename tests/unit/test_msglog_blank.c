/* SPDX-License-Identifier: MIT
 *
 * Blank lines behind the end of a log, with STORE_ALWAYS: nobody sees them, they go when
 * the file is closed, and whatever a kill leaves of them harms nothing.
 */
#include "tests/unit/msglog_store.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define MANY 1000 /* records: enough for blank lines */

static off_t
size_of(const char *name)
{
	struct stat st;

	ck_assert_int_eq(stat(at(name), &st), 0);
	return st.st_size;
}

/* How many newlines the file ends with. */
static size_t
newlines(void)
{
	struct buf b = slurp(LOG);
	size_t n = 0;

	while (n < b.len && b.p[b.len - 1 - n] == '\n')
		n++;
	buf_free(&b);
	return n;
}

static void
open_always(void)
{
	opt.durability = STORE_ALWAYS;
	open_all();
}

/* What the file is like after a kill in a busy moment. */
static struct buf
killed(void)
{
	struct buf b;

	open_always();
	fill(l, MANY);
	b = slurp(LOG);
	close_all();
	ck_assert_uint_gt(b.len, (size_t)size_of(LOG));
	return b;
}

static void
expect_all(size_t n, size_t damaged_ones)
{
	size_t damaged;
	struct seen seen = page(0, 2000, &damaged);

	ck_assert_uint_eq(seen.n, n);
	ck_assert_uint_eq(seen.ids[n - 1], n + damaged_ones);
	ck_assert_uint_eq(damaged, damaged_ones);
}

START_TEST(none_for_a_few_lines)
{
	open_always();
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(say(l, "hello"), Q_OK);
	ck_assert_uint_eq(newlines(), 1);
	close_all();
	/* Nor for a long log, before it is busy. */
	opt.durability = STORE_INTERVAL;
	open_all();
	fill(l, MANY);
	close_all();
	open_always();
	ck_assert_int_eq(say(l, "hello"), Q_OK);
	ck_assert_uint_eq(newlines(), 1);
}
END_TEST

START_TEST(nobody_sees_them)
{
	off_t before;

	open_always();
	for (unsigned n = 100; n <= 1900; n += 100) {
		fill(l, 100);
		expect_all(n, 0);
	}
	ck_assert_uint_gt(newlines(), 4000);
	/* They are written over: the file does not grow with each record. */
	before = size_of(LOG);
	ck_assert_int_eq(say(l, "one more"), Q_OK);
	ck_assert_int_eq(size_of(LOG), before);
	close_all();
	ck_assert_uint_eq(newlines(), 1);
	opt.durability = STORE_INTERVAL;
	open_all();
	expect_all(1901, 0);
	ck_assert_int_eq(reports, 0);
}
END_TEST

START_TEST(gone_when_another_log_takes_the_descriptor)
{
	struct msglog *other;

	opt.max_open_logs = 1;
	open_always();
	fill(l, MANY);
	ck_assert_uint_gt(newlines(), 1);
	ck_assert_int_eq(msglog_open(s, "other", &other), Q_OK);
	ck_assert_int_eq(say(other, "takes it"), Q_OK);
	ck_assert_uint_eq(newlines(), 1);
	expect_all(MANY, 0);
	ck_assert_int_eq(say(l, "and on"), Q_OK);
	expect_all(MANY + 1, 0);
	ck_assert_int_eq(reports, 0);
	msglog_close(other);
}
END_TEST

START_TEST(after_a_kill)
{
	struct buf b = killed();

	spill(LOG, buf_span(&b));
	opt.durability = _i == 0 ? STORE_ALWAYS : STORE_INTERVAL;
	open_all();
	expect_all(MANY, 0);
	fill(l, 10);
	expect_all(MANY + 10, 0);
	ck_assert_int_eq(size_of(LOG), (off_t)b.len); /* written over */
	close_all();
	ck_assert_uint_eq(newlines(), 1);
	open_all();
	expect_all(MANY + 10, 0);
	ck_assert_int_eq(reports, 0);
	ck_assert_int_eq(count_names("d/bad", ""), 0);
	buf_free(&b);
}
END_TEST

/* Killed while a record was written over them, at every byte of it. */
START_TEST(torn_over_them)
{
	struct buf b = killed(), line;
	size_t end = (size_t)size_of(LOG);

	open_always();
	ck_assert_int_eq(say(l, "the last one"), Q_OK);
	close_all();
	line = slurp(LOG);
	for (size_t n = 1; n < line.len - end - 1; n++) {
		memcpy(b.p + end, line.p + end, n);
		spill(LOG, buf_span(&b));
		reports = 0;
		open_all();
		ck_assert_uint_eq(page(MANY - 5, 10, NULL).n, 5);
		ck_assert_int_eq(reports, 1);
		ck_assert_int_eq(say(l, "after"), Q_OK);
		ck_assert_uint_eq(page(MANY - 5, 10, NULL).n, 6);
		close_all();
	}
	buf_free(&b);
	buf_free(&line);
}
END_TEST

/* A power cut may leave a page blank before one that was written.  Nobody was told that
 * the records of either are there; the later ones may stay. */
START_TEST(a_gap)
{
	struct buf b = killed();
	size_t end = (size_t)size_of(LOG), hole = end - 60;
	size_t damaged;
	struct seen seen;

	while (b.p[hole - 1] != '\n')
		hole--;
	memset(b.p + hole - 30, '\n', 30);
	spill(LOG, buf_span(&b));
	open_always();
	seen = page(0, 2000, &damaged);
	ck_assert_uint_eq(seen.n, MANY - 1);
	ck_assert_uint_eq(seen.ids[seen.n - 1], MANY);
	ck_assert_uint_ge(damaged, 1);
	ck_assert_int_eq(say(l, "after"), Q_OK);
	ck_assert_uint_eq(page(MANY, 10, NULL).n, 1);
	ck_assert_int_eq(reports, 0);
	buf_free(&b);
}
END_TEST

/* What is no blank line among them was put there by somebody, and is kept. */
START_TEST(something_among_them)
{
	struct buf b = killed();

	b.p[b.len - 2] = 'x';
	spill(LOG, buf_span(&b));
	open_always();
	expect_all(MANY, 0);
	ck_assert_int_eq(reports, 1);
	ck_assert_int_eq(count_names("d/bad", "messages-a+b"), 1);
	buf_free(&b);
}
END_TEST

/* A disk that has room for records, but not for blank lines. */
START_TEST(full_disk)
{
	struct rlimit r = {0, RLIM_INFINITY};
	off_t limit, full;
	unsigned n = MANY;

	signal(SIGXFSZ, SIG_IGN);
	open_always();
	fill(l, MANY);
	limit = size_of(LOG) + 1000;
	r.rlim_cur = (rlim_t)limit;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &r), 0);
	while (say(l, "a line that is written over blank ones") == Q_OK)
		n++;
	full = size_of(LOG);
	r.rlim_cur = RLIM_INFINITY; /* Check's own file grows, too */
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &r), 0);
	ck_assert_uint_gt(n, MANY);
	ck_assert_int_le(full, limit);
	expect_all(n, 0);
	ck_assert_int_eq(say(l, "there is room again"), Q_OK);
	expect_all(n + 1, 0);
	close_all();
	open_all();
	expect_all(n + 1, 0);
	ck_assert_int_eq(reports, 0);
}
END_TEST

/* ftruncate(2) fails, so they cannot be cut off: the next opening knows them. */
START_TEST(they_stay)
{
	open_always();
	fill(l, MANY);
	disk_fails = true;
	store_set_durability(s, STORE_NEVER, 1000);
	close_all();
	disk_fails = false;
	ck_assert_uint_gt(newlines(), 1);
	reports = 0;
	open_all();
	expect_all(MANY, 0);
	ck_assert_int_eq(reports, 0);
}
END_TEST

/* ---- a kill while many write ---- */

#define WRITERS 16
#define LOGS    3

struct writer {
	uint64_t begun[LOGS], acknowledged[LOGS]; /* numbers of its records, from 1 */
};

static struct writer *writers; /* shared with the process that is killed */
static const char *const names[LOGS] = {"a+b", "c", "d"};

static void *
write_on(void *arg)
{
	struct writer *w = arg;
	unsigned seed = (unsigned)(w - writers);
	struct msglog *log;

	for (;;) {
		int k = rand_r(&seed) % LOGS;
		char text[200];

		snprintf(text, sizeof(text), "%d %d %*s", (int)(w - writers),
			 (int)++w->begun[k], rand_r(&seed) % 150, "");
		if (msglog_open(s, names[k], &log) != Q_OK || say(log, text) != Q_OK)
			_exit(1);
		msglog_close(log);
		w->acknowledged[k] = w->begun[k];
	}
	return NULL;
}

/* With few descriptors their logs take them from each other, and get and lose blank lines. */
static void
write_many(void)
{
	pthread_t thread;
	struct why why;

	if (store_open(at("d"), &opt, &s, &why) != Q_OK)
		_exit(2);
	for (int i = 0; i < WRITERS; i++)
		if (pthread_create(&thread, NULL, write_on, &writers[i]) != 0)
			_exit(3);
	pause();
}

struct tally {
	uint64_t last_id, of[WRITERS];
};

static bool
count_one(void *arg, const struct record *r)
{
	struct tally *t = arg;
	char text[64] = "";
	int writer, number;

	ck_assert_uint_eq(r->id, ++t->last_id);
	memcpy(text, r->data.p, r->data.len < 63 ? r->data.len : 63);
	ck_assert_int_eq(sscanf(text, "%d %d", &writer, &number), 2);
	ck_assert_int_eq(number, (int)++t->of[writer]);
	return true;
}

/* What was acknowledged is there once, in order, without a gap. */
static void
expect_acknowledged(int k)
{
	struct tally t = {0};
	struct msglog *log;
	size_t damaged;

	ck_assert_int_eq(msglog_open(s, names[k], &log), Q_OK);
	ck_assert_int_eq(msglog_read(log, 0, SIZE_MAX, count_one, &t, &damaged), Q_OK);
	ck_assert_uint_eq(damaged, 0);
	for (int i = 0; i < WRITERS; i++) {
		ck_assert_uint_ge(t.of[i], writers[i].acknowledged[k]);
		writers[i].begun[k] = writers[i].acknowledged[k] = t.of[i];
	}
	msglog_close(log);
}

START_TEST(killed_while_many_write)
{
	opt.durability = STORE_ALWAYS;
	writers = mmap(NULL, WRITERS * sizeof(*writers), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert(writers != MAP_FAILED);
	for (int round = 0; round < 8; round++) {
		int status;
		pid_t pid;

		opt.max_open_logs = 1 + round % LOGS;
		if ((pid = fork()) == 0)
			write_many();
		usleep((useconds_t)(10000 + rand() % 60000));
		ck_assert_int_eq(kill(pid, SIGKILL), 0);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert(WIFSIGNALED(status));
		open_store();
		for (int k = 0; k < LOGS; k++)
			expect_acknowledged(k);
		store_close(s);
	}
	munmap(writers, WRITERS * sizeof(*writers));
	open_all();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("msglog_blank");
	TCase *t = tcase_create("blank lines");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, none_for_a_few_lines);
	tcase_add_test(t, nobody_sees_them);
	tcase_add_test(t, gone_when_another_log_takes_the_descriptor);
	tcase_add_loop_test(t, after_a_kill, 0, 2);
	tcase_add_test(t, torn_over_them);
	tcase_add_test(t, a_gap);
	tcase_add_test(t, something_among_them);
	tcase_add_test(t, full_disk);
	tcase_add_test(t, they_stay);
	tcase_add_test(t, killed_while_many_write);
	suite_add_tcase(suite, t);
	return unit_main(suite);
}
