/* SPDX-License-Identifier: MIT
 *
 * lines.h - lines from a descriptor, with a limit; nothing is cut silently.
 * One thread.
 */
#ifndef CLIENT_LINES_H
#define CLIENT_LINES_H

#include <stdbool.h>

#include "base/bytes.h"

struct lines {
	int fd;
	size_t max;     /* bytes of a line without its newline */
	struct buf buf; /* wiped in the end: it may have held a code */
	size_t used;    /* of buf, taken already */
	size_t seen;    /* of buf, known to hold no newline */
	bool skipping;  /* inside a line that is too long */
	bool end;       /* of the input */
};

void lines_init(struct lines *l, int fd, size_t max);
void lines_fini(struct lines *l);
/* One read(2).  Q_OK; Q_CLOSED: the end; Q_SYS, Q_NOMEM. */
enum qerr lines_read(struct lines *l);
/* The next line, without its newline, borrowed until the next call.  Q_SHORT:
 * none yet.  Q_LIMIT: one that was too long is over and has been dropped.
 * Q_CLOSED: no more will come.  A last line needs no newline. */
enum qerr lines_next(struct lines *l, struct span *line);

#endif
