/* SPDX-License-Identifier: MIT
 *
 * nodes_session.h - what the files of this folder offer each other.
 *
 * Locks: [calls] nodes_calls.lock, above the sessions' and outboxes' (server/locks.h).
 */
#ifndef SERVER_NODES_NODES_SESSION_H
#define SERVER_NODES_NODES_SESSION_H

#include <pthread.h>

#include "server/config.h"
#include "server/nodes/calls.h"
#include "server/nodes/dialogue.h"
#include "server/server.h"
#include "server/session.h"

extern struct calls nodes_calls;

/* ---- one step of the calls (step.c) ---- */
enum qerr nodes_start(struct server *server);
void nodes_stop(struct server *server);
/* Take the lock, with the limits of the configuration that is current. */
void nodes_begin(void) ACQUIRES(nodes_calls.lock);
/* Drop it, have the timer come when the next call lapses, write what was said. */
void nodes_finish(struct server *server) RELEASES(nodes_calls.lock);
/* What the calls are given as arg. */
#define NODES_ARG NULL
/* Something a data connection waits for has happened ([calls] is its lock). */
extern pthread_cond_t nodes_changed;

/* ---- control connections (control.c) ---- */
struct control {
	struct session *session;
	struct dialogue dialogue;
	struct party party;    /* [calls] but uin and address */
	char user[NAME_SIZE];  /* as registered; "" until judged */
	struct key *key;       /* worker: that it has shown; NULL once it is in */
	struct rate questions; /* worker: 60 and 62 */
	struct rate lists;     /* worker: 90 */
};
/* The worker, after CA CA in the clear: from there to the end. */
void control_serve(struct session *s);
struct control *control_of(struct party *p);
/* Any thread, [calls] may be held: put a message of one UIN. */
void control_tell(struct control *c, enum nodes_type type, uint32_t uin);
void control_goodbye(struct session *s, enum goodbye why);
void control_free(struct control *c); /* NULL is fine */

/* ---- data connections (data.c) ---- */
struct leg {
	struct session *session;
	struct call *call; /* [calls] NULL: it was let go */
	enum call_side side;
	bool up;              /* [calls] */
	bool closed;          /* [calls] the call is over */
	struct session *peer; /* once up: the other data connection, a reference */
	struct wire *wire;    /* once up: or the link to its node */
};
/* The worker, with 20 20 in the input. */
void data_serve(struct session *s);
/* [calls] is held: the call is up, or over. */
void leg_up(struct leg *leg);
void leg_close(struct leg *leg);
/* Any thread: the server ends it, and so the call.  [calls] may be held for
 * GOODBYE_SLOW alone, which is what a flush may find. */
void data_goodbye(struct session *s, enum goodbye why);
void leg_free(struct leg *leg); /* NULL is fine */
/* Any thread, no lock held: is the call over? */
bool leg_is_over(struct leg *leg);

#endif
