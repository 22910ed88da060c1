/* SPDX-License-Identifier: MIT
 *
 * media.c - pictures and files: 119, and what comes with a 115.  They are kept as bytes,
 * so that what a client gets is what another one meant, however it was written.
 */
#include "server/contacts/contacts_session.h"

#include <string.h>

#include "server/engineio/bundle.h"
#include "store/chats.h"
#include "store/media.h"

int
contacts_media_keep(struct contacts_session *cs, const struct contacts_request *r,
		    uint64_t *id, struct shared_media *media)
{
	struct media_info info = {.chat = r->id};
	struct blob *content = shared_media_full() ? NULL : blob_new(r->media.size);
	enum image_kind kind;
	enum qerr e;

	_Static_assert(CONTACTS_MEDIA_TYPE_MAX <= MEDIA_TYPE_MAX,
		       "the store has room for every type");
	if (content == NULL)
		return contacts_failed(cs, "media", Q_NOMEM);
	contacts_media_decode(&r->media, content->p);
	kind = image_kind_of(blob_span(content), NULL);
	if (r->media.type.len > 0)
		memcpy(info.type, r->media.type.p, r->media.type.len);
	shared_media_note(&info, kind, false);
	e = media_add(cs->session->server->store, &info, blob_span(content));
	if (e != Q_OK) {
		blob_unref(content);
		return contacts_failed(cs, "media", e);
	}
	*media = (struct shared_media){kind, content};
	*id = info.id;
	return CONTACTS_OK;
}

/* May the user have it?  CONTACTS_OK and *info. */
static int
find_media(struct contacts_session *cs, uint64_t id, struct media_info *info)
{
	struct server *server = cs->session->server;
	struct chat_info chat;
	enum qerr e;

	if ((e = media_info(server->store, id, info)) == Q_OK)
		e = chats_get(server->chats, info->chat, &chat);
	/* Without its chat it is about to go. */
	if (e == Q_MISSING)
		return CONTACTS_MEDIA_NOT_FOUND;
	if (e != Q_OK)
		return contacts_failed(cs, "media", e);
	if (!chat_info_member(&chat, cs->user))
		return CONTACTS_CHAT_PERMISSION_DENIED;
	return CONTACTS_OK;
}

void
contacts_media(struct contacts_session *cs, const struct contacts_request *r)
{
	struct buf content = BUF_INIT(MEDIA_SIZE_MAX);
	struct media_info info;
	int status = find_media(cs, r->id, &info);
	enum qerr e;

	if (status == CONTACTS_OK) {
		e = media_read(cs->session->server->store, r->id, &content);
		if (e == Q_MISSING)
			status = CONTACTS_MEDIA_NOT_FOUND;
		else if (e != Q_OK)
			status = contacts_failed(cs, "media", e);
	}
	if (status == CONTACTS_OK)
		contacts_answered(cs, contacts_put_media(&cs->reply, span_str(info.type),
							 buf_span(&content)));
	else
		contacts_answer(cs, CONTACTS_MEDIA_RESPONSE, status);
	buf_free(&content);
}
