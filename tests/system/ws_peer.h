/* SPDX-License-Identifier: MIT
 *
 * ws_peer.h - a WebSocket client for tests on top of http_peer.h: it sends frames bit by
 * bit as a test wants them, wrong ones too, and knows nothing of the server's codec.
 *
 *	struct http_peer *p = ws_connect(h, "/echo", false);
 *	ws_put(p, WS_FIN | 1, "hello", 5);
 *	ws_hear(p, WS_FIN | 1, "hello", 5);
 *	ws_hear_close(p, 1000);
 */
#ifndef TESTS_SYSTEM_WS_PEER_H
#define TESTS_SYSTEM_WS_PEER_H

#include "tests/system/http_peer.h"

#define WS_FIN 0x80

/* A connection that has been upgraded at path. */
struct http_peer *ws_connect(struct harness *h, const char *path, bool tls);
/* A request for it with other headers in place of the usual ones (each with CR LF):
 * the answer's status, and the peer to look at. */
#define WS_HEADERS                                                             \
	"Host: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"     \
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25j" \
	"ZQ==\r\n"
struct http_peer *ws_ask(struct harness *h, const char *path, const char *headers);

/* A masked frame: first is its first byte (FIN, RSV, opcode). */
void ws_put(struct http_peer *p, uint8_t first, const void *payload, size_t n);
/* Append one to out, for several that are sent at once. */
void ws_frame(struct buf *out, uint8_t first, const void *payload, size_t n);
/* The header of one, with a length that need not be true. */
void ws_put_header(struct http_peer *p, uint8_t first, uint64_t length);
/* The next frame, unmasked as a server's are: its first byte. */
uint8_t ws_next(struct http_peer *p, struct span *payload);
void ws_hear(struct http_peer *p, uint8_t first, const void *payload, size_t n);
/* A close frame with that code (0: empty), then the end. */
void ws_hear_close(struct http_peer *p, unsigned code);

#ifndef WS_PEER_INSIDE
#	define ws_connect(...)    HARNESS_AT(ws_connect(__VA_ARGS__))
#	define ws_put(...)        HARNESS_AT(ws_put(__VA_ARGS__))
#	define ws_hear(...)       HARNESS_AT(ws_hear(__VA_ARGS__))
#	define ws_hear_close(...) HARNESS_AT(ws_hear_close(__VA_ARGS__))
#endif

#endif
