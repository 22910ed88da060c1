/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <string.h>

#include "crypto/password.h"

START_TEST(a_hash_fits_its_password_alone)
{
	char hash[PASSWORD_HASH_SIZE], other[PASSWORD_HASH_SIZE];

	ck_assert_int_eq(password_hash(span_str("geheim123"), hash), Q_OK);
	ck_assert_int_eq(strncmp(hash, "$y$", 3), 0);
	ck_assert_int_eq(password_check(span_str("geheim123"), hash), Q_OK);
	ck_assert_int_eq(password_check(span_str("geheim124"), hash), Q_DENIED);
	ck_assert_int_eq(password_check(span_str("geheim12"), hash), Q_DENIED);
	ck_assert_int_eq(password_check(span_str(""), hash), Q_DENIED);
	/* a fresh salt each time */
	ck_assert_int_eq(password_hash(span_str("geheim123"), other), Q_OK);
	ck_assert_str_ne(hash, other);
}
END_TEST

START_TEST(nobody_has_no_password)
{
	ck_assert_int_eq(password_check(span_str("geheim123"), NULL), Q_DENIED);
	ck_assert_int_eq(password_check(span_str("geheim123"), ""), Q_DENIED);
	ck_assert_int_eq(password_check(span_str("geheim123"), "not a hash"), Q_DENIED);
	ck_assert_int_eq(password_check(span_str("geheim123"), "*0"), Q_DENIED);
}
END_TEST

START_TEST(lengths)
{
	char long_one[PASSWORD_MAX + 2], hash[PASSWORD_HASH_SIZE];

	memset(long_one, 'x', sizeof(long_one));
	ck_assert(!password_valid(span_str("1234567")));
	ck_assert(password_valid(span_str("12345678")));
	ck_assert(password_valid(span_of(long_one, PASSWORD_MAX)));
	ck_assert(!password_valid(span_of(long_one, PASSWORD_MAX + 1)));
	ck_assert(!password_valid(span_of("1234\0"
					  "5678",
					  9)));
	ck_assert_int_eq(password_hash(span_of(long_one, PASSWORD_MAX + 1), hash),
			 Q_FORMAT);
	/* all of a long one counts */
	ck_assert_int_eq(password_hash(span_of(long_one, PASSWORD_MAX), hash), Q_OK);
	ck_assert_int_eq(password_check(span_of(long_one, PASSWORD_MAX), hash), Q_OK);
	long_one[PASSWORD_MAX - 1] = 'y';
	ck_assert_int_eq(password_check(span_of(long_one, PASSWORD_MAX), hash), Q_DENIED);
	ck_assert_int_eq(password_check(span_of(long_one, PASSWORD_MAX + 1), hash),
			 Q_DENIED);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("password");
	TCase *t = tcase_create("all");

	tcase_add_test(t, a_hash_fits_its_password_alone);
	tcase_add_test(t, nobody_has_no_password);
	tcase_add_test(t, lengths);
	suite_add_tcase(s, t);
	return unit_main(s);
}
