/* SPDX-License-Identifier: MIT
 *
 * engineio.h - packets of Engine.IO, protocol revision 4
 * (https://github.com/socketio/engine.io-protocol), to structs and back.  Pure.
 *
 *   in a text frame      TYPE data
 *   in a binary frame    data, which is a message
 *   in a polling body    packet { 1E packet }; a binary message is 'b' base64(data)
 *
 * Text is not checked here to be UTF-8: a WebSocket has done so, polling asks utf8_valid.
 */
#ifndef PROTOCOL_ENGINEIO_H
#define PROTOCOL_ENGINEIO_H

#include "base/bytes.h"

enum eio_type {
	EIO_OPEN = '0',
	EIO_CLOSE = '1',
	EIO_PING = '2',
	EIO_PONG = '3',
	EIO_MESSAGE = '4',
	EIO_UPGRADE = '5',
	EIO_NOOP = '6'
};

#define EIO_SEPARATOR 0x1e

struct eio_packet {
	enum eio_type type;
	bool binary;      /* a message of bytes */
	struct span data; /* without the type; borrowed */
};

/* A whole text frame.  Q_FORMAT: empty, or an unknown type. */
enum qerr eio_text_parse(struct span frame, struct eio_packet *out);

/* The next packet of a polling body, which begins at its start: Q_OK; Q_MISSING: that
 * was the last; Q_FORMAT: an empty body or packet, an unknown type, wrong base64.  A
 * binary packet's data is decoded in place: the body's bytes have to be the caller's
 * own and are changed. */
struct eio_body {
	uint8_t *p;
	size_t left;
	bool more; /* a packet has to follow */
};
struct eio_body eio_body_of(void *p, size_t len);
enum qerr eio_body_next(struct eio_body *body, struct eio_packet *out);

/* Bytes of p in a polling body, without a separator before it. */
size_t eio_body_len(const struct eio_packet *p);
/* Append p to a polling body; first: nothing stands before it.  Q_LIMIT, Q_NOMEM:
 * nothing is appended. */
enum qerr eio_body_put(struct buf *body, const struct eio_packet *p, bool first);

/* Append the data of an open packet.  Q_LIMIT, Q_NOMEM. */
struct eio_handshake {
	const char *sid;
	bool may_upgrade; /* to WebSocket */
	unsigned ping_interval_ms, ping_timeout_ms;
	size_t max_payload; /* bytes */
};
enum qerr eio_handshake_put(struct buf *out, const struct eio_handshake *h);

#endif
