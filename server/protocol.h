/* SPDX-License-Identifier: MIT
 *
 * protocol.h - what the core knows of a protocol: one row of functions.
 *
 * Adding a protocol adds a codec (protocol/NAME.c), a server part
 * (server/NAME/), tests, and one line in protocols.c.  The core never asks
 * "which protocol is it?": it calls through the row.
 */
#ifndef SERVER_PROTOCOL_H
#define SERVER_PROTOCOL_H

#include "base/bytes.h"
#include "server/session.h"

/* Something that happened and that a session is to be told.  Each protocol
 * renders it in its own way, or ignores what it cannot say. */
enum event_kind {
	EVENT_NOTICE,       /* text from the administrator (ctl say) */
	EVENT_MESSAGES,     /* count messages of a shared chat, in the file's order */
	EVENT_CHAT_DELETED, /* a shared chat is gone for both of its members */
	EVENT_CHAT_MADE,    /* there is a new one, of which the user is a member */
	EVENT_CONTACT       /* name asks for the session's user, or has confirmed */
};
struct chat_info;
struct shared_chat;
struct shared_message;
/* What a protocol makes of an event for one session, and keeps for the next ones: all are
 * told by one thread, one after the other. */
struct event_slot {
	void *p; /* NULL at first */
	void (*drop)(void *p);
};
struct event {
	enum event_kind kind;
	struct span text;                      /* NOTICE; CHAT_MADE: its title */
	struct shared_chat *chat;              /* MESSAGES, CHAT_DELETED */
	const struct shared_message *messages; /* MESSAGES */
	size_t count;                          /* MESSAGES */
	const struct session *sender;          /* MESSAGES: whose they are, or NULL */
	struct event_slot *slot;               /* MESSAGES */
	const struct chat_info *made;          /* CHAT_MADE */
	const char *name;                      /* CONTACT */
};

struct protocol {
	const char *name;
	bool notices; /* has a word for EVENT_NOTICE, and so may hear of it */
	bool opaque;  /* bytes pass unread: whoever is muted may have no session of it */
	/* Do these first bytes (at least one) belong to it?  Q_OK yes, Q_FORMAT
	 * no, Q_SHORT cannot tell yet.  Pure. */
	enum qerr (*recognise)(struct span first);
	/* Make and drop what all its sessions share.  stop is called when no
	 * session is left.  Either may be NULL. */
	enum qerr (*start)(struct server *server, struct why *why);
	void (*stop)(struct server *server);
	/* Nobody comes in any more, and all sessions will be ended: make none from here
	 * on.  Between start and stop; may be NULL. */
	void (*quiet)(struct server *server);
	/* Settings were read anew (config_now).  Between start and stop; may be NULL. */
	void (*reload)(struct server *server);
	/* The sessions of user have been ended, and it is about to be removed: last words
	 * about it, while it is still known.  May wait a moment; may be NULL. */
	void (*removing)(struct server *server, const char *user);
	/* On the worker, from the first bytes (unconsumed in session_input) to
	 * the end.  Returns when the session is over; it has told partners and
	 * left every list by then.  The handshake's deadline is running: serve
	 * takes it away (session_deadline) once the peer has shown who it is.
	 * NULL: it recognises nothing, and is reached through HTTP (http_become). */
	void (*serve)(struct session *s);
	/* Any thread, no lock held: render event into s's outbox and touch it. */
	void (*deliver)(struct session *s, const struct event *event);
	/* Any thread, no lock held: put the farewell into s's outbox.  Called at
	 * most once, by session_end.  text may be NULL. */
	void (*goodbye)(struct session *s, enum goodbye why, const char *text);
	/* The last reference to s is gone: free s->state (may be NULL). */
	void (*release)(struct session *s);
};

/* The rows in the order in which they are tried, NULL at the end. */
extern const struct protocol *const protocols[];
/* Which row do these bytes (at least one) belong to?  Q_OK; Q_SHORT: more bytes
 * may tell; Q_FORMAT: none of them. */
enum qerr protocol_recognise(struct span first, const struct protocol **out);

#endif
