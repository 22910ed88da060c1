/* SPDX-License-Identifier: MIT
 *
 * Frames of WebSocket, read by our own codec and by wslay: both find the same frames, or
 * the same place where the rules are broken.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <wslay/wslay.h>

#include "protocol/websocket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static ssize_t
feed(uint8_t *to, size_t room, int flags, void *arg)
{
	struct span *in = arg;
	size_t n = in->len < room ? in->len : room;

	(void)flags;
	if (n == 0)
		return -1;
	memcpy(to, in->p, n);
	in->p += n;
	in->len -= n;
	return (ssize_t)n;
}

/* What wslay makes of one frame that stands alone in in.  Q_OK: whole, its payload
 * appended to out; Q_SHORT; Q_FORMAT. */
static enum qerr
other_opinion(struct span in, struct wslay_frame_iocb *f, struct buf *out)
{
	const struct wslay_frame_callbacks callbacks = {.recv_callback = feed};
	wslay_frame_context_ptr ctx;
	enum qerr e = Q_SHORT;

	if (wslay_frame_context_init(&ctx, &callbacks, &in) != 0)
		abort();
	while (e == Q_SHORT) {
		ssize_t n = wslay_frame_recv(ctx, f);

		if (n == WSLAY_ERR_WANT_READ)
			break;
		if (n < 0) {
			e = Q_FORMAT;
			break;
		}
		assert(buf_put(out, f->data, f->data_length) == Q_OK);
		if (out->len == f->payload_length)
			e = Q_OK;
	}
	wslay_frame_context_free(ctx);
	return e;
}

static void
close_frame(struct span payload)
{
	uint8_t out[WS_CONTROL_MAX];
	struct span reason;
	unsigned code;

	if (ws_close_parse(payload, &code, &reason) != Q_OK)
		return;
	assert(ws_close_put(out, (enum ws_code)code, reason) == payload.len);
	assert(payload.len == 0 || memcmp(out, payload.p, payload.len) == 0);
}

/* True when a whole frame stood at the front: *used is its length. */
static bool
one_frame(struct span in, size_t *used)
{
	struct buf theirs = BUF_INIT(SIZE_MAX / 2), ours = BUF_INIT(SIZE_MAX / 2);
	struct wslay_frame_iocb f = {0};
	struct ws_header h;
	enum qerr e = ws_header_parse(in, &h), e2;
	bool whole = e == Q_OK && h.length <= in.len - h.size;

	if (e == Q_OK)
		assert(h.size <= in.len && h.size <= WS_HEADER_MAX);
	if (whole)
		in.len = h.size + (size_t)h.length;
	e2 = other_opinion(in, &f, &theirs);
	if (whole) {
		assert(e2 == Q_OK);
		assert(f.fin == h.fin && f.opcode == h.opcode && f.mask == h.masked);
		assert(f.rsv == 0 && f.payload_length == h.length);
		assert(buf_put(&ours, in.p + h.size, (size_t)h.length) == Q_OK);
		if (h.masked && ours.len > 0)
			ws_mask(ours.p, ours.len, h.key, 0);
		assert(span_eq(buf_span(&ours), buf_span(&theirs)));
		if (h.opcode == WS_CLOSE)
			close_frame(buf_span(&ours));
		*used = in.len;
	} else if (e != Q_FORMAT) {
		assert(e2 == Q_SHORT);
	}
	/* wslay knows nothing of reserved bits and opcodes, and so is content with more. */
	buf_free(&ours);
	buf_free(&theirs);
	return whole;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = {data, size};
	size_t used;

	while (one_frame(in, &used)) {
		in.p += used;
		in.len -= used;
	}
	return 0;
}
