/* SPDX-License-Identifier: MIT
 *
 * stream.h - where a session's bytes come from and go to: a plain socket, or what
 * puts itself between with the same few functions (TLS: stream_tls.h).
 *
 * Only the session's worker reads.  Whoever holds the session's outbox lock may
 * write, while the worker reads.
 */
#ifndef SERVER_STREAM_H
#define SERVER_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "server/waker.h"

enum stream_wait { STREAM_NOW, STREAM_WAIT };

struct stream;

struct stream_ops {
	const char *name; /* "plain", "tls": for logs and ctl sessions */
	bool sealed;      /* nobody on the way can read it */
	/* Read up to n > 0 bytes.  Q_OK: *got > 0.  Q_CLOSED: orderly end, or
	 * end_reading was called.  Q_FULL: nothing there now (STREAM_NOW).
	 * Q_SHORT: the waker, which is open, was rung (STREAM_WAIT).  Q_SYS, or
	 * Q_NOMEM: the connection broke. */
	enum qerr (*read)(struct stream *, void *p, size_t n, enum stream_wait,
			  size_t *got);
	/* Write without blocking.  Q_OK: *put > 0 bytes went.  Q_FULL: no room
	 * now.  Q_TIMEOUT: the peer took nothing for too long.  Q_CLOSED, Q_SYS:
	 * the peer is gone. */
	enum qerr (*write)(struct stream *, const void *p, size_t n, size_t *put);
	/* No more will be read: a waiting read returns Q_CLOSED, now and from now
	 * on (bytes that had come may be read before).  Any thread. */
	void (*end_reading)(struct stream *);
	/* No more will be written (FIN, close_notify).  The worker, at the end. */
	void (*end_writing)(struct stream *);
	/* Close the descriptor and free.  Nobody else uses the stream any more. */
	void (*free)(struct stream *);
};

struct stream {
	const struct stream_ops *ops;
	int fd; /* the socket underneath; for poll, epoll and socket options */
	struct waker waker; /* ends a waiting read, once it is open */
};

/* A stream on a connected, blocking socket; owns fd from now on.  Sets
 * TCP_NODELAY, keep-alive (30 s + 3 * 10 s) and TCP_USER_TIMEOUT (75 s) where
 * fd is TCP.  NULL: no memory; the caller still has to close fd. */
struct stream *stream_plain(int fd);
/* The same for a socket that has these options from the listening one, which got them
 * by stream_options. */
struct stream *stream_accepted(int fd);
void stream_options(int fd);

#endif
