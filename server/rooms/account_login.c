/* SPDX-License-Identifier: MIT
 *
 * account_login.c - LOGIN: prove the password, have a chat key, get a token.
 *
 * Failures are counted for the account, wherever they come from, and for the address;
 * beyond the limits a LOGIN is answered with a captcha.  Whether it is beyond them is
 * looked at twice, before the password is checked and behind that, so that guesses that
 * are sent on many connections at once learn no more than those that come one by one.
 * An account that does not exist counts, and costs, the same.
 */
#include <string.h>

#include "crypto/random.h"
#include "server/accounts.h"
#include "server/limits.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/moderation.h"
#include "server/passwords.h"
#include "server/rooms/account.h"
#include "server/throttle.h"

#define BUSY_SECONDS 5 /* when too many passwords wait for their turn */

#define OF_ACCOUNT "rooms"
#define OF_ADDRESS "rooms-address"

/* ---- failures ---- */

/* What the account is counted as: its name, or what was given for one. */
static void
count_as(const struct rooms_pending *w, char out[NAME_SIZE])
{
	size_t n = strnlen(w->id, NAME_MAX_LEN);

	if (*w->name != '\0') {
		memcpy(out, w->name, NAME_SIZE);
		return;
	}
	memcpy(out, w->id, n);
	out[n] = '\0';
}

/* Is nobody here ever asked? */
static bool
never_asked(const struct rooms_session *rs)
{
	return rs->config->rooms_captcha == ROOMS_CAPTCHA_OFF ||
	       address_trusted(&rs->session->peer);
}

static bool
captcha_is_due(struct rooms_session *rs)
{
	const struct config *c = config_now();
	struct session *s = rs->session;
	struct throttle *t = s->server->throttle;
	int64_t window_ms = c->rooms_login_failures_window_ms;
	char account[NAME_SIZE];

	if (never_asked(rs))
		return false;
	count_as(rs->pending, account);
	return throttle_failures(t, OF_ACCOUNT, account, NULL, window_ms) >=
		   c->rooms_login_failures ||
	       throttle_failures(t, OF_ADDRESS, NULL, &s->peer, window_ms) >=
		   c->rooms_login_failures_address;
}

/* The password was wrong: count that.  True: more came at once than may be answered
 * without a captcha. */
static bool
count_failure(struct rooms_session *rs)
{
	const struct config *c = config_now();
	struct session *s = rs->session;
	struct throttle *t = s->server->throttle;
	int64_t window_ms = c->rooms_login_failures_window_ms, mine, all;
	char account[NAME_SIZE];

	count_as(rs->pending, account);
	metric_add(METRIC_login_failures_total, 1);
	log_limited(LOG_WARN, &s->peer, s, "login-failed", "name=%s", account);
	mine = throttle_fail(t, OF_ACCOUNT, account, NULL, window_ms);
	all = throttle_fail(t, OF_ADDRESS, NULL, &s->peer, window_ms);
	return !never_asked(rs) &&
	       (mine > c->rooms_login_failures || all > c->rooms_login_failures_address);
}

/* Answer a failure; the login is over. */
static void
refuse(struct rooms_session *rs)
{
	struct session *s = rs->session;
	struct throttle *t = s->server->throttle;
	char account[NAME_SIZE];

	count_as(rs->pending, account);
	if (throttle_wait(t, s, throttle_login_failed(t, account, &s->peer)))
		(void)rooms_answer_status(rs, ROOMS_LOGIN_INCORRECT, NULL, NULL,
					  rooms_pending_ref(rs->pending));
	else
		ws_end(s, WS_CODE_POLICY, "too many failed logins");
	rooms_pending_drop(rs);
}

/* ---- the password ---- */

/* Whom the id means: w->name, and the record that the token will be held against. */
static enum qerr
find_account(struct rooms_session *rs)
{
	struct rooms_pending *w = rs->pending;
	struct server *server = rs->session->server;
	enum qerr e;

	if (strchr(w->id, '@') != NULL)
		e = users_by_email(server->store, w->id, w->name);
	else
		e = name_copy(span_str(w->id), w->name);
	if (e == Q_OK)
		e = accounts_get(server->accounts, w->name, &w->user);
	if (e == Q_OK) {
		memcpy(w->name, w->user.name, NAME_SIZE);
		return Q_OK;
	}
	w->name[0] = '\0';
	return e == Q_MISSING || e == Q_FORMAT ? Q_OK : e;
}

/* The password was right. */
static void
proved(struct rooms_session *rs)
{
	struct rooms_pending *w = rs->pending;
	struct session *s = rs->session;
	struct span ref = rooms_pending_ref(w);
	size_t keys;
	enum qerr e;

	throttle_forgive(s->server->throttle, OF_ACCOUNT, w->name, NULL);
	throttle_login_ok(s->server->throttle, w->name, &s->peer);
	secret_wipe(w->password, sizeof(w->password));
	w->what = WAITING_KEY;
	if (moderation_holds(s->server->moderation, w->name, RESTRICTION_BAN)) {
		(void)rooms_answer_banned(rs, w->name, ref);
		rooms_pending_drop(rs);
	} else if ((e = rooms_key_count(s->server, w->name, &keys)) != Q_OK) {
		(void)rooms_answer_failed(rs, "login", e, NULL, ref);
		rooms_pending_drop(rs);
	} else if (keys > 0) {
		rooms_token_give(rs);
	} else {
		(void)rooms_answer_status(rs, ROOMS_CHAT_PUBKEY_MISSING, NULL, NULL, ref);
	}
}

static void
check(struct rooms_session *rs, bool solved)
{
	struct rooms_pending *w = rs->pending;
	struct session *s = rs->session;
	enum qerr e;

	outbox_flush_touched(); /* what follows takes its time */
	rs->settle = true;
	e = passwords_check(s->server->passwords, w->name,
			    span_of(w->password, w->password_len));
	if (e != Q_OK && e != Q_DENIED) {
		log_limited(LOG_WARN, &s->peer, s, "login-later", "text=%s", qerr_str(e));
		(void)rooms_answer_later(rs, NULL, BUSY_SECONDS, rooms_pending_ref(w));
		rooms_pending_drop(rs);
	} else if (!solved && (e == Q_OK ? captcha_is_due(rs) : count_failure(rs))) {
		rooms_captcha_ask(rs);
	} else if (e == Q_OK) {
		proved(rs);
	} else {
		if (solved)
			(void)count_failure(rs);
		refuse(rs);
	}
}

void
rooms_login_go(struct rooms_session *rs)
{
	check(rs, true);
}

/* ---- LOGIN ---- */

/* What is longer than anything that exists is as wrong as a name that nobody has. */
static void
keep_credentials(struct rooms_pending *w, const struct rooms_login *m)
{
	static const char wrong[] = "-";
	bool fits = m->id.len <= ROOMS_EMAIL_MAX && m->password.len <= ROOMS_PASSWORD_MAX;
	struct span id = fits ? m->id : span_str(wrong);
	struct span password = fits ? m->password : span_str(wrong);

	memcpy(w->id, id.p, id.len);
	w->id[id.len] = '\0';
	memcpy(w->password, password.p, password.len);
	w->password_len = password.len;
	w->save = m->save;
}

void
rooms_login(struct rooms_session *rs, const struct rooms_packet *p)
{
	const struct rooms_login *m = &p->u.login;
	struct rooms_pending *w;
	enum qerr e;

	rooms_pending_drop(rs);
	if (m->id.len == 0 || m->password.len == 0) {
		(void)rooms_answer_status(rs, ROOMS_LOGIN_MISSING_CREDS, NULL, NULL,
					  p->ref);
		return;
	}
	if ((w = rooms_pending_new(rs, WAITING_LOGIN, p->ref)) == NULL)
		return;
	keep_credentials(w, m);
	if ((e = find_account(rs)) != Q_OK) {
		(void)rooms_answer_failed(rs, "login", e, NULL, p->ref);
		rooms_pending_drop(rs);
	} else if (captcha_is_due(rs)) {
		rooms_captcha_ask(rs);
	} else {
		check(rs, false);
	}
}

/* ---- CHAT_ENCRYPT_C ---- */

void
rooms_take_chat_key(struct rooms_session *rs, const struct rooms_packet *p)
{
	struct session *s = rs->session;
	struct rooms_origin origin = {.session = s, .ref = p->ref};
	bool in = rs->phase == ROOMS_IN;
	int seconds;
	enum rooms_sig sig = ROOMS_LOGIN_INCORRECT; /* a new password, meanwhile */

	if (in && !limits_take(s, LIMIT_KEY, 1, &seconds)) {
		(void)rooms_answer_later(rs, limits_setting(LIMIT_KEY), seconds, p->ref);
		return;
	}
	if (in || rooms_still_proved(rs))
		sig = rooms_key_add(s->server, in ? rs->user : rs->pending->name,
				    p->u.pem, &origin);
	if (rooms_answer_status(rs, sig, NULL, NULL, p->ref) != Q_OK)
		return;
	if (sig == ROOMS_CHAT_PUBKEY_OK && !in)
		rooms_token_give(rs);
	else if (sig == ROOMS_LOGIN_INCORRECT)
		rooms_pending_drop(rs);
}
