/* SPDX-License-Identifier: MIT
 *
 * The connection is a struct client, thrown away when it is lost; what has to outlive
 * it is here: whether there was a login, with whom there was a chat, how often it has
 * been tried.  A client tells its end from within its own calls, so it is only marked
 * there, and thrown away when the outermost call of ours returns (settle).
 */
#include "client/keep.h"

#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "base/clock.h"
#include "client/backoff.h"
#include "client/rooms_state.h"
#include "crypto/random.h"

struct keep {
	const struct target *target;
	const struct client_protocol *protocol;
	struct client_login login;
	enum keep_mode mode;
	client_event_fn *event;
	void *event_arg;

	struct client *client; /* NULL: KEEP_WAITING, or KEEP_OVER */
	enum keep_state state;
	struct client_view away; /* what there is to see meanwhile */
	struct backoff backoff;
	int64_t until_ms;
	int depth; /* calls of ours that are under way */

	bool been_up;      /* logged in once */
	uint64_t refusals; /* since then, of those that may have been accidents */
	bool leaving;
	bool lost;                 /* the client is over, and another one is to follow */
	struct why why;            /* because of this */
	char partner[NAME_SIZE];   /* of the chat; "": there is none */
	char broke_off[NAME_SIZE]; /* the chat with them had ended; "": none */
	bool back;                 /* logged in again, and that is still to be told */
};

static void
tell(struct keep *k, enum client_event_kind kind, const char *name, struct span text)
{
	struct client_event e = {.kind = kind, .name = name, .text = text};

	k->event(k->event_arg, &e);
}

static bool
comes_back(struct keep *k, const struct client_event *e)
{
	if (k->mode != KEEP_COMING_BACK || !k->been_up || k->leaving)
		return false;
	if (e->kind == CLIENT_REFUSED && e->again && e->count > 0)
		return ++k->refusals <= e->count;
	return e->kind == CLIENT_LOST || e->again;
}

static void
on_event(void *arg, const struct client_event *e)
{
	struct keep *k = arg;

	switch (e->kind) {
	case CLIENT_CHAT_READY:
		strlcpy(k->partner, e->name, sizeof(k->partner));
		k->broke_off[0] = '\0';
		break;
	case CLIENT_CHAT_CLOSED:
		/* There may be others (nodes). */
		if (name_cmp(e->name, k->partner) == 0)
			k->partner[0] = '\0';
		break;
	case CLIENT_LOGGED_IN:
		k->back = k->been_up;
		k->been_up = true;
		if (k->login.was_in != NULL)
			*k->login.was_in = true;
		k->refusals = 0;
		k->state = KEEP_UP;
		backoff_up(&k->backoff, clock_mono_ms());
		break;
	default: break;
	}
	if (e->kind < CLIENT_LOGGED_OUT) {
		k->event(k->event_arg, e);
	} else if (comes_back(k, e)) {
		k->lost = true;
		why_set(&k->why, Q_CLOSED, "%.*s",
			(int)(e->text.len < sizeof(k->why.text) ? e->text.len
								: sizeof(k->why.text)),
			(const char *)e->text.p);
	} else {
		k->state = KEEP_OVER;
		k->event(k->event_arg, e);
	}
}

/* ---- lost, and back ---- */

/* Until the next attempt. */
static void
wait_for_it(struct keep *k)
{
	int64_t now = clock_mono_ms();
	struct client_event e = {.kind = CLIENT_AWAY, .text = span_str(k->why.text)};

	k->state = KEEP_WAITING;
	e.time_ms = backoff_lost(&k->backoff, now, random_u32());
	e.count = k->backoff.attempts;
	k->until_ms = now + e.time_ms;
	k->event(k->event_arg, &e);
}

static void
lose(struct keep *k)
{
	char partner[NAME_SIZE];

	client_free(k->client);
	k->client = NULL;
	k->lost = k->back = false;
	k->away = (struct client_view){.phase = CLIENT_PHASE_CONNECTING};
	if (k->login.rooms != NULL) { /* they are still to be sent */
		k->away.on_the_way = rooms_going_texts(&k->login.rooms->memory);
		if (rooms_going_file(&k->login.rooms->memory) != NULL)
			k->away.sending = CLIENT_TRANSFER_PREPARING;
	}
	strlcpy(partner, k->partner, sizeof(partner));
	if (partner[0] != '\0') {
		strlcpy(k->broke_off, partner, sizeof(k->broke_off));
		k->partner[0] = '\0';
		if (k->protocol->chats_last)
			strlcpy(k->away.partner, partner, sizeof(k->away.partner));
		else
			tell(k, CLIENT_CHAT_CLOSED, partner,
			     span_str("the connection is lost"));
	}
	wait_for_it(k);
}

static void
attempt(struct keep *k)
{
	k->until_ms = 0;
	k->state = KEEP_CONNECTING;
	if (client_new(k->target, k->protocol, &k->login, on_event, k, &k->client,
		       &k->why) != Q_OK) {
		k->client = NULL;
		wait_for_it(k);
	}
}

/* The login stands, and what it brings has come. */
static void
tell_back(struct keep *k)
{
	struct client_event e = {.kind = CLIENT_BACK};
	char partner[NAME_SIZE];

	k->back = false;
	strlcpy(partner, k->broke_off, sizeof(partner));
	k->broke_off[0] = '\0';
	if (partner[0] != '\0') {
		e.name = partner;
		if (k->protocol->chats_last &&
		    client_do(k->client, CLIENT_DO_CHAT, span_str(partner), NULL) == Q_OK)
			e.count = 1;
	}
	k->event(k->event_arg, &e);
}

static void
enter(struct keep *k)
{
	k->depth++;
}

static void
settle(struct keep *k)
{
	if (k->depth == 1) {
		if (k->lost)
			lose(k);
		else if (k->back && !client_over(k->client) &&
			 !client_view(k->client)->busy)
			tell_back(k);
	}
	k->depth--;
}

/* ---- life ---- */

enum qerr
keep_new(const struct target *target, const struct client_protocol *protocol,
	 const struct client_login *login, enum keep_mode mode, client_event_fn *event,
	 void *event_arg, struct keep **out, struct why *why)
{
	struct keep *k = calloc(1, sizeof(*k));
	enum qerr e;

	if (k == NULL)
		return why_set(why, Q_NOMEM, "there is no memory for a connection");
	k->target = target;
	k->protocol = protocol;
	k->login = *login;
	k->mode = mode;
	k->event = event;
	k->event_arg = event_arg;
	e = client_new(target, protocol, &k->login, on_event, k, &k->client, why);
	if (e == Q_OK)
		*out = k;
	else
		free(k);
	return e;
}

void
keep_free(struct keep *k)
{
	if (k == NULL)
		return;
	client_free(k->client);
	free(k);
}

enum keep_state
keep_state(const struct keep *k)
{
	return k->state;
}

int64_t
keep_until(const struct keep *k)
{
	return k->until_ms;
}

void
keep_hurry(struct keep *k)
{
	if (k->state == KEEP_WAITING)
		k->until_ms = clock_mono_ms();
}

/* ---- the loop ---- */

int
keep_fd(const struct keep *k)
{
	return k->client != NULL ? client_fd(k->client) : -1;
}

short
keep_poll_events(const struct keep *k)
{
	return k->client != NULL ? client_poll_events(k->client) : 0;
}

int64_t
keep_deadline(const struct keep *k)
{
	return k->client != NULL ? client_deadline(k->client) : k->until_ms;
}

void
keep_step(struct keep *k, short revents)
{
	enter(k);
	if (k->client != NULL) {
		/* Registered once is registered. */
		k->login.new_user = k->login.new_user && !k->been_up;
		client_step(k->client, revents);
	} else if (k->state == KEEP_WAITING && clock_mono_ms() >= k->until_ms) {
		attempt(k);
	}
	settle(k);
}

bool
keep_over(const struct keep *k)
{
	return k->state == KEEP_OVER;
}

void
keep_give_up(struct keep *k)
{
	k->leaving = true;
	if (k->client != NULL)
		client_give_up(k->client);
}

/* ---- what a person asks for ---- */

/* What would have been sent again is not going to be. */
static void
leave_while_away(struct keep *k)
{
	const struct client_env env = {
	    .view = &k->away, .event = k->event, .event_arg = k->event_arg};
	struct rooms_memory *m = k->login.rooms != NULL ? &k->login.rooms->memory : NULL;
	size_t n = m != NULL ? m->going_count : 0;

	if (n > 0)
		rooms_going_tell(m, &env);
	k->state = KEEP_OVER;
	k->away.phase = CLIENT_PHASE_OVER;
	if (n == 0) {
		tell(k, CLIENT_LOGGED_OUT, NULL, span_str("logged out"));
		return;
	}
	why_set(&k->why, Q_CLOSED,
		"there was no connection; messages that may not have arrived: %zu", n);
	tell(k, CLIENT_LOST, NULL, span_str(k->why.text));
}

enum qerr
keep_do(struct keep *k, enum client_verb verb, struct span arg, struct why *why)
{
	bool up = k->client != NULL && !k->lost;
	enum qerr e;

	if (k->state == KEEP_OVER)
		return why_set(why, Q_CLOSED, "the connection is over");
	if (verb == CLIENT_DO_LOGOUT) {
		k->leaving = true;
		if (!up) {
			leave_while_away(k);
			return Q_OK;
		}
	} else if (!up || k->state != KEEP_UP) {
		return why_set(why, Q_CLOSED, "%s: there is no connection",
			       verb == CLIENT_DO_SAY ? "not sent" : "not now");
	}
	enter(k);
	e = client_do(k->client, verb, arg, why);
	settle(k);
	return e;
}

const struct client_view *
keep_view(const struct keep *k)
{
	return k->client != NULL && k->state != KEEP_CONNECTING ? client_view(k->client)
								: &k->away;
}

size_t
keep_waiting(const struct keep *k)
{
	return k->client != NULL ? client_waiting(k->client) : 0;
}
