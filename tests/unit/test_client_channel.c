/* SPDX-License-Identifier: MIT
 *
 * Sealed frames as the relay page draws them.
 */
#include "tests/unit/unit.h"

#include <string.h>

#include "client/channel.h"
#include "crypto/aead.h"
#include "crypto/hash.h"

static const uint8_t secret[KEX_SECRET_LEN] = {1, 2, 3};

static struct channel *
make(void)
{
	struct channel *c;

	ck_assert_int_eq(channel_new(secret, &c), Q_OK);
	return c;
}

static enum qerr
open_frame(struct channel *c, const struct buf *frame, struct buf *plain,
	   struct relay_inner *in)
{
	struct relay_frame cut;
	struct relay_sealed sealed;
	struct why why;

	ck_assert_int_eq(relay_frame_next(buf_span(frame), 0, 65536, &cut), Q_OK);
	ck_assert_uint_eq(cut.total, frame->len);
	sealed = relay_sealed_parts(cut.body);
	return channel_open(c, &sealed, plain, in, &why);
}

/* By the document and not by our own other half: the key is SHA-256(secret), the
 * frame is size, cipher text of opcode, counter, data, then tag, then IV. */
START_TEST(layout)
{
	struct channel *c = make();
	struct buf out = BUF_INIT(1024);
	struct span part = span_of(secret, sizeof(secret));
	uint8_t key[SHA256_LEN], plain[13];
	struct aead *a;

	ck_assert_int_eq(sha256(&part, 1, key), Q_OK);
	ck_assert_ptr_nonnull(a = aead_new(AEAD_OPEN, key));
	for (uint32_t i = 0; i < 3; i++) {
		out.len = 0;
		ck_assert_int_eq(channel_seal(c, &out, 350, span_str("hello")), Q_OK);
		ck_assert_uint_eq(out.len, 4 + 13 + 16 + 12);
		ck_assert_uint_eq(le32_get(out.p), 13 + 28);
		ck_assert_uint_eq(le64_get(out.p + 4 + 13 + 16 + 4), i);
		ck_assert_int_eq(aead_open(a, out.p + 4 + 13 + 16, span_of(NULL, 0),
					   out.p + 4, 13, plain, out.p + 4 + 13),
				 Q_OK);
		ck_assert_uint_eq(le32_get(plain), 350);
		ck_assert_uint_eq(le32_get(plain + 4), i);
		ck_assert_mem_eq(plain + 8, "hello", 5);
	}
	aead_free(a);
	channel_free(c);
	buf_free(&out);
}
END_TEST

START_TEST(both_ways)
{
	struct channel *a = make(), *b = make();
	struct buf frame = BUF_INIT(1 << 20), plain = BUF_INIT(1 << 20);
	static uint8_t data[65500];
	static const size_t sizes[] = {0, 1, 15, 16, 17, 4096, 65500};
	struct relay_inner in;

	memset(data, 'd', sizeof(data));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct channel *from = i % 2 == 0 ? a : b, *to = i % 2 == 0 ? b : a;

		frame.len = 0;
		ck_assert_int_eq(channel_seal(from, &frame, 301, span_of(data, sizes[i])),
				 Q_OK);
		ck_assert_int_eq(open_frame(to, &frame, &plain, &in), Q_OK);
		ck_assert_int_eq(in.opcode, 301);
		ck_assert(span_eq(in.data, span_of(data, sizes[i])));
	}
	channel_free(a);
	channel_free(b);
	buf_free(&frame);
	buf_free(&plain);
}
END_TEST

START_TEST(refused)
{
	struct channel *a = make(), *b = make();
	struct buf frame = BUF_INIT(1024), plain = BUF_INIT(1024);
	struct relay_inner in;

	ck_assert_int_eq(channel_seal(a, &frame, 301, span_str("x")), Q_OK);
	ck_assert_int_eq(open_frame(a, &frame, &plain, &in), Q_DENIED); /* reflected */
	for (size_t i = 4; i < frame.len; i++) {
		frame.p[i] ^= 0x80;
		ck_assert_int_eq(open_frame(b, &frame, &plain, &in), Q_DENIED);
		frame.p[i] ^= 0x80;
	}
	ck_assert_int_eq(open_frame(b, &frame, &plain, &in), Q_OK);
	ck_assert_int_eq(open_frame(b, &frame, &plain, &in), Q_DENIED); /* replayed */
	channel_free(a);
	channel_free(b);
	buf_free(&frame);
	buf_free(&plain);
}
END_TEST

/* What does not fit is not sealed, and costs no counter. */
START_TEST(no_room)
{
	struct channel *a = make(), *b = make();
	struct buf frame = BUF_INIT(48), plain = BUF_INIT(1024);
	struct relay_inner in;

	ck_assert_int_eq(channel_seal(a, &frame, 301, span_str("123456789")), Q_LIMIT);
	ck_assert_uint_eq(frame.len, 0);
	ck_assert_int_eq(channel_seal(a, &frame, 301, span_str("12345678")), Q_OK);
	ck_assert_int_eq(open_frame(b, &frame, &plain, &in), Q_OK);
	channel_free(a);
	channel_free(b);
	buf_free(&frame);
	buf_free(&plain);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("client channel");
	TCase *t = tcase_create("channel");

	tcase_add_test(t, layout);
	tcase_add_test(t, both_ways);
	tcase_add_test(t, refused);
	tcase_add_test(t, no_room);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_main(suite());
}
