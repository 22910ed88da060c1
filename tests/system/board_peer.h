/* SPDX-License-Identifier: MIT
 *
 * board_peer.h - a connection of the board protocol for tests, over a WebSocket or by
 * polling: it sends and receives packets of Socket.IO and knows nothing of what they mean.
 * Tests of a conversation are shorter with board_play.h, which is built on this.
 *
 *	struct board_peer *p = board_connect(h, "alice", BOARD_WEBSOCKET, "");
 *	board_say(p, "42[\"auth-request\",\"alice\",\"geheim-123\"]");
 *	board_next(p, &packet);
 *
 * Pings are answered on the way.  Everything waits with a deadline and fails the test.
 */
#ifndef TESTS_SYSTEM_BOARD_PEER_H
#define TESTS_SYSTEM_BOARD_PEER_H

#include "tests/system/sio_peer.h"

enum board_way { BOARD_WEBSOCKET, BOARD_POLLING };

struct board_peer {
	struct harness *h;
	char name[NAME_SIZE + 8]; /* for messages */
	enum board_way way;
	struct http_peer *in;  /* the WebSocket, or the connection that polls */
	struct http_peer *out; /* polling: the one that posts */
	char sid[SID_SIZE];
	struct buf body; /* polling: packets of the last answer */
	size_t used;     /* bytes of them that were read */
	struct buf blob; /* the attachment read last, or a packet in fragments */
	bool over;       /* the session has ended */
	unsigned code;   /* WebSocket: and the close frame's code */
	unsigned acks;   /* acknowledgements that were asked for, */
	unsigned acked;  /* and that have come */
	bool gathers;    /* what is said is not sent yet, */
	struct buf held; /* but here */
};

/* A handshake, and no CONNECT. */
struct board_peer *board_open(struct harness *h, const char *name, enum board_way way);
/* A handshake and CONNECT with this payload ("": none), which is answered. */
struct board_peer *
board_connect(struct harness *h, const char *name, enum board_way way, const char *auth);
/* Move over from polling to a WebSocket. */
void board_upgrade(struct board_peer *p);
/* Close the sockets without a word; NULL is fine. */
void board_free(struct board_peer *p);

/* A packet of Socket.IO ("2[...]" and so on). */
void board_say(struct board_peer *p, const char *packet);
void board_say_span(struct board_peer *p, struct span packet);
/* One with an attachment. */
void board_say_blob(struct board_peer *p, struct span packet, struct span blob);
/* What is said between the two is sent in one go: one write, or one POST. */
void board_gather(struct board_peer *p);
void board_send_gathered(struct board_peer *p);
/* The end of the session, by the client. */
void board_say_close(struct board_peer *p);

/* The next packet of Socket.IO, valid until the next call.  False: the session is over. */
bool board_next(struct board_peer *p, struct span *packet);
/* The attachment that must follow. */
struct span board_next_blob(struct board_peer *p);

#ifndef BOARD_PEER_INSIDE
#	define board_open(...)      HARNESS_AT(board_open(__VA_ARGS__))
#	define board_connect(...)   HARNESS_AT(board_connect(__VA_ARGS__))
#	define board_say(...)       HARNESS_AT(board_say(__VA_ARGS__))
#	define board_next(...)      HARNESS_AT(board_next(__VA_ARGS__))
#	define board_next_blob(...) HARNESS_AT(board_next_blob(__VA_ARGS__))
#endif

#endif
