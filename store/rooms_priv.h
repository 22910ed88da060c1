/* SPDX-License-Identifier: MIT
 *
 * rooms_priv.h - what the files of the rooms share.
 *
 *   rooms.c           opening, closing, finding
 *   rooms_people.c    who is in which rooms
 *   rooms_load.c      reading the journal
 *   rooms_change.c    making and changing rooms
 *   rooms_drop.c      removing what a room leaves behind, and users
 *   rooms_post.c      writing messages: who writes for whom
 *   rooms_judge.c     writing messages: may they, and as what
 *   rooms_read.c      events, pages, contents
 *   rooms_seen.c      positions and receipts
 *   rooms_farewell.c  what is left to say to those who are out
 *   room_info.c       a room as it stands, and what a change makes of it (pure)
 *   room_text.c       events to records and back (pure)
 *   room_change.c     changes likewise (pure)
 *   room_state.c      how each message stands, in memory
 *   room_state_file.c and in ID.state
 *   room_refs.c       refs of the last day
 *   room_files.c      contents in files of their own
 *
 * Locks, outer first: rooms.lock; then room_state.lock, a leaf.  Neither is held over
 * the disk.  What orders the events of a room is its `busy`: whoever has set it is the
 * only one who appends to the room's log, changes its info or its state.
 */
#ifndef STORE_ROOMS_PRIV_H
#define STORE_ROOMS_PRIV_H

#include <stdatomic.h>

#include "store/journal.h"
#include "store/msglog.h"
#include "store/pairs.h"
#include "store/rooms.h"

#define ROOMS_JOURNAL "rooms"
#define ROOM_GONE     "gone"    /* journal alone: a user was removed */
#define ROOM_CLEARED  "cleared" /* a room's files are removed */
#define ROOM_TOLD     "told"    /* farewells were heard */

/* ---- one message as it stands: 64 bytes of ID.state ---- */
struct room_line {
	uint64_t number; /* in the room, from 0 */
	int64_t ms;
	uint64_t seq;  /* of the record that sent it */
	uint64_t last; /* of the record with the newest content, or the reason */
	uint64_t ref;  /* 56 bits that stand for author and ref; 0: none */
	bool edited, deleted, pinned, in_file;
};

struct room_refs {
	struct room_ref_slot *slot; /* NULL: not read yet */
	size_t n, size;
};

/* A room that is in use: its log, and what is not in ID.state yet. */
struct room_state {
	TAILQ_ENTRY(room_state) link; /* [rooms] longest unused first */
	unsigned users;               /* [rooms] */
	struct room *room;
	struct msglog *log;
	/* Of the one who is busy: */
	uint64_t last;    /* newest seq */
	int64_t last_ms;  /* newest time */
	uint64_t applied; /* up to this seq ID.state knows everything */
	uint64_t due;     /* at this seq ID.state is to be written */
	bool told;        /* that it cannot be */
	struct room_refs refs;
	struct lock lock;
	uint64_t n_messages;    /* [lock] */
	uint64_t n_file;        /* [lock] lines of ID.state that can be believed */
	struct room_line *late; /* [lock] by number: what ID.state does not know */
	size_t n_late, max_late;
};

/* ---- rooms and people in memory ---- */
struct room_turn; /* rooms_post.c */

struct room {
	struct index_node by_id;
	struct uuid id;
	struct room_info *info; /* [lock] NULL: it is being made */
	struct pair pair;       /* direct, both there: linked in rooms.direct */
	bool paired;            /* [lock] */
	bool dropped;           /* [lock] gone, only its files are left, perhaps */
	bool busy;              /* [lock] */
	bool opening;           /* [lock] its state is being read */
	unsigned refs;          /* [lock] those who wait for it or use it */
	pthread_cond_t changed; /* busy or opening is over, turns are done */
	struct room_turn *first, **end; /* [lock] posts that wait */
	struct room_state *state;       /* [lock] NULL: not in use */
	uint64_t change_id;  /* of the journal's record about the last change */
	uint64_t change_seq; /* that has, or is to have, this seq in the log */
	uint64_t base;       /* [lock] newest seq when it was first used; ROOM_NO_BASE */
	uint64_t base_messages; /* [lock] how many there were then */
	bool held; /* of the one who is busy: people_hold was called, or need not be */
	uint64_t told; /* [lock] newest seq that was told, or is being told */
};
#define ROOM_NO_BASE UINT64_MAX

struct room_stay {
	struct room *room;
	uint64_t joined; /* seq */
	uint64_t seen;
	uint64_t read; /* number of the message and 1; 0: none */
	bool checked;  /* against the room's base */
};

struct room_farewell {
	STAILQ_ENTRY(room_farewell) link;
	struct room_info *info;
	enum room_action action;
	uint64_t seq;
	int64_t time_ms;
	char by[NAME_SIZE];
};

/* Somebody who is in rooms, or has to hear about one. */
struct occupant {
	RB_ENTRY(occupant) by_name;
	TAILQ_ENTRY(occupant) in_dirty;
	char name[NAME_SIZE]; /* as it was first spelled */
	char folded[NAME_SIZE];
	struct room_stay *stay; /* by room id */
	size_t n, max, reserved;
	bool loaded; /* positions are read */
	bool dirty;  /* in rooms.dirty */
	STAILQ_HEAD(room_farewells, room_farewell) farewells;
};
RB_HEAD(occupants, occupant);

struct rooms {
	struct store *store;
	struct journal *journal;
	struct msglog *past; /* the journal's log, to read it again */
	rooms_told *told;
	void *told_arg;
	bool readonly; /* "server check": nothing is mended or written */
	struct lock lock;
	struct index ids;                         /* [lock] */
	struct pairs direct;                      /* [lock] */
	struct occupants people;                  /* [lock] */
	TAILQ_HEAD(room_states, room_state) used; /* [lock] */
	size_t n_used;                            /* [lock] */
	TAILQ_HEAD(dirty_people, occupant) dirty; /* [lock] */
	bool saving;                              /* [lock] */
	pthread_cond_t saved;
	uint64_t last_event; /* the newest that was read; only rooms_load sets it */
	size_t odd;          /* events read that did not fit */
};

/* ---- rooms.c ---- */
enum qerr rooms_load(struct store *s, struct rooms **out);
bool rooms_stale(const struct rooms *r);
/* All with r->lock held. */
struct room *room_find(const struct rooms *r, const struct uuid *id);
struct room *room_new(const struct uuid *id); /* NULL: no memory */
/* A reference keeps it in memory; whoever drops the last one of a room that is not in
 * the index any more frees it. */
void room_ref(struct room *room);
void room_unref(struct room *room);
void room_publish(struct rooms *r, struct room *room);
void room_unpublish(struct rooms *r, struct room *room);
/* Wait until nobody is busy with the room, then be it.  False: it was dropped. */
bool room_take(struct rooms *r, struct room *room) REQUIRES(r->lock);
void room_leave(struct room *room);
/* Find a room that is there and refer to it; NULL. */
struct room *room_get(struct rooms *r, const struct uuid *id);
/* Its state, to be given back with state_put.  Takes and drops r->lock.  Q_MISSING:
 * the room is gone.  busy: the caller is. */
enum qerr
state_get(struct rooms *r, struct room *room, struct room_state **out, bool busy);
void state_put(struct rooms *r, struct room_state *st);

/* ---- rooms_people.c; with r->lock held ---- */
struct occupant *occupant_find(const struct rooms *r, const char *name);
struct room_stay *stay_find(struct occupant *o, const struct room *room);
struct room_stay *rooms_stay(struct rooms *r, const struct room *room, const char *name);
/* See that each can be given a stay without asking for memory.  Q_NOMEM: for none. */
enum qerr stays_reserve(struct rooms *r, const char (*names)[NAME_SIZE], size_t n);
void stays_unreserve(struct rooms *r, const char (*names)[NAME_SIZE], size_t n);
/* Where there was a reservation. */
void stay_add(struct rooms *r, struct room *room, const char *name, uint64_t joined);
void stay_remove(struct rooms *r, struct room *room, const char *name);
/* Forget an occupant of whom there is nothing to remember. */
void occupant_done(struct rooms *r, struct occupant *o);
struct occupant *occupant_make(struct rooms *r, const char *name);
void people_fini(struct rooms *r);
/* The first stay whose room's id is above id. */
size_t stay_behind(const struct occupant *o, const struct uuid *id);

/* ---- room_info.c; pure ---- */
struct room_info *info_ref(const struct room_info *info);
/* What change makes of old (NULL for ROOM_CREATE).  *out is NULL: the room is gone.
 * Q_FORMAT: it does not fit; Q_NOMEM. */
enum qerr info_apply(const struct room_info *old, const struct room_change *change,
		     const char *by, struct room_info **out);
/* The parts that info_apply does not know. */
void info_stamp(struct room_info *info, const struct uuid *id, enum room_type type,
		int64_t created_ms, uint64_t changed);
bool names_have(const char (*names)[NAME_SIZE], size_t n, const char *name);

/* ---- room_change.c; pure ---- */
/* A change as a record's data.  Q_LIMIT, Q_NOMEM. */
enum qerr change_put(struct buf *out, const struct uuid *room, uint64_t seq,
		     enum room_type type, const struct room_change *change);
const char *action_kind(enum room_action action);
/* Is that kind of record a change? */
bool action_find(const char *kind, enum room_action *out);
struct change_text {
	struct uuid room;
	uint64_t seq; /* that it was to have; the record in a room's log is right */
	enum room_type type;
	struct room_change change;
	char (*people)[NAME_SIZE];
	struct span *dne;
};
/* And back; borrows from r.  Q_FORMAT, Q_NOMEM. */
enum qerr change_take(const struct record *r, struct change_text *out);
void change_free(struct change_text *t);

/* ---- room_text.c; pure ---- */
struct uuid message_id(const struct uuid *room, int64_t ms, uint64_t number);
/* Q_MISSING: no message of that room can be called so. */
enum qerr message_number(const struct uuid *room, const struct uuid *msg, int64_t *ms,
			 uint64_t *number);
/* An event of messages as a record: kind, from and data (which goes to text).  author
 * and format: of the message that ROOM_DELETE is about. */
struct event_text {
	struct room_event ev;
	uint32_t crc;           /* of a content that is in a file */
	struct span ref;        /* SEND */
	char author[NAME_SIZE]; /* SEND, EDIT, DELETE: who wrote the message */
};
enum qerr event_put(struct buf *text, const struct event_text *t, char kind[]);
/* Any event of a room; changes go to *change, to be freed with change_free when the
 * kind is ROOM_CHANGED.  Borrows from r.  Q_FORMAT: it is none; Q_NOMEM. */
enum qerr
event_take(const struct record *r, struct event_text *out, struct change_text *change);

/* ---- room_state.c, for who is busy; state_line, _lines and _count for all ---- */
enum qerr state_open(struct rooms *r, struct room *room, struct room_state **out);
void state_free(struct room_state *st);
/* Room for n lines more, so that state_set does not fail.  Q_NOMEM. */
enum qerr state_reserve(struct room_state *st, size_t n);
/* This is how the message stands now. */
void state_set(struct room_state *st, const struct room_line *line);
/* What an edit, a deletion or a pin makes of a line. */
void line_change(struct room_line *line, const struct room_event *ev);
/* Write ID.state when there is much that it does not know. */
void state_checkpoint(struct rooms *r, struct room_state *st);
/* Lines from number on, as many as there are, n at most.  Q_FORMAT: ID.state is
 * damaged: state_rebuild; Q_NOMEM, Q_SYS. */
enum qerr state_lines(struct rooms *r, struct room_state *st, uint64_t number, size_t n,
		      struct room_line *out, size_t *got);
/* The line of a message.  Q_MISSING; Q_FORMAT and so on as above. */
enum qerr state_line(struct rooms *r, struct room_state *st, const struct uuid *msg,
		     struct room_line *out);
uint64_t state_count(struct room_state *st);
/* Forget ID.state and read the whole log. */
enum qerr state_rebuild(struct rooms *r, struct room_state *st);
void state_log_name(const struct uuid *room, char out[48]);

/* ---- room_state_file.c ---- */
#define STATE_SUFFIX    ".state"
#define STATE_FILE_SIZE (UUID_SIZE + sizeof(STATE_SUFFIX))
void state_file_name(const struct uuid *room, char out[STATE_FILE_SIZE]);
/* What the file says it knows.  Q_MISSING, Q_FORMAT, Q_SYS. */
enum qerr state_file_head(struct rooms *r, const struct uuid *room, uint64_t *applied,
			  uint64_t *n_messages);
enum qerr state_file_read(struct rooms *r, const struct uuid *room, uint64_t number,
			  size_t n, struct room_line *out);
/* Write lines (by number), force them to the disk, then write the head. */
enum qerr
state_file_write(struct rooms *r, const struct uuid *room, const struct room_line *lines,
		 size_t n, uint64_t applied, uint64_t n_messages);

/* ---- room_refs.c, for who is busy ---- */
uint64_t ref_hash(const char *by, struct span ref); /* 0: cannot be computed */
/* The message that by sent with that ref in the last day.  Q_MISSING. */
enum qerr refs_find(struct rooms *r, struct room_state *st, const char *by,
		    struct span ref, int64_t now_ms, struct room_line *out);
void refs_add(struct room_state *st, uint64_t hash, uint64_t number);
void refs_fini(struct room_refs *refs);

/* ---- room_files.c ---- */
#define ROOM_FILE_SIZE (2 * UUID_SIZE + sizeof(".new-"))
/* A hidden file with this content, forced to the disk unless durability is "never". */
enum qerr
room_file_write(struct store *s, struct span content, char temp[64], uint32_t *crc);
void room_file_discard(struct store *s, const char *temp);
/* Before the record is written: temp (NULL: the file that is there) becomes hidden under
 * the message's id; room_file_settle tells what became of it. */
enum qerr room_file_hide(struct store *s, const char *temp, const struct uuid *room,
			 const struct uuid *msg);
void room_file_settle(struct store *s, const struct uuid *room, const struct uuid *msg,
		      bool keep);
enum qerr room_file_read(struct store *s, const struct uuid *room, const struct uuid *msg,
			 uint64_t size, uint32_t crc, struct buf *out);
/* Settle what a kill left hidden. */
void room_files_recover(struct rooms *r);
enum qerr room_files_remove(struct store *s, const struct uuid *room);
/* ROOM.MSG or .new-ROOM.MSG?  Q_FORMAT. */
enum qerr
room_file_parse(const char *name, struct uuid *room, struct uuid *msg, bool *hidden);

/* ---- rooms_drop.c ---- */
/* Nothing waits for that name any more. */
void user_gone(struct rooms *r, const char *user);
/* Remove the files of a dropped room, write that and forget it.  The caller's reference
 * is given back. */
void room_clear(struct rooms *r, struct room *room);
void rooms_clear_dropped(struct rooms *r);

/* ---- rooms_change.c ---- */
/* rooms_change; forced: LEAVE also from a direct room. */
enum room_answer
change_room(struct rooms *r, const struct uuid *id, const struct room_ask *ask,
	    bool forced, const struct room_info **info, uint64_t *seq, enum qerr *e);
bool action_adds(enum room_action action);
/* A direct room is found by its two members. */
enum qerr room_pair(struct rooms *r, struct room *room);
void room_unpair(struct rooms *r, struct room *room);
/* Append the room's last change to its log when a kill, or a full disk, kept it out.
 * opening: perhaps it is there, with another seq. */
enum qerr
change_catch_up(struct rooms *r, struct room *room, struct room_state *st, bool opening);
/* Take a change in: info (NULL: gone), stays, pair, farewells.  With r->lock held; nothing
 * can fail.  info and farewells are used up. */
void change_apply(struct rooms *r, struct room *room, struct room_info *info,
		  const struct room_change *change, const char *by, int64_t time_ms,
		  uint64_t seq, struct room_farewells *farewells);
/* ---- rooms_farewell.c; with r->lock held ---- */
/* Those who will have to hear of a change: one for each, all or none.  Q_NOMEM. */
enum qerr farewells_make(const struct room_info *old, const struct room_change *change,
			 const char *by, struct room_farewells *out);
void farewells_free(struct room_farewells *list);
/* Give each theirs, in the order of farewells_make.  last: the room to be told of. */
void farewells_give(struct rooms *r, struct room_farewells *list,
		    const struct room_info *old, const struct room_change *change,
		    const char *by, const struct room_farewell *last);
void
farewells_drop(struct rooms *r, const char *user, const struct uuid *room, uint64_t seq);
/* Q_FORMAT: it says nothing. */
enum qerr told_replay(struct rooms *r, const struct record *rec);

/* ---- rooms_seen.c ---- */
/* The room's log is about to get longer: no member's position may be ahead of it.  Reads
 * files, the first time.  For who has it busy; no lock held. */
void people_hold(struct rooms *r, struct room *room);
/* Write what moved, of max users at most.  *left: there are more. */
enum qerr people_save(struct rooms *r, size_t max, bool *left);
/* For "server check". */
enum qerr seen_examine(struct store *s, const char *file);

/* ---- rooms_post.c ---- */
/* What one caller has to post; on its stack. */
struct room_turn {
	struct room_turn *next;
	struct room_post *posts;
	struct room_content *contents; /* one for each post */
	size_t n, at;                  /* at: the next that is to be written */
};
/* A content that goes into a file of its own. */
struct room_content {
	char temp[64]; /* "" none */
	uint32_t crc;
};
/* What rooms_judge.c makes of a post that is to be written. */
struct room_draft {
	struct room_post *post;
	struct room_content *content;
	struct event_text text;
	struct room_line line; /* of its message, as it will stand */
	bool unfile;           /* the file of a message that is deleted goes */
};
struct room_batch {
	struct room *room;
	struct room_state *st;
	const struct room_info *info;
	int64_t ms;
	uint64_t next_number; /* of the next message */
	struct room_draft *draft;
	size_t n, max;
};
/* Judge a post.  ROOM_OK: the draft is filled in.  *again: one before it in this batch
 * changes the same message, so it has to wait for the next one. */
enum room_answer post_judge(struct rooms *r, struct room_batch *b, struct room_post *post,
			    struct room_draft *d, bool *again);

#endif
