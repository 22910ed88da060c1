/* SPDX-License-Identifier: MIT
 *
 * people.h - whom a person can talk to, as the list at the side of the screen, and for
 * the completion of names.  Learns from events.  Pure.
 */
#ifndef CLIENT_PEOPLE_H
#define CLIENT_PEOPLE_H

#include "base/name.h"
#include "client/canvas.h"
#include "client/event.h"

struct person {
	char name[NAME_SIZE];
	bool here;    /* in the last list */
	bool listed;  /* in the list that is coming in */
	bool contact; /* one of ours */
	bool contact_listed;
	bool chat;       /* there is one with them */
	bool asks;       /* for a chat, or to be a contact */
	uint64_t unread; /* as far as the library has told */
	uint64_t unseen; /* came, and stands in a view that is not shown */
	uint64_t spoke;  /* the larger, the later; 0: not yet */
};

struct people {
	struct person *all; /* by name */
	size_t count, room;
	uint64_t clock; /* of spoke */
};

void people_fini(struct people *p);
void people_heard(struct people *p, const struct client_event *e);
/* They have spoken, or have been spoken to. */
void people_spoke(struct people *p, const char *name);
void people_unseen(struct people *p, const char *name, uint64_t n);
/* One who has written what nobody has read; NULL: nobody. */
const char *people_unread(const struct people *p);
/* The list into rows [top, bottom) and columns [left, right); partner may be "". */
void people_draw(const struct people *p, struct canvas *c, int top, int bottom, int left,
		 int right, const char *partner);
/* The names that begin with prefix, without regard to case: who spoke last comes
 * first.  Borrowed until the next event; how many fit max. */
size_t
people_complete(const struct people *p, struct span prefix, const char **out, size_t max);

#endif
