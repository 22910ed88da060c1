/* SPDX-License-Identifier: MIT
 *
 * RFC 6455 section 4.2: each demand on an upgrade request is a row, in the order in which
 * they are looked at.
 */
#include <stdio.h>

#include "base/text.h"
#include "crypto/sha1.h"
#include "server/http/http_priv.h"
#include "server/http/ws.h"
#include "server/metrics.h"

#define KEY_LEN  16
#define KEY_TEXT BASE64_LEN(KEY_LEN)

static bool
is_get(const struct http_request *r)
{
	return r->method == ROUTE_GET && r->body.len == 0;
}

static bool
is_new_enough(const struct http_request *r)
{
	return !r->old;
}

static bool
wants_upgrade(const struct http_request *r)
{
	return http_field_count(r, "Upgrade") > 0;
}

static bool
wants_websocket(const struct http_request *r)
{
	return http_field_has(r, "Upgrade", "websocket") &&
	       http_field_has(r, "Connection", "upgrade");
}

static bool
has_version(const struct http_request *r)
{
	return span_eq(http_field(r, "Sec-WebSocket-Version"), span_str("13"));
}

static bool
has_key(const struct http_request *r)
{
	struct span key = http_field(r, "Sec-WebSocket-Key");
	size_t len;

	return key.len == KEY_TEXT && base64_check(key, &len) == Q_OK && len == KEY_LEN;
}

static const struct demand {
	bool (*met)(const struct http_request *r);
	int status;
	const char *reason;
} demands[] = {
    {is_get, 400, "a WebSocket begins with GET"},
    {is_new_enough, 400, "a WebSocket needs HTTP/1.1"},
    {wants_upgrade, 426, "this is a WebSocket"},
    {wants_websocket, 400, "Upgrade and Connection"},
    {has_version, 426, "Sec-WebSocket-Version"},
    {has_key, 400, "Sec-WebSocket-Key"},
};

static void
answer_426(struct http *h)
{
	static const char headers[] = "Upgrade: websocket\r\nConnection: Upgrade\r\n"
				      "Sec-WebSocket-Version: 13\r\n";

	(void)http_reply(h,
			 &(struct http_reply){.status = 426,
					      .type = "text/plain; charset=UTF-8",
					      .body = span_str("426 Upgrade Required\n"),
					      .more = headers});
}

/* Section 4.2.2: what shows that we have read the key as WebSocket's. */
static enum qerr
make_accept(struct span key, char accept[BASE64_LEN(SHA1_LEN)])
{
	char text[KEY_TEXT + sizeof(WS_GUID)];
	uint8_t digest[SHA1_LEN];
	enum qerr e;

	snprintf(text, sizeof(text), "%.*s%s", (int)KEY_TEXT, (const char *)key.p,
		 WS_GUID);
	if ((e = sha1(span_str(text), digest)) == Q_OK)
		base64_encode(span_of(digest, sizeof(digest)), accept);
	return e;
}

/* The first demand that is not met, or NULL. */
static const struct demand *
unmet(const struct http_request *r)
{
	for (size_t i = 0; i < sizeof(demands) / sizeof(demands[0]); i++)
		if (!demands[i].met(r))
			return &demands[i];
	return NULL;
}

enum qerr
ws_accept(struct http *h, const struct http_request *r)
{
	const struct demand *d = unmet(r);
	char accept[BASE64_LEN(SHA1_LEN)], headers[128];
	enum qerr e;

	if (d != NULL) {
		http_refused(h, d->status, d->reason);
		if (d->status == 426)
			answer_426(h);
		else
			http_error(h, d->status, d->reason);
		return Q_FORMAT;
	}
	if ((e = make_accept(http_field(r, "Sec-WebSocket-Key"), accept)) != Q_OK) {
		http_error(h, 503, NULL);
		return e;
	}
	snprintf(headers, sizeof(headers),
		 "Upgrade: websocket\r\nConnection: Upgrade\r\n"
		 "Sec-WebSocket-Accept: %.*s\r\n",
		 (int)sizeof(accept), accept);
	e = http_reply(h, &(struct http_reply){.status = 101, .more = headers});
	if (e == Q_OK)
		metric_add(METRIC_websockets_total, 1);
	return e;
}
