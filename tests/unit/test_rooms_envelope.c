/* SPDX-License-Identifier: MIT
 *
 * Sealed packets of rooms: the envelope's text, and the lanes that seal and open.
 */
#include "tests/unit/unit.h"

#include <string.h>

#include "crypto/kex.h"
#include "crypto/lane.h"
#include "crypto/random.h"
#include "protocol/json.h"
#include "protocol/rooms.h"
#include "protocol/rooms_envelope.h"

static struct lane seal, open_;

static void
setup(void)
{
	static const uint8_t secret[KEX_SECRET_LEN] = {1}, uuid[16] = {2};

	ck_assert_int_eq(lane_init(&seal, AEAD_SEAL, span_of(secret, sizeof(secret)),
				   span_of(uuid, sizeof(uuid)), ROOMS_KEX_C2S),
			 Q_OK);
	ck_assert_int_eq(lane_init(&open_, AEAD_OPEN, span_of(secret, sizeof(secret)),
				   span_of(uuid, sizeof(uuid)), ROOMS_KEX_C2S),
			 Q_OK);
}

static void
teardown(void)
{
	lane_fini(&seal);
	lane_fini(&open_);
}

/* An envelope of exactly its size, so that sanitizers see one byte too many. */
static uint8_t *
make(const uint8_t *plain, size_t len)
{
	uint8_t *place = malloc(ROOMS_ENVELOPE_SIZE(len)), iv[ROOMS_IV_LEN], *ct;

	ck_assert_ptr_nonnull(place);
	ct = rooms_envelope_inside(place, len);
	ck_assert_int_eq(lane_seal(&seal, plain, len, ct, ct + len, iv), Q_OK);
	rooms_envelope_wrap(place, len, iv);
	return place;
}

static enum qerr
take(uint8_t *text, size_t len, size_t *plain_len)
{
	uint8_t iv[ROOMS_IV_LEN];
	size_t ct_len;
	enum qerr e = rooms_envelope_unwrap(text, len, iv, &ct_len);

	if (e != Q_OK)
		return e;
	*plain_len = ct_len - ROOMS_TAG_LEN;
	return lane_open(&open_, iv, text, *plain_len, text, text + *plain_len);
}

/* ---- there and back ---- */

START_TEST(every_length)
{
	uint8_t plain[300];

	random_bytes(plain, sizeof(plain));
	for (size_t len = 0; len <= sizeof(plain); len++) {
		size_t size = ROOMS_ENVELOPE_SIZE(len), got;
		uint8_t *text = make(plain, len);
		json_t *doc;
		const struct json_limits limits = {1 << 20, 1, 10};

		ck_assert_int_eq(memcmp(text, "{\"iv\":\"", 7), 0);
		ck_assert_int_eq(
		    json_parse(span_of(text, size), &limits, JSON_TOP_OBJECT, &doc, NULL),
		    Q_OK);
		json_decref(doc);
		ck_assert_int_eq(take(text, size, &got), Q_OK);
		ck_assert_uint_eq(got, len);
		ck_assert_int_eq(memcmp(text, plain, len), 0);
		free(text);
	}
}
END_TEST

START_TEST(large)
{
	const size_t len = (5 << 20) + 1;
	uint8_t *plain = malloc(len), *text;
	size_t got;

	ck_assert_ptr_nonnull(plain);
	for (size_t i = 0; i < len; i++)
		plain[i] = (uint8_t)(i * i >> 5);
	text = make(plain, len);
	ck_assert_int_eq(take(text, ROOMS_ENVELOPE_SIZE(len), &got), Q_OK);
	ck_assert(got == len && memcmp(text, plain, len) == 0);
	free(text);
	free(plain);
}
END_TEST

/* ---- forms ---- */

#define IV      "AAAAAAAAAAAAAAAAAAAB" /* too long: see below */
#define GOOD_IV "AAAAAAAAAAAAAAAB"
#define GOOD_CT "AAECAwQFBgcICQoLDA0ODxA=" /* 00 01 .. 10: 17 bytes */

static const struct {
	const char *text;
	bool fits;
} forms[] = {
    {"{\"iv\":\"" GOOD_IV "\",\"ciphertext\":\"" GOOD_CT "\"}", true},
    {"{\"iv\": \"" GOOD_IV "\", \"ciphertext\": \"" GOOD_CT "\"}", true},
    {" {\n\t\"ciphertext\" : \"" GOOD_CT "\" ,\r\n \"iv\" : \"" GOOD_IV "\" } \n", true},
    {"{\"iv\":\"" GOOD_IV "\",\"ciphertext\":\"" GOOD_CT "\",\"x\":[{}]}", true},
    {"{\"\\u0069v\":\"" GOOD_IV "\",\"ciphertext\":\"" GOOD_CT "\"}", true},
    {"{\"iv\":\"A\\u0041AAAAAAAAAAAAAB\",\"ciphertext\":\"" GOOD_CT "\"}", true},
    {"", false},
    {"{}", false},
    {"[]", false},
    {"hello", false},
    {"{\"type\":\"LOGOUT\"}", false},
    {"{\"iv\":\"" GOOD_IV "\"}", false},
    {"{\"ciphertext\":\"" GOOD_CT "\"}", false},
    {"{\"iv\":\"" GOOD_IV "\",\"iv\":\"" GOOD_IV "\"}", false},
    {"{\"iv\":\"" GOOD_IV "\",\"ciphertext\":\"" GOOD_CT "\"", false},
    {"{\"iv\":\"" GOOD_IV "\",\"ciphertext\":\"" GOOD_CT "\"}x", false},
    {"{\"iv\":\"" GOOD_IV "\",\"ciphertext\":\"" GOOD_CT "\"} {}", false},
    {"{\"iv\":\"" GOOD_IV "\",\"ciphertext\":\"" GOOD_CT "\",}", false},
    {"{\"iv\":\"" GOOD_IV "\" \"ciphertext\":\"" GOOD_CT "\"}", false},
    {"{\"iv\":\"" GOOD_IV "\",\"ciphertext\":" GOOD_CT "}", false},
    {"{\"iv\":\"" GOOD_IV "\",\"ciphertext\":null}", false},
    {"{\"iv\":1,\"ciphertext\":\"" GOOD_CT "\"}", false},
    {"{\"iv\":\"" IV "\",\"ciphertext\":\"" GOOD_CT "\"}", false},
    {"{\"iv\":\"AAAAAAAAAAAAAAA=\",\"ciphertext\":\"" GOOD_CT "\"}", false},
    {"{\"iv\":\"\",\"ciphertext\":\"" GOOD_CT "\"}", false},
    {"{\"iv\":\"AAAAAAAAAAAAAA-_\",\"ciphertext\":\"" GOOD_CT "\"}", false},
    /* below a tag's length; not padded; a line break; surplus bits */
    {"{\"iv\":\"" GOOD_IV "\",\"ciphertext\":\"AAECAwQFBgcICQoLDA0O\"}", false},
    {"{\"iv\":\"" GOOD_IV "\",\"ciphertext\":\"\"}", false},
    {"{\"iv\":\"" GOOD_IV "\",\"ciphertext\":\"AAECAwQFBgcICQoLDA0ODxA\"}", false},
    {"{\"iv\":\"" GOOD_IV "\",\"ciphertext\":\"AAEC\nAwQFBgcICQoLDA0ODxA=\"}", false},
    {"{\"iv\":\"" GOOD_IV "\",\"ciphertext\":\"AAECAwQFBgcICQoLDA0ODxB=\"}", false},
};

START_TEST(form)
{
	size_t len = strlen(forms[_i].text), ct_len = 0;
	uint8_t *text = malloc(len + 1), iv[ROOMS_IV_LEN] = {9};
	enum qerr e;

	ck_assert_ptr_nonnull(text);
	memcpy(text, forms[_i].text, len);
	e = rooms_envelope_unwrap(text, len, iv, &ct_len);
	ck_assert_msg(e == (forms[_i].fits ? Q_OK : Q_FORMAT), "%s", forms[_i].text);
	if (forms[_i].fits) {
		ck_assert_uint_eq(ct_len, 17);
		for (size_t i = 0; i < ct_len; i++)
			ck_assert_uint_eq(text[i], i);
		ck_assert(iv[0] == 0 && iv[11] == 1);
	} else {
		ck_assert_uint_eq(iv[0], 9);
	}
	free(text);
}
END_TEST

/* ---- lanes ---- */

START_TEST(counter_is_the_iv)
{
	static const uint8_t first[AEAD_IV_LEN] = {0};
	uint8_t tag[AEAD_TAG_LEN], iv[AEAD_IV_LEN], byte = 7;

	ck_assert_int_eq(lane_seal(&seal, &byte, 1, &byte, tag, iv), Q_OK);
	ck_assert_int_eq(memcmp(iv, first, sizeof(iv)), 0);
	seal.next = UINT64_C(0x0102030405060708);
	ck_assert_int_eq(lane_seal(&seal, &byte, 1, &byte, tag, iv), Q_OK);
	ck_assert_int_eq(memcmp(iv, "\0\0\0\0\1\2\3\4\5\6\7\10", sizeof(iv)), 0);
	seal.next = UINT64_MAX;
	ck_assert_int_eq(lane_seal(&seal, &byte, 1, &byte, tag, iv), Q_LIMIT);
}
END_TEST

/* A message that comes twice, too early, or changed; the lane goes on afterwards. */
START_TEST(only_the_next_message_opens)
{
	static const uint8_t plain[5] = "hallo";
	const size_t size = ROOMS_ENVELOPE_SIZE(5);
	uint8_t *m[3], copy[ROOMS_ENVELOPE_SIZE(5)];
	size_t got;

	for (int i = 0; i < 3; i++)
		m[i] = make(plain, sizeof(plain));
	memcpy(copy, m[0], size);
	ck_assert_int_eq(take(m[1], size, &got), Q_DENIED);
	copy[size - 6] ^= 1; /* in the tag: still base64 */
	ck_assert_int_ne(take(copy, size, &got), Q_OK);
	memcpy(copy, m[0], size);
	ck_assert_int_eq(take(copy, size, &got), Q_OK);
	ck_assert_int_eq(memcmp(copy, plain, sizeof(plain)), 0);
	ck_assert_int_eq(take(m[0], size, &got), Q_DENIED);
	ck_assert_int_eq(take(m[2], size, &got), Q_DENIED);
	ck_assert_uint_eq(open_.next, 1);
	for (int i = 0; i < 3; i++)
		free(m[i]);
}
END_TEST

/* A rest costs nothing but time: counters and keys stay. */
START_TEST(lanes_rest)
{
	uint8_t iv[AEAD_IV_LEN], tag[AEAD_TAG_LEN], byte;

	for (int i = 0; i < 4; i++) {
		byte = (uint8_t)i;
		if (i % 2 == 1)
			lane_rest(&seal);
		ck_assert_int_eq(lane_seal(&seal, &byte, 1, &byte, tag, iv), Q_OK);
		lane_rest(&open_);
		lane_rest(&open_);
		ck_assert_int_eq(lane_open(&open_, iv, &byte, 1, &byte, tag), Q_OK);
		ck_assert_uint_eq(byte, (unsigned)i);
	}
	ck_assert_uint_eq(seal.next, 4);
	ck_assert_uint_eq(open_.next, 4);
}
END_TEST

START_TEST(directions_have_their_own_keys)
{
	static const uint8_t secret[KEX_SECRET_LEN] = {1}, uuid[16] = {2};
	struct lane other = {0};
	uint8_t iv[AEAD_IV_LEN], tag[AEAD_TAG_LEN], byte = 7;

	ck_assert_int_eq(lane_init(&other, AEAD_OPEN, span_of(secret, sizeof(secret)),
				   span_of(uuid, sizeof(uuid)), ROOMS_KEX_S2C),
			 Q_OK);
	ck_assert_int_eq(lane_seal(&seal, &byte, 1, &byte, tag, iv), Q_OK);
	ck_assert_int_eq(lane_open(&other, iv, &byte, 1, &byte, tag), Q_DENIED);
	lane_fini(&other);
	lane_fini(&other); /* a zeroed one is fine */
}
END_TEST

/* Worked out with Node: hkdfSync, createCipheriv. */
START_TEST(known_answer)
{
	static const char want[] = "{\"iv\":\"AAAAAAAAAAAAAAAA\",\"ciphertext\":"
				   "\"F9CNjjEkztA/xSGmYM/myII1C5NZgDbYrnMosn7LM7/R\"}";
	uint8_t *text = make((const uint8_t *)"{\"type\":\"LOGOUT\"}", 17);

	ck_assert_uint_eq(ROOMS_ENVELOPE_SIZE(17), sizeof(want) - 1);
	ck_assert_msg(memcmp(text, want, sizeof(want) - 1) == 0, "%.*s",
		      (int)sizeof(want) - 1, text);
	free(text);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("rooms_envelope");
	TCase *c = tcase_create("rooms_envelope");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, every_length);
	tcase_add_test(c, large);
	tcase_add_loop_test(c, form, 0, sizeof(forms) / sizeof(forms[0]));
	tcase_add_test(c, counter_is_the_iv);
	tcase_add_test(c, only_the_next_message_opens);
	tcase_add_test(c, lanes_rest);
	tcase_add_test(c, directions_have_their_own_keys);
	tcase_add_test(c, known_answer);
	suite_add_tcase(suite, c);
	return unit_main(suite);
}
