/* SPDX-License-Identifier: MIT
 *
 * views.h - what was said, apart for each partner, room and call, and one view more for
 * all that belongs to none of them.  One of them is shown.  Pure, as scrollback.h.
 *
 * A message goes into its own view only, and is counted there while another one is shown.
 * All else also goes into the one that is shown: nobody shall miss it for looking
 * elsewhere.
 */
#ifndef CLIENT_VIEWS_H
#define CLIENT_VIEWS_H

#include "client/scrollback.h"

#define VIEWS_MAX 64 /* one more takes the place of the one not shown for longest */

struct view {
	char name[NAME_SIZE]; /* ""; or with whom, as client_view.partner */
	struct scrollback lines;
	uint64_t unseen; /* messages of others while another one was shown */
	bool open;       /* there is a chat; kept by the front */
	uint64_t shown;  /* the larger, the later */
};

struct views {
	struct view *all[VIEWS_MAX]; /* the first one is "" */
	size_t count;
	struct view *now; /* is shown */
	uint64_t clock;   /* of shown */
	uint64_t said;    /* lines of ours, in all of them */
	bool apart; /* what is on the way is counted for each partner, not for all */
};

/* Q_NOMEM. */
enum qerr views_init(struct views *v, bool apart);
void views_fini(struct views *v); /* wipes */

/* NULL: none of that name. */
struct view *views_find(const struct views *v, const char *name);
/* The same, made if need be; without memory the first one. */
struct view *views_of(struct views *v, const char *name);
void views_show(struct views *v, struct view *view);
/* The one after (1) or before (-1) the one that is shown, in a ring. */
struct view *views_beside(const struct views *v, int step);
/* The first one with messages that were not seen; NULL: none. */
struct view *views_unseen(const struct views *v);
/* Forget what is in the one of that name; NULL: in all. */
void views_clear(struct views *v, const char *name);

/* A line has come; name: where it belongs, "": to none.  The rest as scrollback_add. */
void views_add(struct views *v, const char *name, const struct words *w,
	       const char *own_name, int64_t now_ms);
/* So many of our newest lines are on the way: to partner, or to all if not apart. */
void views_unanswered(struct views *v, const char *partner, size_t n);
/* The oldest line to name has arrived, although that one is not the partner now. */
void views_arrived(struct views *v, const char *name);
/* Nobody will say any more whether what is on the way to name, or to all if not apart,
 * has arrived. */
void views_doubt(struct views *v, const char *name);

#endif
