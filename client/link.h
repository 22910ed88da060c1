/* SPDX-License-Identifier: MIT
 *
 * link.h - a TCP connection that never blocks: two buffers and a descriptor to
 * poll.  What is put into link_out goes out with the next steps; what comes in
 * is in link_in until somebody consumes it.  TLS fits in here without a change
 * for those above.  One thread.
 */
#ifndef CLIENT_LINK_H
#define CLIENT_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "client/target.h"

#define LINK_CONNECT_MS 10000
#define LINK_IN_MAX     (2 * 1024 * 1024)
#define LINK_OUT_MAX    (4 * 1024 * 1024)

struct link;

/* Look the host up (this may block as long as the resolver does) and begin to
 * connect, to one address after the other within LINK_CONNECT_MS.  Q_MISSING:
 * no such host; Q_SYS: no address can even be tried; Q_NOMEM. */
enum qerr link_open(const struct target *t, struct link **out, struct why *why);
void link_free(struct link *l); /* closes; NULL is fine */

/* "HOST:PORT", for people. */
const char *link_name(const struct link *l);
/* Changes while addresses are tried. */
int link_fd(const struct link *l);
short link_poll_events(const struct link *l);
/* While connecting: when to call link_step in any case; else 0. */
int64_t link_deadline(const struct link *l);
bool link_up(const struct link *l);
/* Connect, read, write, as far as it goes now.  Q_OK: go on.  Q_CLOSED: the
 * server hung up; Q_TIMEOUT, Q_SYS: the connection failed; Q_LIMIT, Q_NOMEM.
 * Then why is a sentence; link_in holds what came before. */
enum qerr link_step(struct link *l, short revents, struct why *why);
struct buf *link_in(struct link *l);
struct buf *link_out(const struct link *l);
/* No more will be put into link_out: once it is sent, tell the server so. */
void link_finish(struct link *l);

#endif
