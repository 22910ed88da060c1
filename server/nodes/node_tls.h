/* SPDX-License-Identifier: MIT
 *
 * node_tls.h - TLS as nodes uses it: both sides show certificates and each judges by
 * key, and who has connected is TLS's server.
 */
#ifndef SERVER_NODES_NODE_TLS_H
#define SERVER_NODES_NODE_TLS_H

#include "crypto/tls.h"
#include "server/identity.h"

/* The context for one of the two roles, a reference, with the identity's key and
 * certificate as they are now.  NULL: no memory, or libcrypto refused.  Any thread. */
struct tls_context *node_tls_context(struct identity *id, bool server);
/* Forget what is kept (no session is left). */
void node_tls_fini(void);

#endif
