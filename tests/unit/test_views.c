/* SPDX-License-Identifier: MIT
 *
 * Views: which lines stand where, what is counted, and which lines are marked.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/views.h"

#define NOW  INT64_C(1795262400000) /* Saturday, 21 November 2026, 12:00 UTC */
#define DATE "---- Saturday, 21 November 202\n"

static struct views v;

static void
set_up(void)
{
	setenv("TZ", "UTC0", 1);
	tzset();
	ck_assert_int_eq(views_init(&v, false), Q_OK);
}

static void
set_up_apart(void)
{
	setenv("TZ", "UTC0", 1);
	tzset();
	ck_assert_int_eq(views_init(&v, true), Q_OK);
}

static void
tear_down(void)
{
	views_fini(&v);
}

static void
add(enum words_kind kind, const char *view, const char *text)
{
	struct words w;

	words_set(&w, kind, "%s", "");
	w.name = view;
	w.theirs = span_str(text);
	views_add(&v, view, &w, "me", NOW);
}

static void
show(const char *name)
{
	views_show(&v, views_of(&v, name));
}

/* What is in the view of that name, rows behind each other, the empty ones left out. */
static void
expect_(const char *name, const char *want, int line)
{
	struct canvas c = {.cells = NULL};
	struct buf out = BUF_INIT(65536);
	struct view *view = views_find(&v, name);
	size_t before;

	ck_assert_ptr_nonnull(view);
	ck_assert_int_eq(canvas_resize(&c, 8, 30), Q_OK);
	scrollback_draw(&view->lines, &c, 0, c.rows, c.columns);
	for (int row = 0; row < c.rows; row++) {
		before = out.len;
		ck_assert_int_eq(canvas_text(&c, row, &out), Q_OK);
		if (out.len > before)
			ck_assert_int_eq(buf_put_u8(&out, '\n'), Q_OK);
	}
	ck_assert_int_eq(buf_put_u8(&out, 0), Q_OK);
	ck_assert_msg(strcmp((const char *)out.p, want) == 0,
		      "line %d:\n%sinstead of\n%s", line, (const char *)out.p, want);
	buf_free(&out);
	canvas_free(&c);
}
#define expect(name, want) expect_(name, want, __LINE__)

START_TEST(places)
{
	add(WORDS_STATUS, "", "hello");
	add(WORDS_MESSAGE, "bob", "one");
	add(WORDS_STATUS, "bob", "about bob");
	expect("", DATE "12:00 * hello\n12:00 * about bob\n");
	expect("bob", DATE "12:00 <bob> one\n12:00 * about bob\n");
	ck_assert_uint_eq(views_find(&v, "BOB")->unseen, 1);
	ck_assert_ptr_eq(views_unseen(&v), views_find(&v, "bob"));
	show("bob");
	ck_assert_ptr_null(views_unseen(&v));
	add(WORDS_OWN, "bob", "two");
	add(WORDS_MESSAGE, "carol", "three");
	add(WORDS_TROUBLE, "", "no");
	expect("bob",
	       DATE "12:00 <bob> one\n12:00 * about bob\n12:00 <me> two\n12:00 ! no\n");
	expect("carol", DATE "12:00 <carol> three\n");
	expect("", DATE "12:00 * hello\n12:00 * about bob\n"
			"---- new ---------------------\n12:00 ! no\n");
}
END_TEST

/* "new" stands where one has stopped to look, in each view. */
START_TEST(marks)
{
	show("bob");
	add(WORDS_MESSAGE, "bob", "one");
	show("carol");
	show("bob"); /* nothing has come */
	add(WORDS_MESSAGE, "bob", "two");
	expect("bob", DATE "12:00 <bob> one\n12:00 <bob> two\n");
	show("carol");
	add(WORDS_MESSAGE, "bob", "three");
	show("bob");
	expect("bob", DATE "12:00 <bob> one\n12:00 <bob> two\n"
			   "---- new ---------------------\n12:00 <bob> three\n");
}
END_TEST

/* Counted for all together: the newest lines, whoever they were for. */
START_TEST(on_the_way)
{
	add(WORDS_OWN, "bob", "one");
	add(WORDS_OWN, "carol", "two");
	add(WORDS_OWN, "bob", "three");
	views_unanswered(&v, "bob", 2);
	expect("bob", DATE "12:00 <me> one\n12:00?<me> three\n");
	expect("carol", DATE "12:00?<me> two\n");
	views_unanswered(&v, "bob", 1);
	expect("carol", DATE "12:00 <me> two\n");
	views_doubt(&v, "bob");
	expect("bob", DATE "12:00 <me> one\n12:00!<me> three\n");
	expect("carol", DATE "12:00 <me> two\n");
}
END_TEST

/* Counted for each: those to the others stay as they were. */
START_TEST(on_the_way_apart)
{
	add(WORDS_OWN, "bob", "one");
	add(WORDS_OWN, "bob", "two");
	views_unanswered(&v, "bob", 2);
	add(WORDS_OWN, "carol", "three");
	views_unanswered(&v, "carol", 1);
	expect("bob", DATE "12:00?<me> one\n12:00?<me> two\n");
	expect("carol", DATE "12:00?<me> three\n");
	views_arrived(&v, "bob");
	expect("bob", DATE "12:00 <me> one\n12:00?<me> two\n");
	views_doubt(&v, "bob");
	expect("bob", DATE "12:00 <me> one\n12:00!<me> two\n");
	expect("carol", DATE "12:00?<me> three\n");
}
END_TEST

START_TEST(beside)
{
	show("bob");
	show("carol");
	ck_assert_str_eq(views_beside(&v, 1)->name, "");
	ck_assert_str_eq(views_beside(&v, -1)->name, "bob");
	show("");
	ck_assert_str_eq(views_beside(&v, -1)->name, "carol");
}
END_TEST

START_TEST(clear)
{
	add(WORDS_MESSAGE, "bob", "one");
	add(WORDS_MESSAGE, "carol", "two");
	views_clear(&v, "bob");
	expect("bob", "");
	expect("carol", DATE "12:00 <carol> two\n");
	ck_assert_ptr_eq(views_unseen(&v), views_find(&v, "carol"));
	views_clear(&v, NULL);
	expect("carol", "");
	ck_assert_ptr_null(views_unseen(&v));
}
END_TEST

/* One more takes the place of the one that was not shown for longest, and has no chat. */
START_TEST(many)
{
	char name[NAME_SIZE];

	for (int i = 1; i < VIEWS_MAX; i++) {
		snprintf(name, sizeof(name), "user%d", i);
		show(name);
		v.now->open = i <= 2;
	}
	show("one-more");
	ck_assert_uint_eq(v.count, VIEWS_MAX);
	ck_assert_ptr_nonnull(views_find(&v, ""));
	ck_assert_ptr_nonnull(views_find(&v, "user1"));
	ck_assert_ptr_nonnull(views_find(&v, "user2"));
	ck_assert_ptr_null(views_find(&v, "user3"));
	for (size_t i = 0; i < v.count; i++)
		v.all[i]->open = true;
	add(WORDS_MESSAGE, "another", "hello"); /* which was not shown */
	ck_assert_ptr_null(views_find(&v, "user1"));
	ck_assert_ptr_nonnull(views_find(&v, "one-more"));
	add(WORDS_MESSAGE, "yet-another", "hello");
	ck_assert_ptr_null(views_find(&v, "another"));
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("views");
	TCase *t = tcase_create("together"), *u = tcase_create("apart");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, places);
	tcase_add_test(t, marks);
	tcase_add_test(t, on_the_way);
	tcase_add_test(t, beside);
	tcase_add_test(t, clear);
	tcase_add_test(t, many);
	suite_add_tcase(s, t);
	tcase_add_checked_fixture(u, set_up_apart, tear_down);
	tcase_add_test(u, on_the_way_apart);
	suite_add_tcase(s, u);
	return s;
}

int
main(void)
{
	return unit_main(suite());
}
