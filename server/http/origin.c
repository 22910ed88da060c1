/* SPDX-License-Identifier: MIT */
#include "server/http/origin.h"

#include <string.h>
#include <strings.h>

/* "http" or "https", "host", and a port that is never left out. */
struct place {
	bool https;
	struct span host;
	unsigned port;
};

static bool
same_text(struct span a, struct span b)
{
	return a.len == b.len &&
	       (a.len == 0 ||
		strncasecmp((const char *)a.p, (const char *)b.p, a.len) == 0);
}

/* "host", "host:port", "[v6]:port" */
static bool
split_host(struct span s, unsigned preset, struct span *host, unsigned *port)
{
	size_t n = 0;

	if (s.len > 0 && s.p[0] == '[')
		while (n < s.len && s.p[n] != ']')
			n++;
	while (n < s.len && s.p[n] != ':')
		n++;
	*host = span_of(s.p, n);
	*port = preset;
	if (n < s.len) {
		if (s.len - n < 2 || s.len - n > 6)
			return false;
		*port = 0;
		for (size_t i = n + 1; i < s.len; i++) {
			if (s.p[i] < '0' || s.p[i] > '9')
				return false;
			*port = 10 * *port + (s.p[i] - (unsigned)'0');
		}
	}
	return n > 0 && *port <= 65535;
}

static unsigned
preset_port(bool https)
{
	return https ? 443 : 80;
}

/* RFC 6454 section 6.2, of the two schemes that a page can come by.  What is not so
 * written is no origin: "null", several, one with a path. */
static bool
split_origin(struct span s, struct place *out)
{
	size_t n;

	if (s.len > 7 && strncasecmp((const char *)s.p, "http://", 7) == 0)
		n = 7;
	else if (s.len > 8 && strncasecmp((const char *)s.p, "https://", 8) == 0)
		n = 8;
	else
		return false;
	out->https = n == 8;
	s = span_of(s.p + n, s.len - n);
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 127 || strchr("/\\@?#,", s.p[i]) != NULL)
			return false;
	return split_host(s, preset_port(out->https), &out->host, &out->port);
}

/* The next element of a list with commas; false at its end. */
static bool
next_item(const char **list, struct span *item)
{
	const char *p = *list;
	size_t n;

	while (*p == ' ' || *p == ',' || *p == '\t')
		p++;
	n = strcspn(p, " ,\t");
	*item = span_of(p, n);
	*list = p + n;
	return n > 0;
}

static bool
origin_listed(const struct place *o, const char *listed)
{
	struct span item;
	struct place p;

	while (next_item(&listed, &item))
		if (split_origin(item, &p) && p.https == o->https && p.port == o->port &&
		    same_text(p.host, o->host))
			return true;
	return false;
}

enum origin
origin_judge(struct span value, struct span host, const char *listed)
{
	struct place o;
	struct span name;
	unsigned port;

	if (value.p == NULL)
		return ORIGIN_NONE;
	if (!split_origin(value, &o))
		return ORIGIN_REFUSED;
	if (split_host(host, preset_port(o.https), &name, &port) && port == o.port &&
	    same_text(name, o.host))
		return ORIGIN_SAME;
	return origin_listed(&o, listed) ? ORIGIN_LISTED : ORIGIN_REFUSED;
}

bool
host_listed(struct span host, const char *listed)
{
	struct span item, name, listed_name;
	unsigned port, listed_port;
	bool any = true;

	while (next_item(&listed, &item)) {
		any = false;
		/* Port 0, which nobody can listen on, stands for none. */
		if (!split_host(host, 0, &name, &port) ||
		    !split_host(item, 0, &listed_name, &listed_port))
			continue;
		if (same_text(name, listed_name) &&
		    (listed_port == 0 || listed_port == port))
			return true;
	}
	return any;
}
