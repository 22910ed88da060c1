/* SPDX-License-Identifier: MIT
 *
 * completion.h - what Tab does: complete the word before the cursor, and go on to the
 * next candidate when it is pressed again.
 *
 * At the beginning of a line a word with '/' is a command; behind /send it is a file;
 * anything else is a name.
 */
#ifndef CLIENT_COMPLETION_H
#define CLIENT_COMPLETION_H

#include "client/editor.h"
#include "client/people.h"

#define COMPLETION_MAX 64

struct completion {
	bool active;       /* the last stroke was Tab */
	size_t start, end; /* of what it has put into the line */
	char *words[COMPLETION_MAX];
	size_t count, at;
};

/* step: 1 forwards, -1 backwards.  False: nothing begins like that. */
bool completion_tab(struct completion *c, struct editor *e, const struct people *people,
		    int step);
/* Another stroke: the next Tab begins anew.  Frees all memory. */
void completion_reset(struct completion *c);

#endif
