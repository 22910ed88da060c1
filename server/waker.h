/* SPDX-License-Identifier: MIT
 *
 * waker.h - how a worker that waits for its socket is told to look at something
 * else: an eventfd beside the socket in poll(2).
 *
 * Rings are remembered, and any number of them before the worker hears is one.
 * What a thread did before it rang is seen by the worker that has heard it.
 */
#ifndef SERVER_WAKER_H
#define SERVER_WAKER_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/err.h"

/* Zeroed, it is closed: rings are remembered, waiting is not possible. */
struct waker {
	atomic_bool open;
	atomic_bool rung;
	int event;
};

/* The worker.  Q_OK, again too; Q_NOMEM: no descriptor. */
enum qerr waker_open(struct waker *w);
/* Nobody rings any more. */
void waker_close(struct waker *w);
/* Any thread, any lock held; never blocks. */
void waker_ring(struct waker *w);
/* The worker: was it rung since it last heard?  False while w is closed. */
bool waker_heard(struct waker *w);
/* The worker: wait until fd is ready for events (as poll has them), or fails.
 * Q_OK; Q_SHORT: rung, which is then heard; Q_NOMEM, Q_SYS: poll(2) failed.  w may
 * be closed. */
enum qerr waker_wait(struct waker *w, int fd, short events);

#endif
