/* SPDX-License-Identifier: MIT
 *
 * A message log: every line that decodes must encode to the same bytes.  So that
 * the checksum is no wall, the input is tried as the body of one line, too.
 */
#include <assert.h>

#include <libdeflate.h>

#include "store/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
decode(struct span in)
{
	struct buf scratch = BUF_INIT(1 << 25), again = BUF_INIT(1 << 25);
	struct record r;
	size_t used;
	enum qerr e;

	while ((e = record_next(in, &r, &scratch, &used)) != Q_SHORT) {
		assert((e == Q_OK || e == Q_FORMAT) && used > 0 && used <= in.len);
		if (e == Q_OK) {
			again.len = 0;
			assert(record_put(&again, &r) == Q_OK);
			assert(span_eq(buf_span(&again), span_of(in.p, used)));
		}
		in = span_of(in.p + used, in.len - used);
	}
	buf_free(&scratch);
	buf_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf line = BUF_INIT(1 << 25);

	decode(span_of(data, size));
	if (buf_printf(&line, "=%06zx %08x ", size, libdeflate_crc32(0, data, size)) ==
		Q_OK &&
	    buf_put(&line, data, size) == Q_OK && buf_put_u8(&line, '\n') == Q_OK)
		decode(buf_span(&line));
	buf_free(&line);
	return 0;
}
