/* SPDX-License-Identifier: MIT
 *
 * control.c - a client's control connection: CA CA, TLS with swapped roles, calls.
 *
 * DESIGN.  The server is TLS's client here, and judges the certificate of TLS's server
 * within the handshake: it finds the user whom the certificate names, and compares keys.
 * So a handshake that completes is a login.  The client decides how long that takes; so
 * who it is is looked at once more when its session can be found.
 *
 * s->state is set when the handshake is done, under the outbox lock: until then nothing
 * can be said to anybody, and goodbye finds NULL.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "server/accounts.h"
#include "server/limits.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/moderation.h"
#include "server/nodes/links.h"
#include "server/nodes/node_tls.h"
#include "server/nodes/nodes_session.h"
#include "server/throttle.h"
#include "server/tls.h"
#include "store/decimal.h"

#define HELLO_LEN        4
#define INPUT_MAX        4096 /* bytes; the longest message of a client has 258 */
#define WHO_PER_SECOND   20
#define LISTS_PER_SECOND 5
#define END_MS           1000

struct control *
control_of(struct party *p)
{
	return (struct control *)(void *)((char *)p - offsetof(struct control, party));
}

void
control_free(struct control *c)
{
	if (c == NULL)
		return;
	key_free(c->key);
	free(c);
}

/* ---- saying ---- */

void
control_tell(struct control *c, enum nodes_type type, uint32_t uin)
{
	dialogue_tell(c->session, &(struct nodes_message){.type = type, .uin = uin});
}

/* A client that reads this does not come again by itself. */
void
control_goodbye(struct session *s, enum goodbye why)
{
	uint8_t m[6] = {NODES_NOT_FOUND, NODES_NOT_FOUND};
	struct control *c;
	uint8_t *at;

	if (why != GOODBYE_REPLACED && why != GOODBYE_REMOVED && why != GOODBYE_KICKED)
		return;
	lock_take(&s->out.lock);
	c = s->state;
	if (c != NULL) {
		le32_put(m + 2, c->party.uin);
		if (outbox_reserve_locked(&s->out, OUTBOX_CONTROL, sizeof(m), &at) ==
		    Q_OK) {
			memcpy(at, m, sizeof(m));
			outbox_commit_locked(&s->out, sizeof(m));
		}
	}
	lock_drop(&s->out.lock);
}

/* ---- who is it? ---- */

struct judgement {
	struct session *session;
	struct control *control;
	const char *reason;
};

/* Is the key that of the user with this name?  Then fills in who it is. */
static bool
is_user(struct server *server, const char *name, const struct key *key,
	char user[NAME_SIZE], uint32_t *uin)
{
	char registered[NAME_SIZE];
	struct key *known;
	struct user u;
	bool same;

	if (accounts_key(server->accounts, name, registered, &known) != Q_OK)
		return false;
	same = key_same(known, key);
	key_free(known);
	if (!same || accounts_get(server->accounts, registered, &u) != Q_OK)
		return false;
	memcpy(user, registered, NAME_SIZE);
	*uin = u.uin;
	explicit_bzero(&u, sizeof(u));
	return true;
}

/* The subject is a name or a UIN in decimal; a name of digits is a name first. */
static bool
judge(void *arg, const struct cert *peer)
{
	struct judgement *j = arg;
	struct control *c = j->control;
	struct server *server = j->session->server;
	char cn[CERT_NAME_MAX + 1], name[NAME_SIZE];
	struct key *key;
	uint64_t uin;
	bool ok;

	j->reason = "the certificate names nobody";
	if (cert_common_name(peer, cn) != Q_OK)
		return false;
	j->reason = "the certificate's key is not fit for use";
	if (cert_key(peer, &key) != Q_OK)
		return false;
	j->reason = "no such user, or another key";
	ok = name_valid(span_str(cn)) && is_user(server, cn, key, c->user, &c->party.uin);
	if (!ok && decimal_read(span_str(cn), UINT32_MAX, &uin) == Q_OK &&
	    users_by_uin(server->store, (uint32_t)uin, name) == Q_OK)
		ok = is_user(server, name, key, c->user, &c->party.uin);
	key_free(c->key); /* of a judgement before this one */
	c->key = ok ? key_ref(key) : NULL;
	key_free(key);
	return ok;
}

static void
refused(struct session *s, const struct judgement *j)
{
	metric_add(METRIC_login_failures_total, 1);
	log_limited(LOG_WARN, &s->peer, s, "login-failed", "reason=%s", j->reason);
}

/* TLS, roles swapped.  False: it came to nothing. */
static bool
shake_hands(struct session *s, struct control *c)
{
	struct judgement j = {.session = s, .control = c};
	enum qerr e = node_tls_begin(s, false, judge, &j);

	if (e == Q_DENIED && j.reason != NULL)
		refused(s, &j);
	return e == Q_OK;
}

/* ---- coming and going ---- */

/* The handshake has shown who it is; a client does not come again by itself. */
static void
turn_away(struct control *c)
{
	char text[MODERATION_TEXT_SIZE];

	moderation_turned_away(c->session, c->user, text);
	session_end(c->session, GOODBYE_KICKED, text);
}

/* In one step: who was here as this user has left, and c is here.  So of two that come at
 * once the one who is in the table of sessions is also the one who is called. */
static bool
enter(struct control *c)
{
	struct session *s = c->session, *older = NULL;
	struct party *before;
	enum qerr e;

	nodes_begin();
	e = sessions_login(s->server->sessions, s, c->user, LOGIN_REPLACE, &older);
	if (e == Q_OK) {
		before = calls_party(&nodes_calls, c->party.uin);
		if (before != NULL)
			calls_leave(&nodes_calls, before, NODES_ARG);
		calls_enter(&nodes_calls, &c->party);
	}
	nodes_finish(s->server);
	if (older != NULL)
		session_end(older, GOODBYE_REPLACED, NULL);
	session_unref(older);
	if (e == Q_DENIED)
		turn_away(c);
	if (e != Q_OK)
		return false;
	metric_add(METRIC_logins_total, 1);
	log_event(LOG_INFO, s, "login", "uin=%" PRIu32, c->party.uin);
	return true;
}

static void
leave(struct control *c)
{
	struct session *s = c->session;

	nodes_begin();
	calls_leave(&nodes_calls, &c->party, NODES_ARG);
	nodes_finish(s->server);
	log_event(LOG_INFO, s, "logout", "uin=%" PRIu32, c->party.uin);
}

/* Is it that user still?  Who replaces a key, or removes a user, does so first and then
 * looks for sessions, so one of the two notices. */
static bool
still_is_user(const struct control *c)
{
	char user[NAME_SIZE];
	uint32_t uin;

	return is_user(c->session->server, c->user, c->key, user, &uin) &&
	       uin == c->party.uin;
}

/* ---- what a client says ---- */

static void
who_is(struct control *c, const struct nodes_message *m)
{
	struct server *server = c->session->server;
	struct nodes_message answer = {.type = NODES_WHO_IS};
	char name[NAME_SIZE] = "";
	struct user u;

	if (rate_exceeded(&c->questions, WHO_PER_SECOND)) {
		dialogue_tell(c->session, &answer);
		return;
	}
	if (m->type == NODES_WHO_UIN)
		(void)users_by_uin(server->store, m->uin, name);
	else if (m->bytes.len == 0)
		memcpy(name, c->user, sizeof(name));
	else
		(void)name_copy(m->bytes, name);
	if (name[0] != '\0' && accounts_get(server->accounts, name, &u) == Q_OK) {
		answer.uin = u.uin;
		answer.bytes = span_str(u.name);
	}
	dialogue_tell(c->session, &answer);
}

/* Two who have just hung up may call each other at once, and this may be here before their
 * data connections' workers have seen the end: give those a moment. */
static void
await_end(struct control *c, uint32_t uin) REQUIRES(nodes_calls.lock)
{
	int64_t until_ms = clock_mono_ms() + END_MS;
	bool in_time = true;

	while (in_time && calls_speak(&nodes_calls, &c->party, uin))
		in_time = lock_wait(&nodes_calls.lock, &nodes_changed, until_ms);
}

/* What is said in a call nobody here can read, or refuse: then there is no call. */
static bool
is_muted(const struct control *c)
{
	return moderation_holds(c->session->server->moderation, c->user,
				RESTRICTION_MUTE);
}

/* A call, under the lock that calls have. */
static void
on_call(struct control *c, const struct nodes_message *m)
{
	struct session *s = c->session;
	enum qerr e = Q_OK;

	if (m->type == NODES_CALL && !limits_take(s, LIMIT_JOIN, 1, NULL)) {
		control_tell(c, NODES_NOT_FOUND, m->uin);
		return;
	}
	nodes_begin();
	if (m->type == NODES_CALL)
		await_end(c, m->uin);
	if (m->type == NODES_CALL)
		e = calls_place(&nodes_calls, &c->party, m->uin, clock_mono_ms(),
				NODES_ARG);
	else if (m->type == NODES_ALLOW && !is_muted(c))
		calls_allow(&nodes_calls, &c->party, m->uin, clock_mono_ms(), NODES_ARG);
	else
		calls_refuse(&nodes_calls, &c->party, m->uin, NODES_ARG);
	nodes_finish(s->server);
	if (e != Q_OK)
		log_event(LOG_ERROR, s, "call-failed", "error=%s", qerr_str(e));
}

static void
obey(void *arg, const struct nodes_message *m)
{
	struct control *c = arg;

	switch (m->type) {
	case NODES_CALL:
	case NODES_ALLOW:
	case NODES_REFUSE: on_call(c, m); break;
	case NODES_WHO_NAME:
	case NODES_WHO_UIN: who_is(c, m); break;
	case NODES_ASK_NODES:
		if (!rate_exceeded(&c->lists, LISTS_PER_SECOND))
			links_list(c->session);
		break;
	default: break; /* a client says nothing else */
	}
}

static void
serve_user(struct session *s)
{
	struct control *c = s->state;

	dialogue_run(&c->dialogue);
	leave(c);
}

/* ---- the beginning ---- */

void
control_serve(struct session *s)
{
	struct nodes_message hello;
	struct control *c;

	if (nodes_next(session_input(s), NODES_OPENER, &hello) != Q_OK ||
	    !dialogue_welcome(s, &hello))
		return;
	session_consume(s, HELLO_LEN);
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return;
	c->session = s;
	c->dialogue = (struct dialogue){.session = s,
					.speaker = NODES_CLIENT,
					.longest = INPUT_MAX,
					.obey = obey,
					.arg = c};
	c->party.address = s->peer;
	if (!shake_hands(s, c)) {
		control_free(c);
		return;
	}
	lock_take(&s->out.lock);
	s->state = c;
	lock_drop(&s->out.lock);
	session_deadline(s, 0);
	if (!enter(c))
		return;
	if (still_is_user(c)) {
		session_continue(s, serve_user);
	} else {
		session_end(s, GOODBYE_REMOVED, NULL);
		leave(c);
	}
	key_free(c->key);
	c->key = NULL;
}
