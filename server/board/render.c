/* SPDX-License-Identifier: MIT
 *
 * render.c - messages as arguments of events, and as entries of lists.
 *
 * A picture that was posted here is one event.  A message of contacts with a picture is
 * two, its text and the picture; with anything else it is a text that says so.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "server/board/upper.h"
#include "store/media.h"

/* What there is to say of the media of a message. */
struct picture {
	enum image_kind kind; /* IMAGE_NONE: it is no picture */
	uint64_t size;
	char name[SHARED_MEDIA_NAME_SIZE];
};

/* ---- events ---- */

/* Room for what stands in front of a text, mostly, taken with the text's at once. */
#define HEAD_ROOM 128

/* "anons_id,chat_id,"username",datetime" */
static enum qerr
put_head(struct buf *args, uint64_t id, const struct chat_info *chat,
	 const struct shared_message *m)
{
	enum qerr e = json_put_int(args, (int64_t)id);

	if (e == Q_OK)
		e = buf_put_u8(args, ',');
	if (e == Q_OK)
		e = board_put_chat(args, chat);
	if (e == Q_OK)
		e = buf_put_u8(args, ',');
	if (e == Q_OK)
		e = json_put_text(args, span_str(m->from));
	if (e == Q_OK)
		e = buf_put_u8(args, ',');
	if (e == Q_OK)
		e = json_put_int(args, m->time_ms);
	return e == Q_OK ? buf_put_u8(args, ',') : e;
}

/* The text of a message, with what stands for media that are no picture. */
static enum qerr
put_text(struct buf *args, const struct shared_message *m, const struct picture *p)
{
	enum qerr e = json_put_text(args, m->text);

	if (e != Q_OK || m->media_id == 0 || p->kind != IMAGE_NONE)
		return e;
	args->len--; /* the closing quote */
	return buf_printf(args, " [file %" PRIu64 ", %" PRIu64 " bytes]\"", m->media_id,
			  p->size);
}

static enum qerr
render_text(const struct chat_info *chat, const struct shared_message *m,
	    const struct picture *p, bool live, struct bundle **out)
{
	struct buf args = BUF_INIT(BOARD_ARGS_MAX);
	enum qerr e = buf_reserve(&args, m->text.len + HEAD_ROOM);

	if (e == Q_OK)
		e = put_head(&args, m->id, chat, m);
	if (e == Q_OK)
		e = put_text(&args, m, p);
	if (e == Q_OK)
		e = sio_event_new(BOARD_SPACE_NAME,
				  live ? "chat-msg" : "new-msg-notification",
				  buf_span(&args), NULL, 0, out);
	buf_free(&args);
	return e;
}

static enum qerr
render_image(const struct chat_info *chat, const struct shared_message *m,
	     const struct picture *p, bool live, struct bundle **out)
{
	struct blob *blobs[] = {m->media->content};
	struct buf args = BUF_INIT(BOARD_ARGS_MAX);
	enum qerr e = put_head(&args, m->media_id, chat, m);

	if (e == Q_OK)
		e = json_put_text(&args, span_str(p->name));
	if (e == Q_OK)
		e = buf_printf(&args, ",\"%s\",", image_type(p->kind));
	if (e == Q_OK && live && (e = sio_placeholder_put(&args, 0)) == Q_OK)
		e = buf_put_u8(&args, ',');
	if (e == Q_OK)
		e = buf_printf(&args, "%" PRIu64, m->id);
	if (e == Q_OK)
		e = sio_event_new(BOARD_SPACE_NAME,
				  live ? "chat-img" : "new-img-notification",
				  buf_span(&args), blobs, live ? 1 : 0, out);
	buf_free(&args);
	return e;
}

/* The name that is in the message itself, or is made for what has none. */
static void
name_picture(const struct shared_message *m, struct picture *p)
{
	if (m->image)
		snprintf(p->name, sizeof(p->name), "%.*s", (int)m->text.len,
			 m->text.len > 0 ? (const char *)m->text.p : "");
	else
		snprintf(p->name, sizeof(p->name), "media-%" PRIu64 ".%s", m->media_id,
			 image_extension(p->kind));
}

enum qerr
board_render(const struct chat_info *chat, const struct shared_message *m, bool live,
	     struct board_events *out)
{
	struct board_events events = {NULL, NULL};
	struct picture p = {.kind = IMAGE_NONE};
	enum qerr e = Q_OK;

	if (m->media != NULL) {
		p.kind = m->media->kind;
		p.size = m->media->content->len;
		name_picture(m, &p);
	}
	if (p.kind == IMAGE_NONE || (!m->image && m->text.len > 0))
		e = render_text(chat, m, &p, live, &events.text);
	if (e == Q_OK && p.kind != IMAGE_NONE)
		e = render_image(chat, m, &p, live, &events.image);
	if (e == Q_OK)
		*out = events;
	else
		board_events_free(&events);
	return e;
}

void
board_events_free(struct board_events *e)
{
	bundle_unref(e->text);
	bundle_unref(e->image);
	*e = (struct board_events){NULL, NULL};
}

/* ---- entries of lists ---- */

/* Look into the store.  What cannot be read is shown as a file. */
static void
look_up(struct server *server, const struct shared_message *m, struct picture *p)
{
	struct media_info *info = calloc(1, sizeof(*info));

	if (info != NULL && media_info(server->store, m->media_id, info) == Q_OK) {
		p->size = info->size;
		if (shared_media_kind(server->shared, info, &p->kind) != Q_OK)
			p->kind = IMAGE_NONE;
		name_picture(m, p);
	}
	free(info);
}

/* ,"thumb":"data:image/webp;base64,..." */
static enum qerr
put_small(struct buf *out, struct server *server, uint64_t media_id, int64_t until_ms)
{
	struct buf small = BUF_INIT(MEDIA_THUMB_MAX);
	enum qerr e = board_thumb_read(server, media_id, until_ms, &small);

	if (e == Q_OK)
		e = buf_put_str(out, ",\"thumb\":\"data:" BOARD_THUMB_TYPE ";base64,");
	if (e == Q_OK && (e = buf_reserve(out, BASE64_LEN(small.len) + 1)) == Q_OK) {
		out->len += base64_encode(buf_span(&small), (char *)out->p + out->len);
		e = buf_put_u8(out, '"');
	} else if (e != Q_NOMEM && e != Q_LIMIT) {
		e = Q_OK; /* it goes without */
	}
	buf_free(&small);
	return e;
}

static enum qerr
put_picture(struct buf *out, struct server *server, const struct shared_message *m,
	    const struct picture *p, int64_t small_until_ms)
{
	enum qerr e =
	    buf_printf(out, ",\"image_id\":%" PRIu64 ",\"img_name\":", m->media_id);

	if (e == Q_OK)
		e = json_put_text(out, span_str(p->name));
	if (e == Q_OK)
		e = buf_printf(out, ",\"img_type\":\"%s\"", image_type(p->kind));
	return e == Q_OK ? put_small(out, server, m->media_id, small_until_ms) : e;
}

enum qerr
board_put_entry(struct buf *out, struct server *server, const struct chat_info *chat,
		const struct shared_message *m, int64_t small_until_ms)
{
	struct picture p = {.kind = IMAGE_NONE};
	enum qerr e;

	if (m->media_id != 0)
		look_up(server, m, &p);
	e = buf_printf(out,
		       "{\"message_id\":%" PRIu64 ",\"anons_id\":%" PRIu64
		       ",\"chat_id\":%" PRIu64 ",\"username\":",
		       m->id, chat->anons_id, chat->id);
	if (e == Q_OK)
		e = json_put_text(out, span_str(m->from));
	if (e == Q_OK)
		e = buf_printf(
		    out, ",\"message_date\":%" PRId64 ",\"message_text\":", m->time_ms);
	if (e == Q_OK && m->image && p.kind != IMAGE_NONE)
		e = buf_put_str(out, "\"\"");
	else if (e == Q_OK)
		e = put_text(out, m, &p);
	if (e == Q_OK && p.kind != IMAGE_NONE)
		e = put_picture(out, server, m, &p, small_until_ms);
	return e == Q_OK ? buf_put_u8(out, '}') : e;
}
