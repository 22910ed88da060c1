/* SPDX-License-Identifier: MIT
 *
 * messages.c - chat-img, get-image; writing into a chat.
 *
 * The hub stores what is said and tells it, to this connection like to all others and in
 * its turn (deliver.c); so chat-msg comes before chat-response, and all see one order.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "server/board/upper.h"
#include "server/log.h"
#include "store/media.h"
#include "store/relations.h"

/* ---- writing ---- */

/* In a chat about an announcement always; else both have to be contacts still, as
 * contacts' 411 says. */
static const char *
may_write(struct board_session *bs, const struct shared_chat *chat)
{
	const char *other = shared_chat_partner(chat, bs->user);

	if (shared_chat_info(chat)->anons_id != 0)
		return NULL;
	if (shared_chat_member(chat, other) &&
	    relations_get(bs->server->relations, bs->user, other) == RELATION_CONTACT)
		return NULL;
	return "You are not contacts any more";
}

const char *
board_find_to_write(struct board_session *bs, uint64_t anons_id, uint64_t chat_id,
		    struct shared_chat **out)
{
	struct shared_chat *chat;
	const char *reason = board_find_chat_of(bs, anons_id, chat_id, &chat);

	if (reason == NULL && (reason = may_write(bs, chat)) != NULL)
		shared_chat_unref(chat);
	if (reason == NULL)
		*out = chat;
	return reason;
}

const char *
board_post(struct board_session *bs, struct shared_chat *chat, struct shared_post *posts,
	   size_t n)
{
	enum qerr e =
	    shared_post(bs->server->shared, chat, bs->user, sio_seat(bs->sio), posts, n);

	if (e == Q_OK)
		return NULL;
	if (e == Q_CLOSED || e == Q_MISSING)
		return BOARD_NO_SUCH_CHAT;
	return board_failed(bs, "post", e);
}

/* ---- chat-img ---- */

/* What it is called, and its bytes. */
struct picture {
	struct span name;
	struct blob *content;
	enum image_kind kind;
};

/* The type that is claimed has to be there, and counts for nothing. */
static const char *
take_picture(struct board_call *call, struct picture *out)
{
	struct span type;

	if (!board_arg_text(call, &out->name) || !board_arg_text(call, &type) ||
	    !board_arg_blob(call, &out->content))
		return BOARD_BAD_ARGUMENTS;
	if (out->name.len > MEDIA_NAME_MAX)
		return "A picture's name has at most 255 bytes";
	if (out->content->len > BOARD_IMAGE_MAX)
		return "A picture has at most 8388608 bytes";
	out->kind = image_kind_of(blob_span(out->content), NULL);
	if (out->kind == IMAGE_NONE)
		return "Neither PNG, JPEG, GIF nor WebP";
	return NULL;
}

static enum qerr
keep(struct board_session *bs, uint64_t chat_id, const struct picture *pic, uint64_t *id)
{
	struct media_info *info = calloc(1, sizeof(*info));
	enum qerr e;

	if (info == NULL)
		return Q_NOMEM;
	info->chat = chat_id;
	strcpy(info->type, image_type(pic->kind));
	if (pic->name.len > 0)
		memcpy(info->name, pic->name.p, pic->name.len);
	shared_media_note(info, pic->kind, true);
	if ((e = media_add(bs->server->store, info, blob_span(pic->content))) == Q_OK)
		*id = info->id;
	free(info);
	return e;
}

/* The picture goes first: a message that names it must not be there without it. */
static const char *
show(struct board_session *bs, struct board_call *call, struct shared_chat *chat,
     const struct picture *pic)
{
	const struct shared_media media = {pic->kind, pic->content};
	struct shared_post p = {.text = pic->name, .media = &media, .image = true};
	const char *reason;
	enum qerr e;

	if (shared_media_full())
		return board_failed(bs, "picture", Q_FULL);
	if ((reason = board_limited(bs, call, LIMIT_MESSAGE)) != NULL)
		return reason;
	if ((e = keep(bs, shared_chat_info(chat)->id, pic, &p.media_id)) != Q_OK)
		return board_failed(bs, "picture", e);
	/* A message with an id is in the file, even when the disk was not sure. */
	if ((reason = board_post(bs, chat, &p, 1)) != NULL && p.id == 0)
		(void)media_remove(bs->server->store, p.media_id);
	if (reason == NULL)
		board_answer(bs, call, span_str("1,\"" BOARD_OK "\""));
	return reason;
}

const char *
board_chat_img(struct board_session *bs, struct board_call *call)
{
	uint64_t anons_id, chat_id;
	struct shared_chat *chat;
	struct picture pic;
	const char *reason;

	if (!board_arg_id(call, &anons_id) || !board_arg_id(call, &chat_id))
		return BOARD_BAD_ARGUMENTS;
	if ((reason = board_find_to_write(bs, anons_id, chat_id, &chat)) != NULL)
		return reason;
	if ((reason = take_picture(call, &pic)) == NULL)
		reason = show(bs, call, chat, &pic);
	shared_chat_unref(chat);
	return reason;
}

/* ---- get-image ---- */

#define NO_SUCH_IMAGE "No such image"

/* A picture of a chat of the user's, and what it is. */
static const char *
find_image(struct board_session *bs, uint64_t id, struct media_info *info,
	   enum image_kind *kind)
{
	struct chat_info chat;
	enum qerr e = media_info(bs->server->store, id, info);

	if (e == Q_OK)
		e = chats_get(bs->server->chats, info->chat, &chat);
	if (e == Q_OK && !chat_info_member(&chat, bs->user))
		e = Q_MISSING;
	if (e == Q_OK)
		e = shared_media_kind(bs->server->shared, info, kind);
	if (e == Q_MISSING || e == Q_FORMAT || (e == Q_OK && *kind == IMAGE_NONE))
		return NO_SUCH_IMAGE;
	return e == Q_OK ? NULL : board_failed(bs, "image", e);
}

/* Its bytes, a reference. */
static enum qerr
read_image(struct server *server, uint64_t id, struct blob **out)
{
	struct buf content = BUF_INIT(MEDIA_SIZE_MAX);
	enum qerr e = media_read(server->store, id, &content);

	if (e == Q_OK && (*out = blob_of(buf_span(&content))) == NULL)
		e = Q_NOMEM;
	buf_free(&content);
	return e;
}

static enum qerr
put_image(struct buf *args, const struct media_info *info, enum image_kind kind)
{
	char name[SHARED_MEDIA_NAME_SIZE];
	enum qerr e = buf_printf(args, "%" PRIu64 ",", info->id);

	shared_media_name(info, kind, name);
	if (e == Q_OK)
		e = json_put_text(args, span_str(name));
	if (e == Q_OK)
		e = buf_printf(args, ",\"%s\",", image_type(kind));
	return e == Q_OK ? sio_placeholder_put(args, 0) : e;
}

static const char *
answer_image(struct board_session *bs, struct board_call *call,
	     const struct media_info *info, enum image_kind kind)
{
	struct buf args = BUF_INIT(BOARD_ARGS_MAX);
	struct blob *content;
	enum qerr e =
	    shared_media_full() ? Q_FULL : read_image(bs->server, info->id, &content);

	if (e == Q_MISSING || e == Q_FORMAT)
		return NO_SUCH_IMAGE;
	if (e != Q_OK)
		return board_failed(bs, "image", e);
	if ((e = put_image(&args, info, kind)) == Q_OK)
		board_answer_with(bs, call, buf_span(&args), &content, 1, BOARD_OK);
	blob_unref(content);
	buf_free(&args);
	return e == Q_OK ? NULL : board_failed(bs, "image", e);
}

const char *
board_get_image(struct board_session *bs, struct board_call *call)
{
	struct media_info *info;
	enum image_kind kind;
	const char *reason;
	uint64_t id;

	if (!board_arg_id(call, &id))
		return BOARD_BAD_ARGUMENTS;
	if ((info = calloc(1, sizeof(*info))) == NULL)
		return board_failed(bs, "image", Q_NOMEM);
	if ((reason = find_image(bs, id, info, &kind)) == NULL)
		reason = answer_image(bs, call, info, kind);
	free(info);
	return reason;
}
