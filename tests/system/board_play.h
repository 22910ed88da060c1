/* SPDX-License-Identifier: MIT
 *
 * board_play.h - a conversation with a real server as the page of board writes it:
 *
 *	struct board_play *s = board_start("alice bob", NULL);
 *
 *	BOARD(s, "alice: login",
 *		"alice> new-anons 'Bicycle','red'",
 *		"alice< new-anons-response $a,'OK'",
 *		"bob:   login",
 *		"bob?   new-chat $a",
 *		"bob<   new-chat-response $a,$c,'OK'",
 *		"bob<   ack 1,'OK'");
 *	board_end(s);
 *
 * NAME> sends an event, NAME? one that wants an acknowledgement, NAME< is the next packet
 * that must come: an event, or `ack` to the first NAME? that has none yet; NAME: is a stage direction.
 * NAME is a connection, "alice" the first one of alice, "alice/2" another one.  ~NAME is a
 * connection of contacts, with the steps of contacts_play.h.
 *
 * Arguments are JSON with ' in place of ", and
 *	$x   a value: any one when it is first expected, the same from then on
 *	#x   the same, a time in milliseconds within the last minutes
 *	@x   an attachment that board_blob has named
 *	*    any value
 *	...  (the last one) any further arguments
 * An object that is expected may have more members than are named; an array may not.
 *
 * Stage directions:
 *	open, open polling    connect; with {JSON} behind it as the payload of CONNECT
 *	login, login polling  open it unless it is, auth-request with the password
 *	enter $t              open with that token, and hear auth-response 1
 *	upgrade               move from polling to a WebSocket
 *	gather, send          what is said between the two is sent in one go
 *	nothing               nothing waits to be read (asked by an unknown event)
 *	end                   the session ends without 41
 *	kicked                it ends behind 41
 *	close                 the client says goodbye
 *	reset                 the client's sockets are closed without a word
 *	leave                 the client disconnects the namespace (41)
 */
#ifndef TESTS_SYSTEM_BOARD_PLAY_H
#define TESTS_SYSTEM_BOARD_PLAY_H

#include "tests/system/board_peer.h"
#include "tests/system/contacts_play.h"

struct board_play;

/* Start a server with these users (between blanks, may be "", with PLAY_PASSWORD) and
 * these settings, NULL at the end. */
struct board_play *board_start(const char *users, const char *setting, ...);
/* Close the connections and stop the server. */
void board_end(struct board_play *s);
/* Stop it and start it again. */
void board_restart(struct board_play *s);
struct harness *board_harness(struct board_play *s);

#define BOARD(s, ...) HARNESS_AT(board_lines(s, __VA_ARGS__, NULL))
void board_lines(struct board_play *s, ...) __attribute__((sentinel));
/* One line, composed. */
#define BOARDF(s, ...) HARNESS_AT(board_linef(s, __VA_ARGS__))
void board_linef(struct board_play *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The connection of that name; it must be there. */
struct board_peer *board_peer_of(struct board_play *s, const char *name);
/* Name bytes; copied. */
void board_blob(struct board_play *s, const char *name, struct span bytes);
/* What $name stands for, as JSON; it must stand for something. */
const char *board_value(struct board_play *s, const char *name);
/* Pass over events of this name from now on, wherever they come. */
void board_deaf(struct board_play *s, const char *event);
/* Every connection of the transcript polls from now on ("open", "login", "enter"). */
void board_polls(struct board_play *s, bool polls);
/* The beginning of most transcripts, polling or not, deaf for presence: alice has
 * announcement $a, bob chat $c about it; nobody is in the room. */
void board_about(struct board_play *s, bool polls);
/* Then both join it. */
void board_join_both(struct board_play *s);
/* As the administrator does it. */
void board_set_password(struct board_play *s, const char *user, const char *password);

#endif
