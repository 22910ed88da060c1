/* SPDX-License-Identifier: MIT
 *
 * node_link.h - one link with another node: CB CB, TLS with roles swapped, messages, pings.
 */
#ifndef SERVER_NODES_NODE_LINK_H
#define SERVER_NODES_NODE_LINK_H

#include "server/nodes/calls.h"
#include "server/nodes/dialogue.h"
#include "server/nodes/dial.h"
#include "server/nodes/turns.h"
#include "server/session.h"

#define LINK_NO_SLOT (-1)

struct node_link {
	struct session *session;
	struct dialogue dialogue;
	bool dialled;                    /* by us */
	struct dial_call call;           /* dialled: what for */
	uint8_t fingerprint[SHA256_LEN]; /* once TLS is up: of the node's key */
	bool named;                      /* it was admitted because nodes.peers has it */
	struct wire wire;                /* [calls] */
	int slot;           /* [calls] its number among the links, or LINK_NO_SLOT */
	bool spare;         /* [calls] there is another one: nothing new goes here */
	bool placed;        /* [calls] place is known */
	struct place place; /* [calls] where others reach the node */
	struct turns turns; /* of the data that is sent */
	struct rate searches, asks, lists; /* worker */
};

/* The worker of a connection that has said CB CB, which is in the input. */
void node_link_accepted(struct session *s, const struct nodes_message *hello);
/* Make s, which is connected and has no worker yet, a link that we dial. */
enum qerr node_link_prepare(struct session *s, const struct dial_call *call);
/* Its worker. */
void node_link_dialled(struct session *s);
void node_link_free(struct node_link *l); /* NULL is fine */

static inline struct node_link *
node_link_of(struct wire *w)
{
	return (struct node_link *)(void *)((char *)w - offsetof(struct node_link, wire));
}

/* Any thread, [calls] may be held: put a message. */
void node_link_tell(struct node_link *l, const struct nodes_message *m);

/* ---- data (node_link_data.c) ---- */
/* The link's worker: a D0. */
void node_link_take_data(struct node_link *l, const struct nodes_message *m);

#endif
