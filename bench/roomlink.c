/* SPDX-License-Identifier: MIT */
#include "bench/roomlink.h"

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/link.h"
#include "bench/util.h"
#include "crypto/kex.h"
#include "crypto/random.h"
#include "protocol/rooms_envelope.h"
#include "protocol/websocket.h"

#define READ_SIZE   (256 * 1024)
#define MESSAGE_MAX (4 * 1024 * 1024)

static const char upgrade[] = "GET /rooms HTTP/1.1\r\nHost: localhost\r\n"
			      "Connection: Upgrade\r\nUpgrade: websocket\r\n"
			      "Sec-WebSocket-Version: 13\r\n"
			      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/* ---- bytes ---- */

static void
wait_for(const struct roomlink *l, enum qerr e)
{
	struct pollfd p = {.fd = l->fd, .events = e == Q_FULL ? POLLOUT : POLLIN};

	if (e != Q_FULL && e != Q_SHORT)
		errx(1, "TLS: %s", qerr_str(e));
	if (poll(&p, 1, -1) < 0)
		err(1, "poll");
}

static void
write_all(struct roomlink *l, const uint8_t *p, size_t n)
{
	while (n > 0) {
		size_t put = 0;
		ssize_t w;
		enum qerr e;

		if (l->tls != NULL) {
			if ((e = tls_write(l->tls, p, n, &put)) != Q_OK)
				wait_for(l, e);
		} else if ((w = send(l->fd, p, n, MSG_NOSIGNAL)) > 0) {
			put = (size_t)w;
		} else {
			err(1, "send");
		}
		p += put;
		n -= put;
	}
}

/* As recv; inside TLS, bytes that are there already do not wait. */
static ssize_t
read_some(struct roomlink *l, uint8_t *p, size_t n, int flags)
{
	size_t got;
	enum qerr e;

	if (l->tls == NULL)
		return recv(l->fd, p, n, flags);
	while ((e = tls_read(l->tls, p, n, &got)) != Q_OK) {
		if (e == Q_CLOSED)
			return 0;
		if ((flags & MSG_DONTWAIT) != 0 && e == Q_SHORT) {
			errno = EAGAIN;
			return -1;
		}
		wait_for(l, e);
	}
	return (ssize_t)got;
}

/* Wait for more bytes, unless flags say not to.  False: there are none. */
static bool
read_more(struct roomlink *l, int flags)
{
	ssize_t n;

	buf_consume(&l->data, l->used);
	l->used = 0;
	must(buf_reserve(&l->data, READ_SIZE), "buffer");
	n = read_some(l, l->data.p + l->data.len, READ_SIZE, flags);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return false;
	if (n <= 0)
		errx(1, "the server has closed a connection");
	l->data.len += (size_t)n;
	return true;
}

static struct span
unread(const struct roomlink *l)
{
	return span_of(l->data.p + l->used, l->data.len - l->used);
}

/* ---- frames: ours have a masking key of zeros, which masks nothing ---- */

static void
send_text(struct roomlink *l, struct span text)
{
	uint8_t head[WS_HEADER_MAX];
	size_t n = ws_header_put(head, WS_TEXT, text.len);

	head[1] |= 0x80;
	memset(head + n, 0, 4);
	write_all(l, head, n + 4);
	write_all(l, text.p, text.len);
}

/* The payload of the next text message, in place; pings are passed over. */
static uint8_t *
hear_text(struct roomlink *l, size_t *len)
{
	struct ws_header h;
	uint8_t *at;

	for (;;) {
		struct span in = unread(l);

		if (ws_header_parse(in, &h) != Q_OK || in.len - h.size < h.length) {
			(void)read_more(l, 0);
			continue;
		}
		at = l->data.p + l->used + h.size;
		l->used += h.size + (size_t)h.length;
		if (h.opcode == WS_CLOSE)
			errx(1, "the server says goodbye: %.*s",
			     (int)(h.length > 2 ? h.length - 2 : 0), at + 2);
		if (h.opcode != WS_TEXT)
			continue;
		*len = (size_t)h.length;
		return at;
	}
}

size_t
roomlink_count(struct roomlink *l, size_t *len)
{
	struct ws_header h;
	size_t n = 0;

	while (read_more(l, MSG_DONTWAIT))
		while (ws_header_parse(unread(l), &h) == Q_OK &&
		       unread(l).len - h.size >= h.length) {
			l->used += h.size + (size_t)h.length;
			if (h.opcode != WS_TEXT)
				continue;
			n++;
			if (len != NULL)
				*len = (size_t)h.length;
		}
	return n;
}

/* ---- packets ---- */

void
roomlink_send(struct roomlink *l, const struct rooms_packet *p)
{
	struct buf plain = BUF_INIT(MESSAGE_MAX), out = BUF_INIT(MESSAGE_MAX);
	uint8_t iv[ROOMS_IV_LEN], *ct;

	must(rooms_put(&plain, p), "packet");
	if (l->out.aead == NULL) {
		send_text(l, buf_span(&plain));
	} else {
		must(buf_reserve(&out, ROOMS_ENVELOPE_SIZE(plain.len)), "envelope");
		out.len = ROOMS_ENVELOPE_SIZE(plain.len);
		ct = rooms_envelope_inside(out.p, plain.len);
		must(lane_seal(&l->out, plain.p, plain.len, ct, ct + plain.len, iv),
		     "seal");
		rooms_envelope_wrap(out.p, plain.len, iv);
		send_text(l, buf_span(&out));
	}
	buf_free(&plain);
	buf_free(&out);
}

void
roomlink_hear(struct roomlink *l, struct rooms_packet *out)
{
	uint8_t iv[ROOMS_IV_LEN], *text;
	struct rooms_fault fault;
	size_t len, n;

	text = hear_text(l, &len);
	if (l->in.aead != NULL) {
		must(rooms_envelope_unwrap(text, len, iv, &n), "envelope");
		len = n - ROOMS_TAG_LEN;
		must(lane_open(&l->in, iv, text, len, text, text + len), "open");
	}
	if (rooms_parse(span_of(text, len), MESSAGE_MAX, ROOMS_SERVER, out, &fault) !=
	    Q_OK)
		errx(1, "no packet: %s", fault.desc.text);
}

void
roomlink_expect(struct roomlink *l, enum rooms_type type, struct rooms_packet *out)
{
	for (;;) {
		roomlink_hear(l, out);
		if (out->type == type)
			return;
		if (out->type == ROOMS_T_STATUS && out->u.status.sig != ROOMS_LOGIN_OK &&
		    out->u.status.sig != ROOMS_SENT)
			errx(1, "not %s but %s", rooms_type_text(type),
			     rooms_sig_text(out->u.status.sig));
		rooms_packet_free(out);
	}
}

/* ---- beginning and end ---- */

static void
pass_head(struct roomlink *l)
{
	uint8_t *end;

	while ((end = memmem(l->data.p, l->data.len, "\r\n\r\n", 4)) == NULL)
		(void)read_more(l, 0);
	if (l->data.len < 12 || memcmp(l->data.p, "HTTP/1.1 101", 12) != 0)
		errx(1, "no WebSocket at /rooms");
	l->used = (size_t)(end + 4 - l->data.p);
}

static void
agree(struct roomlink *l)
{
	struct rooms_packet init = {.type = ROOMS_T_CONN_INIT}, p;
	struct rooms_packet mine = {.type = ROOMS_T_CONN_ENCRYPT_C};
	struct kex *kex = kex_new();
	uint8_t secret[KEX_SECRET_LEN], raw[16];
	struct span whole = span_of(secret, sizeof(secret)), salt;

	if (kex == NULL)
		errx(1, "no key");
	random_bytes(raw, sizeof(raw));
	init.u.conn_init.uuid = uuid_v4(raw);
	salt = span_of(init.u.conn_init.uuid.b, sizeof(init.u.conn_init.uuid.b));
	roomlink_send(l, &init);
	roomlink_expect(l, ROOMS_T_CONN_ENCRYPT_S, &p);
	must(kex_derive(kex, p.u.conn_encrypt_s.server_epbkey, secret), "agreement");
	rooms_packet_free(&p);
	mine.u.pem = kex_pem(kex);
	roomlink_send(l, &mine);
	must(lane_init(&l->out, AEAD_SEAL, whole, salt, ROOMS_KEX_C2S), "lane");
	must(lane_init(&l->in, AEAD_OPEN, whole, salt, ROOMS_KEX_S2C), "lane");
	kex_free(kex);
	roomlink_hear(l, &p);
	if (p.type != ROOMS_T_STATUS || p.u.status.sig != ROOMS_CONN_OK)
		errx(1, "no CONN_OK");
	rooms_packet_free(&p);
}

static void
shake_hands(struct roomlink *l, struct tls_context *tls)
{
	enum qerr e;

	if ((l->tls = tls_new(tls, l->fd, span_of(NULL, 0))) == NULL)
		errx(1, "no memory");
	while ((e = tls_handshake(l->tls)) != Q_OK)
		wait_for(l, e);
}

void
roomlink_open(struct roomlink *l, unsigned port, unsigned source, struct tls_context *tls)
{
	struct link plain;

	memset(l, 0, sizeof(*l));
	link_connect(&plain, port, source);
	l->fd = plain.fd;
	l->data = (struct buf)BUF_INIT(2 * MESSAGE_MAX);
	if (tls != NULL)
		shake_hands(l, tls);
	write_all(l, (const uint8_t *)upgrade, sizeof(upgrade) - 1);
	pass_head(l);
	agree(l);
}

void
roomlink_enter(struct roomlink *l, const char *user, const char *token)
{
	struct rooms_packet p = {.type = ROOMS_T_AUTH_TOKEN};

	p.u.auth_token.user = span_str(user);
	p.u.auth_token.token = span_str(token);
	roomlink_send(l, &p);
	roomlink_expect(l, ROOMS_T_QUEUE_END, &p);
	rooms_packet_free(&p);
	/* An idle connection of ours holds nothing. */
	if (l->used == l->data.len) {
		buf_free(&l->data);
		l->used = 0;
	}
}

void
roomlink_close(struct roomlink *l)
{
	lane_fini(&l->out);
	lane_fini(&l->in);
	buf_free(&l->data);
	tls_free(l->tls);
	close(l->fd);
}
