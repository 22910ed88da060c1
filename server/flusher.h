/* SPDX-License-Identifier: MIT
 *
 * flusher.h - one thread that writes what sockets did not take at once.
 *
 * A session whose peer does not read costs its outbox and one entry in an epoll
 * set, nothing else: no thread waits for it.  A session that takes nothing for
 * FLUSHER_PATIENCE_MS (or what its protocol has set in the outbox) while bytes wait is
 * ended as GOODBYE_SLOW; what its TCP has acknowledged counts as taken.
 */
#ifndef SERVER_FLUSHER_H
#define SERVER_FLUSHER_H

#include <bsd/sys/queue.h>
#include <stdbool.h>

#include "base/err.h"

#define FLUSHER_PATIENCE_MS 60000

struct flusher;
struct session;

/* What the flusher keeps in a session. */
struct flusher_entry {
	TAILQ_ENTRY(session) link; /* [flusher] */
	bool unarmed;              /* [flusher] epoll has no room for it */
};

/* Start the thread.  Q_NOMEM, Q_SYS. */
enum qerr flusher_new(struct flusher **out);
/* Stop it and forget whatever is still waiting.  NULL is fine. */
void flusher_free(struct flusher *f);

/* Write s's outbox when its socket has room.  Takes a reference.  The caller
 * holds s->out.lock and has just set s->out.in_flusher.  Cannot fail: when epoll
 * refuses, the flusher tries the socket now and then. */
void flusher_watch(struct flusher *f, struct session *s);
/* An outbox was broken by somebody else: look at all, and let go of those. */
void flusher_poke(struct flusher *f);

#endif
