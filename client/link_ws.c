/* SPDX-License-Identifier: MIT
 *
 * wslay's frame layer does the frames, masks included; messages, which are simple on
 * this side, are put together here.  The server's own frame code (protocol/websocket.h)
 * is on purpose another one: each is a test of the other.
 */
#include "client/link_ws.h"

#include <http_parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <wslay/wslay.h>

#include "base/text.h"
#include "client/link.h"
#include "crypto/random.h"
#include "crypto/sha1.h"
#include "protocol/websocket.h"

#define HEAD_MAX 8192
#define KEY_LEN  16

struct link_ws {
	const char *host, *path;
	struct buf *raw_out;
	wslay_frame_context_ptr frames;
	struct span feed; /* what wslay has not taken yet */

	/* the handshake */
	bool up, refused;
	http_parser answer;
	size_t head_len;
	char accept[BASE64_LEN(SHA1_LEN) + 1]; /* what it has to be */
	char field[32];                        /* the header at hand, "" when too long */
	bool in_value, upgrade, accepted;
	char value[64];

	/* messages */
	struct buf message;
	uint8_t opcode; /* of the one that is coming; WS_CONTINUATION: none */
	uint8_t control[WS_CONTROL_MAX];
	size_t control_len, frame_done;
	bool finished; /* a close was sent */
};

/* ---- for machines ---- */

enum qerr
link_message_put(struct buf *out, struct span message)
{
	enum qerr e;

	if (message.len > UINT32_MAX)
		return Q_LIMIT;
	if ((e = buf_reserve(out, LINK_MESSAGE_HEADER + message.len)) != Q_OK)
		return e;
	(void)buf_put_u32(out, (uint32_t)message.len);
	return buf_put_span(out, message);
}

enum qerr
link_message_next(const struct buf *in, struct span *message)
{
	struct reader r = reader_of(buf_span(in));
	uint32_t len;

	if (reader_u32(&r, &len) != Q_OK)
		return Q_SHORT;
	return reader_take(&r, len, message);
}

/* ---- wslay's view of the connection ---- */

static ssize_t
take_bytes(uint8_t *to, size_t room, int flags, void *arg)
{
	struct link_ws *ws = arg;
	size_t n = ws->feed.len < room ? ws->feed.len : room;

	(void)flags;
	if (n == 0)
		return -1; /* nothing now */
	memcpy(to, ws->feed.p, n);
	ws->feed.p += n;
	ws->feed.len -= n;
	return (ssize_t)n;
}

static ssize_t
give_bytes(const uint8_t *p, size_t n, int flags, void *arg)
{
	struct link_ws *ws = arg;

	(void)flags;
	return buf_put(ws->raw_out, p, n) == Q_OK ? (ssize_t)n : -1;
}

static int
make_mask(uint8_t *to, size_t n, void *arg)
{
	(void)arg;
	random_bytes(to, n);
	return 0;
}

/* A frame, which raw_out has room for. */
static enum qerr
put_frame(struct link_ws *ws, uint8_t opcode, struct span payload)
{
	struct wslay_frame_iocb frame = {.fin = 1,
					 .opcode = opcode,
					 .mask = 1,
					 .payload_length = payload.len,
					 .data = payload.p,
					 .data_length = payload.len};

	/* Room for all first: wslay would keep half a frame to itself. */
	if (buf_reserve(ws->raw_out, WS_HEADER_MAX + payload.len) != Q_OK)
		return Q_FULL;
	return wslay_frame_send(ws->frames, &frame) == (ssize_t)payload.len ? Q_OK
									    : Q_NOMEM;
}

/* ---- the handshake ---- */

static enum qerr
ask(struct link_ws *ws)
{
	uint8_t key[KEY_LEN], digest[SHA1_LEN];
	char text[BASE64_LEN(KEY_LEN) + sizeof(WS_GUID)];
	enum qerr e;

	random_bytes(key, sizeof(key));
	base64_encode(span_of(key, sizeof(key)), text);
	e = buf_printf(ws->raw_out,
		       "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n"
		       "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
		       "Sec-WebSocket-Key: %.*s\r\n\r\n",
		       ws->path, ws->host, (int)BASE64_LEN(KEY_LEN), text);
	memcpy(text + BASE64_LEN(KEY_LEN), WS_GUID, sizeof(WS_GUID));
	if (e == Q_OK)
		e = sha1(span_str(text), digest);
	if (e == Q_OK)
		base64_encode(span_of(digest, sizeof(digest)), ws->accept);
	return e;
}

/* Append to a short text; what is too long becomes "", which is nothing we look for. */
static void
collect(char *text, size_t size, const char *at, size_t n)
{
	size_t len = strlen(text);

	if (n >= size - len) {
		text[0] = '\0';
		return;
	}
	memcpy(text + len, at, n);
	text[len + n] = '\0';
}

/* A header is complete. */
static void
look(struct link_ws *ws)
{
	if (strcasecmp(ws->field, "Upgrade") == 0)
		ws->upgrade = strcasecmp(ws->value, "websocket") == 0;
	else if (strcasecmp(ws->field, "Sec-WebSocket-Accept") == 0)
		ws->accepted = strcmp(ws->value, ws->accept) == 0;
	else if (strcasecmp(ws->field, "Sec-WebSocket-Extensions") == 0 ||
		 strcasecmp(ws->field, "Sec-WebSocket-Protocol") == 0)
		ws->refused = true; /* nobody asked for any */
	ws->field[0] = ws->value[0] = '\0';
	ws->in_value = false;
}

static int
on_field(http_parser *p, const char *at, size_t n)
{
	struct link_ws *ws = p->data;

	if (ws->in_value)
		look(ws);
	collect(ws->field, sizeof(ws->field), at, n);
	return 0;
}

static int
on_value(http_parser *p, const char *at, size_t n)
{
	struct link_ws *ws = p->data;

	ws->in_value = true;
	collect(ws->value, sizeof(ws->value), at, n);
	return 0;
}

/* No body, whatever the headers say: what follows is WebSocket, or of no interest. */
static int
on_head(http_parser *p)
{
	struct link_ws *ws = p->data;

	look(ws);
	ws->up = p->status_code == 101 && ws->upgrade && ws->accepted && !ws->refused;
	ws->refused = !ws->up;
	return 2;
}

static enum qerr
take_answer(struct link_ws *ws, struct why *why)
{
	static const http_parser_settings callbacks = {.on_header_field = on_field,
						       .on_header_value = on_value,
						       .on_headers_complete = on_head};
	size_t n = ws->feed.len, used;

	if (n > HEAD_MAX - ws->head_len)
		n = HEAD_MAX - ws->head_len;
	used = http_parser_execute(&ws->answer, &callbacks, (const char *)ws->feed.p, n);
	ws->feed.p += used;
	ws->feed.len -= used;
	ws->head_len += used;
	if (ws->up)
		return Q_OK;
	if (ws->refused && ws->answer.status_code != 101)
		return why_set(why, Q_DENIED, "%s does not serve %s: %u %s", ws->host,
			       ws->path, (unsigned)ws->answer.status_code,
			       http_status_str((enum http_status)ws->answer.status_code));
	if (ws->refused || HTTP_PARSER_ERRNO(&ws->answer) != HPE_OK ||
	    ws->head_len == HEAD_MAX)
		return why_set(why, Q_DENIED, "%s does not speak WebSocket", ws->host);
	return Q_OK;
}

/* ---- life ---- */

enum qerr
link_ws_new(const char *host, const char *path, struct buf *raw_out, struct link_ws **out,
	    struct why *why)
{
	static const struct wslay_frame_callbacks callbacks = {
	    .send_callback = give_bytes,
	    .recv_callback = take_bytes,
	    .genmask_callback = make_mask,
	};
	struct link_ws *ws = calloc(1, sizeof(*ws));
	enum qerr e = Q_NOMEM;

	if (ws == NULL)
		goto fail;
	ws->host = host;
	ws->path = path;
	ws->raw_out = raw_out;
	ws->message = (struct buf)BUF_INIT(LINK_IN_MAX - LINK_MESSAGE_HEADER);
	http_parser_init(&ws->answer, HTTP_RESPONSE);
	ws->answer.data = ws;
	if (wslay_frame_context_init(&ws->frames, &callbacks, ws) != 0 ||
	    (e = ask(ws)) != Q_OK)
		goto fail;
	*out = ws;
	return Q_OK;
fail:
	link_ws_free(ws);
	return why_set(why, e, "WebSocket cannot begin: %s", qerr_str(e));
}

void
link_ws_free(struct link_ws *ws)
{
	if (ws == NULL)
		return;
	wslay_frame_context_free(ws->frames);
	buf_wipe(&ws->message);
	free(ws);
}

bool
link_ws_up(const struct link_ws *ws)
{
	return ws->up;
}

void
link_ws_finish(struct link_ws *ws)
{
	uint8_t payload[WS_CONTROL_MAX];
	size_t n = ws_close_put(payload, WS_CODE_NORMAL, span_str(""));

	if (ws->up && !ws->finished)
		(void)put_frame(ws, WS_CLOSE, span_of(payload, n));
	ws->finished = true;
}

/* ---- receiving ---- */

static enum qerr
broken(const struct link_ws *ws, struct why *why)
{
	return why_set(why, Q_FORMAT, "%s breaks the rules of WebSocket", ws->host);
}

static enum qerr
closed(struct link_ws *ws, struct why *why)
{
	struct span payload = span_of(ws->control, ws->control_len), reason;
	char shown[4 * WS_REASON_MAX + 1];
	unsigned code;

	if (ws_close_parse(payload, &code, &reason) != Q_OK)
		return broken(ws, why);
	if (!ws->finished)
		(void)put_frame(ws, WS_CLOSE,
				span_of(ws->control, payload.len >= 2 ? 2 : 0));
	ws->finished = true;
	text_visible(reason, shown, sizeof(shown));
	return why_set(why, code == WS_CODE_POLICY ? Q_DENIED : Q_CLOSED,
		       "%s closed the connection%s%s", ws->host,
		       reason.len > 0 ? ": " : "", shown);
}

/* The last piece of a control frame is there. */
static enum qerr
take_control(struct link_ws *ws, uint8_t opcode, struct why *why)
{
	enum qerr e = Q_OK;

	if (opcode == WS_CLOSE)
		return closed(ws, why);
	if (opcode == WS_PING && !ws->finished)
		e = put_frame(ws, WS_PONG, span_of(ws->control, ws->control_len));
	ws->control_len = 0;
	return e == Q_OK ? e : why_set(why, Q_LIMIT, "%s takes no answers", ws->host);
}

static enum qerr
take_message(struct link_ws *ws, struct buf *in, struct why *why)
{
	struct span message = buf_span(&ws->message);
	enum qerr e;

	if (ws->opcode == WS_TEXT && !utf8_valid(message))
		return broken(ws, why);
	ws->opcode = WS_CONTINUATION;
	e = link_message_put(in, message);
	buf_wipe(&ws->message);
	return e == Q_OK ? e
			 : why_set(why, e, "%s sends more than can be kept", ws->host);
}

/* The rules that wslay leaves to others. */
static bool
allowed(const struct link_ws *ws, const struct wslay_frame_iocb *f)
{
	if (f->rsv != 0 || f->mask != 0)
		return false;
	switch (f->opcode) {
	case WS_CONTINUATION: return ws->opcode != WS_CONTINUATION;
	case WS_TEXT:
	case WS_BINARY: return ws->opcode == WS_CONTINUATION || ws->frame_done > 0;
	case WS_CLOSE:
	case WS_PING:
	case WS_PONG: return f->payload_length <= WS_CONTROL_MAX;
	default: return false;
	}
}

/* A piece of a frame. */
static enum qerr
take_piece(struct link_ws *ws, const struct wslay_frame_iocb *f, struct buf *in,
	   struct why *why)
{
	bool whole;

	if (!allowed(ws, f))
		return broken(ws, why);
	ws->frame_done += f->data_length;
	whole = ws->frame_done == f->payload_length;
	if (whole)
		ws->frame_done = 0;
	if (wslay_is_ctrl_frame(f->opcode)) {
		memcpy(ws->control + ws->control_len, f->data, f->data_length);
		ws->control_len += f->data_length;
		return whole ? take_control(ws, f->opcode, why) : Q_OK;
	}
	if (f->opcode != WS_CONTINUATION)
		ws->opcode = f->opcode;
	if (buf_put(&ws->message, f->data, f->data_length) != Q_OK)
		return why_set(why, Q_LIMIT, "%s sends more than can be kept", ws->host);
	return whole && f->fin ? take_message(ws, in, why) : Q_OK;
}

enum qerr
link_ws_input(struct link_ws *ws, struct buf *raw_in, struct buf *in, struct why *why)
{
	struct wslay_frame_iocb f;
	enum qerr e = Q_OK;
	ssize_t n = 0;

	ws->feed = buf_span(raw_in);
	if (!ws->up && ws->feed.len > 0)
		e = take_answer(ws, why);
	while (e == Q_OK && ws->up && n >= 0) {
		memset(&f, 0, sizeof(f));
		n = wslay_frame_recv(ws->frames, &f);
		if (n >= 0)
			e = take_piece(ws, &f, in, why);
		else if (n != WSLAY_ERR_WANT_READ)
			e = broken(ws, why);
	}
	buf_consume(raw_in, raw_in->len);
	return e;
}

size_t
link_ws_coming(const struct link_ws *ws)
{
	return ws->message.len;
}

/* ---- sending ---- */

enum qerr
link_ws_output(struct link_ws *ws, struct buf *out, struct why *why)
{
	struct span message;
	enum qerr e = Q_OK;

	while (ws->up && !ws->finished && e == Q_OK &&
	       link_message_next(out, &message) == Q_OK) {
		e = put_frame(ws, WS_TEXT, message);
		if (e == Q_OK)
			buf_consume(out, LINK_MESSAGE_HEADER + message.len);
	}
	if (e == Q_OK || e == Q_FULL) /* later, when something has gone */
		return Q_OK;
	return why_set(why, e, "there is no memory to send to %s", ws->host);
}
