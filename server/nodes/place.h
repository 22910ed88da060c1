/* SPDX-License-Identifier: MIT
 *
 * place.h - where a node listens: an address of the protocol with a host's name of its
 * own, and whether one may connect to it.  Pure.
 */
#ifndef SERVER_NODES_PLACE_H
#define SERVER_NODES_PLACE_H

#include "protocol/nodes.h"
#include "server/address.h"
#include "server/nodes/peers.h"

struct place {
	enum nodes_address_kind kind;
	uint8_t ip[16]; /* IP4: the first four; network order */
	uint16_t port;
	char host[PEER_HOST_SIZE]; /* HOST */
};
#define PLACE_TEXT_SIZE (PEER_HOST_SIZE + 8)

/* Q_FORMAT: a host that is no name. */
enum qerr place_of(const struct nodes_address *a, struct place *out);
/* Of an entry that has an address; a literal one is recognised. */
void place_of_peer(const struct peer *p, struct place *out);
/* The address of a connection, with another port. */
void place_of_address(const struct address *a, uint16_t port, struct place *out);
/* Borrowed from p. */
struct nodes_address place_address(const struct place *p);
bool place_eq(const struct place *a, const struct place *b);
/* "192.0.2.7:9034", "[2001:db8::7]:9034", "lab:9034". */
void place_text(const struct place *p, char out[PLACE_TEXT_SIZE]);
/* No port 0, no multicast, broadcast or unspecified address; a name always may. */
bool place_may_be_dialled(const struct place *p);

#endif
