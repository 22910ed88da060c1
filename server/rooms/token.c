/* SPDX-License-Identifier: MIT
 *
 * token.c - GEN_TOKEN, AUTH_TOKEN, LOGOUT.
 *
 * Two things may change while they are looked at, and so are looked at again behind:
 *
 *   A password.  A token is issued, then the user's record is read: if it is not the one
 *   whose password was shown, the token is taken back.  users_update revokes all tokens
 *   behind writing the new record, so one of the two notices.
 *
 *   A token.  The session enters the table of sessions, then the token is checked again.
 *   Who revokes it does so first and then looks for sessions that use it, so one of the
 *   two notices.
 */
#include <stdlib.h>
#include <string.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>

#include "base/clock.h"
#include "crypto/random.h"
#include "server/accounts.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/rooms/account.h"
#include "server/sessions.h"
#include "server/token_owners.h"

/* ---- GEN_TOKEN ---- */

bool
rooms_still_proved(struct rooms_session *rs)
{
	const struct rooms_pending *w = rs->pending;
	struct user now;
	enum qerr e = accounts_get(rs->session->server->accounts, w->name, &now);
	bool same = e == Q_OK && now.created_ms == w->user.created_ms &&
		    strcmp(now.password, w->user.password) == 0;

	secret_wipe(now.password, sizeof(now.password));
	return same;
}

static void
send_token(struct rooms_session *rs, const char *token)
{
	const struct rooms_packet p = {.type = ROOMS_T_GEN_TOKEN,
				       .ref = rooms_pending_ref(rs->pending),
				       .u.token = span_str(token)};

	log_event(LOG_INFO, rs->session, "token", "name=%s", rs->pending->name);
	(void)rooms_answer(rs, &p);
}

void
rooms_token_give(struct rooms_session *rs)
{
	struct rooms_pending *w = rs->pending;
	struct store *store = rs->session->server->store;
	const struct config *c = config_now();
	int64_t life = w->save ? c->rooms_token_life_save_ms : c->rooms_token_life_ms;
	struct span ref = rooms_pending_ref(w);
	char token[TOKEN_SIZE];
	struct token_id id;
	enum qerr e =
	    tokens_issue(store, w->name, TOKEN_ROOMS, clock_wall_ms() + life, token, &id);

	if (e != Q_OK) {
		(void)rooms_answer_failed(rs, "token", e, NULL, ref);
	} else if (rooms_still_proved(rs)) {
		token_owners_add(&id, w->name);
		send_token(rs, token);
		secret_wipe(token, sizeof(token));
	} else {
		(void)tokens_revoke(store, w->name, &id);
		(void)rooms_answer_status(rs, ROOMS_LOGIN_INCORRECT, NULL, NULL, ref);
	}
	rooms_pending_drop(rs);
}

/* ---- AUTH_TOKEN ---- */

static enum rooms_sig
sig_of_check(enum qerr e)
{
	switch (e) {
	case Q_OK: return ROOMS_SIG_OTHER;
	case Q_MISSING:
	case Q_FORMAT: return ROOMS_TOKEN_INVALID;
	case Q_TIMEOUT: return ROOMS_TOKEN_EXPIRED;
	default: return ROOMS_SERVER_ERROR;
	}
}

static enum rooms_sig
check_token(struct rooms_session *rs, const char *user, struct span token,
	    struct token_id *id)
{
	return sig_of_check(tokens_check(rs->session->server->store, user, TOKEN_ROOMS,
					 token, clock_wall_ms(), id));
}

static void
leave(struct rooms_session *rs)
{
	rooms_leave(rs);
	sessions_logout(rs->session->server->sessions, rs->session);
}

/* The session becomes rs->user's, and is found as such. */
static enum rooms_sig
become(struct rooms_session *rs, struct span token)
{
	struct session *s = rs->session;
	struct token_id id;
	enum rooms_sig sig;
	enum qerr e;

	if (session_wakeable(s) != Q_OK || rooms_arrive(rs) != Q_OK)
		return ROOMS_SERVER_ERROR;
	e = sessions_login(s->server->sessions, s, rs->user, LOGIN_ADD, NULL);
	if (e == Q_OK)
		sig = check_token(rs, rs->user, token, &id);
	else
		sig = e == Q_DENIED ? ROOMS_BANNED : ROOMS_SERVER_ERROR;
	if (sig != ROOMS_SIG_OTHER) {
		leave(rs);
		rooms_inbox_free(rs);
	}
	return sig;
}

/* Whose it is, as registered, in rs->user. */
static enum rooms_sig
identify(struct rooms_session *rs, struct span user, struct span token)
{
	struct session *s = rs->session;
	char name[NAME_SIZE];
	struct token_id id;
	enum rooms_sig sig;
	struct user u;
	enum qerr e;

	if (name_copy(user, name) != Q_OK)
		return ROOMS_TOKEN_INVALID;
	if ((sig = check_token(rs, name, token, &id)) != ROOMS_SIG_OTHER)
		return sig;
	e = accounts_get(s->server->accounts, name, &u);
	secret_wipe(u.password, sizeof(u.password));
	if (e == Q_OK) {
		strlcpy(rs->user, u.name, sizeof(rs->user));
		lock_take(&s->out.lock);
		rs->token = id;
		lock_drop(&s->out.lock);
	}
	return sig_of_check(e);
}

static void
welcome(struct rooms_session *rs, struct span ref)
{
	struct session *s = rs->session;

	rs->phase = ROOMS_IN;
	rooms_pending_drop(rs);
	ws_deadline(&rs->ws, 0);
	ws_limit(&rs->ws, (size_t)config_now()->rooms_max_message);
	metric_add(METRIC_logins_total, 1);
	log_event(LOG_INFO, s, "login", "stream=%s", atomic_load(&s->stream)->ops->name);
	if (rooms_answer_status(rs, ROOMS_LOGIN_OK, NULL, NULL, ref) == Q_OK)
		(void)rooms_enter(rs);
	rs->settle = true;
}

static void
authenticate(struct rooms_session *rs, struct span user, struct span token,
	     struct span ref)
{
	enum rooms_sig sig = identify(rs, user, token);

	if (sig == ROOMS_SIG_OTHER)
		sig = become(rs, token);
	if (sig == ROOMS_SIG_OTHER) {
		welcome(rs, ref);
		return;
	}
	if (sig == ROOMS_BANNED)
		(void)rooms_answer_banned(rs, rs->user, ref);
	rs->user[0] = '\0';
	if (sig == ROOMS_BANNED)
		return;
	if (sig == ROOMS_SERVER_ERROR)
		(void)rooms_answer_failed(rs, "auth-token", Q_SYS, NULL, ref);
	else
		(void)rooms_answer_status(rs, sig, NULL, NULL, ref);
}

void
rooms_auth_token(struct rooms_session *rs, const struct rooms_packet *p)
{
	authenticate(rs, p->u.auth_token.user, p->u.auth_token.token, p->ref);
}

void
rooms_token_early(struct rooms_session *rs)
{
	char *token = rs->early_token, user[NAME_SIZE] = "";

	if (token == NULL)
		return;
	rs->early_token = NULL;
	/* Whose it is, the token has to tell; "" is nobody. */
	if (token_owners_find(rs->session->server->store, span_str(token), user) != Q_OK)
		user[0] = '\0';
	authenticate(rs, span_str(user), span_str(token), (struct span){NULL, 0});
	freezero(token, strlen(token));
}

/* ---- LOGOUT ---- */

static bool
uses(struct session *s, const struct token_id *id)
{
	struct rooms_session *rs = s->state;
	bool same;

	lock_take(&s->out.lock);
	same = memcmp(rs->token.hash, id->hash, sizeof(id->hash)) == 0;
	lock_drop(&s->out.lock);
	return same;
}

/* The token is none any more: nor are connections that came in with it. */
static enum qerr
end_others(struct rooms_session *rs)
{
	struct session *s = rs->session;
	struct session **list;
	size_t n;

	list = sessions_list(s->server->sessions, rs->user, &rooms_protocol, &n);
	if (list == NULL)
		return Q_NOMEM;
	for (size_t i = 0; i < n; i++)
		if (list[i] != s && uses(list[i], &rs->token))
			session_end(list[i], GOODBYE_REMOVED, "logged out");
	sessions_list_free(list);
	return Q_OK;
}

void
rooms_logout(struct rooms_session *rs, const struct rooms_packet *p)
{
	struct session *s = rs->session;
	enum qerr e = tokens_revoke(s->server->store, rs->user, &rs->token);

	if (e == Q_OK)
		e = end_others(rs);
	if (e != Q_OK) {
		(void)rooms_answer_failed(rs, "logout", e, NULL, p->ref);
		return;
	}
	leave(rs);
	rs->phase = ROOMS_SEALED;
	log_event(LOG_INFO, s, "logout", "how=%s", "asked");
	if (rooms_answer_status(rs, ROOMS_LOGGED_OUT, NULL, NULL, p->ref) == Q_OK)
		ws_end(s, WS_CODE_NORMAL, NULL);
}
