/* SPDX-License-Identifier: MIT
 *
 * history.c - get-chat-messages and get-more-messages: what was said, from the chat's
 * file.
 *
 * A list is bounded in messages, and in bytes as well: a hundred of the longest ones with
 * their escapes would not fit into a connection's backlog.  Where it has to be cut it
 * loses what the client will ask for next anyway: older ones when it ends with the newest
 * (or with a given one), newer ones when it begins with a given one.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "server/board/upper.h"

#define LIST_BYTES ((size_t)2 << 20) /* and half of a backlog */
/* Small pictures that are not there yet are waited for, all in all, for so long. */
#define SMALL_WAIT_MS 500

struct listing {
	struct board_session *bs;
	const struct chat_info *chat;
	struct buf items;
	struct {
		size_t end; /* in items */
		uint64_t id;
	} entry[BOARD_LIST_MAX];
	size_t first, n; /* entries before first were dropped again */
	size_t max;      /* bytes */
	uint64_t before; /* ids from here on do not belong to it; 0: all do */
	bool keep_newest;
	int64_t small_until_ms;
	enum qerr e;
};

static size_t
start_of(const struct listing *l, size_t i)
{
	return i == 0 ? 0 : l->entry[i - 1].end;
}

/* Fits it?  Old ones make room, if they may. */
static bool
make_fit(struct listing *l, size_t before)
{
	while (l->items.len - start_of(l, l->first) > l->max) {
		if (l->first == l->n) /* the only one: it has to go as it is */
			break;
		if (!l->keep_newest) {
			l->items.len = before;
			return false;
		}
		l->first++;
	}
	return true;
}

static bool
list_one(void *arg, const struct shared_message *m)
{
	struct listing *l = arg;
	size_t before = l->items.len;

	if (l->before != 0 && m->id >= l->before)
		return false;
	l->e = board_put_entry(&l->items, l->bs->server, l->chat, m, l->small_until_ms);
	if (l->e != Q_OK || !make_fit(l, before))
		return false;
	l->entry[l->n].end = l->items.len;
	l->entry[l->n++].id = m->id;
	return l->n < BOARD_LIST_MAX;
}

/* (length, [entry, ...]) */
static enum qerr
put_list(struct buf *args, const struct listing *l)
{
	enum qerr e = buf_printf(args, "%zu,[", l->n - l->first);

	for (size_t i = l->first; i < l->n && e == Q_OK; i++) {
		size_t start = start_of(l, i);

		if (i > l->first)
			e = buf_put_u8(args, ',');
		if (e == Q_OK)
			e = buf_put(args, l->items.p + start, l->entry[i].end - start);
	}
	return e == Q_OK ? buf_put_u8(args, ']') : e;
}

/* What is shown in the room is not delivered again elsewhere. */
static void
note_shown(struct listing *l, struct shared_chat *chat)
{
	if (l->n > l->first && board_in_room(l->bs, chat) &&
	    !session_ended(sio_seat(l->bs->sio)))
		shared_shown(chat, l->bs->user, l->entry[l->first].id,
			     l->entry[l->n - 1].id);
}

/* Up to max messages behind `after`. */
static const char *
answer_list(struct board_session *bs, struct board_call *call, struct shared_chat *chat,
	    struct listing *l, uint64_t after, size_t max)
{
	size_t half = (size_t)config_now()->board_max_backlog / 2;
	struct buf args = BUF_INIT(BOARD_ARGS_MAX);
	enum qerr e;

	l->bs = bs;
	l->max = half < LIST_BYTES ? half : LIST_BYTES;
	l->chat = shared_chat_info(chat);
	l->items = (struct buf)BUF_INIT(BOARD_ARGS_MAX);
	l->small_until_ms = clock_mono_ms() + SMALL_WAIT_MS;
	e = shared_read(chat, after, max, list_one, l);
	if (e == Q_OK)
		e = l->e;
	if (e == Q_OK)
		e = put_list(&args, l);
	if (e == Q_OK) {
		note_shown(l, chat);
		board_answer(bs, call, buf_span(&args));
	}
	buf_free(&l->items);
	buf_free(&args);
	if (e == Q_CLOSED)
		return BOARD_NO_SUCH_CHAT;
	return e == Q_OK ? NULL : board_failed(bs, "messages", e);
}

/* The newest max ones of those with an id below before. */
static const char *
list_before(struct board_session *bs, struct board_call *call, struct shared_chat *chat,
	    uint64_t before, size_t max)
{
	struct listing l = {.keep_newest = true};
	uint64_t last;
	enum qerr e = shared_last(chat, &last);

	if (e == Q_CLOSED)
		return BOARD_NO_SUCH_CHAT;
	if (e != Q_OK)
		return board_failed(bs, "messages", e);
	/* Some may come meanwhile, and do not belong here; nothing is before the first. */
	l.before = before < last + 1 ? before : last + 1;
	if (l.before == 0)
		l.before = 1;
	return answer_list(bs, call, chat, &l,
			   l.before - 1 > max ? l.before - 1 - max : 0, max);
}

/* ---- get-chat-messages ---- */

const char *
board_get_chat_messages(struct board_session *bs, struct board_call *call)
{
	struct listing l = {.keep_newest = false};
	uint64_t anons_id, chat_id, after = 0;
	struct shared_chat *chat;
	const char *reason;
	bool newest;

	if (!board_arg_id(call, &anons_id) || !board_arg_id(call, &chat_id))
		return BOARD_BAD_ARGUMENTS;
	newest = !board_arg_more(call);
	if (!newest && !board_arg_id(call, &after))
		return BOARD_BAD_ARGUMENTS;
	if ((reason = board_find_chat_of(bs, anons_id, chat_id, &chat)) != NULL)
		return reason;
	if (newest)
		reason = list_before(bs, call, chat, UINT64_MAX, BOARD_LIST_MAX);
	else
		reason = answer_list(bs, call, chat, &l, after, BOARD_LIST_MAX);
	shared_chat_unref(chat);
	return reason;
}

/* ---- get-more-messages ---- */

const char *
board_get_more_messages(struct board_session *bs, struct board_call *call)
{
	uint64_t chat_id, before, count;
	struct shared_chat *chat;
	const char *reason;

	if (!board_arg_id(call, &chat_id) || !board_arg_id(call, &before) ||
	    !board_arg_id(call, &count) || count < 1 || count > BOARD_LIST_MAX)
		return BOARD_BAD_ARGUMENTS;
	if ((reason = board_find_chat(bs, chat_id, &chat)) != NULL)
		return reason;
	reason = list_before(bs, call, chat, before, (size_t)count);
	shared_chat_unref(chat);
	return reason;
}
