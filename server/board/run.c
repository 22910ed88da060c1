/* SPDX-License-Identifier: MIT
 *
 * run.c - chat-msg.
 *
 * What a client says to one chat in one go is one append to the chat's file, and is told
 * to each receiver in one hold of its lock.  So messages that follow each other gather in
 * a run, until something else comes, another chat is meant, or nothing more is there
 * (sio.h, rest).  One alone is posted at once by that, too.
 *
 * Whether the user may write there, and how much, is asked when the run is posted; what
 * is wrong with a message by itself is answered in its place, behind those before it.
 */
#include <stdlib.h>
#include <string.h>

#include "server/board/upper.h"

#define RUN_MAX   128               /* messages */
#define RUN_BYTES BOARD_MESSAGE_MAX /* of text: as much as one may have */

struct board_run {
	uint64_t anons_id, chat_id;
	size_t n, len; /* messages, bytes of text */
	struct shared_post posts[RUN_MAX];
	struct board_ask asks[RUN_MAX];
	uint8_t text[RUN_BYTES];
};

/* Post as many as the limits grant: the first *n.  The reason is about these; *late says
 * why not the others.  When the user may not write there at all, that is for all. */
static const char *
post_granted(struct board_session *bs, struct board_run *run, struct board_call *call,
	     size_t *n, const char **late)
{
	struct shared_chat *chat;
	const char *reason = board_find_to_write(bs, run->anons_id, run->chat_id, &chat);

	*n = run->n;
	if (reason != NULL)
		return reason;
	for (*n = 0; *n < run->n; ++*n)
		if ((*late = board_limited(bs, call, LIMIT_MESSAGE)) != NULL)
			break;
	if (*n > 0)
		reason = board_post(bs, chat, run->posts, *n);
	shared_chat_unref(chat);
	return reason;
}

void
board_run_post(struct board_session *bs)
{
	struct board_run *run = bs->run;
	struct board_call call = {.sio = NULL}; /* for a reason that is composed */
	const char *reason, *late = NULL;
	size_t n;

	if (run == NULL)
		return;
	bs->run = NULL;
	reason = post_granted(bs, run, &call, &n, &late);
	board_answer_each(bs, "chat-response", run->asks, n, reason);
	board_answer_each(bs, "chat-response", run->asks + n, run->n - n, late);
	free(run);
}

/* Does one more of len bytes for that chat go with those that are here? */
static bool
goes_with(const struct board_run *run, uint64_t anons_id, uint64_t chat_id, size_t len)
{
	return run->anons_id == anons_id && run->chat_id == chat_id && run->n < RUN_MAX &&
	       len <= RUN_BYTES - run->len;
}

/* Not zeroed: a run of one message should not touch memory for many. */
static struct board_run *
begin(uint64_t anons_id, uint64_t chat_id)
{
	struct board_run *run = malloc(sizeof(*run));

	if (run == NULL)
		return NULL;
	run->anons_id = anons_id;
	run->chat_id = chat_id;
	run->n = run->len = 0;
	return run;
}

static void
add(struct board_run *run, const struct sio_call *call, struct span text)
{
	uint8_t *at = run->text + run->len;

	memcpy(at, text.p, text.len);
	run->len += text.len;
	run->posts[run->n] = (struct shared_post){.text = span_of(at, text.len)};
	run->asks[run->n++] = (struct board_ask){call->wants_ack, call->ack_id};
}

const char *
board_chat_msg(struct board_session *bs, struct board_call *call)
{
	uint64_t anons_id, chat_id;
	struct span text;

	if (!board_arg_id(call, &anons_id) || !board_arg_id(call, &chat_id) ||
	    !board_arg_text(call, &text))
		return BOARD_BAD_ARGUMENTS;
	if (text.len < 1 || text.len > BOARD_MESSAGE_MAX)
		return "A message has 1 to 16384 bytes";
	if (bs->run != NULL && !goes_with(bs->run, anons_id, chat_id, text.len))
		board_run_post(bs);
	if (bs->run == NULL && (bs->run = begin(anons_id, chat_id)) == NULL)
		return board_failed(bs, "post", Q_NOMEM);
	add(bs->run, call->sio, text);
	return NULL;
}
