/* SPDX-License-Identifier: MIT
 *
 * The nodes codec: the first byte chooses who speaks, the rest is what comes from the
 * wire.  Whatever parses must encode to the same bytes again.
 */
#include <assert.h>
#include <stdlib.h>

#include "protocol/nodes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
walk_list(const struct nodes_message *m)
{
	struct reader r = reader_of(m->bytes);
	struct nodes_address a;
	unsigned n = 0;

	while (nodes_address_next(&r, &a) == Q_OK)
		n++;
	assert(n == m->count && r.left == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nodes_message m;
	struct span in;
	enum nodes_speaker speaker;

	if (size == 0)
		return 0;
	speaker = (enum nodes_speaker)(data[0] % (NODES_CORRESPONDENT + 1));
	in = span_of(data + 1, size - 1);
	(void)nodes_recognise(in);
	while (nodes_next(in, speaker, &m) == Q_OK) {
		struct buf again = BUF_INIT(NODES_MESSAGE_MAX);

		assert(m.total <= in.len);
		if (m.type == NODES_LIST)
			walk_list(&m);
		assert(nodes_put(&again, &m) == Q_OK);
		assert(span_eq(buf_span(&again), span_of(in.p, m.total)));
		buf_free(&again);
		in = span_of(in.p + m.total, in.len - m.total);
	}
	return 0;
}
