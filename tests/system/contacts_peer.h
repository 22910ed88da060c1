/* SPDX-License-Identifier: MIT
 *
 * contacts_peer.h - a client of the contacts protocol for tests: it sends and receives
 * lines and knows nothing of what they mean.  Tests of one conversation are shorter with
 * contacts_play.h, which is built on this.
 *
 *	struct line_peer *p = line_connect(h, "alice");
 *	line_say(p, "110 alice %s", PLAY_PASSWORD);
 *	line_hear(p, "212 400 alice");
 *
 * What the server sends is kept while a line is being sent, so neither side can wait for
 * the other for ever.  Everything waits with a deadline and fails the test.
 */
#ifndef TESTS_SYSTEM_CONTACTS_PEER_H
#define TESTS_SYSTEM_CONTACTS_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "tests/system/harness.h"

struct line_peer {
	struct harness *h;
	char name[NAME_SIZE]; /* for messages */
	int fd;
	bool drips;     /* sends one byte at a time */
	bool torn_ok;   /* the connection may end inside a line, which then is none */
	struct buf in;  /* what came */
	size_t in_used; /* bytes of it that were looked at */
};

/* ---- connection ---- */
struct line_peer *line_connect(struct harness *h, const char *name);
/* With so small a receive buffer that the server soon has to wait. */
struct line_peer *line_connect_narrow(struct harness *h, const char *name, int bytes);
struct line_peer *line_connect_tls(struct harness *h, const char *name);
/* To that IPv4 address of this machine, which is then the client's as well. */
struct line_peer *
line_connect_at(struct harness *h, const char *name, const char *address);
/* Close it, orderly; NULL is fine. */
void line_free(struct line_peer *p);
/* Close it with RST, as when a machine is switched off. */
void line_reset(struct line_peer *p);

/* ---- sending ---- */
/* A line; LF is added. */
void
line_say(struct line_peer *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Bytes as they are. */
void line_send(struct line_peer *p, struct span bytes);
/* The same, as far as the server takes them: it may close meanwhile. */
void line_send_some(struct line_peer *p, struct span bytes);

/* ---- receiving ---- */
/* The next line without its LF, until the next call.  False: the connection ended. */
bool line_next(struct line_peer *p, struct span *line);
/* It must be there. */
struct span line_expect(struct line_peer *p);
/* It must be this one. */
void line_hear(struct line_peer *p, const char *line);
/* Nothing is waiting before the answer to a request that does not exist. */
void line_hear_nothing(struct line_peer *p);
/* The connection must end now. */
void line_hear_end(struct line_peer *p);
/* Is there something to read, or the end, right now? */
bool line_readable(const struct line_peer *p);

/* A 220 without quotes and media. */
struct line_message {
	uint64_t chat;
	int64_t time_ms;
	struct span text; /* until the next line */
};
/* Q_FORMAT: it is none. */
enum qerr line_message_parse(struct span line, struct line_message *out);
/* The number that its text begins with. */
int line_message_number(const struct line_message *m);
/* The next line must be one. */
struct line_message line_hear_message(struct line_peer *p);

/* Failures name the line of the test that called. */
#ifndef CONTACTS_PEER_INSIDE
#	define line_connect(...)      HARNESS_AT(line_connect(__VA_ARGS__))
#	define line_connect_tls(...)  HARNESS_AT(line_connect_tls(__VA_ARGS__))
#	define line_say(...)          HARNESS_AT(line_say(__VA_ARGS__))
#	define line_send(...)         HARNESS_AT(line_send(__VA_ARGS__))
#	define line_next(...)         HARNESS_AT(line_next(__VA_ARGS__))
#	define line_expect(...)       HARNESS_AT(line_expect(__VA_ARGS__))
#	define line_hear(...)         HARNESS_AT(line_hear(__VA_ARGS__))
#	define line_hear_nothing(...) HARNESS_AT(line_hear_nothing(__VA_ARGS__))
#	define line_hear_end(...)     HARNESS_AT(line_hear_end(__VA_ARGS__))
#	define line_hear_message(...) HARNESS_AT(line_hear_message(__VA_ARGS__))
#endif

#endif
