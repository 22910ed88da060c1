/* SPDX-License-Identifier: MIT
 *
 * dispatch.c - an event that came: which one it is, whether it may come now, and how it is
 * answered.
 *
 * Who may do what, and the shape in which a refusal is said, is in the table.  An
 * operation only says why not, so every refusal has its event and its acknowledgement.
 */
#include <stdarg.h>
#include <stdio.h>

#include "crypto/random.h"
#include "server/board/account.h"
#include "server/limits.h"
#include "server/log.h"
#include "server/moderation.h"

#define ARGS_MAX ((size_t)1 << 30)

static const struct board_event events[] = {
    {"auth-request", board_auth_request, "auth-response", BOARD_STATUS, true},
    {"register", board_register, "register-response", BOARD_STATUS, true},
    {"logout", board_logout, "logout-response", BOARD_STATUS, true},
    {"get-anons", board_get_anons, "anons-list", BOARD_LIST, false},
    {"new-anons", board_new_anons, "new-anons-response", BOARD_STATUS, false},
    {"get-user-chats", board_get_user_chats, "user-chats", BOARD_LIST, false},
    {"get-chat-messages", board_get_chat_messages, "chat-messages", BOARD_LIST, false},
    {"get-more-messages", board_get_more_messages, "more-messages", BOARD_LIST, false},
    {"new-chat", board_new_chat, "new-chat-response", BOARD_CHAT, false},
    {"join-chat", board_join_chat, "join-chat-response", BOARD_CHAT, false},
    {"leave-chat", board_leave_chat, "leave-chat-response", BOARD_CHAT, false},
    {"chat-msg", board_chat_msg, "chat-response", BOARD_STATUS, false},
    {"chat-img", board_chat_img, "chat-response", BOARD_STATUS, false},
    {"get-image", board_get_image, "image", BOARD_STATUS, false},
    {"delete-chat", board_delete_chat, "delete-chat-response", BOARD_STATUS, false},
    {"typing", board_typing, NULL, BOARD_SILENT, false},
};

static const struct board_event *
find_event(struct span name)
{
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (span_eq(name, span_str(events[i].name)))
			return &events[i];
	return NULL;
}

/* ---- answers ---- */

/* status, and message in quotes */
static enum qerr
put_status(struct buf *args, int status, const char *message)
{
	enum qerr e = json_put_int(args, status);

	if (e == Q_OK)
		e = buf_put_u8(args, ',');
	return e == Q_OK ? json_put_text(args, span_str(message)) : e;
}

/* What there was no memory to say: the client comes back and asks again. */
static void
say(struct board_session *bs, enum qerr e)
{
	if (e == Q_NOMEM || e == Q_LIMIT)
		sio_end(bs->sio, SIO_END_RETURN, qerr_str(e));
}

void
board_ack(struct board_session *bs, struct board_call *call, int status,
	  const char *message)
{
	struct buf args = BUF_INIT(ARGS_MAX);
	enum qerr e;

	if (!call->sio->wants_ack)
		return;
	e = put_status(&args, status, message);
	if (e == Q_OK)
		e = sio_ack(bs->sio, call->sio, buf_span(&args), NULL, 0);
	buf_free(&args);
	say(bs, e);
}

void
board_acknowledge(struct board_session *bs, struct board_call *call)
{
	board_ack(bs, call, 1, BOARD_OK);
}

void
board_answer_with(struct board_session *bs, struct board_call *call, struct span args,
		  struct blob *const *blobs, unsigned count, const char *message)
{
	struct bundle *b;
	enum qerr e =
	    sio_event_new(BOARD_SPACE_NAME, call->event->answer, args, blobs, count, &b);

	if (e == Q_OK) {
		board_emit(bs, b);
		bundle_unref(b);
	}
	say(bs, e);
	board_ack(bs, call, 1, message);
}

void
board_answer(struct board_session *bs, struct board_call *call, struct span args)
{
	board_answer_with(bs, call, args, NULL, 0, BOARD_OK);
}

void
board_answer_each(struct board_session *bs, const char *answer,
		  const struct board_ask *asks, size_t n, const char *reason)
{
	struct buf args = BUF_INIT(ARGS_MAX);
	struct bundle *b = NULL;
	enum qerr e;

	if (n == 0)
		return;
	e = put_status(&args, reason == NULL ? 1 : -1,
		       reason == NULL ? BOARD_OK : reason);
	if (e == Q_OK)
		e = sio_event_new(BOARD_SPACE_NAME, answer, buf_span(&args), NULL, 0, &b);
	for (size_t i = 0; i < n && e == Q_OK; i++) {
		const struct sio_call call = {.space = BOARD_SPACE,
					      .wants_ack = asks[i].wants_ack,
					      .ack_id = asks[i].ack_id};

		board_emit(bs, b);
		e = sio_ack(bs->sio, &call, buf_span(&args), NULL, 0);
	}
	bundle_unref(b);
	buf_free(&args);
	say(bs, e);
}

/* ---- refusals ---- */

void
board_refuse_login(struct board_session *bs, const char *reason)
{
	struct buf args = BUF_INIT(ARGS_MAX);
	enum qerr e = put_status(&args, -1, reason);

	if (e == Q_OK)
		board_emit_args(bs, "auth-response", buf_span(&args));
	buf_free(&args);
	say(bs, e);
}

/* The first argument if it is an id, else -1. */
static enum qerr
put_anons_id(struct buf *args, const struct sio_call *sio)
{
	struct sio_args each = sio->each;
	struct span text;
	uint64_t id;

	if (sio_args_next(&each, &text) != Q_OK || board_id_parse(text, &id) != Q_OK)
		return buf_put_str(args, "-1");
	return buf_put_span(args, text);
}

static enum qerr
put_refusal(struct buf *args, const struct board_call *call, const char *reason)
{
	enum qerr e;

	switch (call->event->shape) {
	case BOARD_STATUS: return put_status(args, -1, reason);
	case BOARD_LIST: e = buf_put_str(args, "-1,[],"); break;
	case BOARD_CHAT:
		if ((e = put_anons_id(args, call->sio)) == Q_OK)
			e = buf_put_str(args, ",-1,");
		break;
	case BOARD_SILENT:
	default: return Q_OK;
	}
	return e == Q_OK ? json_put_text(args, span_str(reason)) : e;
}

static void
refuse(struct board_session *bs, struct board_call *call, const char *reason)
{
	struct buf args = BUF_INIT(ARGS_MAX);
	enum qerr e = put_refusal(&args, call, reason);

	board_run_post(bs);
	if (e == Q_OK && call->event->shape != BOARD_SILENT)
		board_emit_args(bs, call->event->answer, buf_span(&args));
	buf_free(&args);
	say(bs, e);
	board_ack(bs, call, -1, reason);
}

/* ---- reasons ---- */

const char *
board_why(struct board_call *call, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(call->why.text, sizeof(call->why.text), format, ap);
	va_end(ap);
	return call->why.text;
}

const char *
board_failed(struct board_session *bs, const char *what, enum qerr e)
{
	struct session *s = sio_seat(bs->sio);

	log_limited(LOG_ERROR, &s->peer, s, "board-failed", "what=%s error=%s", what,
		    qerr_str(e));
	return e == Q_FULL || e == Q_TIMEOUT ? "The server is full, try again later"
					     : "The server could not do it";
}

static const char *
muted(struct board_session *bs, struct board_call *call)
{
	char text[MODERATION_TEXT_SIZE];

	moderation_text(bs->server->moderation, bs->user, RESTRICTION_MUTE, text);
	return board_why(call, "%s", text);
}

const char *
board_limited(struct board_session *bs, struct board_call *call, enum limit what)
{
	int seconds;

	if (limits_take(sio_seat(bs->sio), what, 1, &seconds))
		return NULL;
	if (seconds == LIMITS_MUTED)
		return muted(bs, call);
	return board_why(call, "Too much at once, try again in %d second%s", seconds,
			 seconds == 1 ? "" : "s");
}

/* ---- events ---- */

static void
drop_texts(struct board_call *call)
{
	for (unsigned i = 0; i < call->text_count; i++)
		json_decref(call->texts[i]); /* wiped, json.h */
}

static const char *
act(struct board_session *bs, struct board_call *call)
{
	if (board_args_check(call->sio->args) != Q_OK)
		return BOARD_BAD_ARGUMENTS;
	return call->event->act(bs, call);
}

void
board_dispatch(struct sio *s, const struct sio_call *sio)
{
	struct board_session *bs = sio_user(s);
	struct board_call call = {.sio = sio, .rest = sio->each};
	const char *reason;

	call.event = find_event(sio->name);
	if (call.event == NULL || call.event->act != board_chat_msg)
		board_run_post(bs);
	if (call.event == NULL) {
		board_ack(bs, &call, -1, "Unknown event");
		return;
	}
	/* In the middle of a run: that was asked when it began. */
	if (board_logged_in(bs) && bs->run == NULL && !board_guest_still(bs))
		return;
	if (!call.event->before_login && !board_logged_in(bs)) {
		board_refuse_login(bs, "Unauthorized");
		board_ack(bs, &call, -1, "Unauthorized");
		return;
	}
	if ((reason = act(bs, &call)) != NULL)
		refuse(bs, &call, reason);
	drop_texts(&call);
}
