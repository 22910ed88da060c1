/* SPDX-License-Identifier: MIT
 *
 * What a person can ask for in contacts.  Of what is answered by more than "done" one is
 * under way at a time; messages, of which there may be many, do not wait.
 */
#include "client/talk.h"

#include <string.h>

#include <bsd/string.h>

#include "base/text.h"

static enum qerr
ask_full(enum qerr e, struct why *why)
{
	if (e == Q_OK)
		return Q_OK;
	return why_set(why, e, "not sent: %s",
		       e == Q_FULL ? "too much is waiting to be sent"
				   : "there is no memory left");
}

/* Something that a person waits for.  name may be NULL. */
static enum qerr
ask_shown(struct talk *m, enum client_verb verb, int code, const char *name,
	  struct why *why)
{
	struct contacts_request r = {.code = code};
	enum qerr e;

	if (name != NULL)
		r.arg[0] = span_str(name);
	if (code == CONTACTS_CHAT_DELETE)
		r.id = m->open;
	if ((e = talk_ask(m, &r, true)) != Q_OK)
		return ask_full(e, why);
	m->doing = true;
	m->verb = verb;
	strlcpy(m->doing_name, name != NULL ? name : "", sizeof(m->doing_name));
	return Q_OK;
}

static enum qerr
ask_about(struct talk *m, enum client_verb verb, int code, struct span arg,
	  struct why *why)
{
	char name[NAME_SIZE];

	if (name_copy(arg, name) != Q_OK)
		return why_set(why, Q_FORMAT, "\"%.*s\" is no name",
			       (int)(arg.len < 64 ? arg.len : 64), (const char *)arg.p);
	if (name_cmp(name, m->name) == 0)
		return why_set(why, Q_DENIED, "%s is you", name);
	return ask_shown(m, verb, code, name, why);
}

static enum qerr
do_chat(struct talk *m, struct span arg, struct why *why)
{
	struct client_view *view = m->env->view;
	struct talk_chat *c;
	char name[NAME_SIZE];
	enum qerr e;

	if (name_copy(arg, name) == Q_OK && (c = talk_chat_with(m, name)) != NULL) {
		talk_chat_open(m, c);
		return Q_OK;
	}
	e = ask_about(m, CLIENT_DO_CHAT, CONTACTS_CHAT_CREATE, arg, why);
	if (e != Q_OK)
		return e;
	talk_chat_close(m, NULL);
	view->phase = CLIENT_PHASE_ASKING;
	strlcpy(view->partner, m->doing_name, sizeof(view->partner));
	return Q_OK;
}

static enum qerr
do_say(struct talk *m, struct span text, struct why *why)
{
	struct contacts_request r = {.code = CONTACTS_SEND, .id = m->open, .arg = {text}};
	struct buf *out = m->env->out;
	size_t before = out->len;
	enum qerr e;

	if (m->open == 0)
		return why_set(why, Q_DENIED,
			       "not sent: no chat is open; /chat NAME opens one");
	if (text.len == 0)
		return why_set(why, Q_FORMAT, "not sent: there are no empty messages");
	if (!utf8_valid(text) || memchr(text.p, '\0', text.len) != NULL)
		return why_set(why, Q_FORMAT, "not sent: this is not UTF-8 text");
	if ((e = talk_ask(m, &r, false)) != Q_OK)
		return ask_full(e, why);
	/* Quoting may have made it longer; the newline does not count. */
	if (out->len - before - 1 > CONTACTS_LINE_MAX) {
		out->len = before;
		m->asks_count--;
		return why_set(why, Q_LIMIT, "not sent: the message is too long");
	}
	unsent_add(&m->unsent, m->env->view->partner, text);
	m->env->view->on_the_way++;
	return Q_OK;
}

static enum qerr
do_end(struct talk *m, struct why *why)
{
	if (m->open == 0)
		return why_set(why, Q_DENIED, "no chat is open");
	talk_chat_close(m, "closed");
	return Q_OK;
}

static enum qerr
do_delete(struct talk *m, struct why *why)
{
	struct talk_chat *c = talk_chat_find(m, m->open);
	char partner[NAME_SIZE];

	if (c == NULL)
		return why_set(why, Q_DENIED, "no chat is open: /chat NAME first");
	strlcpy(partner, c->partner, sizeof(partner));
	return ask_shown(m, CLIENT_DO_DELETE, CONTACTS_CHAT_DELETE, partner, why);
}

static enum qerr
do_logout(struct talk *m)
{
	if (!m->logged_in) {
		talk_finish(m, CLIENT_LOGGED_OUT, "logged out");
		return Q_OK;
	}
	talk_ask_bare(m, CONTACTS_LOGOUT);
	if (!m->over) {
		m->leaving = true;
		m->env->view->phase = CLIENT_PHASE_LEAVING;
	}
	return Q_OK;
}

enum qerr
talk_do(struct talk *m, enum client_verb verb, struct span arg, struct why *why)
{
	switch (verb) {
	case CLIENT_DO_SAY: return do_say(m, arg, why);
	case CLIENT_DO_END: return do_end(m, why);
	case CLIENT_DO_LOGOUT: return do_logout(m);
	default: break;
	}
	if (m->doing)
		return why_set(why, Q_FULL, "the command before is not answered yet");
	switch (verb) {
	case CLIENT_DO_LIST: return ask_shown(m, verb, CONTACTS_LIST, NULL, why);
	case CLIENT_DO_CONTACTS: return ask_shown(m, verb, CONTACTS_OWN_LIST, NULL, why);
	case CLIENT_DO_CHATS: return ask_shown(m, verb, CONTACTS_CHAT_LIST, NULL, why);
	case CLIENT_DO_ADD:
	case CLIENT_DO_CONFIRM: return ask_about(m, verb, CONTACTS_CONFIRM, arg, why);
	case CLIENT_DO_REMOVE: return ask_about(m, verb, CONTACTS_REMOVE, arg, why);
	case CLIENT_DO_CHAT: return do_chat(m, arg, why);
	case CLIENT_DO_DELETE: return do_delete(m, why);
	case CLIENT_DO_SEND: return talk_do_send(m, arg, why);
	case CLIENT_DO_SAVE: return talk_do_save(m, arg, why);
	default:
		return why_set(why, Q_DENIED,
			       "contacts has no word for this: /chat NAME opens a chat");
	}
}
