/* SPDX-License-Identifier: MIT
 *
 * link.h - a connection that never blocks, over TCP, or over TLS on TCP, with or without
 * WebSocket on top (link_ws.h): two buffers and a descriptor to poll.  What is put into link_out goes out with the
 * next steps; what comes in is in link_in until somebody consumes it.  One thread.
 */
#ifndef CLIENT_LINK_H
#define CLIENT_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "client/link_mutual.h"
#include "client/target.h"
#include "crypto/cert.h"

#define LINK_CONNECT_MS 10000
#define LINK_IN_MAX     (52 * 1024 * 1024) /* the largest message of rooms, and some */
#define LINK_OUT_MAX    (52 * 1024 * 1024)

struct link;

enum link_security {
	LINK_CLEAR,
	LINK_TLS,   /* link_up says that the server is the right one, see link_open */
	LINK_MUTUAL /* as link_mutual.h says */
};

/* Look the host up (this may block as long as the resolver does) and begin to
 * connect, to one address after the other within LINK_CONNECT_MS.  ca is for TLS,
 * borrowed: who must have issued the server's certificate; NULL: whoever, for looking
 * at it (link_chain).  Q_MISSING: no such host; Q_SYS: no address can even be tried;
 * Q_NOMEM. */
enum qerr link_open(const struct target *t, enum link_security security,
		    const struct cert *ca, struct link **out, struct why *why);
/* Right behind link_open: speak WebSocket at path ("/rooms", borrowed), whose messages
 * are in both buffers as link_ws.h says. */
void link_websocket(struct link *l, const char *path);
/* Right behind link_open with LINK_MUTUAL: how it begins (copied, but for what that
 * borrows). */
void link_mutual(struct link *l, const struct link_mutual *how);
/* LINK_MUTUAL, once up: link_tls_peer_key. */
void link_peer_key(const struct link *l, uint8_t out[SHA256_LEN]);
/* Connected: to which address, as numbers; for another link to the same machine.  Q_SYS. */
enum qerr link_remote(const struct link *l, struct target *out);
void link_free(struct link *l); /* closes; NULL is fine */

/* "HOST:PORT", for people. */
const char *link_name(const struct link *l);
/* Changes while addresses are tried. */
int link_fd(const struct link *l);
short link_poll_events(const struct link *l);
/* When to call link_step in any case: while connecting, and while the other machine has
 * not acknowledged what was sent; else 0. */
int64_t link_deadline(const struct link *l);
bool link_up(const struct link *l);
/* Connect, read, write, as far as it goes now.  Q_OK: go on.  Q_CLOSED: the
 * server hung up; Q_TIMEOUT, Q_SYS: the connection failed; Q_DENIED: it is not the
 * server that ca stands for, or TLS failed, or it has ended the connection on purpose (a
 * WebSocket's 1008); Q_LIMIT, Q_NOMEM.
 * Then why is a sentence; link_in holds what came before. */
enum qerr link_step(struct link *l, short revents, struct why *why);
struct buf *link_in(struct link *l);
struct buf *link_out(const struct link *l);
/* Bytes that are on their way out, and bytes of a message that is coming in. */
size_t link_waiting(const struct link *l);
size_t link_coming(const struct link *l);
/* TLS, once up: append the certificates that the server has shown, its own first, in
 * PEM. */
enum qerr link_chain(const struct link *l, struct buf *out);
/* No more will be put into link_out: once it is sent, tell the server so. */
void link_finish(struct link *l);

#endif
