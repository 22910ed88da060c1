/* SPDX-License-Identifier: MIT
 *
 * The row of functions, what a person can ask for, and the view.
 */
#include "client/nodes.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "base/clock.h"
#include "client/link_mutual.h"
#include "client/nodes_machine.h"
#include "crypto/random.h"

/* ---- what the files of this machine share ---- */

void
nodes_finish(struct nodes_machine *m, enum client_event_kind kind, const char *text)
{
	if (m->over)
		return;
	m->over = true;
	m->deadline_ms = 0;
	client_tell(m->env, kind, NULL, span_str(text));
}

void
nodes_tell(struct nodes_machine *m, enum client_event_kind kind, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	client_tell_va(m->env, kind, fmt, ap);
	va_end(ap);
}

static void
put(struct nodes_machine *m, const struct nodes_message *msg)
{
	if (!m->over && nodes_put(m->env->out, msg) != Q_OK)
		nodes_finish(m, CLIENT_LOST, "the server takes nothing more");
}

void
nodes_say(struct nodes_machine *m, enum nodes_type type, uint32_t uin)
{
	put(m, &(struct nodes_message){.type = type, .uin = uin});
}

enum qerr
nodes_ask(struct nodes_machine *m, const struct node_asked *who)
{
	struct nodes_message msg = {.type = who->by_name ? NODES_WHO_NAME : NODES_WHO_UIN,
				    .uin = who->uin,
				    .bytes = span_str(who->name)};

	if (m->asked_count == ASKED_MAX)
		return Q_FULL;
	m->asked[(m->asked_first + m->asked_count++) % ASKED_MAX] = *who;
	put(m, &msg);
	return Q_OK;
}

void
nodes_number(uint32_t uin, char out[NAME_SIZE])
{
	snprintf(out, NAME_SIZE, "%" PRIu32, uin);
}

void
nodes_name(const struct nodes_machine *m, uint32_t uin, char out[NAME_SIZE])
{
	nodes_number(uin, out);
	for (size_t i = 0; i < KNOWN_MAX; i++)
		if (m->known[i].uin == uin)
			strlcpy(out, m->known[i].name, NAME_SIZE);
}

/* ---- the view ---- */

/* Of several calls the one that a person thinks of: the current one, else the one that is
 * furthest. */
static const struct node_call *
foremost(const struct nodes_machine *m)
{
	static const int rank[] = {
	    [NODE_CALL_JOINING] = 4, [NODE_CALL_CALLING] = 3, [NODE_CALL_LOOKING] = 2,
	    [NODE_CALL_RINGING] = 1, [NODE_CALL_UP] = 0,
	};
	const struct node_call *best = m->current;

	for (size_t i = 0; i < CALLS_MAX && m->current == NULL; i++) {
		const struct node_call *c = &m->calls[i];

		if (rank[c->state] > 0 &&
		    (best == NULL || rank[c->state] > rank[best->state] ||
		     (rank[c->state] == rank[best->state] && c->order < best->order)))
			best = c;
	}
	return best;
}

void
nodes_show(struct nodes_machine *m)
{
	static const enum client_phase phases[] = {
	    [NODE_CALL_LOOKING] = CLIENT_PHASE_ASKING,
	    [NODE_CALL_CALLING] = CLIENT_PHASE_ASKING,
	    [NODE_CALL_RINGING] = CLIENT_PHASE_ASKED,
	    [NODE_CALL_JOINING] = CLIENT_PHASE_KEYING,
	    [NODE_CALL_UP] = CLIENT_PHASE_CHATTING,
	};
	const struct node_call *c = foremost(m);
	struct client_view *view = m->env->view;

	if (!m->logged_in || m->over)
		return;
	/* /verify has changed it there. */
	if (m->shown != NULL)
		m->shown->verified = view->verified;
	m->shown = m->current;
	view->phase = c != NULL ? phases[c->state] : CLIENT_PHASE_FREE;
	if (m->leaving)
		view->phase = CLIENT_PHASE_LEAVING;
	strlcpy(view->partner, c != NULL ? c->name : "", sizeof(view->partner));
	strlcpy(view->partner_as, c != NULL ? c->as : "", sizeof(view->partner_as));
	strlcpy(view->fingerprint, m->current != NULL ? m->current->key : "",
		sizeof(view->fingerprint));
	view->verified = m->current != NULL && m->current->verified;
	view->on_the_way = m->current != NULL ? m->current->unsent.count : 0;
	view->busy = c != NULL && c->state == NODE_CALL_LOOKING;
}

/* ---- the machine ---- */

static void
opening(const struct client_login *login, struct link_mutual *out)
{
	const uint8_t hello[] = {NODES_CLIENT_HELLO, NODES_CLIENT_HELLO, NODES_MAJOR,
				 NODES_MINOR};

	*out = (struct link_mutual){.hello_len = sizeof(hello),
				    .answered = true,
				    .tls_server = true,
				    .key = login->key,
				    .name = login->user,
				    .ca = login->ca,
				    .wait_ms = LOGIN_MS};
	memcpy(out->hello, hello, sizeof(hello));
}

static void *
make(const struct client_env *env)
{
	struct nodes_machine *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	m->env = env;
	m->scratch = (struct buf)BUF_INIT(NODES_TEXT_MAX);
	m->left = (struct unsent)UNSENT_INIT;
	return m;
}

static void
drop(void *machine)
{
	struct nodes_machine *m = machine;

	if (m == NULL)
		return;
	for (size_t i = 0; i < CALLS_MAX; i++) {
		unsent_fini(&m->calls[i].unsent);
		buf_wipe(&m->calls[i].kept);
	}
	unsent_fini(&m->left);
	buf_wipe(&m->scratch);
	free(m);
}

/* Who is up is logged in; but what is our number? */
static void
begin(void *machine, int64_t now_ms)
{
	struct nodes_machine *m = machine;
	struct node_asked own = {.by_name = true};

	m->deadline_ms = now_ms + LOGIN_MS;
	(void)nodes_ask(m, &own);
}

static void
input(void *machine, struct buf *in, int64_t now_ms)
{
	struct nodes_machine *m = machine;
	struct nodes_message msg;
	enum qerr e = Q_OK;
	size_t used = 0;

	if (in->len > m->in_left) {
		m->quiet_ms = now_ms + CLIENT_QUIET_MS;
		m->alive_ms = 0;
	}
	while (!m->over && (e = nodes_next(span_of(in->p + used, in->len - used),
					   NODES_SERVER, &msg)) == Q_OK) {
		used += msg.total;
		nodes_on_message(m, &msg);
	}
	buf_consume(in, used);
	m->in_left = in->len;
	if (e == Q_FORMAT)
		nodes_finish(m, CLIENT_LOST, "the server broke the protocol");
}

/* The calls end with it.  Of the current one fronts are told by what comes back (keep.c)
 * or by the end itself, as in other protocols. */
static void
lost(void *machine, enum qerr e, const char *reason)
{
	struct nodes_machine *m = machine;

	if (m->leaving && e == Q_CLOSED) {
		nodes_finish(m, CLIENT_LOGGED_OUT, "logged out");
		return;
	}
	for (size_t i = 0; i < CALLS_MAX; i++) {
		struct node_call *c = &m->calls[i];

		if (c->state == NODE_CALL_UP && c != m->current)
			node_call_close(m, c, "the connection is lost");
	}
	if (m->current != NULL)
		unsent_tell(&m->current->unsent, m->env);
	unsent_tell(&m->left, m->env);
	nodes_finish(m, e == Q_DENIED && !m->logged_in ? CLIENT_REFUSED : CLIENT_LOST,
		     reason);
}

static int64_t
deadline(const void *machine)
{
	const struct nodes_machine *m = machine;

	if (m->deadline_ms != 0 || !m->logged_in || m->over)
		return m->deadline_ms;
	return m->alive_ms != 0 ? m->alive_ms : m->quiet_ms;
}

/* A ping that nobody waits for: its answer is a sign of life, as anything else is. */
static void
tick_quiet(struct nodes_machine *m, int64_t now_ms)
{
	struct nodes_message ping = {.type = NODES_PING};

	if (m->alive_ms != 0 && now_ms >= m->alive_ms) {
		lost(m, Q_TIMEOUT, "the server does not answer any longer");
	} else if (m->alive_ms == 0 && now_ms >= m->quiet_ms) {
		m->alive_ms = now_ms + CLIENT_ALIVE_MS;
		random_bytes(ping.two, sizeof(ping.two));
		put(m, &ping);
	}
}

static void
tick(void *machine, int64_t now_ms)
{
	struct nodes_machine *m = machine;

	if (m->deadline_ms == 0 && m->logged_in && !m->over)
		tick_quiet(m, now_ms);
	if (m->deadline_ms == 0 || now_ms < m->deadline_ms)
		return;
	if (m->leaving && m->left.count > 0)
		lost(m, Q_TIMEOUT, "what was said last has not gone out");
	else if (m->leaving)
		nodes_finish(m, CLIENT_LOGGED_OUT, "logged out");
	else
		nodes_finish(m, CLIENT_LOST, "the server does not answer in time");
}

/* ---- what a person can ask for ---- */

/* Whom a name that was typed means: also a number whose name is known. */
static struct node_call *
call_with(struct nodes_machine *m, const char *name)
{
	struct node_call *c = node_call_find(m, 0, name);

	for (size_t i = 0; i < CALLS_MAX && c == NULL; i++)
		if (m->calls[i].state != NODE_CALL_FREE &&
		    strcmp(m->calls[i].as, name) == 0)
			c = &m->calls[i];
	return c;
}

static enum qerr
do_call(struct nodes_machine *m, struct span arg, struct why *why)
{
	struct node_asked who = {.by_name = true};
	struct node_call *c;

	if (name_copy(arg, who.name) != Q_OK)
		return why_set(why, Q_FORMAT, "\"%.*s\" is no name and no number",
			       (int)(arg.len < 64 ? arg.len : 64), (const char *)arg.p);
	if (name_cmp(who.name, m->env->login->user) == 0)
		return why_set(why, Q_DENIED, "%s is you", who.name);
	c = call_with(m, who.name);
	if (c != NULL && c->state == NODE_CALL_UP) {
		node_call_switch(m, c);
		return Q_OK;
	}
	if (c != NULL && c->state == NODE_CALL_RINGING)
		return why_set(why, Q_DENIED, "%s is calling you: /accept or /refuse",
			       c->name);
	if (c != NULL)
		return why_set(why, Q_DENIED, "you are calling %s already", c->name);
	c = node_call_add(m, NODE_CALL_LOOKING, 0, who.name);
	if (c == NULL || nodes_ask(m, &who) != Q_OK) {
		if (c != NULL)
			node_call_drop(m, c);
		return why_set(why, Q_FULL, "too many calls at once");
	}
	c->ours = true;
	/* Who is called is the one that the person thinks of now. */
	m->back_to = m->current;
	m->current = NULL;
	nodes_show(m);
	return Q_OK;
}

static enum qerr
do_answer(struct nodes_machine *m, bool accept, struct why *why)
{
	struct node_call *c = node_call_ringing(m);

	if (c == NULL)
		return why_set(why, Q_DENIED, "nobody is calling you");
	nodes_say(m, accept ? NODES_ALLOW : NODES_REFUSE, c->uin);
	if (accept) {
		m->back_to = m->current;
		m->current = NULL;
		node_call_join(m, c);
	} else {
		nodes_tell(m, CLIENT_DONE, "refused %s", c->name);
		node_call_drop(m, c);
	}
	return Q_OK;
}

/* nodes has no word for giving a call up before it is answered: then we do not come, and
 * the other one waits for a while. */
static enum qerr
do_hang_up(struct nodes_machine *m, struct why *why)
{
	struct node_call *c = (struct node_call *)(uintptr_t)foremost(m);
	char name[NAME_SIZE];

	if (c == NULL || c->state == NODE_CALL_RINGING)
		return why_set(why, Q_DENIED, "you are in no call");
	if (c->state == NODE_CALL_LOOKING || c->state == NODE_CALL_CALLING) {
		strlcpy(name, c->name, sizeof(name));
		node_call_drop(m, c);
		client_tell(m->env, CLIENT_REQUEST_WITHDRAWN, name, span_of(NULL, 0));
		node_call_back(m);
		return Q_OK;
	}
	/* What was said last goes out before the end, and is acknowledged no more. */
	unsent_fini(&c->unsent);
	node_call_close(m, c, "by you");
	return Q_OK;
}

static enum qerr
do_calls(struct nodes_machine *m)
{
	struct client_event end = {.kind = CLIENT_CHATS_END, .fingerprint = ""};

	for (size_t i = 0; i < CALLS_MAX; i++) {
		const struct node_call *c = &m->calls[i];
		struct client_event e = {.kind = CLIENT_CHAT_KEPT,
					 .name = c->name,
					 .fingerprint = c->key,
					 .count = c->unread};

		if (c->state != NODE_CALL_UP)
			continue;
		m->env->event(m->env->event_arg, &e);
		end.count++;
	}
	m->env->event(m->env->event_arg, &end);
	return Q_OK;
}

static enum qerr
do_ping(struct nodes_machine *m)
{
	struct nodes_message ping = {.type = NODES_PING};

	if (m->current != NULL) {
		node_call_ping(m->current, m);
		return Q_OK;
	}
	random_bytes(m->ping, sizeof(m->ping));
	memcpy(ping.two, m->ping, sizeof(ping.two));
	m->pinged_ns = clock_mono_ns();
	put(m, &ping);
	return Q_OK;
}

static enum qerr
do_nodes(struct nodes_machine *m)
{
	struct nodes_message ask = {.type = NODES_ASK_NODES};

	random_bytes(ask.two, sizeof(ask.two));
	m->lists++;
	put(m, &ask);
	return Q_OK;
}

/* The calls' connections end first, so that what was said last arrives (client.c). */
static enum qerr
do_logout(struct nodes_machine *m, int64_t now_ms)
{
	if (!m->logged_in) {
		nodes_finish(m, CLIENT_LOGGED_OUT, "logged out");
		return Q_OK;
	}
	m->leaving = true;
	m->deadline_ms = now_ms + LEAVING_MS;
	for (size_t i = 0; i < CALLS_MAX; i++)
		if (m->calls[i].state != NODE_CALL_FREE) {
			unsent_join(&m->left, &m->calls[i].unsent);
			node_call_drop(m, &m->calls[i]);
		}
	nodes_show(m);
	return Q_OK;
}

static enum qerr
command(void *machine, enum client_verb verb, struct span arg, int64_t now_ms,
	struct why *why)
{
	struct nodes_machine *m = machine;

	if (m->leaving)
		return why_set(why, Q_CLOSED, "you are logging out");
	switch (verb) {
	case CLIENT_DO_CHAT: return do_call(m, arg, why);
	case CLIENT_DO_CHATS: return do_calls(m);
	case CLIENT_DO_ACCEPT: return do_answer(m, true, why);
	case CLIENT_DO_REFUSE:
	case CLIENT_DO_DENY: return do_answer(m, false, why);
	case CLIENT_DO_SAY: return node_call_say(m, arg, why);
	case CLIENT_DO_END: return do_hang_up(m, why);
	case CLIENT_DO_PING: return do_ping(m);
	case CLIENT_DO_NODES: return do_nodes(m);
	case CLIENT_DO_LOGOUT: return do_logout(m, now_ms);
	default: break;
	}
	return why_set(why, Q_DENIED, "nodes has no word for this");
}

static bool
alias(void *machine, struct span name, char out[NAME_SIZE])
{
	const struct nodes_machine *m = machine;
	char wanted[NAME_SIZE];

	if (name_copy(name, wanted) != Q_OK)
		return false;
	for (size_t i = 0; i < KNOWN_MAX; i++)
		if (m->known[i].uin != 0 && name_cmp(m->known[i].name, wanted) == 0) {
			nodes_number(m->known[i].uin, out);
			return true;
		}
	for (size_t i = 0; wanted[i] != '\0'; i++)
		if (wanted[i] < '0' || wanted[i] > '9')
			return false;
	strlcpy(out, wanted, NAME_SIZE);
	return true;
}

const struct client_protocol client_nodes = {
    .name = "nodes",
    .text_max = NODES_TEXT_MAX,
    .opening = opening,
    .side_ops = &node_call_ops,
    .alias = alias,
    .make = make,
    .drop = drop,
    .begin = begin,
    .input = input,
    .lost = lost,
    .deadline = deadline,
    .tick = tick,
    .command = command,
};
