/* SPDX-License-Identifier: MIT
 *
 * shared_priv.h - what the files of the shared chats share.
 *
 *   shared.c       the table of chats in use; telling, reading, deleting
 *   shared_post.c  posting, and the queue that keeps the order
 */
#ifndef SERVER_SHARED_PRIV_H
#define SERVER_SHARED_PRIV_H

#include <stdatomic.h>

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>

#include "base/lock.h"
#include "server/protocol.h"
#include "server/shared.h"

/* Kinds of records in a chat's log. */
#define KIND_TEXT  "msg"
#define KIND_MEDIA "media"

/* A post that is on its way; on its thread's stack. */
struct flight {
	TAILQ_ENTRY(flight) link;
	uint64_t first; /* 0: the append has not come back */
};

TAILQ_HEAD(flight_list, flight);

struct shared_chat {
	RB_ENTRY(shared_chat) link; /* [table] while in_table */
	unsigned refs;              /* [table] */
	bool in_table;              /* [table] */
	struct shared *shared;
	struct chat_info info;              /* [const] but for gone */
	atomic_bool maker_gone, other_gone; /* once true they stay so */
	struct msglog *log;

	struct lock lock;
	struct flight_list flights; /* [lock] */
	uint64_t next;              /* [lock] whose turn it is; 0: not known yet */
	bool deleted;               /* [lock] */
	unsigned waiting;           /* [lock] threads that wait for moved */
	pthread_cond_t moved;       /* something here is different */
};

RB_HEAD(chat_tree, shared_chat);

struct shared {
	struct server *server;
	struct lock table;
	struct chat_tree chats; /* [table] */
};

/* Deliver event to every session of both members (who is gone is none) but origin. */
void shared_tell(struct shared_chat *c, const struct session *origin,
		 const struct event *event);
/* Let no post begin any more, and wait for those on their way. */
void shared_flights_end(struct shared_chat *c);

#endif
