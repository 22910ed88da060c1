/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <string.h>

#include "base/uuid.h"
#include "crypto/random.h"

static struct uuid
must(const char *text)
{
	struct uuid u;

	ck_assert_int_eq(uuid_parse(span_str(text), &u), Q_OK);
	return u;
}

START_TEST(text_both_ways)
{
	struct uuid u = must("F81D4FAE-7dec-41d0-a765-00A0C91E6BF6");
	char text[UUID_SIZE];

	uuid_text(&u, text);
	ck_assert_str_eq(text, "f81d4fae-7dec-41d0-a765-00a0c91e6bf6");
	ck_assert_int_eq(u.b[0], 0xf8);
	ck_assert_int_eq(u.b[15], 0xf6);
	ck_assert_uint_eq(uuid_version(&u), 4);
	ck_assert(!uuid_is_nil(&u));
}
END_TEST

static const char *const wrong[] = {
    "",
    "f81d4fae-7dec-41d0-a765-00a0c91e6bf",
    "f81d4fae-7dec-41d0-a765-00a0c91e6bf6 ",
    "{f81d4fae-7dec-41d0-a765-00a0c91e6bf",
    "f81d4fae7dec-41d0-a765-00a0c91e6bf60",
    "f81d4fae-7dec-41d0-a765_00a0c91e6bf6",
    "f81d4fae-7dec-41d0-a765-00a0c91e6bfg",
    "f81d4fae-7dec-41d0-a76-500a0c91e6bf6",
};

START_TEST(text_that_is_none)
{
	struct uuid u = must("00000000-0000-4000-8000-000000000001"), before = u;

	ck_assert_int_eq(uuid_parse(span_str(wrong[_i]), &u), Q_FORMAT);
	ck_assert(uuid_eq(&u, &before));
}
END_TEST

START_TEST(version_needs_the_variant)
{
	struct uuid nil = {{0}}, other = must("00000000-0000-4000-c000-000000000000");

	ck_assert(uuid_is_nil(&nil));
	ck_assert_uint_eq(uuid_version(&nil), 0);
	ck_assert_uint_eq(uuid_version(&other), 0);
}
END_TEST

START_TEST(version_4_keeps_122_bits)
{
	uint8_t ones[16];
	struct uuid u;
	char text[UUID_SIZE];

	memset(ones, 0xff, sizeof(ones));
	u = uuid_v4(ones);
	uuid_text(&u, text);
	ck_assert_str_eq(text, "ffffffff-ffff-4fff-bfff-ffffffffffff");
}
END_TEST

/* The example of RFC 9562, appendix A.6. */
START_TEST(version_7_of_the_rfc)
{
	struct uuid want = must("017f22e2-79b0-7cc3-98c4-dc0c0c07398f"), nil = {{0}}, u;

	u = uuid_v7(1645557742000, &nil, want.b);
	ck_assert_int_eq(uuid_cmp(&u, &want), 0);
	ck_assert_int_eq(uuid_time_ms(&u), 1645557742000);
	ck_assert_uint_eq(uuid_version(&u), 7);
}
END_TEST

/* A clock that stands, steps back, and goes on. */
START_TEST(version_7_only_rises)
{
	struct uuid last = {{0}}, next;
	uint8_t dice[16];
	int64_t now = 1700000000000;

	for (int i = 0; i < 20000; i++) {
		if (i % 1000 == 999)
			now += i % 2000 == 999 ? -3600000 : 3600001;
		random_bytes(dice, sizeof(dice));
		next = uuid_v7(now, &last, dice);
		ck_assert_int_gt(uuid_cmp(&next, &last), 0);
		ck_assert_uint_eq(uuid_version(&next), 7);
		ck_assert_int_ge(uuid_time_ms(&next), now);
		last = next;
	}
}
END_TEST

START_TEST(version_7_carries)
{
	/* All random bits are used up: the milliseconds take the carry. */
	struct uuid last = must("017f22e2-79b0-7fff-bfff-ffffffffffff"), next;
	uint8_t zeros[16] = {0};

	next = uuid_v7(0, &last, zeros);
	ck_assert_int_gt(uuid_cmp(&next, &last), 0);
	ck_assert_int_eq(uuid_time_ms(&next), uuid_time_ms(&last) + 1);
	ck_assert_uint_eq(uuid_version(&next), 7);

	last = must("017f22e2-79b0-7ffe-bfff-ffffffffffff");
	next = uuid_v7(0, &last, zeros);
	ck_assert_int_gt(uuid_cmp(&next, &last), 0);
	ck_assert_int_eq(uuid_time_ms(&next), uuid_time_ms(&last));
}
END_TEST

START_TEST(version_7_of_odd_clocks)
{
	struct uuid nil = {{0}}, u;
	uint8_t zeros[16] = {0};

	u = uuid_v7(-5, &nil, zeros);
	ck_assert_int_eq(uuid_time_ms(&u), 0);
	u = uuid_v7(INT64_MAX, &nil, zeros);
	ck_assert_int_eq(uuid_time_ms(&u), (INT64_C(1) << 48) - 1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("uuid");
	TCase *c = tcase_create("uuid");

	tcase_add_test(c, text_both_ways);
	tcase_add_loop_test(c, text_that_is_none, 0, sizeof(wrong) / sizeof(wrong[0]));
	tcase_add_test(c, version_needs_the_variant);
	tcase_add_test(c, version_4_keeps_122_bits);
	tcase_add_test(c, version_7_of_the_rfc);
	tcase_add_test(c, version_7_only_rises);
	tcase_add_test(c, version_7_carries);
	tcase_add_test(c, version_7_of_odd_clocks);
	suite_add_tcase(suite, c);
	return unit_main(suite);
}
