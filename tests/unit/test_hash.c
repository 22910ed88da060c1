/* SPDX-License-Identifier: MIT
 *
 * SHA-256 (FIPS 180-4 examples), HMAC (RFC 4231), HKDF (RFC 5869), randomness.
 */
#include "crypto/hash.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>

#include "base/text.h"
#include "crypto/random.h"
#include "tests/unit/unit.h"

static void
expect_hex(const uint8_t *got, size_t len, const char *hex)
{
	char text[256];

	ck_assert_uint_lt(HEX_LEN(len), sizeof(text));
	hex_encode(span_of(got, len), text);
	ck_assert_str_eq(text, hex);
}

static struct span
unhex(const char *hex, uint8_t *room)
{
	size_t len = strlen(hex) / 2;

	ck_assert_int_eq(hex_decode(span_str(hex), room, len), Q_OK);
	return span_of(room, len);
}

/* ---- SHA-256 ---- */

static const struct {
	const char *text;
	const char *sum;
} sha_cases[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

START_TEST(test_sha256)
{
	struct span whole = span_str(sha_cases[_i].text);
	uint8_t sum[SHA256_LEN];

	ck_assert_int_eq(sha256(&whole, 1, sum), Q_OK);
	expect_hex(sum, sizeof(sum), sha_cases[_i].sum);
	/* However it is cut, the sum is the same. */
	for (size_t cut = 0; cut <= whole.len; cut++) {
		struct span parts[3] = {
		    {whole.p, cut}, {NULL, 0}, {whole.p + cut, whole.len - cut}};

		memset(sum, 0, sizeof(sum));
		ck_assert_int_eq(sha256(parts, 3, sum), Q_OK);
		expect_hex(sum, sizeof(sum), sha_cases[_i].sum);
	}
}
END_TEST

START_TEST(test_sha256_nothing_and_much)
{
	static uint8_t letters[1000000];
	struct span all = {letters, sizeof(letters)};
	uint8_t sum[SHA256_LEN];

	ck_assert_int_eq(sha256(NULL, 0, sum), Q_OK);
	expect_hex(sum, sizeof(sum), sha_cases[0].sum);
	memset(letters, 'a', sizeof(letters));
	ck_assert_int_eq(sha256(&all, 1, sum), Q_OK);
	expect_hex(sum, sizeof(sum),
		   "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}
END_TEST

/* ---- HMAC ---- */

static const struct {
	size_t key_len;
	size_t text_len;
	const char *key;  /* or NULL: key_len times key_byte */
	const char *text; /* or NULL: text_len times text_byte */
	uint8_t key_byte;
	uint8_t text_byte;
	const char *mac;
} hmac_cases[] = {
    {20, 8, NULL, "Hi There", 0x0b, 0,
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {4, 28, "Jefe", "what do ya want for nothing?", 0, 0,
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {20, 50, NULL, NULL, 0xaa, 0xdd,
     "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
    {131, 54, NULL, "Test Using Larger Than Block-Size Key - Hash Key First", 0xaa, 0,
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    /* an empty key and an empty text, as other libraries have it */
    {0, 0, NULL, NULL, 0, 0,
     "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
};

START_TEST(test_hmac)
{
	uint8_t key[256], text[256], mac[SHA256_LEN];
	size_t key_len = hmac_cases[_i].key_len, len = hmac_cases[_i].text_len;
	struct span parts[2];

	memset(key, hmac_cases[_i].key_byte, sizeof(key));
	memset(text, hmac_cases[_i].text_byte, sizeof(text));
	if (hmac_cases[_i].key != NULL)
		memcpy(key, hmac_cases[_i].key, key_len);
	if (hmac_cases[_i].text != NULL)
		memcpy(text, hmac_cases[_i].text, len);
	for (size_t cut = 0; cut <= len; cut++) {
		parts[0] = span_of(text, cut);
		parts[1] = span_of(text + cut, len - cut);
		ck_assert_int_eq(hmac_sha256(span_of(key, key_len), parts, 2, mac), Q_OK);
		expect_hex(mac, sizeof(mac), hmac_cases[_i].mac);
	}
}
END_TEST

/* ---- HKDF ---- */

static const struct {
	const char *secret;
	const char *salt;
	const char *info;
	const char *out;
} hkdf_cases[] = {
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c",
     "f0f1f2f3f4f5f6f7f8f9",
     "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
     "34007208d5b887185865"},
    {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
     "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
     "404142434445464748494a4b4c4d4e4f",
     "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f"
     "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
     "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
     "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecf"
     "d0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeef"
     "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
     "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
     "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
     "cc30c58179ec3e87c14c01d5c1f3434f1d87"},
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
     "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
     "9d201395faa4b61a96c8"},
};

START_TEST(test_hkdf)
{
	uint8_t secret[128], salt[128], info[128], out[128];
	size_t len = strlen(hkdf_cases[_i].out) / 2;

	ck_assert_int_eq(hkdf_sha256(unhex(hkdf_cases[_i].secret, secret),
				     unhex(hkdf_cases[_i].salt, salt),
				     unhex(hkdf_cases[_i].info, info), out, len),
			 Q_OK);
	expect_hex(out, len, hkdf_cases[_i].out);
}
END_TEST

START_TEST(test_hkdf_limits)
{
	static uint8_t out[HKDF_OUT_MAX + 1], info[HKDF_INFO_MAX + 1];
	struct span secret = span_str("secret"), none = {NULL, 0};

	ck_assert_int_eq(hkdf_sha256(secret, none, none, out, HKDF_OUT_MAX), Q_OK);
	ck_assert_int_eq(hkdf_sha256(secret, none, none, out, HKDF_OUT_MAX + 1), Q_LIMIT);
	ck_assert_int_eq(hkdf_sha256(secret, none, span_of(info, HKDF_INFO_MAX), out, 32),
			 Q_OK);
	ck_assert_int_eq(
	    hkdf_sha256(secret, none, span_of(info, HKDF_INFO_MAX + 1), out, 32),
	    Q_LIMIT);
}
END_TEST

/* ---- randomness and secrets ---- */

START_TEST(test_random)
{
	static uint8_t a[100000], b[100000];
	size_t ones = 0;
	uint32_t all = 0, none = UINT32_MAX;

	random_bytes(a, 0); /* nothing is fine */
	random_bytes(a, sizeof(a));
	random_bytes(b, sizeof(b));
	ck_assert(memcmp(a, b, sizeof(a)) != 0);
	for (size_t i = 0; i < sizeof(a); i++)
		ones += (size_t)__builtin_popcount(a[i]);
	/* 800,000 coins; this is more than 20 standard deviations */
	ck_assert_uint_gt(ones, 390000);
	ck_assert_uint_lt(ones, 410000);
	for (int i = 0; i < 200; i++) {
		uint32_t v = random_u32();

		all |= v;
		none &= v;
	}
	ck_assert_uint_eq(all, UINT32_MAX);
	ck_assert_uint_eq(none, 0);
}
END_TEST

static volatile sig_atomic_t alarms;

static void
on_alarm(int sig)
{
	(void)sig;
	alarms++;
}

/* A signal may cut getrandom(2) short; the rest must still be filled. */
START_TEST(test_random_interrupted)
{
	struct sigaction act = {.sa_handler = on_alarm}; /* no SA_RESTART */
	struct itimerval every = {{0, 200}, {0, 200}}, never = {{0, 0}, {0, 0}};
	size_t size = 16 << 20, zeros = 0;
	uint8_t *p = calloc(1, size);

	ck_assert_ptr_nonnull(p);
	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
	random_bytes(p, size);
	setitimer(ITIMER_REAL, &never, NULL);
	ck_assert_int_gt(alarms, 0);
	for (size_t i = 0; i + 16 <= size; i += 16)
		zeros += memcmp(p + i, (uint8_t[16]){0}, 16) == 0;
	ck_assert_uint_eq(zeros, 0);
	free(p);
}
END_TEST

START_TEST(test_secrets)
{
	uint8_t a[32], b[32];

	random_bytes(a, sizeof(a));
	memcpy(b, a, sizeof(b));
	ck_assert(secret_eq(a, b, sizeof(a)));
	ck_assert(secret_eq(a, b, 0));
	for (size_t i = 0; i < sizeof(a); i++) {
		b[i] ^= 1;
		ck_assert(!secret_eq(a, b, sizeof(a)));
		ck_assert(secret_eq(a, b, i));
		b[i] ^= 1;
	}
	secret_wipe(a, sizeof(a));
	for (size_t i = 0; i < sizeof(a); i++)
		ck_assert_uint_eq(a[i], 0);
	secret_wipe(NULL, 0);
}
END_TEST

START_TEST(test_process)
{
	struct rlimit core;

	secret_process();
	ck_assert_int_eq(getrlimit(RLIMIT_CORE, &core), 0);
	ck_assert_uint_eq(core.rlim_cur, 0);
	ck_assert_uint_eq(core.rlim_max, 0);
	ck_assert_int_eq(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
}
END_TEST

static Suite *
hash_suite(void)
{
	Suite *s = suite_create("hash");
	TCase *t = tcase_create("hash");

	tcase_add_loop_test(t, test_sha256, 0, sizeof(sha_cases) / sizeof(sha_cases[0]));
	tcase_add_test(t, test_sha256_nothing_and_much);
	tcase_add_loop_test(t, test_hmac, 0, sizeof(hmac_cases) / sizeof(hmac_cases[0]));
	tcase_add_loop_test(t, test_hkdf, 0, sizeof(hkdf_cases) / sizeof(hkdf_cases[0]));
	tcase_add_test(t, test_hkdf_limits);
	suite_add_tcase(s, t);
	t = tcase_create("random");
	tcase_add_test(t, test_random);
	tcase_add_test(t, test_random_interrupted);
	tcase_add_test(t, test_secrets);
	tcase_add_test(t, test_process);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_main(hash_suite());
}
