/* SPDX-License-Identifier: MIT
 *
 * origin.h - may a web page talk to us?  (RFC 6454, and what docs/protocols/board.md
 * makes of it.)  Pure.
 */
#ifndef SERVER_HTTP_ORIGIN_H
#define SERVER_HTTP_ORIGIN_H

#include "base/bytes.h"

enum origin {
	ORIGIN_NONE,   /* no Origin header: no browser, or a plain link */
	ORIGIN_SAME,   /* a page of this server: host and port are those of Host */
	ORIGIN_LISTED, /* another one, but named in http.origins */
	ORIGIN_REFUSED /* another one, "null", or no origin at all */
};

/* value: the Origin header (p NULL: there is none); host: the Host header; listed:
 * origins with commas between ("https://chat.example.org, http://localhost:8080"). */
enum origin origin_judge(struct span value, struct span host, const char *listed);
/* Is host (with or without a port) in a list of hosts with commas between?  One that is
 * listed without a port stands for any; an empty list holds all. */
bool host_listed(struct span host, const char *listed);

#endif
