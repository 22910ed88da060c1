/* SPDX-License-Identifier: MIT
 *
 * known.h - addresses of nodes that were heard of: what A4 says, and A2 announces.  They
 * are handed on; of an announced one it is known that a node that was let in has said so
 * of itself.  No node can fill the table: each has a share.  Pure, with a clock that the
 * caller brings; [calls] is its lock.
 */
#ifndef SERVER_NODES_KNOWN_H
#define SERVER_NODES_KNOWN_H

#include "server/nodes/place.h"

#define KNOWN_PER_NODE 64
#define KNOWN_MS       (3600 * INT64_C(1000))

struct known_place {
	struct place place;
	bool announced;           /* by the node itself */
	uint8_t from[SHA256_LEN]; /* whose share it counts to: a key's fingerprint */
	int64_t until_ms;
};
struct known {
	struct known_place *list;
	size_t count, room;
};
#define KNOWN_INIT                                  \
	{                                           \
		.list = NULL, .count = 0, .room = 0 \
	}

void known_fini(struct known *k);
/* Remember it for KNOWN_MS, at most max of them.  Q_LIMIT: no room in all, or in the
 * share; Q_NOMEM.  One that may not be dialled is Q_DENIED. */
enum qerr known_add(struct known *k, const struct place *p, bool announced,
		    const uint8_t from[SHA256_LEN], size_t max, int64_t now_ms);
bool known_announced(struct known *k, const struct place *p, int64_t now_ms);
/* Forget what is too old. */
void known_expire(struct known *k, int64_t now_ms);

#endif
