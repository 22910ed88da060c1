/* SPDX-License-Identifier: MIT
 *
 * socketio.h - packets of Socket.IO, protocol revision 5
 * (https://github.com/socketio/socket.io-protocol), to structs and back.  Pure.
 *
 *   TYPE [ATTACHMENTS "-"] [NAMESPACE ","] [ID] [JSON]
 *
 * Each is the data of an Engine.IO message; a binary one is followed by as many binary
 * messages as it has attachments.  JSON stays text: what is passed on is passed on as
 * it was written, number forms and all, and whoever wants values parses it (json.h).
 */
#ifndef PROTOCOL_SOCKETIO_H
#define PROTOCOL_SOCKETIO_H

#include "base/bytes.h"

enum sio_type {
	SIO_CONNECT = '0',
	SIO_DISCONNECT = '1',
	SIO_EVENT = '2',
	SIO_ACK = '3',
	SIO_CONNECT_ERROR = '4',
	SIO_BINARY_EVENT = '5',
	SIO_BINARY_ACK = '6'
};

#define SIO_ID_MAX \
	UINT64_C(9007199254740991) /* 2^53-1: the largest that JavaScript keeps */

struct sio_packet {
	enum sio_type type;
	unsigned attachments; /* BINARY_EVENT, BINARY_ACK */
	struct span space;    /* the namespace, "/" when none is named */
	bool has_id;          /* an acknowledgement is wanted, or this is one */
	uint64_t id;
	struct span json; /* empty: none */
};

/* Take a message apart.  Q_FORMAT: an unknown type, no attachment count where there has
 * to be one, an id beyond SIO_ID_MAX, or one that an ACK lacks; JSON where none may be
 * or none where it must.  Q_LIMIT: more than attachments_max.  What is in the JSON is
 * looked at by sio_args and by the caller. */
enum qerr
sio_parse(struct span message, unsigned attachments_max, struct sio_packet *out);
/* Append p.  Q_LIMIT, Q_NOMEM: nothing is appended. */
enum qerr sio_put(struct buf *out, const struct sio_packet *p);

/* ---- arguments ---- */
/* The elements of the array that an EVENT's or ACK's JSON is, as text, without the white
 * space around them. */
struct sio_args {
	struct reader rest;
	bool first;
};
/* Begin.  json has been found to be valid JSON (json.h).  Q_FORMAT: it is no array. */
enum qerr sio_args_begin(struct span json, struct sio_args *out);
/* Q_OK; Q_MISSING: that was the last; Q_FORMAT: it was not valid JSON. */
enum qerr sio_args_next(struct sio_args *args, struct span *out);

/* Is this name an event of the protocol's own, which nobody may send?  name is without
 * quotes. */
bool sio_reserved(struct span name);

/* Append the argument that stands for attachment number n. */
enum qerr sio_placeholder_put(struct buf *out, unsigned n);
/* Which attachment does this argument stand for?  Q_MISSING: it is another value. */
enum qerr sio_placeholder_get(struct span arg, uint64_t *out);

/* ---- JSON that is passed on ---- */
#define SIO_DEPTH_MAX     1024
#define SIO_PLACES_IGNORE (-1)
/* Is text one JSON value (RFC 8259), of whole UTF-8 and without lone surrogates, nested
 * at most SIO_DEPTH_MAX deep?  Each object in it that stands for an attachment has to
 * name one of so many; in packets without any (SIO_PLACES_IGNORE) they are objects like
 * others.  Takes no memory, however the text is made; says nothing about U+0000 and keys
 * that come twice, which json.h refuses.  Q_OK, Q_FORMAT. */
enum qerr sio_json_check(struct span text, int attachments);

#endif
