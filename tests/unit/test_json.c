/* SPDX-License-Identifier: MIT
 *
 * Strict JSON: what is refused and why, typed members, and text that is written.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include <sys/resource.h>

#include "base/text.h"
#include "protocol/json.h"

static const struct json_limits limits = {1 << 20, 16, 1000};

static enum qerr
parse(const char *text, enum json_top top, json_t **out, struct why *why)
{
	*out = NULL;
	return json_parse(span_str(text), &limits, top, out, why);
}

/* ---- what is JSON ---- */

static const char *const good[] = {
    "{}",
    " \t\r\n{ \"a\" : [ 1 , -2.5e3 , true , false , null ] } \n",
    "{\"\":\"\"}",
    "[]",
    "\"\\u00e9\\ud83d\\ude00\\/\\b\\f\\n\\r\\t\\\"\\\\\"",
    "9223372036854775807",
    "-9223372036854775808",
    "1e308",
    "\"\x7f\xf4\x8f\xbf\xbf\"",
    "{\"a\":{\"a\":{\"a\":1}}}",
};

START_TEST(taken)
{
	struct why why = {""};
	json_t *v;

	ck_assert_msg(parse(good[_i], JSON_TOP_ANY, &v, &why) == Q_OK, "%s: %s", good[_i],
		      why.text);
	json_decref(v);
}
END_TEST

static const struct {
	const char *text, *why;
} bad[] = {
    {"", "no JSON"},
    {" ", "no JSON"},
    {"{", "no JSON"},
    {"{}}", "no JSON"},
    {"]", "no JSON"},
    {"{} {}", "no JSON"},
    {"{'a':1}", "no JSON"},
    {"{a:1}", "no JSON"},
    {"{\"a\":1,}", "no JSON"},
    {"[1,]", "no JSON"},
    {"[01]", "no JSON"},
    {"[1.]", "no JSON"},
    {"[.5]", "no JSON"},
    {"[+1]", "no JSON"},
    {"[NaN]", "no JSON"},
    {"[Infinity]", "no JSON"},
    {"[True]", "no JSON"},
    {"[none]", "no JSON"},
    {"[\"\t\"]", "no JSON"},
    {"[\"\\x\"]", "no JSON"},
    {"[\"\\u12\"]", "no JSON"},
    {"[\"a", "no JSON"},
    {"[\"a\\", "no JSON"},
    {"/* x */ {}", "no JSON"},
    {"\xef\xbb\xbf{}", "no JSON"},
    {"[\"\\ud800\"]", "no JSON"},
    {"[\"\\udc00\"]", "no JSON"},
    {"[\"\\ud800\\u0041\"]", "no JSON"},
    {"[\"\\ud800\\ud800\"]", "no JSON"},
    {"[\"\\u0000\"]", "U+0000"},
    {"{\"a\\u0000b\":1}", "U+0000"},
    {"[\"\xff\"]", "UTF-8"},
    {"[\"\xc0\x80\"]", "UTF-8"},
    {"[\"\xed\xa0\x80\"]", "UTF-8"},
    {"[\"\xf4\x90\x80\x80\"]", "UTF-8"},
    {"{\"a\":1,\"a\":1}", "twice"},
    {"{\"a\":{\"b\":1,\"b\":2}}", "twice"},
    {"{\"a\":1,\"\\u0061\":1}", "twice"},
    {"9223372036854775808", "too large"},
    {"1e309", "too large"},
};

/* A byte that is 0, wherever it stands. */
START_TEST(zero_bytes)
{
	static const char text[] = "[ true , null , 12 , \"a\" , { \"b\" : 1.5 } ]";
	struct why why;
	json_t *v;

	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		char copy[sizeof(text)];

		memcpy(copy, text, sizeof(text));
		memmove(copy + i + 1, copy + i, sizeof(text) - 1 - i);
		copy[i] = '\0';
		ck_assert_int_eq(json_parse(span_of(copy, sizeof(text)), &limits,
					    JSON_TOP_ANY, &v, &why),
				 Q_FORMAT);
	}
}
END_TEST

START_TEST(refused)
{
	struct why why = {""};
	json_t *v;

	ck_assert_msg(parse(bad[_i].text, JSON_TOP_ANY, &v, &why) == Q_FORMAT, "%s",
		      bad[_i].text);
	ck_assert_ptr_null(v);
	ck_assert_msg(strstr(why.text, bad[_i].why) != NULL, "%s: %s", bad[_i].text,
		      why.text);
}
END_TEST

START_TEST(raw_nul_is_refused)
{
	static const char text[] = "[\"a\0b\"]";
	json_t *v;

	ck_assert_int_eq(
	    json_parse(span_of(text, sizeof(text) - 1), &limits, JSON_TOP_ANY, &v, NULL),
	    Q_FORMAT);
}
END_TEST

/* What the other side sent is not in the reason: it may be a password. */
START_TEST(reason_quotes_nothing)
{
	struct why why = {""};
	json_t *v;

	ck_assert_int_eq(parse("{\"password\":\"geheim\" x", JSON_TOP_ANY, &v, &why),
			 Q_FORMAT);
	ck_assert_ptr_null(strstr(why.text, "geheim"));
	ck_assert_int_eq(parse("{\"geheim\":1,\"geheim\":2}", JSON_TOP_ANY, &v, &why),
			 Q_FORMAT);
	ck_assert_ptr_null(strstr(why.text, "geheim"));
}
END_TEST

START_TEST(top_must_be_an_object)
{
	static const char *const others[] = {"[]", "\"a\"", "1", "true", "null"};
	struct why why;
	json_t *v;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		ck_assert_int_eq(parse(others[i], JSON_TOP_OBJECT, &v, &why), Q_FORMAT);
	ck_assert_int_eq(parse("{}", JSON_TOP_OBJECT, &v, &why), Q_OK);
	json_decref(v);
}
END_TEST

/* ---- limits ---- */

static enum qerr
nested(unsigned depth, unsigned allowed)
{
	const struct json_limits l = {1 << 20, allowed, 1 << 20};
	struct buf b = BUF_INIT(1 << 20);
	json_t *v = NULL;
	enum qerr e;

	for (unsigned i = 0; i < depth; i++)
		ck_assert_int_eq(buf_put_str(&b, i % 2 == 0 ? "{\"a\":" : "["), Q_OK);
	ck_assert_int_eq(buf_put_str(&b, "\"[{\\\"[[[\""), Q_OK); /* no brackets */
	for (unsigned i = depth; i > 0; i--)
		ck_assert_int_eq(buf_put_u8(&b, i % 2 == 1 ? '}' : ']'), Q_OK);
	e = json_parse(buf_span(&b), &l, JSON_TOP_ANY, &v, NULL);
	json_decref(v);
	buf_free(&b);
	return e;
}

START_TEST(depth)
{
	ck_assert_int_eq(nested(0, 0), Q_OK);
	ck_assert_int_eq(nested(1, 1), Q_OK);
	ck_assert_int_eq(nested(16, 16), Q_OK);
	ck_assert_int_eq(nested(17, 16), Q_LIMIT);
	ck_assert_int_eq(nested(100000, 8), Q_LIMIT);
}
END_TEST

START_TEST(values_and_size)
{
	const struct json_limits three = {1 << 20, 4, 4}, short_ = {9, 4, 100};
	json_t *v = NULL;

	ck_assert_int_eq(json_parse(span_str("[1,2,3]"), &three, JSON_TOP_ANY, &v, NULL),
			 Q_OK);
	json_decref(v);
	ck_assert_int_eq(
	    json_parse(span_str("[1,2,3,4]"), &three, JSON_TOP_ANY, &v, NULL), Q_LIMIT);
	ck_assert_int_eq(
	    json_parse(span_str("[\",,,,\",1]"), &three, JSON_TOP_ANY, &v, NULL), Q_OK);
	json_decref(v);
	ck_assert_int_eq(
	    json_parse(span_str("[1,2,3,4]"), &short_, JSON_TOP_ANY, &v, NULL), Q_OK);
	json_decref(v);
	ck_assert_int_eq(
	    json_parse(span_str("[1,2,3,4 ]"), &short_, JSON_TOP_ANY, &v, NULL), Q_LIMIT);
}
END_TEST

/* ---- members ---- */

START_TEST(members_by_type)
{
	json_t *v;
	const json_t *inner = NULL;
	struct span s = {NULL, 0};
	int64_t n = 0;
	bool b = false;

	ck_assert_int_eq(parse("{\"s\":\"\\u00e4\",\"n\":-7,\"r\":7.0,\"b\":true,"
			       "\"z\":null,\"o\":{\"x\":1},\"a\":[1],\"e\":\"\"}",
			       JSON_TOP_OBJECT, &v, NULL),
			 Q_OK);
	ck_assert_int_eq(json_get_text(v, "s", &s), JSON_IS_THERE);
	ck_assert(span_eq(s, span_str("\xc3\xa4")));
	ck_assert_int_eq(json_get_text(v, "e", &s), JSON_IS_THERE);
	ck_assert(s.len == 0 && s.p != NULL);
	ck_assert_int_eq(json_get_int(v, "n", &n), JSON_IS_THERE);
	ck_assert_int_eq(n, -7);
	ck_assert_int_eq(json_get_bool(v, "b", &b), JSON_IS_THERE);
	ck_assert(b);
	ck_assert_int_eq(json_get_object(v, "o", &inner), JSON_IS_THERE);
	ck_assert_int_eq(json_get_int(inner, "x", &n), JSON_IS_THERE);
	ck_assert_int_eq(json_get_array(v, "a", &inner), JSON_IS_THERE);
	ck_assert_uint_eq(json_array_size(inner), 1);

	n = 5;
	ck_assert_int_eq(json_get_int(v, "r", &n), JSON_IS_OTHER); /* 7.0 is no integer */
	ck_assert_int_eq(json_get_int(v, "z", &n), JSON_IS_NULL);
	ck_assert_int_eq(json_get_int(v, "missing", &n), JSON_IS_ABSENT);
	ck_assert_int_eq(json_get_int(NULL, "n", &n), JSON_IS_ABSENT);
	ck_assert_int_eq(n, 5);
	ck_assert_int_eq(json_get_text(v, "n", &s), JSON_IS_OTHER);
	ck_assert_int_eq(json_get_bool(v, "n", &b), JSON_IS_OTHER);
	ck_assert_int_eq(json_get_object(v, "a", &inner), JSON_IS_OTHER);
	ck_assert_int_eq(json_get_array(v, "o", &inner), JSON_IS_OTHER);
	json_decref(v);
}
END_TEST

/* ---- writing ---- */

static const struct {
	const char *text, *json;
} texts[] = {
    {"", "\"\""},
    {"plain", "\"plain\""},
    {"\"\\/\b\f\n\r\t", "\"\\\"\\\\/\\b\\f\\n\\r\\t\""},
    {"\x01\x1f\x7f", "\"\\u0001\\u001f\x7f\""},
    {"12345678\"", "\"12345678\\\"\""},
    {"1234567\\89012345", "\"1234567\\\\89012345\""},
    {"\xc3\xa4\xe2\x80\xa8\xf0\x9f\x98\x80", "\"\xc3\xa4\xe2\x80\xa8\xf0\x9f\x98\x80\""},
    {"!!!!!!!!!!!!!!!! ~~~~~~~", "\"!!!!!!!!!!!!!!!! ~~~~~~~\""},
};

START_TEST(text_written)
{
	struct buf b = BUF_INIT(1000);
	json_t *v;

	ck_assert_int_eq(json_put_text(&b, span_str(texts[_i].text)), Q_OK);
	ck_assert_msg(span_eq(buf_span(&b), span_str(texts[_i].json)), "%.*s", (int)b.len,
		      (char *)b.p);
	ck_assert_int_eq(json_parse(buf_span(&b), &limits, JSON_TOP_ANY, &v, NULL), Q_OK);
	ck_assert(span_eq(json_text(v), span_str(texts[_i].text)));
	json_decref(v);
	buf_free(&b);
}
END_TEST

/* Every character, at every place of a word of eight. */
START_TEST(every_character_comes_back)
{
	struct buf b = BUF_INIT(1000);
	json_t *v;

	for (int c = 1; c < 128; c++)
		for (size_t at = 0; at < 17; at++) {
			char text[18] = "abcdefghijklmnopq";

			text[at] = (char)c;
			b.len = 0;
			ck_assert_int_eq(json_put_text(&b, span_str(text)), Q_OK);
			ck_assert_int_eq(
			    json_parse(buf_span(&b), &limits, JSON_TOP_ANY, &v, NULL),
			    Q_OK);
			ck_assert(span_eq(json_text(v), span_str(text)));
			json_decref(v);
		}
	buf_free(&b);
}
END_TEST

START_TEST(values_written_as_they_came)
{
	static const char text[] = "{\"z\":1,\"a\":[true,null,\"\\\"\xc3\xa4\"],\"m\":{},"
				   "\"\":-3}";
	struct buf b = BUF_INIT(1000);
	json_t *v;

	ck_assert_int_eq(parse(text, JSON_TOP_ANY, &v, NULL), Q_OK);
	ck_assert_int_eq(json_put_value(&b, v), Q_OK);
	ck_assert(span_eq(buf_span(&b), span_str(text)));
	b.len = 0;
	ck_assert_int_eq(json_put_int(&b, INT64_MIN), Q_OK);
	ck_assert_int_eq(json_put_bool(&b, false), Q_OK);
	ck_assert_int_eq(json_put_text_or_null(&b, span_of(NULL, 0)), Q_OK);
	ck_assert_int_eq(json_put_text_or_null(&b, span_of("", 0)), Q_OK);
	ck_assert(span_eq(buf_span(&b), span_str("-9223372036854775808falsenull\"\"")));
	json_decref(v);
	buf_free(&b);
}
END_TEST

START_TEST(full_buffers_stay_as_they_were)
{
	json_t *v;

	ck_assert_int_eq(parse("{\"a\":\"\\n\\n\\n\"}", JSON_TOP_ANY, &v, NULL), Q_OK);
	for (size_t max = 1; max < 14; max++) {
		struct buf b = BUF_INIT(max);

		ck_assert_int_eq(buf_put_u8(&b, 'x'), Q_OK);
		ck_assert_int_eq(json_put_value(&b, v), Q_LIMIT);
		ck_assert_uint_eq(b.len, 1);
		if (max < 9) {
			ck_assert_int_eq(json_put_text(&b, span_str("\n\n\n")), Q_LIMIT);
			ck_assert_uint_eq(b.len, 1);
		}
		buf_free(&b);
	}
	json_decref(v);
}
END_TEST

/* ---- no memory ---- */

static long grants;

static void *
stingy_malloc(size_t n)
{
	return grants-- > 0 ? malloc(n) : NULL;
}

START_TEST(out_of_memory_is_said)
{
	static const char text[] = "[[1,2.5,true],[[[4]]],[-7e7]]";
	enum qerr e = Q_NOMEM;
	json_t *v = NULL;
	long n;

	json_set_alloc_funcs(stingy_malloc, free);
	for (n = 0; n < 1000 && e != Q_OK; n++) {
		grants = n;
		e = json_parse(span_str(text), &limits, JSON_TOP_ANY, &v, NULL);
		ck_assert_msg(e == Q_OK || e == Q_NOMEM, "after %ld allocations: %s", n,
			      qerr_str(e));
	}
	ck_assert_int_eq(e, Q_OK);
	ck_assert_int_gt(n, 5);
	json_decref(v);
}
END_TEST

/* Strings are where jansson itself does not tell.  16 MiB have no room here. */
START_TEST(out_of_memory_in_a_string)
{
	const size_t len = 16 << 20;
	const struct json_limits large = {2 * len, 4, 4};
	const struct rlimit little = {24 << 20, RLIM_INFINITY};
	uint8_t *text = malloc(len);
	json_t *v;

	ck_assert_ptr_nonnull(text);
	memset(text, 'x', len);
	text[0] = text[len - 1] = '"';
	json_start(1);
	ck_assert_int_eq(setrlimit(RLIMIT_AS, &little), 0);
	ck_assert_int_eq(json_parse(span_of(text, len), &large, JSON_TOP_ANY, &v, NULL),
			 Q_NOMEM);
	free(text);
}
END_TEST

/* The memory functions of json_start, with every kind of value and with errors. */
START_TEST(after_json_start)
{
	json_malloc_t give;
	json_free_t take;
	json_t *v;

	json_start(12345);
	json_get_alloc_funcs(&give, &take);
	ck_assert(give != malloc && take != free);
	take(NULL);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ck_assert_int_eq(parse(good[i], JSON_TOP_ANY, &v, NULL), Q_OK);
		json_decref(v);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(parse(bad[i].text, JSON_TOP_ANY, &v, NULL), Q_FORMAT);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("json");
	TCase *c = tcase_create("json");

	tcase_add_loop_test(c, taken, 0, sizeof(good) / sizeof(good[0]));
	tcase_add_test(c, zero_bytes);
	tcase_add_loop_test(c, refused, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(c, raw_nul_is_refused);
	tcase_add_test(c, reason_quotes_nothing);
	tcase_add_test(c, top_must_be_an_object);
	tcase_add_test(c, depth);
	tcase_add_test(c, values_and_size);
	tcase_add_test(c, members_by_type);
	tcase_add_loop_test(c, text_written, 0, sizeof(texts) / sizeof(texts[0]));
	tcase_add_test(c, every_character_comes_back);
	tcase_add_test(c, values_written_as_they_came);
	tcase_add_test(c, full_buffers_stay_as_they_were);
	tcase_add_test(c, out_of_memory_is_said);
	if (getenv("QUINTET_SANITIZER") == NULL) /* these need address space themselves */
		tcase_add_test(c, out_of_memory_in_a_string);
	tcase_add_test(c, after_json_start);
	suite_add_tcase(suite, c);
	return unit_main(suite);
}
