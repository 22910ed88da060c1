/* SPDX-License-Identifier: MIT
 *
 * worker.h - the thread of one connection: first bytes, protocol, service, end.
 */
#ifndef SERVER_WORKER_H
#define SERVER_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct session;

/* Start the worker of s, which is in the session table; if s has a protocol already, that
 * serves it, whatever the peer says.  Consumes the caller's
 * reference; not on failure: Q_NOMEM, no thread to be had. */
enum qerr worker_start(struct session *s);

/* On the worker: wait until the first bytes say which protocol it is, and serve it.  For
 * what is found inside a stream that was taken off; the deadline keeps running. */
void worker_serve(struct session *s);

/* How many workers there are. */
size_t workers_count(void);
/* Wait until every worker has ended or deadline_ms; true when none is left. */
bool workers_wait(int64_t deadline_ms);

#endif
