/* SPDX-License-Identifier: MIT
 *
 * rooms_change_priv.h - a change of a room on its way through rooms_change.c,
 * rooms_rules.c, rooms_create.c and rooms_write.c.
 */
#ifndef STORE_ROOMS_CHANGE_PRIV_H
#define STORE_ROOMS_CHANGE_PRIV_H

#include "store/rooms_priv.h"

struct changing {
	const struct room_ask *ask;
	struct room_change change;
	char (*people)[NAME_SIZE];
	struct span *dne;
	struct room_info *info; /* NULL: gone */
	struct room_farewells farewells;
	uint64_t seq;
	int64_t time_ms;
};

/* ---- rooms_change.c ---- */
enum qerr changing_init(struct changing *c, const struct room_ask *ask); /* Q_NOMEM */
void changing_fini(struct changing *c);
/* It is in the journal: take it in, with r->lock.  *now is a reference to what is told. */
void changing_finish(struct rooms *r, struct room *room, struct changing *c,
		     const struct room_info **now);
void
changing_tell(struct rooms *r, const struct changing *c, const struct room_info *info);

/* ---- rooms_rules.c; with r->lock held ---- */
/* The names that the change is about. */
void take_person(struct changing *c, const char *name);
/* May ask->by do that?  ROOM_OK: c->change says what will happen. */
enum room_answer
judge_change(struct rooms *r, const struct room *room, struct changing *c, bool forced);
enum room_answer judge_create(struct changing *c);

/* ---- rooms_write.c ---- */
/* Into the journal: from here on it has happened. */
enum qerr
write_change(struct rooms *r, struct room *room, enum room_type type, struct changing *c);

#endif
