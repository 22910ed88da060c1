/* SPDX-License-Identifier: MIT
 *
 * Bundles: what they look like in a polling body, what they weigh, and that attachments
 * are shared.
 */
#include "tests/unit/unit.h"

#include <string.h>

#include "server/engineio/bundle.h"

START_TEST(in_a_body)
{
	struct blob *blobs[2] = {blob_of(span_str("\1\2\3")), blob_of(span_str(""))};
	struct bundle *event = bundle_new(EIO_MESSAGE, span_str("52-[\"x\"]"), blobs, 2);
	struct bundle *binary = bundle_binary(span_str("\4"));
	struct bundle *ping = bundle_new(EIO_PING, span_str(""), NULL, 0);
	struct buf body = BUF_INIT(1000);
	static const char want[] = "452-[\"x\"]\x1e"
				   "bAQID\x1e"
				   "b\x1e"
				   "bBA==\x1e"
				   "2";

	ck_assert(event != NULL && binary != NULL && ping != NULL);
	ck_assert_int_eq(bundle_body_put(event, &body, true), Q_OK);
	ck_assert_uint_eq(body.len, bundle_body_len(event));
	ck_assert_int_eq(bundle_body_put(binary, &body, false), Q_OK);
	ck_assert_int_eq(bundle_body_put(ping, &body, false), Q_OK);
	ck_assert(span_eq(buf_span(&body), span_str(want)));
	ck_assert_uint_eq(body.len, bundle_body_len(event) + bundle_body_len(binary) +
					bundle_body_len(ping) + 2);
	buf_free(&body);
	body.max = 10;
	ck_assert_int_eq(bundle_body_put(event, &body, true), Q_LIMIT);
	buf_free(&body);
	bundle_unref(event);
	bundle_unref(binary);
	bundle_unref(ping);
	blob_unref(blobs[0]);
	blob_unref(blobs[1]);
}
END_TEST

START_TEST(shared)
{
	struct blob *big = blob_new(1 << 20);
	struct bundle *a, *b;

	ck_assert_ptr_nonnull(big);
	memset(big->p, 7, big->len);
	a = bundle_new(EIO_MESSAGE, span_str("51-[]"), &big, 1);
	b = bundle_new(EIO_MESSAGE, span_str("51-[]"), &big, 1);
	ck_assert_uint_eq(atomic_load(&big->refs), 3);
	ck_assert_uint_eq(blobs_held(), 1 << 20); /* one copy */
	ck_assert_ptr_eq(a->blobs[0], b->blobs[0]);
	/* A reference is what it counts. */
	ck_assert_uint_lt(bundle_weight(a), 1000);
	ck_assert_uint_gt(bundle_body_len(a), 1 << 20);
	ck_assert_ptr_eq(bundle_ref(a), a);
	bundle_unref(a);
	bundle_unref(a);
	ck_assert_uint_eq(atomic_load(&big->refs), 2);
	bundle_unref(b);
	ck_assert_uint_eq(atomic_load(&big->refs), 1);
	blob_unref(big);
	blob_unref(NULL);
	bundle_unref(NULL);
	ck_assert_uint_eq(blobs_held(), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("bundle");
	TCase *t = tcase_create("bundle");

	tcase_add_test(t, in_a_body);
	tcase_add_test(t, shared);
	suite_add_tcase(s, t);
	return unit_main(s);
}
