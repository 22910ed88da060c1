/* SPDX-License-Identifier: MIT */
#include "client/rooms_account.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "client/rooms_channel.h"
#include "client/rooms_state.h"
#include "crypto/random.h"
#include "protocol/rooms_status.h"

#define HELLO_MS  10000
#define ANSWER_MS 60000 /* passwords are hashed a few at a time */
#define PNG_MAX   65536

enum step { STEP_HELLO, STEP_SIGNUP, STEP_LOGIN };

struct account {
	const struct client_env *env;
	struct rooms_channel channel;
	enum step step;
	unsigned wrong; /* captchas that were not solved */
	bool over;
	int64_t now_ms, deadline_ms;
};

static void
finish(struct account *m, enum client_event_kind kind, const char *text)
{
	if (m->over)
		return;
	m->over = true;
	m->deadline_ms = 0;
	client_tell(m->env, kind, NULL, span_str(text));
}

static void
put(struct account *m, const struct rooms_packet *p)
{
	m->deadline_ms = m->now_ms + ANSWER_MS;
	m->env->view->phase = CLIENT_PHASE_CONNECTING;
	if (rooms_channel_put(&m->channel, p) != Q_OK)
		finish(m, CLIENT_LOST, "there is no memory left");
}

/* ---- what is asked for ---- */

static void
sign_up(struct account *m)
{
	const struct rooms_wish *wish = m->env->login->wish;
	struct rooms_packet p = {.type = ROOMS_T_SIGNUP};

	m->step = STEP_SIGNUP;
	p.u.signup.user = span_str(m->env->login->user);
	p.u.signup.email = span_str(wish->email);
	p.u.signup.fullname = span_str(wish->fullname);
	p.u.signup.dob = span_str(wish->birth);
	p.u.signup.password = span_str(wish->password);
	put(m, &p);
}

static void
log_in(struct account *m)
{
	const struct rooms_wish *wish = m->env->login->wish;
	struct rooms_packet p = {.type = ROOMS_T_LOGIN};

	m->step = STEP_LOGIN;
	p.u.login.id = span_str(m->env->login->user);
	p.u.login.password = span_str(wish->password);
	p.u.login.save = wish->save;
	put(m, &p);
}

static void
send_key(struct account *m)
{
	struct rooms_packet p = {.type = ROOMS_T_CHAT_ENCRYPT_C};
	struct buf pem = BUF_INIT(KEY_PEM_MAX);

	if (key_public_pem(m->env->login->rooms->key, &pem) == Q_OK) {
		p.u.pem = buf_span(&pem);
		put(m, &p);
	} else {
		finish(m, CLIENT_LOST, "there is no memory left");
	}
	buf_free(&pem);
}

/* ---- what comes ---- */

static void
on_captcha(struct account *m, struct span challenge)
{
	struct client_event e = {.kind = CLIENT_CAPTCHA};
	struct buf png = BUF_INIT(PNG_MAX);
	size_t len;

	if (buf_reserve(&png, challenge.len / 4 * 3 + 3) != Q_OK ||
	    base64_decode(challenge, png.p, &len) != Q_OK) {
		finish(m, CLIENT_LOST, "the server broke the protocol");
	} else {
		png.len = len;
		e.content = buf_span(&png);
		m->deadline_ms = 0; /* people take their time; the server limits it */
		m->env->view->phase = CLIENT_PHASE_ASKED;
		m->env->event(m->env->event_arg, &e);
	}
	buf_free(&png);
}

static void
on_wrong_captcha(struct account *m)
{
	if (++m->wrong == ROOMS_CAPTCHA_TRIES) {
		finish(m, CLIENT_REFUSED, "the digits were wrong too often");
		return;
	}
	client_tell(m->env, CLIENT_FAILED, NULL,
		    span_str("those were not the digits: here are others"));
	if (m->step == STEP_SIGNUP)
		sign_up(m);
	else
		log_in(m);
}

static void
refuse(struct account *m, const struct rooms_status *s)
{
	struct why why;

	if (s->sig == ROOMS_TRY_LATER)
		why_set(&why, Q_DENIED,
			"the server asks to try again later, in %" PRId64 " s",
			s->seconds);
	else if (s->sig == ROOMS_SIGNUP_USERNAME_ALREADY_EXISTS)
		why_set(&why, Q_DENIED,
			"that name is taken: if it is yours, log in without --register");
	else if (s->sig == ROOMS_LOGIN_INCORRECT)
		why_set(&why, Q_DENIED, "the name or the password is wrong");
	else if (s->sig != ROOMS_SIG_OTHER && s->sig != ROOMS_BANNED)
		why_set(&why, Q_DENIED, "the server refuses: %s",
			rooms_sig_sentence(s->sig));
	else
		why_set(&why, Q_DENIED, "the server refuses: %.*s",
			(int)(s->desc.len < 300 ? s->desc.len : 300),
			(const char *)s->desc.p);
	finish(m, CLIENT_REFUSED, why.text);
}

static void
on_status(struct account *m, const struct rooms_status *s)
{
	struct why why;

	switch (s->sig) {
	case ROOMS_CONN_OK:
		if (m->env->login->wish->sign_up)
			sign_up(m);
		else
			log_in(m);
		break;
	case ROOMS_NEW_ACC_OK:
		why_set(&why, Q_OK, "registered %s", m->env->login->user);
		client_tell(m->env, CLIENT_DONE, NULL, span_str(why.text));
		log_in(m);
		break;
	case ROOMS_CAPTCHA_WRONG:
	case ROOMS_CAPTCHA_EXPIRED: on_wrong_captcha(m); break;
	case ROOMS_CHAT_PUBKEY_MISSING: send_key(m); break;
	case ROOMS_CHAT_PUBKEY_OK: break;
	default: refuse(m, s);
	}
}

static void
on_token(struct account *m, struct span token)
{
	char text[ROOMS_TOKEN_SIZE];
	struct why why;

	if (token.len == 0 || token.len >= sizeof(text)) {
		finish(m, CLIENT_LOST, "the server broke the protocol");
		return;
	}
	memcpy(text, token.p, token.len);
	text[token.len] = '\0';
	if (rooms_state_set_token(m->env->login->rooms, text, &why) == Q_OK)
		finish(m, CLIENT_LOGGED_OUT, "there is a token");
	else
		finish(m, CLIENT_LOST, why.text);
	secret_wipe(text, sizeof(text));
}

static void
on_packet(struct account *m, const struct rooms_packet *p)
{
	switch (p->type) {
	case ROOMS_T_STATUS: on_status(m, &p->u.status); break;
	case ROOMS_T_CAPTCHA: on_captcha(m, p->u.challenge); break;
	case ROOMS_T_GEN_TOKEN: on_token(m, p->u.token); break;
	default: finish(m, CLIENT_LOST, "the server broke the protocol");
	}
}

/* ---- the machine ---- */

static void *
make(const struct client_env *env)
{
	struct account *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	m->env = env;
	rooms_channel_init(&m->channel, env);
	return m;
}

static void
drop(void *machine)
{
	struct account *m = machine;

	if (m == NULL)
		return;
	rooms_channel_fini(&m->channel);
	free(m);
}

static void
begin(void *machine, int64_t now_ms)
{
	struct account *m = machine;

	m->deadline_ms = now_ms + HELLO_MS;
	if (rooms_channel_begin(&m->channel) != Q_OK)
		finish(m, CLIENT_LOST, "there is no memory left");
}

static void
input(void *machine, struct buf *in, int64_t now_ms)
{
	struct account *m = machine;
	struct rooms_coming c;
	struct why why;
	enum qerr e = Q_OK;

	m->now_ms = now_ms;
	while (!m->over && (e = rooms_channel_next(&m->channel, in, &c, &why)) == Q_OK) {
		on_packet(m, &c.packet);
		rooms_channel_done(&c, in);
	}
	if (e != Q_OK && e != Q_SHORT)
		finish(m, e == Q_DENIED ? CLIENT_REFUSED : CLIENT_LOST, why.text);
}

static void
lost(void *machine, enum qerr e, const char *reason)
{
	finish(machine, e == Q_DENIED ? CLIENT_REFUSED : CLIENT_LOST, reason);
}

static int64_t
deadline(const void *machine)
{
	const struct account *m = machine;

	return m->deadline_ms;
}

static void
tick(void *machine, int64_t now_ms)
{
	(void)now_ms;
	finish(machine, CLIENT_LOST, "the server does not answer in time");
}

static enum qerr
command(void *machine, enum client_verb verb, struct span arg, int64_t now_ms,
	struct why *why)
{
	struct rooms_packet p = {.type = ROOMS_T_S_CAPTCHA};
	struct account *m = machine;

	m->now_ms = now_ms;
	if (verb == CLIENT_DO_LOGOUT) {
		finish(m, CLIENT_LOST, "you have left");
		return Q_OK;
	}
	if (verb != CLIENT_DO_ANSWER || m->env->view->phase != CLIENT_PHASE_ASKED)
		return why_set(why, Q_DENIED, "not logged in yet");
	if (arg.len >= sizeof(p.u.s_captcha.solved) || !utf8_valid(arg) ||
	    (arg.len > 0 && memchr(arg.p, '\0', arg.len) != NULL))
		return why_set(why, Q_FORMAT, "six digits are wanted");
	if (arg.len > 0)
		memcpy(p.u.s_captcha.solved, arg.p, arg.len);
	put(m, &p);
	return Q_OK;
}

const struct client_protocol client_rooms_account = {
    .name = "rooms",
    .password = true,
    .tls = true,
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
