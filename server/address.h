/* SPDX-License-Identifier: MIT
 *
 * address.h - where a connection comes from: an identity for limits and a text
 * for logs.  Pure.
 */
#ifndef SERVER_ADDRESS_H
#define SERVER_ADDRESS_H

#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

/* IPv4 is kept as an IPv4-mapped IPv6 address, so that a peer is the same one
 * whichever kind of socket took its connection.  The port is in host order. */
struct address {
	struct in6_addr ip;
	uint16_t port;
};

#define ADDRESS_SIZE 56 /* "[2001:db8::1]:65535" or "192.0.2.1:65535" and a NUL */

/* From what accept(2) or getsockname(2) filled in; all zero for a family
 * without addresses (AF_UNIX). */
void address_from(const struct sockaddr_storage *from, struct address *out);
void address_text(const struct address *a, char out[ADDRESS_SIZE]);
/* Orders by address alone; ports do not count. */
int address_cmp(const struct address *a, const struct address *b);

#endif
