/* SPDX-License-Identifier: MIT
 *
 * What the server says once we are logged in.  Each opcode is obeyed in the
 * states where it makes sense (relay.h); anywhere else it belongs to something
 * that is over, and is ignored.  The one exception: when the server believes
 * that a chat has begun which nobody here has agreed to (its 307 or 303 crossed
 * our change of mind), it is told 370.
 */
#include "client/relay_machine.h"

#include <string.h>

#include <bsd/string.h>

#include "client/verify.h"

void
relay_fail_chat(struct relay_machine *m, const char *reason)
{
	char partner[NAME_SIZE];

	strlcpy(partner, m->env->view->partner, sizeof(partner));
	if (!m->leaving)
		relay_settle(m, RELAY_END_CHAT);
	client_tell(m->env, CLIENT_CHAT_CLOSED, partner, span_str(reason));
}

static void
broken(struct relay_machine *m)
{
	relay_finish(m, CLIENT_LOST, "the server broke the protocol");
}

/* What is with the partner is over: back to FREE, and tell. */
static void
over(struct relay_machine *m, enum client_event_kind kind, const char *text)
{
	char partner[NAME_SIZE];

	strlcpy(partner, m->env->view->partner, sizeof(partner));
	m->deadline_ms = 0;
	relay_become(m, RELAY_FREE, "");
	client_tell(m->env, kind, partner, span_str(text));
}

static void
on_request(struct relay_machine *m, struct span data)
{
	char name[NAME_SIZE], dropped[NAME_SIZE];

	if (relay_name_parse(data, name) != Q_OK) {
		broken(m);
		return;
	}
	if (m->state != RELAY_FREE && m->state != RELAY_SETTLING)
		return;
	/* Whom we wanted to ask next would now be told that we are busy. */
	strlcpy(dropped, m->next, sizeof(dropped));
	m->next[0] = '\0';
	relay_become(m, RELAY_ASKED, name);
	if (dropped[0] != '\0')
		client_tell(m->env, CLIENT_REQUEST_DENIED, dropped, span_of(NULL, 0));
	client_tell(m->env, CLIENT_REQUEST_FROM, name, span_of(NULL, 0));
}

static void
begin_chat(struct relay_machine *m, enum e2e_role role, struct span data, int64_t now_ms)
{
	struct why why;

	relay_become(m, RELAY_KEYING, m->env->view->partner);
	m->deadline_ms = now_ms + KEYING_MS;
	if (e2e_new(role, m->env->login->key, data, &m->e2e, &why) != Q_OK) {
		relay_fail_chat(m, why.text);
		return;
	}
	if (verify_partner(m->env, m->env->view->partner, e2e_fingerprint(m->e2e),
			   &why) != Q_OK) {
		relay_fail_chat(m, why.text);
		return;
	}
	if (role == E2E_ACCEPTER)
		return;
	m->scratch.len = 0;
	if (e2e_begin(m->e2e, &m->scratch) == Q_OK)
		relay_send(m, RELAY_NONCE, buf_span(&m->scratch));
	else
		relay_fail_chat(m, "there is no memory left");
}

/* The server believes in a chat that nobody here has agreed to.  Whom we wanted
 * to ask next is still asked. */
static void
undo_chat(struct relay_machine *m)
{
	char name[NAME_SIZE], next[NAME_SIZE];
	bool asked = m->state == RELAY_ASKED;

	strlcpy(name, m->env->view->partner, sizeof(name));
	strlcpy(next, m->next, sizeof(next));
	relay_settle(m, RELAY_END_CHAT);
	if (asked)
		client_tell(m->env, CLIENT_REQUEST_WITHDRAWN, name, span_of(NULL, 0));
	else if (next[0] != '\0')
		relay_ask_next(m, next);
}

/* 303 and 307: the server says that a chat has begun. */
static void
on_begin(struct relay_machine *m, int32_t opcode, struct span data, int64_t now_ms)
{
	if (opcode == RELAY_CHAT_ACCEPT && m->state == RELAY_ASKING)
		begin_chat(m, E2E_REQUESTER, data, now_ms);
	else if (opcode == RELAY_PEER_PUBLIC_KEY && m->state == RELAY_ACCEPTING)
		begin_chat(m, E2E_ACCEPTER, data, now_ms);
	else if (m->state == RELAY_ASKED || m->state == RELAY_FREE ||
		 m->state == RELAY_SETTLING)
		undo_chat(m);
}

static void
on_key(struct relay_machine *m, int32_t opcode, struct span data)
{
	struct why why;
	int32_t reply;

	if (m->state != RELAY_KEYING && m->state != RELAY_CHATTING)
		return;
	m->scratch.len = 0;
	if (e2e_input(m->e2e, opcode, data, &reply, &m->scratch, &why) != Q_OK) {
		relay_fail_chat(m, why.text);
		return;
	}
	if (reply != 0)
		relay_send(m, reply, buf_span(&m->scratch));
	if (!e2e_ready(m->e2e) || m->state != RELAY_KEYING)
		return;
	m->deadline_ms = 0;
	relay_become(m, RELAY_CHATTING, m->env->view->partner);
	transfer_begin(m->files, m->env->view->partner);
	client_tell(m->env, CLIENT_CHAT_READY, m->env->view->partner, span_of(NULL, 0));
	verify_proven(m->env, m->env->view->partner);
}

static void
on_closed(struct relay_machine *m)
{
	switch (m->state) {
	case RELAY_ASKING: over(m, CLIENT_REQUEST_DENIED, ""); break;
	case RELAY_ASKED:
	case RELAY_ACCEPTING: over(m, CLIENT_REQUEST_WITHDRAWN, ""); break;
	case RELAY_KEYING:
	case RELAY_CHATTING: over(m, CLIENT_CHAT_CLOSED, "by the other side"); break;
	default: break;
	}
}

/* Is it a list from its first entry to its last? */
static bool
list_whole(struct span data)
{
	struct reader r = reader_of(data);
	char name[NAME_SIZE];
	enum qerr e;

	while ((e = relay_list_next(&r, name)) == Q_OK)
		;
	return e == Q_MISSING;
}

static void
on_list(struct relay_machine *m, struct span data, int64_t now_ms)
{
	struct reader r = reader_of(data);
	char name[NAME_SIZE];

	if (m->lists_got == m->lists_sent || !list_whole(data)) {
		broken(m);
		return;
	}
	if (m->list_shown[m->lists_got++ % LISTS_MAX]) {
		while (relay_list_next(&r, name) == Q_OK)
			client_tell(m->env, CLIENT_LIST_NAME, name, span_of(NULL, 0));
		client_tell(m->env, CLIENT_LIST_END, NULL, span_of(NULL, 0));
	}
	relay_expect_answer(m);
	relay_chat_on_answer(m, now_ms);
	if (m->state != RELAY_SETTLING || m->lists_got != m->settled_at)
		return;
	strlcpy(name, m->next, sizeof(name));
	m->next[0] = '\0';
	relay_become(m, name[0] != '\0' ? RELAY_ASKING : RELAY_FREE, name);
	if (name[0] != '\0')
		relay_send(m, RELAY_CHAT_REQUEST, span_str(name));
}

static void
on_forced_logout(struct relay_machine *m, struct span reason)
{
	struct client_event e = {.kind = CLIENT_FORCED_LOGOUT, .text = reason};

	/* What was said before it may have crossed it on the way. */
	unsent_tell(&m->unsent, m->env);
	relay_become(m, RELAY_OVER, "");
	m->deadline_ms = m->answer_ms = 0;
	e.again = span_eq(reason, span_str(RELAY_REASON_STOPPING));
	m->env->event(m->env->event_arg, &e);
}

void
relay_on_message(struct relay_machine *m, const struct relay_inner *in, int64_t now_ms)
{
	/* On the way out only what the partner has still said is of interest. */
	if (m->leaving && in->opcode != RELAY_PEER_MESSAGE)
		return;
	switch (in->opcode) {
	case RELAY_CHAT_REQUEST:
	case RELAY_CHAT_REQUEST_RECEIVED_DISTINCT: on_request(m, in->data); break;
	case RELAY_CHAT_ACCEPT:
	case RELAY_PEER_PUBLIC_KEY: on_begin(m, in->opcode, in->data, now_ms); break;
	case RELAY_CHAT_DENIED:
		if (m->state == RELAY_ASKING)
			over(m, CLIENT_REQUEST_DENIED, "");
		break;
	case RELAY_NONCE:
	case RELAY_FIRST_KEY:
	case RELAY_SECOND_KEY: on_key(m, in->opcode, in->data); break;
	case RELAY_PEER_MESSAGE: relay_chat_on_message(m, in->data, now_ms); break;
	case RELAY_CLOSED_CHAT: on_closed(m); break;
	case RELAY_FORCED_LOGOUT: on_forced_logout(m, in->data); break;
	case RELAY_LIST:
	case RELAY_LIST_DISTINCT: on_list(m, in->data, now_ms); break;
	case RELAY_NOTICE: client_tell(m->env, CLIENT_NOTICE, NULL, in->data); break;
	default: break; /* a newer server's, additive */
	}
}
