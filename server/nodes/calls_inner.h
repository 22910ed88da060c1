/* SPDX-License-Identifier: MIT
 *
 * calls_inner.h - the table of calls for those who change it: calls.c, and calls_links.c
 * for what comes over links.  The caller holds c->lock.
 */
#ifndef SERVER_NODES_CALLS_INNER_H
#define SERVER_NODES_CALLS_INNER_H

#include "server/nodes/calls.h"

/* Who need not be told of a call's end, because the news comes from there. */
enum knows { KNOWS_NOBODY = 0, KNOWS_CALLER = 1, KNOWS_CALLEE = 2, KNOWS_WIRE = 4 };

RB_PROTOTYPE(call_pairs, call, by_pair, pair_cmp)

/* The call between the two, whoever has called; NULL: there is none. */
struct call *calls_find(struct calls *c, uint32_t a, uint32_t b) REQUIRES(c->lock);
/* Put one into the table that has been asked for, by a party here (wire NULL) or over a
 * link.  NULL: there is no memory. */
struct call *
calls_add(struct calls *c, uint32_t caller, uint32_t callee, struct party *caller_party,
	  struct party *callee_party, struct wire *wire) REQUIRES(c->lock);
/* From now_ms on it has so long; 0: for ever. */
void calls_set_time(struct calls *c, struct call *call, int64_t now_ms, int64_t timeout)
    REQUIRES(c->lock);
/* Change the state, and the counts that depend on it. */
void calls_set_state(struct calls *c, struct call *call, enum call_state state)
    REQUIRES(c->lock);
/* The call is over.  Whoever holds a data connection of it is told to close it. */
void calls_end(struct calls *c, struct call *call, unsigned knows, void *arg)
    REQUIRES(c->lock);

/* Tell the party (NULL: nobody), the link (if it has one), whoever holds data. */
void calls_tell_party(struct calls *c, enum told what, struct party *p, uint32_t uin,
		      void *arg);
void calls_tell_wire(struct calls *c, enum told what, const struct call *call, void *arg);
void calls_tell_simply(struct calls *c, enum told what, struct call *call, void *data,
		       void *arg);

#endif
