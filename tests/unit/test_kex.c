/* SPDX-License-Identifier: MIT */
#include "crypto/kex.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "tests/unit/libcrypto_memory.h"
#include "tests/unit/pem.h"

START_TEST(test_agree)
{
	uint8_t a[KEX_SECRET_LEN], b[KEX_SECRET_LEN], c[KEX_SECRET_LEN];
	struct kex *alice = kex_new(), *bob = kex_new(), *carol = kex_new();

	ck_assert(alice != NULL && bob != NULL && carol != NULL);
	ck_assert(!span_eq(kex_pem(alice), kex_pem(bob)));
	ck_assert_int_eq(kex_derive(alice, kex_pem(bob), a), Q_OK);
	ck_assert_int_eq(kex_derive(bob, kex_pem(alice), b), Q_OK);
	ck_assert_mem_eq(a, b, sizeof(a));
	ck_assert_int_eq(kex_derive(carol, kex_pem(alice), c), Q_OK);
	ck_assert_mem_ne(a, c, sizeof(a));
	ck_assert_int_eq(kex_derive(bob, kex_pem(alice), b), Q_OK); /* and once more */
	ck_assert_mem_eq(a, b, sizeof(a));
	kex_free(alice);
	kex_free(bob);
	kex_free(carol);
	kex_free(NULL);
}
END_TEST

/* Against libcrypto used in the plain, slow, fully validating way. */
START_TEST(test_against_plain)
{
	struct kex *mine = kex_new();
	struct span pem;
	uint8_t a[KEX_SECRET_LEN], b[KEX_SECRET_LEN];
	size_t len = sizeof(b);
	EVP_PKEY *theirs = EVP_EC_gen("P-256"), *read;
	EVP_PKEY_CTX *ctx;
	BIO *in, *out = BIO_new(BIO_s_mem());
	char *text;
	long n;

	ck_assert(mine != NULL && theirs != NULL && out != NULL);
	pem = kex_pem(mine);
	ck_assert_uint_eq(pem.len, 178);
	in = BIO_new_mem_buf(pem.p, (int)pem.len);
	read = PEM_read_bio_PUBKEY(in, NULL, NULL, NULL);
	ck_assert_ptr_nonnull(read);
	ctx = EVP_PKEY_CTX_new(theirs, NULL);
	ck_assert_int_eq(EVP_PKEY_derive_init(ctx), 1);
	ck_assert_int_eq(EVP_PKEY_derive_set_peer(ctx, read), 1);
	ck_assert_int_eq(EVP_PKEY_derive(ctx, b, &len), 1);
	ck_assert_int_eq(PEM_write_bio_PUBKEY(out, theirs), 1);
	n = BIO_get_mem_data(out, &text);
	ck_assert_int_eq(kex_derive(mine, span_of(text, (size_t)n), a), Q_OK);
	ck_assert_mem_eq(a, b, sizeof(a));
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(read);
	EVP_PKEY_free(theirs);
	BIO_free(in);
	BIO_free(out);
	kex_free(mine);
}
END_TEST

/* Secrets begin with a zero byte once in 256 times: they keep their length. */
START_TEST(test_leading_zero)
{
	struct kex *mine = kex_new();
	uint8_t a[KEX_SECRET_LEN], b[KEX_SECRET_LEN];
	bool seen = false;

	for (int i = 0; i < 10000 && !seen; i++) {
		struct kex *other = kex_new();

		ck_assert_ptr_nonnull(other);
		ck_assert_int_eq(kex_derive(mine, kex_pem(other), a), Q_OK);
		if (a[0] == 0) {
			ck_assert_int_eq(kex_derive(other, kex_pem(mine), b), Q_OK);
			ck_assert_mem_eq(a, b, sizeof(a));
			seen = true;
		}
		kex_free(other);
	}
	ck_assert(seen);
	kex_free(mine);
}
END_TEST

static const struct {
	const char *name;
	enum qerr want;
} cases[] = {
    {"ec-pub", Q_OK},
    {"ec-pub-small", Q_OK},
    {"ec-pub-compressed", Q_OK},
    {"ec-pub-off-curve", Q_DENIED},
    {"ec-pub-zero", Q_DENIED},
    {"ec-pub-infinity", Q_DENIED},
    {"ec-pub-out-of-range", Q_DENIED},
    {"p384-pub", Q_DENIED},
    {"secp256k1-pub", Q_DENIED},
    {"ed25519-pub", Q_DENIED},
    {"rsa2048-pub", Q_DENIED},
    {"ec", Q_FORMAT},
    {"mixed", Q_LIMIT},
};

START_TEST(test_peers)
{
	struct kex *x = kex_new();
	uint8_t secret[KEX_SECRET_LEN], untouched[KEX_SECRET_LEN];

	memset(secret, 0xee, sizeof(secret));
	memset(untouched, 0xee, sizeof(untouched));
	ck_assert_int_eq(kex_derive(x, pem_load(cases[_i].name), secret), cases[_i].want);
	ck_assert((memcmp(secret, untouched, sizeof(secret)) == 0) ==
		  (cases[_i].want != Q_OK));
	ck_assert_uint_eq(ERR_peek_error(), 0);
	kex_free(x);
}
END_TEST

START_TEST(test_lengths)
{
	struct kex *x = kex_new();
	struct span pem = pem_load("ec-pub");
	uint8_t secret[KEX_SECRET_LEN], padded[KEX_PEM_MAX + 1];

	memset(padded, '\n', sizeof(padded));
	memcpy(padded, pem.p, pem.len);
	ck_assert_int_eq(kex_derive(x, span_of(padded, KEX_PEM_MAX), secret), Q_OK);
	ck_assert_int_eq(kex_derive(x, span_of(padded, KEX_PEM_MAX + 1), secret),
			 Q_LIMIT);
	ck_assert_int_eq(kex_derive(x, span_of(NULL, 0), secret), Q_FORMAT);
	for (size_t len = 0; len < pem.len - 25; len++)
		ck_assert_int_eq(kex_derive(x, span_of(padded, len), secret), Q_FORMAT);
	kex_free(x);
}
END_TEST

START_TEST(test_no_memory)
{
	struct kex *x = kex_new();
	uint8_t secret[KEX_SECRET_LEN];
	enum qerr e = Q_NOMEM;
	long n;

	ck_assert_int_eq(kex_derive(x, pem_load("ec-pub"), secret), Q_OK);
	kex_free(x);
	x = NULL;
	for (n = 0; x == NULL; n++) {
		libcrypto_grants = n;
		x = kex_new();
		libcrypto_grants = LONG_MAX;
		ck_assert(x != NULL || ERR_peek_error() == 0);
		ck_assert_int_lt(n, 20000);
	}
	ck_assert_int_gt(n, 3);
	for (n = 0; e != Q_OK; n++) {
		struct span pem = pem_load("ec-pub");

		libcrypto_grants = n;
		e = kex_derive(x, pem, secret);
		libcrypto_grants = LONG_MAX;
		ck_assert(e == Q_OK || ERR_peek_error() == 0);
		ck_assert_int_lt(n, 20000);
	}
	ck_assert_int_gt(n, 3);
	kex_free(x);
}
END_TEST

static Suite *
kex_suite(void)
{
	Suite *s = suite_create("kex");
	TCase *t = tcase_create("kex");

	tcase_add_test(t, test_agree);
	tcase_add_test(t, test_against_plain);
	tcase_add_test(t, test_leading_zero);
	tcase_add_loop_test(t, test_peers, 0, (int)(sizeof(cases) / sizeof(cases[0])));
	tcase_add_test(t, test_lengths);
	tcase_add_test(t, test_no_memory);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	libcrypto_memory_start();
	return unit_main(kex_suite());
}
