/* SPDX-License-Identifier: MIT
 *
 * words.h - the words of an event, the same in every front.  Pure.
 */
#ifndef CLIENT_WORDS_H
#define CLIENT_WORDS_H

#include "client/protocol.h"

enum words_kind {
	WORDS_STATUS,  /* something happened */
	WORDS_TROUBLE, /* something cannot be, or was refused */
	WORDS_MESSAGE, /* name has written */
	WORDS_OWN      /* we have written, to name */
};

/* One line: ours, and behind it what came from others, which is shown through
 * text_visible.  Of a message only its number is ours, "[12] ", if it has one. */
struct words {
	enum words_kind kind;
	const char *name;   /* whom it is about; NULL: nobody.  Borrowed from the event */
	char ours[448];     /* safe to show */
	struct span theirs; /* borrowed from the event, as it came */
	int64_t time_ms;    /* when it was said; 0: now */
	bool old;           /* it has waited, or is a replay */
};

/* False: nothing is said about e: it is a part of a list, a file's contents, or an
 * event that needs what only the front knows. */
bool words_of(const struct client_event *e, struct words *out);
/* What we have just said. */
void words_own(struct words *w, const struct client_view *view, struct span text);
/* Words of our own, formatted as printf would. */
void words_set(struct words *w, enum words_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
