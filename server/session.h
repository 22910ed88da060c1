/* SPDX-License-Identifier: MIT
 *
 * session.h - one connection from accept to close, and the table of them all.
 *
 * A session is counted: the table holds one reference, its worker one, and
 * whoever looked it up one.  Its worker alone reads (session_fill) and runs the
 * protocol; other threads put events into its outbox or end it.
 */
#ifndef SERVER_SESSION_H
#define SERVER_SESSION_H

#include <bsd/sys/tree.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdint.h>

#include "base/name.h"
#include "server/outbox.h"
#include "server/stream.h"
#include "server/timer.h"

struct server;
struct protocol;
struct sessions;

/* An address as an identity for limits: IPv4 is kept as an IPv4-mapped IPv6
 * address, the port apart. */
struct address {
	struct in6_addr ip;
	uint16_t port;
};
#define ADDRESS_SIZE 56 /* "[2001:db8::1]:65535" or "192.0.2.1:65535" and a NUL */
void address_text(const struct address *a, char out[ADDRESS_SIZE]);

/* Why a session ends; protocols choose their farewell by it. */
enum goodbye {
	GOODBYE_NONE = 0,  /* still alive */
	GOODBYE_SELF,      /* the peer left or the worker ended it: no farewell */
	GOODBYE_REPLACED,  /* the same user logged in again */
	GOODBYE_KICKED,    /* an administrator; text is the reason */
	GOODBYE_SHUTDOWN,  /* the server stops */
	GOODBYE_ERROR,     /* the peer broke the protocol; text says how */
	GOODBYE_SLOW,      /* it does not read what we send */
	GOODBYE_REMOVED    /* the user was removed or its key changed */
};

struct session {
	uint64_t id;			/* 1.., never used again */
	atomic_uint refs;
	struct server *server;
	struct stream *stream;
	_Atomic(const struct protocol *) protocol; /* NULL until recognised */
	struct address peer;
	char peer_text[ADDRESS_SIZE];
	int64_t since_ms;		/* wall clock */

	struct buf in;			/* worker: bytes read */
	size_t in_used;			/* worker: of these, consumed */
	struct outbox out;
	void *state;			/* the protocol's; freed by protocol->release */

	atomic_int ending;		/* enum goodbye */
	struct timer deadline;
	atomic_bool timed_out;

	RB_ENTRY(session) by_id;	/* [sessions] */
	RB_ENTRY(session) by_user;	/* [sessions] while user is not "" */
	char user[NAME_SIZE];		/* [sessions] set at login, then fixed */
};

/* ---- one session ---- */
/* A session on stream (consumed, also on failure), one reference for the
 * caller.  NULL: no memory. */
struct session *session_new(struct server *server, struct stream *stream,
    const struct address *peer);
struct session *session_ref(struct session *s);
void session_unref(struct session *s); /* NULL is fine */

/* The bytes read and not yet consumed; valid until the next session_fill or
 * session_consume.  The worker may change them in place (to decrypt). */
struct span session_input(struct session *s);
void session_consume(struct session *s, size_t n);
/* Worker: flush what this thread touched, then read what there is, waiting for
 * at least one byte; the buffer grows up to max bytes unconsumed (Q_LIMIT when
 * it is full).  With nothing buffered the waiting costs no buffer.  Q_OK;
 * Q_CLOSED: end of stream, or the session was ended; Q_TIMEOUT: the deadline;
 * Q_NOMEM; Q_SYS. */
enum qerr session_fill(struct session *s, size_t max);
/* Worker: everything that must come (a login, the rest of a request) has to
 * come before at_ms (monotonic); 0 takes the deadline away. */
void session_deadline(struct session *s, int64_t at_ms);
/* Any thread, no lock held: end s.  The first call wins: the protocol's
 * goodbye puts its farewell into the outbox, the outbox closes, the worker
 * comes out of its read.  text may be NULL.  Does not wait. */
void session_end(struct session *s, enum goodbye why, const char *text);
bool session_ended(const struct session *s);
/* Worker: give back stack pages and libcrypto's thread state after a handshake;
 * the session will mostly be idle from here. */
void session_settle(struct session *s);

/* ---- the table ---- */
enum qerr sessions_new(struct sessions **out);
void sessions_free(struct sessions *t); /* it must be empty; NULL is fine */
/* Number s and enter it (the table takes a reference).  Q_LIMIT: more than
 * max_total sessions, or per_address from its address (0: no limit). */
enum qerr sessions_add(struct sessions *t, struct session *s, size_t max_total,
    size_t per_address);
void sessions_remove(struct sessions *t, struct session *s);

enum login_rule {
	LOGIN_REPLACE, /* older sessions of that user and protocol must go */
	LOGIN_REFUSE,  /* Q_EXISTS when there is one */
	LOGIN_ADD      /* any number */
};
/* s now belongs to user.  With LOGIN_REPLACE *older is a session (a reference)
 * that the caller ends, or NULL.  Q_EXISTS. */
enum qerr sessions_login(struct sessions *t, struct session *s, const char *user,
    enum login_rule rule, struct session **older);
/* It no longer does (the connection may go on). */
void sessions_logout(struct sessions *t, struct session *s);

/* A reference to the session with that id, or NULL. */
struct session *sessions_find(struct sessions *t, uint64_t id);
/* A NULL-terminated array of references: the sessions of user in protocol (NULL:
 * any), or with user NULL all sessions.  Free with sessions_list_free.  NULL:
 * no memory. */
struct session **sessions_list(struct sessions *t, const char *user,
    const struct protocol *protocol, size_t *count);
void sessions_list_free(struct session **list);
size_t sessions_count(struct sessions *t);
/* Is user logged in anywhere? */
bool sessions_online(struct sessions *t, const char *user);

#endif
