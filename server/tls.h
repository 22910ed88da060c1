/* SPDX-License-Identifier: MIT
 *
 * tls.h - the row that takes TLS off a connection.  What is inside is looked at again
 * by the other rows, so every protocol is served with and without TLS on one port.
 */
#ifndef SERVER_TLS_H
#define SERVER_TLS_H

#include "server/protocol.h"

extern const struct protocol tls_protocol;

/* Does it begin like a TLS record with a handshake message in it? */
enum qerr tls_recognise(struct span first);

struct tls;
/* Worker, while nothing is in s's outbox and nobody else writes to s: do t's handshake on
 * the socket of s's stream, and put the stream of what is inside around it.  Q_OK: s's
 * stream owns t.  Otherwise t was freed and the reason logged: Q_DENIED: TLS failed;
 * Q_CLOSED: the peer or the deadline ended it; Q_NOMEM, Q_SYS. */
enum qerr tls_begin(struct session *s, struct tls *t);

#endif
