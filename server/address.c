/* SPDX-License-Identifier: MIT */
#include "server/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

void
address_from(const struct sockaddr_storage *from, struct address *out)
{
	memset(out, 0, sizeof(*out));
	if (from->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)from;

		out->ip = in6->sin6_addr;
		out->port = ntohs(in6->sin6_port);
	} else if (from->ss_family == AF_INET) {
		const struct sockaddr_in *in4 = (const struct sockaddr_in *)from;

		out->ip.s6_addr[10] = out->ip.s6_addr[11] = 0xff;
		memcpy(&out->ip.s6_addr[12], &in4->sin_addr, 4);
		out->port = ntohs(in4->sin_port);
	}
}

void
address_text(const struct address *a, char out[ADDRESS_SIZE])
{
	char ip[INET6_ADDRSTRLEN];

	if (IN6_IS_ADDR_V4MAPPED(&a->ip)) {
		inet_ntop(AF_INET, &a->ip.s6_addr[12], ip, sizeof(ip));
		snprintf(out, ADDRESS_SIZE, "%s:%u", ip, a->port);
	} else {
		inet_ntop(AF_INET6, &a->ip, ip, sizeof(ip));
		snprintf(out, ADDRESS_SIZE, "[%s]:%u", ip, a->port);
	}
}

int
address_cmp(const struct address *a, const struct address *b)
{
	return memcmp(&a->ip, &b->ip, sizeof(a->ip));
}
