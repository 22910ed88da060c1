/* SPDX-License-Identifier: MIT
 *
 * turns.h - those who share one link send one piece each in turn, in the order in which
 * they came, so that one who has much to send keeps nobody waiting for more than one
 * piece of each of the others.
 */
#ifndef SERVER_NODES_TURNS_H
#define SERVER_NODES_TURNS_H

#include <bsd/sys/queue.h>
#include <pthread.h>

#include "base/lock.h"

struct turn {
	pthread_cond_t yours;
	TAILQ_ENTRY(turn) place; /* [lock] of the turns */
};
TAILQ_HEAD(turn_list, turn);
struct turns {
	struct lock lock;       /* a leaf, never held while anybody waits for a peer */
	struct turn_list queue; /* [lock] the first one's turn it is */
};

void turns_init(struct turns *t);
void turns_fini(struct turns *t); /* nobody waits any more */
void turn_init(struct turn *me);
void turn_fini(struct turn *me);
/* Wait until it is my turn, which I have until turns_pass: no lock held. */
void turns_take(struct turns *t, struct turn *me);
void turns_pass(struct turns *t, struct turn *me);

#endif
