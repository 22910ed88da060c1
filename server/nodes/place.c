/* SPDX-License-Identifier: MIT */
#include "server/nodes/place.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum qerr
place_of(const struct nodes_address *a, struct place *out)
{
	struct nodes_address v6 = nodes_address_ip(a->ip, a->port);
	struct place p = {.kind = a->kind, .port = a->port};
	char text[PLACE_TEXT_SIZE];
	uint16_t port;
	int n;

	memcpy(p.ip, a->ip, sizeof(p.ip));
	if (a->kind == NODES_IP6 && v6.kind == NODES_IP4) {
		p.kind = NODES_IP4; /* there is one way to write it */
		memcpy(p.ip, v6.ip, sizeof(p.ip));
	}
	if (a->kind == NODES_HOST) {
		if (memchr(a->host.p, '\0', a->host.len) != NULL)
			return Q_FORMAT;
		/* The rule for hosts is that of the settings. */
		n = snprintf(text, sizeof(text), "%.*s:1", (int)a->host.len,
			     (const char *)a->host.p);
		if (a->host.p[0] == '[' ||
		    peer_address(text, (size_t)n, p.host, &port) != Q_OK)
			return Q_FORMAT;
	}
	*out = p;
	return Q_OK;
}

void
place_of_peer(const struct peer *p, struct place *out)
{
	struct in6_addr v6;
	struct in_addr v4;
	struct nodes_address a;

	*out = (struct place){.kind = NODES_HOST, .port = p->port};
	if (inet_pton(AF_INET, p->host, &v4) == 1) {
		out->kind = NODES_IP4;
		memcpy(out->ip, &v4, sizeof(v4));
	} else if (inet_pton(AF_INET6, p->host, &v6) == 1) {
		a = nodes_address_ip(v6.s6_addr, p->port);
		out->kind = a.kind;
		memcpy(out->ip, a.ip, sizeof(a.ip));
	} else {
		memcpy(out->host, p->host, sizeof(out->host));
	}
}

void
place_of_address(const struct address *from, uint16_t port, struct place *out)
{
	struct nodes_address a = nodes_address_ip(from->ip.s6_addr, port);

	*out = (struct place){.kind = a.kind, .port = port};
	memcpy(out->ip, a.ip, sizeof(a.ip));
}

struct nodes_address
place_address(const struct place *p)
{
	struct nodes_address a = {.kind = p->kind, .port = p->port};

	memcpy(a.ip, p->ip, sizeof(a.ip));
	a.host = span_str(p->host);
	return a;
}

bool
place_eq(const struct place *a, const struct place *b)
{
	struct nodes_address x = place_address(a), y = place_address(b);

	return nodes_address_eq(&x, &y);
}

void
place_text(const struct place *p, char out[PLACE_TEXT_SIZE])
{
	char ip[INET6_ADDRSTRLEN] = "";

	switch (p->kind) {
	case NODES_IP4:
		(void)inet_ntop(AF_INET, p->ip, ip, sizeof(ip));
		snprintf(out, PLACE_TEXT_SIZE, "%s:%u", ip, p->port);
		break;
	case NODES_IP6:
		(void)inet_ntop(AF_INET6, p->ip, ip, sizeof(ip));
		snprintf(out, PLACE_TEXT_SIZE, "[%s]:%u", ip, p->port);
		break;
	case NODES_HOST: snprintf(out, PLACE_TEXT_SIZE, "%s:%u", p->host, p->port); break;
	}
}

static bool
v4_may(const uint8_t ip[4])
{
	/* "This network" (RFC 1122), multicast and all above it with broadcast. */
	return ip[0] != 0 && ip[0] < 224;
}

bool
place_may_be_dialled(const struct place *p)
{
	struct in6_addr v6;

	if (p->port == 0)
		return false;
	if (p->kind == NODES_HOST)
		return true;
	if (p->kind == NODES_IP4)
		return v4_may(p->ip);
	memcpy(&v6, p->ip, sizeof(v6));
	return !IN6_IS_ADDR_UNSPECIFIED(&v6) && !IN6_IS_ADDR_MULTICAST(&v6);
}
