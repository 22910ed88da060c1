/* SPDX-License-Identifier: MIT
 *
 * scrollback_inner.h - what the files of scrollback share: scrollback.c keeps and
 * scrolls, scrollback_search.c searches, scrollback_draw.c wraps and draws.
 */
#ifndef CLIENT_SCROLLBACK_INNER_H
#define CLIENT_SCROLLBACK_INNER_H

#include "client/scrollback.h"

/* The line at place i, 0 being the oldest. */
static inline struct scrollback_line *
scrollback_at(const struct scrollback *s, size_t i)
{
	return &s->lines[(s->first + i) % SCROLLBACK_LINES];
}

/* Numbers have no gaps: the place of one that is there. */
static inline size_t
scrollback_place(const struct scrollback *s, uint64_t number)
{
	return (size_t)(number - scrollback_at(s, 0)->number);
}

/* Rows of the line at place i, with those of a date or a mark above it, at width. */
int scrollback_rows(const struct scrollback *s, size_t i, int width);

/* The first place of the needle in text from byte `from` on.  False: none. */
bool scrollback_match(const char *needle, struct span text, size_t from, size_t *start,
		      size_t *end);

#endif
