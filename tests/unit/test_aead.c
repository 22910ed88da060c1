/* SPDX-License-Identifier: MIT
 *
 * AES-256-GCM: the test cases 13 to 16 of the GCM specification (McGrew and
 * Viega, "The Galois/Counter Mode of Operation", appendix B), tampering, reuse.
 */
#include "crypto/aead.h"

#include <string.h>

#include <openssl/err.h>

#include "base/text.h"
#include "crypto/random.h"
#include "tests/unit/libcrypto_memory.h"
#include "tests/unit/unit.h"

#define KEY_ZERO "0000000000000000000000000000000000000000000000000000000000000000"
#define KEY_FEFF "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"
#define TEXT_60                                                            \
	"d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72" \
	"1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
#define SEALED_60                                                          \
	"522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa" \
	"8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"

static const struct {
	const char *key, *iv, *aad, *text, *sealed, *tag;
} cases[] = {
    {KEY_ZERO, "000000000000000000000000", "", "", "",
     "530f8afbc74536b9a963b4f1c4cb738b"},
    {KEY_ZERO, "000000000000000000000000", "", "00000000000000000000000000000000",
     "cea7403d4d606b6e074ec5d3baf39d18", "d0d1c8a799996bf0265b98b5d48ab919"},
    {KEY_FEFF, "cafebabefacedbaddecaf888", "", TEXT_60 "1aafd255", SEALED_60 "898015ad",
     "b094dac5d93471bdec1a502270e3cc6c"},
    {KEY_FEFF, "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     TEXT_60, SEALED_60, "76fc6ece0f4e1768cddf8853bb2d551b"},
};

static const struct span no_aad = {NULL, 0};

static struct span
unhex(const char *hex, uint8_t *room)
{
	size_t len = strlen(hex) / 2;

	ck_assert_int_eq(hex_decode(span_str(hex), room, len), Q_OK);
	return span_of(room, len);
}

START_TEST(test_vectors)
{
	uint8_t key[32], iv[12], aad_room[64], text_room[64], sealed_room[64],
	    tag_room[16];
	uint8_t out[64], tag[16];
	struct span aad = unhex(cases[_i].aad, aad_room);
	struct span text = unhex(cases[_i].text, text_room);
	struct span sealed = unhex(cases[_i].sealed, sealed_room);
	struct aead *seal, *open;

	unhex(cases[_i].key, key);
	unhex(cases[_i].iv, iv);
	unhex(cases[_i].tag, tag_room);
	seal = aead_new(AEAD_SEAL, key);
	open = aead_new(AEAD_OPEN, key);
	ck_assert(seal != NULL && open != NULL);
	for (int again = 0; again < 3; again++) {
		ck_assert_int_eq(aead_seal(seal, iv, aad, text.p, text.len, out, tag),
				 Q_OK);
		ck_assert(span_eq(span_of(out, text.len), sealed));
		ck_assert_mem_eq(tag, tag_room, sizeof(tag));
		/* in place */
		ck_assert_int_eq(aead_open(open, iv, aad, out, text.len, out, tag), Q_OK);
		ck_assert(span_eq(span_of(out, text.len), text));
	}
	aead_free(seal);
	aead_free(open);
}
END_TEST

/* Each bit of text, tag, IV and additional data counts; a failure leaves
 * nothing behind and the next good message opens. */
START_TEST(test_tampered)
{
	uint8_t key[32], m[16 + 16 + 12 + 5], clear[16] = "sixteen bytes..", out[16];
	uint8_t *ct = m, *tag = m + 16, *iv = m + 32, *aad = m + 44;
	struct aead *seal, *open;

	random_bytes(key, sizeof(key));
	random_bytes(m, sizeof(m));
	seal = aead_new(AEAD_SEAL, key);
	open = aead_new(AEAD_OPEN, key);
	ck_assert(seal != NULL && open != NULL);
	ck_assert_int_eq(aead_seal(seal, iv, span_of(aad, 5), clear, 16, ct, tag), Q_OK);
	for (size_t bit = 0; bit < sizeof(m) * 8; bit++) {
		m[bit / 8] ^= (uint8_t)(1 << bit % 8);
		memset(out, 0xee, sizeof(out));
		ck_assert_int_eq(aead_open(open, iv, span_of(aad, 5), ct, 16, out, tag),
				 Q_DENIED);
		for (size_t i = 0; i < sizeof(out); i++)
			ck_assert_uint_eq(out[i], 0);
		m[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_eq(aead_open(open, iv, span_of(aad, 5), ct, 16, out, tag),
				 Q_OK);
		ck_assert_mem_eq(out, clear, 16);
	}
	/* cut, and without its additional data */
	ck_assert_int_eq(aead_open(open, iv, span_of(aad, 5), ct, 15, out, tag),
			 Q_DENIED);
	ck_assert_int_eq(aead_open(open, iv, span_of(aad, 4), ct, 16, out, tag),
			 Q_DENIED);
	ck_assert_int_eq(aead_open(open, iv, no_aad, ct, 16, out, tag), Q_DENIED);
	ck_assert_uint_eq(ERR_peek_error(), 0);
	aead_free(seal);
	aead_free(open);
}
END_TEST

START_TEST(test_other_key)
{
	uint8_t key[32] = {1}, iv[12] = {0}, tag[16], out[4];
	struct aead *seal = aead_new(AEAD_SEAL, key), *open;

	key[31] ^= 1;
	open = aead_new(AEAD_OPEN, key);
	ck_assert(seal != NULL && open != NULL);
	ck_assert_int_eq(
	    aead_seal(seal, iv, no_aad, (const uint8_t *)"text", 4, out, tag), Q_OK);
	ck_assert_int_eq(aead_open(open, iv, no_aad, out, 4, out, tag), Q_DENIED);
	aead_free(seal);
	aead_free(open);
	aead_free(NULL);
}
END_TEST

/* Every length across several blocks, and one at the protocol's limit. */
START_TEST(test_lengths)
{
	static uint8_t text[70000], out[sizeof(text)];
	uint8_t key[32] = {7}, iv[12] = {0}, tag[16];
	struct aead *seal = aead_new(AEAD_SEAL, key), *open = aead_new(AEAD_OPEN, key);

	ck_assert(seal != NULL && open != NULL);
	random_bytes(text, sizeof(text));
	for (size_t len = 0; len <= sizeof(text); len = len < 100 ? len + 1 : len * 26) {
		iv[0]++;
		ck_assert_int_eq(aead_seal(seal, iv, no_aad, text, len, out, tag), Q_OK);
		ck_assert(len < 16 || memcmp(out, text, len) != 0);
		ck_assert_int_eq(aead_open(open, iv, no_aad, out, len, out, tag), Q_OK);
		ck_assert_int_eq(memcmp(out, text, len), 0);
	}
	aead_free(seal);
	aead_free(open);
}
END_TEST

/* A message costs no allocation, as aead.c says. */
START_TEST(test_no_allocation)
{
	uint8_t key[32] = {7}, iv[12] = {0}, tag[16], out[256] = {0};
	struct aead *seal = aead_new(AEAD_SEAL, key), *open = aead_new(AEAD_OPEN, key);
	long before = libcrypto_allocations;

	ck_assert(seal != NULL && open != NULL);
	ck_assert_int_gt(before, 0);
	ck_assert_int_eq(aead_seal(seal, iv, no_aad, out, sizeof(out), out, tag), Q_OK);
	ck_assert_int_eq(aead_open(open, iv, no_aad, out, sizeof(out), out, tag), Q_OK);
	ck_assert_int_eq(libcrypto_allocations, before);
	aead_free(seal);
	aead_free(open);
}
END_TEST

START_TEST(test_no_memory)
{
	uint8_t key[32] = {7};
	struct aead *a = aead_new(AEAD_SEAL, key);
	long n;

	aead_free(a);
	a = NULL;
	for (n = 0; a == NULL; n++) {
		libcrypto_grants = n;
		a = aead_new(AEAD_SEAL, key);
		libcrypto_grants = LONG_MAX;
		ck_assert_int_lt(n, 1000);
		ck_assert_uint_eq(ERR_peek_error(), 0);
	}
	ck_assert_int_gt(n, 1);
	aead_free(a);
}
END_TEST

static Suite *
aead_suite(void)
{
	Suite *s = suite_create("aead");
	TCase *t = tcase_create("aead");

	tcase_add_loop_test(t, test_vectors, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(t, test_tampered);
	tcase_add_test(t, test_other_key);
	tcase_add_test(t, test_lengths);
	tcase_add_test(t, test_no_allocation);
	tcase_add_test(t, test_no_memory);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	libcrypto_memory_start();
	return unit_main(aead_suite());
}
