/* SPDX-License-Identifier: MIT
 *
 * JSON that is passed on as text: what is let through, and placeholders of attachments.
 */
#include "tests/unit/unit.h"

#include <string.h>

#include "protocol/socketio.h"

static const char *const good[] = {
    "0",
    "-0",
    "-0.5e-10",
    "1E+5",
    "12345678901234567890123",
    "true",
    " null ",
    "\"\"",
    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00E9\\ud83D\\uDE00\\u0000\x7f\xf0\x9f\x98\x80\"",
    "[]",
    "[ ]",
    "{}",
    "[[],{},[{}]]",
    "{\"a\":1,\"a\":[2,{\"b\":null}]}",
    "\t[\r\n1 ,\t2 ] ",
    "{\"_placeholder\":true,\"num\":5}",
    "{\"_placeholder\":true}",
};

START_TEST(let_through)
{
	ck_assert_int_eq(sio_json_check(span_str(good[_i]), SIO_PLACES_IGNORE), Q_OK);
}
END_TEST

static const char *const bad[] = {
    "",
    " ",
    "tru",
    "truex",
    "01",
    "-",
    "+1",
    ".5",
    "1.",
    "1e",
    "1e+",
    "0x1",
    "NaN",
    "'a'",
    "\"",
    "\"a",
    "\"\\",
    "\"\\x\"",
    "\"\\u12\"",
    "\"\\u12g4\"",
    "\"\\ud83d\"",
    "\"\\ud83d\\u0041\"",
    "\"\\ude00\"",
    "\"a\nb\"",
    "\"\xff\"",
    "\"\xed\xa0\x80\"",
    "[",
    "]",
    "[1",
    "[1,",
    "[1,]",
    "[,1]",
    "[1 2]",
    "[1}",
    "{",
    "{]",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1,}",
    "{a:1}",
    "{1:1}",
    "{\"a\":1 \"b\":2}",
    "[]]",
    "1 1",
    "[] x",
};

START_TEST(refused)
{
	ck_assert_int_eq(sio_json_check(span_str(bad[_i]), SIO_PLACES_IGNORE), Q_FORMAT);
}
END_TEST

/* Every beginning of something good is bad, and reads nothing behind its end. */
START_TEST(cut)
{
	static const char whole[] = "{\"a\":[1.5e3,\"\\u00e9\\\\\",{\"b\":[true,null]}]}";

	for (size_t n = 0; n < sizeof(whole) - 1; n++) {
		uint8_t *copy = malloc(n + 1);

		ck_assert_ptr_nonnull(copy);
		memcpy(copy, whole, n);
		ck_assert_int_eq(sio_json_check(span_of(copy, n), SIO_PLACES_IGNORE),
				 Q_FORMAT);
		free(copy);
	}
}
END_TEST

START_TEST(nesting)
{
	char text[2 * SIO_DEPTH_MAX + 2];

	memset(text, '[', SIO_DEPTH_MAX);
	memset(text + SIO_DEPTH_MAX, ']', SIO_DEPTH_MAX);
	ck_assert_int_eq(
	    sio_json_check(span_of(text, 2 * SIO_DEPTH_MAX), SIO_PLACES_IGNORE), Q_OK);
	memset(text, '[', SIO_DEPTH_MAX + 1);
	memset(text + SIO_DEPTH_MAX + 1, ']', SIO_DEPTH_MAX + 1);
	ck_assert_int_eq(
	    sio_json_check(span_of(text, 2 * SIO_DEPTH_MAX + 2), SIO_PLACES_IGNORE),
	    Q_FORMAT);
}
END_TEST

START_TEST(places)
{
	static const struct {
		const char *text;
		int attachments;
		enum qerr e;
	} cases[] = {
	    {"[{\"_placeholder\":true,\"num\":0}]", 1, Q_OK},
	    {"[{\"num\":1,\"_placeholder\":true}]", 2, Q_OK},
	    {"[{\"a\":[{\"_placeholder\":true,\"num\":9}]},1]", 10, Q_OK},
	    {"[{\"_placeholder\":false,\"num\":7}]", 1, Q_OK},
	    {"[{\"_placeholder\":\"true\"}]", 1, Q_OK},
	    {"[{\"num\":7}]", 1, Q_OK},
	    {"[{\"_placeholder\":true,\"num\":1}]", 1, Q_FORMAT},
	    {"[{\"_placeholder\":true,\"num\":-1}]", 1, Q_FORMAT},
	    {"[{\"_placeholder\":true,\"num\":0.0}]", 1, Q_FORMAT},
	    {"[{\"_placeholder\":true,\"num\":1000}]", 1, Q_FORMAT},
	    {"[{\"_placeholder\":true,\"num\":\"0\"}]", 1, Q_FORMAT},
	    {"[{\"_placeholder\":true,\"num\":[0]}]", 1, Q_FORMAT},
	    {"[{\"_placeholder\":true,\"x\":{\"num\":0}}]", 1, Q_FORMAT},
	    {"[{\"a\":{\"b\":[{\"_placeholder\":true}]}}]", 1, Q_FORMAT},
	    {"[{\"_placeholder\":true,\"num\":0}]", 0, Q_FORMAT},
	};
	uint64_t n = 77;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(sio_json_check(span_str(cases[i].text),
					     cases[i].attachments) == cases[i].e,
			      "%s", cases[i].text);
	ck_assert_int_eq(
	    sio_placeholder_get(span_str("{\"_placeholder\":true,\"num\":3}"), &n), Q_OK);
	ck_assert_uint_eq(n, 3);
	ck_assert_int_eq(sio_placeholder_get(
			     span_str("{ \"num\" : 4 , \"_placeholder\" : true }"), &n),
			 Q_OK);
	ck_assert_uint_eq(n, 4);
	ck_assert_int_eq(
	    sio_placeholder_get(span_str("{\"_placeholder\":false,\"num\":3}"), &n),
	    Q_MISSING);
	ck_assert_int_eq(sio_placeholder_get(span_str("3"), &n), Q_MISSING);
	ck_assert_int_eq(sio_placeholder_get(span_str("\"_placeholder\""), &n),
			 Q_MISSING);
	ck_assert_uint_eq(n, 4);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("socketio_json");
	TCase *t = tcase_create("json");

	tcase_add_loop_test(t, let_through, 0, (int)(sizeof(good) / sizeof(good[0])));
	tcase_add_loop_test(t, refused, 0, (int)(sizeof(bad) / sizeof(bad[0])));
	tcase_add_test(t, cut);
	tcase_add_test(t, nesting);
	tcase_add_test(t, places);
	suite_add_tcase(s, t);
	return unit_main(s);
}
