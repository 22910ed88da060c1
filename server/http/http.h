/* SPDX-License-Identifier: MIT
 *
 * http.h - HTTP/1.1 (RFC 9110, RFC 9112) on the one port: what a route (route.h) sees.
 *
 * A connection is a session whose protocol is http; its worker reads one request after
 * the other and lets the route's row answer it, until the peer or http.keepalive ends
 * it, or the row makes another protocol of it (http_become), as those do that speak
 * WebSocket (ws.h).
 *
 * Everything here is for the session's worker but where it says "any thread".
 */
#ifndef SERVER_HTTP_HTTP_H
#define SERVER_HTTP_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "server/http/budget.h"
#include "server/http/route.h"
#include "server/protocol.h"
#include "server/session.h"

#define HTTP_HEAD_MAX    8192 /* bytes of request line and headers */
#define HTTP_HEADERS_MAX 64

extern const struct protocol http_protocol;

struct http_field {
	struct span name, value; /* as sent, the value without white space around it */
};

/* One request.  What it points to is valid until serve returns. */
struct http_request {
	enum route_method method;
	bool old;           /* HTTP/1.0 */
	struct span path;   /* as sent, nothing decoded; begins with "/" */
	struct span query;  /* what stands behind the "?", or empty */
	struct span host;   /* "name", "name:port": from the target if it has one */
	struct span origin; /* empty when there is none */
	struct http_field fields[HTTP_HEADERS_MAX];
	size_t field_count;
	struct span body;

	/* For the route's head function to set: */
	size_t max_body;       /* the route's */
	bool patient;          /* may take as long as bytes flow (http.min_rate) */
	struct budget *budget; /* NULL, or the body is counted there while it is held */
	/* NULL, or called with over_arg once the request is done with, whether it was
	 * served or its body never came. */
	void (*over)(void *arg);
	void *over_arg;
};

/* The value of a header (names without regard to case), or one with p NULL when there
 * is none or more than one. */
struct span http_field(const struct http_request *r, const char *name);
/* How many headers have that name? */
size_t http_field_count(const struct http_request *r, const char *name);
/* Does the comma-separated list in that header (all of them) hold word, without regard
 * to case? */
bool http_field_has(const struct http_request *r, const char *name, const char *word);
/* The value of key in the query, not decoded; p is NULL when it is not there.  The
 * first one counts. */
struct span http_query(const struct http_request *r, const char *key);
/* Decode %XX.  out has room for s.len bytes.  Q_FORMAT: a % without two digits, or a
 * NUL. */
enum qerr http_decode(struct span s, char *out, size_t *len);

struct http_reply {
	int status;       /* 200 ... */
	const char *type; /* Content-Type; NULL: there is no body */
	struct span body; /* HEAD sends its length alone */
	const char *more; /* NULL, or further header lines, each with its CR LF */
	bool close;       /* the connection ends behind it */
};

/* Answer the request at hand.  A body above 64 KiB goes in pieces, as the peer takes
 * them.  Another thread may call it while serve waits, if the two agree who does, with
 * a body of at most 64 KiB.  Q_CLOSED: the session ended, or the peer took nothing for
 * limits.sender_wait. */
enum qerr http_reply(struct http *h, const struct http_reply *reply);
/* The same for a mistake: one line of text/plain, "404 Not Found", and behind it
 * detail (may be NULL). */
void http_error(struct http *h, int status, const char *detail);
/* Was the request answered? */
bool http_answered(const struct http *h);
struct session *http_session(struct http *h);

/* Any thread, from serve on until it returns: call fn(arg), once, when another thread
 * ends the session, before it takes no more bytes; fn may http_reply.  fn NULL: no more;
 * then it is not running either on return.  Not from fn. */
void http_on_end(struct http *h, void (*fn)(struct http *h, void *arg), void *arg);

/* serve, right before it returns: from here on the session speaks p with that state
 * (p->release frees it), and goes on with then (session_continue), once all that HTTP
 * held is freed.
 * The deadline is the caller's to set; input that has come stays. */
void http_become(struct http *h, const struct protocol *p, void *state,
		 void (*then)(struct session *s));

#endif
