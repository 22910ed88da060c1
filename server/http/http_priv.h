/* SPDX-License-Identifier: MIT
 *
 * http_priv.h - what http.c and reply.c share: a request that is being read or answered.
 * It exists from a request's first byte to the end of its answer.
 */
#ifndef SERVER_HTTP_HTTP_PRIV_H
#define SERVER_HTTP_HTTP_PRIV_H

#include "server/config.h"
#include "server/http/parse.h"

struct http {
	struct session *session;
	const struct config *config;
	struct http_request request;
	struct http_parse parse;
	size_t taken; /* from request.budget */
	bool cors;    /* the page's origin is in http.origins */
	bool close;   /* no further request */
	atomic_bool answered;
	void (*then)(struct session *s); /* http_become was called */

	/* [outbox] http_on_end; `ended` is signalled when on_end has returned */
	void (*on_end)(struct http *h, void *arg);
	void *on_end_arg;
	bool ending;
	pthread_cond_t ended;
};

/* Log a refusal, within bounds, and count it. */
void http_refused(struct http *h, int status, const char *reason);

#endif
