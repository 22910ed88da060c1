/* SPDX-License-Identifier: MIT
 *
 * scrollback.h - what has happened, as it scrolls by: kept, wrapped, searched, drawn.
 * Pure: the time is given, nothing is written but the canvas.
 *
 *	12:34 <bob> a text that is longer than the row is wide goes
 *	      | on behind a bar, and so does one of several lines, so
 *	      | that no message can pass for two
 *	12:35~<bob> old: it has waited, or is a replay
 *	12:35?<alice> our own: the server has not said yet that it has arrived
 *	12:35!<alice> our own: the connection was lost before it did
 *	12:36 * something happened
 *	12:36 ! something cannot be
 *
 * Between two days stands a line with the new date, and before the first line that
 * came while nobody looked, one that says so.
 */
#ifndef CLIENT_SCROLLBACK_H
#define CLIENT_SCROLLBACK_H

#include "base/name.h"
#include "client/canvas.h"
#include "client/words.h"

#define SCROLLBACK_LINES    20000
#define SCROLLBACK_BYTES    (32 * 1024 * 1024)
#define SCROLLBACK_LINE_MAX (128 * 1024) /* of a longer text the rest is not shown */
#define SCROLLBACK_NEEDLE   64           /* bytes searched for, with a NUL */

struct scrollback_line {
	uint64_t number; /* in order, never used again */
	enum words_kind kind;
	bool old;
	bool doubtful; /* may not have arrived */
	uint64_t said; /* we have: in order, from 1; else 0 */
	int64_t time_ms;
	char name[NAME_SIZE]; /* who speaks; "" */
	uint8_t *text;
	size_t len;
	int width, rows; /* rows at that width; 0: not known */
};

struct scrollback {
	struct scrollback_line *lines; /* a ring of SCROLLBACK_LINES */
	size_t first, count, bytes;
	uint64_t next;
	uint64_t said; /* the newest line of ours */
	size_t
	    unanswered; /* of the newest ones of ours, so many may still be on their way */
	/* The last row that is shown: row `row` of the line with that number. */
	bool follow; /* it is the newest */
	uint64_t at;
	int row;
	int width, height;              /* as last drawn */
	uint64_t mark;                  /* the first line that nobody has seen; 0: none */
	uint64_t unseen;                /* lines of others below what is shown */
	char needle[SCROLLBACK_NEEDLE]; /* folded; "": no search */
	uint64_t found;                 /* 0: nothing */
};

/* Q_NOMEM. */
enum qerr scrollback_init(struct scrollback *s);
void scrollback_fini(struct scrollback *s); /* wipes */
/* Forget all. */
void scrollback_clear(struct scrollback *s);

/* A line has come; own_name is shown before what we say.  Without memory it is the
 * oldest lines that are forgotten.  now_ms: the wall clock. */
void scrollback_add(struct scrollback *s, const struct words *w, const char *own_name,
		    int64_t now_ms);
/* From the next line on nobody looks, unless that was so already. */
void scrollback_look_away(struct scrollback *s);
/* Somebody looks again: the next line is not one that nobody has seen. */
void scrollback_look_back(struct scrollback *s);
void scrollback_unmark(struct scrollback *s);

/* So many of the newest lines of ours are not known to have arrived. */
void scrollback_unanswered(struct scrollback *s, size_t n);
/* Nobody will say it of these any more. */
void scrollback_doubt(struct scrollback *s);

/* Rows to scroll, up when below 0; the whole height less one is a page. */
void scrollback_scroll(struct scrollback *s, int rows);
void scrollback_top(struct scrollback *s);
void scrollback_bottom(struct scrollback *s);

/* Search for text without regard to case; "" ends it.  False: it is nowhere. */
bool scrollback_search(struct scrollback *s, struct span text);
/* The next place of it: older (-1) or newer (1).  False: there is none. */
bool scrollback_again(struct scrollback *s, int direction);
/* How many lines have it. */
size_t scrollback_matches(const struct scrollback *s);

/* Draw it into rows [top, bottom) and columns [0, right). */
void
scrollback_draw(struct scrollback *s, struct canvas *c, int top, int bottom, int right);

/* The colour of a name, the same at all times and places. */
unsigned scrollback_colour(const char *name);

#endif
