/* SPDX-License-Identifier: MIT
 *
 * rooms.c - join-chat, leave-chat, typing; who is in a chat's room.
 *
 * The room has two sides.  Each connection knows which rooms it is in: that decides in
 * which form it gets a message, and changes in the hold of its lock in which join-chat is
 * answered, so nothing of the room comes before the answer and nothing is missed behind
 * it.  The chat (shared.h) counts connections a user, which decides what is told to the
 * other member, and what counts as new.
 */
#include <assert.h>
#include <stdlib.h>

#include "server/board/upper.h"

#define FIRST_ROOMS 4

/* ---- which rooms a connection is in ---- */

/* Its place, or n. */
static size_t
place_of(const struct board_chats *bc, const struct shared_chat *chat)
{
	uint64_t id = shared_chat_info(chat)->id;
	size_t i = 0;

	while (i < bc->n && shared_chat_info(bc->joined[i].chat)->id != id)
		i++;
	return i;
}

struct board_joined *
board_joined_locked(struct board_session *bs, const struct shared_chat *chat)
{
	const struct board_chats *bc = bs->chats;
	size_t i;

	LOCK_ASSERT_HELD(&bs->lock);
	if (bc == NULL || (i = place_of(bc, chat)) == bc->n || bc->joined[i].gone)
		return NULL;
	return &bc->joined[i];
}

bool
board_in_room(struct board_session *bs, const struct shared_chat *chat)
{
	bool in;

	lock_take(&bs->lock);
	in = board_joined_locked(bs, chat) != NULL;
	lock_drop(&bs->lock);
	return in;
}

/* It is taken out by the next turn that changes anything here. */
void
board_room_gone_locked(struct board_session *bs, const struct shared_chat *chat)
{
	struct board_chats *bc = bs->chats;
	size_t i;

	LOCK_ASSERT_HELD(&bs->lock);
	if (bc != NULL && (i = place_of(bc, chat)) < bc->n)
		bc->joined[i].gone = true;
}

/* Room for one more.  A turn. */
static bool
make_room(struct board_session *bs)
{
	struct board_chats *bc = bs->chats;
	struct board_joined *more;
	bool done = true;

	if (bc == NULL && (bc = calloc(1, sizeof(*bc))) == NULL)
		return false;
	lock_take(&bs->lock);
	bs->chats = bc;
	if (bc->n == bc->cap) {
		size_t cap = bc->cap == 0 ? FIRST_ROOMS : 2 * bc->cap;

		if ((done =
			 (more = reallocarray(bc->joined, cap, sizeof(*more))) != NULL)) {
			bc->joined = more;
			bc->cap = cap;
		}
	}
	lock_drop(&bs->lock);
	return done;
}

/* ---- telling the other member ---- */

/* Something that bs does in a room. */
struct deed {
	struct board_session *bs;
	struct shared_chat *chat;
	const char *event;
};

static enum qerr
render(const struct deed *d, struct bundle **out)
{
	struct buf args = BUF_INIT(BOARD_ARGS_MAX);
	enum qerr e = board_put_chat(&args, shared_chat_info(d->chat));

	if (e == Q_OK)
		e = buf_put_u8(&args, ',');
	if (e == Q_OK)
		e = json_put_text(&args, span_str(d->bs->user));
	if (e == Q_OK)
		e = sio_event_new(BOARD_SPACE_NAME, d->event, buf_span(&args), NULL, 0,
				  out);
	buf_free(&args);
	return e;
}

static void
emit_if_in_room(struct session *seat, const char *user, const struct shared_chat *chat,
		struct bundle *event)
{
	struct board_session *bs = board_of(seat);

	lock_take(&bs->lock);
	if (name_cmp(bs->user, user) == 0 && board_joined_locked(bs, chat) != NULL)
		board_emit(bs, event);
	lock_drop(&bs->lock);
}

/* To the other member's connections in the room. */
static void
tell(const struct deed *d)
{
	struct sessions *t = d->bs->server->sessions;
	const char *other = shared_chat_partner(d->chat, d->bs->user);
	struct session *s;
	struct bundle *b;

	if (!shared_chat_member(d->chat, other) || render(d, &b) != Q_OK)
		return;
	for (s = sessions_next(t, other, NULL); s != NULL; s = sessions_next(t, other, s))
		if (atomic_load(&s->protocol) == &board_protocol && !session_ended(s))
			emit_if_in_room(s, other, d->chat, b);
	bundle_unref(b);
}

/* ---- out of a room; a turn ---- */

/* Take entry number i out. */
static void
leave(struct board_session *bs, size_t i)
{
	struct board_joined j = bs->chats->joined[i];
	struct deed deed = {bs, j.chat, "user-leave"};
	bool last;

	shared_room_begin(j.chat);
	lock_take(&bs->lock);
	j = bs->chats->joined[i];
	bs->chats->joined[i] = bs->chats->joined[--bs->chats->n];
	last = shared_leave(j.chat, bs->user, j.shown);
	lock_drop(&bs->lock);
	if (last && !j.gone)
		tell(&deed);
	shared_room_end(j.chat);
	shared_chat_unref(j.chat);
}

/* Those of chats that were deleted. */
static void
leave_gone(struct board_session *bs)
{
	size_t i = 0;
	bool gone;

	while (bs->chats != NULL && i < bs->chats->n) {
		lock_take(&bs->lock);
		gone = bs->chats->joined[i].gone;
		lock_drop(&bs->lock);
		if (gone)
			leave(bs, i);
		else
			i++;
	}
}

/* ---- join-chat ---- */

/* chat: a reference, which is kept. */
static const char *
enter(struct board_session *bs, struct board_call *call, struct shared_chat *chat)
{
	struct deed deed = {bs, chat, "user-join"};
	const char *reason;

	shared_room_begin(chat);
	if (shared_enter(chat, bs->user))
		tell(&deed);
	shared_room_end(chat);
	lock_take(&bs->lock);
	reason = board_answer_chat(bs, call, shared_chat_info(chat));
	bs->chats->joined[bs->chats->n++] = (struct board_joined){.chat = chat};
	lock_drop(&bs->lock);
	return reason;
}

const char *
board_join_chat(struct board_session *bs, struct board_call *call)
{
	uint64_t anons_id, chat_id;
	struct shared_chat *chat;
	const char *reason;

	if (!board_arg_id(call, &anons_id) || !board_arg_id(call, &chat_id))
		return BOARD_BAD_ARGUMENTS;
	leave_gone(bs);
	if ((reason = board_find_chat_of(bs, anons_id, chat_id, &chat)) != NULL)
		return reason;
	if (board_in_room(bs, chat))
		reason = board_answer_chat(bs, call, shared_chat_info(chat));
	else if ((reason = board_limited(bs, call, LIMIT_ENTER)) == NULL) {
		if (make_room(bs))
			return enter(bs, call, chat);
		reason = board_failed(bs, "join-chat", Q_NOMEM);
	}
	shared_chat_unref(chat);
	return reason;
}

/* ---- leave-chat ---- */

const char *
board_leave_chat(struct board_session *bs, struct board_call *call)
{
	uint64_t anons_id, chat_id;
	struct shared_chat *chat;
	const char *reason;
	enum qerr e;

	if (!board_arg_id(call, &anons_id) || !board_arg_id(call, &chat_id))
		return BOARD_BAD_ARGUMENTS;
	if ((reason = board_find_chat_of(bs, anons_id, chat_id, &chat)) != NULL)
		return reason;
	if (board_in_room(bs, chat)) {
		leave(bs, place_of(bs->chats, chat));
		/* What it has seen must not be new again after a crash. */
		e = shared_save(chat);
		reason = e == Q_OK ? board_answer_chat(bs, call, shared_chat_info(chat))
				   : board_failed(bs, "leave-chat", e);
	} else {
		reason = "Not in the room";
	}
	shared_chat_unref(chat);
	return reason;
}

void
board_chats_leave(struct board_session *bs)
{
	struct board_chats *bc = bs->chats;

	while (bc != NULL && bc->n > 0)
		leave(bs, bc->n - 1);
	lock_take(&bs->lock);
	bs->chats = NULL;
	lock_drop(&bs->lock);
	if (bc != NULL)
		free(bc->joined);
	free(bc);
}

/* ---- typing ---- */

const char *
board_typing(struct board_session *bs, struct board_call *call)
{
	struct deed deed = {bs, NULL, "typing"};
	const char *reason;
	uint64_t chat_id;

	if (!board_arg_id(call, &chat_id))
		return BOARD_BAD_ARGUMENTS;
	if ((reason = board_find_chat(bs, chat_id, &deed.chat)) != NULL)
		return reason;
	if ((reason = board_limited(bs, call, LIMIT_MESSAGE)) == NULL) {
		tell(&deed);
		board_acknowledge(bs, call);
	}
	shared_chat_unref(deed.chat);
	return reason;
}
