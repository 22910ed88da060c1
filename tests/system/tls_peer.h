/* SPDX-License-Identifier: MIT
 *
 * tls_peer.h - TLS around a test client's connection, with libssl itself and nothing of
 * our own, so that the clients of all protocols can be tested over TLS:
 *
 *	p->fd = tls_peer_wrap(h, p->fd);
 *
 * The descriptor that comes back carries what is inside, in both directions; a thread
 * moves the bytes.  Ends are passed on: shutting the sending side sends close_notify
 * and FIN, and what the server ends ends here.
 */
#ifndef TESTS_SYSTEM_TLS_PEER_H
#define TESTS_SYSTEM_TLS_PEER_H

#include <openssl/ssl.h>

#include "tests/system/harness.h"

/* The handshake over fd, a connected blocking socket that the result owns from now on;
 * version is TLS1_2_VERSION, TLS1_3_VERSION, or 0 for the best.  The server's
 * certificate is checked against ca.pem of the data directory.  A failure fails the
 * test. */
SSL *tls_peer_handshake(struct harness *h, int fd, int version);
/* SSL_connect or SSL_accept to its end, over a blocking socket with a time limit, from which
 * a process that was stopped and goes on (^Z, a paused container) comes back early. */
bool tls_peer_shake(SSL *ssl, int (*step)(SSL *));
/* Move bytes from now on; consumes ssl. */
int tls_peer_pump(SSL *ssl);
/* Both. */
int tls_peer_wrap(struct harness *h, int fd);
/* An ordinary connection to the server. */
int tls_peer_connect(struct harness *h);

#endif
