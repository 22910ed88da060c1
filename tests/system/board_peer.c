/* SPDX-License-Identifier: MIT */
#define HTTP_PEER_INSIDE
#define WS_PEER_INSIDE
#define SIO_PEER_INSIDE
#define BOARD_PEER_INSIDE
#include "tests/system/board_peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "protocol/engineio.h"

#define TEXT   1
#define BINARY 2
#define CLOSE  8
#define SIZE   (64 << 20)

/* ---- sending ---- */

static void
post(struct board_peer *p, struct span body)
{
	char head[512];

	snprintf(head, sizeof(head),
		 "POST %s?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: x\r\n"
		 "Content-Type: text/plain;charset=UTF-8\r\nContent-Length: %zu\r\n\r\n",
		 SOCKET, p->sid, body.len);
	http_send_some(p->out, span_str(head));
	http_send_some(p->out, body);
	http_read(p->out, false);
	if (p->out->status != 200 || !span_eq(p->out->body, span_str("ok")))
		p->over = true;
}

static void
hold(struct board_peer *p, uint8_t first, struct span packet)
{
	if (p->way == BOARD_WEBSOCKET) {
		ws_frame(&p->held, first, packet.p, packet.len);
		return;
	}
	if (p->held.len > 0)
		ck_assert_int_eq(buf_put_u8(&p->held, EIO_SEPARATOR), Q_OK);
	ck_assert_int_eq(buf_put_span(&p->held, packet), Q_OK);
}

void
board_gather(struct board_peer *p)
{
	p->gathers = true;
}

void
board_send_gathered(struct board_peer *p)
{
	p->gathers = false;
	if (p->way == BOARD_POLLING)
		post(p, buf_span(&p->held));
	else
		http_send(p->in, buf_span(&p->held));
	buf_free(&p->held);
}

/* A packet of Engine.IO. */
static void
send_packet(struct board_peer *p, struct span packet)
{
	if (p->gathers)
		hold(p, WS_FIN | TEXT, packet);
	else if (p->way == BOARD_POLLING)
		post(p, packet);
	else
		ws_put(p->in, WS_FIN | TEXT, packet.p, packet.len);
}

void
board_say_span(struct board_peer *p, struct span packet)
{
	struct buf out = BUF_INIT(SIZE);

	ck_assert_int_eq(buf_put_u8(&out, '4'), Q_OK);
	ck_assert_int_eq(buf_put_span(&out, packet), Q_OK);
	send_packet(p, buf_span(&out));
	buf_free(&out);
}

void
board_say(struct board_peer *p, const char *packet)
{
	board_say_span(p, span_str(packet));
}

void
board_say_blob(struct board_peer *p, struct span packet, struct span blob)
{
	struct buf out = BUF_INIT(SIZE);

	if (p->way == BOARD_WEBSOCKET) {
		board_say_span(p, packet);
		if (p->gathers)
			hold(p, WS_FIN | BINARY, blob);
		else
			ws_put(p->in, WS_FIN | BINARY, blob.p, blob.len);
		return;
	}
	ck_assert_int_eq(buf_put_u8(&out, '4'), Q_OK);
	ck_assert_int_eq(buf_put_span(&out, packet), Q_OK);
	ck_assert_int_eq(buf_put_u8(&out, EIO_SEPARATOR), Q_OK);
	ck_assert_int_eq(buf_put_u8(&out, 'b'), Q_OK);
	ck_assert_int_eq(buf_reserve(&out, BASE64_LEN(blob.len)), Q_OK);
	out.len += base64_encode(blob, (char *)out.p + out.len);
	send_packet(p, buf_span(&out));
	buf_free(&out);
}

void
board_say_close(struct board_peer *p)
{
	send_packet(p, span_str("1"));
}

/* ---- receiving ---- */

/* A message in one frame or in fragments; its opcode, CLOSE included. */
static unsigned
next_message(struct board_peer *p, struct span *message)
{
	struct span part;
	uint8_t first = ws_next(p->in, &part);
	unsigned opcode = first & 15;

	if (first & WS_FIN) {
		*message = part;
		return opcode;
	}
	p->blob.len = 0;
	ck_assert_int_eq(buf_put_span(&p->blob, part), Q_OK);
	do {
		first = ws_next(p->in, &part);
		if ((first & 15) != 0)
			harness_fail("frame %#x among fragments", first);
		ck_assert_int_eq(buf_put_span(&p->blob, part), Q_OK);
	} while ((first & WS_FIN) == 0);
	*message = buf_span(&p->blob);
	return opcode;
}

/* The next packet of a poll's answer; asks again when there is none left. */
static bool
next_polled(struct board_peer *p, struct span *packet)
{
	const uint8_t *end;
	struct span left;

	if (p->used == p->body.len) {
		if (p->over)
			return false;
		eio_ask_poll(p->in, SOCKET, p->sid);
		http_read(p->in, false);
		if (p->in->status != 200)
			return false;
		p->body.len = p->used = 0;
		ck_assert_int_eq(buf_put_span(&p->body, p->in->body), Q_OK);
		buf_consume(&p->in->in, p->in->used);
		p->in->used = 0;
	}
	left = span_of(p->body.p + p->used, p->body.len - p->used);
	end = memchr(left.p, EIO_SEPARATOR, left.len);
	*packet = span_of(left.p, end == NULL ? left.len : (size_t)(end - left.p));
	p->used += packet->len + (end != NULL);
	return true;
}

/* A packet of Engine.IO; false: the session is over. */
static bool
next_packet(struct board_peer *p, struct span *packet, bool *binary)
{
	unsigned opcode;

	if (p->way == BOARD_POLLING) {
		if (!next_polled(p, packet))
			return false;
		*binary = packet->len > 0 && *packet->p == 'b';
		return true;
	}
	opcode = next_message(p, packet);
	*binary = opcode == BINARY;
	if (opcode != CLOSE)
		return true;
	p->code = packet->len < 2 ? 0 : (unsigned)packet->p[0] << 8 | packet->p[1];
	http_hear_end(p->in);
	return false;
}

bool
board_next(struct board_peer *p, struct span *packet)
{
	bool binary;

	while (next_packet(p, packet, &binary)) {
		if (binary || packet->len == 0)
			harness_fail("%s gets an attachment that nothing announced",
				     p->name);
		switch (*packet->p) {
		case '4': *packet = span_of(packet->p + 1, packet->len - 1); return true;
		case '2': send_packet(p, span_str("3")); break;
		case '6': break;
		case '1': p->over = true; return false;
		default:
			harness_fail("%s gets %.*s", p->name, (int)packet->len,
				     (const char *)packet->p);
		}
	}
	p->over = true;
	return false;
}

struct span
board_next_blob(struct board_peer *p)
{
	struct span packet;
	bool binary;
	size_t n;

	if (!next_packet(p, &packet, &binary) || !binary)
		harness_fail("%s gets no attachment", p->name);
	if (p->way == BOARD_WEBSOCKET)
		return packet;
	p->blob.len = 0;
	ck_assert_int_eq(buf_reserve(&p->blob, packet.len + 4), Q_OK);
	if (base64_decode(span_of(packet.p + 1, packet.len - 1), p->blob.p, &n) != Q_OK)
		harness_fail("%s gets an attachment that is no base64", p->name);
	p->blob.len = n;
	return buf_span(&p->blob);
}

/* ---- beginning and end ---- */

struct board_peer *
board_open(struct harness *h, const char *name, enum board_way way)
{
	struct board_peer *p = calloc(1, sizeof(*p));

	ck_assert_ptr_nonnull(p);
	p->h = h;
	p->way = way;
	p->body = p->blob = p->held = (struct buf)BUF_INIT(SIZE);
	snprintf(p->name, sizeof(p->name), "%s", name);
	if (way == BOARD_WEBSOCKET) {
		p->in = eio_ws(h, SOCKET, p->sid);
		return p;
	}
	p->in = http_connect(h);
	p->out = http_connect(h);
	eio_open(p->in, SOCKET, p->sid);
	return p;
}

struct board_peer *
board_connect(struct harness *h, const char *name, enum board_way way, const char *auth)
{
	struct board_peer *p = board_open(h, name, way);
	char packet[1024];
	struct span got;

	snprintf(packet, sizeof(packet), "0%s", auth);
	board_say(p, packet);
	if (!board_next(p, &got) || got.len < 8 || memcmp(got.p, "0{\"sid\":", 8) != 0)
		harness_fail("%s is not connected", name);
	return p;
}

void
board_upgrade(struct board_peer *p)
{
	struct http_peer *ws = eio_ws_for(p->h, SOCKET, p->sid);

	eio_say(ws, "2probe");
	eio_hear(ws, "3probe");
	eio_say(ws, "5");
	http_free(p->in);
	http_free(p->out);
	p->out = NULL;
	p->in = ws;
	p->way = BOARD_WEBSOCKET;
	p->used = p->body.len;
}

void
board_free(struct board_peer *p)
{
	if (p == NULL)
		return;
	http_free(p->in);
	http_free(p->out);
	buf_free(&p->body);
	buf_free(&p->blob);
	buf_free(&p->held);
	free(p);
}
