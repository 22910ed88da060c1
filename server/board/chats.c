/* SPDX-License-Identifier: MIT
 *
 * chats.c - get-user-chats, new-chat, delete-chat.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "server/board/upper.h"
#include "server/hub.h"
#include "server/log.h"
#include "store/anons.h"

/* ---- finding ---- */

const char *
board_find_chat(struct board_session *bs, uint64_t chat_id, struct shared_chat **out)
{
	struct shared_chat *chat;
	enum qerr e = shared_chat_get(bs->server->shared, chat_id, &chat);

	if (e == Q_MISSING)
		return BOARD_NO_SUCH_CHAT;
	if (e != Q_OK)
		return board_failed(bs, "chat", e);
	if (!shared_chat_member(chat, bs->user)) {
		shared_chat_unref(chat);
		return BOARD_NO_SUCH_CHAT;
	}
	*out = chat;
	return NULL;
}

const char *
board_find_chat_of(struct board_session *bs, uint64_t anons_id, uint64_t chat_id,
		   struct shared_chat **out)
{
	struct shared_chat *chat;
	const char *reason = board_find_chat(bs, chat_id, &chat);

	if (reason != NULL)
		return reason;
	if (shared_chat_info(chat)->anons_id != anons_id) {
		shared_chat_unref(chat);
		return BOARD_NO_SUCH_CHAT;
	}
	*out = chat;
	return NULL;
}

enum qerr
board_put_chat(struct buf *args, const struct chat_info *info)
{
	enum qerr e = json_put_int(args, (int64_t)info->anons_id);

	if (e == Q_OK)
		e = buf_put_u8(args, ',');
	return e == Q_OK ? json_put_int(args, (int64_t)info->id) : e;
}

const char *
board_answer_chat(struct board_session *bs, struct board_call *call,
		  const struct chat_info *info)
{
	struct buf args = BUF_INIT(BOARD_ARGS_MAX);
	enum qerr e = board_put_chat(&args, info);

	if (e == Q_OK)
		e = buf_put_str(&args, ",\"" BOARD_OK "\"");
	if (e == Q_OK)
		board_answer(bs, call, buf_span(&args));
	buf_free(&args);
	return e == Q_OK ? NULL : board_failed(bs, "answer", e);
}

const char *
board_other(const struct chat_info *info, const char *user, bool *gone)
{
	bool maker = name_cmp(user, info->maker) == 0;

	*gone = maker ? info->other_gone : info->maker_gone;
	return maker ? info->other : info->maker;
}

/* ---- get-user-chats ---- */

/* The announcement's title; "" when there is none (any more). */
static enum qerr
put_title(struct buf *out, struct server *server, uint64_t anons_id)
{
	struct anon *a = calloc(1, sizeof(*a));
	enum qerr e;

	if (a == NULL)
		return Q_NOMEM;
	if (anons_id == 0 || anons_get(server->anons, anons_id, a) != Q_OK)
		a->title[0] = '\0';
	e = json_put_text(out, span_str(a->title));
	free(a);
	return e;
}

/* A chat whose file cannot be read is listed all the same, without counts: the others
 * must not suffer for it. */
static enum qerr
counts_of(struct board_session *bs, uint64_t chat_id, struct shared_count *counts)
{
	struct shared_chat *chat;
	enum qerr e = shared_chat_get(bs->server->shared, chat_id, &chat);

	if (e == Q_OK) {
		e = shared_counts(chat, bs->user, counts);
		shared_chat_unref(chat);
	}
	if (e == Q_OK || e == Q_MISSING || e == Q_CLOSED || e == Q_NOMEM)
		return e;
	(void)board_failed(bs, "counts", e);
	*counts = (struct shared_count){.all = 0};
	return Q_OK;
}

/* Q_MISSING, Q_CLOSED: it was deleted just now. */
static enum qerr
put_user_chat(struct buf *out, struct board_session *bs, const struct chat_info *info)
{
	struct shared_count counts;
	const char *other;
	bool gone;
	enum qerr e = counts_of(bs, info->id, &counts);

	if (e != Q_OK)
		return e;
	other = board_other(info, bs->user, &gone);
	e = buf_printf(out,
		       "%s{\"anons_id\":%" PRIu64 ",\"chat_id\":%" PRIu64
		       ",\"AllMsgs\":%" PRIu64 ",\"NewMsgs\":%" PRIu64 ",\"login\":",
		       out->len > 0 ? "," : "", info->anons_id, info->id, counts.all,
		       counts.fresh);
	if (e == Q_OK)
		e = json_put_text(out, span_str(other));
	if (e == Q_OK)
		e = buf_put_str(out, ",\"title\":");
	if (e == Q_OK)
		e = put_title(out, bs->server, info->anons_id);
	if (e == Q_OK)
		e = buf_printf(out, ",\"online\":%d,\"last_message_id\":%" PRIu64 "}",
			       !gone && hub_online(bs->server, other), counts.upto);
	return e;
}

const char *
board_get_user_chats(struct board_session *bs, struct board_call *call)
{
	struct buf items = BUF_INIT(BOARD_ARGS_MAX), args = BUF_INIT(BOARD_ARGS_MAX);
	struct chat_info *all = NULL;
	size_t n = 0, listed = 0;
	enum qerr e = chats_of(bs->server->chats, bs->user, &all, &n);

	for (size_t i = 0; i < n && e == Q_OK; i++) {
		e = put_user_chat(&items, bs, &all[i]);
		if (e == Q_OK)
			listed++;
		else if (e == Q_MISSING || e == Q_CLOSED)
			e = Q_OK;
	}
	if (e == Q_OK && (e = buf_printf(&args, "%zu,[", listed)) == Q_OK &&
	    (e = buf_put_span(&args, buf_span(&items))) == Q_OK &&
	    (e = buf_put_u8(&args, ']')) == Q_OK)
		board_answer(bs, call, buf_span(&args));
	free(all);
	buf_free(&items);
	buf_free(&args);
	return e == Q_OK ? NULL : board_failed(bs, "user-chats", e);
}

/* ---- new-chat ---- */

/* The author of an announcement, and its title. */
static const char *
find_author(struct board_session *bs, uint64_t anons_id, struct anon *a)
{
	enum qerr e =
	    anons_id == 0 ? Q_MISSING : anons_get(bs->server->anons, anons_id, a);

	if (e == Q_MISSING || e == Q_FORMAT)
		return "No such announcement";
	if (e != Q_OK)
		return board_failed(bs, "new-chat", e);
	if (name_cmp(a->author, bs->user) == 0)
		return "Your own announcement";
	return NULL;
}

static const char *
make_chat(struct board_session *bs, struct board_call *call, const struct anon *a,
	  struct chat_info *info)
{
	struct server *server = bs->server;
	const struct event event = {
	    .kind = EVENT_CHAT_MADE, .made = info, .text = span_str(a->title)};
	const char *reason;
	enum qerr e;

	if (chats_find(server->chats, bs->user, a->author, a->id, info) == Q_OK)
		return NULL;
	if ((reason = board_limited(bs, call, LIMIT_JOIN)) != NULL)
		return reason;
	e = shared_chat_make(sio_seat(bs->sio), bs->user, a->author, a->id, info);
	if (e == Q_EXISTS)
		return NULL;
	if (e != Q_OK)
		return board_failed(bs, "new-chat", e);
	hub_tell(server, a->author, &event, NULL);
	return NULL;
}

const char *
board_new_chat(struct board_session *bs, struct board_call *call)
{
	struct chat_info info;
	uint64_t anons_id;
	const char *reason;
	struct anon *a;

	if (!board_arg_id(call, &anons_id))
		return BOARD_BAD_ARGUMENTS;
	if ((a = calloc(1, sizeof(*a))) == NULL)
		return board_failed(bs, "new-chat", Q_NOMEM);
	if ((reason = find_author(bs, anons_id, a)) == NULL)
		reason = make_chat(bs, call, a, &info);
	free(a);
	return reason != NULL ? reason : board_answer_chat(bs, call, &info);
}

/* ---- delete-chat ---- */

static const char *
delete_chat(struct board_session *bs, struct shared_chat *chat)
{
	struct session *seat = sio_seat(bs->sio);
	enum qerr e = shared_delete(bs->server->shared, chat, seat);

	if (e == Q_MISSING || e == Q_CLOSED)
		return BOARD_NO_SUCH_CHAT;
	if (e != Q_OK)
		return board_failed(bs, "delete-chat", e);
	log_event(LOG_INFO, seat, "chat-deleted", "chat=%" PRIu64,
		  shared_chat_info(chat)->id);
	lock_take(&bs->lock);
	board_room_gone_locked(bs, chat);
	lock_drop(&bs->lock);
	return NULL;
}

const char *
board_delete_chat(struct board_session *bs, struct board_call *call)
{
	struct shared_chat *chat;
	const char *reason;
	uint64_t chat_id;
	char args[48];

	if (!board_arg_id(call, &chat_id))
		return BOARD_BAD_ARGUMENTS;
	if ((reason = board_find_chat(bs, chat_id, &chat)) != NULL)
		return reason;
	reason = delete_chat(bs, chat);
	shared_chat_unref(chat);
	if (reason != NULL)
		return reason;
	snprintf(args, sizeof(args), "%" PRIu64 ",\"" BOARD_OK "\"", chat_id);
	board_answer(bs, call, span_str(args));
	return NULL;
}
