/* SPDX-License-Identifier: MIT */
#include "client/client.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "client/contacts.h"
#include "client/link.h"
#include "client/nodes.h"
#include "client/recall.h"
#include "client/relay.h"
#include "client/rooms.h"
#include "client/sides.h"
#include "client/verify.h"

struct client {
	struct link *link;
	struct sides *sides; /* NULL: the link is all there is */
	const struct client_protocol *protocol;
	void *machine;
	struct client_env env;
	struct client_view view;
	client_event_fn *event; /* the front's */
	void *event_arg;
	bool begun;          /* the transport came up */
	bool leaving;        /* once the sides have ended, so does the link */
	bool over;           /* the final event has been told */
	bool history_failed; /* which has been told */
};

const struct client_protocol *
client_protocol_find(const char *name)
{
	static const struct client_protocol *const all[] = {
	    &client_relay, &client_contacts, &client_rooms, &client_nodes};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strcmp(all[i]->name, name) == 0)
			return all[i];
	return NULL;
}

void
client_tell(const struct client_env *env, enum client_event_kind kind, const char *name,
	    struct span text)
{
	struct client_event e = {.kind = kind, .name = name, .text = text};

	e.fingerprint = env->view->fingerprint;
	e.count = kind == CLIENT_CHAT_READY && env->view->verified;
	env->event(env->event_arg, &e);
}

void
client_tell_va(const struct client_env *env, enum client_event_kind kind, const char *fmt,
	       va_list ap)
{
	char text[512];

	vsnprintf(text, sizeof(text), fmt, ap);
	client_tell(env, kind, NULL, span_str(text));
}

void
client_end(const struct client_env *env, enum client_event_kind kind, const char *text,
	   bool again)
{
	struct client_event e = {.kind = kind, .text = span_str(text), .again = again};

	env->event(env->event_arg, &e);
}

/* Between machine and front: here "the final event is the last one" is kept,
 * for all protocols. */
static void
pass_event(void *arg, const struct client_event *e)
{
	struct client *c = arg;

	if (c->over)
		return;
	if (e->kind >= CLIENT_LOGGED_OUT) {
		c->over = true;
		c->view = (struct client_view){.phase = CLIENT_PHASE_OVER};
	}
	if (e->kind == CLIENT_MESSAGE)
		recall_keep(&c->env, e->name, false, e->text, &c->history_failed);
	c->event(c->event_arg, e);
}

/* Before the loop polls again. */
static void
arm(struct client *c)
{
	if (c->leaving && sides_none(c->sides))
		link_finish(c->link);
	if (c->sides != NULL)
		sides_arm(c->sides);
}

static enum link_security
security_of(const struct client_protocol *protocol, const struct client_login *login)
{
	if (protocol->opening != NULL)
		return LINK_MUTUAL;
	return protocol->tls && !login->clear ? LINK_TLS : LINK_CLEAR;
}

enum qerr
client_new(const struct target *target, const struct client_protocol *protocol,
	   const struct client_login *login, client_event_fn *event, void *event_arg,
	   struct client **out, struct why *why)
{
	enum link_security security = security_of(protocol, login);
	struct link_mutual mutual;
	struct client *c = calloc(1, sizeof(*c));
	enum qerr e;

	if (c == NULL)
		return why_set(why, Q_NOMEM, "there is no memory for a connection");
	c->protocol = protocol;
	c->event = event;
	c->event_arg = event_arg;
	if ((e = link_open(target, security, login->ca, &c->link, why)) != Q_OK)
		goto fail;
	if (protocol->websocket != NULL)
		link_websocket(c->link, protocol->websocket);
	if (protocol->opening != NULL) {
		protocol->opening(login, &mutual);
		link_mutual(c->link, &mutual);
	}
	if (protocol->side_ops != NULL &&
	    (e = sides_new(c->link, protocol->side_ops, &c->sides, why)) != Q_OK)
		goto fail;
	c->env = (struct client_env){
	    .login = login,
	    .server = link_name(c->link),
	    .out = link_out(c->link),
	    .view = &c->view,
	    .event = pass_event,
	    .event_arg = c,
	    .sides = c->sides != NULL ? sides_offer(c->sides) : NULL,
	};
	if ((c->machine = protocol->make(&c->env)) == NULL) {
		e = why_set(why, Q_NOMEM, "there is no memory for a connection");
		goto fail;
	}
	arm(c);
	*out = c;
	return Q_OK;
fail:
	client_free(c);
	return e;
}

void
client_free(struct client *c)
{
	if (c == NULL)
		return;
	if (c->machine != NULL)
		c->protocol->drop(c->machine);
	sides_free(c->sides);
	link_free(c->link);
	free(c);
}

int
client_fd(const struct client *c)
{
	return c->sides != NULL ? sides_fd(c->sides) : link_fd(c->link);
}

short
client_poll_events(const struct client *c)
{
	return c->sides != NULL ? POLLIN : link_poll_events(c->link);
}

static int64_t
earlier(int64_t a, int64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

int64_t
client_deadline(const struct client *c)
{
	int64_t first =
	    earlier(link_deadline(c->link), c->protocol->deadline(c->machine));

	return c->sides != NULL ? earlier(first, sides_deadline(c->sides)) : first;
}

void
client_step(struct client *c, short revents)
{
	struct why why = {""};
	int64_t deadline;
	enum qerr e;

	if (c->over)
		return;
	if (c->sides != NULL)
		revents = sides_ready(c->sides);
	e = link_step(c->link, revents, &why);
	if (!c->begun && link_up(c->link)) {
		c->begun = true;
		client_tell(&c->env, CLIENT_CONNECTED, NULL,
			    span_str(link_name(c->link)));
		c->protocol->begin(c->machine, clock_mono_ms());
	}
	/* What came before the end still counts. */
	c->env.waiting = link_waiting(c->link);
	c->env.coming = link_coming(c->link);
	if (c->begun && !c->over)
		c->protocol->input(c->machine, link_in(c->link), clock_mono_ms());
	if (e != Q_OK && !c->over)
		c->protocol->lost(c->machine, e, why.text);
	if (c->sides != NULL && !c->over)
		sides_step(c->sides, c->machine);
	deadline = c->protocol->deadline(c->machine);
	if (!c->over && deadline != 0 && clock_mono_ms() >= deadline)
		c->protocol->tick(c->machine, clock_mono_ms());
	arm(c);
}

bool
client_over(const struct client *c)
{
	return c->over;
}

void
client_give_up(struct client *c)
{
	if (!c->over)
		c->protocol->lost(c->machine, Q_TIMEOUT,
				  "the server has not answered to the end");
}

enum qerr
client_do(struct client *c, enum client_verb verb, struct span arg, struct why *why)
{
	char alias[NAME_SIZE];
	enum qerr e;

	if (c->over)
		return why_set(why, Q_CLOSED, "the connection is over");
	if (verb != CLIENT_DO_LOGOUT && c->view.phase == CLIENT_PHASE_CONNECTING)
		return why_set(why, Q_DENIED, "not logged in yet");
	if (!c->protocol->numbers && arg.len > 0 &&
	    (verb == CLIENT_DO_DELETE || verb == CLIENT_DO_GET))
		return why_set(why, Q_FORMAT, "messages have no numbers in %s",
			       c->protocol->name);
	if (verb == CLIENT_DO_TRUST && c->protocol->alias != NULL) {
		if (!c->protocol->alias(c->machine, arg, alias))
			return why_set(why, Q_MISSING,
				       "nobody is known by that name here: /call first");
		arg = span_str(alias);
	}
	if ((verb == CLIENT_DO_TRUST || verb == CLIENT_DO_VERIFY) &&
	    !c->protocol->keeps_keys)
		return verify_do(&c->env, verb, arg, why);
	if (verb == CLIENT_DO_HISTORY || verb == CLIENT_DO_CLEAR)
		return recall_do(&c->env, verb, arg, why);
	e = c->protocol->command(c->machine, verb, arg, clock_mono_ms(), why);
	if (verb == CLIENT_DO_SAY && e == Q_OK)
		recall_keep(&c->env, c->view.partner, true, arg, &c->history_failed);
	if (verb == CLIENT_DO_LOGOUT && e == Q_OK) {
		c->leaving = c->sides != NULL;
		if (!c->leaving)
			link_finish(c->link);
	}
	arm(c);
	return e;
}

const struct client_view *
client_view(const struct client *c)
{
	return &c->view;
}

size_t
client_waiting(const struct client *c)
{
	size_t n = link_waiting(c->link);

	return c->sides != NULL ? n + sides_waiting(c->sides) : n;
}
