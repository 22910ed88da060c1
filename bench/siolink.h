/* SPDX-License-Identifier: MIT
 *
 * siolink.h - one client of Socket.IO as a load generator wants it, over a WebSocket or by
 * polling, the same for every server that speaks revisions 4 and 5.
 *
 * Packets are text: an event with its arguments is 42["name",...].  The servers that are
 * measured do not ping during a run.  One thread may send and one may hear; every error
 * ends the program.
 */
#ifndef BENCH_SIOLINK_H
#define BENCH_SIOLINK_H

#include <stdbool.h>

#include "base/bytes.h"
#include "bench/talk.h"

struct siolink {
	bool polling;
	struct talk in;  /* the WebSocket, or the connection that polls */
	struct talk out; /* polling: the one that posts */
	char sid[40];
	struct buf data; /* what came and was not looked at yet */
	size_t used;
	size_t body; /* polling: bytes of the answer that were not looked at */
	bool asked;  /* polling: a poll is on its way */
};

/* Connect to 127.0.0.1:port from one of 200 sources, and to the namespace; auth is the
 * payload of CONNECT, "" for none. */
void siolink_open(struct siolink *l, unsigned port, unsigned source, bool polling,
		  const char *auth);
void siolink_close(struct siolink *l);

/* The same packet n times: n frames with one write, or one POST. */
void siolink_send(struct siolink *l, struct span packet, unsigned n);
void siolink_say(struct siolink *l, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The next packet, valid until the next call. */
struct span siolink_hear(struct siolink *l);
/* The next packet that begins with this and holds that. */
struct span siolink_expect(struct siolink *l, const char *begin, const char *inside);
/* The same as if it had been asked for: look at what has come, waiting for nothing, and
 * keep a poll on its way.  False: nothing more has come. */
bool siolink_look(struct siolink *l, struct span *packet);

#endif
