/* SPDX-License-Identifier: MIT
 *
 * Message logs when something runs short: full disks, disks that fail, few descriptors.
 */
#include "tests/unit/msglog_store.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>

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

int
main(void)
{
	Suite *suite = suite_create("msglog_short");
	TCase *t = tcase_create("logs");

	tcase_add_checked_fixture(t, setup, teardown);
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
	suite_add_tcase(suite, t);
	return unit_main(suite);
}
