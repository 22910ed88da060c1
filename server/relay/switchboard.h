/* SPDX-License-Identifier: MIT
 *
 * switchboard.h - who is online in relay, who has asked whom, who is in a chat
 * (docs/protocols/relay.md, "Chat request" and "End of chat").
 *
 * A state machine without sockets, clock or memory of its own: seats belong to
 * their sessions, and whatever a person must be told goes through one callback.
 *
 *            request                accept
 *   FREE ---------------> ASKING ------------> CHATTING
 *    ^  \---------------> ASKED  ------------>    |
 *    |   (the other one)    |                     |
 *    '----------------------+---------------------'
 *      deny, withdraw, lapse, leave     end, break, leave
 *
 * Threads: the caller holds the one lock during every call, and the callback
 * runs under it.  So a change of state and the frames that announce it are one
 * step, and nobody can be told things in another order than they happened.
 */
#ifndef SERVER_RELAY_SWITCHBOARD_H
#define SERVER_RELAY_SWITCHBOARD_H

#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/lock.h"
#include "base/name.h"

enum seat_state { SEAT_FREE, SEAT_ASKING, SEAT_ASKED, SEAT_CHATTING };

struct seat {
	char name[NAME_SIZE];   /* as registered; set at birth */
	char folded[NAME_SIZE]; /* orders the tree */
	RB_ENTRY(seat) link;    /* [switchboard] */
	bool present;           /* [switchboard] */
	enum seat_state state;  /* [switchboard] */
	struct seat *other;     /* [switchboard] NULL when free */
	int64_t lapses_ms;      /* [switchboard] while asking */
};
RB_HEAD(seat_tree, seat);

enum tell {
	TELL_REQUESTED, /* about asks you */
	TELL_PEER_KEY,  /* you accepted about: the chat begins */
	TELL_ACCEPTED,  /* about accepted you: the chat begins */
	TELL_DENIED,    /* your request came to nothing */
	TELL_CLOSED,    /* your chat with about, or about's request, is over */
	TELL_LEFT       /* you ended your chat with about: nothing to be said */
};
/* At most this many are told by one call. */
#define SWITCHBOARD_TOLD_MAX 2

/* Runs with the lock held; must not call the switchboard.  about is NULL when a
 * request was refused at once.  arg is what the call was given. */
typedef void
switchboard_tell_fn(void *arg, struct seat *to, enum tell what, struct seat *about);

struct switchboard {
	struct lock lock;
	struct seat_tree seats; /* [lock] present ones, by folded name */
	switchboard_tell_fn *tell;
};

void switchboard_init(struct switchboard *b, switchboard_tell_fn *tell);
/* Nobody may be present. */
void switchboard_fini(struct switchboard *b);
void seat_init(struct seat *s, const char *name);

/* s is online and free from here on.  An older seat of the same name leaves
 * first, in the same step. */
void
switchboard_enter(struct switchboard *b, struct seat *s, void *arg) REQUIRES(b->lock);
/* s is no longer online; its request or chat ends.  Again: nothing. */
void
switchboard_leave(struct switchboard *b, struct seat *s, void *arg) REQUIRES(b->lock);

/* s asks name.  False: one of them is not free, not present, or they are one;
 * s has been told TELL_DENIED.  lapses_ms is kept for switchboard_lapse. */
bool switchboard_request(struct switchboard *b, struct seat *s, const char *name,
			 int64_t lapses_ms, void *arg) REQUIRES(b->lock);
/* The asked one answers.  False, and nothing happens, when s is not asked. */
bool
switchboard_accept(struct switchboard *b, struct seat *s, void *arg) REQUIRES(b->lock);
bool switchboard_deny(struct switchboard *b, struct seat *s, void *arg) REQUIRES(b->lock);
/* s ends its chat or withdraws its request; otherwise nothing happens. */
bool switchboard_end(struct switchboard *b, struct seat *s, void *arg) REQUIRES(b->lock);
/* The request that s has made, when it is still pending and its time has come
 * by now_ms: asker denied, asked closed.  A late timer of an older request thus
 * cannot end a newer one. */
bool switchboard_lapse(struct switchboard *b, struct seat *s, int64_t now_ms, void *arg)
    REQUIRES(b->lock);
/* The server cannot go on with s's chat or pending request (no memory, disk
 * full): both sides are told. */
bool
switchboard_break(struct switchboard *b, struct seat *s, void *arg) REQUIRES(b->lock);

/* Call each(arg, name) for everybody present and free but s, in folded name
 * order, until it returns false. */
void
switchboard_list(struct switchboard *b, const struct seat *s,
		 bool (*each)(void *arg, const char *name), void *arg) REQUIRES(b->lock);

#endif
