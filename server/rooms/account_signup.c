/* SPDX-License-Identifier: MIT
 *
 * account_signup.c - SIGNUP: syntax, captcha, and only then what exists already.
 */
#include <string.h>

#include "base/clock.h"
#include "server/accounts.h"
#include "server/limits.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/passwords.h"
#include "server/rooms/account.h"

_Static_assert(ROOMS_EMAIL_MAX <= USER_EMAIL_MAX &&
		   ROOMS_FULLNAME_MAX <= USER_FULLNAME_MAX &&
		   ROOMS_DATE_SIZE <= USER_FIELD_MAX + 1 &&
		   ROOMS_PASSWORD_MAX <= PASSWORD_MAX,
	       "a user's record has room for all of it");

#define BUSY_SECONDS 5 /* when too many passwords wait for their turn */

static void
copy(char *out, struct span s)
{
	memcpy(out, s.p, s.len);
	out[s.len] = '\0';
}

void
rooms_signup(struct rooms_session *rs, const struct rooms_packet *p)
{
	const struct rooms_signup *m = &p->u.signup;
	int64_t now = clock_wall_ms();
	struct rooms_pending *w;
	enum rooms_sig sig;

	rooms_pending_drop(rs);
	if ((sig = rooms_signup_check(m, now)) != ROOMS_SIG_OTHER) {
		(void)rooms_answer_status(rs, sig, NULL, NULL, p->ref);
		return;
	}
	if ((w = rooms_pending_new(rs, WAITING_SIGNUP, p->ref)) == NULL)
		return;
	copy(w->user.name, m->user);
	copy(w->user.email, m->email);
	copy(w->user.fullname, m->fullname);
	(void)rooms_dob_parse(m->dob, now, w->user.dob);
	memcpy(w->password, m->password.p, m->password.len);
	w->password_len = m->password.len;
	if (rs->config->rooms_captcha == ROOMS_CAPTCHA_OFF)
		rooms_signup_go(rs, p->ref);
	else
		rooms_captcha_ask(rs);
}

/* Looked at here to spare the hash; users_signup decides. */
static enum qerr
look_up(struct rooms_session *rs, const struct user *u, enum user_taken *taken)
{
	struct server *server = rs->session->server;
	char other[NAME_SIZE];
	struct user there;
	enum qerr e = accounts_get(server->accounts, u->name, &there);

	if (e != Q_MISSING) {
		*taken = USER_TAKEN_NAME;
		return e == Q_OK ? Q_EXISTS : e;
	}
	e = users_by_email(server->store, u->email, other);
	*taken = USER_TAKEN_EMAIL;
	return e == Q_MISSING ? Q_OK : e == Q_OK ? Q_EXISTS : e;
}

/* Make the account.  Q_EXISTS: *taken; Q_FULL, Q_TIMEOUT: *seconds is not 0: later, and
 * *setting the limit, if it is one. */
static enum qerr
make(struct rooms_session *rs, struct rooms_pending *w, enum user_taken *taken,
     int *seconds, const char **setting)
{
	struct session *s = rs->session;
	struct span password = span_of(w->password, w->password_len);
	enum qerr e;

	*seconds = 0;
	*setting = NULL;
	if ((e = look_up(rs, &w->user, taken)) != Q_OK)
		return e;
	*setting = limits_setting(LIMIT_SIGNUP);
	if (!limits_take(s, LIMIT_SIGNUP, 1, seconds))
		return Q_FULL;
	*setting = limits_setting(LIMIT_ACCOUNT);
	if (!limits_take(s, LIMIT_ACCOUNT, 1, seconds))
		return Q_FULL;
	*setting = NULL;
	outbox_flush_touched();
	e = passwords_hash(s->server->passwords, password, w->user.password);
	if (e == Q_FULL || e == Q_TIMEOUT)
		*seconds = BUSY_SECONDS;
	return e == Q_OK ? users_signup(s->server->store, &w->user, taken) : e;
}

void
rooms_signup_go(struct rooms_session *rs, struct span ref)
{
	struct rooms_pending *w = rs->pending;
	enum user_taken taken = USER_TAKEN_NAME;
	enum rooms_sig sig = ROOMS_NEW_ACC_OK;
	const char *setting;
	int seconds;
	enum qerr e = make(rs, w, &taken, &seconds, &setting);

	if (e == Q_EXISTS)
		sig = taken == USER_TAKEN_NAME ? ROOMS_SIGNUP_USERNAME_ALREADY_EXISTS
					       : ROOMS_SIGNUP_EMAIL_ALREADY_EXISTS;
	if (e == Q_OK) {
		metric_add(METRIC_enrolments_total, 1);
		log_event(LOG_INFO, rs->session, "registered", "name=%s", w->user.name);
	}
	rooms_pending_drop(rs);
	rs->settle = true; /* what hashing has touched */
	if (seconds > 0)
		(void)rooms_answer_later(rs, setting, seconds, ref);
	else if (e == Q_OK || e == Q_EXISTS)
		(void)rooms_answer_status(rs, sig, NULL, NULL, ref);
	else
		(void)rooms_answer_failed(rs, "signup", e, NULL, ref);
}
