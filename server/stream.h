/* SPDX-License-Identifier: MIT
 *
 * stream.h - where a session's bytes come from and go to: a plain socket now;
 * TLS and others put themselves between with the same few functions.
 *
 * Only the session's worker reads.  A plain stream may be written by whoever
 * holds the session's outbox lock.  A stream whose object allows one thread at
 * a time (TLS) sets worker_writes: others then wake the worker instead.
 */
#ifndef SERVER_STREAM_H
#define SERVER_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

enum stream_wait { STREAM_NOW, STREAM_WAIT };

struct stream;

struct stream_ops {
	const char *name; /* "plain", "tls": for logs and ctl sessions */
	bool worker_writes;
	/* Read up to n > 0 bytes.  Q_OK: *got > 0.  Q_CLOSED: orderly end, or
	 * end_reading was called.  Q_FULL: nothing there now (STREAM_NOW), or
	 * woken by wake (STREAM_WAIT).  Q_SYS: the connection broke. */
	enum qerr (*read)(struct stream *, void *p, size_t n, enum stream_wait,
			  size_t *got);
	/* Write without blocking.  Q_OK: *put > 0 bytes went.  Q_FULL: no room
	 * now.  Q_TIMEOUT: the peer took nothing for too long.  Q_CLOSED, Q_SYS:
	 * the peer is gone. */
	enum qerr (*write)(struct stream *, const void *p, size_t n, size_t *put);
	/* Bring the worker out of a waiting read, this one or the next, so that it
	 * looks at its outbox; only called where worker_writes is set. */
	void (*wake)(struct stream *);
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
};

/* A stream on a connected, blocking socket; owns fd from now on.  Sets
 * TCP_NODELAY, keep-alive (30 s + 3 * 10 s) and TCP_USER_TIMEOUT (75 s) where
 * fd is TCP.  NULL: no memory; the caller still has to close fd. */
struct stream *stream_plain(int fd);

#endif
