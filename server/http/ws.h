/* SPDX-License-Identifier: MIT
 *
 * ws.h - WebSocket messages (RFC 6455) over a session.
 *
 * The worker reads whole messages with ws_read; pings, pongs, closes, fragments, UTF-8
 * and limits are dealt with inside.  Any thread puts messages into the session's outbox.
 * No extensions, no subprotocols.
 *
 *	static void serve(struct http *h, struct http_request *r)      // the route's
 *	{
 *		struct mine *m = calloc(1, sizeof(*m));
 *
 *		if (m == NULL)
 *			http_error(h, 503, NULL);
 *		else if (ws_accept(h, r) != Q_OK)
 *			free(m);                                // it has answered
 *		else
 *			http_become(h, &mine_protocol, m, mine_main);
 *	}
 *	static void mine_main(struct session *s)               // when HTTP is over
 *	{
 *		struct mine *m = s->state;
 *		struct ws_message in;
 *
 *		ws_init(&m->ws, s, &options);
 *		while ((e = ws_read(&m->ws, &in)) == Q_OK || e == Q_SHORT)
 *			...
 *		ws_fini(&m->ws);
 *	}
 */
#ifndef SERVER_HTTP_WS_H
#define SERVER_HTTP_WS_H

#include "protocol/websocket.h"
#include "server/http/http.h"

struct ws_options {
	size_t max_message;    /* bytes; above: 1009, from the frame's header alone */
	int64_t ping_ms;       /* a ping each so often; 0: none */
	int64_t silence_ms;    /* nothing at all for so long: 1001; 0: no matter */
	struct budget *budget; /* NULL, or messages above budget_above count there */
	size_t budget_above;   /* while they are read and handled; others wait unread */
};

/* What a session's worker keeps; embedded in the protocol's state. */
struct ws {
	struct session *session;
	struct ws_options options;
	int64_t deadline_ms;    /* the protocol's (ws_deadline) */
	int64_t set_ms;         /* what session_deadline was told last */
	struct buf message;     /* what has come of one that did not come in one piece */
	struct ws_header frame; /* the frame at hand */
	uint64_t frame_done;    /* bytes of its payload that were taken */
	size_t in_place;        /* bytes of input under the message given out last */
	size_t taken;           /* from the budget */
	int64_t begun_ms;       /* when the message at hand began; 0: none */
	uint8_t opcode;         /* of the message at hand, WS_CONTINUATION: none */
	bool in_frame;
	bool over;
	_Atomic bool unread; /* the worker does not read: silence means nothing */
	struct timer timer;
	_Atomic int64_t heard_ms; /* when the peer was last heard of */
	int64_t ping_at_ms;       /* [timer] */
};

struct ws_message {
	enum ws_opcode opcode; /* WS_TEXT (valid UTF-8) or WS_BINARY */
	struct span payload;   /* valid until the next ws_read */
};

/* ---- the handshake, on the worker, in a route's serve ---- */
/* Check the upgrade request r and answer 101.  Q_FORMAT: it was none, and 426 or 400
 * was answered; Q_CLOSED. */
enum qerr ws_accept(struct http *h, const struct http_request *r);

/* ---- the worker ---- */
/* Pings and time-outs begin. */
void ws_init(struct ws *ws, struct session *s, const struct ws_options *options);
/* They have ended on return, and what was held is given back.  Hold no lock. */
void ws_fini(struct ws *ws);
/* The next message; first flushes what this thread touched (session_fill).  Q_OK;
 * Q_SHORT: woken (session_wake).  Anything else: it is over, and what there was to say
 * was said: Q_CLOSED: the peer closed or left, or the session was ended; Q_TIMEOUT: the
 * deadline, or the message came too slowly (http.min_rate); Q_FORMAT, Q_LIMIT: the peer
 * broke the rules, or max_message; Q_NOMEM, Q_SYS. */
enum qerr ws_read(struct ws *ws, struct ws_message *out);
/* The next message if it is here already, small and in one frame.  Q_MISSING: whatever
 * else there is, is ws_read's.  It flushes nothing, waits for nothing and ends nothing, so
 * between the two there is a place for what is done once for all that came together. */
enum qerr ws_more(struct ws *ws, struct ws_message *out);
/* The message that ws_read has given out is not looked at any more: its memory need not
 * wait for the next ws_read. */
void ws_done(struct ws *ws);
/* As session_deadline, for protocols on top: what ws_read waits for has to come before
 * at_ms; then the session ends with 1008. */
void ws_deadline(struct ws *ws, int64_t at_ms);
/* Another limit from the next frame on (after a login). */
void ws_limit(struct ws *ws, size_t max_message);
/* Other intervals from now on. */
void ws_intervals(struct ws *ws, int64_t ping_ms, int64_t silence_ms);

/* ---- any thread ---- */
/* A place for one message in s's outbox. */
struct ws_place {
	uint8_t *payload; /* write it here */
	size_t room;      /* how much may be written */
};
/* The caller holds s->out.lock.  Room for a message of at most n bytes; then write it,
 * and ws_commit_locked(s, opcode, &place, how many it became), or leave it.  Errors as
 * outbox_reserve_locked. */
enum qerr ws_reserve_locked(struct session *s, enum outbox_class class, size_t n,
			    struct ws_place *place) REQUIRES(s->out.lock);
/* Cheapest when the length falls into the same class as n did (up to 125, up to 65,535,
 * above): otherwise the payload is moved up a little. */
void ws_commit_locked(struct session *s, enum ws_opcode opcode,
		      const struct ws_place *place, size_t len) REQUIRES(s->out.lock);
/* A message in pieces: fragments, so that a large one takes the outbox's room piece by
 * piece, and pongs pass between.  Until the last one no other message may be put.  The
 * class is OUTBOX_DATA. */
enum qerr ws_piece_locked(struct session *s, enum ws_opcode opcode, struct span piece,
			  bool first, bool last) REQUIRES(s->out.lock);
/* Lock, reserve, copy, commit, touch.  Errors as outbox_put. */
enum qerr ws_send(struct session *s, enum outbox_class class, enum ws_opcode opcode,
		  struct span payload);
/* The same for the worker of s, with patience: waits for room, up to limits.sender_wait.
 * Q_CLOSED; Q_TIMEOUT: it does not read, and was ended for that. */
enum qerr ws_send_wait(struct session *s, enum ws_opcode opcode, struct span payload);
/* No lock held: the close frame, and nothing behind it; ends the session.  reason may be
 * NULL, and is cut at WS_REASON_MAX bytes. */
void ws_end(struct session *s, enum ws_code code, const char *reason);
/* For a protocol's goodbye: put the close frame that fits why, with text as its reason
 * (1001: shutdown, slow; 1002: error; 1008: the rest). */
void ws_goodbye(struct session *s, enum goodbye why, const char *text);

#endif
