/* SPDX-License-Identifier: MIT
 *
 * link_watch.h - has what was sent been acknowledged by the other machine?  Pure.
 *
 * The kernel itself would try for a quarter of an hour, and keep-alive looks only at
 * connections on which nothing is under way.  TCP_USER_TIMEOUT would do, but it also
 * ends a connection whose other end is well and just does not read, which is how a slow
 * partner slows a file down.  Only a machine that acknowledges nothing is dead.
 */
#ifndef CLIENT_LINK_WATCH_H
#define CLIENT_LINK_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#define LINK_WATCH_MS 1000 /* between two looks while something is under way */
#define LINK_DEAD_MS  8000

struct link_watch {
	int64_t
	    since_ms; /* something is under way, and nothing has come back; 0: not so */
};

/* unacked: segments under way; last_ack_ms: so long ago something was acknowledged
 * last.  True: the link is dead. */
bool link_watch_look(struct link_watch *w, int64_t now_ms, uint32_t unacked,
		     uint32_t last_ack_ms);

#endif
