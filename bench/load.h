/* SPDX-License-Identifier: MIT
 *
 * load.h - messages through a relay, and what they cost it.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "bench/link.h"

struct load {
	unsigned pairs;
	unsigned batch;  /* messages that a sender writes with one call */
	size_t text;     /* bytes of text in a message */
	unsigned window; /* messages of a pair on their way at most */
	unsigned run_ms;
	unsigned warm_ms; /* of the same load first, not counted */
	clockid_t clock;  /* CPU clock of the relay's process */
};

struct load_result {
	double messages; /* counted ones */
	double per_second;
	double cpu_us;         /* the relay's CPU time a message, in microseconds */
	double p50_us, p99_us; /* round trips; load_pingpong alone */
};

/* from[i] sends to to[i], all pairs at once, a thread for each end.  The links
 * are in chats (or joined); afterwards nothing is on its way, and reading from
 * to[i] is shut down. */
void load_stream(struct link *from, struct link *to, const struct load *plan,
		 struct load_result *out);
/* One message in flight: a to b, the answer back, two relayed messages a round
 * trip, both ends on this thread. */
void load_pingpong(struct link *a, struct link *b, const struct load *plan,
		   struct load_result *out);

#endif
