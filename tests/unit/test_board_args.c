/* SPDX-License-Identifier: MIT
 *
 * Arguments of board's events: what is taken for an id, a text, an attachment, and what is
 * too deep or holds U+0000.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "server/board/account.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

START_TEST(what_may_come_at_all)
{
	static const struct {
		const char *args;
		enum qerr is;
	} rows[] = {
	    {"", Q_OK},
	    {"1,\"a\",null", Q_OK},
	    {"[[[[[[[[1]]]]]]]]", Q_OK},
	    {"[[[[[[[[[1]]]]]]]]]", Q_FORMAT},
	    {"1,{\"a\":[{\"b\":[{\"c\":[{\"d\":[1]}]}]}]}", Q_OK},
	    {"1,{\"a\":[{\"b\":[{\"c\":[{\"d\":[[]]}]}]}]}", Q_FORMAT},
	    /* One beside the other is not one in the other. */
	    {"[],[],[],[],[],[],[],[],[],[]", Q_OK},
	    {"[[],[],[],[],[],[],[],[],[],[]]", Q_OK},
	    /* Brackets and quotes in strings are text. */
	    {"\"[[[[[[[[[[[[\",\"\\\"[[[[[[[[[[\"", Q_OK},
	    {"\"]]\",[[[[[[[[[]]]]]]]]]", Q_FORMAT},
	    {"\"\\\\\",[[[[[[[[[]]]]]]]]]", Q_FORMAT},
	    {"\"a\\u0000b\"", Q_FORMAT},
	    {"1,2,[{\"x\":\"\\u0000\"}]", Q_FORMAT},
	    {"{\"\\u0000\":1}", Q_FORMAT},
	    /* A backslash, then the letters. */
	    {"\"a\\\\u0000b\"", Q_OK},
	    {"\"a\\\\\\u0000b\"", Q_FORMAT},
	    {"\"\\u0001\\u00000\"", Q_FORMAT},
	    {"\"\\u0001\\u1000\"", Q_OK},
	};

	for (size_t i = 0; i < N(rows); i++)
		ck_assert_msg(board_args_check(span_str(rows[i].args)) == rows[i].is,
			      "%s", rows[i].args);
}
END_TEST

/* Cut off anywhere it reads no further. */
START_TEST(no_further_than_the_end)
{
	static const char text[] = "\"a\\u0000\",[\"\\\\\"]";

	for (size_t n = 0; n < sizeof(text); n++) {
		char *copy = malloc(n + 1);

		memcpy(copy, text, n);
		(void)board_args_check(span_of(copy, n));
		free(copy);
	}
}
END_TEST

START_TEST(ids)
{
	static const struct {
		const char *text;
		bool is;
		uint64_t id;
	} rows[] = {
	    {"0", true, 0},
	    {"7", true, 7},
	    {"9007199254740991", true, UINT64_C(9007199254740991)},
	    {"9007199254740992", false, 0},
	    {"18446744073709551617", false, 0},
	    {"99999999999999999999999999", false, 0},
	    {"-1", false, 0},
	    {"-0", false, 0},
	    {"1.0", false, 0},
	    {"1.5", false, 0},
	    {"1e3", false, 0},
	    {"00", false, 0},
	    {"\"1\"", false, 0},
	    {"true", false, 0},
	    {"null", false, 0},
	    {"[1]", false, 0},
	    {"{}", false, 0},
	    {"", false, 0},
	};

	for (size_t i = 0; i < N(rows); i++) {
		uint64_t id = 0;

		ck_assert_msg((board_id_parse(span_str(rows[i].text), &id) == Q_OK) ==
				  rows[i].is,
			      "%s", rows[i].text);
		ck_assert_uint_eq(id, rows[i].id);
	}
}
END_TEST

/* The event ["x",...] as it comes to an operation. */
static struct board_call
call_of(struct sio_call *sio, const char *json)
{
	struct board_call call = {.sio = sio};
	struct span name;

	ck_assert_int_eq(sio_json_check(span_str(json), SIO_PLACES_IGNORE), Q_OK);
	ck_assert_int_eq(sio_args_begin(span_str(json), &sio->each), Q_OK);
	ck_assert_int_eq(sio_args_next(&sio->each, &name), Q_OK);
	call.rest = sio->each;
	return call;
}

static void
drop(struct board_call *call)
{
	for (unsigned i = 0; i < call->text_count; i++)
		json_decref(call->texts[i]);
}

START_TEST(one_after_the_other)
{
	struct sio_call sio = {.space = 0};
	struct board_call call =
	    call_of(&sio, "[\"x\", 7 , \"a b\",\"\\u00e9\\n\\\"\", \"\", 1.5, 9]");
	struct span text = {NULL, 0};
	struct blob *blob = NULL;
	uint64_t id = 0;

	ck_assert(!board_arg_text(&call, &text)); /* a number: it stays */
	ck_assert(board_arg_id(&call, &id));
	ck_assert_uint_eq(id, 7);
	ck_assert(!board_arg_id(&call, &id));
	ck_assert(!board_arg_blob(&call, &blob));
	ck_assert(board_arg_text(&call, &text));
	ck_assert(span_eq(text, span_str("a b")));
	ck_assert(board_arg_text(&call, &text));
	ck_assert(span_eq(text, span_str("\xc3\xa9\n\"")));
	ck_assert(board_arg_text(&call, &text));
	ck_assert_uint_eq(text.len, 0);
	ck_assert(board_arg_more(&call));
	ck_assert(!board_arg_id(&call, &id));
	ck_assert(!board_arg_text(&call, &text));
	ck_assert_uint_eq(id, 7);
	ck_assert_uint_eq(text.len, 0);
	drop(&call);
}
END_TEST

START_TEST(nothing_left)
{
	struct sio_call sio = {.space = 0};
	struct board_call call = call_of(&sio, "[\"x\"]");
	struct span text;
	struct blob *blob;
	uint64_t id;

	ck_assert(!board_arg_more(&call));
	ck_assert(!board_arg_id(&call, &id));
	ck_assert(!board_arg_text(&call, &text));
	ck_assert(!board_arg_blob(&call, &blob));
}
END_TEST

START_TEST(attachments)
{
	struct blob *there = blob_of(span_str("bytes")), *blob = NULL;
	struct sio_call sio = {.blobs = &there, .blob_count = 1};
	struct board_call call =
	    call_of(&sio, "[\"x\",{\"_placeholder\":true,\"num\":0},{\"num\":0},\"a\"]");

	ck_assert(board_arg_blob(&call, &blob));
	ck_assert_ptr_eq(blob, there);
	ck_assert(!board_arg_blob(&call, &blob));
	blob_unref(there);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("board_args");
	TCase *c = tcase_create("all");

	tcase_add_test(c, what_may_come_at_all);
	tcase_add_test(c, no_further_than_the_end);
	tcase_add_test(c, ids);
	tcase_add_test(c, one_after_the_other);
	tcase_add_test(c, nothing_left);
	tcase_add_test(c, attachments);
	suite_add_tcase(s, c);
	json_start(1);
	return unit_main(s);
}
