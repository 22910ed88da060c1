/* SPDX-License-Identifier: MIT
 *
 * send.c - 115.
 *
 * What a client sends in one go is one append to the chat's file and one hold of the
 * other member's outbox lock.  So 115s that follow each other gather in a run, their
 * texts still in the input buffer, until something else comes, another chat is meant or
 * the input is used up.  A message costs no allocation, no system call, no look-up.
 */
#include "server/contacts/contacts_session.h"

#include "crypto/random.h"
#include "server/accounts.h"
#include "server/engineio/bundle.h"
#include "server/limits.h"
#include "store/media.h"

void
contacts_drop_chat(struct contacts_session *cs)
{
	shared_chat_unref(cs->chat);
	cs->chat = NULL;
}

void
contacts_run_clear(struct contacts_run *run)
{
	run->chat = 0;
	run->n = 0;
}

/* Is there still somebody at the other end? */
static int
check_partner(struct contacts_session *cs, const struct shared_chat *chat)
{
	struct user u;
	enum qerr e = accounts_get(cs->session->server->accounts,
				   shared_chat_partner(chat, cs->user), &u);

	if (e == Q_OK)
		secret_wipe(u.password, sizeof(u.password));
	if (e == Q_MISSING || e == Q_FORMAT)
		return CONTACTS_CONTACT_NOT_CONFIRMED;
	return e == Q_OK ? CONTACTS_OK : contacts_failed(cs, "look-up", e);
}

/* Make the chat with that id cs->chat. */
static int
find_chat(struct contacts_session *cs, uint64_t id)
{
	struct shared_chat *chat;
	int status = CONTACTS_OK;
	enum qerr e;

	if (cs->chat != NULL && shared_chat_info(cs->chat)->id == id)
		return CONTACTS_OK;
	contacts_drop_chat(cs);
	e = shared_chat_get(cs->session->server->shared, id, &chat);
	if (e == Q_MISSING)
		return CONTACTS_CHAT_NOT_FOUND;
	if (e != Q_OK)
		return contacts_failed(cs, "send", e);
	if (!shared_chat_member(chat, cs->user))
		status = CONTACTS_CHAT_PERMISSION_DENIED;
	else if (shared_chat_info(chat)->anons_id == 0)
		status = check_partner(cs, chat);
	if (status == CONTACTS_OK)
		cs->chat = chat;
	else
		shared_chat_unref(chat);
	return status;
}

/* May the user write into that chat?  CONTACTS_OK: it is cs->chat. */
static int
may_send(struct contacts_session *cs, uint64_t id)
{
	struct relations *relations = cs->session->server->relations;
	const char *partner;
	int status = find_chat(cs, id);

	/* In a chat about an announcement nobody has to be a contact, nor to be there. */
	if (status != CONTACTS_OK || shared_chat_info(cs->chat)->anons_id != 0)
		return status;
	/* A new user of the same name is somebody else; and the contact may have ended
	 * since the last time. */
	partner = shared_chat_partner(cs->chat, cs->user);
	if (!shared_chat_member(cs->chat, partner) ||
	    relations_get(relations, cs->user, partner) != RELATION_CONTACT)
		return CONTACTS_CONTACT_NOT_CONFIRMED;
	return CONTACTS_OK;
}

static int
post(struct contacts_session *cs, struct shared_post *posts, size_t n)
{
	struct session *s = cs->session;
	enum qerr e;

	e = shared_post(s->server->shared, cs->chat, cs->user, s, posts, n);
	if (e == Q_OK)
		return CONTACTS_OK;
	contacts_drop_chat(cs);
	if (e == Q_CLOSED || e == Q_MISSING)
		return CONTACTS_CHAT_NOT_FOUND;
	return contacts_failed(cs, "send", e);
}

/* How many of n messages the user may send now: the first ones.  *refusal: why not
 * more. */
static size_t
granted(struct contacts_session *cs, size_t n, int *refusal)
{
	size_t i = 0;

	while (i < n && (*refusal = contacts_may(cs, LIMIT_MESSAGE)) == CONTACTS_OK)
		i++;
	return i;
}

void
contacts_run_post(struct contacts_session *cs, struct contacts_run *run)
{
	size_t n = run->n;
	int status, refusal = CONTACTS_SERVER_ERROR;

	if (n == 0)
		return;
	if ((status = may_send(cs, run->chat)) == CONTACTS_OK &&
	    (n = granted(cs, run->n, &refusal)) > 0)
		status = post(cs, run->post, n);
	contacts_answer_all(cs, CONTACTS_SEND_RESPONSE, status, n);
	contacts_answer_all(cs, CONTACTS_SEND_RESPONSE, refusal, run->n - n);
	contacts_run_clear(run);
}

/* The picture goes first: a message that names it must not be there without it. */
static int
send_media(struct contacts_session *cs, const struct contacts_request *r)
{
	struct shared_media media = {.content = NULL};
	struct shared_post p = {.text = r->message, .media = &media};
	int status = may_send(cs, r->id);

	if (status == CONTACTS_OK)
		status = contacts_may(cs, LIMIT_MESSAGE);
	if (status == CONTACTS_OK)
		status = contacts_media_keep(cs, r, &p.media_id, &media);
	if (status != CONTACTS_OK)
		return status;
	/* A message with an id is in the file, even when the disk was not sure. */
	if ((status = post(cs, &p, 1)) != CONTACTS_OK && p.id == 0)
		(void)media_remove(cs->session->server->store, p.media_id);
	blob_unref(media.content);
	return status;
}

/* Did the codec have to undo escapes?  Then the text is where the next line's will
 * be. */
static bool
in_scratch(const struct contacts_session *cs, struct span text)
{
	const struct buf *b = &cs->scratch;

	return b->p != NULL && text.p >= b->p && text.p < b->p + b->cap;
}

void
contacts_send(struct contacts_session *cs, struct contacts_run *run,
	      const struct contacts_request *r)
{
	if (r->has_media) {
		contacts_run_post(cs, run);
		contacts_answer(cs, CONTACTS_SEND_RESPONSE, send_media(cs, r));
		return;
	}
	if (run->n == CONTACTS_RUN_MAX || (run->n > 0 && run->chat != r->id))
		contacts_run_post(cs, run);
	run->chat = r->id;
	run->post[run->n++] = (struct shared_post){.text = r->message};
	if (in_scratch(cs, r->message))
		contacts_run_post(cs, run);
}
