/* SPDX-License-Identifier: MIT
 *
 * backoff.h - how long to wait before the next attempt: longer each time, up to a
 * cap, and never for all at the same moment, so that a server that comes back is not
 * met by everybody at once.  Pure: times and randomness in, a delay out.
 */
#ifndef CLIENT_BACKOFF_H
#define CLIENT_BACKOFF_H

#include <stdint.h>

#define BACKOFF_FIRST_MS  1000
#define BACKOFF_CAP_MS    60000
#define BACKOFF_STEADY_MS 30000 /* a connection that held so long was a good one */

struct backoff {
	unsigned attempts; /* in vain, one behind the other; 0 at first */
	int64_t up_ms;     /* the connection stands since; 0: it does not */
};

/* The connection stands. */
void backoff_up(struct backoff *b, int64_t now_ms);
/* It is lost, or could not be made: milliseconds until the next attempt, between half
 * of and the whole of FIRST * 2^attempts, at most CAP.  A connection that did not hold
 * for STEADY counts as an attempt in vain, so a server that accepts and drops is not
 * hammered at.  random is uniform. */
int64_t backoff_lost(struct backoff *b, int64_t now_ms, uint32_t random);

#endif
