/* SPDX-License-Identifier: MIT
 *
 * scan.h - walk the lines of an open log file, forwards.  Takes no lock; the
 * bytes before `end` do not change while it runs (a log only grows).
 */
#ifndef STORE_SCAN_H
#define STORE_SCAN_H

#include <stdint.h>

#include "store/record.h"

struct scan {
	int fd;
	int64_t end;     /* nothing is read from here on */
	int64_t pos;     /* where the line that was told last begins */
	size_t len;      /* its length with the newline */
	struct buf *win; /* the caller's; holds what has been read */
	int64_t base;    /* offset in the file of win->p[0] */
	size_t at;       /* where the next line begins in win */
	size_t step;     /* how much to read next, in bytes; it doubles */
};

/* Begin at offset from, reading step bytes into win, then more at a time. */
void scan_start(struct scan *sc, int fd, int64_t from, int64_t end, struct buf *win,
		size_t step);
/* Step over what is left of the line that `from` lies in, newline included.
 * Q_OK; Q_MISSING: no newline before the end; Q_SYS, Q_NOMEM, Q_LIMIT. */
enum qerr scan_skip_line(struct scan *sc);
/* The next line: Q_OK: *out is good, its body borrowed until the next call;
 * Q_FORMAT: it is damaged, or cut off by the end; Q_MISSING: the end.  After
 * Q_OK and Q_FORMAT pos and len tell where it lies.  Q_SYS, Q_NOMEM, Q_LIMIT. */
enum qerr scan_next(struct scan *sc, struct record_line *out);
/* The bytes of the line that scan_next told last, borrowed likewise. */
struct span scan_line(const struct scan *sc);

#endif
