/* SPDX-License-Identifier: MIT
 *
 * session.h - one connection from accept to close.
 *
 * A session is counted: the table (sessions.h) holds one reference, its worker
 * one, and whoever looked it up one.  Its worker alone reads (session_fill) and
 * runs the protocol; other threads put events into its outbox or end it.
 */
#ifndef SERVER_SESSION_H
#define SERVER_SESSION_H

#include <bsd/sys/tree.h>
#include <stdatomic.h>
#include <stdint.h>

#include "base/name.h"
#include "server/address.h"
#include "server/flusher.h"
#include "server/limits.h"
#include "server/outbox.h"
#include "server/pace.h"
#include "server/sessions.h"
#include "server/stream.h"
#include "server/timer.h"

struct protocol;
struct server;
struct sessions_source;

/* Why a session ends; protocols choose their farewell by it. */
enum goodbye {
	GOODBYE_NONE = 0, /* still alive */
	GOODBYE_SELF,     /* the peer left or the worker ended it: no farewell */
	GOODBYE_REPLACED, /* the same user logged in again */
	GOODBYE_KICKED,   /* an administrator; text is the reason */
	GOODBYE_SHUTDOWN, /* the server stops */
	GOODBYE_ERROR,    /* the peer broke the protocol; text says how */
	GOODBYE_SLOW,     /* it does not read what we send */
	GOODBYE_REMOVED   /* the user was removed or its key changed */
};

struct session {
	uint64_t id; /* 1.., never used again; set by the table */
	atomic_uint refs;
	struct server *server;
	_Atomic(struct stream *) stream; /* the worker may put another around it */
	_Atomic(const struct protocol *) protocol; /* NULL until recognised */
	struct address peer;
	char peer_text[ADDRESS_SIZE];
	int64_t since_ms; /* wall clock */

	struct buf in;    /* worker: bytes read */
	size_t in_used;   /* worker: of these, consumed */
	struct pace pace; /* worker: does the peer stream? */
	struct outbox out;
	_Atomic(const void *) toucher; /* outbox.c: whose list s is on */
	struct flusher_entry flushing;
	void *state;                    /* the protocol's; freed by protocol->release */
	void (*then)(struct session *); /* worker: what comes next, or NULL */

	atomic_int ending; /* enum goodbye */
	int counting;      /* [sessions] enum session_counting */
	struct timer deadline;
	RB_ENTRY(session) by_id;        /* [sessions] */
	RB_ENTRY(session) by_user;      /* [sessions] while logged_in */
	struct sessions_source *source; /* [sessions] its address there; NULL: not in */
	uint64_t user_hash;             /* [sessions] of user, while logged_in */
	struct limits_grip grip;        /* limits.c */

	bool rests; /* worker: what comes next has a thread of its own */
	atomic_bool timed_out;
	atomic_bool deaf;     /* its reading side was shut by another thread */
	bool logged_in;       /* [sessions] */
	char user[NAME_SIZE]; /* [sessions] as registered; stays after logout */
};

/* A session on stream (consumed, also on failure), one reference for the
 * caller.  NULL: no memory. */
struct session *
session_new(struct server *server, struct stream *stream, const struct address *peer);
struct session *session_ref(struct session *s);
/* The last one frees s: hold no lock.  NULL is fine. */
void session_unref(struct session *s);

/* The calling thread is s's worker from here on. */
void session_adopt(struct session *s);
/* Is the calling thread s's worker? */
bool session_is_worker(const struct session *s);

/* The bytes read and not yet consumed; valid until the next session_fill or
 * session_consume.  The worker may change them in place (to decrypt). */
struct span session_input(struct session *s);
void session_consume(struct session *s, size_t n);
/* Worker: flush what this thread touched, then read what there is, waiting for
 * at least one byte; at most max bytes are ever held unconsumed (Q_LIMIT when
 * that many are).  With nothing buffered the waiting costs no buffer; a peer that
 * streams small messages is read in gulps (pace.h).  Q_OK;
 * Q_SHORT: woken (session_wake), nothing was read; Q_CLOSED: end of stream, or the
 * session was ended; Q_TIMEOUT: the deadline; Q_NOMEM; Q_SYS. */
enum qerr session_fill(struct session *s, size_t max);
/* Worker: from now on session_wake brings session_fill back.  Waiting then costs a
 * poll(2) more, and a descriptor.  Q_NOMEM. */
enum qerr session_wakeable(struct session *s);
/* Any thread, any lock held: the worker's session_fill, the one at hand or the next,
 * returns Q_SHORT, once for any number of calls before that.  For sessions that
 * asked for it; nothing happens to others. */
void session_wake(struct session *s);
/* Worker, or a job that it will wait for: everything that must come (a login, the rest of
 * a request) has to come before at_ms (monotonic); 0 takes the deadline away.  A deadline that
 * passed is final: nothing is read any more. */
void session_deadline(struct session *s, int64_t at_ms);

/* Any thread, no lock held: end s.  The first call wins: the protocol's
 * goodbye puts its farewell into the outbox (not for GOODBYE_SELF), the outbox
 * closes and is written as far as the socket takes it, the worker comes out of
 * its read.  Also flushes what this thread touched.  text may be NULL.  Does not
 * wait. */
void session_end(struct session *s, enum goodbye why, const char *text);
bool session_ended(const struct session *s);

/* Worker, right before serve returns: go on with then(s), from the bottom of the
 * worker's stack, whose pages below were given back.  For after a handshake or a login,
 * which reach deeper than what follows: mostly the session will be idle. */
void session_continue(struct session *s, void (*then)(struct session *s));
/* The same on a thread of its own, for a session that will be idle, mostly: what malloc
 * and libcrypto keep for this thread, which has done more than that one will, stays here,
 * for the next session.  It costs a thread.  Without one: session_continue. */
void session_rest(struct session *s, void (*then)(struct session *s));

#endif
