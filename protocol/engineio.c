/* SPDX-License-Identifier: MIT */
#include "protocol/engineio.h"

#include <string.h>

#include "base/text.h"

#define BINARY 'b'

static bool
type_known(uint8_t c)
{
	return c >= EIO_OPEN && c <= EIO_NOOP;
}

enum qerr
eio_text_parse(struct span frame, struct eio_packet *out)
{
	if (frame.len == 0 || !type_known(frame.p[0]))
		return Q_FORMAT;
	*out = (struct eio_packet){
	    .type = (enum eio_type)frame.p[0],
	    .data = span_of(frame.p + 1, frame.len - 1),
	};
	return Q_OK;
}

struct eio_body
eio_body_of(void *p, size_t len)
{
	return (struct eio_body){.p = p, .left = len, .more = true};
}

/* base64 is longer than what it stands for, so the place is large enough. */
static enum qerr
decode_in_place(uint8_t *p, size_t len, struct eio_packet *out)
{
	size_t n;

	if (base64_decode(span_of(p, len), p, &n) != Q_OK)
		return Q_FORMAT;
	*out = (struct eio_packet){
	    .type = EIO_MESSAGE, .binary = true, .data = span_of(p, n)};
	return Q_OK;
}

enum qerr
eio_body_next(struct eio_body *body, struct eio_packet *out)
{
	uint8_t *start = body->p, *end;
	size_t len;

	if (!body->more)
		return Q_MISSING;
	if (body->left == 0)
		return Q_FORMAT;
	end = memchr(start, EIO_SEPARATOR, body->left);
	len = end != NULL ? (size_t)(end - start) : body->left;
	body->more = end != NULL;
	body->left -= end != NULL ? len + 1 : len;
	body->p = end != NULL ? end + 1 : start + len;
	if (len > 0 && start[0] == BINARY)
		return decode_in_place(start + 1, len - 1, out);
	return eio_text_parse(span_of(start, len), out);
}

size_t
eio_body_len(const struct eio_packet *p)
{
	return 1 + (p->binary ? BASE64_LEN(p->data.len) : p->data.len);
}

enum qerr
eio_body_put(struct buf *body, const struct eio_packet *p, bool first)
{
	size_t n = eio_body_len(p) + (first ? 0 : 1);
	enum qerr e = buf_reserve(body, n);
	uint8_t *at;

	if (e != Q_OK)
		return e;
	at = body->p + body->len;
	if (!first)
		*at++ = EIO_SEPARATOR;
	*at++ = p->binary ? BINARY : (uint8_t)p->type;
	if (p->binary)
		base64_encode(p->data, (char *)at);
	else if (p->data.len > 0)
		memcpy(at, p->data.p, p->data.len);
	body->len += n;
	return Q_OK;
}

enum qerr
eio_handshake_put(struct buf *out, const struct eio_handshake *h)
{
	return buf_printf(out,
			  "{\"sid\":\"%s\",\"upgrades\":[%s],\"pingInterval\":%u,"
			  "\"pingTimeout\":%u,\"maxPayload\":%zu}",
			  h->sid, h->may_upgrade ? "\"websocket\"" : "",
			  h->ping_interval_ms, h->ping_timeout_ms, h->max_payload);
}
