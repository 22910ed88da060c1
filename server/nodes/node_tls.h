/* SPDX-License-Identifier: MIT
 *
 * node_tls.h - TLS as nodes uses it: both sides show certificates and each judges by
 * key, and who has connected is TLS's server.
 */
#ifndef SERVER_NODES_NODE_TLS_H
#define SERVER_NODES_NODE_TLS_H

#include "crypto/tls.h"
#include "server/session.h"

/* Worker: TLS on s, of which the bytes read so far are the first.  server: our role.  judge
 * (crypto/tls.h) decides within the handshake.  Q_OK: s's stream is what is inside; errors
 * as of tls_begin, Q_CRYPTO. */
enum qerr node_tls_begin(struct session *s, bool server,
			 bool (*judge)(void *arg, const struct cert *peer), void *arg);
/* Forget what is kept (no session is left). */
void node_tls_fini(void);

#endif
