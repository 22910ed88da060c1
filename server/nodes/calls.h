/* SPDX-License-Identifier: MIT
 *
 * calls.h - who calls whom (docs/protocols/nodes.md, "Calls" and "Data connection").
 *
 * A state machine without sockets, threads, clock or TLS: the parties belong to their
 * control sessions, wires to the links with other nodes, and whatever somebody must be
 * told goes through one callback.  One call has at most one end elsewhere.
 *
 *             03               06                data in             data in
 *   SEARCHING ---> ASKED -------------> ALLOWED ---------> READY ------------> UP
 *      found elsewhere: AA                        07              bytes flow
 *
 * A callee's node knows ASKED, ALLOWED and UP of a call from elsewhere; the caller's
 * node knows SEARCHING, ASKED, READY and UP of a call to elsewhere: what lies between is
 * the other node's.
 *
 * Threads: the caller holds the one lock during every call, and the callback runs under
 * it, so nobody is told things in another order than they happened.
 */
#ifndef SERVER_NODES_CALLS_H
#define SERVER_NODES_CALLS_H

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/lock.h"
#include "server/address.h"

#define CALLS_EARLY_MAX (64 * 1024) /* bytes held for a caller whose data is not in yet */

/* A user who is logged in here; embedded in the control session's state. */
struct party {
	uint32_t uin;
	struct address address; /* where its data connections have to come from */
	RB_ENTRY(party) link;   /* [calls] */
	bool present;           /* [calls] */
	unsigned pending;       /* [calls] calls that it has placed and that are not up */
	unsigned searching;     /* [calls] of these, being searched for */
};
RB_HEAD(party_tree, party);

/* A link with another node, as calls see it; embedded in the link. */
struct wire {
	unsigned calls; /* [calls] that have an end there */
	unsigned asked; /* [calls] of these, came from there and are not up */
};

enum call_side { CALLER, CALLEE };
enum call_state {
	CALL_SEARCHING, /* where is the callee? */
	CALL_ASKED,     /* the callee has not answered */
	CALL_ALLOWED,   /* it has; its data connection is awaited */
	CALL_READY,     /* that of the caller is */
	CALL_UP,
	CALL_OVER /* in no table any more; somebody still holds it */
};

struct call {
	uint32_t uin[2];        /* by enum call_side */
	enum call_state state;  /* [calls] */
	struct party *party[2]; /* [calls] those who are here, as long as they are */
	struct wire *wire;      /* [calls] to the node where the other one is, or NULL */
	void *data[2];          /* [calls] the data connections that are in */
	struct buf early;       /* [calls] what came over the wire before data[CALLER] */
	int64_t lapses_ms;      /* [calls] 0: never */
	unsigned refs;          /* [calls] */
	RB_ENTRY(call) by_pair;
	RB_ENTRY(call) by_time;
	TAILQ_ENTRY(call) searching;
};
RB_HEAD(call_pairs, call);
RB_HEAD(call_times, call);
TAILQ_HEAD(call_list, call);

enum told {
	TOLD_CALLED,     /* party: 04 uin */
	TOLD_NOT_FOUND,  /* party: 05 uin */
	TOLD_READY,      /* party: 07 uin */
	TOLD_SEARCH,     /* look for uin elsewhere; calls_searched says what came of it */
	TOLD_WIRE_ASK,   /* wire: AA */
	TOLD_WIRE_READY, /* wire: AB */
	TOLD_WIRE_OVER,  /* wire: B8, behind the last D0 */
	TOLD_WAITING,    /* a data connection may come now that had nowhere to go */
	TOLD_UP,         /* call: bytes may flow; to data[0], data[1] and wire */
	TOLD_CLOSE       /* data: what was sent to it is delivered, then it is closed */
};
struct calls_told {
	enum told what;
	struct party *party;
	struct wire *wire;
	uint32_t uin, uin2; /* wire: the caller, the callee */
	void *data;
	struct call *call; /* UP, CLOSE */
};
/* Runs with the lock held; must not call back.  arg is what the call was given. */
typedef void calls_tell_fn(void *arg, const struct calls_told *told);

struct calls_limits {         /* durations in milliseconds */
	int64_t call_timeout; /* from 04 to the answer */
	int64_t remote_extra; /* added for a callee elsewhere, whose node counts first */
	int64_t data_timeout; /* from 06, and from 07, to the data connection */
	int64_t search_timeout; /* a search that nobody has ended by then is over */
	unsigned max_pending;   /* of a party */
	unsigned max_searches;  /* of a party; 0: nothing is elsewhere */
	unsigned max_asked;     /* of a wire */
};

struct calls {
	struct lock lock;
	struct party_tree parties;  /* [lock] */
	struct call_pairs pairs;    /* [lock] */
	struct call_times times;    /* [lock] */
	struct call_list searching; /* [lock] */
	size_t count;               /* [lock] */
	struct calls_limits limits; /* [lock] */
	calls_tell_fn *tell;
};

void calls_init(struct calls *c, const struct calls_limits *limits, calls_tell_fn *tell);
/* Nobody is present, and no call is held. */
void calls_fini(struct calls *c);

/* ---- control sessions ---- */
/* p is here from now on; one of that UIN that was here has left before. */
void calls_enter(struct calls *c, struct party *p) REQUIRES(c->lock);
/* Who has that UIN and is here, or NULL. */
struct party *calls_party(struct calls *c, uint32_t uin) REQUIRES(c->lock);
/* p is here no more; its pending calls end, those that are up go on. */
void calls_leave(struct calls *c, struct party *p, void *arg) REQUIRES(c->lock);
/* Are p and that UIN speaking with each other? */
bool calls_speak(struct calls *c, const struct party *p, uint32_t uin) REQUIRES(c->lock);
/* 03, 06, 08: nothing when p has left.  Of 03: Q_NOMEM: p was told NOT_FOUND. */
enum qerr calls_place(struct calls *c, struct party *p, uint32_t callee, int64_t now_ms,
		      void *arg) REQUIRES(c->lock);
void calls_allow(struct calls *c, struct party *p, uint32_t caller, int64_t now_ms,
		 void *arg) REQUIRES(c->lock);
void calls_refuse(struct calls *c, struct party *p, uint32_t caller, void *arg)
    REQUIRES(c->lock);

/* ---- data connections ---- */
/* 20 from that address.  Q_OK: data is in, as that side of *out, a reference.
 * Q_MISSING: there is no call that waits for it, yet (TOLD_WAITING). */
enum qerr
calls_join(struct calls *c, uint32_t caller, uint32_t callee, const struct address *from,
	   void *data, int64_t now_ms, struct call **out, enum call_side *side, void *arg)
    REQUIRES(c->lock);
/* The data connection of that side has ended, and so has the call. */
void calls_hang_up(struct calls *c, struct call *call, enum call_side side, void *arg)
    REQUIRES(c->lock);
/* Let a reference go. */
void calls_unref(struct calls *c, struct call *call) REQUIRES(c->lock);

/* ---- links ---- */
/* The search for callee has ended: it is behind wire, or nowhere (NULL). */
void calls_searched(struct calls *c, uint32_t callee, struct wire *wire, int64_t now_ms,
		    void *arg) REQUIRES(c->lock);
/* AA, AB, B8 (its UINs in either order). */
void calls_wire_ask(struct calls *c, struct wire *w, uint32_t caller, uint32_t callee,
		    int64_t now_ms, void *arg) REQUIRES(c->lock);
void calls_wire_ready(struct calls *c, struct wire *w, uint32_t caller, uint32_t callee,
		      int64_t now_ms, void *arg) REQUIRES(c->lock);
void calls_wire_over(struct calls *c, struct wire *w, uint32_t a, uint32_t b, void *arg)
    REQUIRES(c->lock);
/* D0: the call of that wire that these bytes belong to, or NULL.  It is up or, as long
 * as the caller's data connection is not in, ready: then call->early holds them. */
struct call *calls_wire_data(struct calls *c, struct wire *w, uint32_t from, uint32_t to)
    REQUIRES(c->lock);
/* The call cannot go on, its reader is too slow, or it held too much: both sides are
 * told. */
void calls_break(struct calls *c, struct call *call, void *arg) REQUIRES(c->lock);
/* The link is gone. */
void calls_wire_lost(struct calls *c, struct wire *w, void *arg) REQUIRES(c->lock);

/* ---- time ---- */
/* End what has lapsed by now_ms; returns when to come again, 0: no need. */
int64_t calls_lapse(struct calls *c, int64_t now_ms, void *arg) REQUIRES(c->lock);
/* When the next call lapses, 0: none does. */
int64_t calls_next(struct calls *c) REQUIRES(c->lock);

#endif
