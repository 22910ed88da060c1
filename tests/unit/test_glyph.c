/* SPDX-License-Identifier: MIT
 *
 * Glyphs and their columns, and cells on a canvas.
 */
#include "tests/unit/unit.h"

#include <string.h>

#include "client/canvas.h"

/* Each of these is one glyph. */
static const struct {
	const char *text;
	int columns;
	bool unsure;
	const char *shown; /* NULL: as it is */
	enum glyph_kind kind;
} singles[] = {
    {"a", 1, false, NULL, GLYPH_SHOWN},
    {"\xc3\xa9", 1, false, NULL, GLYPH_SHOWN},                  /* precomposed */
    {"e\xcc\x81", 1, false, NULL, GLYPH_SHOWN},                 /* combining acute */
    {"e\xcc\x81\xcc\x82\xcc\x83", 1, false, NULL, GLYPH_SHOWN}, /* three marks */
    {"\xe4\xbd\xa0", 2, false, NULL, GLYPH_SHOWN},              /* a wide one */
    {"\xef\xbc\xa1", 2, false, NULL, GLYPH_SHOWN},              /* full width A */
    {"\xea\xb0\x80", 2, false, NULL, GLYPH_SHOWN},              /* Hangul */
    {"\xe1\x84\x80\xe1\x85\xa1", 2, false, NULL, GLYPH_SHOWN},  /* the same, in jamo */
    {"\xe0\xa4\x95\xe0\xa4\xbf", 2, true, NULL, GLYPH_SHOWN},   /* spacing mark */
    {"\xf0\x9f\x98\x80", 2, false, NULL, GLYPH_SHOWN},          /* an emoji */
    {"\xe2\x9d\xa4", 1, false, NULL, GLYPH_SHOWN},              /* a text heart */
    {"\xe2\x9d\xa4\xef\xb8\x8f", 2, true, NULL, GLYPH_SHOWN},   /* with VS16 */
    {"1\xef\xb8\x8f\xe2\x83\xa3", 2, true, NULL, GLYPH_SHOWN},  /* a keycap */
    {"\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa", 2, true, NULL, GLYPH_SHOWN}, /* a flag */
    {"\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd", 2, true, NULL, GLYPH_SHOWN}, /* skin tone */
    {"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb", 2, true, NULL,
     GLYPH_SHOWN},                                              /* ZWJ */
    {"\xee\x80\x80", 1, true, NULL, GLYPH_SHOWN},               /* private use */
    {"\xcc\x81", 1, true, "\xe2\x97\x8c\xcc\x81", GLYPH_SHOWN}, /* a mark alone */
    {"\xe2\x80\x8b", 0, true, "", GLYPH_SHOWN},                 /* zero width space */
    {"\x1b", 4, false, "\\x1b", GLYPH_ESCAPE},
    {"\x07", 4, false, "\\x07", GLYPH_ESCAPE},
    {"\r", 4, false, "\\x0d", GLYPH_ESCAPE},
    {"\x7f", 4, false, "\\x7f", GLYPH_ESCAPE},
    {"\xc2\x9b", 4, false, "\\x9b", GLYPH_ESCAPE},         /* C1 CSI */
    {"\x9b", 4, false, "\\x9b", GLYPH_ESCAPE},             /* the same, raw */
    {"\xff", 4, false, "\\xff", GLYPH_ESCAPE},             /* no UTF-8 */
    {"\xe2\x80\xae", 8, false, "\\u{202e}", GLYPH_ESCAPE}, /* right to left override */
    {"\xe2\x81\xa6", 8, false, "\\u{2066}", GLYPH_ESCAPE},
    {"\t", 1, false, "", GLYPH_TAB},
    {"\n", 0, false, "", GLYPH_NEWLINE},
    {"\r\n", 0, false, "", GLYPH_NEWLINE},
};

START_TEST(single)
{
	const char *text = singles[_i].text;
	const char *shown = singles[_i].shown != NULL ? singles[_i].shown : text;
	struct glyph g;

	glyph_next(span_str(text), &g);
	ck_assert_uint_eq(g.used, strlen(text));
	ck_assert_int_eq(g.columns, singles[_i].columns);
	ck_assert_int_eq(g.kind, singles[_i].kind);
	ck_assert(span_eq(span_of(g.text, g.len), span_str(shown)));
	if (singles[_i].columns > 0)
		ck_assert_int_eq(g.unsure, singles[_i].unsure);
}
END_TEST

/* What is unsafe is an escape also in the middle of a cluster. */
START_TEST(no_unsafe_marks)
{
	static const char text[] = "a\xe2\x80\xae\xcc\x81";
	struct glyph g;

	glyph_next(span_str(text), &g);
	ck_assert_uint_eq(g.used, 1);
	glyph_next(span_str(text + 1), &g);
	ck_assert_int_eq(g.kind, GLYPH_ESCAPE);
}
END_TEST

START_TEST(many_marks)
{
	char text[2 + 2 * 500] = "a";
	struct glyph g;

	for (int i = 0; i < 500; i++)
		memcpy(text + 1 + 2 * i, "\xcc\x81", 3);
	glyph_next(span_str(text), &g);
	ck_assert_uint_eq(g.used, 1001);
	ck_assert_uint_le(g.len, GLYPH_SIZE);
	ck_assert_int_eq(g.columns, 1);
}
END_TEST

START_TEST(measure)
{
	struct span s = span_str("a\xe4\xbd\xa0"
				 "e\xcc\x81\xe4\xbd\xa0z");

	ck_assert_int_eq(glyph_columns(s), 7);
	ck_assert_uint_eq(glyph_fit(s, 0), 0);
	ck_assert_uint_eq(glyph_fit(s, 1), 1);
	ck_assert_uint_eq(glyph_fit(s, 2), 1); /* no half of a wide one */
	ck_assert_uint_eq(glyph_fit(s, 3), 4);
	ck_assert_uint_eq(glyph_fit(s, 4), 7); /* with its mark */
	ck_assert_uint_eq(glyph_fit(s, 100), s.len);
	ck_assert_uint_eq(glyph_before(s, s.len), 10);
	ck_assert_uint_eq(glyph_before(s, 7), 4);
	ck_assert_uint_eq(glyph_before(s, 4), 1);
	ck_assert_uint_eq(glyph_before(s, 0), 0);
}
END_TEST

/* Any bytes at all: glyphs cover them, and what is shown is safe. */
START_TEST(any_bytes)
{
	unsigned seed = 1;

	for (int round = 0; round < 2000; round++) {
		uint8_t bytes[64];
		struct span s = span_of(bytes, sizeof(bytes));
		struct glyph g;

		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)((seed = seed * 1103515245u + 12345u) >> 16);
		for (; s.len > 0; s = span_of(s.p + g.used, s.len - g.used)) {
			glyph_next(s, &g);
			ck_assert_uint_gt(g.used, 0);
			ck_assert_uint_le(g.used, s.len);
			ck_assert_uint_le(g.len, GLYPH_SIZE);
			ck_assert_int_ge(g.columns, 0);
			for (size_t i = 0; i < g.len; i++)
				ck_assert((uint8_t)g.text[i] >= 0x20 &&
					  (uint8_t)g.text[i] != 0x7f);
		}
	}
}
END_TEST

/* ---- canvas ---- */

static void
expect_row(const struct canvas *c, int row, const char *want)
{
	struct buf out = BUF_INIT(4096);

	ck_assert_int_eq(canvas_text(c, row, &out), Q_OK);
	ck_assert_int_eq(buf_put_u8(&out, 0), Q_OK);
	ck_assert_str_eq((const char *)out.p, want);
	buf_free(&out);
}

START_TEST(canvas_puts)
{
	struct canvas c = {.cells = NULL};

	ck_assert_int_eq(canvas_resize(&c, 2, 8), Q_OK);
	ck_assert_int_eq(canvas_str(&c, 0, 0, 8, 0, "ab\tc"), 8); /* tab to column 8 */
	expect_row(&c, 0, "ab");
	ck_assert_int_eq(canvas_str(&c, 1, 5, 8, 0, "\xe4\xbd\xa0\xe4\xbd\xa0"), 7);
	expect_row(&c, 1, "     \xe4\xbd\xa0"); /* the second does not fit */
	/* Half of a wide one is overwritten: no other half stays. */
	canvas_str(&c, 1, 6, 8, 0, "x");
	expect_row(&c, 1, "      x");
	canvas_clear(&c);
	canvas_str(&c, 0, 0, 8, 0, "a\nb\x1b");
	expect_row(&c, 0, "a\\x0ab");
	/* Outside nothing happens. */
	canvas_str(&c, -1, 0, 8, 0, "x");
	canvas_str(&c, 2, 0, 8, 0, "x");
	canvas_str(&c, 0, 9, 8, 0, "x");
	canvas_str(&c, 0, -1, 8, 0, "x");
	expect_row(&c, 0, "a\\x0ab");
	ck_assert_int_eq(canvas_resize(&c, 100000, 100000), Q_OK);
	ck_assert_int_eq(c.rows, CANVAS_ROWS_MAX);
	ck_assert_int_eq(canvas_resize(&c, 0, -5), Q_OK);
	ck_assert_int_eq(c.columns, 1);
	canvas_free(&c);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("glyph");
	TCase *t = tcase_create("glyph");

	tcase_add_loop_test(t, single, 0, (int)(sizeof(singles) / sizeof(singles[0])));
	tcase_add_test(t, no_unsafe_marks);
	tcase_add_test(t, many_marks);
	tcase_add_test(t, measure);
	tcase_add_test(t, any_bytes);
	tcase_add_test(t, canvas_puts);
	suite_add_tcase(s, t);
	return unit_main(s);
}
