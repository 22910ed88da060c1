/* SPDX-License-Identifier: MIT */
#define HTTP_PEER_INSIDE
#define WS_PEER_INSIDE
#include "tests/system/ws_peer.h"

#include <stdio.h>
#include <string.h>

#define FRAMES_MAX (64 << 20)

/* ---- the handshake ---- */

static void
ask(struct http_peer *p, const char *path, const char *headers)
{
	char request[1024];

	snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\n%s\r\n", path, headers);
	http_say(p, request);
	http_read(p, false);
}

struct http_peer *
ws_ask(struct harness *h, const char *path, const char *headers)
{
	struct http_peer *p = http_connect(h);

	ask(p, path, headers);
	return p;
}

struct http_peer *
ws_connect(struct harness *h, const char *path, bool tls)
{
	struct http_peer *p = tls ? http_connect_tls(h) : http_connect(h);
	const char *accept;

	ask(p, path, WS_HEADERS);
	accept = http_header(p, "Sec-WebSocket-Accept");
	/* RFC 6455 section 1.3: the answer to its sample key. */
	if (p->status != 101 || accept == NULL ||
	    strcmp(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") != 0)
		harness_fail("no WebSocket: %s", p->head);
	return p;
}

/* ---- frames ---- */

static const uint8_t key[4] = {0x37, 0xfa, 0x21, 0x3d};

static size_t
header(uint8_t *at, uint8_t first, uint64_t length)
{
	size_t extra = length < 126 ? 0 : length < 65536 ? 2 : 8;

	at[0] = first;
	at[1] = (uint8_t)(0x80 | (extra == 0 ? length : extra == 2 ? 126 : 127));
	for (size_t i = 0; i < extra; i++)
		at[2 + i] = (uint8_t)(length >> (8 * (extra - 1 - i)));
	memcpy(at + 2 + extra, key, sizeof(key));
	return 2 + extra + sizeof(key);
}

void
ws_put_header(struct http_peer *p, uint8_t first, uint64_t length)
{
	uint8_t at[14];

	http_send(p, span_of(at, header(at, first, length)));
}

void
ws_frame(struct buf *out, uint8_t first, const void *payload, size_t n)
{
	const uint8_t *from = payload;

	ck_assert_int_eq(buf_reserve(out, n + 14), Q_OK);
	out->len += header(out->p + out->len, first, n);
	for (size_t i = 0; i < n; i++)
		out->p[out->len++] = from[i] ^ key[i % 4];
}

void
ws_put(struct http_peer *p, uint8_t first, const void *payload, size_t n)
{
	struct buf frame = BUF_INIT(FRAMES_MAX);

	ws_frame(&frame, first, payload, n);
	http_send(p, buf_span(&frame));
	buf_free(&frame);
}

uint8_t
ws_next(struct http_peer *p, struct span *payload)
{
	uint8_t first, small;
	size_t extra;
	uint64_t n;

	if (!http_await(p, 2))
		harness_fail("the server closed without a close frame");
	first = p->in.p[p->used];
	small = p->in.p[p->used + 1];
	if (small > 127)
		harness_fail("a masked frame from a server");
	extra = small == 126 ? 2 : small == 127 ? 8 : 0;
	ck_assert(http_await(p, 2 + extra));
	for (n = extra == 0 ? small : 0; extra > 0; extra--, p->used++)
		n = n << 8 | p->in.p[p->used + 2];
	p->used += 2;
	ck_assert_uint_le(n, FRAMES_MAX);
	if (!http_await(p, (size_t)n))
		harness_fail("a cut frame");
	*payload = span_of(p->in.p + p->used, (size_t)n);
	p->used += (size_t)n;
	return first;
}

void
ws_hear(struct http_peer *p, uint8_t first, const void *payload, size_t n)
{
	struct span got;
	uint8_t have = ws_next(p, &got);

	if (have != first)
		harness_fail("want frame %#x, got %#x %.*s", first, have,
			     (int)(got.len < 100 ? got.len : 100), (const char *)got.p);
	if (!span_eq(got, span_of(payload, n)))
		harness_fail("%zu bytes of frame %#x are not the %zu expected", got.len,
			     first, n);
}

void
ws_hear_close(struct http_peer *p, unsigned code)
{
	struct span got;
	uint8_t have = ws_next(p, &got);
	unsigned have_code = got.len < 2 ? 0 : (unsigned)got.p[0] << 8 | got.p[1];

	if (have != (WS_FIN | 8) || have_code != code)
		harness_fail("want close %u, got frame %#x %u %.*s", code, have,
			     have_code, got.len < 2 ? 0 : (int)got.len - 2,
			     (const char *)got.p + 2);
	http_hear_end(p);
}
