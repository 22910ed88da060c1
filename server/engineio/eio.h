/* SPDX-License-Identifier: MIT
 *
 * eio.h - the server's half of Engine.IO, protocol revision 4
 * (https://github.com/socketio/engine.io-protocol): sessions that outlive their
 * connections.
 *
 * An eio_server is what one path serves: limits, handlers, and its sessions.  A session
 * (struct eio) has an id, a queue of what goes to the client, and its own expiry; how it
 * is reached, by polls and posts or by a WebSocket, may change meanwhile, and is nothing
 * that its user sees.  sio.h stands on top.
 *
 * Each has a struct session, its seat: an entry of the session table without a connection
 * of its own, so that the hub finds it by its user, and ctl by its number.  Log in and
 * out there (sessions_login(seat)).  The seat's references are the session's.  The
 * connections that carry it are in the table too, as sessions that nobody logs in.
 *
 * Threads.  Handlers run on the thread of whichever connection brought something, one at
 * a time for one session, with no lock held; they may block.  `closed` comes last, once,
 * perhaps on a thread of the server's own.  All else may be called by any thread, and
 * eio_send and eio_close with locks held that stand above "eio" in server/locks.h.
 *
 *	struct eio_server *server;                      // at the start
 *	eio_server_new(core, &handler, &options, &server);
 *
 *	static void head(struct http *h, struct http_request *r)  // a route (route.h)
 *	{
 *		eio_head(server, h, r);
 *	}
 *	static void serve(struct http *h, struct http_request *r)
 *	{
 *		eio_serve(server, h, r);
 *	}
 */
#ifndef SERVER_ENGINEIO_EIO_H
#define SERVER_ENGINEIO_EIO_H

#include "base/lock.h"
#include "protocol/websocket.h"
#include "server/engineio/bundle.h"
#include "server/http/http.h"

struct eio;
struct eio_server;

/* Milliseconds and bytes. */
struct eio_options {
	int64_t ping_interval_ms;
	int64_t ping_timeout_ms; /* both after the last pong: the session is over */
	size_t max_payload;      /* what the handshake says; a poll carries as much */
	size_t max_message;      /* of a message or a body from the client, until
				  * eio_raise; at most max_payload */
	size_t max_backlog;      /* weight of what waits (bundle_weight); above: slow */
	size_t max_inflight;     /* of large bodies and messages of all sessions together
				  * while they come in */
};

struct eio_handler {
	/* The seats' row: its name, deliver and goodbye are the user's.  goodbye has to
	 * end the session (eio_close, or sio_goodbye); release is eio_release. */
	const struct protocol *row;
	void *arg; /* for eio_arg */
	/* There is a session.  Keep a state for it with eio_set_state.  False: no
	 * memory; the others are not called then. */
	bool (*open)(struct eio *e);
	/* A message; data is valid until it returns. */
	void (*message)(struct eio *e, const struct eio_packet *packet);
	/* Behind one message or more: nothing else has come with them.  What message has
	 * put off in order to do it once for all is done now, before anybody waits, and
	 * before the session is ended for what the client sent.  May be NULL. */
	void (*rest)(struct eio *e);
	/* The session is over: nothing that is sent arrives any more.  Its user is
	 * still logged in at the seat, and is logged out afterwards. */
	void (*closed)(struct eio *e);
	/* The last reference is gone: free the state.  Any thread. */
	void (*free)(void *state);
};

/* core: timers, session table.  handler stays the caller's.  Q_NOMEM. */
enum qerr eio_server_new(struct server *core, const struct eio_handler *handler,
			 const struct eio_options *options, struct eio_server **out);
/* Other limits for sessions that begin from now on (a reload). */
void eio_server_set(struct eio_server *server, const struct eio_options *options);
/* When no connection is left.  Sessions that are still there are closed.  NULL is fine. */
void eio_server_free(struct eio_server *server);
/* How many sessions there are. */
size_t eio_server_count(struct eio_server *server);

/* What the route's head and serve do.  The route has same_origin, the methods
 * EIO_METHODS and a max_body that no max_payload exceeds. */
#define EIO_METHODS (ROUTE_GET | ROUTE_POST | ROUTE_PUT)
void eio_head(struct eio_server *server, struct http *h, struct http_request *r);
void eio_serve(struct eio_server *server, struct http *h, struct http_request *r);

/* ---- a session ---- */
struct session *eio_seat(struct eio *e);  /* borrowed */
struct eio *eio_of(struct session *seat); /* in the row's deliver and goodbye */
void eio_release(struct session *seat);   /* the row's release */
void eio_set_state(struct eio *e, void *state);
void *eio_state(struct eio *e);
void *eio_arg(struct eio *e); /* the handler's */
/* e stays in memory: for whoever keeps a pointer. */
struct eio *eio_ref(struct eio *e);
void eio_unref(struct eio *e); /* hold no lock */

/* Queue b (a reference is taken) and send what can be sent; what goes to a WebSocket is
 * written at this thread's next outbox_flush_touched (worker.c and http do that for
 * workers).  Q_CLOSED: the session is over; Q_FULL: max_backlog, and the session will be
 * ended as slow, soon and on another thread. */
enum qerr eio_send(struct eio *e, struct bundle *b);
/* The same with n of them, in one hold of the session's lock.  Errors are those of the
 * first that was not taken; none behind it is. */
enum qerr eio_send_all(struct eio *e, struct bundle *const *b, size_t n);
/* From the next message on the client may send as much as this (after a login), and
 * bodies may take as long as bytes flow (http.min_rate). */
void eio_raise(struct eio *e, size_t max_message);
/* Closed with 1000 unless something else is set before at_ms; 0: no deadline. */
void eio_deadline(struct eio *e, int64_t at_ms);
/* End it: what is queued goes out as far as it can, then a close packet, or the
 * WebSocket's close with code and reason (may be NULL).  Again: nothing. */
void eio_close(struct eio *e, enum ws_code code, const char *reason);
/* End it, because the client broke the protocol: rest is called, then what is queued is
 * dropped.  In message. */
void eio_fail(struct eio *e, const char *reason);
#define EIO_SID_LEN 20 /* characters of base64url: 120 random bits */
void eio_sid_make(char sid[EIO_SID_LEN + 1]);

/* Is it over? */
bool eio_closed(struct eio *e);

#endif
