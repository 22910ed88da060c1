/* SPDX-License-Identifier: MIT
 *
 * peers.h - nodes.peers: which nodes are admitted, and which of them are dialled
 * (docs/protocols/nodes.md, "Peers").
 *
 *	nodes.peers = FINGERPRINT[@HOST:PORT][, ...]
 *
 * FINGERPRINT has 64 hexadecimal digits: SHA-256 over SubjectPublicKeyInfo in DER, what
 * `server node id` prints.  Pure.
 */
#ifndef SERVER_NODES_PEERS_H
#define SERVER_NODES_PEERS_H

#include "base/bytes.h"
#include "crypto/hash.h"

#define PEERS_MAX      64
#define PEER_HOST_SIZE 254 /* of a host's name or address, with a NUL */

struct peer {
	uint8_t fingerprint[SHA256_LEN];
	char host
	    [PEER_HOST_SIZE]; /* a name, an IPv4 or an IPv6 address; "": not dialled */
	uint16_t port;
};

/* Take the next entry off *list.  Q_OK; Q_MISSING: the list is at its end; Q_FORMAT:
 * what stands there is no entry, and why (may be NULL) is a phrase about it. */
enum qerr peers_next(const char **list, struct peer *out, struct why *why);
/* Q_OK; Q_FORMAT; Q_LIMIT: more than PEERS_MAX. */
enum qerr peers_check(const char *list, struct why *why);
/* The entry with that fingerprint in a list that was checked. */
bool
peers_find(const char *list, const uint8_t fingerprint[SHA256_LEN], struct peer *out);

/* HOST:PORT or [IPV6]:PORT, of n bytes; port 0 is none.  Q_FORMAT. */
enum qerr
peer_address(const char *text, size_t n, char host[PEER_HOST_SIZE], uint16_t *port);

#endif
