/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/link.h"
#include "bench/util.h"
#include "crypto/hash.h"
#include "crypto/kex.h"
#include "crypto/random.h"

/* ---- bytes ---- */

void
link_write(struct link *l, const uint8_t *p, size_t n)
{
	ssize_t r;

	for (; n > 0; p += r, n -= (size_t)r)
		if ((r = send(l->fd, p, n, MSG_NOSIGNAL)) < 0)
			err(1, "send");
}

static void
read_all(struct link *l, uint8_t *p, size_t n)
{
	ssize_t r;

	for (; n > 0; p += r, n -= (size_t)r) {
		if ((r = recv(l->fd, p, n, MSG_WAITALL)) < 0)
			err(1, "recv");
		if (r == 0)
			errx(1, "the server closed the connection");
	}
}

size_t
link_seal(struct link *l, int32_t opcode, struct span data, uint8_t *out)
{
	uint8_t *ct = out + RELAY_SIZE_LEN;
	size_t len = RELAY_HEAD_LEN + data.len;

	le32_put(out, (uint32_t)(len + RELAY_SEAL_LEN));
	relay_head_put(ct, opcode, l->sent++);
	memcpy(ct + RELAY_HEAD_LEN, data.p, data.len);
	le64_put(l->iv + 4, l->iv_count++);
	must(aead_seal(l->seal, l->iv, span_of(NULL, 0), ct, len, ct, ct + len), "seal");
	memcpy(ct + len + RELAY_TAG_LEN, l->iv, RELAY_IV_LEN);
	return RELAY_SIZE_LEN + len + RELAY_SEAL_LEN;
}

void
link_send(struct link *l, int32_t opcode, struct span data)
{
	uint8_t frame[LINK_FRAME_LEN(1024)];

	if (data.len > 1024)
		errx(1, "link_send is for small messages");
	link_write(l, frame, link_seal(l, opcode, data, frame));
}

struct relay_inner
link_open(struct link *l, uint8_t *frame, size_t len, int32_t counter)
{
	uint8_t *ct = frame + RELAY_SIZE_LEN;
	size_t ct_len = len - RELAY_SIZE_LEN - RELAY_SEAL_LEN;
	struct relay_inner in;

	if (len < RELAY_SIZE_LEN + RELAY_SEALED_MIN)
		errx(1, "a frame too short");
	must(aead_open(l->open, ct + ct_len + RELAY_TAG_LEN, span_of(NULL, 0), ct, ct_len,
		       ct, ct + ct_len),
	     "open");
	must(relay_inner_parse(span_of(ct, ct_len), &in), "inner");
	if (in.counter != counter)
		errx(1, "counter %d instead of %d", in.counter, counter);
	return in;
}

struct relay_inner
link_receive(struct link *l, uint8_t *buf)
{
	uint32_t size;

	read_all(l, buf, RELAY_SIZE_LEN);
	size = le32_get(buf);
	if (size < RELAY_SEALED_MIN || size > RELAY_SEALED_MAX)
		errx(1, "a frame of %d bytes", (int)size);
	read_all(l, buf + RELAY_SIZE_LEN, size);
	return link_open(l, buf, RELAY_SIZE_LEN + size, l->received++);
}

struct relay_inner
link_expect(struct link *l, int32_t opcode, uint8_t *buf)
{
	struct relay_inner in = link_receive(l, buf);

	if (in.opcode != opcode)
		errx(1, "opcode %d instead of %d: %.*s", in.opcode, opcode,
		     in.opcode == RELAY_FORCED_LOGOUT ? (int)in.data.len : 0,
		     (const char *)in.data.p);
	return in;
}

void
link_wait_end(struct link *l)
{
	uint8_t rest[512];
	ssize_t n;

	while ((n = recv(l->fd, rest, sizeof(rest), 0)) > 0)
		continue;
	if (n < 0 && errno != ECONNRESET)
		err(1, "recv");
}

/* ---- life ---- */

void
link_connect(struct link *l, unsigned port, unsigned source)
{
	struct sockaddr_in from = {.sin_family = AF_INET}, to = from;
	int one = 1;

	memset(l, 0, sizeof(*l));
	from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + source % 200);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_port = htons((uint16_t)port);
	if ((l->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0)
		err(1, "socket");
	setsockopt(l->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
	setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (bind(l->fd, (struct sockaddr *)&from, sizeof(from)) != 0)
		err(1, "bind");
	if (connect(l->fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		err(1, "connect");
}

static void
set_key(struct link *l, const uint8_t key[AEAD_KEY_LEN])
{
	random_bytes(l->iv, sizeof(l->iv));
	if ((l->seal = aead_new(AEAD_SEAL, key)) == NULL ||
	    (l->open = aead_new(AEAD_OPEN, key)) == NULL)
		errx(1, "no memory for a key");
}

/* 290, 291 and 292 of the relay page, "Handshake". */
void
link_login(struct link *l, const char *name, const struct key *key)
{
	uint8_t in[RELAY_SIZE_LEN + RELAY_CLEAR_MAX], nonce[4], secret[KEX_SECRET_LEN];
	uint8_t ks[SHA256_LEN], signature[KEY_SIGN_MAX];
	struct buf out = BUF_INIT(RELAY_SIZE_LEN + RELAY_CLEAR_MAX);
	struct relay_hello hello = {(int32_t)random_u32(), span_str(name)};
	struct relay_server_hello answer;
	struct relay_proof proof;
	struct kex *x = kex_new();
	size_t len, sig_len;

	if (x == NULL)
		errx(1, "no memory for a key pair");
	must(relay_hello_put(&out, &hello), "290");
	link_write(l, out.p, out.len);

	read_all(l, in, RELAY_SIZE_LEN);
	len = (size_t)(-(int64_t)(int32_t)le32_get(in));
	if (len < 4 || len > RELAY_CLEAR_MAX)
		errx(1, "no clear frame, but size %d", (int32_t)le32_get(in));
	read_all(l, in, len);
	if (le32_get(in) != RELAY_SERVER_HELLO)
		errx(1, "opcode %u instead of 291", le32_get(in));
	must(relay_server_hello_parse(span_of(in + 4, len - 4), &answer), "291");

	must(kex_derive(x, answer.pem, secret), "derive");
	must(sha256(&(struct span){secret, sizeof(secret)}, 1, ks), "hash");
	relay_nonce_bytes(answer.nonce, nonce);
	proof.pem = kex_pem(x);
	must(key_sign(key, (struct span[]){proof.pem, span_of(nonce, 4)}, 2, signature,
		      &sig_len),
	     "sign");
	proof.signature = span_of(signature, sig_len);
	out.len = 0;
	must(relay_proof_put(&out, &proof), "292");
	link_write(l, out.p, out.len);

	set_key(l, ks);
	kex_free(x);
	buf_free(&out);
}

void
link_online(struct link *l, uint8_t *buf)
{
	link_send(l, RELAY_LIST, span_of(NULL, 0));
	link_expect(l, RELAY_LIST, buf);
}

void
link_join(struct link *l, unsigned pair, unsigned side)
{
	uint8_t hello[8 + AEAD_KEY_LEN];

	le32_put(hello, pair);
	le32_put(hello + 4, side);
	random_bytes(hello + 8, AEAD_KEY_LEN);
	set_key(l, hello + 8);
	link_write(l, hello, sizeof(hello));
}

void
link_joined(struct link *l)
{
	uint8_t go;

	read_all(l, &go, 1);
}

void
link_close(struct link *l)
{
	close(l->fd);
	aead_free(l->seal);
	aead_free(l->open);
}

/* ---- chats ---- */

void
link_chat(struct link *a, struct link *b, const char *b_name, uint8_t *buf)
{
	link_send(a, RELAY_CHAT_REQUEST, span_str(b_name));
	link_expect(b, RELAY_CHAT_REQUEST, buf);
	link_send(b, RELAY_CHAT_ACCEPT, span_of(NULL, 0));
	link_expect(b, RELAY_PEER_PUBLIC_KEY, buf);
	link_expect(a, RELAY_CHAT_ACCEPT, buf);
}

void
link_body(uint8_t *out, size_t text_len)
{
	size_t n = RELAY_HEAD_LEN + text_len + RELAY_SEAL_LEN;

	le32_put(out, (uint32_t)n);
	random_bytes(out + RELAY_SIZE_LEN, n);
}
