/* SPDX-License-Identifier: MIT */
#include "server/nodes/peers.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/text.h"

#define BLANK           " \t"
#define DIGITS          "0123456789"
#define HOST_CHARACTERS DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-_"

static enum qerr
read_port(const char *text, size_t n, uint16_t *out)
{
	unsigned port = 0;

	if (n == 0 || n > 5 || strspn(text, DIGITS) < n)
		return Q_FORMAT;
	for (size_t i = 0; i < n; i++)
		port = port * 10 + (unsigned)(text[i] - '0');
	if (port == 0 || port > UINT16_MAX)
		return Q_FORMAT;
	*out = (uint16_t)port;
	return Q_OK;
}

/* [IPV6] without its brackets, or a name or IPv4 address. */
static enum qerr
read_host(const char *text, size_t n, char host[PEER_HOST_SIZE])
{
	bool v6 = n >= 2 && text[0] == '[' && text[n - 1] == ']';
	struct in6_addr ip;

	if (v6) {
		text++;
		n -= 2;
	}
	if (n == 0 || n >= PEER_HOST_SIZE)
		return Q_FORMAT;
	memcpy(host, text, n);
	host[n] = '\0';
	if (v6)
		return inet_pton(AF_INET6, host, &ip) == 1 ? Q_OK : Q_FORMAT;
	return strspn(host, HOST_CHARACTERS) == n ? Q_OK : Q_FORMAT;
}

enum qerr
peer_address(const char *text, size_t n, char host[PEER_HOST_SIZE], uint16_t *port)
{
	const char *colon = n > 0 ? memrchr(text, ':', n) : NULL;
	char found[PEER_HOST_SIZE];
	size_t before;
	enum qerr e;

	if (colon == NULL)
		return Q_FORMAT;
	before = (size_t)(colon - text);
	if ((e = read_host(text, before, found)) != Q_OK ||
	    (e = read_port(colon + 1, n - before - 1, port)) != Q_OK)
		return e;
	memcpy(host, found, sizeof(found));
	return Q_OK;
}

static enum qerr
read_entry(const char *text, size_t n, struct peer *out, struct why *why)
{
	size_t digits = HEX_LEN(SHA256_LEN);
	struct peer p = {.port = 0};

	if (n < digits ||
	    hex_decode(span_of(text, digits), p.fingerprint, SHA256_LEN) != Q_OK ||
	    (n > digits && text[digits] != '@'))
		return why_set(why, Q_FORMAT,
			       "must begin each entry with a fingerprint of %zu "
			       "hexadecimal digits (server node id)",
			       digits);
	if (n > digits &&
	    peer_address(text + digits + 1, n - digits - 1, p.host, &p.port) != Q_OK)
		return why_set(why, Q_FORMAT,
			       "must have HOST:PORT behind each @, or [IPV6]:PORT");
	*out = p;
	return Q_OK;
}

enum qerr
peers_next(const char **list, struct peer *out, struct why *why)
{
	const char *at = *list + strspn(*list, BLANK), *end;
	size_t n;
	enum qerr e;

	if (*at == '\0')
		return Q_MISSING;
	n = strcspn(at, "," BLANK);
	end = at + n + strspn(at + n, BLANK);
	if (*end != ',' && *end != '\0')
		return why_set(why, Q_FORMAT, "must have commas between its entries");
	if ((e = read_entry(at, n, out, why)) == Q_OK)
		*list = *end == ',' ? end + 1 : end;
	return e;
}

enum qerr
peers_check(const char *list, struct why *why)
{
	struct peer p;
	size_t n = 0;
	enum qerr e;

	while ((e = peers_next(&list, &p, why)) == Q_OK)
		if (++n > PEERS_MAX)
			return why_set(why, Q_LIMIT, "must not have more than %d entries",
				       PEERS_MAX);
	return e == Q_MISSING ? Q_OK : e;
}

bool
peers_find(const char *list, const uint8_t fingerprint[SHA256_LEN], struct peer *out)
{
	struct peer p;

	while (peers_next(&list, &p, NULL) == Q_OK)
		if (memcmp(p.fingerprint, fingerprint, SHA256_LEN) == 0) {
			*out = p;
			return true;
		}
	return false;
}
