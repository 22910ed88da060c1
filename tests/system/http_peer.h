/* SPDX-License-Identifier: MIT
 *
 * http_peer.h - an HTTP client for tests that sends bytes as they are given and reads
 * answers strictly.
 *
 *	struct http_peer *p = http_connect(h);
 *	http_say(p, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
 *	http_hear(p, 200, "ok\n");
 *
 * Everything waits with a deadline and fails the test.
 */
#ifndef TESTS_SYSTEM_HTTP_PEER_H
#define TESTS_SYSTEM_HTTP_PEER_H

#include "base/bytes.h"
#include "tests/system/harness.h"

struct http_peer {
	struct harness *h;
	int fd;
	bool drips; /* sends one byte at a time */
	struct buf in;
	size_t used; /* bytes of in that were read */
	/* the answer read last: */
	int status;
	char head[8192]; /* its head, a NUL behind it */
	struct span body;
};

struct http_peer *http_connect(struct harness *h);
struct http_peer *http_connect_tls(struct harness *h);
/* NULL is fine. */
void http_free(struct http_peer *p);

void http_say(struct http_peer *p, const char *text);
void http_send(struct http_peer *p, struct span bytes);
/* The same, as far as the server takes them: it may close meanwhile. */
void http_send_some(struct http_peer *p, struct span bytes);

/* Read an answer; of_head: to a HEAD request, so that no body comes. */
void http_read(struct http_peer *p, bool of_head);
/* It has that status, and that body (NULL: any). */
void http_hear(struct http_peer *p, int status, const char *body);
/* The value of a header of the answer read last in a static buffer, or NULL. */
const char *http_header(const struct http_peer *p, const char *name);
/* The server closes, and says nothing more. */
void http_hear_end(struct http_peer *p);
/* One request on a connection of its own: the answer's status. */
int http_status_of(struct harness *h, const char *request);

/* At least n bytes that were not read are in p->in. */
bool http_await(struct http_peer *p, size_t n);

#ifndef HTTP_PEER_INSIDE
#	define http_connect(...)     HARNESS_AT(http_connect(__VA_ARGS__))
#	define http_connect_tls(...) HARNESS_AT(http_connect_tls(__VA_ARGS__))
#	define http_say(...)         HARNESS_AT(http_say(__VA_ARGS__))
#	define http_read(...)        HARNESS_AT(http_read(__VA_ARGS__))
#	define http_hear(...)        HARNESS_AT(http_hear(__VA_ARGS__))
#	define http_hear_end(...)    HARNESS_AT(http_hear_end(__VA_ARGS__))
#	define http_status_of(...)   HARNESS_AT(http_status_of(__VA_ARGS__))
#endif

#endif
