/* SPDX-License-Identifier: MIT
 *
 * Why not wslay here, which the client uses: a server has to refuse a message that is too
 * large from its frame's header alone, and wslay shows a header only together with the
 * first byte of its payload; it also wants 4.3 KiB for each connection at hand, and copies
 * every payload once more than is needed.  The fuzz target compares the two.
 */
#include "protocol/websocket.h"

#include <string.h>

#include "base/text.h"

#define FIN     0x80
#define RSV     0x70
#define OPCODE  0x0f
#define CONTROL 0x08
#define MASKED  0x80
#define LENGTH  0x7f

#define LENGTH_SMALL 125 /* in the header's second byte */
#define LENGTH_16    126 /* 2 bytes follow */
#define LENGTH_64    127 /* 8 do */

static bool
opcode_known(uint8_t opcode)
{
	return opcode <= WS_BINARY || (opcode >= WS_CLOSE && opcode <= WS_PONG);
}

/* The first two bytes: what can be wrong about them alone. */
static enum qerr
parse_start(const uint8_t *p, struct ws_header *h)
{
	uint8_t length = p[1] & LENGTH;

	if ((p[0] & RSV) != 0 || !opcode_known(p[0] & OPCODE))
		return Q_FORMAT;
	h->fin = (p[0] & FIN) != 0;
	h->opcode = p[0] & OPCODE;
	h->masked = (p[1] & MASKED) != 0;
	if ((h->opcode & CONTROL) != 0 && (!h->fin || length > WS_CONTROL_MAX))
		return Q_FORMAT;
	h->length = length;
	return Q_OK;
}

/* Big-endian. */
static uint64_t
number(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

enum qerr
ws_header_parse(struct span in, struct ws_header *out)
{
	struct ws_header h = {0};
	size_t extra;

	if (in.len < 2)
		return Q_SHORT;
	if (parse_start(in.p, &h) != Q_OK)
		return Q_FORMAT;
	extra = h.length == LENGTH_64 ? 8 : h.length == LENGTH_16 ? 2 : 0;
	h.size = 2 + extra + (h.masked ? sizeof(h.key) : 0);
	if (extra > 0) {
		if (in.len - 2 < extra)
			return Q_SHORT;
		h.length = number(in.p + 2, extra);
		/* Section 5.2: the shortest form, and no more than 63 bits. */
		if (h.length <= (extra == 2 ? LENGTH_SMALL : UINT16_MAX) ||
		    h.length > INT64_MAX)
			return Q_FORMAT;
	}
	if (in.len < h.size)
		return Q_SHORT;
	if (h.masked)
		memcpy(h.key, in.p + 2 + extra, sizeof(h.key));
	*out = h;
	return Q_OK;
}

size_t
ws_header_size(uint64_t length)
{
	return length <= LENGTH_SMALL ? 2 : length <= UINT16_MAX ? 4 : 10;
}

size_t
ws_header_put(uint8_t *at, enum ws_opcode opcode, uint64_t length)
{
	size_t size = ws_header_size(length);

	at[0] = (uint8_t)(FIN | opcode);
	if (size == 2) {
		at[1] = (uint8_t)length;
		return size;
	}
	at[1] = size == 4 ? LENGTH_16 : LENGTH_64;
	for (size_t i = 2; i < size; i++)
		at[i] = (uint8_t)(length >> (8 * (size - 1 - i)));
	return size;
}

/* Eight bytes at a time: the key, turned to where offset stands in it, twice. */
void
ws_mask(uint8_t *p, size_t len, const uint8_t key[4], uint64_t offset)
{
	uint8_t turned[8];
	uint64_t word, mask;
	size_t i = 0;

	for (size_t k = 0; k < sizeof(turned); k++)
		turned[k] = key[(offset + k) % 4];
	memcpy(&mask, turned, sizeof(mask));
	for (; len - i >= sizeof(word); i += sizeof(word)) {
		memcpy(&word, p + i, sizeof(word));
		word ^= mask;
		memcpy(p + i, &word, sizeof(word));
	}
	for (; i < len; i++)
		p[i] ^= turned[i % 4];
}

/* ---- closing ---- */

bool
ws_code_valid(unsigned code)
{
	if (code >= 3000 && code <= 4999)
		return true;
	/* 1004 has no meaning yet; 1005, 1006 and 1015 never travel. */
	return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
}

enum qerr
ws_close_parse(struct span payload, unsigned *code, struct span *reason)
{
	unsigned c;

	if (payload.len == 0) {
		*code = WS_CODE_NONE;
		*reason = payload;
		return Q_OK;
	}
	if (payload.len < 2)
		return Q_FORMAT;
	c = (unsigned)number(payload.p, 2);
	if (!ws_code_valid(c))
		return Q_FORMAT;
	if (!utf8_valid(span_of(payload.p + 2, payload.len - 2)))
		return Q_DENIED;
	*code = c;
	*reason = span_of(payload.p + 2, payload.len - 2);
	return Q_OK;
}

size_t
ws_close_put(uint8_t *out, enum ws_code code, struct span reason)
{
	size_t n = reason.len < WS_REASON_MAX ? reason.len : WS_REASON_MAX;

	if (code == WS_CODE_NONE)
		return 0;
	/* A reason that is no UTF-8 is not worth a second mistake. */
	while (n > 0 && !utf8_valid(span_of(reason.p, n)))
		n--;
	out[0] = (uint8_t)((unsigned)code >> 8);
	out[1] = (uint8_t)code;
	if (n > 0)
		memcpy(out + 2, reason.p, n);
	return 2 + n;
}
