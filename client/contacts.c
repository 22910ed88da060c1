/* SPDX-License-Identifier: MIT
 *
 * The row of functions, and the queue of requests that all of the machine goes round:
 * talk_do.c puts into it what a person asks for, talk_answer.c takes the answers out.
 */
#include "client/contacts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "client/talk.h"

/* ---- what the files of this machine share ---- */

void
talk_finish(struct talk *m, enum client_event_kind kind, const char *text)
{
	if (m->over)
		return;
	m->over = true;
	m->deadline_ms = 0;
	client_tell(m->env, kind, NULL, span_str(text));
}

void
talk_broken(struct talk *m)
{
	talk_finish(m, CLIENT_LOST, "the server broke the protocol");
}

enum qerr
talk_ask(struct talk *m, const struct contacts_request *r, bool shown)
{
	struct talk_ask *last = NULL;
	enum qerr e;

	if (m->over)
		return Q_CLOSED;
	if (m->asks_count > 0)
		last = &m->asks[(m->asks_first + m->asks_count - 1) % ASKS_MAX];
	if (m->asks_count == ASKS_MAX)
		return Q_FULL;
	if ((e = contacts_request_put(m->env->out, r)) != Q_OK)
		return e == Q_LIMIT ? Q_FULL : e;
	if (r->code == CONTACTS_SEEN && last != NULL && last->code == CONTACTS_SEEN) {
		last->times++;
		return Q_OK;
	}
	m->asks[(m->asks_first + m->asks_count) % ASKS_MAX] =
	    (struct talk_ask){.code = r->code, .shown = shown, .chat = r->id, .times = 1};
	m->asks_count++;
	if (m->only_asked) { /* the answer to this may take longer */
		m->only_asked = false;
		m->deadline_ms = 0;
	}
	return Q_OK;
}

void
talk_ask_bare(struct talk *m, int code)
{
	struct contacts_request r = {.code = code};

	if (talk_ask(m, &r, false) != Q_OK)
		talk_finish(m, CLIENT_LOST, "the server takes nothing more");
}

void
talk_done(struct talk *m, const char *fmt, ...)
{
	va_list ap;

	m->doing = false;
	va_start(ap, fmt);
	client_tell_va(m->env, CLIENT_DONE, fmt, ap);
	va_end(ap);
}

void
talk_failed(struct talk *m, const char *fmt, ...)
{
	va_list ap;

	m->doing = false;
	va_start(ap, fmt);
	client_tell_va(m->env, CLIENT_FAILED, fmt, ap);
	va_end(ap);
}

void
talk_refuse(struct talk *m, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	client_tell_va(m->env, CLIENT_FAILED, fmt, ap);
	va_end(ap);
}

void
talk_reason(int code, int status, const char *name, char *out, size_t size)
{
	static const struct {
		int status;
		const char *text;
	} texts[] = {
	    {CONTACTS_USERNAME_INVALID, "no user can have that name"},
	    {CONTACTS_PASSWORD_INVALID, "a password has 8 to 384 bytes"},
	    {CONTACTS_USERNAME_ALREADY_TAKEN,
	     "that name is taken: if it is yours, log in without --register"},
	    {CONTACTS_CLIENT_ALREADY_LOGGED_IN, "you are logged in already"},
	    {CONTACTS_USERNAME_ALREADY_LOGGED_IN, "you are logged in elsewhere already"},
	    {CONTACTS_PASSWORD_WRONG, "the name or the password is wrong"},
	    {CONTACTS_CLIENT_NOT_LOGGED_IN, "you are not logged in"},
	    {CONTACTS_CHAT_NOT_FOUND, "that chat has been deleted"},
	    {CONTACTS_CHAT_PERMISSION_DENIED, "that is not yours"},
	    {CONTACTS_MEDIA_NOT_FOUND, "there is no such file"},
	    {CONTACTS_SERVER_ERROR, "the server cannot do that now"},
	    {CONTACTS_USER_BANNED, "you are banned from this server"},
	    {CONTACTS_USER_MUTED, "you are muted: you may read, but say nothing"},
	};

	if (status == CONTACTS_CONTACT_NOT_FOUND) {
		snprintf(out, size, "there is no other user %s", name);
	} else if (status == CONTACTS_CONTACT_NOT_CONFIRMED) {
		snprintf(out, size, "%s is no contact of yours: /add %s asks", name,
			 name);
	} else {
		snprintf(out, size, "the server did not understand %d", code);
		for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
			if (texts[i].status == status)
				snprintf(out, size, "%s", texts[i].text);
	}
}

/* ---- after each turn ---- */

/* Does the server owe us something?  122 has no answer. */
static bool
answer_is_due(const struct talk *m)
{
	for (size_t i = 0; i < m->asks_count; i++)
		if (m->asks[(m->asks_first + i) % ASKS_MAX].code != CONTACTS_SEEN)
			return true;
	return false;
}

static void
settle(struct talk *m, bool moved)
{
	struct client_view *view = m->env->view;

	if (m->logged_in && !m->leaving && !m->over) {
		talk_chats_settle(m);
		talk_news_settle(m);
		talk_files_settle(m);
	}
	if (m->over)
		return;
	view->busy =
	    m->logged_in && (!m->started || m->doing || m->asks_count > ASKS_MAX / 2);
	if (moved)
		m->quiet_ms = m->now_ms + CLIENT_QUIET_MS;
	if (!answer_is_due(m)) {
		m->deadline_ms = 0;
		m->only_asked = false;
	} else if (moved || m->deadline_ms == 0) {
		m->deadline_ms =
		    m->now_ms + (m->only_asked ? CLIENT_ALIVE_MS : ANSWER_MS);
	}
	m->out_left = m->env->out->len;
}

/* ---- the machine ---- */

static void *
make(const struct client_env *env)
{
	struct talk *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	m->env = env;
	/* Everything of a line that is quoted, and the contents of a file. */
	m->scratch = (struct buf)BUF_INIT(32 * 1024 * 1024);
	m->unsent = (struct unsent)UNSENT_INIT;
	m->answered = (struct buf)BUF_INIT(2 * UNSENT_MAX);
	return m;
}

static void
drop(void *machine)
{
	struct talk *m = machine;

	if (m == NULL)
		return;
	talk_chats_free(m);
	unsent_fini(&m->unsent);
	buf_wipe(&m->answered);
	buf_wipe(&m->scratch);
	free(m);
}

/* 122 behind 110 says from the start that only what is shown counts as delivered;
 * which chat it names does not matter, and none is known yet. */
void
talk_log_in(struct talk *m)
{
	const struct client_login *login = m->env->login;
	struct contacts_request in = {
	    .code = CONTACTS_LOGIN,
	    .arg = {span_str(login->user), span_str(login->password)},
	};
	struct contacts_request seen = {.code = CONTACTS_SEEN, .id = 1, .time_ms = 1};

	if (talk_ask(m, &in, false) != Q_OK || talk_ask(m, &seen, false) != Q_OK)
		talk_finish(m, CLIENT_LOST, "there is no memory left");
}

static void
send_registration(struct talk *m)
{
	const struct client_login *login = m->env->login;
	struct contacts_request r = {
	    .code = CONTACTS_REGISTER,
	    .arg = {span_str(login->user), span_str(login->password), span_str(""),
		    span_str("")},
	};

	if (talk_ask(m, &r, false) != Q_OK)
		talk_finish(m, CLIENT_LOST, "there is no memory left");
}

static void
begin(void *machine, int64_t now_ms)
{
	struct talk *m = machine;

	m->now_ms = now_ms;
	if (!utf8_valid(span_str(m->env->login->password))) {
		talk_finish(m, CLIENT_REFUSED, "the password is not UTF-8 text");
		return;
	}
	if (m->env->login->new_user)
		send_registration(m);
	else
		talk_log_in(m);
	settle(m, true);
}

static void
input(void *machine, struct buf *in, int64_t now_ms)
{
	struct talk *m = machine;
	size_t used = 0, before = m->searched;
	const uint8_t *end;

	m->now_ms = now_ms;
	while (!m->over && in->len > used + m->searched &&
	       (end = memchr(in->p + used + m->searched, '\n',
			     in->len - used - m->searched)) != NULL) {
		struct span line = span_of(in->p + used, (size_t)(end - in->p) - used);

		used += line.len + 1;
		m->searched = 0;
		if (line.len > 0 && line.p[line.len - 1] == '\r')
			line.len--;
		if (line.len > 0)
			talk_on_line(m, line);
	}
	m->searched = in->len - used;
	buf_consume(in, used);
	if (!m->over)
		settle(m, used > 0 || m->searched > before);
}

static void
lost(void *machine, enum qerr e, const char *reason)
{
	struct talk *m = machine;
	size_t n = m->unsent.count;
	struct why why;

	unsent_tell(&m->unsent, m->env);
	if (n > 0) {
		why_set(&why, e, "%.300s; messages that may not have arrived: %zu",
			reason, n);
		talk_finish(m, CLIENT_LOST, why.text);
	} else if (m->leaving && e == Q_CLOSED && m->env->out->len == 0) {
		talk_finish(m, CLIENT_LOGGED_OUT, "logged out");
	} else {
		talk_finish(m, e == Q_DENIED ? CLIENT_REFUSED : CLIENT_LOST, reason);
	}
}

static bool
may_ask_if_alive(const struct talk *m)
{
	return m->started && !m->leaving && !m->over && m->deadline_ms == 0;
}

static int64_t
deadline(const void *machine)
{
	const struct talk *m = machine;

	return may_ask_if_alive(m) ? m->quiet_ms : m->deadline_ms;
}

static void
ask_if_alive(struct talk *m)
{
	m->chats_asked = true;
	talk_ask_bare(m, CONTACTS_CHAT_LIST);
	m->only_asked = true;
	settle(m, true);
}

/* As long as bytes go out there is hope: files are long and networks slow. */
static void
tick(void *machine, int64_t now_ms)
{
	struct talk *m = machine;

	m->now_ms = now_ms;
	if (may_ask_if_alive(m)) {
		if (now_ms >= m->quiet_ms)
			ask_if_alive(m);
		return;
	}
	if (m->deadline_ms == 0 || now_ms < m->deadline_ms)
		return;
	if (m->env->out->len < m->out_left && !m->only_asked) {
		settle(m, true);
		return;
	}
	talk_finish(m, CLIENT_LOST, "the server does not answer in time");
}

/* ---- commands ---- */

static enum qerr
command(void *machine, enum client_verb verb, struct span arg, int64_t now_ms,
	struct why *why)
{
	struct talk *m = machine;
	enum qerr e;

	if (m->leaving)
		return why_set(why, Q_CLOSED, "you are logging out");
	m->now_ms = now_ms;
	e = talk_do(m, verb, arg, why);
	settle(m, false);
	return e;
}

const struct client_protocol client_contacts = {
    .name = "contacts",
    .text_max = TALK_TEXT_MAX,
    .password = true,
    .tls = true,
    .chats_last = true,
    .contacts = true,
    .make = make,
    .drop = drop,
    .begin = begin,
    .input = input,
    .lost = lost,
    .deadline = deadline,
    .tick = tick,
    .command = command,
};
