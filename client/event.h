/* SPDX-License-Identifier: MIT
 *
 * event.h - what the library tells a front.  Every front shows the same events;
 * every protocol tells what happens in it with these, or adds a kind here.
 *
 * Everything in an event is borrowed for the length of the call.  Names obey
 * base/name.h; those of rooms have a '#' in front.  Text comes from others as it came (a message's need not even be
 * UTF-8): a front shows it through text_visible.
 */
#ifndef CLIENT_EVENT_H
#define CLIENT_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum client_event_kind {
	CLIENT_CONNECTED,    /* text: the server's address; not yet known who it is */
	CLIENT_LOGGED_IN,    /* name: we */
	CLIENT_ENROLLED,     /* name: we; text: the CA in PEM, proven by the code */
	CLIENT_LIST_NAME,    /* name: one who is free; */
	CLIENT_LIST_END,     /* the list is complete */
	CLIENT_REQUEST_FROM, /* name: asks for a chat */
	CLIENT_REQUEST_WITHDRAWN, /* name: no longer asks */
	CLIENT_REQUEST_DENIED,    /* name: no chat with them: no, busy, or not here */
	CLIENT_CHAT_READY,  /* name; fingerprint: of their long-term key, perhaps "";
			    * count: 1 when it is verified */
	CLIENT_MESSAGE,     /* name: from; text; time_ms: when, 0: now; old; id: its
			     * number, 0: it has none */
	CLIENT_CHAT_CLOSED, /* name; text: why, a phrase */
	CLIENT_NOTICE,      /* text: from the server's administrator */
	CLIENT_UNKNOWN,     /* name; text: came from them and cannot be shown, a phrase */

	/* Keys of people.  After CLIENT_KEY_CHANGED the chat is closed, for this reason. */
	CLIENT_KEY_NEW,     /* name; fingerprint: seen for the first time, and pinned */
	CLIENT_KEY_CHANGED, /* name; fingerprint: shown now; text: the pinned one's */
	CLIENT_KEY_TRUSTED, /* name; fingerprint: pinned; text: what was pinned before */
	CLIENT_SAFETY,      /* name; text: the safety number; count: 1 when verified */
	CLIENT_VERIFIED,    /* name; count: 1, or 0 for not any longer */

	/* What was kept here.  No message of now: nothing is unread because of it. */
	CLIENT_HISTORY,     /* name: who said it, perhaps we; text; time_ms */
	CLIENT_HISTORY_END, /* name: with whom; count: so many were shown */
	CLIENT_CLEARED, /* name: with whom nothing is kept any longer, or NULL; a front
			     * that keeps lines on its screen forgets them */

	CLIENT_DONE,         /* text: what was asked for has been done, a phrase */
	CLIENT_FAILED,       /* text: what was asked for cannot be, a sentence */
	CLIENT_CONTACT,      /* name: one of ours; time_ms: since; count: unread */
	CLIENT_CONTACTS_END, /* that was all; count: how many */
	CLIENT_CONTACT_ASKS, /* name: would like to be one */
	CLIENT_CONTACT_NOW,  /* name: is one from now on */
	CLIENT_CHAT_KEPT,    /* name: with whom there is a chat; count: unread; type: what
			       * kind of room, or NULL; text: the room's own name */
	CLIENT_CHATS_END,    /* that was all; count: how many; type: what they are, NULL:
			       * chats */
	CLIENT_UNREAD,       /* name: has written; count: messages not shown yet */
	CLIENT_FILE,         /* name: from; id; text: what they call it; type, or NULL
			       * when not looked at; count: bytes */
	CLIENT_FILE_CONTENTS, /* the same, and content */

	/* Files end to end, while they travel (client/transfer.h); transfer says which
	 * way and how far.  name: the partner; text: what its sender calls the file. */
	CLIENT_FILE_OFFERED,  /* out: the partner was asked; in: /get or /refuse */
	CLIENT_FILE_BEGUN,    /* accepted */
	CLIENT_FILE_PROGRESS, /* about twice a second */
	CLIENT_FILE_DONE,     /* all is there, and right; in: transfer->path */
	CLIENT_FILE_FAILED,   /* transfer->reason */

	/* Rooms.  id: a message's number. */
	CLIENT_CAPTCHA,    /* content: a PNG, whose digits are the answer */
	CLIENT_ROOM,       /* name: a room; text: what has happened there, a phrase */
	CLIENT_SENT,       /* id: is stored now */
	CLIENT_EDITED,     /* name: who has; id; text: the new one */
	CLIENT_ERASED,     /* name: who has; id; text: why, perhaps empty */
	CLIENT_PINNED,     /* name: who has; id; count: 1, or 0 for not any longer */
	CLIENT_READ,       /* name: has read all up to id */
	CLIENT_REPLAY_END, /* count: so many were shown; text: a phrase, perhaps empty */

	/* Calls (client/nodes.h). */
	CLIENT_DELIVERED, /* name: has got; text: this message of ours, or as much as is
			   * known of it */
	CLIENT_PINGED,    /* name: answered, or NULL: the server did; count: after so many
			* microseconds */
	CLIENT_NODE,      /* text: where another server is, HOST:PORT */
	CLIENT_NODES_END, /* that was all; count: how many */

	/* A connection that is kept (client/keep.h). */
	CLIENT_UNSENT, /* name: to whom; text: a message that may not have arrived */
	CLIENT_AWAY,   /* text: why there is no connection, a sentence; time_ms: so long
			* until the next attempt; count: how many have failed */
	CLIENT_BACK,   /* logged in again; name: with whom a chat had broken off, or NULL;
			* count: 1 when it is open again */

	/* The last event of a client is exactly one of these; text: a sentence. */
	CLIENT_LOGGED_OUT,    /* as we wanted */
	CLIENT_REFUSED,       /* before login: we do not trust it, or it not us */
	CLIENT_FORCED_LOGOUT, /* text: the server's reason, perhaps empty */
	CLIENT_LOST /* the connection failed, or the server broke the protocol */
};

/* A file on its way. */
struct client_transfer {
	bool outgoing;
	uint64_t size, done; /* bytes */
	uint64_t rate;       /* bytes a second, lately; 0: not known */
	int64_t left_ms;     /* until it is done at that rate; -1: not known */
	const char *path;    /* where it was stored; else NULL */
	struct span reason;  /* a phrase, perhaps the partner's: shown like a text */
	bool by_us;          /* it has failed because the person wanted it so */
};

struct client_event {
	enum client_event_kind kind;
	const char *name;
	const char *fingerprint;
	struct span text;
	uint64_t id, count;
	int64_t time_ms;
	const char *type; /* printable ASCII */
	struct span content;
	const struct client_transfer *transfer; /* CLIENT_FILE_OFFERED to _FAILED */
	bool old;   /* a message that has waited, or is a replay */
	bool again; /* a final one: it may be different in a while; CLIENT_REFUSED with a
		     * count: unless it happens more often than that in a row */
};

/* Called from within the library's calls, in the caller's thread.  It may call
 * client_do, but not client_step or client_free. */
typedef void client_event_fn(void *arg, const struct client_event *event);

#endif
