/* SPDX-License-Identifier: MIT
 *
 * pace.h - when a worker reads in gulps.
 *
 * A sender that writes each message by itself, faster than we answer, costs a read, an
 * append, an answer and a delivery for each.  As the driver of a fast network card does
 * with interrupts, its worker then waits a moment before it goes on, and one of each
 * carries what has come meanwhile.
 *
 * Only somebody who does not wait for our answers is treated so, and that is seen, not
 * guessed: again and again its next bytes are there already when the answer to the last
 * ones has just been written.  To somebody with one request on its way that never
 * happens.  Pure: no clock, no descriptor; the worker's alone.
 */
#ifndef SERVER_PACE_H
#define SERVER_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a pause may add to a message's way: this, and what the kernel is late. */
#define PACE_NAP_NS 250000
/* Bytes that come this close behind each other may be a stream: it is worth a system
 * call (0.3 us) to look.  To ask and to wait takes longer, even on one machine. */
#define PACE_FAST_NS 20000
/* A look that finds bytes counts so much, one that finds none takes 1 away.  From PACE_SURE
 * on it is a stream: a third of the looks have to find something. */
#define PACE_FOUND 2
#define PACE_SURE  6
#define PACE_MAX   12
/* A read that brought so many bytes is gulp enough. */
#define PACE_ENOUGH 16384

struct pace {
	int64_t last_ns; /* when bytes came last, on any clock that never steps */
	int64_t gap_ns;  /* between the last two times */
	int score;
};

/* All answers are written.  Is it worth looking what is there, before waiting? */
bool pace_looks(const struct pace *p);
/* That look found n bytes (0: none).  How long to pause before what comes meanwhile is
 * read as well, in nanoseconds; 0: not at all. */
int64_t pace_looked(struct pace *p, size_t n);
/* Bytes have come, looked for or waited for. */
void pace_came(struct pace *p, int64_t now_ns);

#endif
