/* SPDX-License-Identifier: MIT
 *
 * stream_tls.h - the stream of a session whose bytes travel inside TLS.
 */
#ifndef SERVER_STREAM_TLS_H
#define SERVER_STREAM_TLS_H

#include "crypto/tls.h"
#include "server/session.h"

/* A stream of what is inside t, whose handshake is done and which runs over the socket
 * of s's stream.  The caller makes it s's stream: it owns t and the one below.  NULL:
 * no memory, nothing was taken. */
struct stream *stream_tls(struct session *s, struct tls *t);

/* The stream, which is one of these and not in use yet, is to carry much: tls_bulk. */
enum qerr stream_tls_bulk(struct stream *st);

#endif
