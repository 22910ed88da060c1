/* SPDX-License-Identifier: MIT
 *
 * link_ws.h - WebSocket (RFC 6455) as a layer of a link, by wslay; and how a protocol's
 * machine puts and takes whole messages.
 *
 * A machine knows buffers of bytes (client/protocol.h).  Over WebSocket what is in them
 * are messages one behind the other, each with its length in front (4 bytes,
 * little-endian), so that tests can feed a machine without any WebSocket.
 *
 * Never blocks.  One thread.
 */
#ifndef CLIENT_LINK_WS_H
#define CLIENT_LINK_WS_H

#include <stdbool.h>

#include "base/bytes.h"

/* ---- for machines ---- */
#define LINK_MESSAGE_HEADER 4
/* Append a message.  Errors as buf_put; nothing is appended then. */
enum qerr link_message_put(struct buf *out, struct span message);
/* The message at the front of in, borrowed; consume it with
 * buf_consume(in, LINK_MESSAGE_HEADER + message->len).  Q_SHORT: none is complete. */
enum qerr link_message_next(const struct buf *in, struct span *message);

/* ---- for link.c ---- */
struct link_ws;

/* host: "NAME:PORT"; path: "/rooms"; raw_out: what goes to the server, borrowed; the
 * upgrade request is put there.  Q_NOMEM, Q_CRYPTO. */
enum qerr link_ws_new(const char *host, const char *path, struct buf *raw_out,
		      struct link_ws **out, struct why *why);
void link_ws_free(struct link_ws *ws); /* NULL is fine */
/* Has the server agreed? */
bool link_ws_up(const struct link_ws *ws);
/* Consume all of raw_in, what the server sent; whole messages are appended to in, pings
 * answered.  Q_CLOSED: the server closed; Q_DENIED: on purpose (1008), or it does not speak
 * WebSocket there; Q_FORMAT: it broke the rules; Q_LIMIT, Q_NOMEM.  why is a sentence. */
enum qerr
link_ws_input(struct link_ws *ws, struct buf *raw_in, struct buf *in, struct why *why);
/* Bytes of the message that is coming. */
size_t link_ws_coming(const struct link_ws *ws);
/* Frame the messages in out into raw_out, as far as there is room.  Q_NOMEM. */
enum qerr link_ws_output(struct link_ws *ws, struct buf *out, struct why *why);
/* Nothing more will be sent: say so (close, 1000). */
void link_ws_finish(struct link_ws *ws);

#endif
