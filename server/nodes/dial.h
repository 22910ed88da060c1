/* SPDX-License-Identifier: MIT
 *
 * dial.h - the thread that connects to other nodes: those of nodes.peers that have an
 * address, again and again with back-off and jitter, and now and then one that a search
 * has named.
 */
#ifndef SERVER_NODES_DIAL_H
#define SERVER_NODES_DIAL_H

#include "server/nodes/place.h"
#include "server/server.h"

#define DIAL_NOBODY 0 /* the number of no call */

/* What a link that was dialled is for; in the link. */
struct dial_call {
	uint32_t number;                 /* of the attempt */
	bool any;                        /* a search's: any node that is admitted */
	uint8_t fingerprint[SHA256_LEN]; /* otherwise this one */
	uint32_t uin;                    /* a search's: whom to ask for */
	struct place place;
};

enum qerr dial_start(struct server *server);
/* Dial nobody from here on. */
void dial_quiet(void);
void dial_stop(void); /* no session is left */
/* Worker of a dialled link: it is over, after it was up or not. */
void dial_over(const struct dial_call *call);
/* A link was lost, or the settings have changed: look now.  Any lock held. */
void dial_look(void);
/* Connect there, once, and ask for uin; false: too many of these at once.  Any lock
 * held. */
bool dial_follow(const struct place *p, uint32_t uin);
/* Append a line for each node that is to be dialled and has no link. */
void dial_report(struct buf *out);

#endif
