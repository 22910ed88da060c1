/* SPDX-License-Identifier: MIT
 *
 * rooms.h - rooms of many: who is in them, what was said, how far everybody is.
 *
 *   DIR/rooms/     rooms.log         journal: what happened to the rooms themselves
 *   DIR/messages/  room-ID.log       every event of a room; the record's id is its seq
 *   DIR/rooms/     ID.state          how each message stands now, rebuilt from the log
 *   DIR/files/     ID.MSG            contents above ROOM_INLINE_MAX
 *   DIR/seen/      NAME              positions and receipts of a user
 *
 * Rooms and messages are named by UUIDs (uuid.h).  A message's is of version 7 and holds
 * its number in the room, so it is found at constant cost, and ids rise as seqs do.  Names
 * of users are compared without case.
 *
 * Events of one room happen one after another: each is written, then told, then the next
 * one is written.  Those that wait meanwhile go into the file together, with one write
 * and one fdatasync.
 *
 * Threads: any, at once.  Every call may block on the disk, without a lock held, but
 * room_info_*, rooms_get, rooms_of and rooms_farewells, which never do, and rooms_last,
 * rooms_position and rooms_seen, which do so at most the first time after a start.
 */
#ifndef STORE_ROOMS_H
#define STORE_ROOMS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/name.h"
#include "base/uuid.h"
#include "store/chatkeys.h"
#include "store/store.h"

#define ROOM_NAME_MAX   128 /* bytes */
#define ROOM_REF_MAX    64
#define ROOM_REASON_MAX 4096
#define ROOM_INLINE_MAX (64 * 1024) /* longer contents are files of their own */
#define ROOM_PAGE_MAX   200         /* messages in a page */
#define ROOM_PAGE_BYTES (1024 * 1024)
#define ROOM_REF_MS     (24 * 60 * 60 * 1000) /* how long a ref is remembered ... */
#define ROOM_REFS       65536 /* ... among this many of a room's newest messages */

struct rooms;

enum room_type { ROOM_DIRECT, ROOM_GROUP, ROOM_CHANNEL };
enum room_format { ROOM_TEXT, ROOM_SMALLFILE };

/* What became of a request. */
enum room_answer {
	ROOM_OK,
	ROOM_REPEATED,    /* there already: the direct room, the message with that ref */
	ROOM_UNKNOWN,     /* there is no such room (any more) */
	ROOM_NOT_IN,      /* the one who asks, or whom it is about, is no member */
	ROOM_NOT_ALLOWED, /* a member without the right */
	ROOM_NO_MESSAGE,  /* no such message here, or it is deleted */
	ROOM_NOT_YOURS,   /* somebody else's message */
	ROOM_NOT_TEXT,    /* a smallfile cannot be edited */
	ROOM_TOO_MANY,    /* members */
	ROOM_NOTHING,     /* nobody of those named can be added, or is needed */
	ROOM_FAILED       /* not stored; the qerr that comes along says why */
};

/* ---- a room as it stands; immutable, counted ----
 *
 * A change makes a new one, so whoever holds a reference may read without a lock, and
 * the fan-out of a message copies no list. */
struct room_info {
	struct uuid id;
	enum room_type type;
	char name[ROOM_NAME_MAX + 1];
	char owner[NAME_SIZE];
	int64_t created_ms;
	uint64_t changed; /* seq of the change that made it so */
	size_t n_admins, n_members;
	const char (*admins)[NAME_SIZE];  /* in order of promotion, without the owner */
	const char (*members)[NAME_SIZE]; /* in order of joining */
};

const struct room_info *room_info_ref(const struct room_info *info);
void room_info_put(const struct room_info *info); /* NULL is fine */
bool room_info_is_admin(const struct room_info *info, const char *user);
/* Owner, admin, or not in a channel (the user being a member). */
bool room_info_may_send(const struct room_info *info, const char *user);

/* ---- events ---- */

enum room_action {
	ROOM_CREATE,
	ROOM_RENAME,
	ROOM_ADD,
	ROOM_REMOVE,
	ROOM_PROMOTE,
	ROOM_DEMOTE,
	ROOM_LEAVE,
	ROOM_DROP /* delete the room */
};

/* What happened to a room itself. */
struct room_change {
	enum room_action action;
	char name[ROOM_NAME_MAX + 1];    /* CREATE, RENAME */
	const char (*people)[NAME_SIZE]; /* CREATE: all members, the maker first; whom
					  * it added, removed, promoted, demoted */
	size_t n_people;
	const struct span *dne; /* names, as sent, for which it could not be done */
	size_t n_dne;
};

enum room_kind { ROOM_SEND, ROOM_EDIT, ROOM_DELETE, ROOM_PIN, ROOM_PUBKEY, ROOM_CHANGED };

/* Pointers are borrowed for the call that shows it. */
struct room_event {
	uint64_t seq;
	int64_t time_ms;
	enum room_kind kind;
	char from[NAME_SIZE];
	struct uuid msg;                  /* the message acted on; nil: PUBKEY, CHANGED */
	enum room_format format;          /* SEND */
	struct span content;              /* SEND, EDIT: content (empty when in_file);
				       * DELETE: reason; PUBKEY: PEM */
	uint64_t size;                    /* SEND: bytes of the content */
	bool in_file;                     /* SEND: to be had with rooms_fetch */
	bool pinned;                      /* PIN: or no longer */
	char dropped[CHATKEY_ID_SIZE];    /* PUBKEY: a key that it pushed out, or "" */
	const struct room_change *change; /* CHANGED */
	void *origin; /* room_post's or room_ask's, while it is told; else NULL */
};

/* Called for events that have just been written, in the order of their seq and for one
 * room never twice at once, by one of the threads whose events are among them, before
 * any of those calls returns.  info is the room after them (ROOM_DROP, and when the last
 * one leaves: as it was before).  No lock is held.  It may call rooms_get, rooms_of,
 * rooms_last, rooms_position, rooms_seen and rooms_farewell_told; anything else about
 * this room might wait for itself. */
typedef void rooms_told(void *arg, const struct room_info *info,
			const struct room_event *events, size_t n);

/* ---- opening ---- */

/* Read the journal, finish what a kill interrupted.  told may be NULL.  Q_NOMEM,
 * Q_DENIED, Q_SYS. */
enum qerr rooms_open(struct store *s, rooms_told *told, void *arg, struct rooms **out);
/* Saves positions.  Nobody uses it any more.  NULL is fine. */
void rooms_close(struct rooms *r);

/* ---- rooms and members ---- */

/* What is asked for.  people are registered users in their registered spelling, in any
 * number and with doubles; dne are those that do not exist, as sent. */
struct room_ask {
	enum room_action action;
	enum room_type type; /* CREATE */
	const char *by;
	const char *name;          /* CREATE, RENAME; UTF-8, judged by the caller */
	const char *const *people; /* CREATE, ADD, REMOVE; one: PROMOTE, DEMOTE */
	size_t n_people;
	const struct span *dne; /* CREATE, ADD, REMOVE */
	size_t n_dne;
	size_t max_members; /* CREATE, ADD */
	void *origin;       /* for told */
};

/* Make a room.  ROOM_OK, and ROOM_REPEATED (the direct room that the two have; *seq is
 * that of its making; of two who ask at once, one makes it): *info is a reference.
 * ROOM_NOTHING: not enough other people, for a direct room not exactly one;
 * ROOM_TOO_MANY; ROOM_FAILED: *e says why. */
enum room_answer rooms_create(struct rooms *r, const struct room_ask *ask,
			      const struct room_info **info, uint64_t *seq, enum qerr *e);
/* Change a room, by the page's rules: owner and admins rename, add, remove (only the
 * owner an admin, nobody the owner); the owner promotes, demotes, drops; anyone leaves.
 * An owner who leaves hands over to the first admin, else to the first member; the last
 * one leaving drops the room.  In a direct room all are ROOM_NOT_ALLOWED.
 * ADD and REMOVE take effect for whom they can, the others stand in the event's dne.
 * ROOM_OK: *info (may be NULL) is a reference, as told gets it.  ROOM_NOTHING: nobody to
 * add, already an admin, no admin; ROOM_UNKNOWN, ROOM_NOT_IN, ROOM_NOT_ALLOWED,
 * ROOM_TOO_MANY, ROOM_FAILED. */
enum room_answer
rooms_change(struct rooms *r, const struct uuid *room, const struct room_ask *ask,
	     const struct room_info **info, uint64_t *seq, enum qerr *e);
/* A user is removed: take them out of all rooms (the others are told ROOM_LEAVE), direct
 * ones too: those stay with the other one, and a later user of that name has none.
 * Forgets positions and farewells.  To be called before users_remove, and again behind
 * it for a room that was made in between.  Q_FULL, Q_NOMEM, Q_SYS: call it again. */
enum qerr rooms_forget(struct rooms *r, const char *user);

/* The room, as a reference; user (may be NULL) has to be a member.  ROOM_OK,
 * ROOM_UNKNOWN, ROOM_NOT_IN. */
enum room_answer rooms_get(struct rooms *r, const struct uuid *room, const char *user,
			   const struct room_info **info);
/* The user's rooms with an id behind after (NULL: all), by id, at most max; *out is
 * malloc'ed (NULL: none) and holds references: rooms_of_free.  Q_NOMEM. */
enum qerr rooms_of(struct rooms *r, const char *user, const struct uuid *after,
		   size_t max, const struct room_info ***out, size_t *n, bool *more);
void rooms_of_free(const struct room_info **list, size_t n);

/* ---- speaking ---- */

struct room_post {
	enum room_kind kind; /* any but ROOM_CHANGED */
	const char *by;
	struct uuid msg;         /* EDIT, DELETE, PIN: which; filled in for SEND */
	enum room_format format; /* SEND */
	struct span content;     /* SEND, EDIT: content; DELETE: reason; PUBKEY: PEM.
				  * UTF-8; limits are the caller's business, but
				  * EDIT holds at most ROOM_INLINE_MAX */
	const char *ref;         /* SEND: at most ROOM_REF_MAX bytes; NULL: none */
	const char *dropped;     /* PUBKEY: the id of a key that went; NULL: none */
	void *origin;            /* for told */
	/* filled in: */
	enum room_answer answer; /* of ROOM_REPEATED only msg is told */
	enum qerr error;         /* why ROOM_FAILED */
	uint64_t seq;
	int64_t time_ms;
};

/* Write n events of one room, in order.  Each gets its own answer; when this returns,
 * those with ROOM_OK are stored (durability as in store.h) and told.  A PIN toggles. */
void
rooms_post(struct rooms *r, const struct uuid *room, struct room_post *posts, size_t n);

/* ---- reading ---- */

/* seq of the newest event, 0: none.  Q_MISSING: no such room; Q_NOMEM, Q_DENIED,
 * Q_SYS. */
enum qerr rooms_last(struct rooms *r, const struct uuid *room, uint64_t *seq);
/* Events with seq > after, oldest first, up to max of them; each returns false to stop.
 * The newest ones may be those that are being told at this moment: who gets them both
 * ways drops one by its seq.  user (may be NULL): those from this user are
 * left out, as they do not wait; *read (may be NULL) is the seq of the last event looked
 * at, left out or not, or after when there was none.  Errors as for rooms_last. */
enum qerr
rooms_events(struct rooms *r, const struct uuid *room, const char *user, uint64_t after,
	     size_t max, bool (*each)(void *arg, const struct room_event *ev), void *arg,
	     uint64_t *read);

struct room_message {
	struct uuid msg;
	char from[NAME_SIZE];
	int64_t time_ms; /* of sending */
	enum room_format format;
	struct span content; /* the newest; of a deleted one the reason */
	uint64_t size;       /* of the content, also when it is in a file */
	bool in_file, edited, deleted, pinned;
};

struct room_page {
	size_t n;
	struct room_message m[ROOM_PAGE_MAX]; /* oldest first; content lies in text */
	bool more;                            /* in the direction asked */
	struct buf text;
};

/* Read a page.  count > 0: behind the message from (NULL: from the beginning), < 0: the
 * -count before it (NULL: the newest); at most ROOM_PAGE_MAX.  It ends early, with one
 * message at least, before the contents exceed ROOM_PAGE_BYTES.  The cost does not
 * depend on the length of the room.  ROOM_OK: *out is malloc'ed; ROOM_UNKNOWN,
 * ROOM_NO_MESSAGE (from is none, deleted ones are), ROOM_FAILED. */
enum room_answer
rooms_page(struct rooms *r, const struct uuid *room, const struct uuid *from, int count,
	   struct room_page **out, enum qerr *e);
void room_page_free(struct room_page *p); /* NULL is fine */
/* Append the content of one message, wherever it lies, to out.  ROOM_OK, ROOM_UNKNOWN,
 * ROOM_NO_MESSAGE (also deleted), ROOM_FAILED (Q_LIMIT: out cannot hold it; Q_FORMAT:
 * the file is damaged). */
enum room_answer rooms_fetch(struct rooms *r, const struct uuid *room,
			     const struct uuid *msg, struct buf *out, enum qerr *e);

/* ---- how far everybody is ---- */

/* Up to which seq the user has had the events of the room: never back, shared by all
 * connections; for a new member the one before joining.  ROOM_OK, ROOM_UNKNOWN,
 * ROOM_NOT_IN, ROOM_FAILED (the user's file cannot be read). */
enum room_answer
rooms_position(struct rooms *r, const struct uuid *room, const char *user, uint64_t *seq);
/* Move it forward; a seq beyond the newest counts as the newest. */
enum room_answer
rooms_seen(struct rooms *r, const struct uuid *room, const char *user, uint64_t seq);
/* The user has read up to this message.  ROOM_REPEATED: that, or more, was known.
 * ROOM_NO_MESSAGE; the others as above. */
enum room_answer rooms_receipt(struct rooms *r, const struct uuid *room, const char *user,
			       const struct uuid *msg);

struct room_receipt {
	char user[NAME_SIZE];
	struct uuid msg;
};
/* Who has read up to where, members alone, malloc'ed (NULL: nobody).  Q_MISSING: no such
 * room; Q_NOMEM, Q_SYS. */
enum qerr rooms_receipts(struct rooms *r, const struct uuid *room,
			 struct room_receipt **out, size_t *n);
/* Write positions and receipts that moved since the last time, of some hundred users at
 * most: to be called once a second.  What is lost in a crash means that events come
 * again.  Trouble is reported, and tried again the next time. */
void rooms_save(struct rooms *r);

/* ---- farewells ----
 * Somebody who was removed, and members of a room that is gone, find nothing of it any
 * more but the event that says so. */
/* Call each(arg, info, ev) for what waits for the user, oldest first; false stops.  No
 * lock is held.  Q_NOMEM. */
enum qerr rooms_farewells(struct rooms *r, const char *user,
			  bool (*each)(void *arg, const struct room_info *info,
				       const struct room_event *ev),
			  void *arg);
/* These users have had theirs, about that room, with that seq; others are passed over.
 * One record for all.  Q_FULL, Q_NOMEM, Q_SYS: they come again. */
enum qerr rooms_farewell_told(struct rooms *r, const struct uuid *room, uint64_t seq,
			      const char *const *users, size_t n);

#endif
