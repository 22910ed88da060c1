/* SPDX-License-Identifier: MIT
 *
 * The row of functions, and what all of the machine's files use.
 */
#include "client/rooms.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "client/salon.h"

/* ---- what the files of this machine share ---- */

void
salon_finish(struct salon *m, enum client_event_kind kind, const char *text)
{
	if (m->over)
		return;
	m->over = true;
	m->answer_ms = m->flush_ms = 0;
	(void)rooms_state_flush(m->state, NULL);
	client_tell(m->env, kind, NULL, span_str(text));
}

void
salon_tell(struct salon *m, const struct client_event *e)
{
	if (!m->over)
		m->env->event(m->env->event_arg, e);
}

enum qerr
salon_put(struct salon *m, const struct rooms_packet *p)
{
	enum qerr e = m->over ? Q_CLOSED : rooms_channel_put(&m->channel, p);

	if (e != Q_OK && e != Q_FULL)
		salon_finish(m, CLIENT_LOST, "there is no memory left");
	return e;
}

enum qerr
salon_ask(struct salon *m, enum client_verb verb, struct rooms_packet *p,
	  const struct salon_room *r, struct why *why)
{
	struct salon_doing doing = {.on = true, .verb = verb};
	enum qerr e;

	rooms_memory_ref(m->memory, doing.ref);
	p->ref = span_str(doing.ref);
	if ((e = salon_put(m, p)) != Q_OK)
		return why_set(why, e, "not now: too much is waiting to be sent");
	if (r != NULL)
		strlcpy(doing.label, r->label, sizeof(doing.label));
	m->doing = doing;
	return Q_OK;
}

bool
salon_is_doing(const struct salon *m, struct span ref)
{
	return m->doing.on && ref.p != NULL && span_eq(ref, span_str(m->doing.ref));
}

void
salon_done(struct salon *m, const char *fmt, ...)
{
	va_list ap;

	m->doing.on = false;
	va_start(ap, fmt);
	if (!m->over)
		client_tell_va(m->env, CLIENT_DONE, fmt, ap);
	va_end(ap);
}

void
salon_failed(struct salon *m, const char *fmt, ...)
{
	va_list ap;

	m->doing.on = false;
	va_start(ap, fmt);
	if (!m->over)
		client_tell_va(m->env, CLIENT_FAILED, fmt, ap);
	va_end(ap);
}

void
salon_refuse(struct salon *m, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (!m->over)
		client_tell_va(m->env, CLIENT_FAILED, fmt, ap);
	va_end(ap);
}

/* ---- packets ---- */

static void
on_packet(struct salon *m, const struct rooms_packet *p, struct span plain)
{
	switch (p->type) {
	case ROOMS_T_STATUS:
		if (p->u.status.sig == ROOMS_CONN_OK)
			salon_log_in(m);
		else
			salon_on_status(m, p);
		return;
	case ROOMS_T_ROOMS: salon_on_list(m, &p->u.rooms); return;
	case ROOMS_T_QUEUE_END: m->queue_end = true; return;
	case ROOMS_T_ROOM_INFO: salon_on_info(m, p); return;
	case ROOMS_T_JOIN_ROOM:
	case ROOMS_T_ROOM_ALTERED:
	case ROOMS_T_CHAT_ACTION_S: salon_on_event(m, p, plain); return;
	case ROOMS_T_SYNC_ROOM_DATA: salon_on_sync(m, p); return;
	case ROOMS_T_FILE: salon_on_file(m, p); return;
	case ROOMS_T_READ_RECEIPT: salon_on_receipt(m, &p->u.receipt); return;
	default: salon_finish(m, CLIENT_LOST, "the server broke the protocol");
	}
}

/* ---- after each turn ---- */

static bool
answer_is_due(const struct salon *m)
{
	const struct rooms_going *g = TAILQ_FIRST(&m->memory->going);

	return m->channel.phase != CHANNEL_UP || !m->logged_in || !m->listed ||
	       m->doing.on || (g != NULL && g->sent);
}

/* As long as something moves there is hope. */
static void
set_deadlines(struct salon *m, bool moved)
{
	int64_t patience =
	    m->channel.phase == CHANNEL_UP ? SALON_ANSWER_MS : SALON_HELLO_MS;

	if (!answer_is_due(m))
		m->answer_ms = 0;
	else if (moved || m->answer_ms == 0 || m->env->waiting < m->waited)
		m->answer_ms = m->now_ms + patience;
	m->waited = m->env->waiting;
	if (m->flush_ms == 0 && rooms_state_dirty(m->state))
		m->flush_ms = m->now_ms + SALON_FLUSH_MS;
}

static void
settle(struct salon *m, bool moved)
{
	struct client_view *view = m->env->view;

	if (m->listed && !m->over) {
		salon_settle_going(m);
		salon_settle_files(m);
		salon_settle_seen(m);
	}
	if (m->over)
		return;
	view->on_the_way = rooms_going_texts(m->memory);
	view->busy =
	    m->logged_in && (!m->listed || !m->queue_end || m->doing.on) && !m->leaving;
	set_deadlines(m, moved);
}

static void
flush(struct salon *m)
{
	struct why why;

	m->flush_ms = 0;
	if (rooms_state_flush(m->state, &why) != Q_OK && !m->complained) {
		m->complained = true;
		salon_refuse(m, "what was shown is not remembered: %s", why.text);
	}
	if (rooms_keys_flush(m->keys))
		m->flush_ms = m->now_ms + SALON_FLUSH_MS;
}

/* ---- the machine ---- */

static void
drop(void *machine)
{
	struct salon *m = machine;

	if (m == NULL)
		return;
	(void)rooms_state_flush(m->state, NULL);
	salon_rooms_free(m);
	rooms_keys_free(m->keys);
	rooms_channel_fini(&m->channel);
	buf_wipe(&m->plain);
	buf_free(&m->early);
	free(m);
}

static void *
make(const struct client_env *env)
{
	struct salon *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	m->env = env;
	m->state = env->login->rooms;
	m->memory = &m->state->memory;
	strlcpy(m->name, env->login->user, sizeof(m->name));
	m->early = (struct buf)BUF_INIT(SALON_EARLY_MAX);
	m->plain = (struct buf)BUF_INIT(ROOMS_FILE_MAX);
	rooms_channel_init(&m->channel, env);
	rooms_going_again(m->memory);
	if (rooms_going_file(m->memory) != NULL)
		env->view->sending = CLIENT_TRANSFER_PREPARING;
	if ((m->keys = rooms_keys_new(env, m->state)) != NULL)
		return m;
	drop(m);
	return NULL;
}

static void
begin(void *machine, int64_t now_ms)
{
	struct salon *m = machine;

	m->now_ms = now_ms;
	if (rooms_channel_begin(&m->channel) != Q_OK)
		salon_finish(m, CLIENT_LOST, "there is no memory left");
	else
		settle(m, true);
}

static void
input(void *machine, struct buf *in, int64_t now_ms)
{
	struct salon *m = machine;
	struct rooms_coming c;
	bool moved = false;
	struct why why;
	enum qerr e = Q_OK;

	m->now_ms = now_ms;
	while (!m->over && (e = rooms_channel_next(&m->channel, in, &c, &why)) == Q_OK) {
		on_packet(m, &c.packet, c.plain);
		rooms_channel_done(&c, in);
		moved = true;
	}
	if (e != Q_OK && e != Q_SHORT)
		salon_finish(m, e == Q_DENIED ? CLIENT_REFUSED : CLIENT_LOST, why.text);
	if (!m->over)
		settle(m, moved || m->env->coming > 0);
	if (moved || m->env->coming > 0) {
		m->quiet_ms = now_ms + CLIENT_QUIET_MS;
		m->alive_ms = 0;
	}
}

static void
lost(void *machine, enum qerr e, const char *reason)
{
	struct salon *m = machine;
	size_t n = m->memory->going_count;
	struct why why;

	/* In the middle of a handshake that may have been too slow; later a session is
	 * ended on purpose: by the administrator, or with the user. */
	if (e == Q_DENIED && m->channel.phase != CHANNEL_NEW && !m->logged_in)
		e = Q_CLOSED;
	if (m->doing.on)
		salon_failed(m, "no answer came: perhaps it has been done, perhaps not");
	if (m->leaving && e == Q_CLOSED && n == 0 && m->env->out->len == 0) {
		salon_finish(m, CLIENT_LOGGED_OUT, "logged out");
		return;
	}
	/* Whoever comes back sends them again. */
	if (n > 0 && (m->leaving || !m->env->login->comes_back || e == Q_DENIED)) {
		rooms_going_tell(m->memory, m->env);
		why_set(&why, e, "%.300s; messages that may not have arrived: %zu",
			reason, n);
		reason = why.text;
	}
	salon_finish(m, e == Q_DENIED ? CLIENT_REFUSED : CLIENT_LOST, reason);
}

static int64_t
sooner(int64_t a, int64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

/* Where an answer is due it is waited for that, which may take longer. */
static bool
may_ask_if_alive(const struct salon *m)
{
	return m->listed && !m->leaving && !m->over && m->answer_ms == 0;
}

/* A list of one room, whose answer is a sign of life, as anything else is. */
static void
tick_quiet(struct salon *m)
{
	struct rooms_packet p = {.type = ROOMS_T_LIST_ROOMS, .u.list.count = 1};

	if (m->alive_ms != 0 && m->now_ms >= m->alive_ms) {
		salon_finish(m, CLIENT_LOST, "the server does not answer any longer");
	} else if (m->alive_ms == 0 && m->now_ms >= m->quiet_ms) {
		m->alive_ms = m->now_ms + CLIENT_ALIVE_MS;
		(void)salon_put(m, &p);
	}
}

static int64_t
deadline(const void *machine)
{
	const struct salon *m = machine;
	int64_t d = sooner(sooner(m->answer_ms, m->flush_ms), m->later_ms);

	if (may_ask_if_alive(m))
		d = sooner(d, m->alive_ms != 0 ? m->alive_ms : m->quiet_ms);
	if (m->file != NULL && !m->over)
		d = sooner(d, transfer_meter_due(&m->file_meter));
	return d;
}

static void
tick(void *machine, int64_t now_ms)
{
	struct salon *m = machine;

	m->now_ms = now_ms;
	if (m->flush_ms != 0 && now_ms >= m->flush_ms)
		flush(m);
	if (m->answer_ms != 0 && now_ms >= m->answer_ms && m->env->waiting >= m->waited)
		salon_finish(m, CLIENT_LOST, "the server does not answer in time");
	if (may_ask_if_alive(m))
		tick_quiet(m);
	if (!m->over)
		settle(m, false);
}

static enum qerr
log_out(struct salon *m, struct span arg)
{
	struct rooms_packet p = {.type = ROOMS_T_LOGOUT};

	if (!m->logged_in) {
		salon_finish(m, CLIENT_LOGGED_OUT, "logged out");
		return Q_OK;
	}
	m->leaving = true;
	m->env->view->phase = CLIENT_PHASE_LEAVING;
	if (arg.len > 0) {
		(void)salon_put(m, &p);
		(void)rooms_state_set_token(m->state, "", NULL);
	}
	return Q_OK;
}

static enum qerr
command(void *machine, enum client_verb verb, struct span arg, int64_t now_ms,
	struct why *why)
{
	struct salon *m = machine;
	enum qerr e;

	if (m->leaving)
		return why_set(why, Q_CLOSED, "you are logging out");
	m->now_ms = now_ms;
	if (verb == CLIENT_DO_LOGOUT)
		e = log_out(m, arg);
	else if (!m->listed)
		e = why_set(why, Q_FULL, "the rooms are not listed yet");
	else
		e = salon_do(m, verb, arg, why);
	if (!m->over)
		settle(m, true);
	return e;
}

const struct client_protocol client_rooms = {
    .name = "rooms",
    .text_max = ROOMS_SAY_MAX,
    .password = true,
    .tls = true,
    .streams_files = true,
    .chats_last = true,
    .keeps_keys = true,
    .numbers = true,
    .tokens = true,
    .websocket = "/rooms",
    .make = make,
    .drop = drop,
    .begin = begin,
    .input = input,
    .lost = lost,
    .deadline = deadline,
    .tick = tick,
    .command = command,
};
