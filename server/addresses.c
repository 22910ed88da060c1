/* SPDX-License-Identifier: MIT */
#include "server/addresses.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>

#define PREFIX_TEXT_SIZE 64

struct prefix {
	struct in6_addr ip;
	unsigned bits; /* of ip, 0..128 */
};

/* An address as text, IPv4 mapped into IPv6; *mapped says which it was. */
static bool
parse_ip(const char *text, struct in6_addr *out, bool *mapped)
{
	struct in_addr v4;

	*mapped = inet_pton(AF_INET, text, &v4) == 1;
	if (!*mapped)
		return inet_pton(AF_INET6, text, out) == 1;
	memset(out, 0, sizeof(*out));
	out->s6_addr[10] = out->s6_addr[11] = 0xff;
	memcpy(&out->s6_addr[12], &v4, sizeof(v4));
	return true;
}

static bool
prefix_parse(char *text, struct prefix *out)
{
	char *slash = strchr(text, '/');
	const char *errstr = NULL;
	bool mapped;
	unsigned bits;

	if (slash != NULL)
		*slash++ = '\0';
	if (!parse_ip(text, &out->ip, &mapped))
		return false;
	bits = mapped ? 32 : 128;
	if (slash != NULL)
		bits = (unsigned)strtonum(slash, 0, bits, &errstr);
	out->bits = mapped ? bits + 96 : bits;
	return errstr == NULL;
}

static bool
prefix_holds(const struct prefix *p, const struct in6_addr *ip)
{
	unsigned whole = p->bits / 8, rest = p->bits % 8;

	if (memcmp(p->ip.s6_addr, ip->s6_addr, whole) != 0)
		return false;
	return rest == 0 ||
	       ((p->ip.s6_addr[whole] ^ ip->s6_addr[whole]) >> (8 - rest)) == 0;
}

/* Take the next prefix off *list.  1: *out is filled; 0: the end; -1: broken. */
static int
next_prefix(const char **list, struct prefix *out)
{
	char text[PREFIX_TEXT_SIZE];
	size_t n;

	*list += strspn(*list, " \t");
	if (**list == '\0')
		return 0;
	n = strcspn(*list, ", \t");
	if (n == 0 || n >= sizeof(text))
		return -1;
	memcpy(text, *list, n);
	text[n] = '\0';
	*list += n;
	*list += strspn(*list, " \t");
	if (**list == ',')
		(*list)++;
	else if (**list != '\0')
		return -1;
	return prefix_parse(text, out) ? 1 : -1;
}

bool
prefix_list_valid(const char *list)
{
	struct prefix p;
	int r;

	while ((r = next_prefix(&list, &p)) == 1)
		continue;
	return r == 0;
}

bool
prefix_list_holds(const char *list, const struct in6_addr *ip)
{
	struct prefix p;

	while (next_prefix(&list, &p) == 1)
		if (prefix_holds(&p, ip))
			return true;
	return false;
}

/* ---- the machine's own addresses ---- */

/* Link-local addresses make sense with a scope only, which differs from machine
 * to machine: they cannot stand in a certificate or be told to students. */
static bool
usable(const struct ifaddrs *i, bool with_loopback, char out[INET6_ADDRSTRLEN])
{
	const struct sockaddr *sa = i->ifa_addr;

	if (sa == NULL || (i->ifa_flags & IFF_UP) == 0)
		return false;
	if ((i->ifa_flags & IFF_LOOPBACK) != 0 && !with_loopback)
		return false;
	if (sa->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, sa, sizeof(in));
		return inet_ntop(AF_INET, &in.sin_addr, out, INET6_ADDRSTRLEN) != NULL;
	}
	if (sa->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, sa, sizeof(in6));
		return !IN6_IS_ADDR_LINKLOCAL(&in6.sin6_addr) &&
		       inet_ntop(AF_INET6, &in6.sin6_addr, out, INET6_ADDRSTRLEN) != NULL;
	}
	return false;
}

static bool
add(struct host_addresses *a, const char *text)
{
	char(*more)[INET6_ADDRSTRLEN];

	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->text[i], text) == 0)
			return true;
	if ((more = reallocarray(a->text, a->count + 1, sizeof(*more))) == NULL)
		return false;
	a->text = more;
	strlcpy(a->text[a->count++], text, INET6_ADDRSTRLEN);
	return true;
}

enum qerr
addresses_of_host(bool with_loopback, struct host_addresses *out)
{
	static const int families[] = {AF_INET, AF_INET6};
	struct host_addresses a = {NULL, 0};
	char text[INET6_ADDRSTRLEN];
	struct ifaddrs *all;
	bool ok = true;

	if (getifaddrs(&all) == -1)
		return qerr_errno(errno);
	if (with_loopback)
		ok = add(&a, "127.0.0.1") && add(&a, "::1");
	for (size_t f = 0; f < 2; f++)
		for (struct ifaddrs *i = all; ok && i != NULL; i = i->ifa_next)
			if (i->ifa_addr != NULL &&
			    i->ifa_addr->sa_family == families[f] &&
			    usable(i, with_loopback, text))
				ok = add(&a, text);
	freeifaddrs(all);
	if (!ok) {
		addresses_free(&a);
		return Q_NOMEM;
	}
	*out = a;
	return Q_OK;
}

void
addresses_free(struct host_addresses *a)
{
	free(a->text);
	a->text = NULL;
	a->count = 0;
}
