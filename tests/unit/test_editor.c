/* SPDX-License-Identifier: MIT
 *
 * The line that is being typed.  A '|' in what is expected is the cursor.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "client/editor.h"

#define MAX 200

static struct editor e;

static void
set_up(void)
{
	editor_init(&e, MAX);
}

static void
tear_down(void)
{
	editor_fini(&e);
}

static void
expect_(const char *want, int line)
{
	char got[MAX + 2];

	snprintf(got, sizeof(got), "%.*s|%.*s", (int)e.cursor, (const char *)e.text.p,
		 (int)(e.text.len - e.cursor), (const char *)e.text.p + e.cursor);
	ck_assert_msg(strcmp(got, want) == 0, "line %d: \"%s\" instead of \"%s\"", line,
		      got, want);
}
#define expect(want) expect_(want, __LINE__)

static void
put(const char *text)
{
	ck_assert_int_eq(editor_insert(&e, span_str(text), NULL), Q_OK);
}

START_TEST(moves)
{
	put("one  two_2 dr\xc3\xa4i");
	editor_move(&e, EDITOR_WORD_LEFT);
	expect("one  two_2 |dr\xc3\xa4i");
	editor_move(&e, EDITOR_WORD_LEFT);
	expect("one  |two_2 dr\xc3\xa4i");
	editor_move(&e, EDITOR_WORD_RIGHT);
	expect("one  two_2| dr\xc3\xa4i");
	editor_move(&e, EDITOR_HOME);
	editor_move(&e, EDITOR_LEFT); /* nothing there */
	editor_move(&e, EDITOR_RIGHT);
	expect("o|ne  two_2 dr\xc3\xa4i");
	editor_move(&e, EDITOR_END);
	editor_move(&e, EDITOR_RIGHT);
	editor_move(&e, EDITOR_LEFT);
	editor_move(&e, EDITOR_LEFT);
	expect("one  two_2 dr|\xc3\xa4i");
}
END_TEST

/* The cursor and deletion go by whole glyphs. */
START_TEST(glyphs)
{
	put("a\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb"
	    "e\xcc\x81");
	editor_move(&e, EDITOR_LEFT);
	expect("a\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb|e\xcc\x81");
	editor_delete(&e, EDITOR_LEFT);
	expect("a|e\xcc\x81");
	editor_delete(&e, EDITOR_RIGHT);
	expect("a|");
	editor_delete(&e, EDITOR_LEFT);
	editor_delete(&e, EDITOR_LEFT);
	editor_delete(&e, EDITOR_RIGHT);
	expect("|");
}
END_TEST

START_TEST(kills)
{
	put("one two three");
	editor_kill(&e, EDITOR_WORD_LEFT);
	editor_kill(&e, EDITOR_WORD_LEFT); /* one after the other: together */
	expect("one |");
	editor_yank(&e);
	expect("one two three|");
	editor_move(&e, EDITOR_HOME);
	editor_kill(&e, EDITOR_WORD_RIGHT);
	expect("| two three");
	editor_kill(&e, EDITOR_END);
	expect("|");
	editor_yank(&e);
	expect("one two three|");
	editor_kill(&e, EDITOR_END); /* nothing: what was killed stays */
	editor_yank(&e);
	expect("one two threeone two three|");
	editor_kill(&e, EDITOR_HOME);
	expect("|");
}
END_TEST

START_TEST(transposes)
{
	editor_transpose(&e);
	expect("|");
	put("a");
	editor_transpose(&e);
	expect("a|");
	put("b");
	editor_transpose(&e);
	expect("ba|");
	put("\xe4\xbd\xa0");
	editor_move(&e, EDITOR_LEFT);
	editor_transpose(&e);
	expect("b\xe4\xbd\xa0"
	       "a|");
	editor_move(&e, EDITOR_HOME);
	editor_transpose(&e);
	expect("|b\xe4\xbd\xa0"
	       "a");
}
END_TEST

START_TEST(several_lines)
{
	put("one\r\ntwo two\rx");
	expect("one\ntwo two\nx|");
	editor_move(&e, EDITOR_HOME);
	expect("one\ntwo two\n|x");
	ck_assert(editor_row(&e, -1));
	expect("one\n|two two\nx");
	editor_move(&e, EDITOR_END);
	expect("one\ntwo two|\nx");
	ck_assert(editor_row(&e, -1));
	expect("one|\ntwo two\nx"); /* as far as that line goes */
	ck_assert(!editor_row(&e, -1));
	editor_kill(&e, EDITOR_END); /* at its end: the newline */
	expect("one|two two\nx");
	ck_assert(editor_row(&e, 1));
	expect("onetwo two\nx|");
	ck_assert(!editor_row(&e, 1));
	editor_move(&e, EDITOR_FIRST);
	expect("|onetwo two\nx");
	editor_move(&e, EDITOR_LAST);
	editor_move(&e, EDITOR_LEFT);
	editor_move(&e, EDITOR_LEFT);
	expect("onetwo two|\nx");
}
END_TEST

START_TEST(cleans)
{
	size_t dropped = 0;

	ck_assert_int_eq(
	    editor_insert(&e, span_str("a\x1b[31m\tb\x7f\xff\xc2\x9b"), &dropped), Q_OK);
	expect("a[31m\tb\xef\xbf\xbd|");
	ck_assert_uint_eq(dropped, 4);
}
END_TEST

START_TEST(limit)
{
	char text[MAX + 2];

	memset(text, 'x', sizeof(text));
	text[MAX + 1] = '\0';
	ck_assert_int_eq(editor_insert(&e, span_str(text), NULL), Q_LIMIT);
	expect("|");
	ck_assert_int_eq(editor_insert(&e, span_str(text + 1), NULL), Q_OK);
	ck_assert_int_eq(editor_insert(&e, span_str("y"), NULL), Q_LIMIT);
	ck_assert_uint_eq(e.text.len, MAX);
}
END_TEST

START_TEST(history)
{
	struct buf line = BUF_INIT(MAX);

	put("one");
	editor_take(&e, &line);
	ck_assert(span_eq(buf_span(&line), span_str("one")));
	expect("|");
	put("two");
	editor_take(&e, &line);
	put("two"); /* not twice */
	editor_take(&e, &line);
	editor_take(&e, &line); /* nothing is no line */
	put("draft");
	ck_assert(editor_older(&e));
	expect("two|");
	ck_assert(editor_older(&e));
	expect("one|");
	ck_assert(!editor_older(&e));
	put("!"); /* a change of it is a line of its own */
	editor_take(&e, &line);
	ck_assert(editor_older(&e));
	expect("one!|");
	ck_assert(editor_newer(&e));
	expect("|");
	ck_assert(!editor_newer(&e));
	put("mistake");
	editor_clear(&e);
	expect("|");
	ck_assert(editor_older(&e));
	expect("mistake|");
	buf_free(&line);
}
END_TEST

START_TEST(draft_returns)
{
	struct buf line = BUF_INIT(MAX);

	put("one");
	editor_take(&e, &line);
	put("half of");
	ck_assert(editor_older(&e));
	ck_assert(editor_newer(&e));
	expect("half of|");
	for (int i = 0; i < EDITOR_HISTORY + 20; i++) {
		char text[16];

		snprintf(text, sizeof(text), "%d", i);
		editor_set(&e, span_str(text));
		editor_take(&e, &line);
	}
	ck_assert_uint_eq(e.history_count, EDITOR_HISTORY);
	ck_assert_str_eq(e.history[EDITOR_HISTORY - 1], "519");
	buf_free(&line);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("editor");
	TCase *t = tcase_create("editor");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, moves);
	tcase_add_test(t, glyphs);
	tcase_add_test(t, kills);
	tcase_add_test(t, transposes);
	tcase_add_test(t, several_lines);
	tcase_add_test(t, cleans);
	tcase_add_test(t, limit);
	tcase_add_test(t, history);
	tcase_add_test(t, draft_returns);
	suite_add_tcase(s, t);
	return unit_main(s);
}
