/* SPDX-License-Identifier: MIT
 *
 * upper.h - the upper half of board: chats.  What its files offer each other.
 *
 *   chats.c     finding, making and deleting a chat; the list of them
 *   rooms.c     entering and leaving a chat's room, typing
 *   run.c       chat-msg
 *   messages.c  chat-img, get-image; writing into a chat
 *   history.c   lists of messages
 *   render.c    messages as arguments
 *   deliver.c   what others say and do, to a connection
 *   thumbs.c    small pictures
 */
#ifndef SERVER_BOARD_UPPER_H
#define SERVER_BOARD_UPPER_H

#include "server/board/board_session.h"
#include "server/engineio/bundle.h"
#include "server/shared.h"

#define BOARD_ARGS_MAX    ((size_t)1 << 28) /* bytes of one event's arguments */
#define BOARD_MESSAGE_MAX 16384
#define BOARD_IMAGE_MAX   ((size_t)8 << 20)
#define BOARD_LIST_MAX    100 /* messages */

/* A chat whose room the connection is in. */
struct board_joined {
	struct shared_chat *chat; /* a reference */
	uint64_t shown; /* [bs->lock] the last message it was told here; 0: none */
	bool gone;      /* [bs->lock] it was deleted */
};

/* What a connection has of chats; NULL until it enters a room. */
struct board_chats {
	size_t n, cap; /* [bs->lock] */
	struct board_joined *joined;
};

/* ---- chats.c ---- */
/* The chat with that id, of which the user is a member; a reference.  NULL; or the
 * reason.  One reason for all that a stranger should not be told apart. */
const char *
board_find_chat(struct board_session *bs, uint64_t chat_id, struct shared_chat **out);
/* The same, and it has to belong to that announcement (0: to none). */
const char *board_find_chat_of(struct board_session *bs, uint64_t anons_id,
			       uint64_t chat_id, struct shared_chat **out);
/* Append "anons_id,chat_id". */
enum qerr board_put_chat(struct buf *args, const struct chat_info *info);
/* (anons_id, chat_id, "OK") and the acknowledgement; NULL, or why not. */
const char *board_answer_chat(struct board_session *bs, struct board_call *call,
			      const struct chat_info *info);
/* The other one, as info spells it, and whether that user is still there. */
const char *board_other(const struct chat_info *info, const char *user, bool *gone);

/* ---- rooms.c ---- */
/* Is the connection in the chat's room?  The entry, valid while the lock is held, or
 * NULL. */
struct board_joined *
board_joined_locked(struct board_session *bs, const struct shared_chat *chat)
    REQUIRES(bs->lock);
bool board_in_room(struct board_session *bs, const struct shared_chat *chat);
/* The chat was deleted: nobody is in its room any more. */
void board_room_gone_locked(struct board_session *bs, const struct shared_chat *chat)
    REQUIRES(bs->lock);

/* ---- messages.c ---- */
/* As board_find_chat_of; and the user may write there. */
const char *board_find_to_write(struct board_session *bs, uint64_t anons_id,
				uint64_t chat_id, struct shared_chat **out);
/* Post them all (shared_post).  NULL, or why not. */
const char *board_post(struct board_session *bs, struct shared_chat *chat,
		       struct shared_post *posts, size_t n);

/* ---- render.c ---- */
/* A message has as many as two events: its text, and its picture. */
struct board_events {
	struct bundle *text, *image; /* NULL: none */
};
/* Render m for those who are in the room (live), or for those who are only notified.
 * Q_NOMEM, Q_LIMIT. */
enum qerr board_render(const struct chat_info *chat, const struct shared_message *m,
		       bool live, struct board_events *out);
void board_events_free(struct board_events *e);
/* Append m as an entry of a list.  Its small picture is waited for until small_until_ms. */
enum qerr
board_put_entry(struct buf *out, struct server *server, const struct chat_info *chat,
		const struct shared_message *m, int64_t small_until_ms);

/* ---- thumbs.c ---- */
/* A thread that makes them; stop joins it. */
enum qerr board_thumbs_start(struct server *server);
void board_thumbs_stop(void);
/* Have one made soon.  Never blocks; when too many are wanted, it is forgotten. */
void board_thumb_want(uint64_t media_id);
/* Append it to out, waiting until until_ms (monotonic) while it is being made.
 * Q_MISSING: there is none, or not yet; Q_NOMEM, Q_SYS. */
enum qerr board_thumb_read(struct server *server, uint64_t media_id, int64_t until_ms,
			   struct buf *out);
#define BOARD_THUMB_TYPE "image/webp"

#endif
