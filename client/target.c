/* SPDX-License-Identifier: MIT */
#include "client/target.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <bsd/stdlib.h>

/* By hand: ctype(3) depends on the locale. */
static bool
is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool
host_valid(const char *host, size_t len)
{
	if (len == 0 || len > TARGET_HOST_MAX || !(is_alnum(host[0]) || host[0] == ':'))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_alnum(host[i]) && strchr(".-_:%", host[i]) == NULL)
			return false;
	return true;
}

/* Where host ends and what stands where a port should; false when it is
 * neither.  Several colons without brackets are an IPv6 address. */
static bool
split(const char *text, struct span *host, const char **port)
{
	const char *colon = strchr(text, ':'), *close;

	*port = NULL;
	if (text[0] == '[') {
		if ((close = strchr(text, ']')) == NULL)
			return false;
		*host = span_of(text + 1, (size_t)(close - text - 1));
		if (close[1] == ':')
			*port = close + 2;
		return *port != NULL || close[1] == '\0';
	}
	if (colon == NULL || strchr(colon + 1, ':') != NULL) {
		*host = span_str(text);
		return true;
	}
	*host = span_of(text, (size_t)(colon - text));
	*port = colon + 1;
	return true;
}

enum qerr
target_parse(const char *text, struct target *out, struct why *why)
{
	struct target t = {.port = TARGET_PORT};
	const char *port, *bad = NULL;
	struct span host;

	if (!split(text, &host, &port) || !host_valid((const char *)host.p, host.len))
		return why_set(why, Q_FORMAT,
			       "\"%.100s\" is no host: HOST, HOST:PORT or [V6]:PORT",
			       text);
	if (port != NULL) {
		t.port = (uint16_t)strtonum(port, 1, 65535, &bad);
		if (bad != NULL || port[0] < '0' || port[0] > '9')
			return why_set(why, Q_FORMAT,
				       "\"%.100s\" is no port (1 to 65535)", port);
	}
	for (size_t i = 0; i < host.len; i++) {
		char c = (char)host.p[i];

		t.host[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	*out = t;
	return Q_OK;
}

void
target_text(const struct target *t, char out[TARGET_TEXT_SIZE])
{
	bool v6 = strchr(t->host, ':') != NULL;

	snprintf(out, TARGET_TEXT_SIZE, v6 ? "[%s]:%u" : "%s:%u", t->host,
		 (unsigned)t->port);
}
