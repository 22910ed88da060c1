/* SPDX-License-Identifier: MIT
 *
 * Whole files: read, replaced, made by exactly one, on full disks too.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>

#include "store/file.h"
#include "tests/unit/tempdir.h"

static int dir;

static void
setup(void)
{
	tempdir_make();
	dir = open(tempdir, O_RDONLY | O_DIRECTORY);
	ck_assert_int_ge(dir, 0);
}

static void
teardown(void)
{
	close(dir);
	tempdir_remove();
}

static void
assert_content(const char *name, const char *want)
{
	struct buf b = slurp(name);

	ck_assert(span_eq(buf_span(&b), span_str(want)));
	buf_free(&b);
}

static unsigned
mode_of(const char *name)
{
	struct stat st;

	ck_assert_int_eq(stat(at(name), &st), 0);
	return st.st_mode & 07777;
}

START_TEST(read_appends)
{
	struct buf b = BUF_INIT(9);
	struct stat st;

	spill("f", span_str("hello"));
	ck_assert_int_eq(buf_put_str(&b, "oh, "), Q_OK);
	ck_assert_int_eq(file_read(dir, "f", &b), Q_OK); /* just fits */
	ck_assert(span_eq(buf_span(&b), span_str("oh, hello")));
	ck_assert_int_eq(file_read(dir, "f", &b), Q_LIMIT);
	ck_assert_uint_eq(b.len, 9);
	b.len = 0;
	ck_assert_int_eq(file_read_limit(dir, "f", 4, &b, &st), Q_LIMIT);
	ck_assert_int_eq(file_read_limit(dir, "f", 5, &b, &st), Q_OK);
	ck_assert_int_eq(st.st_size, 5);
	buf_free(&b);
}
END_TEST

START_TEST(what_cannot_be_read)
{
	struct buf b = BUF_INIT(100);

	ck_assert_int_eq(file_read(dir, "none", &b), Q_MISSING);
	ck_assert_int_eq(mkdir(at("folder"), 0700), 0);
	ck_assert_int_eq(file_read(dir, "folder", &b), Q_SYS);
	ck_assert_int_eq(errno, EISDIR);
	ck_assert_int_eq(mkfifo(at("fifo"), 0600), 0);
	ck_assert_int_eq(file_read(dir, "fifo", &b), Q_SYS); /* and does not wait */
	ck_assert_uint_eq(b.len, 0);
	buf_free(&b);
}
END_TEST

/* proc's files say a size of 0. */
START_TEST(files_longer_than_they_say)
{
	int proc = open("/proc/self", O_RDONLY | O_DIRECTORY);
	struct buf b = BUF_INIT(1 << 20), small = BUF_INIT(10);
	struct stat st;

	ck_assert_int_ge(proc, 0);
	ck_assert_int_eq(file_read(proc, "status", &b), Q_OK);
	ck_assert_uint_gt(b.len, 100);
	ck_assert_int_eq(file_read(proc, "status", &small), Q_LIMIT);
	ck_assert_uint_eq(small.len, 0);
	b.len = 0;
	ck_assert_int_eq(file_read_limit(proc, "status", 50, &b, &st), Q_LIMIT);
	ck_assert_uint_eq(b.len, 0);
	close(proc);
	buf_free(&b);
	buf_free(&small);
}
END_TEST

START_TEST(replace_makes_and_replaces)
{
	mode_t before = umask(0777);

	ck_assert_int_eq(file_replace(dir, "f", span_str("one"), 0600), Q_OK);
	ck_assert_uint_eq(mode_of("f"), 0600);
	ck_assert_int_eq(file_replace(dir, "f", span_str("two"), 0644), Q_OK);
	ck_assert_uint_eq(mode_of("f"), 0644);
	umask(before);
	assert_content("f", "two");
	ck_assert_int_eq(file_replace(dir, "f", span_of(NULL, 0), 0600), Q_OK);
	assert_content("f", "");
	ck_assert_int_eq(count_names("", ""), 1);
}
END_TEST

START_TEST(replace_does_not_follow_links)
{
	spill("target", span_str("safe"));
	ck_assert_int_eq(symlink("target", at("f")), 0);
	ck_assert_int_eq(file_replace(dir, "f", span_str("new"), 0600), Q_OK);
	assert_content("target", "safe");
	assert_content("f", "new");
}
END_TEST

START_TEST(a_failed_replacement_leaves_the_old)
{
	ck_assert_int_eq(mkdir(at("folder"), 0700), 0);
	ck_assert_int_ne(file_replace(dir, "folder", span_str("x"), 0600), Q_OK);
	ck_assert_int_eq(count_names("", ""), 1);
}
END_TEST

START_TEST(full_disk)
{
	static char big[10000];

	ck_assert_int_eq(file_replace(dir, "f", span_str("old"), 0600), Q_OK);
	limit_files(5000);
	ck_assert_int_eq(file_replace(dir, "f", span_of(big, sizeof(big)), 0600), Q_FULL);
	ck_assert_int_eq(file_create(dir, "g", span_of(big, sizeof(big)), 0600), Q_FULL);
	limit_files(RLIM_INFINITY);
	assert_content("f", "old");
	ck_assert_int_eq(count_names("", ""), 1);
	ck_assert_int_eq(file_replace(dir, "f", span_of(big, sizeof(big)), 0600), Q_OK);
}
END_TEST

START_TEST(no_descriptors)
{
	struct rlimit was, none;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &was), 0);
	none = was;
	none.rlim_cur = (rlim_t)dir + 1;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	ck_assert_int_eq(file_replace(dir, "f", span_str("x"), 0600), Q_NOMEM);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &was), 0);
	ck_assert_int_eq(count_names("", ""), 0);
}
END_TEST

START_TEST(create_refuses_what_is_there)
{
	ck_assert_int_eq(file_create(dir, "f", span_str("one"), 0600), Q_OK);
	ck_assert_uint_eq(mode_of("f"), 0600);
	ck_assert_int_eq(file_create(dir, "f", span_str("two"), 0600), Q_EXISTS);
	assert_content("f", "one");
	ck_assert_int_eq(count_names("", ""), 1);
}
END_TEST

static _Atomic int winners, losers;

static void *
racer(void *arg)
{
	(void)arg;
	for (int i = 0; i < 20; i++) {
		char name[16];
		enum qerr e;

		snprintf(name, sizeof(name), "f%d", i);
		e = file_create(dir, name, span_str("mine"), 0600);
		if (e == Q_OK)
			winners++;
		else if (e == Q_EXISTS)
			losers++;
	}
	return NULL;
}

START_TEST(one_of_many_creates)
{
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, racer, NULL), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	ck_assert_int_eq(winners, 20);
	ck_assert_int_eq(losers, 60);
	ck_assert_int_eq(count_names("", ""), 20);
}
END_TEST

START_TEST(removing)
{
	spill("f", span_str("x"));
	ck_assert_int_eq(file_remove(dir, "f"), Q_OK);
	ck_assert(!exists("f"));
	ck_assert_int_eq(file_remove(dir, "f"), Q_MISSING);
}
END_TEST

START_TEST(temporary_names)
{
	char name[FILE_TEMP_SIZE], stale[FILE_TEMP_SIZE], other[FILE_TEMP_SIZE];
	int fd, n;

	ck_assert_int_eq(file_temp_open(dir, name, &fd), Q_OK);
	close(fd);
	ck_assert(file_is_temporary(name));
	ck_assert(!file_is_temporary("alice"));
	ck_assert(!file_is_temporary("x.tmp-1"));
	/* A leftover of a process that had our pid is not in the way. */
	ck_assert_int_eq(sscanf(strrchr(name, '-'), "-%d", &n), 1);
	snprintf(stale, sizeof(stale), "%.*s-%d", (int)(strrchr(name, '-') - name), name,
		 n + 1);
	spill(stale, span_str("stale"));
	ck_assert_int_eq(file_temp_open(dir, other, &fd), Q_OK);
	close(fd);
	ck_assert_str_ne(other, stale);
	assert_content(stale, "stale");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("file");
	TCase *t = tcase_create("whole files");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, read_appends);
	tcase_add_test(t, what_cannot_be_read);
	tcase_add_test(t, files_longer_than_they_say);
	tcase_add_test(t, replace_makes_and_replaces);
	tcase_add_test(t, replace_does_not_follow_links);
	tcase_add_test(t, a_failed_replacement_leaves_the_old);
	tcase_add_test(t, full_disk);
	tcase_add_test(t, no_descriptors);
	tcase_add_test(t, create_refuses_what_is_there);
	tcase_add_test(t, one_of_many_creates);
	tcase_add_test(t, removing);
	tcase_add_test(t, temporary_names);
	suite_add_tcase(s, t);
	return unit_main(s);
}
