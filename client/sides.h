/* SPDX-License-Identifier: MIT
 *
 * sides.h - connections besides the first one, for protocols that need some: each call of
 * nodes has one of its own.  For client.c; a machine sees struct client_sides and the
 * functions of its row (protocol.h).
 *
 * The loop outside knows one descriptor of a client.  So here is an epoll set with all of
 * them, the first connection's too; such a set can itself be polled, and is readable when
 * any of them is ready.
 */
#ifndef CLIENT_SIDES_H
#define CLIENT_SIDES_H

#include "client/link.h"
#include "client/protocol.h"

struct sides;

/* main is borrowed; ops are the row's. */
enum qerr sides_new(const struct link *main, const struct client_side_ops *ops,
		    struct sides **out, struct why *why);
void sides_free(struct sides *s); /* closes all; NULL is fine */
/* What a machine gets. */
const struct client_sides *sides_offer(struct sides *s);

int sides_fd(const struct sides *s);
/* Watch what has to be watched now; before the loop polls. */
void sides_arm(struct sides *s);
/* What of the first connection is ready; remembers the same of the others. */
short sides_ready(struct sides *s);
/* Go on with the others. */
void sides_step(struct sides *s, void *machine);
/* 0: none. */
int64_t sides_deadline(const struct sides *s);
/* Bytes that wait to be sent. */
size_t sides_waiting(const struct sides *s);
/* All have ended. */
bool sides_none(const struct sides *s);

#endif
