/* SPDX-License-Identifier: MIT
 *
 * The row of functions, and what happens between CONN_OK and the first command: token,
 * chat key, list of rooms, what has waited.
 */
#include "client/rooms.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "client/salon.h"

/* SEEN before anything was shown: see log_in. */
#define REF_SEEN "seen"
#define REF_KEY  "key"

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

static void tell_formatted(struct salon *m, enum client_event_kind kind, const char *fmt,
			   va_list ap) __attribute__((format(printf, 3, 0)));

static void
tell_formatted(struct salon *m, enum client_event_kind kind, const char *fmt, va_list ap)
{
	char text[512];

	if (m->over)
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	client_tell(m->env, kind, NULL, span_str(text));
}

void
salon_done(struct salon *m, const char *fmt, ...)
{
	va_list ap;

	m->doing.on = false;
	va_start(ap, fmt);
	tell_formatted(m, CLIENT_DONE, fmt, ap);
	va_end(ap);
}

void
salon_failed(struct salon *m, const char *fmt, ...)
{
	va_list ap;

	m->doing.on = false;
	va_start(ap, fmt);
	tell_formatted(m, CLIENT_FAILED, fmt, ap);
	va_end(ap);
}

void
salon_refuse(struct salon *m, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tell_formatted(m, CLIENT_FAILED, fmt, ap);
	va_end(ap);
}

/* ---- logging in ---- */

/* A SEEN right behind AUTH_TOKEN, though it names no room: from it on, what is written to
 * us does not count as shown.  It is answered with ROOM_DNE, which nobody needs. */
static void
log_in(struct salon *m)
{
	struct rooms_packet in = {.type = ROOMS_T_AUTH_TOKEN};
	struct rooms_packet seen = {.type = ROOMS_T_SEEN, .ref = span_str(REF_SEEN)};

	in.u.auth_token.user = span_str(m->env->login->user);
	in.u.auth_token.token = span_str(m->state->token);
	m->answer_ms = m->now_ms + SALON_ANSWER_MS;
	if (salon_put(m, &in) == Q_OK)
		(void)salon_put(m, &seen);
}

/* Whatever the server knows already is not announced again. */
static void
send_key(struct salon *m)
{
	struct rooms_packet p = {.type = ROOMS_T_CHAT_ENCRYPT_C,
				 .ref = span_str(REF_KEY)};
	struct buf pem = BUF_INIT(KEY_PEM_MAX);

	if (key_public_pem(m->state->key, &pem) == Q_OK) {
		p.u.pem = buf_span(&pem);
		(void)salon_put(m, &p);
	} else {
		salon_finish(m, CLIENT_LOST, "there is no memory left");
	}
	buf_free(&pem);
}

static void
on_login(struct salon *m)
{
	m->logged_in = true;
	m->answer_ms = 0;
	m->env->view->phase = CLIENT_PHASE_FREE;
	client_tell(m->env, CLIENT_LOGGED_IN, m->name, span_of(NULL, 0));
	send_key(m);
	salon_ask_list(m, NULL);
}

static void
on_bad_token(struct salon *m, enum rooms_sig sig)
{
	(void)rooms_state_set_token(m->state, "", NULL);
	m->state->refused = true;
	salon_finish(m, CLIENT_REFUSED,
		     sig == ROOMS_TOKEN_EXPIRED
			 ? "it is too long ago that you gave your password"
			 : "the server wants your password again");
}

/* ---- STATUS ---- */

/* A sentence for a refusal, of the server's own words where we know none. */
static void
reason_of(const struct rooms_status *s, char *out, size_t size)
{
	if (s->sig == ROOMS_TRY_LATER && s->seconds > 0)
		snprintf(out, size, "%s: %" PRId64 " s", rooms_sig_sentence(s->sig),
			 s->seconds);
	else if (s->sig != ROOMS_SIG_OTHER)
		strlcpy(out, rooms_sig_sentence(s->sig), size);
	else
		snprintf(out, size, "%.*s",
			 (int)(s->desc.len < size ? s->desc.len : size - 1),
			 s->desc.p != NULL ? (const char *)s->desc.p : "");
}

/* What was asked for, for "cannot ...". */
static const char *
word_of(enum client_verb verb)
{
	switch (verb) {
	case CLIENT_DO_CHAT:
	case CLIENT_DO_CREATE:
	case CLIENT_DO_CHANNEL: return "make the room";
	case CLIENT_DO_INVITE: return "invite";
	case CLIENT_DO_REMOVE: return "remove";
	case CLIENT_DO_PROMOTE: return "promote";
	case CLIENT_DO_DEMOTE: return "demote";
	case CLIENT_DO_RENAME: return "rename";
	case CLIENT_DO_LEAVE: return "leave";
	case CLIENT_DO_DROP: return "drop the room";
	case CLIENT_DO_EDIT: return "edit";
	case CLIENT_DO_DELETE: return "delete";
	case CLIENT_DO_PIN: return "pin";
	case CLIENT_DO_SYNC: return "sync";
	default: return "get the file";
	}
}

static void
on_doing_status(struct salon *m, const struct rooms_status *s)
{
	struct client_view *view = m->env->view;
	char reason[256];

	if (s->sig == ROOMS_SENT) {
		if (m->doing.verb == CLIENT_DO_EDIT)
			salon_done(m, "edited %" PRIu64, m->doing.number);
		else if (m->doing.verb == CLIENT_DO_DELETE)
			salon_done(m, "deleted %" PRIu64, m->doing.number);
		else
			salon_done(m, "changed the pin of %" PRIu64, m->doing.number);
		return;
	}
	reason_of(s, reason, sizeof(reason));
	if (view->phase == CLIENT_PHASE_ASKING) {
		view->phase = CLIENT_PHASE_FREE;
		view->partner[0] = '\0';
	}
	view->receiving = CLIENT_TRANSFER_NONE;
	salon_failed(m, "cannot %s: %s", word_of(m->doing.verb), reason);
}

static void
on_status(struct salon *m, const struct rooms_packet *p)
{
	const struct rooms_status *s = &p->u.status;
	struct rooms_going *g =
	    p->ref.p != NULL ? rooms_going_find(m->memory, p->ref) : NULL;
	char reason[256];

	if (g != NULL && s->sig == ROOMS_SENT) {
		salon_on_sent(m, g, &s->msg);
	} else if (g != NULL) {
		reason_of(s, reason, sizeof(reason));
		salon_not_sent(m, g, reason);
	} else if (salon_is_doing(m, p->ref)) {
		on_doing_status(m, s);
	} else if (s->sig == ROOMS_LOGIN_OK && !m->logged_in) {
		on_login(m);
	} else if (s->sig == ROOMS_TOKEN_INVALID || s->sig == ROOMS_TOKEN_EXPIRED) {
		on_bad_token(m, s->sig);
	} else if (s->sig == ROOMS_LOGGED_OUT) {
		salon_finish(m, CLIENT_LOGGED_OUT, "logged out");
	} else if (!m->logged_in) {
		reason_of(s, reason, sizeof(reason));
		salon_finish(m, CLIENT_REFUSED, reason);
	} else if (p->ref.p == NULL && s->sig != ROOMS_CHAT_PUBKEY_OK) {
		reason_of(s, reason, sizeof(reason));
		salon_refuse(m, "the server says: %s", reason);
	}
}

/* ---- packets ---- */

static void
on_packet(struct salon *m, const struct rooms_packet *p, struct span plain)
{
	switch (p->type) {
	case ROOMS_T_STATUS:
		if (p->u.status.sig == ROOMS_CONN_OK)
			log_in(m);
		else
			on_status(m, p);
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
}

static void
lost(void *machine, enum qerr e, const char *reason)
{
	struct salon *m = machine;
	size_t n = m->memory->going_count;
	struct why why;

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

static int64_t
deadline(const void *machine)
{
	const struct salon *m = machine;
	int64_t d = sooner(m->answer_ms, m->flush_ms);

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
