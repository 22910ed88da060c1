/* SPDX-License-Identifier: MIT
 *
 * anons.c - announcements: get-anons, new-anons, anons-added.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "server/board/account.h"
#include "server/log.h"
#include "store/anons.h"

#define ARGS_MAX ((size_t)1 << 30)
#define LIST_MAX 100

/* ---- get-anons ---- */

struct listing {
	struct buf items;
	unsigned count;
	enum qerr e;
};

static enum qerr
put_item(struct buf *out, const struct anon *a)
{
	enum qerr e = buf_printf(out, "{\"anons_id\":%" PRIu64 ",\"username\":", a->id);

	if (e == Q_OK)
		e = json_put_text(out, span_str(a->author));
	if (e == Q_OK)
		e = buf_put_str(out, ",\"title\":");
	if (e == Q_OK)
		e = json_put_text(out, span_str(a->title));
	if (e == Q_OK)
		e = buf_put_str(out, ",\"text\":");
	if (e == Q_OK)
		e = json_put_text(out, span_str(a->text));
	if (e == Q_OK)
		e = buf_printf(out, ",\"datetime\":%" PRId64 "}", a->created_ms);
	return e;
}

static bool
list_one(void *arg, const struct anon *a)
{
	struct listing *l = arg;

	if (l->count++ > 0)
		l->e = buf_put_u8(&l->items, ',');
	if (l->e == Q_OK)
		l->e = put_item(&l->items, a);
	return l->e == Q_OK;
}

static enum qerr
answer_list(struct board_session *bs, struct board_call *call, const struct listing *l)
{
	struct buf args = BUF_INIT(ARGS_MAX);
	enum qerr e = buf_printf(&args, "%u,[", l->count);

	if (e == Q_OK)
		e = buf_put_span(&args, buf_span(&l->items));
	if (e == Q_OK)
		e = buf_put_u8(&args, ']');
	if (e == Q_OK)
		board_answer(bs, call, buf_span(&args));
	buf_free(&args);
	return e;
}

const char *
board_get_anons(struct board_session *bs, struct board_call *call)
{
	struct listing l = {.items = BUF_INIT(ARGS_MAX)};
	uint64_t before, count;
	const char *reason;
	enum qerr e;

	if (!board_arg_id(call, &before) || !board_arg_id(call, &count) || count < 1 ||
	    count > LIST_MAX)
		return BOARD_BAD_ARGUMENTS;
	if ((reason = board_limited(bs, call, LIMIT_SEARCH)) != NULL)
		return reason;
	e = anons_list(bs->server->anons, before, (size_t)count, list_one, &l);
	if (e == Q_OK)
		e = l.e;
	if (e == Q_OK)
		e = answer_list(bs, call, &l);
	buf_free(&l.items);
	return e == Q_OK ? NULL : board_failed(bs, "anons-list", e);
}

/* ---- new-anons ---- */

static enum qerr
put_added(struct buf *out, const struct anon *a)
{
	enum qerr e = buf_printf(out, "%" PRIu64 ",", a->id);

	if (e == Q_OK)
		e = json_put_text(out, span_str(a->author));
	if (e == Q_OK)
		e = buf_put_u8(out, ',');
	if (e == Q_OK)
		e = json_put_text(out, span_str(a->title));
	if (e == Q_OK)
		e = buf_put_u8(out, ',');
	if (e == Q_OK)
		e = json_put_text(out, span_str(a->text));
	if (e == Q_OK)
		e = buf_printf(out, ",%" PRId64, a->created_ms);
	return e;
}

/* It is stored: whom there was no memory to tell finds it in the list. */
static void
tell(struct server *server, const struct anon *a)
{
	struct buf args = BUF_INIT(ARGS_MAX);
	struct bundle *b;

	if (put_added(&args, a) == Q_OK &&
	    sio_event_new(BOARD_SPACE_NAME, "anons-added", buf_span(&args), NULL, 0,
			  &b) == Q_OK) {
		board_emit_all(server, b);
		bundle_unref(b);
	}
	buf_free(&args);
}

static void
fill(struct anon *a, const char *author, struct span title, struct span text)
{
	strlcpy(a->author, author, sizeof(a->author));
	memcpy(a->title, title.p, title.len);
	if (text.len > 0)
		memcpy(a->text, text.p, text.len);
}

const char *
board_new_anons(struct board_session *bs, struct board_call *call)
{
	struct span title, text;
	const char *reason;
	struct anon *a;
	char args[48];
	enum qerr e;

	if (!board_arg_text(call, &title) || !board_arg_text(call, &text))
		return BOARD_BAD_ARGUMENTS;
	if (title.len < 1 || title.len > ANON_TITLE_MAX)
		return "A title has 1 to 128 bytes";
	if (text.len > ANON_TEXT_MAX)
		return "A text has at most 8192 bytes";
	if ((reason = board_limited(bs, call, LIMIT_MESSAGE)) != NULL)
		return reason;
	if ((a = calloc(1, sizeof(*a))) == NULL)
		return board_failed(bs, "new-anons", Q_NOMEM);
	fill(a, bs->user, title, text);
	if ((e = anons_add(bs->server->anons, a)) == Q_OK) {
		log_event(LOG_INFO, sio_seat(bs->sio), "anons-added", "id=%" PRIu64,
			  a->id);
		snprintf(args, sizeof(args), "%" PRIu64 ",\"" BOARD_OK "\"", a->id);
		board_answer(bs, call, span_str(args));
		tell(bs->server, a);
	}
	free(a);
	return e == Q_OK ? NULL : board_failed(bs, "new-anons", e);
}
