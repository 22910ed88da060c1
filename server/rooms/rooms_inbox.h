/* SPDX-License-Identifier: MIT
 *
 * rooms_inbox.h - what one connection was told of, was sent, and has had, room by room.
 * Pure; the caller's lock (the session's outbox lock) guards it.
 *
 *   sent: the newest event that is in the outbox, or went through it, or was none of this
 *   connection's business; told: the newest one that it was told of.  sent < told means
 *   that the rest has to be read from the file: the room is owing.
 *
 * What has reached the peer is known by marks: sent was reached when the connection's
 * bytes were end, and an older point likewise.  So a room costs the same however much is
 * on its way; what it costs is that after an accident a little more comes again.
 */
#ifndef SERVER_ROOMS_ROOMS_INBOX_H
#define SERVER_ROOMS_ROOMS_INBOX_H

#include <bsd/sys/queue.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/uuid.h"

enum rooms_inbox_phase {
	ROOMS_INBOX_ARRIVING, /* what waited goes first: only remember what is told */
	ROOMS_INBOX_HERE,     /* what happens goes out at once */
	ROOMS_INBOX_AWAY      /* it is over: nothing is delivered */
};

struct rooms_inbox_room {
	struct uuid id;
	uint64_t sent, told;
	uint64_t waited; /* up to here it waited for the login, where own events do not */
	uint64_t end;    /* the connection's bytes when sent was in the outbox */
	uint64_t mark;   /* an older value of sent ... */
	uint64_t mark_end; /* ... and of end */
	uint64_t had;      /* what the store was told to have reached the peer */
	bool frozen;       /* its file could not be read: its position stays */
};

/* An event that this connection has caused itself, and which catching up must pass over,
 * or which is the answer to its request. */
struct rooms_inbox_own {
	struct uuid room;
	uint64_t seq;
};

/* The last word about a room, to somebody who is out of it. */
struct rooms_inbox_farewell {
	struct uuid room;
	uint64_t seq;
	uint64_t end;
	bool had; /* the store knows */
};

struct session;

struct rooms_inbox {
	enum rooms_inbox_phase phase;
	int64_t since_ms;               /* since when it can be heard; monotonic */
	bool by_hand;                   /* SEEN came: only SEEN moves positions */
	bool farewells_due;             /* look for farewells in the store */
	atomic_bool listed;             /* [settling] on the list of positions.c ... */
	TAILQ_ENTRY(rooms_inbox) link;  /* [settling] */
	struct session *session;        /* its owner; no reference */
	struct rooms_inbox_room *rooms; /* by id */
	size_t n, cap;
	size_t last; /* where the last search ended: mostly the next one does, too */
	size_t next; /* where looking for an owing room goes on */
	struct rooms_inbox_own *own;
	size_t n_own, cap_own;
	struct rooms_inbox_farewell *farewells;
	size_t n_farewells, cap_farewells;
};

/* Free what is inside. */
void rooms_inbox_fini(struct rooms_inbox *in);

/* NULL: it is not there. */
struct rooms_inbox_room *rooms_inbox_find(struct rooms_inbox *in, const struct uuid *id);
/* The room, put in with everything at seq when it is new; pointers given before are
 * stale.  NULL: no memory. */
struct rooms_inbox_room *
rooms_inbox_enter(struct rooms_inbox *in, const struct uuid *id, uint64_t seq);
/* Nothing of it is owed any more. */
void rooms_inbox_forget(struct rooms_inbox *in, const struct uuid *id);
static inline bool
rooms_inbox_owes(const struct rooms_inbox_room *room)
{
	return room->sent < room->told;
}
/* An owing room, another one each time; NULL.  waited: only those that still owe what
 * waited for the login. */
struct rooms_inbox_room *rooms_inbox_owing(struct rooms_inbox *in, bool waited);

/* Everything up to seq is in the outbox, whose last byte is the connection's end-th. */
void rooms_inbox_sent(struct rooms_inbox_room *room, uint64_t seq, uint64_t end);
/* acked bytes of the connection have arrived: up to which seq is that, when it is more
 * than what the store knows (then it counts as known)?  0: no more. */
uint64_t rooms_inbox_acked(struct rooms_inbox_room *room, uint64_t acked);
/* Does the store not know yet all that was sent? */
bool rooms_inbox_unsettled(const struct rooms_inbox *in);

/* Remember an own event.  Q_NOMEM. */
enum qerr rooms_inbox_own(struct rooms_inbox *in, const struct uuid *room, uint64_t seq);
bool
rooms_inbox_is_own(const struct rooms_inbox *in, const struct uuid *room, uint64_t seq);
/* It was passed; so are older ones of the room. */
void rooms_inbox_passed(struct rooms_inbox *in, const struct uuid *room, uint64_t seq);

/* A farewell is in the outbox.  Q_NOMEM; Q_EXISTS: it was already. */
enum qerr rooms_inbox_farewell(struct rooms_inbox *in, const struct uuid *room,
			       uint64_t seq, uint64_t end);
bool
rooms_inbox_bade(const struct rooms_inbox *in, const struct uuid *room, uint64_t seq);

#endif
