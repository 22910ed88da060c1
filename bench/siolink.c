/* SPDX-License-Identifier: MIT */
#include "bench/siolink.h"

#include <err.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "bench/util.h"
#include "protocol/websocket.h"

#define PATH      "/socket.io/?EIO=4&transport="
#define SEPARATOR 0x1e
#define READ_SIZE (64 * 1024)
#define DATA_MAX  (16 * 1024 * 1024)

/* ---- bytes ---- */

/* False: nothing is there, and we were not to wait. */
static bool
read_more(struct siolink *l, bool wait)
{
	ssize_t n;

	buf_consume(&l->data, l->used);
	l->used = 0;
	must(buf_reserve(&l->data, READ_SIZE), "buffer");
	n = recv(l->in.fd, l->data.p + l->data.len, READ_SIZE, wait ? 0 : MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return false;
	if (n <= 0)
		errx(1, "the server has closed a connection");
	l->data.len += (size_t)n;
	return true;
}

static struct span
unread(const struct siolink *l)
{
	return span_of(l->data.p + l->used, l->data.len - l->used);
}

/* ---- HTTP ---- */

/* The answer's head: bytes of it, and of the body behind it; false: not all of it is
 * there.  Anything but success ends the program. */
static bool
parse_head(struct span in, size_t *head, size_t *body)
{
	const uint8_t *end = memmem(in.p, in.len, "\r\n\r\n", 4);
	const char *at;
	char text[2048];

	if (end == NULL)
		return false;
	*head = (size_t)(end + 4 - in.p);
	snprintf(text, sizeof(text), "%.*s", (int)*head, (const char *)in.p);
	if (strncmp(text, "HTTP/1.1 200", 12) != 0 &&
	    strncmp(text, "HTTP/1.1 101", 12) != 0)
		errx(1, "the server answers %s", text);
	at = strcasestr(text, "\r\nContent-Length:");
	*body = at == NULL ? 0 : strtoul(at + 17, NULL, 10);
	return true;
}

static void
ask_poll(struct siolink *l)
{
	talk_say(&l->in, "GET " PATH "polling%s%s HTTP/1.1\r\nHost: localhost\r\n\r\n",
		 l->sid[0] == '\0' ? "" : "&sid=", l->sid);
	l->asked = true;
}

/* A body has been sent; wait for the `ok`. */
static void
await_ok(struct talk *t)
{
	char text[2048];
	size_t n = 0, head, body;

	do {
		if (n == sizeof(text))
			errx(1, "an endless answer to a POST");
		n += talk_read(t, text + n, sizeof(text) - n);
	} while (!parse_head(span_of(text, n), &head, &body) || n < head + body);
}

/* ---- hearing ---- */

/* A whole frame with text; pongs and the like are not sent to us. */
static bool
take_frame(struct siolink *l, struct span *packet)
{
	struct span in = unread(l);
	struct ws_header h;

	if (ws_header_parse(in, &h) != Q_OK || in.len - h.size < h.length)
		return false;
	if (h.opcode != WS_TEXT || !h.fin)
		errx(1, "frame of type %u", h.opcode);
	*packet = span_of(in.p + h.size, (size_t)h.length);
	l->used += h.size + (size_t)h.length;
	return true;
}

/* A packet of the answer that is all there. */
static bool
take_part(struct siolink *l, struct span *packet)
{
	struct span in = unread(l);
	const uint8_t *end;
	size_t head;

	if (l->body == 0) {
		if (!parse_head(in, &head, &l->body))
			return false;
		if (in.len - head < l->body) {
			l->body = 0;
			return false;
		}
		l->used += head;
		l->asked = false;
		in = unread(l);
	}
	end = memchr(in.p, SEPARATOR, l->body);
	*packet = span_of(in.p, end == NULL ? l->body : (size_t)(end - in.p));
	l->used += packet->len + (end != NULL);
	l->body -= packet->len + (end != NULL);
	return true;
}

static bool
take(struct siolink *l, struct span *packet, bool wait)
{
	for (;;) {
		if (l->polling && l->body == 0 && !l->asked)
			ask_poll(l);
		if (l->polling ? take_part(l, packet) : take_frame(l, packet))
			return true;
		if (!read_more(l, wait))
			return false;
	}
}

struct span
siolink_hear(struct siolink *l)
{
	struct span packet;

	(void)take(l, &packet, true);
	return packet;
}

bool
siolink_look(struct siolink *l, struct span *packet)
{
	return take(l, packet, false);
}

struct span
siolink_expect(struct siolink *l, const char *begin, const char *inside)
{
	size_t n = strlen(begin);
	struct span p;

	do {
		p = siolink_hear(l);
		if (p.len > 0 &&
		    (p.p[0] == '1' || (p.len > 1 && memcmp(p.p, "41", 2) == 0)))
			errx(1, "the server ends a session");
	} while (p.len < n || memcmp(p.p, begin, n) != 0 ||
		 memmem(p.p, p.len, inside, strlen(inside)) == NULL);
	return p;
}

/* ---- sending ---- */

/* Frames have a masking key of zeros, which masks nothing. */
static void
put_frame(struct buf *out, struct span packet)
{
	uint8_t head[WS_HEADER_MAX] = {0};
	size_t n = ws_header_put(head, WS_TEXT, packet.len);

	head[1] |= 0x80;
	must(buf_put(out, head, n), "buffer");
	must(buf_put(out, "\0\0\0", 4), "buffer");
	must(buf_put_span(out, packet), "buffer");
}

static void
put_post(struct siolink *l, struct buf *out, struct span packet, unsigned n)
{
	must(
	    buf_printf(out,
		       "POST " PATH "polling&sid=%s HTTP/1.1\r\nHost: localhost\r\n"
		       "Content-Type: text/plain;charset=UTF-8\r\nContent-Length: %zu\r\n"
		       "\r\n",
		       l->sid, (packet.len + 1) * n - 1),
	    "buffer");
	for (unsigned i = 0; i < n; i++) {
		if (i > 0)
			must(buf_put_u8(out, SEPARATOR), "buffer");
		must(buf_put_span(out, packet), "buffer");
	}
}

void
siolink_send(struct siolink *l, struct span packet, unsigned n)
{
	struct buf out = BUF_INIT(DATA_MAX);

	if (l->polling) {
		put_post(l, &out, packet, n);
		talk_send(&l->out, out.p, out.len);
		await_ok(&l->out);
	} else {
		for (unsigned i = 0; i < n; i++)
			put_frame(&out, packet);
		talk_send(&l->in, out.p, out.len);
	}
	buf_free(&out);
}

void
siolink_say(struct siolink *l, const char *format, ...)
{
	char text[1024];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(text))
		errx(1, "packet too long");
	siolink_send(l, span_of(text, (size_t)n), 1);
}

/* ---- beginning and end ---- */

static void
upgrade(struct siolink *l)
{
	size_t head, body;

	talk_say(&l->in, "GET " PATH "websocket HTTP/1.1\r\nHost: localhost\r\n"
			 "Connection: Upgrade\r\nUpgrade: websocket\r\n"
			 "Sec-WebSocket-Version: 13\r\n"
			 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
	while (!parse_head(unread(l), &head, &body))
		(void)read_more(l, true);
	l->used += head;
}

void
siolink_open(struct siolink *l, unsigned port, unsigned source, bool polling,
	     const char *auth)
{
	struct span open;

	memset(l, 0, sizeof(*l));
	l->polling = polling;
	l->data = (struct buf)BUF_INIT(DATA_MAX);
	talk_open(&l->in, port, source, false);
	if (polling)
		talk_open(&l->out, port, source, false);
	else
		upgrade(l);
	open = siolink_expect(l, "0{\"sid\":\"", "");
	snprintf(l->sid, sizeof(l->sid), "%.*s",
		 (int)strcspn((const char *)open.p + 9, "\""), (const char *)open.p + 9);
	siolink_say(l, "40%s", auth);
	siolink_expect(l, "40{", "");
}

void
siolink_close(struct siolink *l)
{
	talk_close(&l->in);
	if (l->polling)
		talk_close(&l->out);
	buf_free(&l->data);
}
