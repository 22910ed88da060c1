/* SPDX-License-Identifier: MIT
 *
 * shared_priv.h - what the files of the shared chats share.
 *
 *   shared.c       the table of chats in use; telling, reading, deleting
 *   shared_post.c  posting, and the queue that keeps the order
 *   shared_count.c how many messages there are, from whom, and how many are new
 *   shared_room.c  who is in the room, and what was shown
 *   shared_save.c  writing that down, once a second
 *   shared_media.c what pictures and files are
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
	/* [lock] if counted, all of the chat.  If not, what this object has told, without a
	 * gap from behind `since` on; upto 0: nothing */
	struct tally tally;
	uint64_t since;     /* [lock] */
	bool counted;       /* [lock] */
	bool tally_changed; /* [lock] if counted: since it was saved */
	/* [lock] what is being told right now: so many, from id told_first on (0: none) */
	uint64_t told_first, told_n;
	enum tally_member told_from;
	bool turning;        /* [lock] somebody tells who came or went */
	bool looked;         /* [lock] shared_look_back was done, or need not be */
	bool looking;        /* [lock] somebody does it */
	bool writing;        /* [lock] somebody writes what it has taken out */
	atomic_bool to_save; /* a pass of the saver has yet to come to it */
	TAILQ_ENTRY(shared_chat)
	saving; /* on the saver's list, which holds a reference */
};

RB_HEAD(chat_tree, shared_chat);

TAILQ_HEAD(chat_list, shared_chat);

struct shared {
	struct server *server;
	struct lock table;
	struct chat_tree chats; /* [table] */

	struct lock saver;        /* a leaf; shared_save.c */
	struct chat_list to_save; /* [saver] what is for the next pass */
	bool stop;                /* [saver] */
	pthread_cond_t stirred;   /* there is something to save, or stop */
	pthread_t thread;
};

/* Deliver event to every session of both members (who is gone is none) but origin. */
void shared_tell(struct shared_chat *c, const struct session *origin,
		 const struct event *event);
/* Let no post begin any more, and wait for those on their way. */
void shared_flights_end(struct shared_chat *c);
/* The chat of that id, a reference; NULL: it is not in use. */
struct shared_chat *shared_find(struct shared *sh, uint64_t id);
/* Wait until something in c has moved, and tell those who do. */
void shared_wait_locked(struct shared_chat *c) REQUIRES(c->lock);
void shared_wake_locked(struct shared_chat *c) REQUIRES(c->lock);

/* ---- shared_count.c ---- */
/* Which of the two is user, who has to be one (perhaps by name only)? */
enum tally_member shared_which(const struct shared_chat *c, const char *user);
static inline enum tally_member
shared_other(enum tally_member m)
{
	return m == TALLY_MAKER ? TALLY_OTHER : TALLY_MAKER;
}
/* n messages of from, from id first on, are about to be told.  True: it is time to save
 * the tally. */
bool shared_count_locked(struct shared_chat *c, enum tally_member from, uint64_t first,
			 size_t n) REQUIRES(c->lock);
/* The member has seen so many of the other one's.  Not counted: nothing. */
void shared_see_locked(struct shared_chat *c, enum tally_member m, uint64_t n)
    REQUIRES(c->lock);
/* Let c be counted, unless messages that come this moment have ids that jump.  May read
 * the file.  No lock held.  Errors as for shared_read. */
enum qerr shared_count(struct shared_chat *c);

/* ---- shared_room.c ---- */
/* Member m was shown from..to. */
void shared_add_shown_locked(struct shared_chat *c, enum tally_member m, uint64_t from,
			     uint64_t to) REQUIRES(c->lock);

/* ---- shared_save.c ---- */
enum qerr shared_saver_start(struct shared *sh);
/* Save all, and end the thread. */
void shared_saver_stop(struct shared *sh);
/* c has something to save.  No lock held. */
void shared_save_soon(struct shared_chat *c);
/* c's log is about to get longer for the first time since the start: what is written down
 * of it must not be ahead. */
void shared_look_back(struct shared_chat *c);
/* c was deleted: nothing of it is written once this has returned. */
void shared_writing_end(struct shared_chat *c);

#endif
