/* SPDX-License-Identifier: MIT
 *
 * control.c - a client's control connection: CA CA, TLS with swapped roles, calls.
 *
 * DESIGN.  The server is TLS's client here, and judges the certificate of TLS's server
 * within the handshake: it finds the user whom the certificate names, and compares keys.
 * So a handshake that completes is a login.
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
#include "server/nodes/links.h"
#include "server/nodes/node_tls.h"
#include "server/nodes/nodes_session.h"
#include "server/throttle.h"
#include "server/tls.h"
#include "store/decimal.h"

#define HELLO_LEN      4
#define INPUT_MAX      4096 /* bytes; the longest message of a client has 258 */
#define WHO_PER_SECOND 20

struct control *
control_of(struct party *p)
{
	return (struct control *)(void *)((char *)p - offsetof(struct control, party));
}

void
control_free(struct control *c)
{
	free(c);
}

/* ---- saying ---- */

void
nodes_tell(struct session *s, const struct nodes_message *m)
{
	struct buf b = BUF_INIT(NODES_MESSAGE_MAX);
	enum qerr e = nodes_put(&b, m);

	if (e == Q_OK)
		(void)outbox_put(s, OUTBOX_CONTROL, buf_span(&b));
	else
		session_end(s, GOODBYE_ERROR, qerr_str(e));
	buf_free(&b);
}

void
control_tell(struct control *c, enum nodes_type type, uint32_t uin)
{
	nodes_tell(c->session, &(struct nodes_message){.type = type, .uin = uin});
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

static void
broken(struct session *s, const char *reason)
{
	metric_add(METRIC_protocol_errors_total, 1);
	log_limited(LOG_WARN, &s->peer, s, "protocol-error", "reason=%s", reason);
	session_end(s, GOODBYE_ERROR, reason);
}

/* ---- who is it? ---- */

struct judgement {
	struct session *session;
	struct control *control;
	const char *reason;
};

/* Is the key that of the user with this name?  Then fills in who it is. */
static bool
is_user(struct judgement *j, const char *name, const struct key *key)
{
	struct server *server = j->session->server;
	struct key *known;
	struct user u;
	bool same;

	if (accounts_key(server->accounts, name, j->control->user, &known) != Q_OK)
		return false;
	same = key_same(known, key);
	key_free(known);
	if (!same || accounts_get(server->accounts, j->control->user, &u) != Q_OK)
		return false;
	j->control->party.uin = u.uin;
	return true;
}

/* The subject is a name or a UIN in decimal; a name of digits is a name first. */
static bool
judge(void *arg, const struct cert *peer)
{
	struct judgement *j = arg;
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
	ok = name_valid(span_str(cn)) && is_user(j, cn, key);
	if (!ok && decimal_read(span_str(cn), UINT32_MAX, &uin) == Q_OK &&
	    users_by_uin(j->session->server->store, (uint32_t)uin, name) == Q_OK)
		ok = is_user(j, name, key);
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
	struct tls_context *context = node_tls_context(s->server->identity, false);
	struct span first = session_input(s);
	struct tls *t = NULL;
	enum qerr e;

	if (context != NULL)
		t = tls_new(context, s->stream->fd, first);
	tls_context_free(context);
	if (t == NULL)
		return false;
	session_consume(s, first.len);
	tls_judge(t, judge, &j);
	if ((e = tls_begin(s, t)) == Q_DENIED && j.reason != NULL)
		refused(s, &j);
	return e == Q_OK;
}

/* ---- coming and going ---- */

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

	timer_cancel(s->server->timers, &c->timer);
	nodes_begin();
	calls_leave(&nodes_calls, &c->party, NODES_ARG);
	nodes_finish(s->server);
	log_event(LOG_INFO, s, "logout", "uin=%" PRIu32, c->party.uin);
}

/* The timer: a ping each nodes.ping_interval, the end after nodes.ping_timeout without a
 * byte. */
static void
tick(void *arg)
{
	struct control *c = arg;
	const struct config *cfg = config_now();
	int64_t now = clock_mono_ms();

	if (now - atomic_load(&c->heard_ms) >= cfg->nodes_ping_timeout_ms) {
		session_end(c->session, GOODBYE_SLOW, "nothing was heard of you");
		return;
	}
	nodes_tell(c->session, &(struct nodes_message){.type = NODES_PING});
	timer_set(c->session->server->timers, &c->timer,
		  now + cfg->nodes_ping_interval_ms, tick, c);
	outbox_flush_touched();
}

/* ---- what a client says ---- */

/* Who asks too often hears of nobody. */
static bool
who_too_often(struct control *c)
{
	int64_t now = clock_mono_ms();

	if (now - c->who_ms >= 1000) {
		c->who_ms = now;
		c->who_count = 0;
	}
	return ++c->who_count > WHO_PER_SECOND;
}

static void
who_is(struct control *c, const struct nodes_message *m)
{
	struct server *server = c->session->server;
	struct nodes_message answer = {.type = NODES_WHO_IS};
	char name[NAME_SIZE] = "";
	struct user u;

	if (who_too_often(c)) {
		nodes_tell(c->session, &answer);
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
	nodes_tell(c->session, &answer);
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
		e = calls_place(&nodes_calls, &c->party, m->uin, clock_mono_ms(),
				NODES_ARG);
	else if (m->type == NODES_ALLOW)
		calls_allow(&nodes_calls, &c->party, m->uin, clock_mono_ms(), NODES_ARG);
	else
		calls_refuse(&nodes_calls, &c->party, m->uin, NODES_ARG);
	nodes_finish(s->server);
	if (e != Q_OK)
		log_event(LOG_ERROR, s, "call-failed", "error=%s", qerr_str(e));
}

static void
obey(struct control *c, const struct nodes_message *m)
{
	struct nodes_message pong = *m;

	switch (m->type) {
	case NODES_CALL:
	case NODES_ALLOW:
	case NODES_REFUSE: on_call(c, m); break;
	case NODES_WHO_NAME:
	case NODES_WHO_UIN: who_is(c, m); break;
	case NODES_ASK_NODES: links_list(c->session); break;
	case NODES_PING:
		pong.type = NODES_PONG;
		nodes_tell(c->session, &pong);
		break;
	default: break; /* a pong */
	}
}

/* All whole messages of the input. */
static enum qerr
take_messages(struct control *c)
{
	struct session *s = c->session;
	struct nodes_message m;
	enum qerr e;

	while ((e = nodes_next(session_input(s), NODES_CLIENT, &m)) == Q_OK) {
		obey(c, &m);
		session_consume(s, m.total);
		if (session_ended(s))
			return Q_CLOSED;
	}
	return e;
}

static void
serve_user(struct session *s)
{
	struct control *c = s->state;
	enum qerr e = Q_OK;

	timer_set(s->server->timers, &c->timer,
		  clock_mono_ms() + config_now()->nodes_ping_interval_ms, tick, c);
	while ((e == Q_OK || e == Q_SHORT) && !session_ended(s)) {
		if (e == Q_OK)
			atomic_store(&c->heard_ms, clock_mono_ms());
		if (take_messages(c) == Q_FORMAT)
			broken(s, "no message that a client may send");
		else
			e = session_fill(s, INPUT_MAX);
	}
	session_end(s, GOODBYE_SELF, NULL);
	leave(c);
}

/* ---- the beginning ---- */

bool
nodes_welcome(struct session *s, const struct nodes_message *hello)
{
	struct nodes_message answer = {.type = NODES_OK};

	if (hello->two[0] != NODES_MAJOR) {
		answer.type = NODES_OTHER_VERSION;
		answer.two[0] = NODES_MAJOR;
		answer.two[1] = NODES_MINOR;
	}
	nodes_tell(s, &answer);
	outbox_flush_touched();
	return answer.type == NODES_OK;
}

void
control_serve(struct session *s)
{
	struct nodes_message hello;
	struct control *c;

	if (nodes_next(session_input(s), NODES_OPENER, &hello) != Q_OK ||
	    !nodes_welcome(s, &hello))
		return;
	session_consume(s, HELLO_LEN);
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return;
	c->session = s;
	c->party.address = s->peer;
	if (!shake_hands(s, c)) {
		control_free(c);
		return;
	}
	lock_take(&s->out.lock);
	s->state = c;
	lock_drop(&s->out.lock);
	atomic_store(&c->heard_ms, clock_mono_ms());
	session_deadline(s, 0);
	if (enter(c))
		session_continue(s, serve_user);
}
