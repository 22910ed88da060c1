/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <string.h>

#include "client/strokes.h"

static const struct {
	const char *bytes;
	enum stroke_kind kind;
	char letter;
} keys[] = {
    {"\r", STROKE_ENTER, 0},
    {"\t", STROKE_TAB, 0},
    {"\x7f", STROKE_BACKSPACE, 0},
    {"\b", STROKE_BACKSPACE, 0},
    {"\x01", STROKE_CTRL, 'a'},
    {"\x1a", STROKE_CTRL, 'z'},
    {"\n", STROKE_CTRL, 'j'},
    {"\x1f", STROKE_CTRL, '_'},
    {"\x1b[A", STROKE_UP, 0},
    {"\x1bOA", STROKE_UP, 0},
    {"\x1b[1;5D", STROKE_WORD_LEFT, 0},
    {"\x1b[1;3C", STROKE_WORD_RIGHT, 0},
    {"\x1b[H", STROKE_HOME, 0},
    {"\x1b[1~", STROKE_HOME, 0},
    {"\x1b[4~", STROKE_END, 0},
    {"\x1b[1;5H", STROKE_TOP, 0},
    {"\x1b[1;5F", STROKE_BOTTOM, 0},
    {"\x1b[3~", STROKE_DELETE, 0},
    {"\x1b[5~", STROKE_PAGE_UP, 0},
    {"\x1b[6~", STROKE_PAGE_DOWN, 0},
    {"\x1bOP", STROKE_F1, 0},
    {"\x1b[11~", STROKE_F1, 0},
    {"\x1b[[A", STROKE_F1, 0},
    {"\x1b[[B", STROKE_F2, 0},
    {"\x1bOQ", STROKE_F2, 0},
    {"\x1b[Z", STROKE_BACK_TAB, 0},
    {"\x1b[I", STROKE_FOCUS_IN, 0},
    {"\x1b[O", STROKE_FOCUS_OUT, 0},
    {"\x1b"
     "b",
     STROKE_ALT, 'b'},
    {"\x1b\r", STROKE_ALT, '\r'},
    {"\x1b\x7f", STROKE_ALT, 0x7f},
    {"\x1b[?1;2c", STROKE_UNKNOWN, 0}, /* an answer of the terminal */
    {"\x1b[24~", STROKE_UNKNOWN, 0},
    {"\x1b[<0;1;1M", STROKE_ENTER, 0}, /* by its last byte; nobody asked for mice */
};

/* Whole, and byte by byte, followed by a letter that must not be swallowed. */
START_TEST(key)
{
	size_t len = strlen(keys[_i].bytes);
	struct strokes s;
	struct stroke k;

	for (int pieces = 0; pieces < 2; pieces++) {
		strokes_init(&s);
		for (size_t i = 0; i < len; i += pieces != 0 ? 1 : len) {
			ck_assert_int_eq(strokes_read(&s, span_of(keys[_i].bytes + i,
								  pieces != 0 ? 1 : len)),
					 Q_OK);
			if (i + 1 < len && pieces != 0)
				ck_assert_int_eq(strokes_next(&s, false, &k), Q_SHORT);
		}
		ck_assert_int_eq(strokes_next(&s, false, &k), Q_OK);
		ck_assert_int_eq(k.kind, keys[_i].kind);
		ck_assert_int_eq(k.letter, keys[_i].letter);
		ck_assert_int_eq(strokes_read(&s, span_str("x")), Q_OK);
		ck_assert_int_eq(strokes_next(&s, false, &k), Q_OK);
		ck_assert_int_eq(k.kind, STROKE_TEXT);
		ck_assert(span_eq(k.text, span_str("x")));
		strokes_fini(&s);
	}
}
END_TEST

START_TEST(text)
{
	struct strokes s;
	struct stroke k;

	strokes_init(&s);
	ck_assert_int_eq(strokes_read(&s, span_str("ab\xe4\xbd")), Q_OK);
	ck_assert_int_eq(strokes_next(&s, false, &k), Q_OK);
	ck_assert(span_eq(k.text, span_str("ab")));
	ck_assert_int_eq(strokes_next(&s, false, &k), Q_SHORT);
	ck_assert(strokes_pending(&s));
	ck_assert_int_eq(strokes_read(&s, span_str("\xa0\x03")), Q_OK);
	ck_assert_int_eq(strokes_next(&s, false, &k), Q_OK);
	ck_assert(span_eq(k.text, span_str("\xe4\xbd\xa0")));
	ck_assert_int_eq(strokes_next(&s, false, &k), Q_OK);
	ck_assert_int_eq(k.letter, 'c');
	/* No UTF-8: swallowed, byte by byte. */
	ck_assert_int_eq(strokes_read(&s, span_str("\xff\xfe"
						   "abc")),
			 Q_OK);
	ck_assert_int_eq(strokes_next(&s, false, &k), Q_OK);
	ck_assert_int_eq(k.kind, STROKE_UNKNOWN);
	ck_assert_int_eq(strokes_next(&s, false, &k), Q_OK);
	ck_assert_int_eq(k.kind, STROKE_UNKNOWN);
	ck_assert_int_eq(strokes_next(&s, false, &k), Q_OK);
	ck_assert(span_eq(k.text, span_str("abc")));
	strokes_fini(&s);
}
END_TEST

START_TEST(lone_escape)
{
	struct strokes s;
	struct stroke k;

	strokes_init(&s);
	ck_assert_int_eq(strokes_read(&s, span_str("\x1b")), Q_OK);
	ck_assert_int_eq(strokes_next(&s, false, &k), Q_SHORT);
	ck_assert_int_eq(strokes_next(&s, true, &k), Q_OK);
	ck_assert_int_eq(k.kind, STROKE_ESCAPE);
	ck_assert_int_eq(strokes_read(&s, span_str("\x1b[12")), Q_OK);
	ck_assert_int_eq(strokes_next(&s, true, &k), Q_OK); /* never finished */
	ck_assert_int_eq(k.kind, STROKE_UNKNOWN);
	ck_assert(!strokes_pending(&s));
	/* An endless sequence ends. */
	ck_assert_int_eq(strokes_read(&s, span_str("\x1b[")), Q_OK);
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(strokes_read(&s, span_str(";")), Q_OK);
	ck_assert_int_eq(strokes_next(&s, false, &k), Q_OK);
	ck_assert_int_eq(k.kind, STROKE_UNKNOWN);
	strokes_fini(&s);
}
END_TEST

START_TEST(named)
{
	struct strokes s;
	struct stroke k;

	strokes_init(&s);
	strokes_name(&s, NULL, STROKE_F1);
	strokes_name(&s, "x", STROKE_F1); /* too short to be a name */
	strokes_name(&s, "\x1b?f", STROKE_F2);
	ck_assert_int_eq(strokes_read(&s, span_str("\x1b?fx")), Q_OK);
	ck_assert_int_eq(strokes_next(&s, false, &k), Q_OK);
	ck_assert_int_eq(k.kind, STROKE_F2);
	ck_assert_int_eq(strokes_next(&s, false, &k), Q_OK);
	ck_assert_int_eq(k.kind, STROKE_TEXT);
	strokes_fini(&s);
}
END_TEST

/* Whatever is pasted is text: keys and escapes in it do nothing. */
START_TEST(paste)
{
	static const char all[] = "a\x1b[200~one\rtwo\x1b[A\x03\x1b[201"
				  "~b";
	static const char inside[] = "one\rtwo\x1b[A\x03";
	struct strokes s;
	struct stroke k;

	for (size_t cut = 0; cut <= sizeof(all) - 1; cut++) {
		int seen = 0;
		size_t parts[2][2] = {{0, cut}, {cut, sizeof(all) - 1 - cut}};

		strokes_init(&s);
		for (int p = 0; p < 2; p++) {
			ck_assert_int_eq(
			    strokes_read(&s, span_of(all + parts[p][0], parts[p][1])),
			    Q_OK);
			while (strokes_next(&s, false, &k) == Q_OK) {
				if (seen == 0)
					ck_assert(span_eq(k.text, span_str("a")));
				if (seen == 1) {
					ck_assert_int_eq(k.kind, STROKE_PASTE);
					ck_assert(span_eq(k.text, span_str(inside)));
				}
				if (seen == 2)
					ck_assert(span_eq(k.text, span_str("b")));
				seen++;
			}
		}
		ck_assert_int_eq(seen, 3);
		strokes_fini(&s);
	}
}
END_TEST

START_TEST(long_paste)
{
	enum { PIECE = 65536 };
	char *piece = malloc(PIECE);
	struct strokes s;
	struct stroke k;

	ck_assert_ptr_nonnull(piece);
	memset(piece, 'x', PIECE);
	strokes_init(&s);
	ck_assert_int_eq(strokes_read(&s, span_str("\x1b[200~")), Q_OK);
	ck_assert_int_eq(strokes_next(&s, false, &k), Q_SHORT);
	for (int i = 0; i < 3 * STROKES_PASTE_MAX / PIECE; i++) {
		ck_assert_int_eq(strokes_read(&s, span_of(piece, PIECE)), Q_OK);
		ck_assert_int_eq(strokes_next(&s, false, &k), Q_SHORT);
	}
	ck_assert_int_eq(strokes_read(&s, span_str("\x1b[201~y")), Q_OK);
	ck_assert_int_eq(strokes_next(&s, false, &k), Q_OK);
	ck_assert_int_eq(k.kind, STROKE_PASTE_TOO_LONG);
	ck_assert_int_eq(strokes_next(&s, false, &k), Q_OK);
	ck_assert(span_eq(k.text, span_str("y")));
	strokes_fini(&s);
	free(piece);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("strokes");
	TCase *t = tcase_create("strokes");

	tcase_add_loop_test(t, key, 0, (int)(sizeof(keys) / sizeof(keys[0])));
	tcase_add_test(t, text);
	tcase_add_test(t, lone_escape);
	tcase_add_test(t, named);
	tcase_add_test(t, paste);
	tcase_add_test(t, long_paste);
	suite_add_tcase(s, t);
	return unit_main(s);
}
