/* SPDX-License-Identifier: MIT
 *
 * eio_priv.h - what the files of Engine.IO share.
 *
 *	eio.c          a session: its queue, its turns
 *	eio_time.c     pings, expiry
 *	eio_end.c      the end
 *	eio_server.c   the table of sessions, and the thread that sees to ends
 *	eio_http.c     requests: which session, which transport, or what is wrong
 *	eio_poll.c     GET and POST
 *	eio_ws.c       WebSockets
 */
#ifndef SERVER_ENGINEIO_EIO_PRIV_H
#define SERVER_ENGINEIO_EIO_PRIV_H

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <pthread.h>

#include "server/engineio/eio.h"
#include "server/http/ws.h"

#define EIO_BUDGET_ABOVE 65536 /* bytes: larger ones are counted in max_inflight */
#define EIO_PROBE_MS     10000 /* for an upgrade, from the WebSocket's 101 */

/* A GET that waits; on the stack of its connection's worker. */
struct eio_poll {
	struct eio *e;
	struct http *h;
	int64_t stays_ms; /* it came when there was a WebSocket already, whose `5` may be
			   * on the way: not sent away before; 0: there was none */
	bool asks;        /* [e->lock] it waited when a ping became due, and takes it */
	bool claimed;     /* [e->lock] somebody answers it */
	bool answered;    /* [e->lock] the answer is in its outbox */
};

enum eio_phase {
	EIO_ALIVE,
	EIO_LEAVING, /* closed by us: further polls take what waits, and then a close */
	EIO_OVER     /* not in the table any more */
};

enum eio_way {
	EIO_POLLING,
	EIO_PROBED, /* polling still; the WebSocket has answered a probe */
	EIO_WEBSOCKET
};

struct eio_waiting {
	STAILQ_ENTRY(eio_waiting) link;
	struct bundle *bundle;
};
STAILQ_HEAD(eio_queue, eio_waiting);

struct eio {
	struct session *seat;
	struct eio_server *server;
	struct eio_options options; /* of its birth */
	char sid[EIO_SID_LEN + 1];
	void *state;
	atomic_size_t max_message;
	atomic_bool raised;
	atomic_bool settle; /* a login came just now: the worker gives back its stack */
	struct timer timer;

	RB_ENTRY(eio) by_sid;    /* [server] */
	bool listed;             /* [server] it is in the table */
	TAILQ_ENTRY(eio) in_end; /* [server] */
	bool ends;               /* [server] it is on the list of ends */
	bool slow;               /* [server] and that is why */

	struct lock lock;
	pthread_cond_t changed; /* anything below */
	enum eio_phase phase;   /* [lock] */
	enum eio_way way;       /* [lock] */
	bool turn;              /* [lock] somebody is in a handler */
	bool owes_rest;         /* the turn's: rest has to be called */
	bool told;              /* [lock] closed was called */

	struct eio_queue queue; /* [lock] */
	size_t weight;          /* [lock] of what is in the queue */
	bool starved;     /* [lock] there was no memory to send it: it ends as slow */
	unsigned part;    /* [lock] of the first bundle: so many packets went, */
	size_t part_done; /* [lock] and so many bytes of the next */

	struct session *ws;    /* [lock] counted: the WebSocket, or the one to be */
	struct ws *wire;       /* [lock] its worker's; of that, heard_ms alone */
	struct eio_poll *poll; /* [lock] the one that waits */
	bool answering;        /* [lock] the last one is being given what waited */
	bool posting;          /* [lock] a POST is being dealt with */
	unsigned uploads;      /* [lock] bodies on their way in */
	bool catching_up;      /* [lock] what the client said is left unread until it has
				* taken some of what waits for it */
	int64_t noop_at_ms;    /* [lock] polls are sent away from then on; 0: never */

	enum ws_code end_code; /* set once, before the phase changes */
	char end_reason[WS_REASON_MAX + 1];

	bool running;        /* [lock] time has begun */
	bool pinged;         /* [lock] and no pong since */
	int64_t pong_ms;     /* [lock] the last one, or the beginning; or as much later as
			      * the ping was late */
	int64_t deadline_ms; /* [lock] the user's; 0: none */
};

RB_HEAD(eio_tree, eio);
TAILQ_HEAD(eio_ends, eio);

struct eio_server {
	struct server *core;
	const struct eio_handler *handler;
	struct budget *budget;
	struct bundle *ping, *close; /* packets that are always the same */
	pthread_t thread;

	struct lock lock;
	pthread_cond_t wanted;      /* ends is not empty, or stopping */
	struct eio_options options; /* [lock] */
	struct eio_tree sessions;   /* [lock] each with a reference to its seat */
	struct eio_ends ends;       /* [lock] the same */
	size_t count;               /* [lock] */
	bool stopping;              /* [lock] */
};

/* ---- eio_server.c ---- */
/* A session that the client at http asks for, with the handshake's packet in its queue;
 * one reference.  Q_LIMIT: limits.*; Q_CLOSED: the server stops; Q_NOMEM. */
enum qerr eio_begin(struct eio_server *server, struct session *http, enum eio_way way,
		    struct session *ws, struct eio **out);
/* A reference to the session with that id, or NULL; what has expired is ended first. */
struct eio *eio_find(struct eio_server *server, struct span sid);
/* Take it out of the table. */
void eio_forget(struct eio *e);
/* Have the server's thread see to its end: call closed, or end it as slow.  e's lock may
 * be held. */
void eio_end_later(struct eio *e, bool slow);

/* ---- eio_time.c ---- */
/* Time begins: pings, expiry. */
void eio_run(struct eio *e);
/* Has its time run out?  Then it is ended, and true. */
bool eio_expire(struct eio *e);
void eio_pong(struct eio *e);
/* A ping goes out to a client that was waiting for it: its time to answer begins. */
void eio_asked_locked(struct eio *e) REQUIRES(e->lock);
/* Queue a ping if it is time, and see to it that somebody looks again. */
void eio_beat(struct eio *e);

/* ---- eio.c ---- */
enum qerr eio_make(struct eio_server *server, struct session *http, struct eio **out);
/* Handlers are called in a turn, one at a time.  turn_take: false: it is over (the turn
 * is taken all the same).  turn_give calls rest, and closed when it has become due; so
 * what has come together is one turn, and nobody waits for the client in one. */
bool eio_turn_take(struct eio *e);
void eio_turn_give(struct eio *e);
/* In a turn: call rest if there were messages. */
void eio_rest(struct eio *e);
/* In a turn: a packet from the client.  Q_OK; Q_CLOSED: the session is over; Q_FORMAT: a
 * packet that may not come (the caller says eio_fail). */
enum qerr eio_receive(struct eio *e, const struct eio_packet *packet);
/* Does so much wait for the client that it is to take some before it is heard again?  Who
 * asks for much in one go, and reads, would be ended as too slow otherwise. */
bool eio_is_behind_locked(struct eio *e) REQUIRES(e->lock);
bool eio_is_behind(struct eio *e);

/* Drop the lock; behind it what can be sent to a WebSocket is in its outbox, touched. */
void eio_unlock(struct eio *e) RELEASES(e->lock);
/* Move what one poll may carry to *out, and end LEAVING when that was all: true, and the
 * caller calls eio_left once it holds no lock. */
bool eio_take_locked(struct eio *e, struct eio_queue *out) REQUIRES(e->lock);
void eio_queue_free(struct eio_queue *q);
/* Put b at the end, whatever waits.  Q_NOMEM. */
enum qerr eio_put_locked(struct eio *e, struct bundle *b) REQUIRES(e->lock);

/* ---- eio_end.c ---- */
enum eio_how {
	EIO_BY_US,   /* what waits goes out first */
	EIO_BY_PEER, /* it sent a close packet, or its WebSocket is gone */
	EIO_BROKEN   /* it broke a rule, or was not heard of */
};
void eio_end(struct eio *e, enum eio_how how, enum ws_code code, const char *reason);
/* eio_fail without rest: not in a turn, or not by what came in it. */
void eio_break(struct eio *e, const char *reason);
/* It has just become OVER: out of the table, no time any more, and its WebSocket is
 * ended.  No lock held. */
void eio_left(struct eio *e);

/* ---- eio_poll.c ---- */
void eio_poll(struct eio *e, struct http *h);
void eio_post(struct eio *e, struct http *h, const struct http_request *r);
/* Answer a poll that the caller has claimed with what is in q, which is freed.  Hold no
 * lock. */
void eio_poll_answer(struct eio_poll *p, struct eio_queue *q);
/* The same with one packet: its type. */
void eio_poll_answer_type(struct eio_poll *p, enum eio_type type);

/* ---- eio_http.c ---- */
/* What the protocol calls error codes. */
enum eio_error {
	EIO_UNKNOWN_TRANSPORT = 0,
	EIO_UNKNOWN_SID = 1,
	EIO_BAD_HANDSHAKE = 2,
	EIO_BAD_REQUEST = 3,
	EIO_UNSUPPORTED = 5
};
void eio_refuse(struct http *h, enum eio_error error);
/* 200 with text or a body. */
enum qerr eio_reply(struct http *h, struct span body);

/* ---- eio_ws.c ---- */
/* Make a WebSocket of the request: for e (consumed), or if NULL for a session that it
 * begins. */
void eio_websocket(struct eio_server *server, struct eio *e, struct http *h,
		   struct http_request *r);
/* Put what waits into the WebSocket's outbox.  True: something went in. */
bool eio_pump_locked(struct eio *e) REQUIRES(e->lock);

#endif
