/* SPDX-License-Identifier: MIT
 *
 * Message logs: pages, batches, torn ends, kills, full disks, few descriptors,
 * many threads.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "store/msglog.h"
#include "tests/unit/tempdir.h"

#define LOG "d/messages/a+b.log"

/* A disk that fails: these two stand before the C library's. */
static atomic_bool disk_fails, disk_waits;
static _Atomic unsigned syncs;
static atomic_int between; /* writers that are about to call */

int
fdatasync(int fd)
{
	syncs++;
	while (disk_waits)
		usleep(1000);
	for (int i = 0; between > 0 && i < 2000; i++) /* slow enough for all to come */
		usleep(1000);
	if (!disk_fails)
		return (int)syscall(SYS_fdatasync, fd);
	errno = EIO;
	return -1;
}

int
ftruncate(int fd, off_t len)
{
	if (!disk_fails)
		return (int)syscall(SYS_ftruncate, fd, len);
	errno = EIO;
	return -1;
}

static struct store *s;
static struct msglog *l;
static struct store_options opt;
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
	struct why why;

	if (store_open(at("d"), &opt, &s, &why) != Q_OK)
		ck_abort_msg("%s", why.text);
}

static void
open_all(void)
{
	open_store();
	ck_assert_int_eq(msglog_open(s, "a+b", &l), Q_OK);
}

static void
close_all(void)
{
	msglog_close(l);
	store_close(s);
	l = NULL;
	s = NULL;
}

static void
setup(void)
{
	tempdir_make();
	opt = (struct store_options)STORE_OPTIONS_DEFAULT;
	opt.report = report;
	reports = 0;
	disk_fails = false;
}

static void
teardown(void)
{
	close_all();
	tempdir_remove();
}

static struct record
message(const char *text)
{
	struct record r = {.kind = "text",
			   .from = "alice",
			   .to = "bob",
			   .text = true,
			   .data = span_str(text)};

	return r;
}

static enum qerr
say(struct msglog *to, const char *text)
{
	struct record r = message(text);

	return msglog_append(to, &r, 1);
}

/* n records whose text is their number, in batches. */
static void
fill(struct msglog *to, unsigned n)
{
	enum { BATCH = 100 };
	char text[BATCH][16];
	struct record r[BATCH];
	uint64_t last;

	ck_assert_int_eq(msglog_last_id(to, &last), Q_OK);
	while (n > 0) {
		unsigned k = n < BATCH ? n : BATCH;

		for (unsigned i = 0; i < k; i++) {
			snprintf(text[i], sizeof(text[i]), "%llu",
				 (unsigned long long)(last + i + 1));
			r[i] = message(text[i]);
		}
		ck_assert_int_eq(msglog_append(to, r, k), Q_OK);
		last += k;
		n -= k;
	}
}

struct seen {
	uint64_t ids[2000];
	size_t n, stop_after;
	char last_text[64];
};

static bool
note(void *arg, const struct record *r)
{
	struct seen *seen = arg;

	ck_assert_uint_lt(seen->n, 2000);
	if (seen->n > 0)
		ck_assert_uint_gt(r->id, seen->ids[seen->n - 1]);
	seen->ids[seen->n++] = r->id;
	snprintf(seen->last_text, sizeof(seen->last_text), "%.*s", (int)r->data.len,
		 (const char *)r->data.p);
	return seen->n != seen->stop_after;
}

static struct seen
page(uint64_t after, size_t max, size_t *damaged)
{
	static struct seen seen;

	memset(&seen, 0, sizeof(seen));
	ck_assert_int_eq(msglog_read(l, after, max, note, &seen, damaged), Q_OK);
	return seen;
}

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

/* ---- damage ---- */

START_TEST(torn_at_every_byte)
{
	struct buf whole, torn;
	size_t start;

	open_all();
	fill(l, 3);
	close_all();
	torn = slurp(LOG);
	start = torn.len;
	buf_free(&torn);
	open_all();
	ck_assert_int_eq(say(l, "the last one\nhas two lines"), Q_OK);
	close_all();
	whole = slurp(LOG);
	for (size_t cut = start; cut < whole.len; cut++) {
		spill(LOG, span_of(whole.p, cut));
		reports = 0;
		open_all();
		ck_assert_uint_eq(page(0, 10, NULL).n, 3);
		ck_assert_int_eq(reports, cut > start ? 1 : 0);
		ck_assert_int_eq(say(l, "after"), Q_OK);
		ck_assert_uint_eq(page(0, 10, NULL).ids[3], 4);
		close_all();
	}
	/* Nothing is thrown away. */
	ck_assert_int_eq(count_names("d/bad", "messages-a+b"),
			 (int)(whole.len - start - 1));
	torn = slurp(find_name("d/bad", "messages-a+b"));
	ck_assert_uint_eq(torn.p[0], '=');
	buf_free(&torn);
	buf_free(&whole);
}
END_TEST

START_TEST(a_flipped_bit_in_the_middle)
{
	struct buf whole;
	size_t damaged;
	struct seen seen;

	open_all();
	fill(l, 1000);
	close_all();
	whole = slurp(LOG);
	for (size_t at_byte = whole.len / 2; at_byte < whole.len / 2 + 120;
	     at_byte += 7) {
		whole.p[at_byte] ^= 4;
		spill(LOG, buf_span(&whole));
		whole.p[at_byte] ^= 4;
		open_all();
		seen = page(0, 2000, &damaged);
		ck_assert_uint_ge(damaged, 1);
		/* One record, or two when it was the newline between them. */
		ck_assert_uint_ge(seen.n, 998);
		ck_assert_uint_le(seen.n, 999);
		ck_assert_uint_eq(seen.ids[seen.n - 1], 1000);
		/* A page elsewhere does not count it. */
		(void)page(10, 5, &damaged);
		ck_assert_uint_eq(damaged, 0);
		ck_assert_int_eq(say(l, "after"), Q_OK);
		close_all();
	}
	ck_assert_int_eq(reports, 0);
	ck_assert_int_eq(count_names("d/bad", ""), 0);
	buf_free(&whole);
}
END_TEST

START_TEST(zeros_in_the_middle_of_a_long_log)
{
	struct buf whole;
	size_t damaged;

	open_all();
	fill(l, 5000);
	close_all();
	whole = slurp(LOG);
	memset(whole.p + whole.len / 4, 0, whole.len / 2);
	spill(LOG, buf_span(&whole));
	open_all();
	for (uint64_t after = 0; after < 5000; after += 111) {
		struct seen seen = page(after, 1, &damaged);

		ck_assert_uint_eq(seen.n, 1);
		ck_assert_uint_gt(seen.ids[0], after);
		if (after < 1000 || after > 4000)
			ck_assert_uint_eq(seen.ids[0], after + 1);
	}
	buf_free(&whole);
}
END_TEST

START_TEST(zeros_at_the_end)
{
	static uint8_t zeros[300000];
	struct buf whole;

	open_all();
	fill(l, 10);
	close_all();
	whole = slurp(LOG);
	ck_assert_int_eq(buf_put(&whole, zeros, sizeof(zeros)), Q_OK);
	spill(LOG, buf_span(&whole));
	open_all();
	ck_assert_uint_eq(page(0, 20, NULL).n, 10);
	ck_assert_int_eq(reports, 1);
	ck_assert_int_eq(say(l, "after"), Q_OK);
	ck_assert_uint_eq(page(0, 20, NULL).n, 11);
	buf_free(&whole);
}
END_TEST

START_TEST(nothing_good_at_all)
{
	open_all();
	fill(l, 1);
	close_all();
	spill(LOG, span_str("=no\n=thing\nhere ="));
	open_all();
	ck_assert_uint_eq(page(0, 20, NULL).n, 0);
	ck_assert_int_eq(say(l, "first"), Q_OK);
	ck_assert_uint_eq(page(0, 20, NULL).ids[0], 1);
	ck_assert_int_eq(count_names("d/bad", ""), 1);
}
END_TEST

/* A message that looks like a record with a high id stays a message, also when
 * what stands before it has gone. */
START_TEST(no_record_inside_a_message)
{
	char forged[200];
	struct record r = message("pay me");
	struct buf b = BUF_INIT(1000), whole;
	uint64_t id;

	r.id = 999;
	ck_assert_int_eq(record_put(&b, &r), Q_OK);
	snprintf(forged, sizeof(forged), "%.*s", (int)b.len - 1, (const char *)b.p);
	open_all();
	ck_assert_int_eq(say(l, "first"), Q_OK);
	ck_assert_int_eq(say(l, forged), Q_OK);
	close_all();
	open_all();
	ck_assert_int_eq(msglog_last_id(l, &id), Q_OK);
	ck_assert_uint_eq(id, 2);
	close_all();
	whole = slurp(LOG);
	whole.p[whole.len - b.len - 5] ^= 1; /* damage what is around it */
	spill(LOG, buf_span(&whole));
	open_all();
	ck_assert_int_eq(msglog_last_id(l, &id), Q_OK);
	ck_assert_uint_eq(id, 1);
	buf_free(&b);
	buf_free(&whole);
}
END_TEST

START_TEST(a_shortened_file_does_not_give_ids_twice)
{
	struct msglog *other;

	opt.max_open_logs = 1;
	open_all();
	fill(l, 10);
	ck_assert_int_eq(msglog_open(s, "other", &other), Q_OK);
	ck_assert_int_eq(say(other, "takes the descriptor"), Q_OK);
	ck_assert_int_eq(truncate(at(LOG), 0), 0);
	ck_assert_int_eq(say(l, "after"), Q_OK);
	ck_assert_uint_eq(page(0, 20, NULL).ids[0], 11);
	msglog_close(other);
}
END_TEST

/* ---- kills ---- */

/* Append for ever; after each append tell its id and a check of the text. */
static void
appender(int out)
{
	open_all();
	for (unsigned i = 0;; i++) {
		struct record r[3];
		size_t n = 1 + i % 3;

		for (size_t k = 0; k < n; k++)
			r[k] = message("a message of some length, so that a kill finds "
				       "it on the way");
		if (msglog_append(l, r, n) != Q_OK)
			_exit(1);
		if (write(out, &r[n - 1].id, sizeof(r[0].id)) != sizeof(r[0].id))
			_exit(1);
	}
}

START_TEST(kill_at_any_moment)
{
	static const enum store_durability modes[] = {STORE_ALWAYS, STORE_INTERVAL};

	opt.durability = modes[_i];
	for (int round = 0; round < 12; round++) {
		uint64_t acknowledged = 0, id, last;
		int pipe_fds[2], status;
		pid_t pid;

		ck_assert_int_eq(pipe(pipe_fds), 0);
		if ((pid = fork()) == 0)
			appender(pipe_fds[1]);
		close(pipe_fds[1]);
		ck_assert_int_eq(read(pipe_fds[0], &id, sizeof(id)), sizeof(id));
		usleep((useconds_t)(rand() % 20000));
		kill(pid, SIGKILL);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert(WIFSIGNALED(status));
		do
			acknowledged = id;
		while (read(pipe_fds[0], &id, sizeof(id)) == sizeof(id));
		close(pipe_fds[0]);
		open_all();
		ck_assert_int_eq(msglog_last_id(l, &last), Q_OK);
		ck_assert_uint_ge(last, acknowledged);
		for (uint64_t after = last > 1500 ? last - 1500 : 0;
		     after < acknowledged;) {
			size_t damaged;
			struct seen seen = page(after, 1000, &damaged);

			ck_assert_uint_eq(damaged, 0);
			ck_assert_uint_gt(seen.n, 0);
			ck_assert_uint_eq(seen.ids[seen.n - 1], after + seen.n);
			after += seen.n;
		}
		ck_assert_int_eq(say(l, "after the kill"), Q_OK);
		close_all();
	}
}
END_TEST

/* ---- shortages ---- */

static void
limit(int what, rlim_t soft)
{
	static struct rlimit was[RLIM_NLIMITS];
	struct rlimit now;

	if (soft != RLIM_INFINITY)
		ck_assert_int_eq(getrlimit((__rlimit_resource_t)what, &was[what]), 0);
	now = was[what];
	if (soft != RLIM_INFINITY)
		now.rlim_cur = soft;
	ck_assert_int_eq(setrlimit((__rlimit_resource_t)what, &now), 0);
}

START_TEST(full_disk)
{
	struct record r[100];
	struct stat before, after;
	struct seen seen;

	signal(SIGXFSZ, SIG_IGN);
	open_all();
	fill(l, 10);
	ck_assert_int_eq(stat(at(LOG), &before), 0);
	for (int i = 0; i < 100; i++)
		r[i] = message("too much for the room that is left");
	limit(RLIMIT_FSIZE, (rlim_t)before.st_size + 500);
	ck_assert_int_eq(msglog_append(l, r, 100), Q_FULL);
	ck_assert_uint_eq(r[0].id, 0);
	ck_assert_int_eq(stat(at(LOG), &after), 0);
	ck_assert_int_eq(after.st_size, before.st_size);
	ck_assert_int_eq(say(l, "a small one fits"), Q_OK);
	ck_assert_int_eq(msglog_append(l, r, 100), Q_FULL);
	limit(RLIMIT_FSIZE, RLIM_INFINITY);
	ck_assert_int_eq(msglog_append(l, r, 100), Q_OK); /* there is room again */
	ck_assert_uint_eq(r[0].id, 12);
	seen = page(0, 200, NULL);
	ck_assert_uint_eq(seen.n, 111);
	ck_assert_uint_eq(seen.ids[110], 111);
	ck_assert_int_eq(count_names("d/bad", ""), 0);
}
END_TEST

/* A torn end that cannot be copied to bad/ is cut at the first append that can. */
START_TEST(torn_and_full)
{
	struct buf whole;

	signal(SIGXFSZ, SIG_IGN);
	open_all();
	fill(l, 10);
	close_all();
	whole = slurp(LOG);
	ck_assert_int_eq(buf_put_str(&whole, "=torn"), Q_OK);
	spill(LOG, buf_span(&whole));
	open_store();
	limit(RLIMIT_FSIZE, 0);
	ck_assert_int_eq(msglog_open(s, "a+b", &l), Q_OK);
	ck_assert_int_eq(reports, 1);
	ck_assert_uint_eq(page(0, 20, NULL).n, 10);
	ck_assert_int_eq(say(l, "no"), Q_FULL);
	limit(RLIMIT_FSIZE, RLIM_INFINITY);
	ck_assert_int_eq(count_names("d/bad", ""), 0);
	ck_assert_int_eq(say(l, "yes"), Q_OK);
	ck_assert_int_eq(count_names("d/bad", ""), 1);
	ck_assert_uint_eq(page(0, 20, NULL).ids[10], 11);
	buf_free(&whole);
}
END_TEST

/* What could not be cut off is never read, and goes before the next append. */
START_TEST(full_disk_and_no_cutting)
{
	struct record r[100];
	struct msglog *other;
	uint64_t id;

	signal(SIGXFSZ, SIG_IGN);
	opt.max_open_logs = 1;
	open_all();
	fill(l, 10);
	for (int i = 0; i < 100; i++)
		r[i] = message("too much for the room that is left");
	limit(RLIMIT_FSIZE, 4000); /* whole lines of the batch get in */
	disk_fails = true;
	ck_assert_int_eq(msglog_append(l, r, 100), Q_FULL);
	limit(RLIMIT_FSIZE, RLIM_INFINITY);
	ck_assert_uint_eq(page(0, 200, NULL).n, 10);
	ck_assert_int_ne(say(l, "still not"), Q_OK);
	ck_assert_int_eq(msglog_open(s, "other", &other), Q_OK);
	ck_assert_int_eq(say(other, "takes the descriptor"), Q_OK);
	ck_assert_uint_eq(page(0, 200, NULL).n, 10);
	disk_fails = false;
	ck_assert_int_eq(say(l, "now"), Q_OK);
	ck_assert_int_eq(msglog_last_id(l, &id), Q_OK);
	ck_assert_uint_eq(id, 11);
	msglog_close(other);
	close_all();
	open_all();
	ck_assert_uint_eq(page(0, 200, NULL).n, 11);
	ck_assert_int_eq(count_names("d/bad", ""), 0);
}
END_TEST

START_TEST(a_sync_that_fails)
{
	struct record r = message("in doubt");

	opt.durability = STORE_ALWAYS;
	open_all();
	ck_assert_int_eq(say(l, "safe"), Q_OK);
	ck_assert_uint_ge(syncs, 1);
	disk_fails = true;
	ck_assert_int_eq(msglog_append(l, &r, 1), Q_SYS);
	ck_assert_int_eq(errno, EIO);
	ck_assert_uint_eq(r.id, 2); /* it is there, as others see it */
	ck_assert_uint_eq(page(0, 9, NULL).n, 2);
	ck_assert_int_eq(reports, 1);
	disk_fails = false;
	ck_assert_int_eq(say(l, "safe again"), Q_OK);
	/* With intervals the report is the only sign. */
	store_set_durability(s, STORE_INTERVAL, 60000);
	disk_fails = true;
	ck_assert_int_eq(say(l, "acknowledged"), Q_OK);
	store_sync(s);
	ck_assert_int_eq(reports, 2);
	store_sync(s);
	ck_assert_int_eq(reports, 2); /* nothing new to lose */
	disk_fails = false;
}
END_TEST

START_TEST(the_syncer_keeps_its_interval)
{
	unsigned before;

	opt.interval_ms = 20;
	open_all();
	before = syncs;
	ck_assert_int_eq(say(l, "x"), Q_OK);
	for (int i = 0; syncs == before && i < 5000; i++)
		usleep(10000);
	ck_assert_uint_eq(syncs, before + 1);
	usleep(100000);
	ck_assert_uint_eq(syncs, before + 1); /* nothing to do, nothing done */
	store_set_durability(s, STORE_NEVER, 20);
	ck_assert_int_eq(say(l, "x"), Q_OK);
	usleep(100000);
	ck_assert_uint_eq(syncs, before + 1);
	store_set_durability(s, STORE_INTERVAL, 20);
	for (int i = 0; syncs == before + 1 && i < 5000; i++)
		usleep(10000);
	ck_assert_uint_eq(syncs, before + 2);
}
END_TEST

static void *
one_sync(void *arg)
{
	for (int i = 0; i < 50; i++) {
		between--;
		ck_assert_int_eq(say(l, "x"), Q_OK);
		between++;
	}
	between--;
	return arg;
}

START_TEST(writers_share_a_sync)
{
	enum { THREADS = 32 };
	pthread_t t[THREADS];

	opt.durability = STORE_ALWAYS;
	open_all();
	syncs = 0;
	between = THREADS;
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, one_sync, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	ck_assert_uint_lt(syncs, THREADS * 50 / 2);
	ck_assert_uint_eq(page(0, 2000, NULL).n, THREADS * 50);
}
END_TEST

/* One of several callers whose records go to the disk together. */
struct caller {
	pthread_t thread;
	struct record r;
	enum qerr e, expect;
};

static void *
call(void *arg)
{
	struct caller *c = arg;

	c->e = msglog_append(l, &c->r, 1);
	return NULL;
}

START_TEST(nobody_spoils_a_group_for_others)
{
	static const char small[] = "fits", large[1000] = "does not";
	struct caller c[9];
	struct stat st;
	uint64_t sum = 0;
	int failed = 0; /* Check's own file is limited, too: no checks meanwhile */

	signal(SIGXFSZ, SIG_IGN);
	opt.durability = STORE_ALWAYS;
	open_all();
	ck_assert_int_eq(say(l, "x"), Q_OK);
	ck_assert_int_eq(stat(at(LOG), &st), 0);
	limit(RLIMIT_FSIZE, (rlim_t)st.st_size + 500);
	disk_waits = true; /* so that all come while the first one waits */
	for (int i = 0; i < 9; i++) {
		c[i].r = message(small);
		c[i].expect = Q_OK;
		if (i == 2 || i == 8) { /* not a name */
			c[i].r.from[0] = ' ';
			c[i].expect = Q_FORMAT;
		} else if (i == 3 || i == 6) {
			c[i].r.data = span_of(large, sizeof(large));
			c[i].r.text = false;
			c[i].expect = Q_FULL;
		}
		failed |= pthread_create(&c[i].thread, NULL, call, &c[i]);
		usleep(10000);
	}
	disk_waits = false;
	for (int i = 0; i < 9; i++)
		failed |= pthread_join(c[i].thread, NULL);
	limit(RLIMIT_FSIZE, RLIM_INFINITY);
	ck_assert_int_eq(failed, 0);
	for (int i = 0; i < 9; i++) {
		ck_assert_int_eq(c[i].e, c[i].expect);
		ck_assert_uint_eq(c[i].r.id != 0, c[i].expect == Q_OK);
		sum += c[i].r.id;
	}
	ck_assert_uint_eq(sum, 2 + 3 + 4 + 5 + 6); /* no id twice, none left out */
	ck_assert_uint_eq(page(0, 20, NULL).n, 6);
	ck_assert_int_eq(reports, 0);
}
END_TEST

START_TEST(a_group_whose_sync_fails)
{
	struct caller c[4];

	opt.durability = STORE_ALWAYS;
	open_all();
	ck_assert_int_eq(say(l, "safe"), Q_OK);
	disk_waits = disk_fails = true;
	for (int i = 0; i < 4; i++) {
		c[i].r = message("in doubt");
		ck_assert_int_eq(pthread_create(&c[i].thread, NULL, call, &c[i]), 0);
		usleep(10000);
	}
	disk_waits = false;
	for (int i = 0; i < 4; i++) {
		pthread_join(c[i].thread, NULL);
		ck_assert_int_eq(c[i].e, Q_SYS);
		ck_assert_uint_ne(c[i].r.id, 0);
	}
	ck_assert_int_ge(reports, 1);
	disk_fails = false;
	ck_assert_int_eq(say(l, "safe again"), Q_OK);
	ck_assert_uint_eq(page(0, 9, NULL).n, 6);
}
END_TEST

static int
open_descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 200; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

START_TEST(few_descriptors_for_many_logs)
{
	enum { LOGS = 40 };
	struct msglog *logs[LOGS];
	char name[24];
	int before;

	opt.max_open_logs = 4;
	open_store();
	before = open_descriptors();
	for (int i = 0; i < LOGS; i++) {
		snprintf(name, sizeof(name), "chat%d", i);
		ck_assert_int_eq(msglog_open(s, name, &logs[i]), Q_OK);
	}
	for (int round = 0; round < 3; round++)
		for (int i = 0; i < LOGS; i++) {
			ck_assert_int_eq(say(logs[i], "x"), Q_OK);
			/* The syncer may have one of its own for a moment. */
			ck_assert_int_le(open_descriptors(), before + 4 + 1);
		}
	store_sync(s);
	for (int i = 0; i < LOGS; i++) {
		uint64_t id;

		ck_assert_int_eq(msglog_last_id(logs[i], &id), Q_OK);
		ck_assert_uint_eq(id, 3);
		msglog_close(logs[i]);
	}
	ck_assert_int_eq(reports, 0);
}
END_TEST

START_TEST(no_descriptors_left)
{
	struct msglog *other = NULL;

	open_all();
	ck_assert_int_eq(say(l, "one"), Q_OK);
	ck_assert_int_eq(msglog_open(s, "other", &other), Q_OK);
	limit(RLIMIT_NOFILE, (rlim_t)open_descriptors());
	/* The other's is closed for it, and back again. */
	ck_assert_int_eq(say(other, "one"), Q_OK);
	ck_assert_int_eq(say(l, "two"), Q_OK);
	limit(RLIMIT_NOFILE, RLIM_INFINITY);
	msglog_close(other);
	close_all();
	open_all();
	limit(RLIMIT_NOFILE, 3);
	msglog_close(l);
	l = NULL;
	ck_assert_int_eq(msglog_open(s, "third", &l), Q_NOMEM);
	limit(RLIMIT_NOFILE, RLIM_INFINITY);
	ck_assert_int_eq(msglog_open(s, "third", &l), Q_OK);
	ck_assert_int_eq(say(l, "x"), Q_OK);
}
END_TEST

START_TEST(no_permission)
{
	int status;
	pid_t pid;

	if ((pid = fork()) == 0) {
		ck_assert_int_eq(chmod(tempdir, 0777), 0);
		if (geteuid() == 0 && setuid(65534) != 0)
			_exit(2);
		open_all();
		ck_assert_int_eq(say(l, "x"), Q_OK);
		close_all();
		ck_assert_int_eq(chmod(at(LOG), 0400), 0);
		open_store();
		_exit(msglog_open(s, "a+b", &l) == Q_DENIED ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(not_a_regular_file)
{
	open_store();
	ck_assert_int_eq(symlink("/etc/passwd", at(LOG)), 0);
	ck_assert_int_eq(msglog_open(s, "a+b", &l), Q_SYS);
	ck_assert_int_eq(mkdir(at("d/messages/c.log"), 0700), 0);
	ck_assert_int_eq(msglog_open(s, "c", &l), Q_SYS);
	ck_assert_int_eq(mkfifo(at("d/messages/e.log"), 0600), 0);
	ck_assert_int_eq(msglog_open(s, "e", &l), Q_SYS);
	ck_assert_ptr_null(l);
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
	tcase_add_test(t, torn_at_every_byte);
	tcase_add_test(t, a_flipped_bit_in_the_middle);
	tcase_add_test(t, zeros_in_the_middle_of_a_long_log);
	tcase_add_test(t, zeros_at_the_end);
	tcase_add_test(t, nothing_good_at_all);
	tcase_add_test(t, no_record_inside_a_message);
	tcase_add_test(t, a_shortened_file_does_not_give_ids_twice);
	tcase_add_loop_test(t, kill_at_any_moment, 0, 2);
	tcase_add_test(t, full_disk);
	tcase_add_test(t, torn_and_full);
	tcase_add_test(t, full_disk_and_no_cutting);
	tcase_add_test(t, a_sync_that_fails);
	tcase_add_test(t, the_syncer_keeps_its_interval);
	tcase_add_test(t, writers_share_a_sync);
	tcase_add_test(t, nobody_spoils_a_group_for_others);
	tcase_add_test(t, a_group_whose_sync_fails);
	tcase_add_test(t, few_descriptors_for_many_logs);
	tcase_add_test(t, no_descriptors_left);
	tcase_add_test(t, no_permission);
	tcase_add_test(t, not_a_regular_file);
	tcase_add_loop_test(t, many_threads_in_one_log, 0, 3);
	tcase_add_loop_test(t, many_threads_in_many_logs, 0, 3);
	suite_add_tcase(suite, t);
	return unit_main(suite);
}
