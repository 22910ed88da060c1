/* SPDX-License-Identifier: MIT
 *
 * Record lines against hand-written ones, and every way to damage one.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include <libdeflate.h>

#include "store/record.h"

static struct buf line = BUF_INIT(64 << 20), scratch = BUF_INIT(64 << 20);

static void
teardown(void)
{
	buf_free(&line);
	buf_free(&scratch);
}

static struct record
sample(bool text, struct span data)
{
	struct record r = {.id = 7,
			   .time_ms = 1763718000123,
			   .kind = "relay",
			   .from = "Alice",
			   .to = "bob",
			   .data = data,
			   .text = text};

	return r;
}

/* The body with a right head and a newline. */
static void
frame(const char *body)
{
	line.len = 0;
	ck_assert_int_eq(buf_printf(&line, "=%06zx %08x %s\n", strlen(body),
				    libdeflate_crc32(0, body, strlen(body)), body),
			 Q_OK);
}

static const struct {
	bool text;
	const char *data, *written;
} data_rows[] = {
    {false, "", ""},
    {false, "f", "Zg=="},
    {false, "foobar", "Zm9vYmFy"},
    {true, "", ""},
    {true, "hello, world", "hello, world"},
    {true, "a\nb\rc\td\\e", "a\\nb\\rc\\td\\\\e"},
    {true, "\x1b[31m\x7f\x01", "\\x1b[31m\\x7f\\x01"},
    {true, "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
     "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"},
    {true,
     "\xc2\x9b"
     "31m\xc2\xa9",
     "\\xc2\\x9b31m\xc2\xa9"}, /* a C1 control */
    {true, "=000001 00000000 1 0 x - - t", "=000001 00000000 1 0 x - - t"},
};

START_TEST(lines_are_as_drawn)
{
	struct record r = sample(data_rows[_i].text, span_str(data_rows[_i].data)), back;
	char body[256];
	size_t used;

	ck_assert_int_eq(record_put(&line, &r), Q_OK);
	snprintf(body, sizeof(body), "7 1763718000123 relay Alice bob %c %s",
		 r.text ? 't' : 'b', data_rows[_i].written);
	ck_assert(
	    span_eq(span_of(line.p + RECORD_HEAD_LEN, line.len - RECORD_HEAD_LEN - 1),
		    span_str(body)));
	ck_assert_int_eq(line.p[line.len - 1], '\n');
	ck_assert_int_eq(record_next(buf_span(&line), &back, &scratch, &used), Q_OK);
	ck_assert_uint_eq(used, line.len);
	ck_assert(span_eq(back.data, r.data));
	ck_assert_uint_eq(back.id, 7);
	ck_assert_int_eq(back.time_ms, r.time_ms);
	ck_assert_str_eq(back.kind, "relay");
	ck_assert_str_eq(back.from, "Alice");
	ck_assert_str_eq(back.to, "bob");
	ck_assert(back.text == r.text);
}
END_TEST

START_TEST(extremes_round_trip)
{
	struct record r = sample(false, span_of(NULL, 0)), back;
	size_t used;

	r.id = UINT64_MAX;
	r.time_ms = INT64_MAX;
	strcpy(r.kind, "abcdefghijklmn-9");
	strcpy(r.from, "A2345678901234567890123456789._-");
	r.to[0] = '\0';
	ck_assert_int_eq(record_put(&line, &r), Q_OK);
	ck_assert_int_eq(record_next(buf_span(&line), &back, &scratch, &used), Q_OK);
	ck_assert_uint_eq(back.id, UINT64_MAX);
	ck_assert_int_eq(back.time_ms, INT64_MAX);
	ck_assert_str_eq(back.kind, r.kind);
	ck_assert_str_eq(back.from, r.from);
	ck_assert_str_eq(back.to, "");
}
END_TEST

START_TEST(broken_fields_are_refused)
{
	struct record r = sample(false, span_of(NULL, 0)), x;

	x = r, x.id = 0;
	ck_assert_int_eq(record_put(&line, &x), Q_FORMAT);
	x = r, x.time_ms = -1;
	ck_assert_int_eq(record_put(&line, &x), Q_FORMAT);
	x = r, x.kind[0] = '\0';
	ck_assert_int_eq(record_put(&line, &x), Q_FORMAT);
	x = r, strcpy(x.kind, "Relay");
	ck_assert_int_eq(record_put(&line, &x), Q_FORMAT);
	x = r, memset(x.kind, 'a', sizeof(x.kind)); /* no NUL */
	ck_assert_int_eq(record_put(&line, &x), Q_FORMAT);
	x = r, strcpy(x.from, "a b");
	ck_assert_int_eq(record_put(&line, &x), Q_FORMAT);
	x = r, strcpy(x.to, "-");
	ck_assert_int_eq(record_put(&line, &x), Q_FORMAT);
	x = r, x.text = true, x.data = span_str("\xff");
	ck_assert_int_eq(record_put(&line, &x), Q_FORMAT);
	x = r, x.text = true, x.data = span_str("long enough ascii\xc3");
	ck_assert_int_eq(record_put(&line, &x), Q_FORMAT);
	ck_assert_uint_eq(line.len, 0);
}
END_TEST

START_TEST(the_longest_line)
{
	static uint8_t big[RECORD_LINE_MAX + 1];
	struct record r = sample(true, span_of(big, 0)), back;
	size_t fields, used;

	memset(big, 'x', sizeof(big));
	ck_assert_int_eq(record_put(&line, &r), Q_OK);
	fields = line.len - RECORD_HEAD_LEN - 1;
	line.len = 0;
	r.data.len = RECORD_LINE_MAX - fields;
	ck_assert_int_eq(record_put(&line, &r), Q_OK);
	ck_assert_int_eq(memcmp(line.p, "=ffffff ", 8), 0);
	ck_assert_int_eq(record_next(buf_span(&line), &back, &scratch, &used), Q_OK);
	ck_assert_uint_eq(back.data.len, r.data.len);
	line.len = 0;
	r.data.len++;
	ck_assert_int_eq(record_put(&line, &r), Q_LIMIT);
	r.data.len = sizeof(big);
	ck_assert_int_eq(record_put(&line, &r), Q_LIMIT);
	memset(big, 1, sizeof(big)); /* four bytes each when written */
	r.data.len = sizeof(big) / 2;
	ck_assert_int_eq(record_put(&line, &r), Q_LIMIT);
	ck_assert_uint_eq(line.len, 0);
	/* More bytes than any line has, and no newline. */
	ck_assert_int_eq(record_next(span_of(big, sizeof(big)), &back, &scratch, &used),
			 Q_SHORT);
	ck_assert_int_eq(buf_reserve(&line, sizeof(big) + RECORD_HEAD_LEN), Q_OK);
	memset(line.p, 'x', sizeof(big) + RECORD_HEAD_LEN);
	ck_assert_int_eq(record_next(span_of(line.p, sizeof(big) + RECORD_HEAD_LEN),
				     &back, &scratch, &used),
			 Q_FORMAT);
	ck_assert_uint_eq(used, sizeof(big) + RECORD_HEAD_LEN);
}
END_TEST

START_TEST(a_part_is_short)
{
	struct record r = sample(true, span_str("hello")), back;
	size_t used;

	ck_assert_int_eq(record_put(&line, &r), Q_OK);
	for (size_t n = 0; n < line.len; n++)
		ck_assert_int_eq(record_next(span_of(line.p, n), &back, &scratch, &used),
				 Q_SHORT);
}
END_TEST

START_TEST(any_flipped_bit_is_noticed)
{
	struct record r = sample(true, span_str("hello")), back;
	size_t used, len;

	ck_assert_int_eq(record_put(&line, &r), Q_OK);
	len = line.len;
	ck_assert_int_eq(record_put(&line, &r), Q_OK); /* what follows is to be found */
	for (size_t i = 0; i < len; i++)
		for (int bit = 0; bit < 8; bit++) {
			bool newline;

			line.p[i] ^= (uint8_t)(1 << bit);
			newline = line.p[i] == '\n';
			ck_assert_int_eq(
			    record_next(buf_span(&line), &back, &scratch, &used),
			    Q_FORMAT);
			if (newline)
				ck_assert_uint_eq(used, i + 1);
			else
				ck_assert_uint_eq(used, i == len - 1 ? line.len : len);
			line.p[i] ^= (uint8_t)(1 << bit);
		}
}
END_TEST

/* Bodies with a right length and checksum that are none all the same. */
static const char *const bad_bodies[] = {
    "",
    "1",
    "0 1 relay a b t x",
    "01 1 relay a b t x",
    "18446744073709551616 1 relay a b t x",
    "1 01 relay a b t x",
    "1 -1 relay a b t x",
    "1 9223372036854775808 relay a b t x",
    "1 1 Relay a b t x",
    "1 1  a b t x",
    "1 1 abcdefghijklmnopq a b t x",
    "1 1 relay  b t x",
    "1 1 relay .a b t x",
    "1 1 relay a a2345678901234567890123456789012x t x",
    "1 1 relay a b c x",
    "1 1 relay a b tt x",
    "1 1 relay a b t",
    "1 1 relay a b b Zg=",
    "1 1 relay a b b Zh==",
    "1 1 relay a b b Zm9v\\n",
    "1 1 relay a b t \\",
    "1 1 relay a b t \\q",
    "1 1 relay a b t \\x",
    "1 1 relay a b t \\x0",
    "1 1 relay a b t \\x41",
    "1 1 relay a b t \\x0a",
    "1 1 relay a b t \\x5c",
    "1 1 relay a b t \\x1B",
    "1 1 relay a b t \\xc2",
    "1 1 relay a b t \\xc2\\xa9",
    "1 1 relay a b t \\xc2\\n",
    "1 1 relay a b t \xc2\x9b",
    "1 1 relay a b t \t",
    "1 1 relay a b t \xff",
};

START_TEST(a_right_checksum_is_not_enough)
{
	struct record back;
	size_t used = 0;

	frame(bad_bodies[_i]);
	ck_assert_int_eq(record_next(buf_span(&line), &back, &scratch, &used), Q_FORMAT);
	ck_assert_uint_eq(used, line.len);
}
END_TEST

START_TEST(no_room_for_the_data)
{
	struct record r = sample(true, span_str("hello")), back;
	struct buf small = BUF_INIT(3), few = BUF_INIT(10);
	size_t used = 0;

	ck_assert_int_eq(record_put(&few, &r), Q_LIMIT);
	ck_assert_int_eq(record_put(&line, &r), Q_OK);
	ck_assert_int_eq(record_next(buf_span(&line), &back, &small, &used), Q_LIMIT);
	ck_assert_uint_eq(used, line.len);
	buf_free(&small);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("record");
	TCase *t = tcase_create("lines");

	tcase_add_checked_fixture(t, NULL, teardown);
	tcase_add_loop_test(t, lines_are_as_drawn, 0,
			    sizeof(data_rows) / sizeof(data_rows[0]));
	tcase_add_test(t, extremes_round_trip);
	tcase_add_test(t, broken_fields_are_refused);
	tcase_add_test(t, the_longest_line);
	tcase_add_test(t, a_part_is_short);
	tcase_add_test(t, any_flipped_bit_is_noticed);
	tcase_add_loop_test(t, a_right_checksum_is_not_enough, 0,
			    sizeof(bad_bodies) / sizeof(bad_bodies[0]));
	tcase_add_test(t, no_room_for_the_data);
	suite_add_tcase(s, t);
	return unit_main(s);
}
