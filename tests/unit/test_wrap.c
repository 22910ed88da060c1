/* SPDX-License-Identifier: MIT
 *
 * Secrets for the owner of a key: round trips, other keys, other labels, each changed
 * byte.
 */
#include "tests/unit/unit.h"

#include <string.h>

#include "crypto/wrap.h"

static const enum key_kind kinds[] = {KEY_EC_P256, KEY_RSA};

static struct key *
make(int i)
{
	struct key *k;

	ck_assert_int_eq(key_generate(kinds[i], 2048, &k), Q_OK);
	return k;
}

START_TEST(round_trip)
{
	struct buf wrapped = BUF_INIT(WRAP_MAX), again = BUF_INIT(WRAP_MAX),
		   out = BUF_INIT(WRAP_SECRET_MAX), pem = BUF_INIT(KEY_PEM_MAX);
	struct span label = span_str("label"),
		    secret = span_str("thirty-two bytes of it");
	struct key *k = make(_i), *public;

	/* The public half is enough to seal, and not to open. */
	ck_assert_int_eq(key_public_pem(k, &pem), Q_OK);
	ck_assert_int_eq(key_parse_public(buf_span(&pem), &public), Q_OK);
	ck_assert_int_eq(wrap_seal(public, label, secret, &wrapped), Q_OK);
	ck_assert_int_eq(wrap_open(public, label, buf_span(&wrapped), &out), Q_DENIED);
	ck_assert_int_eq(wrap_open(k, label, buf_span(&wrapped), &out), Q_OK);
	ck_assert(span_eq(buf_span(&out), secret));
	ck_assert_ptr_null(memmem(wrapped.p, wrapped.len, secret.p, secret.len));
	ck_assert_int_eq(wrap_seal(k, label, secret, &again), Q_OK);
	ck_assert(!span_eq(buf_span(&wrapped), buf_span(&again)));
	key_free(k);
	key_free(public);
	buf_free(&wrapped);
	buf_free(&again);
	buf_free(&out);
	buf_free(&pem);
}
END_TEST

START_TEST(refused)
{
	struct buf wrapped = BUF_INIT(WRAP_MAX), out = BUF_INIT(WRAP_SECRET_MAX);
	struct key *k = make(_i), *same_kind = make(_i), *other_kind = make(1 - _i);
	struct span label = span_str("label");
	uint8_t long_secret[WRAP_SECRET_MAX + 1] = {0};
	size_t step = _i == 0 ? 1 : 16;

	ck_assert_int_eq(
	    wrap_seal(k, label, span_of(long_secret, sizeof(long_secret)), &wrapped),
	    Q_LIMIT);
	ck_assert_int_eq(wrap_seal(k, label, span_str("secret"), &wrapped), Q_OK);
	ck_assert_int_eq(wrap_open(same_kind, label, buf_span(&wrapped), &out), Q_DENIED);
	ck_assert_int_ne(wrap_open(other_kind, label, buf_span(&wrapped), &out), Q_OK);
	ck_assert_int_eq(wrap_open(k, span_str("other"), buf_span(&wrapped), &out),
			 Q_DENIED);
	for (size_t i = 0; i < wrapped.len; i += step) {
		wrapped.p[i] ^= 1;
		ck_assert_msg(wrap_open(k, label, buf_span(&wrapped), &out) != Q_OK,
			      "byte %zu changed", i);
		wrapped.p[i] ^= 1;
		ck_assert_int_ne(wrap_open(k, label, span_of(wrapped.p, i), &out), Q_OK);
	}
	ck_assert_uint_eq(out.len, 0);
	ck_assert_int_eq(wrap_open(k, label, buf_span(&wrapped), &out), Q_OK);
	key_free(k);
	key_free(same_kind);
	key_free(other_kind);
	buf_free(&wrapped);
	buf_free(&out);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("wrap");
	TCase *t = tcase_create("wrap");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, round_trip, 0, 2);
	tcase_add_loop_test(t, refused, 0, 2);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_main(suite());
}
