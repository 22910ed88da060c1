/* SPDX-License-Identifier: MIT
 *
 * rooms_session.h - what rooms keeps for a connection (session->state), and what the
 * files of this folder offer each other.
 *
 * A connection has two halves.  The lower one (rooms.c, channel.c, account*.c) makes the
 * channel, parses packets, and says who the peer is.  The upper one (rooms, messages,
 * what waits) begins once the peer is logged in, at rooms_arrive, and keeps its own
 * things in rs->inbox.
 *
 * "worker" fields belong to the session's worker; [outbox] ones are guarded by
 * session->out.lock.  Functions are the worker's, and hold no lock, but where they say
 * something else.
 */
#ifndef SERVER_ROOMS_ROOMS_SESSION_H
#define SERVER_ROOMS_ROOMS_SESSION_H

#include "base/uuid.h"
#include "crypto/lane.h"
#include "protocol/rooms.h"
#include "server/config.h"
#include "server/http/ws.h"
#include "server/protocol.h"
#include "server/rooms/uuids.h"
#include "server/server.h"
#include "server/session.h"
#include "store/tokens.h"

struct kex;
struct rooms_origin;
struct room_event;
struct room_info;
struct rooms_inbox;   /* the upper half's, made by rooms_arrive */
struct rooms_pending; /* account.h: a SIGNUP or LOGIN that is not answered yet */

enum rooms_phase {
	ROOMS_SILENT,  /* nothing has come: CONN_INIT must */
	ROOMS_OFFERED, /* CONN_ENCRYPT_S was sent: CONN_ENCRYPT_C must come */
	ROOMS_SEALED,  /* CONN_OK was sent; not logged in */
	ROOMS_IN       /* logged in: user is set, rooms_arrive was called */
};

#define ROOMS_BAD_MAX 10 /* the tenth INVALID_PACKET within ROOMS_BAD_MS is the last */
#define ROOMS_BAD_MS  60000

struct rooms_session {
	struct session *session;     /* the owner of this; no reference */
	const struct config *config; /* as it was when the connection came */

	/* worker */
	struct ws ws;
	enum rooms_phase phase;
	bool settle; /* give back what the last step has left of the stack */
	struct uuids_entry uuid;
	struct kex *kex;               /* OFFERED */
	char *early_token;             /* from CONN_INIT; NULL: none */
	struct lane in;                /* from SEALED on */
	struct rooms_pending *pending; /* NULL: none */
	struct rooms_bad *bad;         /* the last bad packets; NULL: there were none */
	char user[NAME_SIZE];          /* IN: as registered.  Set before other
					     * threads find the session by it; stays */

	struct lane out;           /* [outbox] from SEALED on */
	struct token_id token;     /* [outbox] IN: what it came in with */
	struct rooms_inbox *inbox; /* [outbox] IN; NULL: nothing is delivered here */
};

extern const struct protocol rooms_protocol;

/* ---- sending: the lower half's (channel.c) ---- */

/* Any thread; the caller holds s->out.lock, and touches s once it has dropped it.  Seal
 * one packet (JSON) straight into s's outbox.  Errors as outbox_reserve_locked: at
 * Q_FULL (OUTBOX_DATA) nothing was put and the counter stands; Q_LIMIT (OUTBOX_CONTROL):
 * session_end(s, GOODBYE_SLOW) once no lock is held; Q_CLOSED, Q_NOMEM, Q_CRYPTO. */
enum qerr rooms_send_locked(struct session *s, enum outbox_class class, struct span plain)
    REQUIRES(s->out.lock);
/* Any thread, no lock held: the same with lock and touch; ends s at Q_LIMIT. */
enum qerr rooms_send(struct session *s, enum outbox_class class, struct span plain);
/* As OUTBOX_DATA with patience: waits for room up to limits.sender_wait, then ends the
 * session as slow.  For answers, which are of any size.  Q_OK; else it is over. */
enum qerr rooms_send_wait(struct rooms_session *rs, struct span plain);
/* Write the packet as JSON and rooms_send_wait it. */
enum qerr rooms_answer(struct rooms_session *rs, const struct rooms_packet *p);
/* A STATUS.  room and msg may be NULL, ref.p too.  ROOMS_INVALID_PACKET is counted, and
 * the last one that is borne ends the session. */
enum qerr
rooms_answer_status(struct rooms_session *rs, enum rooms_sig sig, const struct uuid *room,
		    const struct uuid *msg, struct span ref);
/* TRY_LATER, in so many seconds; setting: the limit, NULL: the server is busy. */
enum qerr rooms_answer_later(struct rooms_session *rs, const char *setting,
			     int64_t seconds, struct span ref);
/* BANNED or MUTED, with the sentence about it. */
enum qerr rooms_answer_barred(struct rooms_session *rs, enum rooms_sig sig,
			      const char *text, struct span ref);
/* BANNED, to who has shown to be user. */
enum qerr
rooms_answer_banned(struct rooms_session *rs, const char *user, struct span ref);
/* SERVER_ERROR; what was tried and why it failed are logged. */
enum qerr rooms_answer_failed(struct rooms_session *rs, const char *what, enum qerr e,
			      const struct uuid *room, struct span ref);

/* ---- chat keys: the lower half's (keys.c) ---- */

/* Make pem one of the user's chat keys, and have rooms_announce_key say so if it is new.
 * ROOMS_CHAT_PUBKEY_OK, ROOMS_CHAT_PUBKEY_INVALID, ROOMS_SERVER_ERROR.  origin: as in
 * room_post.  Any thread; blocks on the disk. */
enum rooms_sig rooms_key_add(struct server *server, const char *user, struct span pem,
			     struct rooms_origin *origin);

/* ---- the upper half ---- */

/* Who causes an event: `origin` of room_post and room_ask, valid until they return.  The
 * connection does not hear of its own CHAT_ACTIONs; ROOM_INFO and ROOM_ALTERED are its
 * answers, and have their place among the room's other events. */
struct rooms_origin {
	struct session *session;
	struct span ref; /* of the request; p NULL: none */
	bool answers;    /* it is to be told, as the answer, ... */
	bool answered;   /* ... and was; set before post or ask return, under the outbox
			  * lock, else catching up does it */
};

/* rs->user is set and the session wakeable; nobody finds it by its user yet.  Make
 * rs->inbox: events that are told from now on are remembered, not sent.  Q_NOMEM, ...: the login fails. */
enum qerr rooms_arrive(struct rooms_session *rs);
/* LOGIN_OK was sent: send what waits, then QUEUE_END.  Need not be all of it at once:
 * rooms_woken goes on.  Not Q_OK: the session is ended. */
enum qerr rooms_enter(struct rooms_session *rs);
/* The worker was woken (session_wake): send what is owed, as far as the outbox takes it;
 * what timers ask for. */
void rooms_woken(struct rooms_session *rs);
/* A packet of a connection that is logged in, of a type that is about rooms.  Answers;
 * p belongs to the caller. */
void rooms_request(struct rooms_session *rs, const struct rooms_packet *p);
/* The connection ends or logs out; also after rooms_arrive alone.  From here on nothing
 * is delivered to it.  Before anything else of the end; more may still be written. */
void rooms_leave(struct rooms_session *rs);
/* The session's last reference is gone, nothing will be written any more: settle
 * positions and free rs->inbox (NULL: nothing to do).  Any thread.  Also right behind
 * rooms_leave when a login fails after rooms_arrive. */
void rooms_inbox_free(struct rooms_session *rs);
/* Any thread: post the PUBKEY event in every room of the user.  dropped: KEYID of the
 * key that it pushed out, or "". */
void rooms_announce_key(struct server *server, const char *user, struct span pem,
			const char *dropped, struct rooms_origin *origin);
/* rooms_told of store/rooms.h; arg is the struct server. */
void rooms_told_cb(void *arg, const struct room_info *info,
		   const struct room_event *events, size_t n);

/* Once a second, before rooms_save, by one thread at a time, no lock held; may block on
 * the disk: move the positions of those who have had what was sent to them. */
void rooms_settle_all(struct server *server);

#endif
