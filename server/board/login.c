/* SPDX-License-Identifier: MIT
 *
 * login.c - coming and going: auth-request, the token of CONNECT, logout.
 *
 * What was asked of somebody may change while it is looked at: a password, a token, the
 * user itself.  So the session enters the table first and looks once more behind that.
 * Who changes it does so first and looks for sessions then: one of the two notices.
 *
 * Events are told from the moment on in which auth-response is given: bs->user is set and
 * auth-response emitted in one hold of bs->lock.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>

#include "base/clock.h"
#include "crypto/random.h"
#include "server/accounts.h"
#include "server/board/account.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/moderation.h"
#include "server/passwords.h"
#include "server/throttle.h"
#include "server/token_owners.h"

#define ARGS_MAX ((size_t)1 << 30)

/* Somebody who is about to be welcomed. */
struct arrival {
	const struct user *user;
	struct span token;
	struct token_id id;
	int64_t expires_ms;
};

/* ---- welcome ---- */

static enum qerr
put_welcome(struct buf *args, const struct arrival *a)
{
	enum qerr e = buf_printf(args, "1,\"%" PRIu32 "\",{\"username\":", a->user->uin);

	if (e == Q_OK)
		e = json_put_text(args, span_str(a->user->name));
	if (e == Q_OK)
		e = buf_put_str(args, ",\"token\":");
	if (e == Q_OK)
		e = json_put_text(args, a->token);
	if (e == Q_OK)
		e = buf_printf(args, ",\"expires\":%" PRId64 "}", a->expires_ms);
	return e;
}

static enum qerr
render_welcome(const struct arrival *a, struct bundle **out)
{
	struct buf args = BUF_INIT(ARGS_MAX);
	enum qerr e = put_welcome(&args, a);

	if (e == Q_OK)
		e = sio_event_new(BOARD_SPACE_NAME, "auth-response", buf_span(&args),
				  NULL, 0, out);
	buf_wipe(&args);
	return e;
}

static enum qerr
welcome(struct board_session *bs, const struct arrival *a)
{
	struct session *seat = sio_seat(bs->sio);
	struct bundle *b;
	enum qerr e = render_welcome(a, &b);

	if (e != Q_OK)
		return e;
	bs->token = a->id;
	bs->uin = a->user->uin;
	board_guest_set(bs, board_is_guest(bs->server, a->user));
	board_limit(bs, true);
	lock_take(&bs->lock);
	strlcpy(bs->user, a->user->name, sizeof(bs->user));
	board_emit(bs, b);
	lock_drop(&bs->lock);
	bundle_unref(b);
	metric_add(METRIC_logins_total, 1);
	log_event(LOG_INFO, seat, "login", "stream=%s",
		  atomic_load(&seat->stream)->ops->name);
	return Q_OK;
}

/* Is the record still the one that was read? */
static bool
unchanged(struct board_session *bs, const struct user *u)
{
	struct user now;
	bool same = accounts_get(bs->server->accounts, u->name, &now) == Q_OK &&
		    now.created_ms == u->created_ms && now.uin == u->uin &&
		    strcmp(now.password, u->password) == 0;

	secret_wipe(now.password, sizeof(now.password));
	return same;
}

/* ---- with what a person knows ---- */

/* In the table by now. */
static enum qerr
settle(struct board_session *bs, const struct user *u)
{
	struct store *store = bs->server->store;
	struct arrival a = {
	    .user = u, .expires_ms = clock_wall_ms() + config_now()->board_token_life_ms};
	char token[TOKEN_SIZE];
	enum qerr e =
	    tokens_issue(store, u->name, TOKEN_BOARD, a.expires_ms, token, &a.id);

	if (e != Q_OK)
		return e;
	a.token = span_str(token);
	e = unchanged(bs, u) ? welcome(bs, &a) : Q_DENIED;
	if (e == Q_OK)
		token_owners_add(&a.id, u->name);
	else
		(void)tokens_revoke(store, u->name, &a.id);
	secret_wipe(token, sizeof(token));
	return e;
}

enum qerr
board_enter(struct board_session *bs, const struct user *u, enum login_rule rule)
{
	struct session *seat = sio_seat(bs->sio);
	struct sessions *t = bs->server->sessions;
	enum qerr e = sessions_login(t, seat, u->name, rule, NULL);

	if (e == Q_OK && (e = settle(bs, u)) != Q_OK)
		sessions_logout(t, seat);
	return e;
}

const char *
board_banned(struct board_session *bs, struct board_call *call, const char *name)
{
	char text[MODERATION_TEXT_SIZE];

	if (moderation_admits(bs->server->moderation, name))
		return NULL;
	moderation_turned_away(sio_seat(bs->sio), name, text);
	return board_why(call, "%s", text);
}

static const char *
wrong(struct board_session *bs, const char *name)
{
	struct session *seat = sio_seat(bs->sio);

	(void)throttle_login_failed(bs->server->throttle, name[0] == '\0' ? "?" : name,
				    &seat->peer);
	metric_add(METRIC_login_failures_total, 1);
	log_limited(LOG_WARN, &seat->peer, seat, "login-failed", "name=%s",
		    name[0] == '\0' ? "-" : name);
	return BOARD_NO_LOGIN;
}

/* The same for whoever it is: the hash is compared also where there is none. */
static const char *
with_password(struct board_session *bs, struct board_call *call, const char *name,
	      struct span password)
{
	struct server *server = bs->server;
	const char *reason = NULL;
	struct user u = {.uin = 0};
	enum qerr known = accounts_get(server->accounts, name, &u);
	enum qerr e = passwords_check(server->passwords, name, password);

	if (e == Q_OK && (e = known) == Q_OK) {
		throttle_login_ok(server->throttle, u.name, &sio_seat(bs->sio)->peer);
		e = board_enter(bs, &u, LOGIN_ADD);
		if (e == Q_DENIED)
			reason = board_banned(bs, call, u.name);
	}
	secret_wipe(u.password, sizeof(u.password));
	if (e == Q_OK || reason != NULL)
		return reason;
	if (e == Q_DENIED || e == Q_MISSING || e == Q_FORMAT)
		return wrong(bs, name);
	return board_failed(bs, "login", e);
}

static const char *
log_in(struct board_session *bs, struct board_call *call, const char *name,
       struct span password)
{
	const char *reason = NULL;
	enum qerr e = Q_MISSING;

	if (password.len == 0)
		e = board_guest_enter(bs, call, name, &reason);
	if (e == Q_OK || e == Q_LIMIT)
		return reason;
	return with_password(bs, call, name, password);
}

const char *
board_auth_request(struct board_session *bs, struct board_call *call)
{
	struct session *seat = sio_seat(bs->sio);
	struct span who, password = span_str("");
	char name[NAME_SIZE] = "", uin[16];
	const char *reason;

	if (bs->lent_password != NULL)
		password = span_str(bs->lent_password);
	if (!board_arg_text(call, &who) ||
	    (board_arg_more(call) && !board_arg_text(call, &password)))
		return BOARD_BAD_ARGUMENTS;
	if (board_logged_in(bs))
		return "Already logged in";
	(void)name_copy(who, name);
	if (throttle_login_left(bs->server->throttle, name[0] == '\0' ? "?" : name,
				&seat->peer) > 0)
		return BOARD_TRY_LATER;
	/* What follows may take its time: earlier answers do not wait for it. */
	outbox_flush_touched();
	if ((reason = log_in(bs, call, name, password)) != NULL)
		return reason;
	snprintf(uin, sizeof(uin), "%" PRIu32, bs->uin);
	board_ack(bs, call, 1, uin);
	return NULL;
}

/* ---- with a token ---- */

/* Read who u is by then, and until when the token is good. */
static enum qerr
look_up(struct board_session *bs, const char *name, struct span token, struct user *u,
	struct arrival *a)
{
	struct store *store = bs->server->store;
	enum qerr e = tokens_find(store, name, TOKEN_BOARD, token, clock_wall_ms(),
				  &a->id, &a->expires_ms);

	if (e == Q_OK)
		e = accounts_get(bs->server->accounts, name, u);
	/* It was given to a guest, who is none any more (guests.c). */
	if (e == Q_OK && u->password[0] == '\0' && !board_is_guest(bs->server, u)) {
		(void)tokens_revoke(store, name, &a->id);
		e = Q_MISSING;
	}
	return e;
}

static enum qerr
with_token(struct board_session *bs, struct span token, char name[NAME_SIZE])
{
	struct session *seat = sio_seat(bs->sio);
	struct sessions *t = bs->server->sessions;
	struct user u = {.uin = 0};
	struct arrival a = {.user = &u, .token = token};
	enum qerr e = token_owners_find(bs->server->store, token, name);

	if (e == Q_OK)
		e = look_up(bs, name, token, &u, &a);
	if (e == Q_OK)
		e = sessions_login(t, seat, u.name, LOGIN_ADD, NULL);
	if (e == Q_OK) {
		if ((e = look_up(bs, name, token, &u, &a)) == Q_OK)
			e = welcome(bs, &a);
		if (e != Q_OK)
			sessions_logout(t, seat);
	}
	secret_wipe(u.password, sizeof(u.password));
	return e;
}

static void
take_token(struct board_session *bs, struct span token)
{
	struct session *seat = sio_seat(bs->sio);
	struct board_call call = {.sio = NULL}; /* for a reason that is composed */
	char name[NAME_SIZE] = "";
	const char *reason;
	enum qerr e = with_token(bs, token, name);

	if (e == Q_OK)
		return;
	if (e == Q_DENIED && (reason = board_banned(bs, &call, name)) != NULL) {
		board_refuse_login(bs, reason);
		return;
	}
	if (e == Q_MISSING || e == Q_TIMEOUT || e == Q_FORMAT) {
		log_limited(LOG_INFO, &seat->peer, seat, "token-refused", "error=%s",
			    qerr_str(e));
		board_refuse_login(bs, "The token is not good any more");
	} else {
		board_refuse_login(bs, board_failed(bs, "token", e));
	}
}

/* ---- CONNECT ---- */

static void
lend_password(struct board_session *bs, struct span password)
{
	char *copy = strndup((const char *)password.p, password.len);

	if (bs->lent_password != NULL)
		freezero(bs->lent_password, strlen(bs->lent_password));
	bs->lent_password = copy; /* NULL: auth-request fails without it */
}

void
board_connected(struct board_session *bs, struct span auth)
{
	static const struct json_limits limits = {65536, 8, 256};
	struct span text;
	json_t *o;

	if (auth.len == 0 || json_parse(auth, &limits, JSON_TOP_OBJECT, &o, NULL) != Q_OK)
		return;
	if (json_get_text(o, "password", &text) == JSON_IS_THERE)
		lend_password(bs, text);
	switch (json_get_text(o, "token", &text)) {
	case JSON_IS_THERE: take_token(bs, text); break;
	case JSON_IS_OTHER: take_token(bs, span_str("")); break;
	case JSON_IS_ABSENT:
	case JSON_IS_NULL: break;
	}
	json_decref(o);
}

/* ---- going ---- */

void
board_leave(struct board_session *bs, const char *how)
{
	struct session *seat = sio_seat(bs->sio);
	char user[NAME_SIZE];

	if (!board_logged_in(bs))
		return;
	board_chats_leave(bs);
	lock_take(&bs->lock);
	memcpy(user, bs->user, sizeof(user));
	bs->user[0] = '\0';
	lock_drop(&bs->lock);
	log_event(LOG_INFO, seat, "logout", "how=%s", how);
	sessions_logout(bs->server->sessions, seat);
	if (board_guest_set(bs, false))
		board_guest_left(bs->server, user);
}

const char *
board_logout(struct board_session *bs, struct board_call *call)
{
	enum qerr e;

	if (!board_logged_in(bs))
		return "Not logged in";
	if ((e = tokens_revoke(bs->server->store, bs->user, &bs->token)) != Q_OK)
		return board_failed(bs, "logout", e);
	board_leave(bs, "asked");
	board_limit(bs, false);
	board_answer(bs, call, span_str("1,\"" BOARD_OK "\""));
	return NULL;
}
