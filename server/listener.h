/* SPDX-License-Identifier: MIT
 *
 * listener.h - one listening socket and its accept thread, which starts a worker
 * (worker.h) for each connection.
 *
 * Out of descriptors, memory or threads, the accept thread says so once a
 * minute, waits a little and goes on; it never spins and never dies.  A reserve
 * descriptor lets it accept and close a connection that it cannot serve, so
 * that the peer learns at once.
 */
#ifndef SERVER_LISTENER_H
#define SERVER_LISTENER_H

#include "base/err.h"
#include "server/worker.h"

struct listener;
struct server;

/* Bind and listen on spec: "PORT", "ADDR:PORT", "[V6]:PORT"; port 0 lets the
 * kernel choose; no address means every address of both families.  why: one
 * sentence ("port 9034 is in use ...").  Q_EXISTS: in use; Q_FORMAT: a spec
 * that makes no sense; Q_DENIED, Q_NOMEM, Q_SYS. */
enum qerr listener_bind(const char *spec, struct listener **out, struct why *why);
/* "127.0.0.1:9034", the real port; borrowed. */
const char *listener_address(const struct listener *l);
unsigned listener_port(const struct listener *l);
/* Start accepting for server.  Q_NOMEM. */
enum qerr listener_start(struct listener *l, struct server *server);
/* Stop accepting and close; the accept thread has ended on return.  NULL is
 * fine. */
void listener_free(struct listener *l);

#endif
