/* SPDX-License-Identifier: MIT
 *
 * Messages about files inside relay's peer messages: the first byte chooses the opcode,
 * the rest is the data.  Whatever parses must encode to the same bytes again.
 */
#include <assert.h>

#include "protocol/relay_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
same(struct buf *made, struct span read)
{
	assert(span_eq(buf_span(made), read));
	buf_free(made);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf out = BUF_INIT(65536);
	struct relay_file_first first;
	struct relay_file_part part;
	struct relay_file_word word;
	struct span rest;

	if (size == 0)
		return 0;
	rest = span_of(data + 1, size - 1);
	switch (data[0] % 3) {
	case 0:
		if (relay_file_first_parse(rest, &first) == Q_OK) {
			assert(relay_file_first_put(&out, &first) == Q_OK);
			same(&out, rest);
		}
		break;
	case 1:
		if (relay_file_part_parse(rest, &part) == Q_OK) {
			assert(relay_file_part_put(&out, &part) == Q_OK);
			same(&out, rest);
		}
		break;
	default:
		if (relay_file_word_parse(rest, &word) == Q_OK) {
			assert(relay_file_word_put(&out, &word) == Q_OK);
			same(&out, rest);
		}
	}
	return 0;
}
