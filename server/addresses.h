/* SPDX-License-Identifier: MIT
 *
 * addresses.h - IP addresses: the machine's own ones, and networks written as
 * prefixes (RFC 4632, RFC 4291).  Pure but for addresses_of_host; any thread.
 */
#ifndef SERVER_ADDRESSES_H
#define SERVER_ADDRESSES_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* ---- prefixes: "10.0.0.7", "192.168.0.0/16", "2001:db8::/32" ---- */

/* Is list (comma-separated, spaces allowed, may be empty) well formed? */
bool prefix_list_valid(const char *list);
/* Is ip (IPv4 as an IPv4-mapped IPv6 address) in one of a valid list? */
bool prefix_list_holds(const char *list, const struct in6_addr *ip);

/* ---- the machine's own addresses ---- */
struct host_addresses {
	char (*text)[INET6_ADDRSTRLEN]; /* IPv4 first, then IPv6; no link-local */
	size_t count;
};

/* The addresses of all interfaces that are up, loopback (127.0.0.1, ::1) only
 * when with_loopback.  Q_NOMEM, Q_SYS.  Free with addresses_free. */
enum qerr addresses_of_host(bool with_loopback, struct host_addresses *out);
void addresses_free(struct host_addresses *a);

#endif
