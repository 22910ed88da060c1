/* SPDX-License-Identifier: MIT
 *
 * contacts_play.h - a conversation with a real server as the protocol page writes it:
 *
 *	struct play *s = play_start("alice bob", NULL);
 *
 *	PLAY(s, "alice: login",
 *		"bob:   login",
 *		"alice> 121 bob",
 *		"alice< 232 400",
 *		"bob<   233 alice");
 *	play_end(s);
 *
 * NAME> sends a line, NAME< is the next line that must come, NAME: is a stage
 * direction, see below.  Spaces behind these do not count.  A name stands for a
 * connection; it is made when the name is first used, and may be empty.
 *
 * A number of 13 digits is a time in milliseconds.  The first time that it is expected
 * it stands for any time of the last minutes; from then on it means that one, in what is
 * expected and in what is sent.
 *
 * Stage directions:
 *	login    110 with the user's password, and 212 400
 *	logout   111, 213 400, and the connection is closed
 *	nothing  nothing waits to be read (asked by an operation that does not exist)
 *	end      the server closes the connection
 *	close    the client does
 *	reset    the same with RST
 *	tls      make the connection with TLS
 */
#ifndef TESTS_SYSTEM_CONTACTS_PLAY_H
#define TESTS_SYSTEM_CONTACTS_PLAY_H

#include "tests/system/contacts_peer.h"

#define PLAY_PASSWORD "geheim-123" /* everybody's */

struct play;

/* Start a server with these users (names between single blanks, may be "") and these
 * settings, NULL at the end. */
struct play *play_start(const char *users, const char *setting, ...);
/* With a server that runs already. */
struct play *play_with(struct harness *h);
/* Close the connections and stop the server. */
void play_end(struct play *s);
struct harness *play_harness(struct play *s);
/* Give the server users while it runs.  Their hash is as cheap as they get, so that
 * tests may log in often. */
void play_add_users(struct harness *h, const char *users);

#define PLAY(s, ...) HARNESS_AT(play_lines(s, __VA_ARGS__, NULL))
void play_lines(struct play *s, ...) __attribute__((sentinel));
void play_line(struct play *s, struct span line);
/* The connection of that name, made if need be. */
struct line_peer *play_peer(struct play *s, const char *name);
/* Use this connection under its name; consumes it. */
void play_join(struct play *s, struct line_peer *p);
/* Both log in unless they are connected, become contacts, and a makes the chat; ids
 * count from 1. */
void play_befriend(struct play *s, const char *a, const char *b);

#ifndef CONTACTS_PLAY_INSIDE
#	define play_befriend(...) HARNESS_AT(play_befriend(__VA_ARGS__))
#endif

#endif
