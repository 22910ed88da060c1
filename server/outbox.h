/* SPDX-License-Identifier: MIT
 *
 * outbox.h - the bytes that wait to go to one session, and who writes them.
 *
 * A thread that has something for a session takes the outbox lock, reserves
 * room, puts (or seals) bytes in place, commits, drops the lock and touches
 * the session.  Once it has dealt with all the input at hand it calls
 * outbox_flush_touched: each touched outbox is written once, so that under
 * load many messages share one write, and one message alone goes out at once.
 * What the socket does not take is left to the flusher thread.
 *
 * Two limits: messages (OUTBOX_DATA) are refused above `soft`, so that the
 * sender waits or the receiver is dropped, as the protocol wishes; answers and
 * farewells (OUTBOX_CONTROL) go up to `hard`; a session beyond that is ended.
 * The memory is given back whenever the outbox runs empty.
 */
#ifndef SERVER_OUTBOX_H
#define SERVER_OUTBOX_H

#include <pthread.h>
#include <stdbool.h>

#include "base/bytes.h"
#include "base/lock.h"

struct session;
struct flusher;

enum outbox_class { OUTBOX_DATA, OUTBOX_CONTROL };

struct outbox {
	struct lock lock;
	struct buf data;	/* [lock] max is the hard limit */
	size_t sent;		/* [lock] bytes at data's front that are written */
	size_t soft;		/* bytes; set at birth */
	bool closed;		/* [lock] no more is taken */
	bool broken;		/* [lock] the stream failed: what is here is lost */
	bool in_flusher;	/* [lock] the flusher waits for the socket */
	unsigned waiters;	/* [lock] threads in outbox_wait_room */
	pthread_cond_t room;	/* signalled when it drains below soft, or ends */
	int64_t progress_ms;	/* [lock] when bytes last went, monotonic */
};

void outbox_init(struct outbox *o, size_t soft, size_t hard);
void outbox_fini(struct outbox *o);

/* Room for n bytes at *at; write them there, then outbox_commit_locked(n' <= n).
 * Q_CLOSED: ended; Q_FULL: DATA above soft (an empty outbox always takes one
 * message, however large); Q_LIMIT: CONTROL above hard; Q_NOMEM. */
enum qerr outbox_reserve_locked(struct outbox *o, enum outbox_class class, size_t n,
    uint8_t **at) REQUIRES(o->lock);
void outbox_commit_locked(struct outbox *o, size_t n) REQUIRES(o->lock);
/* reserve, copy, commit under the lock, then touch.  Errors as above. */
enum qerr outbox_put(struct session *s, enum outbox_class class, struct span bytes);
/* Take no more (the farewell is in). */
void outbox_close_locked(struct outbox *o) REQUIRES(o->lock);

/* Remember s (a reference is taken) for this thread's next
 * outbox_flush_touched.  Not while an outbox lock is held: when the thread's
 * list is full it is flushed at once. */
void outbox_touch(struct session *s);
/* Write every outbox that this thread touched, once.  Never blocks. */
void outbox_flush_touched(void);
/* Write now what s's stream takes (touched or not). */
void outbox_flush(struct session *s);

/* Wait until s takes OUTBOX_DATA again.  The caller holds no lock and has
 * flushed what it touched.  Q_OK; Q_CLOSED: s ended; Q_TIMEOUT. */
enum qerr outbox_wait_room(struct session *s, int64_t deadline_ms);
/* The worker, at the end: wait until everything went or deadline_ms. */
enum qerr outbox_drain(struct session *s, int64_t deadline_ms);

/* ---- the flusher: an epoll set of the sessions that could not be written ---- */
enum qerr flusher_new(struct flusher **out);
/* Stop its thread.  NULL is fine. */
void flusher_free(struct flusher *f);

#endif
