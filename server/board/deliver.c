/* SPDX-License-Identifier: MIT
 *
 * deliver.c - what the hub tells of shared chats, as events to a connection.
 *
 * Each connection gets a message in one of two forms: as what is said in the room when it
 * is there, or has said it; else as a notification.  What a message looks like in either
 * is rendered for the first connection that wants it, and kept in the hub's event for the
 * next ones.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "server/board/upper.h"

#define FORMS    2  /* to be notified, and live */
#define TOGETHER 64 /* events that are emitted in one hold of a session's lock */

/* What the messages of one hub's event look like. */
struct renderings {
	size_t n;
	struct board_events form[][FORMS];
};

static void
drop_renderings(void *p)
{
	struct renderings *r = p;

	for (size_t i = 0; i < r->n; i++)
		for (int k = 0; k < FORMS; k++)
			board_events_free(&r->form[i][k]);
	free(r);
}

static struct renderings *
renderings_of(const struct event *event)
{
	struct event_slot *slot = event->slot;
	struct renderings *r = slot->p;

	if (r != NULL)
		return r;
	if ((r = calloc(1, sizeof(*r) + event->count * sizeof(r->form[0]))) == NULL)
		return NULL;
	r->n = event->count;
	slot->p = r;
	slot->drop = drop_renderings;
	return r;
}

/* One message in one form; rendered now if nobody has. */
static enum qerr
rendering(const struct event *event, size_t i, bool live, const struct board_events **out)
{
	struct renderings *r = renderings_of(event);
	struct board_events *e;
	enum qerr result = Q_OK;

	if (r == NULL)
		return Q_NOMEM;
	e = &r->form[i][live];
	if (e->text == NULL && e->image == NULL)
		result = board_render(shared_chat_info(event->chat), &event->messages[i],
				      live, e);
	*out = e;
	return result;
}

/* Q_CLOSED, Q_FULL: the client is gone, or is too slow and will be; Q_NOMEM, Q_LIMIT. */
static enum qerr emit_messages_locked(struct board_session *bs, const struct event *event,
				      bool live) REQUIRES(bs->lock);

static enum qerr
emit_messages_locked(struct board_session *bs, const struct event *event, bool live)
{
	const struct board_events *events;
	struct bundle *some[TOGETHER];
	enum qerr e = Q_OK;
	size_t n = 0;

	LOCK_ASSERT_HELD(&bs->lock);
	for (size_t i = 0; i < event->count && e == Q_OK; i++) {
		if ((e = rendering(event, i, live, &events)) != Q_OK)
			break;
		if (events->text != NULL)
			some[n++] = events->text;
		if (events->image != NULL)
			some[n++] = events->image;
		if (n < TOGETHER - 1 && i + 1 < event->count)
			continue;
		e = sio_emit_all(bs->sio, BOARD_SPACE, some, n);
		n = 0;
	}
	return e;
}

static bool is_member_locked(struct board_session *bs, const struct shared_chat *chat)
    REQUIRES(bs->lock);

static bool
is_member_locked(struct board_session *bs, const struct shared_chat *chat)
{
	LOCK_ASSERT_HELD(&bs->lock);
	return board_logged_in(bs) && shared_chat_member(chat, bs->user);
}

static void
messages(struct board_session *bs, const struct event *event)
{
	uint64_t last = event->messages[event->count - 1].id;
	struct board_joined *joined = NULL;
	char user[NAME_SIZE];
	enum qerr e = Q_OK;
	bool own;

	lock_take(&bs->lock);
	if (is_member_locked(bs, event->chat)) {
		joined = board_joined_locked(bs, event->chat);
		own = event->sender == sio_seat(bs->sio);
		memcpy(user, bs->user, sizeof(user));
		e = emit_messages_locked(bs, event, joined != NULL || own);
		if (joined != NULL && e == Q_OK)
			joined->shown = last;
	}
	lock_drop(&bs->lock);
	if (e == Q_NOMEM || e == Q_LIMIT)
		sio_end(bs->sio, SIO_END_RETURN, "no memory");
	else if (joined != NULL && e == Q_OK)
		shared_shown(event->chat, user, event->messages[0].id, last);
	for (size_t i = 0; i < event->count; i++)
		if (event->messages[i].media != NULL &&
		    event->messages[i].media->kind != IMAGE_NONE)
			board_thumb_want(event->messages[i].media_id);
}

static void
deleted(struct board_session *bs, const struct shared_chat *chat)
{
	struct buf args = BUF_INIT(BOARD_ARGS_MAX);

	lock_take(&bs->lock);
	board_room_gone_locked(bs, chat);
	if (is_member_locked(bs, chat) &&
	    board_put_chat(&args, shared_chat_info(chat)) == Q_OK)
		board_emit_args(bs, "chat-deleted", buf_span(&args));
	lock_drop(&bs->lock);
	buf_free(&args);
}

/* (anons_id, chat_id, login, title) */
static void
made(struct board_session *bs, const struct chat_info *chat, struct span title)
{
	struct buf args = BUF_INIT(BOARD_ARGS_MAX);
	bool gone;
	enum qerr e;

	lock_take(&bs->lock);
	if (board_logged_in(bs) && chat_info_member(chat, bs->user)) {
		if ((e = board_put_chat(&args, chat)) == Q_OK &&
		    (e = buf_put_u8(&args, ',')) == Q_OK &&
		    (e = json_put_text(
			 &args, span_str(board_other(chat, bs->user, &gone)))) == Q_OK &&
		    (e = buf_put_u8(&args, ',')) == Q_OK &&
		    (e = json_put_text(&args, title)) == Q_OK)
			board_emit_args(bs, "chat-added", buf_span(&args));
	}
	lock_drop(&bs->lock);
	buf_free(&args);
}

void
board_chats_deliver(struct board_session *bs, const struct event *event)
{
	switch (event->kind) {
	case EVENT_MESSAGES:
		if (event->count > 0)
			messages(bs, event);
		break;
	case EVENT_CHAT_DELETED: deleted(bs, event->chat); break;
	case EVENT_CHAT_MADE: made(bs, event->made, event->text); break;
	case EVENT_NOTICE:
	case EVENT_CONTACT: break;
	}
}
