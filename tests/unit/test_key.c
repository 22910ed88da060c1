/* SPDX-License-Identifier: MIT
 *
 * Which keys are taken and which refused, and what they sign.  The files were
 * made with openssl(1), the broken ones by hand from those.
 */
#include "crypto/key.h"

#include <pthread.h>
#include <string.h>

#include <openssl/err.h>

#include "base/text.h"
#include "crypto/random.h"
#include "tests/unit/libcrypto_memory.h"
#include "tests/unit/pem.h"

static struct key *
load_public(const char *name)
{
	struct key *k = NULL;

	ck_assert_int_eq(key_parse_public(pem_load(name), &k), Q_OK);
	return k;
}

static struct key *
load_private(const char *name)
{
	struct key *k = NULL;

	ck_assert_int_eq(key_parse_private(pem_load(name), NULL, &k), Q_OK);
	return k;
}

/* ---- public keys ---- */

static const struct {
	const char *name;
	enum qerr want;
	enum key_kind kind;
	const char *same_as; /* or NULL */
} public_cases[] = {
    {"ec-pub", Q_OK, KEY_EC_P256, "ec-pub"},
    {"ec-pub-compressed", Q_OK, KEY_EC_P256, "ec-pub"},
    {"ec-pub-hybrid", Q_OK, KEY_EC_P256, "ec-pub"},
    {"ec-pub-explicit", Q_OK, KEY_EC_P256, "ec-pub"},
    {"ec-pub-small", Q_OK, KEY_EC_P256, NULL},
    {"mixed", Q_OK, KEY_EC_P256, "ec-pub"}, /* text, certificate, two keys */
    {"rsa2048-pub", Q_OK, KEY_RSA, "rsa2048-pub"},
    {"rsa-pub-no-null", Q_OK, KEY_RSA, "rsa2048-pub"},
    {"rsa-pub-64-bits", Q_OK, KEY_RSA, NULL},
    {"ec-pub-off-curve", Q_DENIED, 0, NULL},
    {"ec-pub-zero", Q_DENIED, 0, NULL},
    {"ec-pub-infinity", Q_DENIED, 0, NULL},
    {"ec-pub-out-of-range", Q_DENIED, 0, NULL}, /* x + p */
    {"p384-pub", Q_DENIED, 0, NULL},
    {"secp256k1-pub", Q_DENIED, 0, NULL},
    {"ed25519-pub", Q_DENIED, 0, NULL},
    {"rsa-pss-pub", Q_DENIED, 0, NULL},
    {"rsa1024-pub", Q_DENIED, 0, NULL},
    {"rsa-pub-8200", Q_DENIED, 0, NULL},
    {"rsa-pub-one", Q_DENIED, 0, NULL}, /* exponents */
    {"rsa-pub-even", Q_DENIED, 0, NULL},
    {"rsa-pub-wide", Q_DENIED, 0, NULL},
    {"ec-pub-tail", Q_FORMAT, 0, NULL},
    {"rsa-pub-pkcs1", Q_FORMAT, 0, NULL},
    {"ec", Q_FORMAT, 0, NULL}, /* private keys are no public keys */
    {"ec-traditional", Q_FORMAT, 0, NULL},
    {"ec-encrypted", Q_FORMAT, 0, NULL},
    {"rsa2048", Q_FORMAT, 0, NULL},
    {"server", Q_FORMAT, 0, NULL},
};

START_TEST(test_public)
{
	struct key *k = NULL, *other;

	ck_assert_int_eq(key_parse_public(pem_load(public_cases[_i].name), &k),
			 public_cases[_i].want);
	ck_assert_uint_eq(ERR_peek_error(), 0);
	if (public_cases[_i].want != Q_OK) {
		ck_assert_ptr_null(k);
		return;
	}
	ck_assert_int_eq(key_kind(k), public_cases[_i].kind);
	ck_assert(!key_has_private(k));
	if (public_cases[_i].same_as != NULL) {
		uint8_t a[SHA256_LEN], b[SHA256_LEN];

		other = load_public(public_cases[_i].same_as);
		ck_assert(key_same(k, other) && key_same(other, k));
		ck_assert_int_eq(key_fingerprint(k, a), Q_OK);
		ck_assert_int_eq(key_fingerprint(other, b), Q_OK);
		ck_assert_mem_eq(a, b, sizeof(a));
		key_free(other);
	}
	key_free(k);
}
END_TEST

/* What openssl(1) writes, we write, to the byte. */
START_TEST(test_public_pem)
{
	static const char *const names[] = {"ec-pub", "rsa2048-pub"};
	struct buf out = BUF_INIT(KEY_PEM_MAX);
	struct key *k = load_public(names[_i]);

	ck_assert_int_eq(key_public_pem(k, &out), Q_OK);
	ck_assert(span_eq(buf_span(&out), pem_load(names[_i])));
	out.max = out.len + 10; /* no room for a second one: nothing is appended */
	ck_assert_int_eq(key_public_pem(k, &out), Q_LIMIT);
	ck_assert(span_eq(buf_span(&out), pem_load(names[_i])));
	buf_free(&out);
	key_free(k);
}
END_TEST

START_TEST(test_fingerprint)
{
	static const struct {
		const char *name, *sum;
	} cases[] = {
	    {"ec-pub",
	     "bf5456bfa72188e08205c4ba59486a67264e26005851a302845c69c1b3b077b1"},
	    {"rsa2048-pub",
	     "c56b58e3e0583ac8e9a88242c967221b55e809fad571b84b10e441303c2862bf"},
	};
	uint8_t sum[SHA256_LEN];
	char hex[HEX_LEN(SHA256_LEN) + 1];
	struct key *k = load_public(cases[_i].name);

	ck_assert_int_eq(key_fingerprint(k, sum), Q_OK);
	hex_encode(span_of(sum, sizeof(sum)), hex);
	ck_assert_str_eq(hex, cases[_i].sum);
	key_free(k);
}
END_TEST

START_TEST(test_junk)
{
	static uint8_t big[KEY_PEM_MAX + 1];
	static const char *const junk[] = {
	    "",
	    "hello",
	    "-----BEGIN PUBLIC KEY-----\n",
	    "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n",
	    "-----BEGIN PUBLIC KEY-----\n!!!!\n-----END PUBLIC KEY-----\n",
	    "-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n",
	    "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n"};
	struct key *k = NULL;

	for (size_t i = 0; i < sizeof(junk) / sizeof(junk[0]); i++) {
		ck_assert_int_eq(key_parse_public(span_str(junk[i]), &k), Q_FORMAT);
		ck_assert_int_eq(key_parse_private(span_str(junk[i]), NULL, &k),
				 Q_FORMAT);
	}
	ck_assert_int_eq(key_parse_public(span_of(NULL, 0), &k), Q_FORMAT);
	memset(big, '\n', sizeof(big));
	ck_assert_int_eq(key_parse_public(span_of(big, sizeof(big)), &k), Q_LIMIT);
	ck_assert_int_eq(key_parse_private(span_of(big, sizeof(big)), NULL, &k), Q_LIMIT);
	ck_assert_int_eq(key_parse_public(span_of(big, sizeof(big) - 1), &k), Q_FORMAT);
	ck_assert_ptr_null(k);
	ck_assert_uint_eq(ERR_peek_error(), 0);
}
END_TEST

/* A key cut short is refused; one changed in its base64 is refused, or is
 * another key, but is never taken for the same. */
START_TEST(test_damaged)
{
	static const char *const names[] = {"ec-pub", "rsa2048-pub"};
	struct key *k = load_public(names[_i]), *other;
	struct span pem = pem_load(names[_i]);
	uint8_t copy[1024];

	for (size_t len = 0; len + 26 < pem.len; len++) {
		other = NULL;
		ck_assert_int_eq(key_parse_public(span_of(pem.p, len), &other), Q_FORMAT);
		ck_assert_ptr_null(other);
	}
	memcpy(copy, pem.p, pem.len);
	for (size_t i = 27; i < pem.len - 26; i++) {
		if (copy[i] == '\n' || copy[i] == '=')
			continue;
		copy[i] = copy[i] == 'A' ? 'B' : 'A';
		if (key_parse_public(span_of(copy, pem.len), &other) == Q_OK) {
			ck_assert(!key_same(k, other));
			key_free(other);
		}
		copy[i] = pem.p[i];
	}
	key_free(k);
}
END_TEST

/* ---- private keys ---- */

static const struct {
	const char *name;
	const char *passphrase;
	enum qerr want;
	const char *public; /* its public half */
} private_cases[] = {
    {"ec", NULL, Q_OK, "ec-pub"},
    {"ec", "not needed", Q_OK, "ec-pub"},
    {"ec-traditional", NULL, Q_OK, "ec-pub"},
    {"ec-params", NULL, Q_OK, NULL}, /* "EC PARAMETERS" before the key */
    {"ec-encrypted", PEM_PASSPHRASE, Q_OK, "ec-pub"},
    {"ec-traditional-encrypted", PEM_PASSPHRASE, Q_OK, "ec-pub"},
    {"rsa2048", NULL, Q_OK, "rsa2048-pub"},
    {"ec-encrypted", NULL, Q_MISSING, NULL},
    {"ec-traditional-encrypted", NULL, Q_MISSING, NULL},
    {"ec-encrypted", "wrong", Q_DENIED, NULL},
    {"ec-encrypted", "", Q_DENIED, NULL},
    {"ec-traditional-encrypted", "wrong", Q_DENIED, NULL},
    {"ec-traditional-encrypted", "", Q_DENIED, NULL},
    {"ec-halves", NULL, Q_DENIED, NULL}, /* another key's public half */
    {"rsa1024", NULL, Q_DENIED, NULL},
    {"p384", NULL, Q_DENIED, NULL},
    {"ed25519", NULL, Q_DENIED, NULL},
    {"ec-pub", NULL, Q_FORMAT, NULL},
    {"rsa2048-pub", NULL, Q_FORMAT, NULL},
    {"server", NULL, Q_FORMAT, NULL},
};

START_TEST(test_private)
{
	struct key *k = NULL, *other;

	ck_assert_int_eq(key_parse_private(pem_load(private_cases[_i].name),
					   private_cases[_i].passphrase, &k),
			 private_cases[_i].want);
	ck_assert_uint_eq(ERR_peek_error(), 0);
	if (private_cases[_i].want != Q_OK) {
		ck_assert_ptr_null(k);
		return;
	}
	ck_assert(key_has_private(k));
	if (private_cases[_i].public != NULL) {
		other = load_public(private_cases[_i].public);
		ck_assert(key_same(k, other));
		key_free(other);
	}
	key_free(k);
}
END_TEST

START_TEST(test_private_pem)
{
	static const struct {
		const char *name, *passphrase;
	} cases[] = {{"ec", NULL},
		     {"ec", ""},
		     {"ec", "hush"},
		     {"rsa2048", NULL},
		     {"rsa2048", "gr\xc3\xbcn ist die Heide"}};
	const char *pass = cases[_i].passphrase;
	bool sealed = pass != NULL && pass[0] != '\0';
	struct buf out = BUF_INIT(KEY_PEM_MAX);
	struct key *k = load_private(cases[_i].name), *again = NULL;

	ck_assert_int_eq(key_private_pem(k, pass, &out), Q_OK);
	ck_assert_int_eq(buf_put_u8(&out, 0), Q_OK);
	ck_assert_ptr_nonnull(
	    strstr((char *)out.p, sealed ? "-----BEGIN ENCRYPTED PRIVATE KEY-----"
					 : "-----BEGIN PRIVATE KEY-----"));
	out.len--;
	ck_assert_int_eq(key_parse_private(buf_span(&out), pass, &again), Q_OK);
	ck_assert(key_same(k, again) && key_has_private(again));
	key_free(again);
	again = NULL;
	if (sealed) {
		ck_assert_int_eq(key_parse_private(buf_span(&out), NULL, &again),
				 Q_MISSING);
		ck_assert_int_eq(key_parse_private(buf_span(&out), "other", &again),
				 Q_DENIED);
	}
	ck_assert_uint_eq(ERR_peek_error(), 0);
	buf_wipe(&out);
	key_free(k);
}
END_TEST

START_TEST(test_private_pem_refused)
{
	char longest[KEY_PASSPHRASE_MAX + 2];
	struct buf out = BUF_INIT(KEY_PEM_MAX), small = BUF_INIT(100);
	struct key *public = load_public("ec-pub"), *k = load_private("ec"), *again;

	memset(longest, 'x', sizeof(longest));
	longest[KEY_PASSPHRASE_MAX + 1] = '\0';
	ck_assert_int_eq(key_private_pem(public, NULL, &out), Q_DENIED);
	ck_assert_int_eq(key_private_pem(k, longest, &out), Q_LIMIT);
	ck_assert_int_eq(key_private_pem(k, NULL, &small), Q_LIMIT);
	ck_assert_uint_eq(out.len + small.len, 0);
	longest[KEY_PASSPHRASE_MAX] = '\0';
	ck_assert_int_eq(key_private_pem(k, longest, &out), Q_OK);
	ck_assert_int_eq(key_parse_private(buf_span(&out), longest, &again), Q_OK);
	key_free(again);
	buf_wipe(&out);
	key_free(public);
	key_free(k);
}
END_TEST

START_TEST(test_generate)
{
	static const struct {
		enum key_kind kind;
		int bits;
		enum qerr want;
	} cases[] = {{KEY_EC_P256, 0, Q_OK},   {KEY_RSA, 2048, Q_OK},
		     {KEY_RSA, 1024, Q_LIMIT}, {KEY_RSA, 0, Q_LIMIT},
		     {KEY_RSA, -1, Q_LIMIT},   {KEY_RSA, 16384, Q_LIMIT}};
	struct key *k = NULL, *another = NULL;

	ck_assert_int_eq(key_generate(cases[_i].kind, cases[_i].bits, &k),
			 cases[_i].want);
	if (cases[_i].want != Q_OK) {
		ck_assert_ptr_null(k);
		return;
	}
	ck_assert_int_eq(key_kind(k), cases[_i].kind);
	ck_assert(key_has_private(k));
	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &another), Q_OK);
	ck_assert(!key_same(k, another));
	key_free(k);
	key_free(another);
}
END_TEST

/* ---- signatures ---- */

/* Made by: printf Quintet | openssl dgst -sha256 -sign ec.pem -hex */
static const char ec_signature[] =
    "3046022100dfa8b54bcc4273c581ed59bd1374857c17d2a779a7cbed1d0779d0f5ae747f64"
    "02210087ed18cbcbcb399cf6457ffd291874d37374d1f0b12a8716d0878966925ba0c3";
/* SHA-256 of what the same makes with rsa2048.pem: PKCS#1 v1.5 knows no chance. */
static const char rsa_signature_sum[] =
    "f75e9d942f00f50a36e7f60878a5e9e850dd56849aa8fb9eb019e84ae6db7729";

START_TEST(test_known_signatures)
{
	struct span parts[2] = {span_str("Quin"), span_str("tet")}, all;
	uint8_t sig[KEY_SIGN_MAX], sum[SHA256_LEN];
	char hex[HEX_LEN(SHA256_LEN) + 1];
	size_t len = strlen(ec_signature) / 2;
	struct key *k = load_public("ec-pub");

	ck_assert_int_eq(hex_decode(span_str(ec_signature), sig, len), Q_OK);
	ck_assert_int_eq(key_verify(k, parts, 2, span_of(sig, len)), Q_OK);
	key_free(k);

	k = load_private("rsa2048");
	ck_assert_int_eq(key_sign(k, parts, 2, sig, &len), Q_OK);
	ck_assert_uint_eq(len, 256);
	all = span_of(sig, len);
	ck_assert_int_eq(sha256(&all, 1, sum), Q_OK);
	hex_encode(span_of(sum, sizeof(sum)), hex);
	ck_assert_str_eq(hex, rsa_signature_sum);
	key_free(k);
}
END_TEST

START_TEST(test_sign_verify)
{
	static const char *const names[][2] = {{"ec", "ec-pub"},
					       {"rsa2048", "rsa2048-pub"}};
	struct key *private = load_private(names[_i][0]),
		   *public = load_public(names[_i][1]);
	struct key *stranger;
	struct span text[2] = {span_str("pem"), span_str("nonce")},
		    other = span_str("pemnoncf");
	uint8_t sig[KEY_SIGN_MAX];
	size_t len = 0;

	ck_assert_int_eq(key_sign(private, text, 2, sig, &len), Q_OK);
	ck_assert(len > 0 && len <= KEY_SIGN_MAX);
	ck_assert_int_eq(key_verify(public, text, 2, span_of(sig, len)), Q_OK);
	ck_assert_int_eq(key_verify(private, text, 2, span_of(sig, len)), Q_OK);
	/* another text, another key, another length, another bit */
	ck_assert_int_eq(key_verify(public, text, 1, span_of(sig, len)), Q_DENIED);
	ck_assert_int_eq(key_verify(public, &other, 1, span_of(sig, len)), Q_DENIED);
	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &stranger), Q_OK);
	ck_assert_int_eq(key_verify(stranger, text, 2, span_of(sig, len)), Q_DENIED);
	ck_assert_int_eq(key_verify(public, text, 2, span_of(NULL, 0)), Q_DENIED);
	ck_assert_int_eq(key_verify(public, text, 2, span_of(sig, len - 1)), Q_DENIED);
	sig[len] = 0;
	ck_assert_int_eq(key_verify(public, text, 2, span_of(sig, len + 1)), Q_DENIED);
	for (size_t i = 0; i < len; i++) {
		sig[i] ^= 0x20;
		ck_assert_int_eq(key_verify(public, text, 2, span_of(sig, len)),
				 Q_DENIED);
		sig[i] ^= 0x20;
	}
	ck_assert_int_eq(key_sign(public, text, 2, sig, &len), Q_DENIED);
	ck_assert_uint_eq(ERR_peek_error(), 0);
	key_free(stranger);
	key_free(private);
	key_free(public);
}
END_TEST

/* ---- threads and memory ---- */

static void *
use_key(void *arg)
{
	struct key *k = arg;
	struct span text = span_str("text");
	uint8_t sig[KEY_SIGN_MAX];
	size_t len;
	bool ok = true;

	for (int i = 0; i < 20; i++) {
		struct key *mine = key_ref(k), *other = NULL;
		struct buf pem = BUF_INIT(KEY_PEM_MAX);

		ok = ok && key_sign(mine, &text, 1, sig, &len) == Q_OK &&
		     key_verify(mine, &text, 1, span_of(sig, len)) == Q_OK &&
		     key_public_pem(mine, &pem) == Q_OK &&
		     key_parse_public(buf_span(&pem), &other) == Q_OK &&
		     key_same(mine, other);
		key_free(other);
		key_free(mine);
		buf_free(&pem);
		crypto_thread_idle(); /* what it gives back comes back by itself */
	}
	key_free(k);
	return ok ? arg : NULL;
}

START_TEST(test_threads)
{
	static const char *const names[] = {"ec", "rsa2048"};
	struct key *k = load_private(names[_i]);
	pthread_t threads[4];
	void *result;

	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, use_key, key_ref(k)),
				 0);
	key_free(k); /* theirs keep it alive */
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(pthread_join(threads[i], &result), 0);
		ck_assert_ptr_nonnull(result);
	}
	key_free(NULL);
}
END_TEST

/* Refuse the n-th allocation, for every n until all goes well: each time there
 * is an error that says so, no output, and nothing left in the error queue. */
START_TEST(test_no_memory)
{
	static const char *const names[] = {"ec-pub", "rsa2048-pub", "ec-pub-compressed"};
	struct key *k = NULL;
	enum qerr e = Q_NOMEM;
	long n;

	key_free(load_public(names[_i]));
	for (n = 0; e != Q_OK; n++) {
		struct span pem = pem_load(names[_i]);

		libcrypto_grants = n;
		e = key_parse_public(pem, &k);
		libcrypto_grants = LONG_MAX;
		ck_assert(e == Q_OK || (k == NULL && ERR_peek_error() == 0));
		ck_assert_int_lt(n, 20000);
	}
	ck_assert_int_gt(n, 3);
	key_free(k);
}
END_TEST

START_TEST(test_sign_no_memory)
{
	struct key *k = load_private("ec");
	struct span text = span_str("text");
	uint8_t sig[KEY_SIGN_MAX];
	size_t len = 12345;
	enum qerr e = Q_NOMEM;
	long n;

	for (n = 0; e != Q_OK; n++) {
		libcrypto_grants = n;
		e = key_sign(k, &text, 1, sig, &len);
		libcrypto_grants = LONG_MAX;
		ck_assert(e == Q_OK || e == Q_NOMEM || e == Q_CRYPTO);
		ck_assert(e == Q_OK || (len == 12345 && ERR_peek_error() == 0));
		ck_assert_int_lt(n, 20000);
	}
	for (e = Q_NOMEM, n = 0; e != Q_OK; n++) {
		libcrypto_grants = n;
		e = key_verify(k, &text, 1, span_of(sig, len));
		libcrypto_grants = LONG_MAX;
		ck_assert_int_lt(n, 20000);
	}
	key_free(k);
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

static Suite *
key_suite(void)
{
	Suite *s = suite_create("key");
	TCase *t = tcase_create("public");

	tcase_add_loop_test(t, test_public, 0, COUNT(public_cases));
	tcase_add_loop_test(t, test_public_pem, 0, 2);
	tcase_add_loop_test(t, test_fingerprint, 0, 2);
	tcase_add_test(t, test_junk);
	tcase_add_loop_test(t, test_damaged, 0, 2);
	suite_add_tcase(s, t);
	t = tcase_create("private");
	tcase_add_loop_test(t, test_private, 0, COUNT(private_cases));
	tcase_add_loop_test(t, test_private_pem, 0, 5);
	tcase_add_test(t, test_private_pem_refused);
	tcase_add_loop_test(t, test_generate, 0, 6);
	suite_add_tcase(s, t);
	t = tcase_create("signatures");
	tcase_add_test(t, test_known_signatures);
	tcase_add_loop_test(t, test_sign_verify, 0, 2);
	suite_add_tcase(s, t);
	t = tcase_create("threads and memory");
	tcase_add_loop_test(t, test_threads, 0, 2);
	tcase_add_loop_test(t, test_no_memory, 0, 3);
	tcase_add_test(t, test_sign_no_memory);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	libcrypto_memory_start();
	return unit_main(key_suite());
}
