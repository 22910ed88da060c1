/* SPDX-License-Identifier: MIT
 *
 * sio.h - the server's half of Socket.IO, protocol revision 5
 * (https://github.com/socketio/socket.io-protocol): events with arguments,
 * acknowledgements and attachments in namespaces, over Engine.IO (eio.h).
 *
 * The user of this module names its namespaces and gives callbacks.  A client (struct sio)
 * is one Engine.IO session; in each namespace it is connected or not.  What is malformed
 * ends the session here and is never seen by the user.
 *
 * Arguments stay JSON text in both directions: what is passed on is passed on as it was
 * written, and whoever wants values parses it (protocol/json.h).  Text that arrives is
 * valid JSON and UTF-8; it may hold \u0000 and be nested deeply.
 *
 * Threads.  Callbacks of one client come one at a time and in the order of what the
 * client sent, with no lock held, on the thread of the connection that brought it; they
 * may block.  Everything else: any thread; sio_emit, sio_ack, sio_leave and sio_end also
 * with locks held that stand above "eio" in server/locks.h.  What one thread emits
 * arrives in that order.
 *
 *	event: chat-msg from A, in A's callback
 *	    sio_event_new("/", "chat-msg", args, NULL, 0, &b)
 *	    for each receiver: sio_emit(receiver, SPACE, b)      one copy for all
 *	    bundle_unref(b)
 *	    sio_emit_args(a, SPACE, "chat-response", "1,\"OK\"")
 *	    sio_ack(a, call, "1,\"OK\"")
 */
#ifndef SERVER_ENGINEIO_SIO_H
#define SERVER_ENGINEIO_SIO_H

#include "protocol/socketio.h"
#include "server/engineio/eio.h"

struct sio;
struct sio_server;

#define SIO_SPACES_MAX 8

/* An event.  Everything is valid until the callback returns. */
struct sio_call {
	unsigned space;       /* the place of its namespace in sio_handler.spaces */
	struct span name;     /* without quotes, escapes resolved; of an ack: empty */
	struct span args;     /* those behind it, as sent: "1,{\"a\":[]}", or empty */
	struct sio_args each; /* the same one by one: copy it, and sio_args_next gives
			       * each as text, and Q_MISSING behind the last */
	bool wants_ack;
	uint64_t ack_id;
	struct blob *const *blobs; /* attachments; blob_ref what is to stay */
	unsigned blob_count;
};
/* The attachment that an argument stands for, borrowed; NULL: it stands for none. */
struct blob *sio_call_blob(const struct sio_call *call, struct span arg);

struct sio_handler {
	/* The seats' row (eio.h): deliver and goodbye are the user's, release is
	 * eio_release.  Its goodbye says what it has to say and calls sio_goodbye. */
	const struct protocol *row;
	/* Namespaces, NULL at the end; CONNECT to another one is refused. */
	const char *const *spaces;
	unsigned max_blobs; /* attachments of one event; more is malformed */

	/* Each but event may be NULL. */
	/* Make what the user keeps for a client (sio_set_user), before its first
	 * connect.  False: no memory. */
	bool (*open)(struct sio *s);
	/* It has connected, and was told so.  auth: the payload, a JSON object as sent;
	 * empty when there was none. */
	void (*connect)(struct sio *s, unsigned space, struct span auth);
	void (*event)(struct sio *s, const struct sio_call *call);
	/* As eio_handler's: behind one event or more that came together; and before
	 * disconnect, as long as the client is connected. */
	void (*rest)(struct sio *s);
	/* The client acknowledges what was emitted with that id. */
	void (*ack)(struct sio *s, const struct sio_call *call);
	/* It has left the namespace, or the session is over: once for each connect but
	 * where sio_leave was called. */
	void (*disconnect)(struct sio *s, unsigned space);
	/* The session is over, behind the last disconnect; its user is still logged in
	 * at the seat, and is logged out afterwards. */
	void (*closed)(struct sio *s);
	/* The last reference is gone: free what sio_set_user was given.  Any thread. */
	void (*free)(void *user);
};

struct sio_options {
	struct eio_options transport;
	int64_t connect_timeout_ms; /* to the first CONNECT */
};

/* As eio_server_new, _set, _free. */
enum qerr sio_server_new(struct server *core, const struct sio_handler *handler,
			 const struct sio_options *options, struct sio_server **out);
void sio_server_set(struct sio_server *server, const struct sio_options *options);
void sio_server_free(struct sio_server *server);
/* For eio_head and eio_serve, and its count. */
struct eio_server *sio_transport(struct sio_server *server);

/* ---- a client ---- */
struct session *sio_seat(struct sio *s);  /* borrowed; log in and out there */
struct sio *sio_of(struct session *seat); /* in the row's deliver and goodbye */
void sio_set_user(struct sio *s, void *user);
void *sio_user(struct sio *s);
struct sio *sio_ref(struct sio *s);
void sio_unref(struct sio *s); /* hold no lock */
bool sio_connected(struct sio *s, unsigned space);
/* After a login: limits of messages are these from now on (eio_raise). */
void sio_raise(struct sio *s, size_t max_message);

/* Render an event once for all its receivers.  args: values with commas between, as JSON;
 * an attachment is {"_placeholder":true,"num":N} (sio_placeholder_put).  name is plain
 * ASCII without quotes.  Q_NOMEM; Q_LIMIT: too many blobs. */
enum qerr sio_event_new(const char *space, const char *name, struct span args,
			struct blob *const *blobs, unsigned count, struct bundle **out);
/* Send it, if the client is connected there.  Q_CLOSED, Q_FULL as eio_send. */
enum qerr sio_emit(struct sio *s, unsigned space, struct bundle *event);
/* The same with n of them (eio_send_all). */
enum qerr
sio_emit_all(struct sio *s, unsigned space, struct bundle *const *events, size_t n);
/* Both at once, without attachments. */
enum qerr
sio_emit_args(struct sio *s, unsigned space, const char *name, struct span args);
/* Acknowledge call, if that is wanted; errors also as sio_event_new. */
enum qerr sio_ack(struct sio *s, const struct sio_call *call, struct span args,
		  struct blob *const *blobs, unsigned count);

/* Make it leave the namespace (`41`); the transport stays, disconnect is not called. */
void sio_leave(struct sio *s, unsigned space);
enum sio_end {
	SIO_END_RETURN, /* no `41`: the stock client comes back by itself */
	SIO_END_FINAL   /* `41` first: it does not */
};
/* End the transport; reason (may be NULL) goes into a WebSocket's close. */
void sio_end(struct sio *s, enum sio_end how, const char *reason);
/* The end of a row's goodbye: returns to come for a shutdown and a slow receiver, final
 * for the rest. */
void sio_goodbye(struct session *seat, enum goodbye why, const char *text);

#endif
