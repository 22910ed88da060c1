/* SPDX-License-Identifier: MIT
 *
 * banner.h - what a person reads on standard output when the server is ready.
 */
#ifndef SERVER_BANNER_H
#define SERVER_BANNER_H

#include <stdio.h>

#include "server/listener.h"
#include "server/server.h"

/* How to connect from here and from other machines, the enrolment code, the CA's
 * fingerprint; then "listening on ADDR:PORT", one line a listener, as the last
 * lines.  Flushes out; nobody minds when it cannot be written. */
void banner_print(struct server *server, struct listener *const *listeners, size_t count,
		  FILE *out);

#endif
