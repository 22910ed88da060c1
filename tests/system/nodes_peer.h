/* SPDX-License-Identifier: MIT
 *
 * nodes_peer.h - the other end of nodes' connections for tests: a client's control and
 * data connections, and a whole other node, each saying whatever a test likes.
 *
 *	struct nodes_peer *a = nodes_login(h, "alice"), *b = nodes_login(h, "bob");
 *	nodes_say(a, NODES_CALL, b->uin);
 *	nodes_expect(b, NODES_CALLED, a->uin);
 *
 * TLS is libssl's, with roles swapped as the page says; a thread moves the bytes
 * (tls_peer.h), so that fd carries what is inside.  Whatever goes wrong fails the test,
 * and nothing waits without a deadline.  Pings that come are answered and not shown.
 */
#ifndef TESTS_SYSTEM_NODES_PEER_H
#define TESTS_SYSTEM_NODES_PEER_H

#include "protocol/nodes.h"
#include "tests/system/harness.h"

struct nodes_peer {
	int fd;       /* bytes inside TLS; of data connections: of the socket */
	uint32_t uin; /* of a login: who we are */
	enum nodes_speaker other; /* what the other end may say */
	struct buf in;
	size_t in_used;
	unsigned pings; /* that came */
};

/* ---- connections ---- */
/* A socket to the server; from: the address to come from ("127.0.0.2"), or NULL. */
int nodes_dial(struct harness *h, const char *from);
/* In the clear: hello is NODES_CLIENT_HELLO or NODES_NODE_HELLO.  The type of the answer;
 * 0: it was closed. */
int nodes_greet(int fd, enum nodes_type hello, uint8_t major, uint8_t minor);
/* TLS with the roles swapped, over a socket whose greeting was answered (consumed): our
 * key, and a certificate for it with that common name.  -1: it was refused. */
int nodes_tls(struct harness *h, int fd, const struct key *key, const char *cn);
/* Greeting and TLS.  NULL: TLS was refused. */
struct nodes_peer *nodes_control_open(struct harness *h, const char *from,
				      const struct key *key, const char *cn);
/* The same for a control connection or a node's link that takes its time: the server has
 * judged our certificate, and the handshake is not over, while meanwhile runs. */
struct nodes_peer *
nodes_open_late(struct harness *h, enum nodes_type hello, const struct key *key,
		const char *cn, void (*meanwhile)(struct harness *h));
/* A user's control connection, with the key that the harness has, and the user's UIN. */
struct nodes_peer *nodes_login(struct harness *h, const char *user);
/* Another node's link.  NULL: TLS was refused. */
struct nodes_peer *nodes_node_open(struct harness *h, const struct key *key);
/* The same for a server that has dialled us: fd is the socket that was accepted. */
struct nodes_peer *nodes_node_accept(struct harness *h, int fd, const struct key *key);
/* A data connection that has said 20 20. */
struct nodes_peer *
nodes_data_open(struct harness *h, const char *from, uint32_t caller, uint32_t callee);
/* Shut the sending side: FIN. */
void nodes_finish_sending(struct nodes_peer *p);
/* Of a data connection: close with a reset, and free. */
void nodes_reset(struct nodes_peer *p);
void nodes_close(struct nodes_peer *p); /* NULL is fine */

/* ---- messages ---- */
void nodes_send(struct nodes_peer *p, const struct nodes_message *m);
void nodes_say(struct nodes_peer *p, enum nodes_type type, uint32_t uin);
void nodes_say2(struct nodes_peer *p, enum nodes_type type, uint32_t uin, uint32_t uin2);
/* D0. */
void nodes_say_data(struct nodes_peer *p, uint32_t from, uint32_t to, struct span bytes);
/* The next message that is no ping; spans are good until the next call. */
struct nodes_message nodes_hear(struct nodes_peer *p);
/* It must be of this type, with this (these) UIN(s). */
void nodes_expect(struct nodes_peer *p, enum nodes_type type, uint32_t uin);
void
nodes_expect2(struct nodes_peer *p, enum nodes_type type, uint32_t uin, uint32_t uin2);
/* Nothing comes before the answer to a ping that is sent now. */
void nodes_expect_nothing(struct nodes_peer *p);
/* The connection ends, and nothing comes before but pings. */
void nodes_expect_end(struct nodes_peer *p);

/* ---- bytes ---- */
/* All of them; a peer that does not read fails the test after a while. */
void nodes_send_bytes(struct nodes_peer *p, struct span bytes);
/* The same; false when the peer has closed, or does not read for wait_ms. */
bool nodes_try_send(struct nodes_peer *p, struct span bytes, int wait_ms);
/* Exactly these come. */
void nodes_expect_bytes(struct nodes_peer *p, struct span bytes);
/* Take n bytes of any content. */
void nodes_take_bytes(struct nodes_peer *p, uint8_t *out, size_t n);

/* ---- a call ---- */
/* a calls b, b allows, and both data connections are there: data[0] is a's.  Each to its
 * own server. */
void nodes_call(struct harness *ha, struct nodes_peer *a, struct harness *hb,
		struct nodes_peer *b, struct nodes_peer *data[2]);

#endif
