/* SPDX-License-Identifier: MIT
 *
 * websocket.h - the frames of WebSocket (RFC 6455 section 5) and the small print around
 * them, as bytes.  Pure: no sockets, no messages (server/http/ws.h has those).
 *
 *	 0               1               2
 *	+-+---+-------+-+-------------+- - - - - - - -+- - - - - - - -+- - - -
 *	|F|RSV|opcode |M| length      | 2 or 8 bytes  | masking key   | payload
 *	|I|   |       |A| 0..125, 126 | of length, if | 4 bytes, if M |
 *	|N|   |       |S| 127         | 126 or 127    |               |
 *	+-+---+-------+-+-------------+- - - - - - - -+- - - - - - - -+- - - -
 */
#ifndef PROTOCOL_WEBSOCKET_H
#define PROTOCOL_WEBSOCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum ws_opcode {
	WS_CONTINUATION = 0,
	WS_TEXT = 1,
	WS_BINARY = 2,
	WS_CLOSE = 8,
	WS_PING = 9,
	WS_PONG = 10
};

/* Why a connection ends (RFC 6455 section 7.4.1). */
enum ws_code {
	WS_CODE_NORMAL = 1000,
	WS_CODE_GOING_AWAY = 1001,
	WS_CODE_PROTOCOL = 1002,
	WS_CODE_UNSUPPORTED = 1003,
	WS_CODE_NONE = 1005, /* never on the wire: a close without a code */
	WS_CODE_TEXT = 1007, /* not UTF-8 */
	WS_CODE_POLICY = 1008,
	WS_CODE_TOO_BIG = 1009,
	WS_CODE_INTERNAL = 1011
};

/* What the key of a handshake is hashed with (section 4.2.2). */
#define WS_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

#define WS_HEADER_MAX  14
#define WS_CONTROL_MAX 125 /* bytes of payload of close, ping and pong */
#define WS_REASON_MAX  123 /* bytes of a close's reason */

struct ws_header {
	bool fin;
	uint8_t opcode;
	bool masked;
	uint8_t key[4];
	uint64_t length; /* of the payload */
	size_t size;     /* of the header itself */
};

/* The header at the front of in.  Q_SHORT: more bytes are needed; Q_FORMAT: reserved
 * bits or opcodes, a control frame that is long or fragmented, a length that is not
 * written in the shortest way or does not fit 63 bits.  Says so as soon as the bytes
 * that are there show it. */
enum qerr ws_header_parse(struct span in, struct ws_header *out);
/* How long the header of an unmasked frame with that much payload is: 2, 4 or 10. */
size_t ws_header_size(uint64_t length);
/* Write it (fin is set); returns its size. */
size_t ws_header_put(uint8_t *at, enum ws_opcode opcode, uint64_t length);
/* Mask or unmask len bytes at p, which stand at offset in their frame's payload. */
void ws_mask(uint8_t *p, size_t len, const uint8_t key[4], uint64_t offset);

/* May this code come in a close frame? */
bool ws_code_valid(unsigned code);
/* A close frame's payload: *code is WS_CODE_NONE when it is empty.  Q_FORMAT: one byte,
 * or a code that may not come; Q_DENIED: the reason is no UTF-8. */
enum qerr ws_close_parse(struct span payload, unsigned *code, struct span *reason);
/* Write a close frame's payload to out (WS_CONTROL_MAX bytes), the reason cut at a whole
 * character; returns its length. */
size_t ws_close_put(uint8_t *out, enum ws_code code, struct span reason);

#endif
