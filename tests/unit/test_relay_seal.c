/* SPDX-License-Identifier: MIT */
#include "server/relay/seal.h"

#include "tests/unit/unit.h"

#include <string.h>

#define DATA_MAX 300

static const uint8_t ks[AEAD_KEY_LEN] = {1, 2, 3, 4};
static struct sealing ours, theirs; /* server and client: one key, own prefixes */
static uint8_t frame[SEALED_SIZE(RELAY_HEAD_LEN + DATA_MAX)];
static size_t frame_len;
static struct relay_inner inner;
static const char *reason;

static void
setup(void)
{
	ck_assert_int_eq(sealing_init(&ours, ks), Q_OK);
	do {
		sealing_fini(&theirs);
		ck_assert_int_eq(sealing_init(&theirs, ks), Q_OK);
	} while (memcmp(ours.prefix, theirs.prefix, SEALING_PREFIX_LEN) == 0);
}

static void
teardown(void)
{
	sealing_fini(&ours);
	sealing_fini(&theirs);
}

/* A frame of g's with len bytes of data, in frame. */
static enum qerr
seal(struct sealing *g, enum sealing_last last, int32_t opcode, size_t len)
{
	uint8_t *plain = frame + RELAY_SIZE_LEN;

	relay_head_put(plain, opcode, 12345); /* sealing puts the real counter */
	memset(plain + RELAY_HEAD_LEN, 'x', len);
	frame_len = SEALED_SIZE(RELAY_HEAD_LEN + len);
	return sealing_seal(g, last, plain, RELAY_HEAD_LEN + len, frame);
}

static enum qerr
open(struct sealing *g)
{
	reason = NULL;
	return sealing_open(g, frame + RELAY_SIZE_LEN, frame_len - RELAY_SIZE_LEN, &inner,
			    &reason);
}

static void
refused(struct sealing *g, enum qerr e, const char *why)
{
	ck_assert_int_eq(open(g), e);
	ck_assert_str_eq(reason, why);
}

START_TEST(round_trip)
{
	static const size_t sizes[] = {0, 1, 4, 256, DATA_MAX};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		ck_assert_int_eq(seal(&ours, SEALING_MORE, 350, sizes[i]), Q_OK);
		ck_assert_uint_eq(le32_get(frame), frame_len - RELAY_SIZE_LEN);
		ck_assert_int_eq(open(&theirs), Q_OK);
		ck_assert_int_eq(inner.opcode, 350);
		ck_assert_int_eq(inner.counter, (int32_t)i);
		ck_assert_uint_eq(inner.data.len, sizes[i]);
		for (size_t k = 0; k < sizes[i]; k++)
			ck_assert_int_eq(inner.data.p[k], 'x');
	}
}
END_TEST

/* Passing a message on: opened in place, sealed from there for somebody else. */
START_TEST(passed_on)
{
	struct sealing third;
	uint8_t out[sizeof(frame)], other_ks[AEAD_KEY_LEN] = {9};
	size_t len;

	ck_assert_int_eq(sealing_init(&third, other_ks), Q_OK);
	third.out_next = 7;
	ck_assert_int_eq(seal(&theirs, SEALING_MORE, 350, 100), Q_OK);
	ck_assert_int_eq(open(&ours), Q_OK);
	len = RELAY_HEAD_LEN + inner.data.len;
	ck_assert_int_eq(
	    sealing_seal(&third, SEALING_MORE, frame + RELAY_SIZE_LEN, len, out), Q_OK);
	memcpy(frame, out, SEALED_SIZE(len));
	third.in_next = 7;
	third.prefix[0] ^= 1; /* it reads its own frame here */
	ck_assert_int_eq(open(&third), Q_OK);
	ck_assert_int_eq(inner.counter, 7);
	ck_assert_uint_eq(inner.data.len, 100);
	sealing_fini(&third);
}
END_TEST

/* Every byte of a frame behind its size is covered by the tag. */
START_TEST(any_flipped_bit)
{
	static const size_t len = SEALED_SIZE(RELAY_HEAD_LEN + 5);

	for (size_t i = RELAY_SIZE_LEN; i < len; i++) {
		theirs.out_next = 0;
		ck_assert_int_eq(seal(&theirs, SEALING_MORE, 350, 5), Q_OK);
		frame[i] ^= 0x40;
		refused(&ours, Q_DENIED, "wrong tag");
		ck_assert_uint_eq(ours.in_next, 0);
	}
}
END_TEST

START_TEST(wrong_counters)
{
	static const uint32_t wrong[] = {0, 1, 3, 0x7fffffff};
	uint8_t copy[sizeof(frame)];

	ours.in_next = 2;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		theirs.out_next = wrong[i];
		ck_assert_int_eq(seal(&theirs, SEALING_LAST, 350, 5), Q_OK);
		refused(&ours, Q_DENIED, "wrong counter");
	}
	theirs.out_next = 2;
	ck_assert_int_eq(seal(&theirs, SEALING_MORE, 350, 5), Q_OK);
	memcpy(copy, frame, sizeof(frame));
	ck_assert_int_eq(open(&ours), Q_OK);
	memcpy(frame, copy, sizeof(frame));
	refused(&ours, Q_DENIED, "wrong counter"); /* replayed */
}
END_TEST

START_TEST(reflected)
{
	ck_assert_int_eq(seal(&ours, SEALING_MORE, 350, 5), Q_OK);
	refused(&ours, Q_DENIED, "frame of the server sent back");
}
END_TEST

START_TEST(ivs_never_repeat)
{
	uint8_t first[RELAY_IV_LEN];

	ck_assert_int_eq(seal(&ours, SEALING_MORE, 350, 0), Q_OK);
	memcpy(first, frame + frame_len - RELAY_IV_LEN, sizeof(first));
	ck_assert_mem_eq(first, ours.prefix, SEALING_PREFIX_LEN);
	for (int i = 0; i < 1000; i++) {
		ck_assert_int_eq(seal(&ours, SEALING_MORE, 350, 0), Q_OK);
		ck_assert_mem_ne(first, frame + frame_len - RELAY_IV_LEN, sizeof(first));
	}
}
END_TEST

/* Counters run to 2^31-1; the last one of ours is for 373 alone. */
START_TEST(counters_end)
{
	theirs.out_next = ours.in_next = RELAY_COUNTER_MAX;
	ck_assert_int_eq(seal(&theirs, SEALING_MORE, 350, 5), Q_LIMIT);
	ck_assert_int_eq(seal(&theirs, SEALING_LAST, 373, 5), Q_OK);
	ck_assert_int_eq(open(&ours), Q_OK);
	ck_assert_int_eq(inner.counter, RELAY_COUNTER_MAX);
	ck_assert_int_eq(seal(&theirs, SEALING_LAST, 373, 5), Q_LIMIT);
	refused(&ours, Q_LIMIT, "frame counter used up");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("relay_seal");
	TCase *t = tcase_create("seal");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, round_trip);
	tcase_add_test(t, passed_on);
	tcase_add_test(t, any_flipped_bit);
	tcase_add_test(t, wrong_counters);
	tcase_add_test(t, reflected);
	tcase_add_test(t, ivs_never_repeat);
	tcase_add_test(t, counters_end);
	suite_add_tcase(suite, t);
	return unit_main(suite);
}
