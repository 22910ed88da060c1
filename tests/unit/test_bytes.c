/* SPDX-License-Identifier: MIT
 *
 * span, reader, buf, and the results in base/err.h.
 */
#include "base/bytes.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "tests/unit/unit.h"

/* Let malloc refuse what is far too large, under the sanitizers as well. */
const char *__asan_default_options(void);
const char *__tsan_default_options(void);
const char *
__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}
const char *
__tsan_default_options(void)
{
	return "allocator_may_return_null=1";
}

START_TEST(test_span)
{
	struct span a = span_str("abc"), empty = {NULL, 0};

	ck_assert_uint_eq(a.len, 3);
	ck_assert(span_eq(a, span_of("abcd", 3)));
	ck_assert(!span_eq(a, span_of("abd", 3)));
	ck_assert(!span_eq(a, span_of("ab", 2)));
	ck_assert(span_eq(empty, span_str("")));
	ck_assert(span_eq(span_of("a\0b", 3), span_of("a\0b", 3)));
	ck_assert(!span_eq(span_of("a\0b", 3), span_of("a\0c", 3)));
}
END_TEST

/* ---- reader ---- */

START_TEST(test_take)
{
	struct reader r = reader_of(span_str("hello"));
	struct span s = span_str("untouched"), rest;

	ck_assert_int_eq(reader_take(&r, 6, &s), Q_SHORT);
	ck_assert_int_eq(reader_take(&r, SIZE_MAX, &s), Q_SHORT);
	ck_assert(span_eq(s, span_str("untouched")));
	ck_assert_uint_eq(r.left, 5);
	ck_assert_int_eq(reader_take(&r, 2, &s), Q_OK);
	ck_assert(span_eq(s, span_str("he")));
	ck_assert_int_eq(reader_take(&r, 0, &s), Q_OK);
	ck_assert_uint_eq(s.len, 0);
	ck_assert_int_eq(reader_take(&r, 3, &s), Q_OK);
	ck_assert(span_eq(s, span_str("llo")));
	ck_assert_int_eq(reader_take(&r, 1, &s), Q_SHORT);
	ck_assert_int_eq(reader_take(&r, 0, &s), Q_OK);
	rest = reader_rest(&r);
	ck_assert_uint_eq(rest.len, 0);
}
END_TEST

START_TEST(test_nothing_to_read)
{
	struct reader r = reader_of(span_of(NULL, 0));
	struct span s;
	uint8_t v8;

	ck_assert_int_eq(reader_take(&r, 0, &s), Q_OK);
	ck_assert_int_eq(reader_u8(&r, &v8), Q_SHORT);
	ck_assert_uint_eq(reader_rest(&r).len, 0);
}
END_TEST

START_TEST(test_rest)
{
	struct reader r = reader_of(span_str("abc"));
	struct span s;

	ck_assert_int_eq(reader_take(&r, 1, &s), Q_OK);
	ck_assert(span_eq(reader_rest(&r), span_str("bc")));
	ck_assert_uint_eq(r.left, 0);
	ck_assert_uint_eq(reader_rest(&r).len, 0);
}
END_TEST

/* Each integer from every length that is too short: refused, nothing moves.
 * The bytes end where the allocation does, so that the sanitizers watch. */
START_TEST(test_take_until)
{
	struct reader r = reader_of(span_str("one,,two"));
	struct span s = span_str("untouched");

	ck_assert_int_eq(reader_take_until(&r, ';', &s), Q_SHORT);
	ck_assert(span_eq(s, span_str("untouched")));
	ck_assert_uint_eq(r.left, 8);
	ck_assert_int_eq(reader_take_until(&r, ',', &s), Q_OK);
	ck_assert(span_eq(s, span_str("one")));
	ck_assert_int_eq(reader_take_until(&r, ',', &s), Q_OK);
	ck_assert_uint_eq(s.len, 0);
	ck_assert_int_eq(reader_take_until(&r, ',', &s), Q_SHORT);
	ck_assert(span_eq(reader_rest(&r), span_str("two")));
	ck_assert_int_eq(reader_take_until(&r, ',', &s), Q_SHORT);
}
END_TEST

START_TEST(test_short_integers)
{
	for (size_t len = 0; len < 8; len++) {
		uint8_t *bytes = malloc(len > 0 ? len : 1), v8 = 0x11;
		uint16_t v16 = 0x1111;
		uint32_t v32 = 0x11111111;
		int32_t i32 = 0x11111111;
		int64_t i64 = 0x1111111111111111;
		struct reader r;

		ck_assert_ptr_nonnull(bytes);
		memset(bytes, 0xff, len > 0 ? len : 1);
		r = reader_of(span_of(bytes, len));
		ck_assert_int_eq(reader_i64(&r, &i64), Q_SHORT);
		ck_assert_int_eq(i64, 0x1111111111111111);
		ck_assert_uint_eq(r.left, len);
		if (len < 4) {
			ck_assert_int_eq(reader_u32(&r, &v32), Q_SHORT);
			ck_assert_int_eq(reader_i32(&r, &i32), Q_SHORT);
			ck_assert_uint_eq(v32, 0x11111111);
			ck_assert_int_eq(i32, 0x11111111);
		}
		if (len < 2) {
			ck_assert_int_eq(reader_u16(&r, &v16), Q_SHORT);
			ck_assert_uint_eq(v16, 0x1111);
		}
		if (len < 1) {
			ck_assert_int_eq(reader_u8(&r, &v8), Q_SHORT);
			ck_assert_uint_eq(v8, 0x11);
		}
		ck_assert_uint_eq(r.left, len);
		free(bytes);
	}
}
END_TEST

static const int64_t edges[] = {0,
				1,
				-1,
				0x7f,
				0x80,
				0xff,
				0x100,
				0x7fff,
				0x8000,
				0xffff,
				0x10000,
				INT32_MAX,
				(int64_t)INT32_MAX + 1,
				INT32_MIN,
				UINT32_MAX,
				(int64_t)UINT32_MAX + 1,
				INT64_MAX,
				INT64_MIN,
				0x0102030405060708};

START_TEST(test_integers_round)
{
	int64_t v = edges[_i], i64;
	struct buf b = BUF_INIT(64);
	struct reader r;
	uint8_t v8;
	uint16_t v16;
	uint32_t v32;
	int32_t i32;

	ck_assert_int_eq(buf_put_u8(&b, (uint8_t)v), Q_OK);
	ck_assert_int_eq(buf_put_u16(&b, (uint16_t)v), Q_OK);
	ck_assert_int_eq(buf_put_u32(&b, (uint32_t)v), Q_OK);
	ck_assert_int_eq(buf_put_i32(&b, (int32_t)v), Q_OK);
	ck_assert_int_eq(buf_put_i64(&b, v), Q_OK);
	ck_assert_uint_eq(b.len, 1 + 2 + 4 + 4 + 8);
	r = reader_of(buf_span(&b));
	ck_assert_int_eq(reader_u8(&r, &v8), Q_OK);
	ck_assert_int_eq(reader_u16(&r, &v16), Q_OK);
	ck_assert_int_eq(reader_u32(&r, &v32), Q_OK);
	ck_assert_int_eq(reader_i32(&r, &i32), Q_OK);
	ck_assert_int_eq(reader_i64(&r, &i64), Q_OK);
	ck_assert_uint_eq(v8, (uint8_t)v);
	ck_assert_uint_eq(v16, (uint16_t)v);
	ck_assert_uint_eq(v32, (uint32_t)v);
	ck_assert_int_eq(i32, (int32_t)v);
	ck_assert_int_eq(i64, v);
	ck_assert_uint_eq(r.left, 0);
	buf_free(&b);
}
END_TEST

START_TEST(test_little_endian)
{
	static const uint8_t bytes[8] = {0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0xf1};
	struct reader r = reader_of(span_of(bytes, 8));
	uint8_t out[8];
	uint16_t v16;
	int32_t i32;

	ck_assert_uint_eq(le32_get(bytes), 0x05060708);
	ck_assert_uint_eq(le64_get(bytes), 0xf102030405060708);
	le32_put(out, 0x05060708);
	ck_assert_mem_eq(out, bytes, 4);
	le64_put(out, 0xf102030405060708);
	ck_assert_mem_eq(out, bytes, 8);
	ck_assert_int_eq(reader_u16(&r, &v16), Q_OK);
	ck_assert_uint_eq(v16, 0x0708);
	ck_assert_int_eq(reader_i32(&r, &i32), Q_OK);
	ck_assert_int_eq(i32, 0x03040506);
}
END_TEST

/* ---- buf ---- */

START_TEST(test_limit)
{
	struct buf b = BUF_INIT(10);

	ck_assert_int_eq(buf_put(&b, "0123456789x", 11), Q_LIMIT);
	ck_assert_uint_eq(b.len, 0);
	ck_assert_int_eq(buf_put(&b, "012345678", 9), Q_OK);
	ck_assert_int_eq(buf_put_u16(&b, 1), Q_LIMIT);
	ck_assert_int_eq(buf_put_u32(&b, 1), Q_LIMIT);
	ck_assert_int_eq(buf_put_i32(&b, 1), Q_LIMIT);
	ck_assert_int_eq(buf_put_i64(&b, 1), Q_LIMIT);
	ck_assert_int_eq(buf_put_str(&b, "ab"), Q_LIMIT);
	ck_assert_int_eq(buf_put_span(&b, span_str("ab")), Q_LIMIT);
	ck_assert_int_eq(buf_reserve(&b, 2), Q_LIMIT);
	ck_assert_int_eq(buf_reserve(&b, SIZE_MAX), Q_LIMIT);
	ck_assert_int_eq(buf_put_u8(&b, '9'), Q_OK);
	ck_assert_int_eq(buf_put_u8(&b, 'x'), Q_LIMIT);
	ck_assert_int_eq(buf_put(&b, NULL, 0), Q_OK);
	ck_assert(span_eq(buf_span(&b), span_str("0123456789")));
	ck_assert_uint_le(b.cap, 10);
	b.max = 5; /* it holds more than it may by now */
	ck_assert_int_eq(buf_put_u8(&b, 'x'), Q_LIMIT);
	buf_free(&b);
}
END_TEST

START_TEST(test_growth)
{
	struct buf b = BUF_INIT(100000);
	size_t blocks = 0, cap = 0;

	for (size_t i = 0; i < 100000; i++) {
		ck_assert_int_eq(buf_put_u8(&b, (uint8_t)(i * 7)), Q_OK);
		blocks += b.cap != cap;
		cap = b.cap;
		ck_assert_uint_le(b.cap, b.max);
	}
	ck_assert_int_eq(buf_put_u8(&b, 0), Q_LIMIT);
	ck_assert_uint_eq(b.cap, 100000); /* the last block is not above max */
	ck_assert_uint_lt(blocks, 12);    /* and few were needed */
	for (size_t i = 0; i < b.len; i++)
		if (b.p[i] != (uint8_t)(i * 7))
			ck_abort_msg("byte %zu changed in a move", i);
	buf_free(&b);
	ck_assert(b.p == NULL && b.len == 0 && b.cap == 0 && b.max == 100000);
	ck_assert_int_eq(buf_put_str(&b, "again"), Q_OK);
	buf_wipe(&b);
	ck_assert(b.p == NULL && b.len == 0 && b.cap == 0 && b.max == 100000);
	buf_wipe(&b);
	buf_free(&b);
}
END_TEST

START_TEST(test_no_memory)
{
	struct buf b = BUF_INIT(SIZE_MAX);

	ck_assert_int_eq(buf_put_str(&b, "kept"), Q_OK);
	ck_assert_int_eq(buf_reserve(&b, SIZE_MAX / 4), Q_NOMEM);
	ck_assert_int_eq(buf_reserve(&b, SIZE_MAX - 4), Q_NOMEM);
	ck_assert_int_eq(buf_reserve(&b, SIZE_MAX), Q_LIMIT);
	ck_assert(span_eq(buf_span(&b), span_str("kept")));
	buf_free(&b);
}
END_TEST

START_TEST(test_consume)
{
	struct buf b = BUF_INIT(100);

	buf_consume(&b, 0);
	ck_assert_int_eq(buf_put_str(&b, "abcdef"), Q_OK);
	buf_consume(&b, 0);
	buf_consume(&b, 2);
	ck_assert(span_eq(buf_span(&b), span_str("cdef")));
	ck_assert_int_eq(buf_put_str(&b, "gh"), Q_OK);
	buf_consume(&b, 6);
	ck_assert_uint_eq(b.len, 0);
	buf_free(&b);
}
END_TEST

START_TEST(test_consume_too_much)
{
	struct buf b = BUF_INIT(100);

	ck_assert_int_eq(buf_put_str(&b, "ab"), Q_OK);
	buf_consume(&b, 3);
}
END_TEST

START_TEST(test_printf)
{
	struct buf b = BUF_INIT(12);

	ck_assert_int_eq(buf_printf(&b, "%s-%d", "abc", 42), Q_OK);
	ck_assert_int_eq(buf_printf(&b, "%s", ""), Q_OK);
	ck_assert(span_eq(buf_span(&b), span_str("abc-42")));
	ck_assert_int_eq(buf_printf(&b, "%s", "too long"), Q_LIMIT);
	ck_assert(span_eq(buf_span(&b), span_str("abc-42")));
	ck_assert_int_eq(buf_printf(&b, "%05d", 7), Q_OK);
	ck_assert(span_eq(buf_span(&b), span_str("abc-4200007")));
	buf_free(&b);
}
END_TEST

/* ---- err ---- */

START_TEST(test_errors)
{
	static const struct {
		int number;
		enum qerr want;
	} cases[] = {{ENOMEM, Q_NOMEM},  {EMFILE, Q_NOMEM},   {ENFILE, Q_NOMEM},
		     {EAGAIN, Q_NOMEM},  {ENOSPC, Q_FULL},    {EDQUOT, Q_FULL},
		     {EFBIG, Q_FULL},    {ENOENT, Q_MISSING}, {EEXIST, Q_EXISTS},
		     {EACCES, Q_DENIED}, {EPERM, Q_DENIED},   {EIO, Q_SYS},
		     {0, Q_SYS},         {-1, Q_SYS}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_int_eq(qerr_errno(cases[i].number), cases[i].want);
	for (int a = Q_OK; a <= Q_SYS; a++)
		for (int b = Q_OK; b < a; b++)
			ck_assert_str_ne(qerr_str((enum qerr)a), qerr_str((enum qerr)b));
	ck_assert_str_eq(qerr_str((enum qerr)99), "unknown error");
}
END_TEST

START_TEST(test_why)
{
	struct why w;
	char big[2 * sizeof(w.text)];

	ck_assert_int_eq(why_set(NULL, Q_SYS, "nobody %s", "listens"), Q_SYS);
	ck_assert_int_eq(why_set(&w, Q_MISSING, "no %s\n\x1b[2J\x7f%d", "file", 7),
			 Q_MISSING);
	ck_assert_str_eq(w.text, "no file??[2J?7");
	memset(big, 'x', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	ck_assert_int_eq(why_set(&w, Q_LIMIT, "%s", big), Q_LIMIT);
	ck_assert_uint_eq(strlen(w.text), sizeof(w.text) - 1);
}
END_TEST

static Suite *
bytes_suite(void)
{
	Suite *s = suite_create("bytes");
	TCase *t = tcase_create("reader");

	tcase_add_test(t, test_span);
	tcase_add_test(t, test_take);
	tcase_add_test(t, test_nothing_to_read);
	tcase_add_test(t, test_rest);
	tcase_add_test(t, test_take_until);
	tcase_add_test(t, test_short_integers);
	tcase_add_loop_test(t, test_integers_round, 0, sizeof(edges) / sizeof(edges[0]));
	tcase_add_test(t, test_little_endian);
	suite_add_tcase(s, t);
	t = tcase_create("buf");
	tcase_add_test(t, test_limit);
	tcase_add_test(t, test_growth);
	tcase_add_test(t, test_no_memory);
	tcase_add_test(t, test_consume);
	tcase_add_test_raise_signal(t, test_consume_too_much, SIGABRT);
	tcase_add_test(t, test_printf);
	suite_add_tcase(s, t);
	t = tcase_create("err");
	tcase_add_test(t, test_errors);
	tcase_add_test(t, test_why);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_main(bytes_suite());
}
