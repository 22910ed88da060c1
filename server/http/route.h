/* SPDX-License-Identifier: MIT
 *
 * route.h - which part of the server answers which path: a table of rows, as protocols
 * are (server/protocol.h).  A protocol that is reached by HTTP adds its rows to routes.c.
 */
#ifndef SERVER_HTTP_ROUTE_H
#define SERVER_HTTP_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

struct http;
struct http_request;

/* Methods, as bits. */
enum route_method {
	ROUTE_GET = 1,
	ROUTE_HEAD = 2,
	ROUTE_POST = 4,
	ROUTE_PUT = 8,
	ROUTE_DELETE = 16,
	ROUTE_PATCH = 32,
	ROUTE_OPTIONS = 64,
	ROUTE_OTHER = 128 /* known to HTTP, served by nobody */
};

struct http_route {
	/* The whole path, or with prefix its beginning.  The first row that fits
	 * serves, so a longer path stands above the prefix that it begins with. */
	const char *path;
	bool prefix;
	unsigned methods; /* of enum route_method; others get 405 and Allow */
	size_t max_body;  /* bytes; a larger body gets 413 */
	/* Pages of other origins are refused (403) before anything else (origin.h);
	 * those in http.origins are served with CORS headers, preflights included. */
	bool same_origin;
	/* NULL, or: is there such a path now?  Else 404.  For what a setting
	 * switches. */
	bool (*exists)(void);
	/* NULL, or called when the head is there and before the body is read: may
	 * answer (http_reply; then the body is not read and serve not called), lower
	 * or raise r->max_body, set r->patient and r->budget. */
	void (*head)(struct http *h, struct http_request *r);
	/* The request is complete: answer it, once, before returning (or
	 * http_become).  On the session's worker; may block. */
	void (*serve)(struct http *h, struct http_request *r);
};

/* NULL at the end. */
extern const struct http_route *const http_routes[];
/* The row for path; NULL: none. */
const struct http_route *
route_find(const struct http_route *const *table, struct span path);
/* "GET, HEAD" */
#define ROUTE_ALLOW_SIZE 64
void route_allow(unsigned methods, char out[ROUTE_ALLOW_SIZE]);

#endif
