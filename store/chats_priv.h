/* SPDX-License-Identifier: MIT
 *
 * chats_priv.h - what the files of the chats share.
 *
 *   chats.c          finding and making
 *   chats_forget.c   users that are removed
 *   chats_delete.c   deleting, and finishing that when the chats are opened
 *   chats_load.c     reading the journal
 */
#ifndef STORE_CHATS_PRIV_H
#define STORE_CHATS_PRIV_H

#include "store/chats.h"
#include "store/journal.h"
#include "store/pairs.h"

#define CHATS_JOURNAL "pairs"

/* Kinds of events; chats.c says what they mean. */
#define CHAT_CREATE  "create"
#define CHAT_DELETE  "delete"
#define CHAT_CLEARED "cleared"
#define CHAT_GONE    "gone"

struct chat {
	struct pair pair; /* topic: the announcement.  Not when it is deleted */
	struct index_node by_id;
	uint64_t id; /* 0, and not in the index: it is being made */
	int64_t created_ms;
	bool deleted; /* only its files are left, perhaps */
	bool used;    /* chats_first_use was asked */
	/* Deleted, or one of the two was removed, and the line that says which is damaged:
	 * its files are no longer anybody's, and nobody's to delete. */
	bool unclear;
	struct chat *next; /* of those that a removal has ended */
};

struct chats {
	struct store *store;
	struct journal *journal;
	struct lock lock;
	pthread_cond_t changed; /* something is no longer busy */
	struct pairs pairs;     /* [lock] of those that are not deleted */
	struct index ids;       /* [lock] */
	uint64_t next_id;       /* [lock] */
	size_t making;          /* [lock] chats whose "create" is being written */
	bool forgetting;     /* [lock] a "gone" is being written, or waits for making */
	uint64_t last_event; /* the newest that was read; only chats_load sets it */
	size_t odd;          /* events read that did not fit */
};

/* ---- chats_load.c ---- */
/* As chats_open, but nothing is removed, written or reported. */
enum qerr chats_load(struct store *s, struct chats **out);
/* Has the journal grown since it was read? */
bool chats_stale(const struct chats *c);
/* Is there a chat with that id, or one that was deleted whose files are still to be
 * removed?  Not one of which it is unclear what became of it. */
bool chats_known(struct chats *c, uint64_t id);

/* ---- chats_forget.c; with c->lock held, or while nobody else knows c ---- */
/* The chats that have no member any more are deleted now, and returned as a list. */
struct chat *chat_user_gone(struct chats *c, const char *user);

/* ---- chats_delete.c ---- */
/* Remove the files of a deleted chat, write that and forget it. */
void chat_clear(struct chats *c, struct chat *chat);

/* ---- chats.c; with c->lock held, or while nobody else knows c ---- */
struct chat *chat_of(struct pair *pair);
struct chat *chat_find(const struct chats *c, uint64_t id);
/* A chat that can only be found by its pair.  Q_EXISTS: the pair has one; Q_NOMEM. */
enum qerr chat_new(struct chats *c, const char *maker, const char *other,
		   uint64_t anons_id, struct chat **out);
/* From here on it is found by its id, too. */
void chat_publish(struct chats *c, struct chat *chat, uint64_t id, int64_t created_ms);
/* It is deleted: nobody finds it, but its id is kept until chat_forget. */
void chat_unpublish(struct chats *c, struct chat *chat);
void chat_forget(struct chats *c, struct chat *chat);
/* Write an event of a chat that is busy or deleted, without the lock.  *time_ms
 * (may be NULL) is when it happened. */
enum qerr chat_event(struct chats *c, const char *kind, const struct chat *chat,
		     const char *data, int64_t *time_ms);

#endif
