/* SPDX-License-Identifier: MIT
 *
 * dialogue.h - what a client's control connection and a link between nodes have in
 * common: the answer to the hello, then messages one after another, pings, and an end when
 * nothing was heard for too long.
 */
#ifndef SERVER_NODES_DIALOGUE_H
#define SERVER_NODES_DIALOGUE_H

#include <stdatomic.h>

#include "protocol/nodes.h"
#include "server/session.h"

struct dialogue {
	struct session *session;
	enum nodes_speaker speaker; /* the other side: a client or a node */
	size_t longest;             /* bytes that a message of it may have */
	void (*obey)(void *arg, const struct nodes_message *m);
	void *arg;
	struct timer timer; /* pings, and the end of silence */
	_Atomic int64_t heard_ms;
};

/* Answer CA or CB.  False: it is a version that we do not speak, as it was told. */
bool dialogue_welcome(struct session *s, const struct nodes_message *hello);
/* The worker: obey what comes until the connection ends, which it has when this
 * returns.  What cannot be a message of the speaker ends it. */
void dialogue_run(struct dialogue *d);
/* Any thread, [calls] may be held: put a message. */
void dialogue_tell(struct session *s, const struct nodes_message *m);

/* So much of something in each second. */
struct rate {
	int64_t since_ms;
	unsigned n;
};
/* It happens now: is that too often? */
bool rate_exceeded(struct rate *r, unsigned a_second);

#endif
