/* SPDX-License-Identifier: MIT
 *
 * What the server says.  220 and 233 happen; everything else answers the first request
 * in the queue, or ends the session: there is nothing to be in step with otherwise.
 * Of the source's servers some may not know our 122 and 123; they say 210.
 */
#include "client/talk.h"

#include <stdio.h>
#include <string.h>

#include <bsd/string.h>

/* ---- requests and answers ---- */

enum step { AT_STATUS, AT_BEGIN, AT_ELEMENT };

/* Which answers a request has: a status code or none, then a list or none. */
static const struct {
	int request, status, begin, element, end;
} rows[] = {
    {CONTACTS_LOGIN, CONTACTS_LOGIN_RESPONSE, 0, 0, 0},
    {CONTACTS_LOGOUT, CONTACTS_LOGOUT_RESPONSE, 0, 0, 0},
    {CONTACTS_CHAT_LIST, 0, CONTACTS_CHAT_LIST_BEGIN, CONTACTS_CHAT_LIST_ELEMENT,
     CONTACTS_CHAT_LIST_END},
    {CONTACTS_CHAT_CREATE, CONTACTS_CHAT_CREATE_RESPONSE, 0, 0, 0},
    {CONTACTS_CHAT_DELETE, CONTACTS_CHAT_DELETE_RESPONSE, 0, 0, 0},
    {CONTACTS_SEND, CONTACTS_SEND_RESPONSE, 0, 0, 0},
    {CONTACTS_REGISTER, CONTACTS_REGISTER_RESPONSE, 0, 0, 0},
    {CONTACTS_OWN_LIST, CONTACTS_OWN_LIST_RESPONSE, CONTACTS_OWN_LIST_BEGIN,
     CONTACTS_OWN_LIST_ELEMENT, CONTACTS_OWN_LIST_END},
    {CONTACTS_MEDIA, CONTACTS_MEDIA_RESPONSE, 0, 0, 0},
    {CONTACTS_LIST, CONTACTS_LIST_RESPONSE, CONTACTS_LIST_BEGIN, CONTACTS_LIST_ELEMENT,
     CONTACTS_LIST_END},
    {CONTACTS_CONFIRM, CONTACTS_CONFIRM_RESPONSE, 0, 0, 0},
    {CONTACTS_REMOVE, CONTACTS_REMOVE_RESPONSE, 0, 0, 0},
};

static void
pop(struct talk *m)
{
	const struct talk_ask *a = &m->asks[m->asks_first];

	if (a->code == CONTACTS_SEND) {
		m->answered.len = 0;
		(void)unsent_first(&m->unsent, &m->answered);
		unsent_arrived(&m->unsent, 1);
		if (!a->shown) /* else a file, which is no line of its own */
			m->env->view->on_the_way--;
	}
	m->asks_first = (m->asks_first + 1) % ASKS_MAX;
	m->asks_count--;
	m->list_step = AT_STATUS;
}

/* ---- lists ---- */

static void
tell_end(struct talk *m, enum client_event_kind kind, uint64_t count)
{
	struct client_event e = {.kind = kind, .count = count};

	m->doing = false;
	m->env->event(m->env->event_arg, &e);
}

static void
tell_chats(struct talk *m)
{
	for (size_t i = 0; i < m->chat_count; i++) {
		struct client_event e = {.kind = CLIENT_CHAT_KEPT,
					 .name = m->chats[i].partner,
					 .count = m->chats[i].unread};

		if (e.name[0] != '\0')
			m->env->event(m->env->event_arg, &e);
	}
	tell_end(m, CLIENT_CHATS_END, m->chat_count);
}

/* The list after 113, which names no chat itself. */
static void
open_created(struct talk *m)
{
	struct talk_chat *c = talk_chat_with(m, m->doing_name);

	m->doing = false;
	if (c != NULL) {
		talk_chat_open(m, c);
		return;
	}
	m->env->view->phase = CLIENT_PHASE_FREE;
	m->env->view->partner[0] = '\0';
	talk_failed(m, "the chat with %s has been deleted again", m->doing_name);
}

static void
on_list_end(struct talk *m, const struct talk_ask *a, uint64_t count)
{
	switch (a->code) {
	case CONTACTS_CHAT_LIST:
		talk_on_chats_end(m);
		if (a->shown && m->verb == CLIENT_DO_CHATS)
			tell_chats(m);
		else if (a->shown)
			open_created(m);
		break;
	case CONTACTS_OWN_LIST:
		if (a->shown)
			tell_end(m, CLIENT_CONTACTS_END, count);
		else
			talk_on_contacts_end(m);
		break;
	case CONTACTS_LIST:
		m->doing = false;
		client_tell(m->env, CLIENT_LIST_END, NULL, span_of(NULL, 0));
		break;
	default: break;
	}
}

static void
on_element(struct talk *m, const struct talk_ask *a, const struct contacts_reply *r)
{
	char name[NAME_SIZE];

	m->list_count++;
	if (a->code == CONTACTS_CHAT_LIST)
		talk_on_chat(m, r);
	else if (a->code == CONTACTS_OWN_LIST)
		talk_on_contact(m, a->shown, r);
	else if (name_copy(r->arg[0], name) != Q_OK)
		talk_broken(m);
	else
		client_tell(m->env, CLIENT_LIST_NAME, name, span_of(NULL, 0));
}

/* ---- answers with a status ---- */

static void
refused(struct talk *m, int code, int status)
{
	/* A connection that was lost may still hold the login for a while. */
	bool again = status == CONTACTS_USERNAME_ALREADY_LOGGED_IN ||
		     status == CONTACTS_SERVER_ERROR;
	char text[128];

	talk_reason(code, status, m->env->login->user, text, sizeof(text));
	m->over = true;
	m->deadline_ms = 0;
	client_end(m->env, CLIENT_REFUSED, text, again);
}

static void
on_login(struct talk *m, const struct contacts_reply *r)
{
	if (r->status != CONTACTS_OK) {
		refused(m, CONTACTS_LOGIN, r->status);
		return;
	}
	if (name_copy(r->arg[0], m->name) != Q_OK) {
		talk_broken(m);
		return;
	}
	m->logged_in = true;
	m->env->view->phase = CLIENT_PHASE_FREE;
	m->chats_asked = true;
	talk_ask_bare(m, CONTACTS_CHAT_LIST);
	client_tell(m->env, CLIENT_LOGGED_IN, m->name, span_of(NULL, 0));
}

static void
on_registered(struct talk *m, int status)
{
	if (status != CONTACTS_OK) {
		refused(m, CONTACTS_REGISTER, status);
		return;
	}
	talk_done(m, "registered %s", m->env->login->user);
	talk_log_in(m);
}

/* A chat that is gone on the server is gone here. */
static void
forget_chat(struct talk *m, uint64_t id)
{
	struct talk_chat *c = talk_chat_find(m, id);

	if (c != NULL)
		talk_chat_drop(m, c);
}

/* The server does not take what was said, so the person has to know which it was. */
static void
tell_refused(struct talk *m, const char *partner, const char *reason)
{
	struct buf text = BUF_INIT(m->answered.len + 512);

	if (m->answered.len == 0 ||
	    buf_printf(&text, "not sent to %s: %s; it was: ", partner, reason) != Q_OK ||
	    buf_put_span(&text, buf_span(&m->answered)) != Q_OK)
		talk_refuse(m, "not sent to %s: %s", partner, reason);
	else
		client_tell(m->env, CLIENT_FAILED, NULL, buf_span(&text));
	buf_wipe(&text);
}

static void
on_sent(struct talk *m, const struct talk_ask *a, int status)
{
	const struct talk_chat *c = talk_chat_find(m, a->chat);
	char reason[128], partner[NAME_SIZE];

	strlcpy(partner, c != NULL ? c->partner : "somebody", sizeof(partner));
	if (status == CONTACTS_OK) {
		if (a->shown)
			talk_file_sent(m);
		return;
	}
	talk_reason(CONTACTS_SEND, status, partner, reason, sizeof(reason));
	if (a->shown)
		m->doing = false;
	tell_refused(m, partner, reason);
	if (status == CONTACTS_CHAT_NOT_FOUND)
		forget_chat(m, a->chat);
}

static void
on_deleted(struct talk *m, const struct talk_ask *a, int status)
{
	char reason[128];

	if (status == CONTACTS_OK || status == CONTACTS_CHAT_NOT_FOUND)
		forget_chat(m, a->chat);
	if (status == CONTACTS_OK) {
		talk_done(m, "deleted the chat with %s", m->doing_name);
		return;
	}
	talk_reason(CONTACTS_CHAT_DELETE, status, m->doing_name, reason, sizeof(reason));
	talk_failed(m, "%s", reason);
}

/* 113: now the list tells which chat it is. */
static void
on_created(struct talk *m)
{
	struct contacts_request r = {.code = CONTACTS_CHAT_LIST};

	if (talk_ask(m, &r, true) != Q_OK)
		talk_finish(m, CLIENT_LOST, "the server takes nothing more");
}

static void
on_failure(struct talk *m, const struct talk_ask *a, int status)
{
	char reason[128];

	switch (a->code) {
	case CONTACTS_LOGIN:
	case CONTACTS_REGISTER: refused(m, a->code, status); return;
	case CONTACTS_SEND: on_sent(m, a, status); return;
	case CONTACTS_CHAT_DELETE: on_deleted(m, a, status); return;
	default: break;
	}
	if (!a->shown && a->code == CONTACTS_OWN_LIST) {
		talk_on_contacts_end(m);
	} else if (!a->shown && a->code == CONTACTS_CHAT_LIST) {
		talk_finish(m, CLIENT_LOST, "the server does not tell your chats");
	} else if (a->shown) {
		if (m->verb == CLIENT_DO_CHAT) {
			m->env->view->phase = CLIENT_PHASE_FREE;
			m->env->view->partner[0] = '\0';
		}
		talk_reason(a->code, status, m->doing_name, reason, sizeof(reason));
		talk_failed(m, "%s", reason);
	}
}

static void
on_status(struct talk *m, const struct talk_ask *a, const struct contacts_reply *r)
{
	if (a->code == CONTACTS_LOGIN) {
		on_login(m, r);
	} else if (a->code == CONTACTS_MEDIA) {
		talk_on_file(m, a->shown, r);
	} else if (a->code == CONTACTS_LOGOUT) {
		talk_finish(m, CLIENT_LOGGED_OUT, "logged out");
	} else if (r->status != CONTACTS_OK) {
		on_failure(m, a, r->status);
	} else if (a->code == CONTACTS_REGISTER) {
		on_registered(m, r->status);
	} else if (a->code == CONTACTS_SEND) {
		on_sent(m, a, r->status);
	} else if (a->code == CONTACTS_CHAT_DELETE) {
		on_deleted(m, a, r->status);
	} else if (a->code == CONTACTS_CHAT_CREATE) {
		on_created(m);
	} else if (a->code == CONTACTS_CONFIRM) {
		talk_news_add(m, m->doing_name, true);
	} else if (a->code == CONTACTS_REMOVE) {
		talk_done(m, "removed %s", m->doing_name);
	}
}

/* ---- which request is it? ---- */

/* 210 or 211 to the first request. */
static void
on_misunderstood(struct talk *m, const struct contacts_reply *r)
{
	struct talk_ask a = m->asks[m->asks_first];

	if (r->code == CONTACTS_UNKNOWN && a.code == CONTACTS_SEEN) {
		m->no_seen = true;
		if (--m->asks[m->asks_first].times == 0)
			pop(m);
		return;
	}
	pop(m);
	if (a.code == CONTACTS_MEDIA && !a.shown) {
		talk_on_file(m, false, r);
	} else if (!m->logged_in && m->env->login->clear) {
		talk_finish(m, CLIENT_REFUSED, "the server wants TLS: leave --clear out");
	} else {
		on_failure(m, &a, r->status);
	}
}

static void
on_answer(struct talk *m, const struct contacts_reply *r)
{
	struct talk_ask a = m->asks[m->asks_first];
	size_t i = 0;

	while (i < sizeof(rows) / sizeof(rows[0]) && rows[i].request != a.code)
		i++;
	if (i == sizeof(rows) / sizeof(rows[0])) {
		talk_broken(m);
	} else if (m->list_step == AT_STATUS && rows[i].status != 0) {
		if (r->code != rows[i].status) {
			talk_broken(m);
		} else if (r->status == CONTACTS_OK && rows[i].begin != 0) {
			m->list_step = AT_BEGIN;
		} else {
			pop(m);
			on_status(m, &a, r);
		}
	} else if (m->list_step != AT_ELEMENT) {
		if (r->code != rows[i].begin) {
			talk_broken(m);
			return;
		}
		m->list_step = AT_ELEMENT;
		m->list_count = 0;
		if (a.code == CONTACTS_CHAT_LIST)
			talk_on_chats(m);
	} else if (r->code == rows[i].element) {
		on_element(m, &a, r);
	} else if (r->code == rows[i].end) {
		pop(m);
		on_list_end(m, &a, m->list_count);
	} else {
		talk_broken(m);
	}
}

void
talk_on_line(struct talk *m, struct span line)
{
	struct contacts_reply r;

	if (contacts_reply_parse(line, &m->scratch, &r) != Q_OK) {
		talk_finish(m, CLIENT_LOST,
			    m->logged_in ? "the server broke the protocol"
					 : "what answers there does not speak contacts");
		return;
	}
	if (r.code == CONTACTS_SENDED) {
		talk_on_message(m, &r);
		return;
	}
	if (r.code == CONTACTS_CONFIRM_ADD) {
		talk_on_confirm_add(m, &r);
		return;
	}
	while (m->asks_count > 0 && r.code != CONTACTS_UNKNOWN &&
	       m->asks[m->asks_first].code == CONTACTS_SEEN)
		pop(m);
	if (m->asks_count > 0 &&
	    (r.code == CONTACTS_UNKNOWN || r.code == CONTACTS_INVALID))
		on_misunderstood(m, &r);
	else if (m->asks_count > 0)
		on_answer(m, &r);
	else if (r.code == CONTACTS_LOGOUT_RESPONSE)
		talk_finish(m, CLIENT_FORCED_LOGOUT, "");
	else
		talk_broken(m);
}
