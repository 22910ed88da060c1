/* SPDX-License-Identifier: MIT
 *
 * login.c - 110, 111 and 117: coming, going, making an account.
 *
 * From 111 to the moment when somebody else may log in as the same user, positions are
 * saved, so that the next login finds them.
 */
#include "server/contacts/contacts_session.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "base/clock.h"
#include "crypto/password.h"
#include "crypto/random.h"
#include "server/accounts.h"
#include "server/contacts/contacts.h"
#include "server/limits.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/moderation.h"
#include "server/passwords.h"
#include "server/throttle.h"

#define WRONG_MAX    5    /* passwords in a row */
#define OLD_WAIT_MS  2000 /* for a connection that is about to be over */
#define OLD_SLICE_MS 20

static void
answer_login(struct contacts_session *cs, int status, struct span name)
{
	contacts_answered(cs, contacts_put_login(&cs->reply, status, name));
}

static void
set_phase(struct contacts_session *cs, enum inbox_phase phase)
{
	lock_take(&cs->session->out.lock);
	if (phase != INBOX_HERE)
		inbox_clear(&cs->inbox);
	cs->inbox.phase = phase;
	cs->news = phase == INBOX_ARRIVING;
	lock_drop(&cs->session->out.lock);
}

/* ---- 110 ---- */

/* A connection that has ended, maybe because somebody could not write to it, whose worker
 * has yet to save how far it got. */
static bool
old_is_there(const struct session *s, const char *user)
{
	struct sessions *t = s->server->sessions;

	for (struct session *o = sessions_next(t, user, NULL); o != NULL;
	     o = sessions_next(t, user, o)) {
		if (o == s || atomic_load(&o->protocol) != &contacts_protocol)
			continue;
		session_unref(o);
		return true;
	}
	return false;
}

/* Enter the session table as user.  A client that lost its connection comes back
 * sooner than the server has noticed: give the old one a moment. */
static enum qerr
take_place(struct contacts_session *cs, const char *user)
{
	struct session *s = cs->session;
	int64_t until_ms = clock_mono_ms() + OLD_WAIT_MS;
	enum qerr e;

	while ((e = sessions_login(s->server->sessions, s, user, LOGIN_REFUSE, NULL)) ==
		   Q_EXISTS &&
	       clock_mono_ms() < until_ms && !session_ended(s))
		(void)poll(NULL, 0, OLD_SLICE_MS);
	while (e == Q_OK && old_is_there(s, user) && clock_mono_ms() < until_ms &&
	       !session_ended(s))
		(void)poll(NULL, 0, 1);
	return e;
}

/* There was no place.  A 212 has no room for a ban's words. */
static int
refused(struct contacts_session *cs, const char *name, enum qerr e)
{
	char text[MODERATION_TEXT_SIZE];

	if (e == Q_EXISTS)
		return CONTACTS_USERNAME_ALREADY_LOGGED_IN;
	if (e != Q_DENIED)
		return contacts_failed(cs, "login", e);
	moderation_turned_away(cs->session, name, text);
	return CONTACTS_USER_BANNED;
}

/* Is u the same user still, with the same password?  Who removes one or sets a password
 * does so first and then ends the sessions that can be found, so one of the two notices.
 * CONTACTS_OK, or what to answer. */
static int
look_again(struct contacts_session *cs, const struct user *u)
{
	struct user now;
	enum qerr e = accounts_get(cs->session->server->accounts, u->name, &now);
	bool same = e == Q_OK && now.created_ms == u->created_ms &&
		    strcmp(now.password, u->password) == 0;

	secret_wipe(now.password, sizeof(now.password));
	if (e != Q_OK && e != Q_MISSING)
		return contacts_failed(cs, "login", e);
	return same ? CONTACTS_OK : CONTACTS_PASSWORD_WRONG;
}

/* The password was right for u, whose record was read before. */
static int
enter(struct contacts_session *cs, const struct user *u)
{
	struct session *s = cs->session;
	int status;
	enum qerr e;

	throttle_login_ok(s->server->throttle, u->name, &s->peer);
	/* Woken from now on: by 233s, by room in the outbox, by the time to save. */
	if ((e = session_wakeable(s)) != Q_OK)
		return contacts_failed(cs, "login", e);
	/* Events are remembered before anybody can tell any. */
	set_phase(cs, INBOX_ARRIVING);
	if ((e = take_place(cs, u->name)) == Q_OK) {
		strlcpy(cs->user, u->name, sizeof(cs->user));
		status = look_again(cs, u);
		if (status == CONTACTS_OK && (e = contacts_arrive(cs)) != Q_OK)
			status = contacts_failed(cs, "login", e);
		if (status == CONTACTS_OK)
			return status;
		sessions_logout(s->server->sessions, s);
		cs->user[0] = '\0';
	} else {
		status = refused(cs, u->name, e);
	}
	set_phase(cs, INBOX_AWAY);
	return status;
}

static void
wrong_password(struct contacts_session *cs, const char *name)
{
	struct session *s = cs->session;
	/* What is no name has a count of its own: "" is the address's. */
	int ms = throttle_login_failed(s->server->throttle, name[0] == '\0' ? "?" : name,
				       &s->peer);

	metric_add(METRIC_login_failures_total, 1);
	log_limited(LOG_WARN, &s->peer, s, "login-failed", "name=%s",
		    name[0] == '\0' ? "-" : name);
	if (!throttle_wait(s->server->throttle, s, ms) || ++cs->wrong >= WRONG_MAX)
		cs->over = true;
}

/* Who asks to be a contact comes before everything else. */
static void
welcome(struct contacts_session *cs)
{
	metric_add(METRIC_logins_total, 1);
	log_event(LOG_INFO, cs->session, "login", "stream=%s",
		  atomic_load(&cs->session->stream)->ops->name);
	cs->wrong = 0;
	contacts_answers_out(cs);
	if (!cs->over)
		contacts_tell_news(cs);
	/* A 122 that came together with this 110 means the first 220 already. */
	cs->arriving = !cs->over;
	/* What hashing a password has touched is not for an idle session to keep. */
	cs->settle = !cs->over;
}

void
contacts_login(struct contacts_session *cs, const struct contacts_request *r)
{
	struct session *s = cs->session;
	char name[NAME_SIZE] = "";
	enum qerr e, known;
	struct user u;
	int status;

	if (contacts_logged_in(cs)) {
		answer_login(cs, CONTACTS_CLIENT_ALREADY_LOGGED_IN, r->arg[0]);
		return;
	}
	/* What follows may take its time: earlier answers do not wait for it, and it
	 * does not count against the client. */
	contacts_answers_out(cs);
	outbox_flush_touched();
	session_deadline(s, 0);
	(void)name_copy(r->arg[0], name);
	known = accounts_get(s->server->accounts, name, &u);
	e = passwords_check(s->server->passwords, name, r->arg[1]);
	if (e == Q_OK && (e = known) == Q_OK) {
		status = enter(cs, &u);
	} else if (e == Q_DENIED) {
		wrong_password(cs, name);
		status = CONTACTS_PASSWORD_WRONG;
	} else {
		status = contacts_failed(cs, "login", e);
	}
	secret_wipe(u.password, sizeof(u.password));
	answer_login(cs, status, status == CONTACTS_OK ? span_str(cs->user) : r->arg[0]);
	if (status == CONTACTS_OK)
		welcome(cs);
	else
		session_deadline(s, cs->login_by_ms);
}

/* ---- 111 ---- */

/* 213 is put in the hold of the lock in which events end. */
void
contacts_logout(struct contacts_session *cs, const struct contacts_request *r)
{
	struct session *s = cs->session;
	int64_t limit = cs->config->contacts_login_timeout_ms;

	(void)r;
	contacts_save(cs);
	contacts_answers_out(cs);
	set_phase(cs, INBOX_AWAY);
	contacts_drop_chat(cs);
	contacts_had_clear(cs);
	free(cs->heard);
	cs->heard = NULL;
	cs->n_heard = 0;
	sessions_logout(s->server->sessions, s);
	log_event(LOG_INFO, s, "logout", "how=%s", "asked");
	cs->user[0] = '\0';
	contacts_answer(cs, CONTACTS_LOGOUT_RESPONSE, CONTACTS_OK);
	cs->login_by_ms = limit > 0 ? clock_mono_ms() + limit : 0;
	session_deadline(s, cs->login_by_ms);
}

/* ---- 117 ---- */

static int
make_account(struct contacts_session *cs, const struct contacts_request *r)
{
	struct session *s = cs->session;
	struct user u = {0};
	enum qerr e;

	if (!cs->config->contacts_register)
		return CONTACTS_SERVER_ERROR;
	if (name_copy(r->arg[0], u.name) != Q_OK)
		return CONTACTS_USERNAME_INVALID;
	if (!password_valid(r->arg[1]))
		return CONTACTS_PASSWORD_INVALID;
	/* Looked at here to spare the hash; accounts_add decides. */
	if ((e = accounts_get(s->server->accounts, u.name, &u)) == Q_OK) {
		secret_wipe(u.password, sizeof(u.password));
		return CONTACTS_USERNAME_ALREADY_TAKEN;
	}
	if (!limits_take(s, LIMIT_ACCOUNT, 1, NULL))
		return CONTACTS_SERVER_ERROR;
	memcpy(u.email, r->arg[2].p, r->arg[2].len);
	memcpy(u.gender, r->arg[3].p, r->arg[3].len);
	e = passwords_hash(s->server->passwords, r->arg[1], u.password);
	if (e == Q_OK)
		e = accounts_add(s->server->accounts, &u, (struct span){NULL, 0}, NULL);
	secret_wipe(u.password, sizeof(u.password));
	if (e == Q_EXISTS)
		return CONTACTS_USERNAME_ALREADY_TAKEN;
	if (e != Q_OK)
		return contacts_failed(cs, "register", e);
	metric_add(METRIC_enrolments_total, 1);
	log_event(LOG_INFO, s, "registered", "name=%s", u.name);
	return CONTACTS_OK;
}

void
contacts_register(struct contacts_session *cs, const struct contacts_request *r)
{
	_Static_assert(CONTACTS_EMAIL_MAX <= USER_EMAIL_MAX &&
			   CONTACTS_GENDER_MAX <= USER_FIELD_MAX,
		       "a user's record has room for both");

	if (r->arg[2].len > CONTACTS_EMAIL_MAX || r->arg[3].len > CONTACTS_GENDER_MAX) {
		contacts_answer_invalid(cs);
		return;
	}
	contacts_answers_out(cs);
	outbox_flush_touched();
	contacts_answer(cs, CONTACTS_REGISTER_RESPONSE, make_account(cs, r));
}
