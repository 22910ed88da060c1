/* SPDX-License-Identifier: MIT
 *
 * The row of functions and what a person can ask for; relay.h has the states,
 * relay_events.c what the server says.
 */
#include "client/relay.h"

#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "base/text.h"
#include "client/relay_machine.h"

/* ---- what the files of this machine share ---- */

void
relay_become(struct relay_machine *m, enum relay_state state, const char *partner)
{
	static const enum client_phase phases[] = {
	    [RELAY_WAIT_HELLO] = CLIENT_PHASE_CONNECTING,
	    [RELAY_WAIT_LOGIN] = CLIENT_PHASE_CONNECTING,
	    [RELAY_FREE] = CLIENT_PHASE_FREE,
	    [RELAY_ASKING] = CLIENT_PHASE_ASKING,
	    [RELAY_ASKED] = CLIENT_PHASE_ASKED,
	    [RELAY_ACCEPTING] = CLIENT_PHASE_KEYING,
	    [RELAY_KEYING] = CLIENT_PHASE_KEYING,
	    [RELAY_CHATTING] = CLIENT_PHASE_CHATTING,
	    [RELAY_SETTLING] = CLIENT_PHASE_FREE,
	    [RELAY_OVER] = CLIENT_PHASE_OVER,
	};
	struct client_view *view = m->env->view;

	m->state = state;
	view->phase = m->leaving ? CLIENT_PHASE_LEAVING : phases[state];
	if (partner != view->partner)
		strlcpy(view->partner, partner, sizeof(view->partner));
	if (state != RELAY_CHATTING)
		relay_chat_over(m);
	if (state != RELAY_KEYING && state != RELAY_CHATTING) {
		view->fingerprint[0] = '\0';
		view->verified = false;
		e2e_free(m->e2e);
		m->e2e = NULL;
	}
}

void
relay_finish(struct relay_machine *m, enum client_event_kind kind, const char *text)
{
	if (m->state == RELAY_OVER)
		return;
	if (kind == CLIENT_LOST)
		unsent_tell(&m->unsent, m->env);
	relay_become(m, RELAY_OVER, "");
	m->deadline_ms = m->answer_ms = 0;
	client_tell(m->env, kind, NULL, span_str(text));
}

void
relay_send(struct relay_machine *m, int32_t opcode, struct span data)
{
	if (m->state == RELAY_OVER)
		return;
	if (m->only_asked && opcode != RELAY_LIST) {
		m->only_asked = false; /* the answer may take longer behind this */
		relay_expect_answer(m);
	}
	switch (channel_seal(m->channel, m->env->out, opcode, data)) {
	case Q_OK: break;
	case Q_LIMIT:
		relay_finish(
		    m, CLIENT_LOST,
		    "the server takes nothing more, or this session has lasted too long");
		break;
	default: relay_finish(m, CLIENT_LOST, "there is no memory left"); break;
	}
}

void
relay_send_list(struct relay_machine *m, bool shown)
{
	m->list_shown[m->lists_sent++ % LISTS_MAX] = shown;
	relay_send(m, RELAY_LIST, span_of(NULL, 0));
	if (m->answer_ms == 0)
		relay_expect_answer(m);
}

void
relay_expect_answer(struct relay_machine *m)
{
	bool due = m->state != RELAY_OVER && !m->leaving && m->lists_sent != m->lists_got;

	m->only_asked = m->only_asked && due;
	m->answer_ms =
	    due ? m->now_ms + (m->only_asked ? CLIENT_ALIVE_MS : ANSWER_MS) : 0;
	m->out_left = m->env->out->len;
}

void
relay_settle(struct relay_machine *m, int32_t opcode)
{
	m->deadline_ms = 0;
	m->next[0] = '\0';
	relay_become(m, RELAY_SETTLING, "");
	relay_send(m, opcode, span_of(NULL, 0));
	relay_send_list(m, false);
	m->settled_at = m->lists_sent;
}

void
relay_ask_next(struct relay_machine *m, const char *name)
{
	strlcpy(m->next, name, sizeof(m->next));
	strlcpy(m->env->view->partner, name, sizeof(m->env->view->partner));
	m->env->view->phase = CLIENT_PHASE_ASKING;
}

/* ---- the machine ---- */

static void *
make(const struct client_env *env)
{
	struct relay_machine *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	m->env = env;
	if ((m->files = transfer_new(env, relay_chat_send_file, m)) == NULL) {
		free(m);
		return NULL;
	}
	m->unsent = (struct unsent)UNSENT_INIT;
	m->plain = (struct buf)BUF_INIT(RELAY_FROM_SERVER_SEALED_MAX);
	m->inner = (struct buf)BUF_INIT(RELAY_FROM_SERVER_SEALED_MAX);
	m->scratch = (struct buf)BUF_INIT(RELAY_SEALED_MAX);
	return m;
}

static void
drop(void *machine)
{
	struct relay_machine *m = machine;

	if (m == NULL)
		return;
	channel_free(m->channel);
	e2e_free(m->e2e);
	transfer_free(m->files);
	unsent_fini(&m->unsent);
	buf_wipe(&m->plain);
	buf_wipe(&m->inner);
	buf_wipe(&m->scratch);
	free(m);
}

static void
begin(void *machine, int64_t now_ms)
{
	struct relay_machine *m = machine;

	m->now_ms = now_ms;
	login_begin(m, now_ms);
}

static void
clear_frame(struct relay_machine *m, struct span body, int64_t now_ms)
{
	struct reader r = reader_of(body);
	int32_t opcode;

	if (m->state == RELAY_WAIT_HELLO && reader_i32(&r, &opcode) == Q_OK &&
	    opcode == RELAY_SERVER_HELLO)
		login_on_hello(m, reader_rest(&r), now_ms);
	else
		relay_finish(m, CLIENT_LOST, "the server broke the protocol");
}

static void
sealed_frame(struct relay_machine *m, struct span body, int64_t now_ms)
{
	struct relay_sealed frame = relay_sealed_parts(body);
	struct relay_inner in;
	struct why why, said;

	if (m->state == RELAY_WAIT_HELLO) {
		relay_finish(m, CLIENT_LOST, "the server broke the protocol");
		return;
	}
	if (channel_open(m->channel, &frame, &m->plain, &in, &why) != Q_OK) {
		why_set(&said, Q_DENIED,
			"what the server sends cannot be trusted: %.200s", why.text);
		relay_finish(m, CLIENT_LOST, said.text);
		return;
	}
	if (m->state == RELAY_WAIT_LOGIN) {
		m->deadline_ms = 0;
		if (in.opcode != RELAY_FORCED_LOGOUT) {
			relay_become(m, RELAY_FREE, "");
			client_tell(m->env, CLIENT_LOGGED_IN, m->env->login->user,
				    span_of(NULL, 0));
		}
	}
	if (m->state != RELAY_OVER)
		relay_on_message(m, &in, now_ms);
}

static void
input(void *machine, struct buf *in, int64_t now_ms)
{
	struct relay_machine *m = machine;
	struct relay_frame frame;
	size_t used = 0;
	enum qerr e = Q_OK;

	m->now_ms = now_ms;
	while (m->state != RELAY_OVER && used < in->len) {
		e = relay_frame_next(span_of(in->p + used, in->len - used),
				     RELAY_FROM_SERVER_CLEAR_MAX,
				     RELAY_FROM_SERVER_SEALED_MAX, &frame);
		if (e != Q_OK)
			break;
		if (frame.clear)
			clear_frame(m, frame.body, now_ms);
		else
			sealed_frame(m, frame.body, now_ms);
		used += frame.total;
	}
	if (e != Q_OK && e != Q_SHORT)
		relay_finish(m, CLIENT_LOST,
			     m->state == RELAY_WAIT_HELLO
				 ? "what answers there does not speak relay"
				 : "the server broke the protocol");
	buf_consume(in, used);
	/* Whoever sends is alive; the answer stands behind it. */
	if (used > 0 || in->len > m->in_left) {
		m->quiet_ms = now_ms + CLIENT_QUIET_MS;
		if (m->answer_ms != 0)
			relay_expect_answer(m);
	}
	m->in_left = in->len;
}

/* relay has no word for a refusal: the server just hangs up.  A server that dies at
 * that moment looks the same, so whoever was in before may try again, but not for ever. */
static void
hung_up(struct relay_machine *m, const char *text)
{
	struct client_event e = {.kind = CLIENT_REFUSED,
				 .text = span_str(text),
				 .again = true,
				 .count = HANG_UPS_MAX};

	relay_become(m, RELAY_OVER, "");
	m->deadline_ms = m->answer_ms = 0;
	m->env->event(m->env->event_arg, &e);
}

static void
lost(void *machine, enum qerr e, const char *reason)
{
	struct relay_machine *m = machine;
	struct why why;

	/* 372 is sent: with nothing in doubt it does not matter how the server hangs up. */
	if (m->leaving && m->env->out->len == 0 &&
	    (e == Q_CLOSED || m->unsent.count == 0)) {
		relay_finish(m, CLIENT_LOGGED_OUT, "logged out");
		return;
	}
	if (e == Q_CLOSED && m->state == RELAY_WAIT_LOGIN) {
		why_set(&why, Q_DENIED,
			"the server refused %s: not enrolled there, or with another key",
			m->env->login->user);
		hung_up(m, why.text);
	} else {
		relay_finish(m, CLIENT_LOST, reason);
	}
}

static bool
may_ask_if_alive(const struct relay_machine *m)
{
	return m->state >= RELAY_FREE && m->state != RELAY_OVER && !m->leaving &&
	       m->answer_ms == 0 && m->deadline_ms == 0;
}

static void
tick_quiet(struct relay_machine *m, int64_t now_ms)
{
	m->quiet_ms = now_ms + CLIENT_QUIET_MS;
	m->only_asked = m->unsent.count == 0 && m->env->out->len == 0 &&
			m->env->view->sending == CLIENT_TRANSFER_NONE;
	relay_send_list(m, false);
}

static int64_t
deadline(const void *machine)
{
	const struct relay_machine *m = machine;
	int64_t first = transfer_deadline(m->files);

	if (first == 0 || (m->deadline_ms != 0 && m->deadline_ms < first))
		first = m->deadline_ms;
	if (first == 0 || (m->confirm_ms != 0 && m->confirm_ms < first))
		first = m->confirm_ms;
	if (first == 0 || (m->answer_ms != 0 && m->answer_ms < first))
		first = m->answer_ms;
	if (may_ask_if_alive(m) && (first == 0 || m->quiet_ms < first))
		first = m->quiet_ms;
	return first;
}

/* 372 is sent: the server should have hung up.  As long as bytes move there is
 * hope that it will. */
static void
tick_leaving(struct relay_machine *m, int64_t now_ms)
{
	size_t left = m->env->out->len;

	if (left == 0 && m->unsent.count == 0) {
		relay_finish(m, CLIENT_LOGGED_OUT, "logged out");
	} else if (left == 0) {
		relay_finish(m, CLIENT_LOST, "the server has not answered to the end");
	} else if (left < m->leaving_bytes) {
		m->leaving_bytes = left;
		m->deadline_ms = now_ms + LEAVING_MS;
	} else {
		relay_finish(m, CLIENT_LOST,
			     "the server does not take what was still to be sent");
	}
}

/* A machine that hangs acknowledges all that its kernel takes, so the link looks well.
 * While a file goes out our question stands behind all that the kernels hold of it. */
static void
tick_answer(struct relay_machine *m)
{
	if ((m->env->out->len < m->out_left && !m->only_asked) ||
	    m->env->view->sending == CLIENT_TRANSFER_RUNNING)
		relay_expect_answer(m);
	else
		relay_finish(m, CLIENT_LOST, "the server does not answer any longer");
}

static void
tick(void *machine, int64_t now_ms)
{
	struct relay_machine *m = machine;

	m->now_ms = now_ms;
	relay_chat_tick(m, now_ms);
	if (m->answer_ms != 0 && now_ms >= m->answer_ms && m->state != RELAY_WAIT_LOGIN)
		tick_answer(m);
	if (may_ask_if_alive(m) && now_ms >= m->quiet_ms)
		tick_quiet(m, now_ms);
	if (m->deadline_ms == 0 || now_ms < m->deadline_ms)
		return;
	m->deadline_ms = 0;
	if (m->leaving)
		tick_leaving(m, now_ms);
	else if (m->state == RELAY_WAIT_HELLO || m->state == RELAY_WAIT_LOGIN)
		relay_finish(m, CLIENT_LOST, "the server does not answer in time");
	else if (m->state == RELAY_ACCEPTING || m->state == RELAY_KEYING)
		relay_fail_chat(m, "no key was agreed on in time");
}

/* ---- what a person can ask for ---- */

static enum qerr
do_list(struct relay_machine *m, struct why *why)
{
	if (m->lists_sent - m->lists_got >= LISTS_MAX)
		return why_set(why, Q_FULL, "too many lists are under way");
	relay_send_list(m, true);
	return Q_OK;
}

static enum qerr
do_chat(struct relay_machine *m, struct span arg, struct why *why)
{
	const char *partner = m->env->view->partner;
	char name[NAME_SIZE];

	if (name_copy(arg, name) != Q_OK)
		return why_set(why, Q_FORMAT, "\"%.*s\" is no name",
			       (int)(arg.len < 64 ? arg.len : 64), (const char *)arg.p);
	if (name_cmp(name, m->env->login->user) == 0)
		return why_set(why, Q_DENIED, "%s is you", name);
	switch (m->state) {
	case RELAY_FREE:
		relay_become(m, RELAY_ASKING, name);
		relay_send(m, RELAY_CHAT_REQUEST, span_str(name));
		return Q_OK;
	case RELAY_SETTLING:
		if (m->next[0] != '\0')
			return why_set(why, Q_DENIED, "you are asking %s already",
				       m->next);
		relay_ask_next(m, name);
		return Q_OK;
	case RELAY_ASKING:
		return why_set(why, Q_DENIED, "you are asking %s already: /end first",
			       partner);
	case RELAY_ASKED:
		return why_set(why, Q_DENIED, "%s is asking you: /accept or /deny first",
			       partner);
	default:
		return why_set(why, Q_DENIED, "you are in a chat with %s: /end first",
			       partner);
	}
}

static enum qerr
do_answer(struct relay_machine *m, bool accept, int64_t now_ms, struct why *why)
{
	if (m->state != RELAY_ASKED)
		return why_set(why, Q_DENIED, "nobody is asking you");
	if (accept) {
		relay_become(m, RELAY_ACCEPTING, m->env->view->partner);
		m->deadline_ms = now_ms + KEYING_MS;
		relay_send(m, RELAY_CHAT_ACCEPT, span_of(NULL, 0));
	} else {
		relay_settle(m, RELAY_CHAT_DENIED);
	}
	return Q_OK;
}

static enum qerr
do_end(struct relay_machine *m, struct why *why)
{
	enum client_event_kind kind = CLIENT_CHAT_CLOSED;
	char partner[NAME_SIZE];

	strlcpy(partner, m->env->view->partner, sizeof(partner));
	switch (m->state) {
	case RELAY_ASKING: kind = CLIENT_REQUEST_WITHDRAWN; /* FALLTHROUGH */
	case RELAY_ACCEPTING:
	case RELAY_KEYING:
	case RELAY_CHATTING: relay_settle(m, RELAY_END_CHAT); break;
	case RELAY_SETTLING:
		if (m->next[0] != '\0') {
			kind = CLIENT_REQUEST_WITHDRAWN;
			m->next[0] = '\0';
			relay_become(m, RELAY_SETTLING, "");
			break;
		} /* FALLTHROUGH */
	default: return why_set(why, Q_DENIED, "you are in no chat");
	}
	client_tell(m->env, kind, partner, span_str("by you"));
	return Q_OK;
}

static enum qerr
do_logout(struct relay_machine *m, int64_t now_ms)
{
	if (m->channel == NULL) {
		relay_finish(m, CLIENT_LOGGED_OUT, "logged out");
		return Q_OK;
	}
	transfer_end(m->files, "you have left");
	m->leaving = true;
	m->confirm_ms = m->answer_ms = 0; /* 372 is the last word */
	m->env->view->phase = CLIENT_PHASE_LEAVING;
	relay_send(m, RELAY_LOGOUT, span_of(NULL, 0));
	m->leaving_bytes = m->env->out->len;
	if (m->state != RELAY_OVER)
		m->deadline_ms = now_ms + LEAVING_MS;
	return Q_OK;
}

static enum qerr
command(void *machine, enum client_verb verb, struct span arg, int64_t now_ms,
	struct why *why)
{
	struct relay_machine *m = machine;

	if (m->leaving)
		return why_set(why, Q_CLOSED, "you are logging out");
	m->now_ms = now_ms;
	switch (verb) {
	case CLIENT_DO_LIST: return do_list(m, why);
	case CLIENT_DO_CHAT: return do_chat(m, arg, why);
	case CLIENT_DO_ACCEPT: return do_answer(m, true, now_ms, why);
	case CLIENT_DO_DENY: return do_answer(m, false, now_ms, why);
	case CLIENT_DO_SAY: return relay_chat_say(m, arg, now_ms, why);
	case CLIENT_DO_END: return do_end(m, why);
	case CLIENT_DO_SEND_FILE:
	case CLIENT_DO_GET:
	case CLIENT_DO_REFUSE:
	case CLIENT_DO_CANCEL: return transfer_do(m->files, verb, arg, now_ms, why);
	case CLIENT_DO_LOGOUT: return do_logout(m, now_ms);
	default: break;
	}
	return why_set(why, Q_DENIED, "relay has no word for this");
}

const struct client_protocol client_relay = {
    .name = "relay",
    .text_max = RELAY_TEXT_MAX,
    .streams_files = true,
    .make = make,
    .drop = drop,
    .begin = begin,
    .input = input,
    .lost = lost,
    .deadline = deadline,
    .tick = tick,
    .command = command,
};
