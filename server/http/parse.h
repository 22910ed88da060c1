/* SPDX-License-Identifier: MIT
 *
 * parse.h - bytes to a request, by libhttp-parser within our own bounds.  For http.c
 * and the tests.  No sockets, clock or log; allocates the body only.
 */
#ifndef SERVER_HTTP_PARSE_H
#define SERVER_HTTP_PARSE_H

#include <http_parser.h>

#include "server/http/http.h"

struct http_parse {
	http_parser parser;
	struct http_request *request;
	char head[HTTP_HEAD_MAX]; /* what the request's spans point into */
	size_t head_len;
	struct span url;
	bool in_value; /* the callback before was one of a header's value */
	bool head_done, done;

	/* once the head is there: */
	bool keep_alive;
	bool expects; /* waits for 100 (Continue) before it sends the body */
	bool chunked;
	uint64_t length; /* of the body; 0 when chunked */
	struct buf body; /* its max is the limit; set it before the body comes */

	/* when it was refused: */
	int status; /* to answer with */
	const char *reason;
};

void http_parse_init(struct http_parse *p, struct http_request *r);
void http_parse_fini(struct http_parse *p);
/* Take bytes of the head.  Q_OK: it is complete, and *request is filled in; Q_SHORT:
 * more must come; Q_FORMAT: refused with p->status and p->reason.  *used bytes were
 * taken in each case. */
enum qerr http_parse_head(struct http_parse *p, struct span in, size_t *used);
/* The same behind the head, to the end of the request; *request has the body then.
 * Q_FORMAT, also when the body is larger than p->body.max. */
enum qerr http_parse_body(struct http_parse *p, struct span in, size_t *used);
/* Is there a body still to come? */
bool http_parse_wants_body(const struct http_parse *p);

#endif
