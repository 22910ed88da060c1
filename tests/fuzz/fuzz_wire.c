/* SPDX-License-Identifier: MIT
 *
 * Reader and buf: the input is a little program.  Its first byte is the buf's
 * maximum; each following one chooses a value to read from what comes after it,
 * which is then written again.  What was written is what was read, and nobody
 * goes past an end.
 */
#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Read one value as op says and append it; *wrote is what the buf said.  False
 * when r does not hold enough: nothing happened then. */
static bool
step(uint8_t op, struct reader *r, struct buf *out, enum qerr *wrote)
{
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	int32_t i32;
	int64_t i64;
	struct span s;

	switch (op % 6) {
	case 0:
		if (reader_u8(r, &u8) != Q_OK)
			return false;
		*wrote = buf_put_u8(out, u8);
		break;
	case 1:
		if (reader_u16(r, &u16) != Q_OK)
			return false;
		*wrote = buf_put_u16(out, u16);
		break;
	case 2:
		if (reader_u32(r, &u32) != Q_OK)
			return false;
		*wrote = buf_put_u32(out, u32);
		break;
	case 3:
		if (reader_i32(r, &i32) != Q_OK)
			return false;
		*wrote = buf_put_i32(out, i32);
		break;
	case 4:
		if (reader_i64(r, &i64) != Q_OK)
			return false;
		*wrote = buf_put_i64(out, i64);
		break;
	default:
		/* op / 6 bytes as they are. */
		if (reader_take(r, op / 6, &s) != Q_OK)
			return false;
		*wrote = buf_put_span(out, s);
		break;
	}
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_of(span_of(data, size));
	struct buf out = BUF_INIT(0);
	uint8_t max, op;

	if (reader_u8(&r, &max) != Q_OK)
		return 0;
	out.max = (size_t)max * 8;
	while (reader_u8(&r, &op) == Q_OK) {
		struct reader before = r;
		size_t len = out.len, used;
		enum qerr wrote = Q_OK;

		if (!step(op, &r, &out, &wrote)) {
			assert(r.p == before.p && r.left == before.left);
			continue;
		}
		used = before.left - r.left;
		assert(used <= before.left && r.p == before.p + used);
		if (wrote != Q_OK) {
			assert(wrote == Q_LIMIT && used > out.max - len);
			assert(out.len == len);
			buf_consume(&out, len / 2);
			continue;
		}
		assert(out.len == len + used && out.len <= out.max);
		assert(used == 0 || memcmp(out.p + len, before.p, used) == 0);
	}
	buf_wipe(&out);
	return 0;
}
