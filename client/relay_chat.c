/* SPDX-License-Identifier: MIT
 *
 * What passes between the two ends of a chat: texts, files, and how far they have come.
 */
#include "client/relay_machine.h"

#include <string.h>

#include <bsd/string.h>

#include "base/text.h"

#define CONFIRM_MS 1000 /* from a message to the question whether it has arrived */

/* ---- to the partner ---- */

/* Seal data for the partner, and that for the server. */
static enum qerr
send_peer(struct relay_machine *m, int32_t opcode, struct span data)
{
	struct buf *out = m->env->out;

	/* Room for all of it first: a counter that has been used must go out. */
	m->scratch.len = 0;
	if (buf_reserve(out, data.len + 2 * CHANNEL_OVERHEAD) != Q_OK ||
	    buf_reserve(&m->scratch, data.len + CHANNEL_OVERHEAD) != Q_OK)
		return Q_FULL;
	if (e2e_seal_kind(m->e2e, opcode, data, &m->scratch) != Q_OK) {
		relay_fail_chat(m, "this chat has lasted too long");
		return Q_LIMIT;
	}
	relay_send(m, RELAY_PEER_MESSAGE, buf_span(&m->scratch));
	return Q_OK;
}

enum qerr
relay_chat_send_file(void *machine, int32_t opcode, struct span data)
{
	struct relay_machine *m = machine;

	return m->state == RELAY_CHATTING ? send_peer(m, opcode, data) : Q_CLOSED;
}

enum qerr
relay_chat_say(struct relay_machine *m, struct span text, int64_t now_ms, struct why *why)
{
	enum qerr e;

	if (m->state == RELAY_KEYING || m->state == RELAY_ACCEPTING)
		return why_set(why, Q_DENIED, "not sent: the chat is not ready yet");
	if (m->state == RELAY_ASKING || m->next[0] != '\0')
		return why_set(why, Q_DENIED, "not sent: %s has not answered yet",
			       m->env->view->partner);
	if (m->state != RELAY_CHATTING)
		return why_set(why, Q_DENIED,
			       "not sent: you are in no chat; /chat NAME begins one");
	if (text.len > RELAY_TEXT_MAX)
		return why_set(why, Q_LIMIT,
			       "not sent: %zu bytes are too long, %d at most", text.len,
			       RELAY_TEXT_MAX);
	if (!utf8_valid(text))
		return why_set(why, Q_FORMAT, "not sent: this is not UTF-8 text");
	if ((e = send_peer(m, RELAY_PEER_MESSAGE, text)) == Q_FULL)
		why_set(why, e, "not sent: too much is waiting to be sent");
	else if (e != Q_OK)
		why_set(why, e, "not sent: this chat has lasted too long");
	if (e != Q_OK)
		return e;
	unsent_add(&m->unsent, m->env->view->partner, text);
	m->env->view->on_the_way++;
	if (m->confirm_ms == 0 && m->confirmed_at == 0)
		m->confirm_ms = now_ms + CONFIRM_MS;
	return Q_OK;
}

/* ---- from the partner ---- */

void
relay_chat_on_message(struct relay_machine *m, struct span data, int64_t now_ms)
{
	struct relay_inner in;
	struct why why;

	if (m->state != RELAY_KEYING && m->state != RELAY_CHATTING)
		return;
	if (e2e_open(m->e2e, data, &m->inner, &in, &why) != Q_OK) {
		relay_fail_chat(m, why.text);
		return;
	}
	if (in.opcode == RELAY_PEER_MESSAGE) {
		client_tell(m->env, CLIENT_MESSAGE, m->env->view->partner, in.data);
		return;
	}
	/* On the way out there is nothing to be begun any more. */
	if (m->leaving || transfer_input(m->files, in.opcode, in.data, now_ms))
		return;
	why_set(&why, Q_OK, "kind %d, %zu bytes", (int)in.opcode, in.data.len);
	client_tell(m->env, CLIENT_UNKNOWN, m->env->view->partner, span_str(why.text));
}

/* ---- how far it has come ---- */

void
relay_chat_on_answer(struct relay_machine *m, int64_t now_ms)
{
	if (m->confirmed_at == 0 || m->lists_got != m->confirmed_at)
		return;
	unsent_arrived(&m->unsent, m->confirmed_by_it);
	m->env->view->on_the_way -= m->confirmed_by_it;
	m->confirmed_at = 0;
	if (m->unsent.count > 0)
		m->confirm_ms = now_ms + CONFIRM_MS;
}

static void
confirm(struct relay_machine *m)
{
	m->confirm_ms = 0;
	if (m->lists_sent - m->lists_got >= LISTS_MAX)
		return;
	relay_send_list(m, false);
	m->confirmed_at = m->lists_sent;
	m->confirmed_by_it = m->unsent.count;
}

void
relay_chat_tick(struct relay_machine *m, int64_t now_ms)
{
	transfer_tick(m->files, now_ms);
	if (m->confirm_ms != 0 && now_ms >= m->confirm_ms)
		confirm(m);
}

void
relay_chat_over(struct relay_machine *m)
{
	transfer_end(m->files, "the chat has ended");
	unsent_fini(&m->unsent);
	m->env->view->on_the_way = 0;
	m->confirm_ms = 0;
	m->confirmed_at = 0;
}
