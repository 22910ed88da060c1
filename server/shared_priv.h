/* SPDX-License-Identifier: MIT
 *
 * shared_priv.h - what the files of the shared chats share.
 *
 *   shared.c       the table of chats in use; telling, reading, deleting
 *   shared_post.c  posting, and the queue that keeps the order
 *   shared_room.c  who is in the room, what was shown, how many are new
 *   shared_media.c what pictures and files are
 *   shared_save.c  writing that down, once a second
 */
#ifndef SERVER_SHARED_PRIV_H
#define SERVER_SHARED_PRIV_H

#include <stdatomic.h>

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>

#include "base/lock.h"
#include "server/protocol.h"
#include "server/shared.h"
#include "store/tally.h"

/* Kinds of records in a chat's log. */
#define KIND_TEXT  "msg"
#define KIND_MEDIA "media"
#define KIND_IMAGE "image"

/* A post that is on its way; on its thread's stack. */
struct flight {
	TAILQ_ENTRY(flight) link;
	uint64_t first; /* 0: the append has not come back */
};

TAILQ_HEAD(flight_list, flight);

#define SHOWN_MAX 8

/* One of the two, as enum tally_member. */
struct shared_member {
	unsigned in_room; /* [lock] connections */
	/* [lock] what was shown and is not saved yet: disjoint, rising */
	struct {
		uint64_t from, to;
	} shown[SHOWN_MAX];
	size_t shown_n; /* [lock] */
};

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

	struct shared_member member[TALLY_MEMBERS];
	struct tally tally; /* [lock] if counted */
	bool counted;       /* [lock] */
	/* [lock] what is being told right now: so many, from id told_first on (0: none) */
	uint64_t told_first, told_n;
	enum tally_member told_from;
	bool tally_changed;              /* [lock] since it was saved */
	bool turning;                    /* [lock] somebody tells who came or went */
	atomic_bool to_save;             /* it is on the saver's list, or about to be */
	TAILQ_ENTRY(shared_chat) saving; /* [saver] while there; it holds a reference */
};

RB_HEAD(chat_tree, shared_chat);

TAILQ_HEAD(chat_list, shared_chat);

struct shared {
	struct server *server;
	struct lock table;
	struct chat_tree chats; /* [table] */

	struct lock saver;        /* a leaf; shared_save.c */
	struct chat_list to_save; /* [saver] */
	unsigned busy;            /* [saver] threads that save one */
	bool stop;                /* [saver] */
	pthread_cond_t stirred;   /* there is something to save, or stop */
	pthread_cond_t idle;      /* busy went down */
	pthread_t thread;
};

/* Deliver event to every session of both members (who is gone is none) but origin. */
void shared_tell(struct shared_chat *c, const struct session *origin,
		 const struct event *event);
/* Let no post begin any more, and wait for those on their way. */
void shared_flights_end(struct shared_chat *c);

/* ---- shared_room.c ---- */
/* Which of the two is user, who has to be one (perhaps by name only)? */
enum tally_member shared_which(const struct shared_chat *c, const char *user);
/* n messages of from, from id first on, are about to be told.  True: it is time to save
 * the tally. */
bool shared_count_locked(struct shared_chat *c, enum tally_member from, uint64_t first,
			 size_t n) REQUIRES(c->lock);
/* Save what there is to save of c.  Q_OK also when there is nothing. */
enum qerr shared_save_chat(struct shared_chat *c);

/* ---- shared_save.c ---- */
enum qerr shared_saver_start(struct shared *sh);
/* Save all, and end the thread. */
void shared_saver_stop(struct shared *sh);
/* c has something to save.  No lock held. */
void shared_save_soon(struct shared_chat *c);

#endif
