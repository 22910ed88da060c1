/* SPDX-License-Identifier: MIT
 *
 * What the server says on the control connection.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include <bsd/string.h>

#include "client/nodes_machine.h"

/* ---- who is who ---- */

static void
remember(struct nodes_machine *m, uint32_t uin, const char *name)
{
	struct node_known *k = &m->known[m->known_next];

	for (size_t i = 0; i < KNOWN_MAX; i++)
		if (m->known[i].uin == uin)
			k = &m->known[i];
	if (k == &m->known[m->known_next])
		m->known_next = (m->known_next + 1) % KNOWN_MAX;
	k->uin = uin;
	strlcpy(k->name, name, sizeof(k->name));
}

static void
logged_in(struct nodes_machine *m, uint32_t uin)
{
	if (uin == 0) {
		nodes_finish(m, CLIENT_LOST, "the server does not say who we are");
		return;
	}
	m->uin = uin;
	m->logged_in = true;
	m->deadline_ms = 0;
	nodes_number(uin, m->env->view->own_as);
	nodes_show(m);
	client_tell(m->env, CLIENT_LOGGED_IN, m->env->login->user, span_of(NULL, 0));
}

/* A name of digits may be a number. */
static uint32_t
as_number(const char *name)
{
	uint64_t v = 0;

	for (; *name >= '0' && *name <= '9' && v <= UINT32_MAX; name++)
		v = 10 * v + (uint64_t)(*name - '0');
	return *name == '\0' && v <= UINT32_MAX ? (uint32_t)v : 0;
}

/* Whom we want to call was looked up. */
static void
looked_up(struct nodes_machine *m, struct node_call *c, uint32_t uin)
{
	struct node_call *other;

	if (uin == 0)
		uin = as_number(c->name);
	other = uin != 0 ? node_call_find(m, uin, "") : NULL;
	if (uin == 0)
		nodes_tell(m, CLIENT_FAILED,
			   "there is no user %s here; people elsewhere are called by "
			   "their numbers",
			   c->name);
	else if (uin == m->uin)
		nodes_tell(m, CLIENT_FAILED, "%s is you", c->name);
	else if (other != NULL)
		nodes_tell(m, CLIENT_FAILED, "there is a call with %s already",
			   other->name);
	if (uin == 0 || uin == m->uin || other != NULL) {
		node_call_drop(m, c);
		node_call_back(m);
		return;
	}
	c->uin = uin;
	nodes_number(uin, c->as);
	nodes_name(m, uin, c->name);
	c->state = NODE_CALL_CALLING;
	nodes_show(m);
	nodes_say(m, NODES_CALL, uin);
}

/* Who calls us was looked up. */
static void
named(struct nodes_machine *m, struct node_call *c)
{
	char name[NAME_SIZE];

	nodes_name(m, c->uin, c->name);
	c->state = NODE_CALL_RINGING;
	strlcpy(name, c->name, sizeof(name));
	nodes_show(m);
	client_tell(m->env, CLIENT_REQUEST_FROM, name, span_of(NULL, 0));
}

/* Of the calls with that name, or number, the one that waits for the answer. */
static struct node_call *
that_waits(struct nodes_machine *m, const struct node_asked *who)
{
	for (size_t i = 0; i < CALLS_MAX; i++) {
		struct node_call *c = &m->calls[i];

		if (who->by_name ? c->state == NODE_CALL_LOOKING &&
				       name_cmp(c->name, who->name) == 0
				 : c->state == NODE_CALL_NAMING && c->uin == who->uin)
			return c;
	}
	return NULL;
}

static void
on_who_is(struct nodes_machine *m, const struct nodes_message *msg)
{
	struct node_asked who;
	char name[NAME_SIZE];
	struct node_call *c;

	if (m->asked_count == 0)
		return;
	who = m->asked[m->asked_first];
	m->asked_first = (m->asked_first + 1) % ASKED_MAX;
	m->asked_count--;
	if (msg->uin != 0 && name_copy(msg->bytes, name) == Q_OK)
		remember(m, msg->uin, name);
	if (!m->logged_in) {
		logged_in(m, msg->uin);
		return;
	}
	c = that_waits(m, &who);
	if (c != NULL && who.by_name)
		looked_up(m, c, msg->uin);
	else if (c != NULL)
		named(m, c);
}

/* ---- calls ---- */

static void
on_called(struct nodes_machine *m, uint32_t uin)
{
	struct node_call *c = node_call_find(m, uin, "");
	struct node_asked who = {.uin = uin};
	char number[NAME_SIZE];

	if (uin == 0 || m->leaving)
		return;
	/* The server knows that the old one is over; so do we now. */
	if (c != NULL)
		node_call_close(m, c, "by the other side");
	nodes_number(uin, number);
	if ((c = node_call_add(m, NODE_CALL_NAMING, uin, number)) == NULL)
		nodes_say(m, NODES_REFUSE, uin);
	else if (nodes_ask(m, &who) != Q_OK)
		named(m, c);
}

static void
on_not_found(struct nodes_machine *m, uint32_t uin)
{
	struct node_call *c = uin != 0 ? node_call_find(m, uin, "") : NULL;
	enum node_call_state state;
	char name[NAME_SIZE];

	if (uin == m->uin) {
		client_end(
		    m->env, CLIENT_FORCED_LOGOUT,
		    "you have logged in elsewhere, or an administrator wants it so",
		    false);
		m->over = true;
		return;
	}
	if (c == NULL || c->state == NODE_CALL_UP)
		return;
	if (c->state == NODE_CALL_JOINING) {
		node_call_close(m, c, "it did not come about");
		node_call_back(m);
		return;
	}
	state = c->state;
	strlcpy(name, c->name, sizeof(name));
	node_call_drop(m, c);
	if (state == NODE_CALL_CALLING)
		client_tell(m->env, CLIENT_REQUEST_DENIED, name, span_of(NULL, 0));
	else if (state == NODE_CALL_RINGING)
		client_tell(m->env, CLIENT_REQUEST_WITHDRAWN, name, span_of(NULL, 0));
	if (state == NODE_CALL_CALLING)
		node_call_back(m);
}

static void
on_ready(struct nodes_machine *m, uint32_t uin)
{
	struct node_call *c = uin != 0 ? node_call_find(m, uin, "") : NULL;

	if (c != NULL && c->state == NODE_CALL_CALLING)
		node_call_join(m, c);
}

/* ---- the rest ---- */

static void
address_text(const struct nodes_address *a, char *out, size_t size)
{
	char ip[INET6_ADDRSTRLEN] = "?";

	if (a->kind == NODES_HOST) {
		snprintf(out, size, "%.*s:%u", (int)a->host.len, (const char *)a->host.p,
			 a->port);
		return;
	}
	(void)inet_ntop(a->kind == NODES_IP4 ? AF_INET : AF_INET6, a->ip, ip, sizeof(ip));
	snprintf(out, size, a->kind == NODES_IP4 ? "%s:%u" : "[%s]:%u", ip, a->port);
}

static void
on_list(struct nodes_machine *m, const struct nodes_message *msg)
{
	struct reader r = reader_of(msg->bytes);
	struct client_event end = {.kind = CLIENT_NODES_END, .fingerprint = ""};
	struct nodes_address a;
	char text[320];

	if (m->lists == 0)
		return;
	m->lists--;
	while (nodes_address_next(&r, &a) == Q_OK) {
		address_text(&a, text, sizeof(text));
		client_tell(m->env, CLIENT_NODE, NULL, span_str(text));
		end.count++;
	}
	m->env->event(m->env->event_arg, &end);
}

static void
on_pong(struct nodes_machine *m, const struct nodes_message *msg)
{
	struct client_event e = {
	    .kind = CLIENT_PINGED, .fingerprint = "", .count = nodes_since(m->pinged_ns)};

	if (m->pinged_ns == 0 || memcmp(msg->two, m->ping, sizeof(m->ping)) != 0)
		return;
	m->pinged_ns = 0;
	m->env->event(m->env->event_arg, &e);
}

void
nodes_on_message(struct nodes_machine *m, const struct nodes_message *msg)
{
	struct nodes_message pong = *msg;

	switch (msg->type) {
	case NODES_WHO_IS: on_who_is(m, msg); break;
	case NODES_CALLED: on_called(m, msg->uin); break;
	case NODES_NOT_FOUND: on_not_found(m, msg->uin); break;
	case NODES_READY: on_ready(m, msg->uin); break;
	case NODES_LIST: on_list(m, msg); break;
	case NODES_PING:
		pong.type = NODES_PONG;
		if (nodes_put(m->env->out, &pong) != Q_OK)
			nodes_finish(m, CLIENT_LOST, "the server takes nothing more");
		break;
	case NODES_PONG: on_pong(m, msg); break;
	default: break;
	}
}
