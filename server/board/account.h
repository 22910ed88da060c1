/* SPDX-License-Identifier: MIT
 *
 * account.h - what the files of board's lower half offer each other: who the peer is.
 *
 *	board.c     the row, the route, the namespace; what is emitted
 *	dispatch.c  an event that came: its row, its arguments, its answer
 *	args.c      arguments
 *	login.c     auth-request with a password, the token of CONNECT, logout
 *	guests.c    users that come by their name alone
 *	register.c  register
 *	anons.c     get-anons, new-anons
 *	presence.c  who is online, and who is a guest no more
 *
 * All of this is for the connection's turn unless it says something else.
 */
#ifndef SERVER_BOARD_ACCOUNT_H
#define SERVER_BOARD_ACCOUNT_H

#include "server/board/board_session.h"
#include "server/sessions.h"
#include "store/users.h"

/* ---- board.c ---- */
/* How much the client may send at once from now on. */
void board_limit(struct board_session *bs, bool logged_in);
/* Send it to all who are logged in.  No lock held. */
void board_emit_all(struct server *server, struct bundle *event);

/* ---- dispatch.c ---- */
/* The handler of Socket.IO's events. */
void board_dispatch(struct sio *s, const struct sio_call *call);
/* The acknowledgement (1, message), or (-1, message). */
void board_ack(struct board_session *bs, struct board_call *call, int status,
	       const char *message);
/* auth-response (-1, reason). */
void board_refuse_login(struct board_session *bs, const char *reason);

/* Each value of args one after the other: Q_FORMAT when one is nested more than 8 deep, or
 * a string in it holds U+0000.  args is valid JSON (socketio.h), or empty.  Pure. */
enum qerr board_args_check(struct span args);
/* An id or a count as JSON text.  Q_FORMAT: none.  Pure. */
enum qerr board_id_parse(struct span text, uint64_t *out);

/* ---- operations of this half ---- */
board_operation board_auth_request, board_register, board_logout, board_get_anons,
    board_new_anons;

/* ---- login.c ---- */
/* What CONNECT brought: a JSON object, or nothing. */
void board_connected(struct board_session *bs, struct span auth);
/* u, whose record was read before it was shown to be the peer, logs in: it enters the
 * session table by that rule, gets a token, and is looked at once more; auth-response is
 * given.  Q_EXISTS: by the rule it may not; Q_DENIED: it has changed meanwhile, or is
 * banned; Q_FULL, Q_NOMEM, Q_SYS. */
enum qerr
board_enter(struct board_session *bs, const struct user *u, enum login_rule rule);
/* Is that user, whom the peer has shown to be, banned?  The reason, or NULL. */
const char *
board_banned(struct board_session *bs, struct board_call *call, const char *name);
/* The user leaves, if there is one: its rooms, the session table; a guest goes. */
void board_leave(struct board_session *bs, const char *how);
/* The reason for all that is no login: unknown user, wrong or no password. */
#define BOARD_NO_LOGIN  "Wrong user name or password"
#define BOARD_TRY_LATER "Try later"

/* ---- guests.c ---- */
/* Has u neither a password nor a key? */
bool board_is_guest(struct server *server, const struct user *u);
/* Log in the guest of that name ("": none), who is made if there is nobody.  Q_OK;
 * Q_MISSING: it is no guest, or is here already; Q_LIMIT: *reason says why not. */
enum qerr board_guest_enter(struct board_session *bs, struct board_call *call,
			    const char *name, const char **reason);
/* Somebody with that name, who was a guest, has left: it goes, unless there is more of it
 * in the server.  Any thread, no lock held. */
void board_guest_left(struct server *server, const char *name);
/* Note whether the user of bs is one; returns what was noted before. */
bool board_guest_set(struct board_session *bs, bool is);
/* If the user of bs came as a guest: is it still one?  Else the session is ended, and
 * tokens that the name alone has earned are none any more.  Any thread, no lock held. */
bool board_guest_still(struct board_session *bs);
/* How many connections are guests'. */
extern atomic_size_t board_guests_here;
/* The last session of board is over. */
void board_guests_forget(void);

/* ---- presence.c ---- */
/* A thread that tells; stop joins it. */
enum qerr board_presence_start(struct server *server);
void board_presence_stop(struct server *server);
/* The row's `removing`: let those who chat with user hear that it is gone, as long as it
 * is known who they are.  Waits a second at most. */
void board_presence_settle(struct server *server, const char *user);

#endif
