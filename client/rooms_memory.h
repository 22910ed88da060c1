/* SPDX-License-Identifier: MIT
 *
 * rooms_memory.h - what a client of rooms remembers as long as it runs, while connections
 * come and go: messages on their way, the numbers of those that were shown, and what
 * rooms are called here.
 *
 * A message on its way has a ref: sent again over another connection with the same ref
 * it is stored once.  One thread; no clock, no disk.
 */
#ifndef CLIENT_ROOMS_MEMORY_H
#define CLIENT_ROOMS_MEMORY_H

#include <bsd/sys/queue.h>

#include "base/name.h"
#include "base/uuid.h"
#include "client/protocol.h"
#include "protocol/rooms.h"

#define ROOMS_GOING_MAX   1024
#define ROOMS_GOING_BYTES ((size_t)64 * 1024 * 1024)
#define ROOMS_SHOWN_MAX   4096 /* numbers that are remembered, the newest */
#define ROOMS_LABEL_SIZE  NAME_SIZE
#define ROOMS_REF_SIZE    40

/* Said, and not known yet to be stored. */
struct rooms_going {
	TAILQ_ENTRY(rooms_going) next;
	char ref[ROOMS_REF_SIZE];
	struct uuid room;
	char label[ROOMS_LABEL_SIZE];
	uint64_t number;
	enum rooms_format format;
	struct buf plain; /* text, or a file's plain text */
	char called[256]; /* a file: its name */
	uint64_t size;    /* and its bytes */
	bool sent;        /* over this connection */
};

/* A message that has a number. */
struct rooms_shown {
	uint64_t number;
	struct uuid room, msg; /* msg nil: not stored yet */
	char from[NAME_SIZE];
	char by[ROOMS_KEYID_LEN + 1]; /* whose key signed; "": not looked at */
	uint64_t ctr;
	int64_t size; /* of a large file, sealed; 0: not known */
	bool own, file;
};

/* What a room is called here: a person's name for a direct room, else '#' and a form of
 * the room's name that can be typed.  Stays while the client runs. */
struct rooms_label {
	struct uuid room;
	char text[ROOMS_LABEL_SIZE];
};

struct rooms_memory {
	TAILQ_HEAD(rooms_goings, rooms_going) going;
	size_t going_count, going_bytes;
	uint64_t refs;
	char ref_prefix[24];
	struct rooms_shown
	    *shown;       /* a ring: number % ROOMS_SHOWN_MAX; NULL: no memory yet */
	uint64_t numbers; /* the last one that was given */
	struct rooms_label *labels;
	size_t label_count, label_room;
};

void rooms_memory_init(struct rooms_memory *m);
void rooms_memory_fini(struct rooms_memory *m); /* wipes */

/* A ref that nobody has used. */
void rooms_memory_ref(struct rooms_memory *m, char out[ROOMS_REF_SIZE]);

/* Remember plain, whose bytes are taken over, as said in room.  Q_FULL: too much is on
 * its way; Q_NOMEM; plain is then the caller's still. */
enum qerr
rooms_going_add(struct rooms_memory *m, const struct uuid *room, const char *label,
		enum rooms_format format, struct buf *plain, struct rooms_going **out);
struct rooms_going *rooms_going_find(struct rooms_memory *m, struct span ref);
void rooms_going_drop(struct rooms_memory *m, struct rooms_going *p);
/* There is another connection: none of them was sent over it. */
void rooms_going_again(struct rooms_memory *m);
/* How many texts are on their way, files not counted. */
size_t rooms_going_texts(const struct rooms_memory *m);
/* The file that is on its way, or waits for that; NULL: none. */
struct rooms_going *rooms_going_file(const struct rooms_memory *m);
/* Tell of each text that it may not have arrived, and forget all. */
void rooms_going_tell(struct rooms_memory *m, const struct client_env *env);

/* The entry for this message, made with the next number if it has none.  msg may be nil:
 * always a new one.  NULL: no memory. */
struct rooms_shown *rooms_shown_add(struct rooms_memory *m, const struct uuid *room,
				    const struct uuid *msg, const char *from);
/* NULL: it has none, or it is too long ago. */
struct rooms_shown *rooms_shown_of(struct rooms_memory *m, uint64_t number);
struct rooms_shown *
rooms_shown_find(struct rooms_memory *m, const struct uuid *room, const struct uuid *msg);
/* The newest one of the room, which is our own (or not looked at); msg (may be NULL) or
 * older. */
struct rooms_shown *rooms_shown_last(struct rooms_memory *m, const struct uuid *room,
				     bool own, const struct uuid *msg);

/* What the room is called; name is its own, partner a direct room's other member, or "".
 * NULL: no memory. */
const char *rooms_label_of(struct rooms_memory *m, const struct uuid *room,
			   enum rooms_kind kind, struct span name, const char *partner);
/* It has another name now, and gets a label after it. */
void rooms_label_forget(struct rooms_memory *m, const struct uuid *room);

#endif
