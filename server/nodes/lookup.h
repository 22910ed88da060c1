/* SPDX-License-Identifier: MIT
 *
 * lookup.h - the addresses behind a place, found without holding up who asks: a name
 * server that is slow keeps a thread of its own waiting, and nobody else.
 */
#ifndef SERVER_NODES_LOOKUP_H
#define SERVER_NODES_LOOKUP_H

#include <sys/socket.h>

#include "server/nodes/place.h"

#define LOOKUP_MAX 4 /* addresses of a name that are taken */

struct lookup_found {
	struct sockaddr_storage to[LOOKUP_MAX];
	size_t count;
	const char *problem; /* NULL, or why there is none; static */
};

struct lookup;

/* Begin.  done is called once, by any thread, perhaps before this returns, unless it was
 * dropped before; it must not take a lock that is held around these calls.  NULL: no
 * memory, or no thread. */
struct lookup *lookup_start(const struct place *p, void (*done)(void));
/* True: it is done, and *out is filled. */
bool lookup_done(struct lookup *l, struct lookup_found *out);
/* Not wanted any more, done or not; never waits.  NULL is fine. */
void lookup_drop(struct lookup *l);

#endif
