/* SPDX-License-Identifier: MIT
 *
 * What has happened, drawn on a canvas and read from it.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "client/scrollback.h"

#define NOW    INT64_C(1795262400000) /* Saturday, 21 November 2026, 12:00 UTC */
#define MINUTE 60000

static struct scrollback s;
static struct canvas c;

static void
set_up(void)
{
	setenv("TZ", "UTC0", 1);
	tzset();
	ck_assert_int_eq(scrollback_init(&s), Q_OK);
	c = (struct canvas){.cells = NULL};
	ck_assert_int_eq(canvas_resize(&c, 6, 30), Q_OK);
}

static void
tear_down(void)
{
	scrollback_fini(&s);
	canvas_free(&c);
}

static void
say_at(enum words_kind kind, const char *name, const char *text, int64_t time_ms)
{
	struct words w;

	words_set(&w, kind, "%s", "");
	w.name = name;
	w.theirs = span_str(text);
	scrollback_add(&s, &w, "me", time_ms);
}

static void
say(const char *text)
{
	say_at(WORDS_MESSAGE, "bob", text, NOW);
}

/* The whole canvas, rows behind each other with '\n', must be this. */
static void
expect_(const char *want, int line)
{
	struct buf out = BUF_INIT(65536);

	canvas_clear(&c);
	scrollback_draw(&s, &c, 0, c.rows, c.columns);
	for (int row = 0; row < c.rows; row++) {
		ck_assert_int_eq(canvas_text(&c, row, &out), Q_OK);
		ck_assert_int_eq(buf_put_u8(&out, '\n'), Q_OK);
	}
	ck_assert_int_eq(buf_put_u8(&out, 0), Q_OK);
	ck_assert_msg(strcmp((const char *)out.p, want) == 0,
		      "line %d:\n%sinstead of\n%s", line, (const char *)out.p, want);
	buf_free(&out);
}
#define expect(want) expect_(want, __LINE__)

START_TEST(kinds)
{
	struct words w;

	say("hello");
	say_at(WORDS_OWN, "bob", "hi", NOW);
	words_set(&w, WORDS_STATUS, "notice: ");
	w.theirs = span_str("a\nb");
	scrollback_add(&s, &w, "me", NOW);
	words_set(&w, WORDS_TROUBLE, "no");
	scrollback_add(&s, &w, "me", NOW);
	words_set(&w, WORDS_MESSAGE, "%s", "");
	w.name = "bob";
	w.theirs = span_str("late");
	w.old = true;
	w.time_ms = NOW - MINUTE;
	scrollback_add(&s, &w, "me", NOW);
	expect("---- Saturday, 21 November 202\n"
	       "12:00 <bob> hello\n"
	       "12:00 <me> hi\n"
	       "12:00 * notice: a\\x0ab\n"
	       "12:00 ! no\n"
	       "11:59~<bob> late\n");
}
END_TEST

START_TEST(wraps)
{
	say("one two three four five six\nseven");
	expect("\n\n"
	       "---- Saturday, 21 November 202\n"
	       "12:00 <bob> one two three four\n"
	       "      | five six\n"
	       "      | seven\n");
}
END_TEST

START_TEST(wraps_wide)
{
	/* Wide glyphs are not cut in two; a word longer than the row is. */
	say("\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0"
	    "\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0"
	    "x\xe4\xbd\xa0");
	expect("\n\n\n"
	       "---- Saturday, 21 November 202\n"
	       "12:00 <bob> \xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0"
	       "\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\n"
	       "      | x\xe4\xbd\xa0\n");
}
END_TEST

/* A message cannot look like two. */
START_TEST(no_forgery)
{
	say("x\n12:01 <carol> I am not bob\r\n\x1b[2J\xe2\x80\xae");
	expect("\n"
	       "---- Saturday, 21 November 202\n"
	       "12:00 <bob> x\n"
	       "      | 12:01 <carol> I am not\n"
	       "      | bob\n"
	       "      | \\x1b[2J\\u{202e}\n");
}
END_TEST

START_TEST(days_and_marks)
{
	say("one");
	scrollback_look_away(&s);
	scrollback_look_away(&s); /* still the same absence, seen from here */
	say_at(WORDS_MESSAGE, "bob", "two", NOW + 13 * 60 * MINUTE);
	expect("\n"
	       "---- Saturday, 21 November 202\n"
	       "12:00 <bob> one\n"
	       "---- Sunday, 22 November 2026\n"
	       "---- new ---------------------\n"
	       "01:00 <bob> two\n");
	scrollback_unmark(&s);
	expect("\n\n"
	       "---- Saturday, 21 November 202\n"
	       "12:00 <bob> one\n"
	       "---- Sunday, 22 November 2026\n"
	       "01:00 <bob> two\n");
}
END_TEST

START_TEST(arrivals)
{
	for (int i = 0; i < 2; i++)
		say_at(WORDS_OWN, "bob", "a", NOW);
	say("b");
	say_at(WORDS_OWN, "bob", "c", NOW);
	scrollback_unanswered(&s, 2);
	expect("\n---- Saturday, 21 November 202\n12:00 <me> a\n12:00?<me> a\n"
	       "12:00 <bob> b\n12:00?<me> c\n");
	scrollback_unanswered(&s, 1);
	expect("\n---- Saturday, 21 November 202\n12:00 <me> a\n12:00 <me> a\n"
	       "12:00 <bob> b\n12:00?<me> c\n");
	/* What comes later is no longer about this one. */
	scrollback_doubt(&s);
	say_at(WORDS_OWN, "bob", "d", NOW);
	scrollback_unanswered(&s, 0);
	expect("---- Saturday, 21 November 202\n12:00 <me> a\n12:00 <me> a\n"
	       "12:00 <bob> b\n12:00!<me> c\n12:00 <me> d\n");
	/* More than are kept. */
	scrollback_unanswered(&s, 100);
	scrollback_clear(&s);
	say_at(WORDS_OWN, "bob", "e", NOW);
	scrollback_doubt(&s);
	scrollback_doubt(&s);
}
END_TEST

START_TEST(scrolls)
{
	for (int i = 1; i <= 10; i++) {
		char text[8];

		snprintf(text, sizeof(text), "%d", i);
		say(text);
	}
	expect("12:00 <bob> 5\n12:00 <bob> 6\n12:00 <bob> 7\n12:00 <bob> 8\n"
	       "12:00 <bob> 9\n12:00 <bob> 10\n");
	scrollback_scroll(&s, -2);
	ck_assert(!s.follow);
	expect("12:00 <bob> 3\n12:00 <bob> 4\n12:00 <bob> 5\n12:00 <bob> 6\n"
	       "12:00 <bob> 7\n12:00 <bob> 8\n");
	say("new"); /* does not move what is read */
	ck_assert_uint_eq(s.unseen, 1);
	expect("12:00 <bob> 3\n12:00 <bob> 4\n12:00 <bob> 5\n12:00 <bob> 6\n"
	       "12:00 <bob> 7\n12:00 <bob> 8\n");
	scrollback_scroll(&s, -1000);
	expect("---- Saturday, 21 November 202\n12:00 <bob> 1\n12:00 <bob> 2\n"
	       "12:00 <bob> 3\n12:00 <bob> 4\n12:00 <bob> 5\n");
	scrollback_scroll(&s, 3);
	expect("12:00 <bob> 3\n12:00 <bob> 4\n12:00 <bob> 5\n12:00 <bob> 6\n"
	       "12:00 <bob> 7\n12:00 <bob> 8\n");
	scrollback_scroll(&s, 1000);
	ck_assert(s.follow);
	ck_assert_uint_eq(s.unseen, 0);
	scrollback_top(&s);
	ck_assert(!s.follow);
	scrollback_bottom(&s);
	expect("12:00 <bob> 6\n12:00 <bob> 7\n12:00 <bob> 8\n12:00 <bob> 9\n"
	       "12:00 <bob> 10\n12:00 <bob> new\n");
}
END_TEST

START_TEST(searches)
{
	say("the \xc3\x84pfel");
	for (int i = 0; i < 20; i++)
		say("nothing");
	say("more \xc3\xa4PFEL, \xc3\xa4pfel");
	for (int i = 0; i < 20; i++)
		say("nothing");
	canvas_clear(&c);
	scrollback_draw(&s, &c, 0, c.rows, c.columns);
	ck_assert(!scrollback_search(&s, span_str("birnen")));
	ck_assert(scrollback_search(&s, span_str("\xc3\xa4pf")));
	ck_assert_uint_eq(scrollback_matches(&s), 2);
	canvas_clear(&c);
	scrollback_draw(&s, &c, 0, c.rows, c.columns);
	{
		int reversed = 0, row = -1;

		for (int i = 0; i < c.rows * c.columns; i++)
			if ((c.cells[i].style & STYLE_REVERSE) != 0) {
				reversed++;
				row = i / c.columns;
			}
		ck_assert_int_eq(reversed, 6);
		ck_assert_str_eq(canvas_cell(&c, row, 5)->text, ">");
	}
	ck_assert(scrollback_again(&s, -1));
	ck_assert(!scrollback_again(&s, -1));
	ck_assert(scrollback_again(&s, 1));
	ck_assert(!scrollback_again(&s, 1));
	ck_assert(scrollback_search(&s, span_str("BOB"))); /* names count */
	ck_assert(!scrollback_search(&s, span_str("")));
}
END_TEST

/* Any width, any text, any place: it ends, and stays within the canvas. */
START_TEST(any_size)
{
	unsigned seed = 7;

	for (int i = 0; i < 60; i++) {
		char text[200];
		size_t n = 0;

		while (n < sizeof(text) - 5) {
			static const char *const parts[] = {"a",
							    " ",
							    "\n",
							    "\t",
							    "\x1b",
							    "\xe4\xbd\xa0",
							    "\xf0\x9f\x98\x80",
							    "\xff"};
			const char *part;

			seed = seed * 1103515245u + 12345u;
			part = parts[seed >> 16 & 7];
			memcpy(text + n, part, strlen(part));
			n += strlen(part);
		}
		text[n] = '\0';
		say_at(i % 2 != 0 ? WORDS_MESSAGE : WORDS_OWN,
		       "a_name_of_thirty_two_characters_", text, NOW + i * MINUTE * 60);
	}
	for (int rows = 1; rows < 12; rows++)
		for (int columns = 1; columns < 60; columns += 3) {
			ck_assert_int_eq(canvas_resize(&c, rows, columns), Q_OK);
			scrollback_draw(&s, &c, 0, rows, columns);
			scrollback_scroll(&s, rows % 2 != 0 ? -7 : 5);
			scrollback_draw(&s, &c, 0, rows, columns);
			(void)scrollback_search(&s, span_str("\xe4\xbd\xa0 a"));
			scrollback_draw(&s, &c, 0, rows, columns);
		}
}
END_TEST

START_TEST(forgets)
{
	char *big = malloc(2 * SCROLLBACK_LINE_MAX);

	ck_assert_ptr_nonnull(big);
	memset(big, 'x', 2 * SCROLLBACK_LINE_MAX);
	big[2 * SCROLLBACK_LINE_MAX - 1] = '\0';
	say(big);
	ck_assert_uint_eq(s.count, 2); /* and one that says what is missing */
	for (int i = 0; i < 400; i++)
		say(big);
	ck_assert_uint_le(s.bytes, SCROLLBACK_BYTES + 2 * SCROLLBACK_LINE_MAX);
	canvas_clear(&c);
	scrollback_draw(&s, &c, 0, c.rows, c.columns);
	scrollback_top(&s);
	for (int i = 0; i < SCROLLBACK_LINES + 10; i++)
		say("x");
	ck_assert_uint_eq(s.count, SCROLLBACK_LINES);
	scrollback_draw(&s, &c, 0, c.rows, c.columns); /* what was read is gone */
	scrollback_clear(&s);
	expect("\n\n\n\n\n\n");
	free(big);
}
END_TEST

START_TEST(colours)
{
	ck_assert_uint_eq(scrollback_colour("Bob"), scrollback_colour("bob"));
	ck_assert_uint_ne(scrollback_colour("bob"), 0);
	ck_assert_uint_ne(scrollback_colour("alice"), scrollback_colour("bob"));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("scrollback");
	TCase *t = tcase_create("scrollback");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, kinds);
	tcase_add_test(t, wraps);
	tcase_add_test(t, wraps_wide);
	tcase_add_test(t, no_forgery);
	tcase_add_test(t, days_and_marks);
	tcase_add_test(t, arrivals);
	tcase_add_test(t, scrolls);
	tcase_add_test(t, searches);
	tcase_add_test(t, any_size);
	tcase_add_test(t, forgets);
	tcase_add_test(t, colours);
	suite_add_tcase(suite, t);
	return unit_main(suite);
}
