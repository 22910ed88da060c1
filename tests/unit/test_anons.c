/* SPDX-License-Identifier: MIT
 *
 * Announcements: pages of them, newest first; ids that never come back; what is removed
 * leaves nothing of its words; damage is seen.
 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "store/anons.h"
#include "store/anons_priv.h"
#include "store/check.h"
#include "store/fields.h"
#include "tests/unit/said.h"
#include "tests/unit/tempdir.h"

#define ADDERS    4
#define EACH_ADDS 25

static struct store *s;
static struct anons *as;

static void
open_all(void)
{
	struct store_options opt = STORE_OPTIONS_DEFAULT;
	struct why why;

	opt.report = say;
	said[0] = '\0';
	ck_assert_int_eq(store_open(at("d"), &opt, &s, &why), Q_OK);
	ck_assert_int_eq(anons_open(s, &as), Q_OK);
}

static void
close_all(void)
{
	anons_close(as);
	store_close(s);
}

static void
setup(void)
{
	tempdir_make();
	open_all();
}

static void
teardown(void)
{
	close_all();
	tempdir_remove();
}

static struct anon
anon(const char *author, const char *title, const char *text)
{
	struct anon a = {0};

	strcpy(a.author, author);
	strcpy(a.title, title);
	strcpy(a.text, text);
	return a;
}

static uint64_t
add(const char *author, const char *title)
{
	struct anon a = anon(author, title, "two\nlines");

	ck_assert_int_eq(anons_add(as, &a), Q_OK);
	return a.id;
}

struct page {
	uint64_t ids[200];
	size_t n;
	size_t stop_at;
};

static bool
collect(void *arg, const struct anon *a)
{
	struct page *p = arg;

	p->ids[p->n++] = a->id;
	return p->n != p->stop_at;
}

/* The ids of a page as text. */
static const char *
page(uint64_t before, size_t max)
{
	static char out[1024];
	struct page p = {.n = 0};

	ck_assert_int_eq(anons_list(as, before, max, collect, &p), Q_OK);
	out[0] = '\0';
	for (size_t i = 0; i < p.n; i++)
		sprintf(out + strlen(out), " %llu", (unsigned long long)p.ids[i]);
	return out;
}

START_TEST(comes_back_as_it_went)
{
	struct anon a =
	    anon("Alice", "Bike \xf0\x9f\x9a\xb2, \"new\"", "line\r\n\tnext \x1b[0m");
	struct anon b;

	ck_assert_int_eq(anons_add(as, &a), Q_OK);
	ck_assert_uint_eq(a.id, 1);
	ck_assert_int_gt(a.created_ms, 1700000000000);
	for (int round = 0; round < 2; round++) {
		ck_assert_int_eq(anons_get(as, 1, &b), Q_OK);
		ck_assert_str_eq(b.author, "Alice");
		ck_assert_str_eq(b.title, a.title);
		ck_assert_str_eq(b.text, a.text);
		ck_assert_int_eq(b.created_ms, a.created_ms);
		close_all();
		open_all();
	}
	a = anon("bob", "t", "");
	ck_assert_int_eq(anons_add(as, &a), Q_OK);
	ck_assert_int_eq(anons_get(as, 2, &b), Q_OK);
	ck_assert_str_eq(b.text, "");
}
END_TEST

START_TEST(the_longest)
{
	static struct anon a, b;

	strcpy(a.author, "alice");
	memset(a.title, 1, ANON_TITLE_MAX);
	memset(a.text, 2, ANON_TEXT_MAX);
	ck_assert_int_eq(anons_add(as, &a), Q_OK);
	ck_assert_int_eq(anons_get(as, a.id, &b), Q_OK);
	ck_assert_str_eq(a.text, b.text);
}
END_TEST

START_TEST(what_is_refused)
{
	struct anon a = anon("alice", "", "text"), b;

	ck_assert_int_eq(anons_add(as, &a), Q_LIMIT);
	a = anon("no name", "t", "");
	ck_assert_int_eq(anons_add(as, &a), Q_FORMAT);
	a = anon("", "t", "");
	ck_assert_int_eq(anons_add(as, &a), Q_FORMAT);
	a = anon("alice", "\xff", "");
	ck_assert_int_eq(anons_add(as, &a), Q_FORMAT);
	a = anon("alice", "t", "\xed\xa0\x80");
	ck_assert_int_eq(anons_add(as, &a), Q_FORMAT);
	ck_assert_uint_eq(a.id, 0);
	ck_assert_int_eq(anons_get(as, 1, &b), Q_MISSING);
	ck_assert_int_eq(anons_get(as, 0, &b), Q_MISSING);
	ck_assert_int_eq(anons_get(as, UINT64_MAX, &b), Q_MISSING);
	ck_assert_str_eq(page(0, 100), "");
}
END_TEST

START_TEST(pages)
{
	struct page p = {.stop_at = 2};

	for (int i = 0; i < 7; i++)
		add("alice", "t");
	for (int round = 0; round < 2; round++) {
		ck_assert_str_eq(page(0, 3), " 7 6 5");
		ck_assert_str_eq(page(5, 3), " 4 3 2");
		ck_assert_str_eq(page(2, 3), " 1");
		ck_assert_str_eq(page(1, 3), "");
		ck_assert_str_eq(page(1000, 1), " 7");
		ck_assert_str_eq(page(0, 0), "");
		close_all();
		open_all();
	}
	ck_assert_int_eq(anons_list(as, 0, 5, collect, &p), Q_OK);
	ck_assert_uint_eq(p.n, 2);
}
END_TEST

/* An id is never another announcement's, and the file keeps no word. */
START_TEST(removed_for_good)
{
	char file[512];
	struct anon a;
	int fd;
	ssize_t n;

	add("alice", "the secret title");
	add("alice", "t");
	ck_assert_int_eq(anons_remove(as, 2), Q_OK);
	ck_assert_int_eq(anons_remove(as, 1), Q_OK);
	ck_assert_int_eq(anons_remove(as, 1), Q_MISSING);
	ck_assert_int_eq(anons_get(as, 1, &a), Q_MISSING);
	ck_assert_str_eq(page(0, 10), "");
	fd = open(at("d/anons/1"), O_RDONLY);
	ck_assert_int_ge(fd, 0);
	n = read(fd, file, sizeof(file) - 1);
	close(fd);
	ck_assert_int_gt(n, 0);
	file[n] = '\0';
	ck_assert_ptr_null(strstr(file, "secret"));
	ck_assert_ptr_nonnull(strstr(file, "removed: "));
	close_all();
	open_all();
	ck_assert_str_eq(page(0, 10), "");
	ck_assert_uint_eq(add("bob", "t"), 3);
}
END_TEST

START_TEST(forgets_a_user)
{
	add("Alice", "a");
	add("bob", "b");
	add("alice", "c");
	ck_assert_int_eq(anons_forget(as, "aLICE"), Q_OK);
	ck_assert_str_eq(page(0, 10), " 2");
	ck_assert_int_eq(anons_forget(as, "carol"), Q_OK);
	ck_assert_str_eq(page(0, 10), " 2");
}
END_TEST

static void
scribble(const char *file, const char *text)
{
	int fd = open(at(file), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void
check_one(void *arg, const char *sentence)
{
	say(NULL, sentence);
	(*(int *)arg)++;
}

/* One damaged file is reported and costs no other, nor its number. */
START_TEST(damage)
{
	struct check_result result;
	struct anon a;
	int problems = 0;

	for (int i = 0; i < 3; i++)
		add("alice", "t");
	close_all();
	scribble("d/anons/2", "author: mallory\n");
	scribble("d/anons/zwei", "");
	scribble("d/anons/007", "");
	open_all();
	ck_assert_ptr_nonnull(strstr(said, "anons/2: damaged"));
	ck_assert_str_eq(page(0, 10), " 3 1");
	ck_assert_int_eq(anons_get(as, 2, &a), Q_MISSING);
	scribble("d/anons/3", "");
	ck_assert_str_eq(page(0, 10), " 1");
	ck_assert_int_eq(anons_get(as, 3, &a), Q_FORMAT);
	ck_assert_uint_eq(add("bob", "t"), 4);
	/* "server check" names all four. */
	said[0] = '\0';
	ck_assert_int_eq(store_check(s, false, check_one, &problems, &result), Q_OK);
	ck_assert_ptr_nonnull(strstr(said, "anons/2"));
	ck_assert_ptr_nonnull(strstr(said, "anons/3"));
	ck_assert_ptr_nonnull(strstr(said, "anons/zwei"));
	ck_assert_ptr_nonnull(strstr(said, "anons/007"));
	ck_assert_int_eq(problems, 4);
}
END_TEST

START_TEST(decodes_strictly)
{
	static const char *const rows[] = {
	    "",
	    "quintet-anon: 1\nid: 1\nauthor: a\ncreated: 5\n",             /* no title */
	    "quintet-anon: 1\nid: 1\nremoved: 5\ntitle: t\n",              /* no author */
	    "quintet-anon: 1\nid: 0\nauthor: a\ncreated: 5\ntitle: t\n",   /* id */
	    "quintet-anon: 1\nid: 1\nauthor: a b\ncreated: 5\ntitle: t\n", /* name */
	    "quintet-anon: 2\nid: 1\nauthor: a\ncreated: 5\ntitle: t\n",   /* version */
	    "quintet-anon: 1\nid: 1\nauthor: a\ncreated: 5\ntitle: t\nx: y\n", /* more */
	};
	struct buf b = BUF_INIT(ANON_FILE_MAX);
	struct anon a = {.id = 77};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		b.len = 0;
		ck_assert_int_eq(buf_put_str(&b, rows[i]), Q_OK);
		ck_assert_int_eq(fields_put_check(&b, 0), Q_OK);
		ck_assert_msg(anon_decode(buf_span(&b), &a) == Q_FORMAT, "row %zu", i);
	}
	ck_assert_uint_eq(a.id, 77);
	buf_free(&b);
}
END_TEST

/* A full disk: an error, nothing half made, and it works again with room. */
START_TEST(full_disk)
{
	struct anon a = anon("alice", "t", "");

	limit_files(20);
	ck_assert_int_eq(anons_add(as, &a), Q_FULL);
	ck_assert_uint_eq(a.id, 0);
	limit_files(RLIM_INFINITY);
	ck_assert_str_eq(page(0, 10), "");
	ck_assert_int_eq(anons_add(as, &a), Q_OK);
	limit_files(20);
	ck_assert_int_eq(anons_remove(as, a.id), Q_FULL);
	limit_files(RLIM_INFINITY);
	ck_assert_int_eq(anons_get(as, a.id, &a), Q_OK);
	close_all();
	open_all();
	ck_assert_int_eq(anons_get(as, a.id, &a), Q_OK);
}
END_TEST

static void *
adder(void *arg)
{
	uint64_t *ids = arg, last = 0;

	for (int i = 0; i < EACH_ADDS; i++) {
		struct anon a = anon("alice", "t", "");

		ck_assert_int_eq(anons_add(as, &a), Q_OK);
		ck_assert_uint_gt(a.id, last);
		ids[i] = last = a.id;
	}
	return NULL;
}

START_TEST(many_at_once)
{
	static uint64_t ids[ADDERS][EACH_ADDS];
	struct page p = {.n = 0};
	pthread_t t[ADDERS];

	for (int i = 0; i < ADDERS; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, adder, ids[i]), 0);
	for (int i = 0; i < ADDERS; i++)
		pthread_join(t[i], NULL);
	ck_assert_int_eq(anons_list(as, 0, 200, collect, &p), Q_OK);
	ck_assert_uint_eq(p.n, ADDERS * EACH_ADDS);
	for (size_t i = 0; i < p.n; i++)
		ck_assert_uint_eq(p.ids[i], p.n - i);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("anons");
	TCase *t = tcase_create("anons");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, comes_back_as_it_went);
	tcase_add_test(t, the_longest);
	tcase_add_test(t, what_is_refused);
	tcase_add_test(t, pages);
	tcase_add_test(t, removed_for_good);
	tcase_add_test(t, forgets_a_user);
	tcase_add_test(t, damage);
	tcase_add_test(t, decodes_strictly);
	tcase_add_test(t, full_disk);
	tcase_add_test(t, many_at_once);
	suite_add_tcase(suite, t);
	return unit_main(suite);
}
