/* SPDX-License-Identifier: MIT
 *
 * chats.c - 112, 113 and 114.
 */
#include "server/contacts/contacts_session.h"

#include <stdlib.h>

#include "server/limits.h"
#include "server/hub.h"
#include "server/log.h"
#include "server/protocol.h"
#include "store/chats.h"

void
contacts_chat_list(struct contacts_session *cs, const struct contacts_request *r)
{
	struct buf *to = &cs->reply;
	size_t start = to->len, n;
	struct chat_info *all;
	enum qerr e;

	(void)r;
	if ((e = chats_of(cs->session->server->chats, cs->user, &all, &n)) != Q_OK) {
		/* 214 has no status code, 211 may carry one. */
		contacts_answer(cs, CONTACTS_INVALID, contacts_failed(cs, "chats", e));
		return;
	}
	e = contacts_put_count(to, CONTACTS_CHAT_LIST_BEGIN, n);
	for (size_t i = 0; i < n && e == Q_OK; i++)
		e = contacts_put_chat(to, all[i].id, all[i].maker, all[i].other);
	if (e == Q_OK)
		e = contacts_put_code(to, CONTACTS_CHAT_LIST_END);
	if (e != Q_OK)
		to->len = start;
	contacts_answered(cs, e);
	free(all);
}

/* Here the other member is not told, but elsewhere a list of chats may be open. */
static void
tell_made(struct server *server, const struct chat_info *chat)
{
	const struct event event = {.kind = EVENT_CHAT_MADE, .made = chat};

	hub_tell(server, chat->maker, &event, NULL);
	hub_tell(server, chat->other, &event, NULL);
}

void
contacts_chat_create(struct contacts_session *cs, const struct contacts_request *r)
{
	struct server *server = cs->session->server;
	char other[NAME_SIZE];
	struct chat_info chat;
	int status = contacts_other(cs, r->arg[0], other);
	enum qerr e;

	if (status == CONTACTS_OK &&
	    relations_get(server->relations, cs->user, other) != RELATION_CONTACT)
		status = CONTACTS_CONTACT_NOT_CONFIRMED;
	if (status == CONTACTS_OK)
		status = contacts_may(cs, LIMIT_JOIN);
	if (status == CONTACTS_OK) {
		e = shared_chat_make(cs->session, cs->user, other, 0, &chat);
		if (e == Q_OK)
			tell_made(server, &chat);
		else if (e != Q_EXISTS)
			status = contacts_failed(cs, "chat-create", e);
	}
	contacts_answer(cs, CONTACTS_CHAT_CREATE_RESPONSE, status);
}

/* Other sessions hear of it; this one is where it was asked. */
static void
forget(struct contacts_session *cs, uint64_t chat)
{
	struct session *s = cs->session;

	lock_take(&s->out.lock);
	inbox_forget(&cs->inbox, chat);
	lock_drop(&s->out.lock);
}

static int
delete_chat(struct contacts_session *cs, struct shared_chat *chat)
{
	struct server *server = cs->session->server;
	uint64_t id = shared_chat_info(chat)->id;
	enum qerr e;

	if (!shared_chat_member(chat, cs->user))
		return CONTACTS_CHAT_PERMISSION_DENIED;
	e = shared_delete(server->shared, chat, cs->session);
	if (e == Q_MISSING || e == Q_CLOSED)
		return CONTACTS_CHAT_NOT_FOUND;
	if (e != Q_OK)
		return contacts_failed(cs, "chat-delete", e);
	log_event(LOG_INFO, cs->session, "chat-deleted", "chat=%llu",
		  (unsigned long long)id);
	forget(cs, id);
	return CONTACTS_OK;
}

void
contacts_chat_delete(struct contacts_session *cs, const struct contacts_request *r)
{
	struct shared_chat *chat = NULL;
	int status;
	enum qerr e;

	contacts_drop_chat(cs);
	e = shared_chat_get(cs->session->server->shared, r->id, &chat);
	if (e == Q_OK)
		status = delete_chat(cs, chat);
	else if (e == Q_MISSING)
		status = CONTACTS_CHAT_NOT_FOUND;
	else
		status = contacts_failed(cs, "chat-delete", e);
	shared_chat_unref(chat);
	contacts_answer(cs, CONTACTS_CHAT_DELETE_RESPONSE, status);
}
