/* SPDX-License-Identifier: MIT
 *
 * A user file: what decodes must encode to the same bytes.  So that the checksum
 * is no wall, the input is tried with a right one behind it, too.
 */
#include <assert.h>

#include <libdeflate.h>

#include "store/users.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
decode(struct span text)
{
	struct buf again = BUF_INIT(8192);
	struct user u;

	if (user_decode(text, &u) == Q_OK) {
		assert(user_encode(&u, &again) == Q_OK);
		assert(span_eq(buf_span(&again), text));
	}
	buf_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf checked = BUF_INIT(1 << 25);

	decode(span_of(data, size));
	if (buf_put(&checked, data, size) == Q_OK &&
	    buf_printf(&checked, "check: %08x\n", libdeflate_crc32(0, data, size)) ==
		Q_OK)
		decode(buf_span(&checked));
	buf_free(&checked);
	return 0;
}
