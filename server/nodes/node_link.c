/* SPDX-License-Identifier: MIT
 *
 * DESIGN.  A link is a session like any other: its worker reads messages and deals with
 * them one after another, and whoever has something for the node puts it into the outbox.
 * What it says counts only for calls of that very link (calls.c) and for what it was asked
 * (search.c), so a node that lies harms those alone who call through it; what it says too
 * often is dropped, and when it does not read our answers its outbox ends it.
 */
#include "server/nodes/node_link.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/nodes/admit.h"
#include "server/nodes/links.h"
#include "server/nodes/node_tls.h"
#include "server/nodes/nodes.h"
#include "server/nodes/nodes_session.h"
#include "server/stream_tls.h"

#define ANSWER_MAX 4096 /* bytes read before TLS */
/* In each second: A5 that are answered, AA that are heard, A4 and 90. */
#define SEARCHES_A_SECOND 200
#define ASKS_A_SECOND     200
#define LISTS_A_SECOND    5

void
node_link_tell(struct node_link *l, const struct nodes_message *m)
{
	dialogue_tell(l->session, m);
}

/* ---- life ---- */

void
node_link_free(struct node_link *l)
{
	if (l == NULL)
		return;
	turns_fini(&l->turns);
	free(l);
}

static void
become(struct session *s, struct node_link *l)
{
	lock_take(&s->out.lock);
	s->state = l;
	atomic_store(&s->protocol, &nodes_link_protocol);
	lock_drop(&s->out.lock);
}

/* ---- TLS ---- */

struct judgement {
	struct node_link *link;
	const char *reason;
};

static bool
judge(void *arg, const struct cert *peer)
{
	struct judgement *j = arg;
	struct node_link *l = j->link;
	struct peer entry;

	if (!admit_node(l->session->server, peer, l->fingerprint, &j->reason))
		return false;
	l->named = peers_find(config_now()->nodes_peers, l->fingerprint, &entry);
	j->reason = "another node answers there";
	return !l->dialled || l->call.any ||
	       memcmp(l->fingerprint, l->call.fingerprint, SHA256_LEN) == 0;
}

static bool
shake_hands(struct node_link *l)
{
	struct judgement j = {.link = l};
	struct session *s = l->session;
	enum qerr e = node_tls_begin(s, l->dialled, judge, &j);

	if (e == Q_DENIED && j.reason != NULL) {
		metric_add(METRIC_login_failures_total, 1);
		log_limited(LOG_WARN, &s->peer, s, "node-refused", "reason=%s", j.reason);
	}
	/* Without memory for it the link is slower. */
	if (e == Q_OK)
		(void)stream_tls_bulk(s->stream);
	return e == Q_OK;
}

/* ---- what a node says ---- */

static void
on_call(struct node_link *l, const struct nodes_message *m)
{
	int64_t now = clock_mono_ms();

	if (m->type == NODES_ASK_CALL && rate_exceeded(&l->asks, ASKS_A_SECOND)) {
		node_link_tell(l, &(struct nodes_message){.type = NODES_CALL_OVER,
							  .uin = m->uin,
							  .uin2 = m->uin2});
		return;
	}
	nodes_begin();
	if (m->type == NODES_ASK_CALL)
		calls_wire_ask(&nodes_calls, &l->wire, m->uin, m->uin2, now, NODES_ARG);
	else
		calls_wire_ready(&nodes_calls, &l->wire, m->uin, m->uin2, now, NODES_ARG);
	nodes_finish(l->session->server);
}

static void
obey(void *arg, const struct nodes_message *m)
{
	struct node_link *l = arg;

	switch (m->type) {
	case NODES_DATA: node_link_take_data(l, m); break;
	case NODES_ASK_CALL:
	case NODES_CALL_ALLOWED: on_call(l, m); break;
	case NODES_CALL_OVER: links_over(l, m->uin, m->uin2); break;
	case NODES_SEARCH:
		if (!rate_exceeded(&l->searches, SEARCHES_A_SECOND))
			links_asked(l, m->uin);
		break;
	case NODES_HERE: links_here(l, m->uin); break;
	case NODES_THERE: links_there(l, m->uin, &m->address); break;
	case NODES_PORT:
	case NODES_LIST:
	case NODES_ASK_NODES:
		if (rate_exceeded(&l->lists, LISTS_A_SECOND))
			break;
		if (m->type == NODES_PORT)
			links_announced(l, m->port);
		else if (m->type == NODES_LIST)
			links_heard_of(l, m->bytes, m->count);
		else
			links_list(l->session);
		break;
	default: break; /* a node says nothing else */
	}
}

static void
serve_link(struct session *s)
{
	struct node_link *l = s->state;

	dialogue_run(&l->dialogue);
	links_leave(l);
	log_event(LOG_INFO, s, "unlink", "direction=%s", l->dialled ? "out" : "in");
	if (l->dialled)
		dial_over(&l->call);
	dial_look();
}

/* ---- the beginning ---- */

static struct node_link *
link_new(struct session *s)
{
	struct node_link *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->session = s;
	l->dialogue = (struct dialogue){.session = s,
					.speaker = NODES_NODE,
					.longest = NODES_MESSAGE_MAX,
					.obey = obey,
					.arg = l};
	l->slot = LINK_NO_SLOT;
	turns_init(&l->turns);
	return l;
}

enum qerr
node_link_prepare(struct session *s, const struct dial_call *call)
{
	struct node_link *l = link_new(s);

	if (l == NULL)
		return Q_NOMEM;
	l->dialled = true;
	l->call = *call;
	l->place = call->place;
	l->placed = true;
	become(s, l);
	return Q_OK;
}

/* TLS is up.  False: the link is not wanted. */
static bool
enter(struct node_link *l)
{
	char hex[HEX_LEN(SHA256_LEN) + 1];
	struct session *s = l->session;
	const char *reason;

	session_deadline(s, 0);
	hex_encode(span_of(l->fingerprint, SHA256_LEN), hex);
	if ((reason = links_enter(l)) != NULL) {
		log_limited(LOG_WARN, &s->peer, s, "node-refused", "reason=%s", reason);
		return false;
	}
	log_event(LOG_INFO, s, "link", "direction=%s node=%s", l->dialled ? "out" : "in",
		  hex);
	session_continue(s, serve_link);
	return true;
}

void
node_link_accepted(struct session *s, const struct nodes_message *hello)
{
	struct node_link *l;

	if (!dialogue_welcome(s, hello) || (l = link_new(s)) == NULL)
		return;
	session_consume(s, hello->total);
	if (!shake_hands(l)) {
		node_link_free(l);
		return;
	}
	become(s, l);
	(void)enter(l);
}

/* Say CB CB and hear 01.  False: something else came. */
static bool
greet(struct session *s)
{
	struct nodes_message m = {.type = NODES_NODE_HELLO,
				  .two = {NODES_MAJOR, NODES_MINOR}};
	enum qerr e;

	dialogue_tell(s, &m);
	while ((e = nodes_next(session_input(s), NODES_ACCEPTOR, &m)) == Q_SHORT)
		if (session_fill(s, ANSWER_MAX) != Q_OK)
			return false;
	if (e == Q_OK && m.type == NODES_OK) {
		session_consume(s, m.total);
		return true;
	}
	log_limited(LOG_WARN, &s->peer, s, "node-unreachable", "reason=%s",
		    e == Q_OK ? "it speaks another version" : "no node answers there");
	return false;
}

void
node_link_dialled(struct session *s)
{
	struct node_link *l = s->state;

	if (!greet(s) || !shake_hands(l) || !enter(l))
		dial_over(&l->call);
}
