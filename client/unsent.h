/* SPDX-License-Identifier: MIT
 *
 * unsent.h - messages on their way: said, and not known yet to have reached the server.
 * When the connection is lost they are what the person has to be told about
 * (CLIENT_UNSENT), because nobody else knows.
 *
 * Their texts are kept up to UNSENT_MAX bytes; beyond, the oldest ones are let go, which
 * are the least likely to be lost.  One thread.
 */
#ifndef CLIENT_UNSENT_H
#define CLIENT_UNSENT_H

#include "client/protocol.h"

#define UNSENT_MAX (1024 * 1024)

struct unsent {
	struct buf kept;         /* records: length of name, name, length of text, text */
	size_t forgotten, count; /* the first ones, without text; all of them */
};
#define UNSENT_INIT                                          \
	{                                                    \
		.kept = BUF_INIT(2 * UNSENT_MAX), .count = 0 \
	}

void unsent_fini(struct unsent *u); /* wipes */
/* Said to name. */
void unsent_add(struct unsent *u, const char *name, struct span text);
/* Append the text of the first one, if that is kept.  False: there is no first one. */
bool unsent_first(const struct unsent *u, struct buf *text);
/* Take over the texts that more keeps, as said behind ours; more is empty then. */
void unsent_join(struct unsent *u, struct unsent *more);
/* The first n have arrived (n <= count). */
void unsent_arrived(struct unsent *u, size_t n);
/* Tell of each whose text is kept, and let go of all. */
void unsent_tell(struct unsent *u, const struct client_env *env);

#endif
