/* SPDX-License-Identifier: MIT
 *
 * admit.h - which nodes are let in, by their certificates (docs/protocols/nodes.md,
 * "Peers"): an entry of nodes.peers, nodes.peer_ca, or a file in data/nodes.  Never
 * ourselves.  Any thread; reads files.
 */
#ifndef SERVER_NODES_ADMIT_H
#define SERVER_NODES_ADMIT_H

#include "crypto/cert.h"
#include "server/server.h"

/* fingerprint (of the key) is filled in when it is true; otherwise *reason is. */
bool admit_node(struct server *server, const struct cert *peer,
		uint8_t fingerprint[SHA256_LEN], const char **reason);
/* Our own fingerprint. */
enum qerr admit_own(struct server *server, uint8_t fingerprint[SHA256_LEN]);

#endif
