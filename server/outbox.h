/* SPDX-License-Identifier: MIT
 *
 * outbox.h - the bytes that wait to go to one session, and who writes them.
 *
 * A thread that has something for a session takes the outbox lock, reserves
 * room, puts (or seals) bytes in place, commits, drops the lock and touches
 * the session.  Once it has dealt with all the input at hand it calls
 * outbox_flush_touched: each touched outbox is written once, so that under
 * load many messages share one write, and one message alone goes out at once.
 * What the socket does not take is left to the flusher thread (flusher.h).
 *
 * Two limits.  Messages (OUTBOX_DATA) are taken while fewer than `soft` bytes
 * wait, whatever their size, so that an outbox holds at most `soft` bytes and
 * one message more; above, the sender waits or the receiver is dropped, as the
 * protocol wishes.  Answers and farewells (OUTBOX_CONTROL) go up to `hard`, on top
 * of such a message as well: a ping must not end whoever is still taking a large
 * file.  A session beyond that is ended.  The memory is given back whenever the
 * outbox runs empty.
 */
#ifndef SERVER_OUTBOX_H
#define SERVER_OUTBOX_H

#include <pthread.h>
#include <stdbool.h>

#include "base/bytes.h"
#include "base/lock.h"

struct session;
struct stream;

enum outbox_class { OUTBOX_DATA, OUTBOX_CONTROL };

struct outbox {
	struct lock lock;
	struct buf data;     /* [lock] bytes before `sent` are written already */
	size_t sent;         /* [lock] */
	uint64_t written;    /* [lock] bytes that the stream has taken since birth */
	size_t soft;         /* [lock] bytes; at birth the settings' */
	size_t hard;         /* [lock] bytes */
	size_t beyond;       /* [lock] bytes above soft, of one large message */
	bool closed;         /* [lock] no more is taken */
	bool broken;         /* [lock] the stream failed: what was here is lost */
	bool in_flusher;     /* [lock] the flusher waits for the socket */
	bool wants_room;     /* [lock] wake the worker when it drained to half of soft */
	unsigned waiters;    /* [lock] threads in outbox_wait_room */
	pthread_cond_t room; /* it drained to half of soft, or was closed */
	int64_t progress_ms; /* [lock] monotonic; while bytes wait: when some last
				 * went, or when they began to wait */
	int unacked;         /* [lock] the flusher's: what the kernel held of those that
				 * went, when it last looked */
	int64_t patience_ms; /* set before others see the session: how long bytes may
				 * wait without progress (flusher.h) */
};

void outbox_init(struct outbox *o, size_t soft, size_t hard);
void outbox_fini(struct outbox *o);

/* Room for n bytes at *at; write them there, then outbox_commit_locked(n' <= n).
 * Q_CLOSED: ended; Q_FULL: DATA while soft or more wait; Q_LIMIT: CONTROL above
 * hard + beyond (once no lock is held, the caller ends the session as GOODBYE_SLOW);
 * Q_NOMEM. */
enum qerr outbox_reserve_locked(struct outbox *o, enum outbox_class class, size_t n,
				uint8_t **at) REQUIRES(o->lock);
void outbox_commit_locked(struct outbox *o, size_t n) REQUIRES(o->lock);
/* Bytes that wait. */
size_t outbox_waiting_locked(struct outbox *o) REQUIRES(o->lock);
/* How many bytes since birth the peer's TCP has acknowledged, at least: what the stream
 * has taken less what the kernel still holds.  Inside TLS the kernel holds a little more
 * than was given, so that too little is counted, never too much, until it holds
 * nothing. */
uint64_t outbox_acked_locked(struct session *s);
/* Reserve, copy, commit under the lock, then touch.  Errors as above; at Q_LIMIT
 * the session has been ended. */
enum qerr outbox_put(struct session *s, enum outbox_class class, struct span bytes);
/* Put bytes as OUTBOX_DATA and write in the same hold of the outbox lock: when nothing
 * waits the stream gets them from where they are, and only what it does not take is
 * copied.  Errors as of outbox_reserve_locked; a stream that fails takes them.  *flushed
 * goes to outbox_flushed when no lock is held any more. */
enum qerr outbox_send_locked(struct session *s, struct span bytes, enum qerr *flushed);
/* Wake s's worker (session_wake) once there is room for OUTBOX_DATA and at most half of
 * soft waits, which may be now; once for any number of calls before that. */
void outbox_want_room_locked(struct session *s);
/* Take no more (the farewell is in). */
void outbox_close_locked(struct outbox *o) REQUIRES(o->lock);

/* Remember s (a reference is taken) for this thread's next
 * outbox_flush_touched.  Not while an outbox lock is held: when the thread's
 * list is full it is flushed at once. */
void outbox_touch(struct session *s);
/* Write every outbox that this thread touched, once.  Never blocks; no lock
 * held. */
void outbox_flush_touched(void);
/* Write now what s's stream takes (touched or not).  As above. */
void outbox_flush(struct session *s);
/* The same in the hold of the outbox lock in which something was put: for who puts once
 * into each of many outboxes, and would find the first ones cold when it comes back.  What
 * it returns goes to outbox_flushed when no lock is held any more. */
enum qerr outbox_flush_locked(struct session *s);
void outbox_flushed(struct session *s, enum qerr e);

/* Wait until s takes OUTBOX_DATA again, at most until deadline_ms (0: until the flusher
 * loses its patience with s).  The caller holds no lock and has flushed what it touched.
 * Q_OK; Q_CLOSED: s ended; Q_TIMEOUT. */
enum qerr outbox_wait_room(struct session *s, int64_t deadline_ms);
/* The worker of a session that has ended: wait for the farewell to be in, and
 * write until nothing waits.  Q_CLOSED: the stream failed; Q_TIMEOUT: deadline_ms
 * (not 0) passed, and what waited is dropped. */
enum qerr outbox_drain(struct session *s, int64_t deadline_ms);

/* For flusher.c: write what the stream takes.  Q_OK: nothing waits any more;
 * Q_FULL: something does; Q_CLOSED, or Q_TIMEOUT when the peer took nothing for
 * too long: the stream failed and the outbox is broken. */
enum qerr outbox_write_locked(struct outbox *o, struct stream *st) REQUIRES(o->lock);

#endif
