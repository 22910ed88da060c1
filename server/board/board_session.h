/* SPDX-License-Identifier: MIT
 *
 * board_session.h - what board keeps for a connection (an Engine.IO session), and what
 * the files of this folder offer each other.
 *
 * Two halves.  The lower one knows who the peer is: board.c, dispatch.c, args.c, login.c
 * and what stands by them.  The upper one (chats.c and what stands by it) knows chats,
 * and keeps what it needs in board_session.chats.
 *
 * Threads.  Operations, board_chats_leave included, are called in the connection's turn:
 * one at a time, no lock held, they may block.  Deliver functions are called by anybody's
 * thread and never block.  "turn" fields are the turn's.  [lock] ones are written in a
 * turn with the lock held, so a turn reads them without it, others with it; the lock
 * stands above "eio" in server/locks.h, so that events may be emitted while it is held,
 * and two of them are never held at once.
 *
 *	const char *
 *	board_leave_chat(struct board_session *bs, struct board_call *call)
 *	{
 *		uint64_t anons_id, chat_id;
 *
 *		if (!board_arg_id(call, &anons_id) || !board_arg_id(call, &chat_id))
 *			return BOARD_BAD_ARGUMENTS;
 *		...
 *		board_answer(bs, call, buf_span(&args));  // "7,12,\"OK\"", then the
 *		return NULL;                              // acknowledgement (1, "OK")
 *	}
 */
#ifndef SERVER_BOARD_BOARD_SESSION_H
#define SERVER_BOARD_BOARD_SESSION_H

#include "base/lock.h"
#include "base/name.h"
#include "protocol/json.h"
#include "server/board/board.h"
#include "server/config.h"
#include "server/engineio/sio.h"
#include "server/limits.h"
#include "server/server.h"
#include "server/session.h"
#include "store/tokens.h"

#define BOARD_SPACE      0 /* the one namespace, for sio_emit */
#define BOARD_SPACE_NAME "/"

struct board_chats;
struct board_run;

struct board_session {
	struct sio *sio; /* the owner of this; no reference */
	struct server *server;

	struct lock lock;
	char user[NAME_SIZE];      /* [lock] as registered; "" when not logged in */
	struct board_chats *chats; /* the upper half's; NULL at first, and it frees it
				    * in board_chats_leave */

	struct board_run *run; /* turn: the upper half's, what was said and is not posted
				* yet; NULL: nothing */

	uint32_t uin;          /* turn: that user's */
	atomic_bool guest;     /* that user had neither password nor key */
	struct token_id token; /* turn: while logged in; it ends at the logout */
	char *lent_password;   /* turn: from CONNECT; NULL: none */
	size_t max_message;    /* [const] after a login */
};

static inline bool
board_logged_in(const struct board_session *bs)
{
	return bs->user[0] != '\0';
}

/* The connection of a seat that the session table gave: borrowed, valid as long as the
 * seat's reference is held.  The seat's protocol has to be &board_protocol. */
struct board_session *board_of(struct session *seat);

/* ---- an event that came (dispatch.c) ---- */

struct board_call;

/* Deal with an event of which the arguments are there to be taken.  NULL: it was
 * answered, or will be (board_run_post).  Else why not, in words for people: the answer
 * that the table's row asks for is given then, with the acknowledgement (-1, reason). */
typedef const char *board_operation(struct board_session *bs, struct board_call *call);

/* How an event that failed is answered. */
enum board_shape {
	BOARD_STATUS, /* (-1, reason) */
	BOARD_LIST,   /* (-1, [], reason) */
	BOARD_CHAT,   /* (anons_id as sent or -1, -1, reason) */
	BOARD_SILENT  /* the acknowledgement alone */
};

struct board_event {
	const char *name;
	board_operation *act;
	const char *answer; /* the response's name */
	enum board_shape shape;
	bool before_login; /* may come then, too */
};

#define BOARD_TEXTS_MAX 4 /* arguments of one event that are text */

struct board_call {
	const struct sio_call *sio;
	const struct board_event *event;
	struct sio_args rest;           /* arguments that were not taken */
	json_t *texts[BOARD_TEXTS_MAX]; /* what owns decoded ones */
	unsigned text_count;
	struct why why; /* room for a reason that has to be composed */
};

#define BOARD_OK            "OK"
#define BOARD_BAD_ARGUMENTS "Bad arguments"
#define BOARD_NO_SUCH_CHAT  "No such chat"

/* ---- arguments, taken one after the other (args.c) ---- */
/* All of them have been looked at: JSON, UTF-8, nested at most 8 deep, no U+0000.  False:
 * it is missing or of another kind (BOARD_BAD_ARGUMENTS); the output is unchanged. */
bool board_arg_id(struct board_call *call, uint64_t *out); /* 0..2^53-1 */
/* Borrowed from the call. */
bool board_arg_text(struct board_call *call, struct span *out);
bool board_arg_blob(struct board_call *call, struct blob **out);
/* Is there one more?  For those that may be left out. */
bool board_arg_more(const struct board_call *call);

/* ---- answers (dispatch.c) ---- */
/* The response with args (JSON values with commas between), then the acknowledgement
 * (1, "OK"). */
void board_answer(struct board_session *bs, struct board_call *call, struct span args);
/* The same with attachments, and with another message in the acknowledgement. */
void
board_answer_with(struct board_session *bs, struct board_call *call, struct span args,
		  struct blob *const *blobs, unsigned count, const char *message);
/* The acknowledgement (1, "OK") alone, for those that have no response. */
void board_acknowledge(struct board_session *bs, struct board_call *call);
/* Whether, and by which id, an event that is answered later is to be acknowledged. */
struct board_ask {
	bool wants_ack;
	uint64_t ack_id;
};
/* Answer n events with the response of that name, each with its acknowledgement behind
 * it: (1, "OK"), or (-1, reason). */
void board_answer_each(struct board_session *bs, const char *answer,
		       const struct board_ask *asks, size_t n, const char *reason);
/* Compose a reason in call->why and return it. */
const char *board_why(struct board_call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Something failed inside: it is logged, and the reason tells little of it. */
const char *board_failed(struct board_session *bs, const char *what, enum qerr e);
/* One token of what.  NULL; or the reason, with the seconds to wait. */
const char *
board_limited(struct board_session *bs, struct board_call *call, enum limit what);

/* ---- events that nobody asked for (board.c); any thread, also with bs->lock held ---- */
/* Send one that was rendered (sio_event_new).  A connection that there was no memory for
 * is ended, so that the client comes back and asks for what it has missed; one that has
 * ended is none. */
void board_emit(struct board_session *bs, struct bundle *event);
/* Render and send. */
void board_emit_args(struct board_session *bs, const char *name, struct span args);
/* Send it to every connection of user but `but` (may be NULL).  No lock held. */
void board_emit_user(struct server *server, const char *user, struct bundle *event,
		     const struct board_session *but);

/* ---- the upper half ---- */
/* The hub's events EVENT_MESSAGES and EVENT_CHAT_DELETED, of a chat that the user of bs is
 * a member of.  Any thread, no lock held; bs may have logged out. */
void board_chats_deliver(struct board_session *bs, const struct event *event);
/* In a turn, when bs->user logs out or the connection is over (the seat is still logged
 * in, and bs->user is still set): leave the rooms, tell who has to be told, free
 * bs->chats.  Called once for each login. */
void board_chats_leave(struct board_session *bs);

/* In a turn: post what was said, and answer it.  Before any other event is looked at, so
 * that answers come in the order of requests; and when nothing else has come. */
void board_run_post(struct board_session *bs);

/* One for each event of the table. */
board_operation board_get_user_chats, board_get_chat_messages, board_get_more_messages,
    board_new_chat, board_join_chat, board_leave_chat, board_chat_msg, board_chat_img,
    board_get_image, board_delete_chat, board_typing;

#endif
