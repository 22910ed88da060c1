/* SPDX-License-Identifier: MIT
 *
 * Escapes: each byte that needs one, at each place that the search by eight bytes may
 * look at, against the rule spelled out.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "store/escape.h"

/* The rule, one character at a time; text is UTF-8. */
static void
by_the_rule(struct span text, char *out)
{
	static const char shorts[] = "\nn\rr\tt\\\\";

	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.p[i];
		const char *s = c == '\0' ? NULL : strchr(shorts, c);

		if (s != NULL && (s - shorts) % 2 == 0) {
			out += sprintf(out, "\\%c", s[1]);
		} else if (c < 0x20 || c == 0x7f) {
			out += sprintf(out, "\\x%02x", c);
		} else if (c == 0xc2 && text.p[i + 1] < 0xa0) {
			out += sprintf(out, "\\xc2\\x%02x", text.p[i + 1]);
			i++;
		} else {
			*out++ = (char)c;
		}
	}
	*out = '\0';
}

static void
both_ways(struct span text)
{
	char want[512], got[512];
	struct buf back = BUF_INIT(512);
	size_t len = 0;

	by_the_rule(text, want);
	ck_assert_int_eq(escape_len(text, &len), Q_OK);
	ck_assert_uint_eq(len, strlen(want));
	*escape_write(text, (uint8_t *)got) = '\0';
	ck_assert_str_eq(got, want);
	ck_assert_int_eq(escape_read(span_str(got), &back), Q_OK);
	ck_assert(span_eq(buf_span(&back), text));
	buf_free(&back);
}

/* Bytes 00 to 7f. */
START_TEST(each_byte_at_each_place)
{
	uint8_t text[24];

	for (size_t at = 0; at < sizeof(text); at++) {
		memset(text, at % 2 == 0 ? ' ' : '~', sizeof(text));
		text[at] = (uint8_t)_i;
		both_ways(span_of(text, sizeof(text)));
		both_ways(span_of(text, at + 1));
		both_ways(span_of(text + at, sizeof(text) - at));
	}
}
END_TEST

START_TEST(characters_of_several_bytes)
{
	static const char *const chars[] = {
	    "\xc2\x80",     "\xc2\x9f",     "\xc2\xa0",     "\xc3\xa4",        "\xdf\xbf",
	    "\xe2\x82\xac", "\xed\x9f\xbf", "\xef\xbf\xbf", "\xf0\x9f\x99\x82"};
	char text[32];

	for (size_t i = 0; i < sizeof(chars) / sizeof(chars[0]); i++)
		for (int at = 0; at < 20; at++) {
			snprintf(text, sizeof(text), "%.*s%s%s", at,
				 "aaaaaaaaaaaaaaaaaaaaaaaa", chars[i], "\\b\n");
			both_ways(span_str(text));
		}
}
END_TEST

START_TEST(not_utf8)
{
	uint8_t text[24];
	size_t len = 7;

	for (size_t at = 0; at < sizeof(text); at++) {
		memset(text, 'x', sizeof(text));
		text[at] = 0x80;
		ck_assert_int_eq(escape_len(span_of(text, sizeof(text)), &len), Q_FORMAT);
		text[at] = 0xc2;
		ck_assert_int_eq(escape_len(span_of(text, at + 1), &len), Q_FORMAT);
	}
	ck_assert_uint_eq(len, 7);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("escape");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, each_byte_at_each_place, 0, 128);
	tcase_add_test(t, characters_of_several_bytes);
	tcase_add_test(t, not_utf8);
	suite_add_tcase(suite, t);
	return unit_main(suite);
}
