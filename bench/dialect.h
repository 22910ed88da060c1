/* SPDX-License-Identifier: MIT
 *
 * dialect.h - how two users meet, and what a message looks like, at contacts, an IRC
 * server and an MQTT broker.
 *
 * In all three a message ends with the only newline in it, on both ways: so arrivals are
 * counted alike.
 */
#ifndef BENCH_DIALECT_H
#define BENCH_DIALECT_H

#include "bench/talk.h"

#define MESSAGE_MAX 1024

struct message {
	uint8_t bytes[MESSAGE_MAX];
	size_t len;
};

struct dialect {
	const char *name;
	/* What the sender gets for each message; NULL: nothing. */
	const char *answer;
	/* Log two users in over open connections; m is what the first one sends to reach
	 * the second: text bytes of it are the user's. */
	void (*meet)(struct talk *from, struct talk *to, unsigned pair, size_t text,
		     struct message *m);
};

/* NULL: no such dialect. */
const struct dialect *dialect_named(const char *name);

/* contacts alone: the users of a pair, and a login that expects 212 400. */
void contacts_user(unsigned pair, bool second, char name[32]);
void contacts_enter(struct talk *t, unsigned pair, bool second);

#endif
