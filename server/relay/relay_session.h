/* SPDX-License-Identifier: MIT
 *
 * relay_session.h - what relay keeps for a session that has logged in
 * (session->state), and what the files of this folder offer each other.
 *
 * Locks: [switchboard] board.lock, [outbox] session->out.lock; the first is
 * taken before the second (server/locks.h).  "worker" fields belong to the
 * session's worker.
 */
#ifndef SERVER_RELAY_RELAY_SESSION_H
#define SERVER_RELAY_RELAY_SESSION_H

#include "crypto/key.h"
#include "protocol/relay.h"
#include "server/config.h"
#include "server/relay/chat.h"
#include "server/relay/seal.h"
#include "server/relay/switchboard.h"
#include "server/server.h"
#include "server/session.h"

struct relay_session {
	struct session *session;     /* the owner of this; no reference */
	const struct config *config; /* as it was when the connection came */
	struct key *key;             /* worker: the user's, until card is made */
	struct buf card;             /* the data of 303 and 307 about this user;
					 * made by the worker before it asks or
					 * answers, then fixed */
	struct sealing sealing;
	struct relay_chat *chat; /* [outbox] a reference; changed with the
					 * switchboard's lock held as well */
	bool notices;            /* [outbox] it sent 376 */
	bool farewell;           /* [outbox] 373 is in: nothing may follow */
	struct seat seat;        /* [switchboard] */
	struct timer lapse;      /* of the request that it has made */
};

/* Who is where; one for all sessions. */
extern struct switchboard relay_board;

/* The session's codes are those of clients that expect 302 and 375, names with
 * a NUL, and one frame a recv. */
bool relay_distinct(const struct relay_session *rs);
/* The largest size field of a sealed frame that rs may send. */
uint32_t relay_max_frame(const struct relay_session *rs);
/* The most data that the server puts into a frame of its own. */
size_t relay_max_data(const struct relay_session *rs);

/* ---- relay.c ---- */
/* End rs because its peer broke the protocol: counted, logged, 373. */
void relay_broken(struct session *s, const char *reason);

/* ---- handshake.c ---- */
/* Worker: from the first bytes to the login.  On success the result is
 * also s->state (freed by relay_session_free when s goes) and everything behind
 * 292 is still in the input.  NULL: s is to be closed. */
struct relay_session *handshake_run(struct session *s);
void relay_session_free(struct relay_session *rs); /* NULL is fine */

/* ---- enrol.c ---- */
/* Answer one 280 whose body is given.  Q_FORMAT: it is no such message (nothing
 * was answered); Q_NOMEM, Q_CLOSED and so on: the answer could not be given. */
enum qerr enrol_answer(struct session *s, const struct config *config, struct span body);

/* ---- calls.c ---- */
/* Put one sealed frame into the outbox of s, which has a session key.  Errors
 * as outbox_reserve_locked; Q_MISSING: no counter is left; Q_CRYPTO. */
enum qerr relay_seal_locked(struct session *s, enum sealing_last last, int32_t opcode,
			    struct span data) REQUIRES(s->out.lock);
/* After a put: remember the outbox for flushing, or end a session whose outbox
 * (Q_LIMIT) or counter could not take it.  Hold no lock. */
void relay_settle_put(struct relay_session *rs, enum qerr e);
/* Visible and free from here on; an older session of the same user is ended and
 * its chat too, before.  False: the session is to be closed. */
bool relay_login(struct relay_session *rs);
/* Invisible; the partner is told.  Again: nothing. */
void relay_logout(struct relay_session *rs);
/* End rs's chat for both, because the server cannot go on with it. */
void relay_break_chat(struct relay_session *rs);
/* Tell a client that hears notices that its user is muted. */
void relay_muted(struct relay_session *rs);
/* Act on one opened message that is not forwarded.  Q_OK; Q_CLOSED: the client
 * logged out; Q_FORMAT: no opcode that a client may send. */
enum qerr relay_call(struct relay_session *rs, int32_t opcode, struct span data);
/* The switchboard's callback. */
switchboard_tell_fn relay_tell;

/* ---- forward.c ---- */
#define RUN_MAX 256
/* A run: opened frames that follow each other in the input and go to the
 * partner.  Each is opcode, counter, data, and may be written to. */
struct run {
	size_t n;
	size_t messages; /* of these, opcode 350 */
	size_t bytes;    /* of their data */
	struct {
		uint8_t *p;
		size_t len;
	} frame[RUN_MAX];
};
bool run_wants(int32_t opcode);
void run_clear(struct run *run);
void run_add(struct run *run, uint8_t *plain, size_t len);
/* Worker: archive and pass on what is in run, which is empty afterwards. */
void run_forward(struct relay_session *rs, struct run *run);

#endif
