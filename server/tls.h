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

#endif
