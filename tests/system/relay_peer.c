/* SPDX-License-Identifier: MIT
 *
 * relay_peer.c - connection, handshake, frames.  Chats are in relay_peer_chat.c.
 */
#define RELAY_PEER_INSIDE
#include "tests/system/relay_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crypto/random.h"
#include "tests/system/relay_peer_way.h"

#define IN_MAX    (32 << 20)
#define FRAME_MAX (17 << 20)

/* ---- connection ---- */

struct peer *
peer_connect_narrow(struct harness *h, int bytes)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(h->port)};
	struct peer *p = calloc(1, sizeof(*p));
	int one = 1;

	ck_assert_ptr_nonnull(p);
	p->h = h;
	p->in = p->plain = p->last = (struct buf)BUF_INIT(IN_MAX);
	strcpy(p->name, "somebody");
	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ne(p->fd, -1);
	if (bytes > 0)
		setsockopt(p->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(p->fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		harness_fail("cannot connect: %s", strerror(errno));
	return p;
}

struct peer *
peer_connect(struct harness *h)
{
	return peer_connect_narrow(h, 0);
}

void
peer_free(struct peer *p)
{
	if (p == NULL)
		return;
	close(p->fd);
	kex_free(p->kex);
	key_free(p->partner);
	key_free(p->server_key);
	way_close(&p->to_server);
	way_close(&p->from_server);
	way_close(&p->to_partner);
	way_close(&p->from_partner);
	buf_free(&p->in);
	buf_free(&p->plain);
	buf_free(&p->last);
	free(p);
}

void
peer_reset(struct peer *p)
{
	struct linger at_once = {1, 0};

	setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	peer_free(p);
}

/* ---- sending bytes ---- */

size_t
peer_try_raw(struct peer *p, struct span bytes)
{
	ssize_t n = send(p->fd, bytes.p, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);

	return n > 0 ? (size_t)n : 0;
}

static void
send_all(struct peer *p, struct span bytes)
{
	int64_t deadline = harness_deadline(HARNESS_WAIT);
	struct pollfd wait = {.fd = p->fd, .events = POLLOUT};

	while (bytes.len > 0) {
		ssize_t n = send(p->fd, bytes.p, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n > 0)
			bytes = span_of(bytes.p + n, bytes.len - (size_t)n);
		else if (n == -1 && errno != EAGAIN)
			harness_fail("%s cannot send: %s", p->name, strerror(errno));
		else if (poll(&wait, 1, clock_left_ms(deadline)) <= 0)
			harness_fail("%s cannot send: the server does not read", p->name);
	}
}

void
peer_send_raw(struct peer *p, struct span bytes)
{
	if (p->held != NULL) {
		ck_assert_int_eq(buf_put_span(p->held, bytes), Q_OK);
		return;
	}
	for (size_t i = 0; p->drips && i < bytes.len; i++)
		send_all(p, span_of(bytes.p + i, 1));
	if (!p->drips)
		send_all(p, bytes);
}

void
peer_send_clear(struct peer *p, int32_t opcode, struct span body)
{
	struct buf out = BUF_INIT(IN_MAX);

	ck_assert_int_eq(buf_put_i32(&out, -(int32_t)(4 + body.len)), Q_OK);
	ck_assert_int_eq(buf_put_i32(&out, opcode), Q_OK);
	ck_assert_int_eq(buf_put_span(&out, body), Q_OK);
	peer_send_raw(p, buf_span(&out));
	buf_free(&out);
}

void
peer_seal(struct peer *p, struct buf *out, int32_t opcode, struct span data)
{
	way_seal(&p->to_server, out, opcode, data);
}

void
peer_send(struct peer *p, int32_t opcode, struct span data)
{
	struct buf out = BUF_INIT(FRAME_MAX);

	peer_seal(p, &out, opcode, data);
	peer_send_raw(p, buf_span(&out));
	buf_free(&out);
}

void
peer_send_text(struct peer *p, int32_t opcode, const char *data)
{
	peer_send(p, opcode, span_str(data));
}

void
peer_send_bare(struct peer *p, int32_t opcode)
{
	peer_send(p, opcode, span_str(""));
}

void
peer_send_flawed(struct peer *p, int32_t opcode, enum peer_flaw flaw)
{
	struct peer_way *way = &p->to_server;
	struct buf out = BUF_INIT(FRAME_MAX);

	switch (flaw) {
	case PEER_COUNTER_AHEAD: way->counter++; break;
	case PEER_COUNTER_BEHIND: way->counter--; break;
	case PEER_COUNTER_NEGATIVE: way->counter = -way->counter - 1; break;
	case PEER_REFLECTED_IV: memcpy(way->iv, p->from_server.iv, 4); break;
	default: break;
	}
	if (flaw == PEER_TOO_SHORT)
		way_seal_head(way, &out, opcode, RELAY_HEAD_LEN - 1);
	else
		way_seal(way, &out, opcode, span_str(""));
	switch (flaw) {
	case PEER_BAD_TAG: out.p[out.len - RELAY_SEAL_LEN] ^= 1; break;
	case PEER_BAD_IV: out.p[out.len - 1] ^= 1; break;
	case PEER_BAD_CT: out.p[RELAY_SIZE_LEN] ^= 1; break;
	default: break;
	}
	peer_send_raw(p, buf_span(&out));
	buf_free(&out);
}

/* ---- receiving frames ---- */

bool
peer_readable(const struct peer *p)
{
	struct pollfd wait = {.fd = p->fd, .events = POLLIN};

	return p->in_used < p->in.len || poll(&wait, 1, 0) > 0;
}

/* Wait for more bytes; false at the end of the connection. */
static bool
fill(struct peer *p, int64_t deadline)
{
	struct pollfd wait = {.fd = p->fd, .events = POLLIN};
	ssize_t n;

	buf_consume(&p->in, p->in_used);
	p->in_used = 0;
	if (poll(&wait, 1, clock_left_ms(deadline)) <= 0)
		harness_fail("%s waits in vain", p->name);
	ck_assert_int_eq(buf_reserve(&p->in, 65536), Q_OK);
	n = recv(p->fd, p->in.p + p->in.len, 65536, 0);
	if (n == -1 && errno != ECONNRESET)
		harness_fail("%s cannot receive: %s", p->name, strerror(errno));
	if (n <= 0)
		return false;
	p->in.len += (size_t)n;
	return true;
}

bool
peer_ends(struct peer *p)
{
	return !fill(p, harness_deadline(HARNESS_WAIT));
}

void
peer_take_raw(struct peer *p, struct buf *out)
{
	if (!fill(p, harness_deadline(HARNESS_WAIT)))
		harness_fail("%s has nothing to read but the end", p->name);
	ck_assert_int_eq(buf_put_span(out, buf_span(&p->in)), Q_OK);
	p->in_used = 0;
}

static bool
next_frame(struct peer *p, struct relay_frame *f)
{
	int64_t deadline = harness_deadline(HARNESS_WAIT);
	enum qerr e;

	for (;;) {
		struct span in = span_of(p->in.p + p->in_used, p->in.len - p->in_used);

		e = relay_frame_next(in, FRAME_MAX, FRAME_MAX, f);
		if (e == Q_OK) {
			p->in_used += f->total;
			return true;
		}
		if (e != Q_SHORT)
			harness_fail("%s received a broken frame", p->name);
		if (!fill(p, deadline))
			return false;
	}
}

bool
peer_next(struct peer *p, int32_t *opcode, struct span *data)
{
	struct relay_frame f;
	struct relay_inner m;

	if (!next_frame(p, &f))
		return false;
	if (f.clear)
		harness_fail("%s received a clear frame, %d", p->name,
			     (int)le32_get(f.body.p));
	way_open(&p->from_server, f.body, &p->plain, p->name, "the server");
	ck_assert_int_eq(relay_inner_parse(buf_span(&p->plain), &m), Q_OK);
	*opcode = m.opcode;
	*data = m.data;
	return true;
}

struct span
peer_expect(struct peer *p, int32_t opcode)
{
	struct span data;
	int32_t got;

	if (!peer_next(p, &got, &data))
		harness_fail("%s expects %d, the connection ended", p->name, opcode);
	if (got != opcode)
		harness_fail("%s expects %d, received %d", p->name, opcode, got);
	return data;
}

void
peer_expect_bare(struct peer *p, int32_t opcode)
{
	struct span data = peer_expect(p, opcode);

	if (data.len != 0)
		harness_fail("%s: %d should have no data", p->name, opcode);
}

void
peer_expect_name(struct peer *p, int32_t opcode, const char *name)
{
	struct span data = peer_expect(p, opcode);

	if (!span_eq(data, span_of(name, strlen(name) + p->distinct)))
		harness_fail("%s: %d should have the name %s, has \"%.*s\" (%zu bytes)",
			     p->name, opcode, name, (int)data.len, (const char *)data.p,
			     data.len);
}

void
peer_expect_end(struct peer *p)
{
	struct relay_frame f;

	if (next_frame(p, &f))
		harness_fail("%s expects the end, received a frame", p->name);
	if (p->in.len > 0)
		harness_fail("%s received half a frame", p->name);
}

void
peer_expect_forced_logout(struct peer *p)
{
	peer_expect(p, RELAY_FORCED_LOGOUT);
	peer_expect_end(p);
}

struct span
peer_expect_clear(struct peer *p, int32_t opcode)
{
	struct relay_frame f;

	if (!next_frame(p, &f))
		harness_fail("%s expects %d, the connection ended", p->name, opcode);
	if (!f.clear || (int32_t)le32_get(f.body.p) != opcode)
		harness_fail("%s expects %d, received something else", p->name, opcode);
	return span_of(f.body.p + 4, f.body.len - 4);
}

void
peer_drain(struct peer *p)
{
	int64_t deadline = harness_deadline(HARNESS_WAIT);

	do {
		p->in_used = p->in.len;
	} while (fill(p, deadline));
}

void
peer_expect_list(struct peer *p, const char *names)
{
	struct buf got = BUF_INIT(1 << 20);
	char name[NAME_SIZE];
	struct reader r;
	enum qerr e;

	peer_send_bare(p, RELAY_LIST);
	r = reader_of(peer_expect(p, p->distinct ? RELAY_LIST_DISTINCT : RELAY_LIST));
	while ((e = relay_list_next(&r, name)) == Q_OK)
		ck_assert_int_eq(buf_printf(&got, "%s%s", got.len > 0 ? " " : "", name),
				 Q_OK);
	if (e != Q_MISSING)
		harness_fail("%s received a broken list", p->name);
	if (!span_eq(buf_span(&got), span_str(names)))
		harness_fail("%s: the list should be \"%s\", is \"%.*s\"", p->name, names,
			     (int)got.len, (const char *)got.p);
	buf_free(&got);
}

void
peer_expect_nothing(struct peer *p)
{
	peer_send_bare(p, RELAY_LIST);
	peer_expect(p, p->distinct ? RELAY_LIST_DISTINCT : RELAY_LIST);
}

/* ---- handshake ---- */

void
peer_hello_send_span(struct peer *p, struct span name)
{
	struct relay_hello hello = {(int32_t)random_u32(), name};
	struct buf out = BUF_INIT(RELAY_CLEAR_MAX);

	/* For messages; a name that is none leaves "somebody". */
	(void)relay_name_parse(name, p->name);
	p->nonce = hello.nonce;
	ck_assert_int_eq(relay_hello_put(&out, &hello), Q_OK);
	peer_send_raw(p, buf_span(&out));
	buf_free(&out);
}

void
peer_hello_send(struct peer *p, const char *name)
{
	peer_hello_send_span(p, span_str(name));
}

/* The server's key, once its certificate is found to be from the CA. */
static struct key *
server_key(struct peer *p, struct span pem)
{
	struct buf ca_pem = BUF_INIT(CERT_PEM_MAX);
	struct cert *ca, *cert;
	struct key *key;

	ck_assert(harness_read(p->h, "server/ca.pem", &ca_pem));
	ck_assert_int_eq(cert_parse(buf_span(&ca_pem), &ca), Q_OK);
	ck_assert_int_eq(cert_parse(pem, &cert), Q_OK);
	ck_assert_int_eq(cert_check(cert, ca), Q_OK);
	ck_assert_int_eq(cert_key(cert, &key), Q_OK);
	cert_free(cert);
	cert_free(ca);
	buf_free(&ca_pem);
	return key;
}

void
peer_hello_receive(struct peer *p)
{
	struct relay_server_hello m;
	struct key *key;
	uint8_t nonce[4];

	if (relay_server_hello_parse(peer_expect_clear(p, RELAY_SERVER_HELLO), &m) !=
	    Q_OK)
		harness_fail("%s received a broken 291", p->name);
	key = server_key(p, m.cert);
	relay_nonce_bytes(p->nonce, nonce);
	if (key_verify(key, (struct span[]){m.pem, span_of(nonce, 4)}, 2, m.signature) !=
	    Q_OK)
		harness_fail("%s: the server's signature is wrong", p->name);
	key_free(p->server_key);
	p->server_key = key;
	p->nonce_from = m.nonce;
	p->kex = kex_new();
	ck_assert_ptr_nonnull(p->kex);
	way_derive(p->kex, m.pem, &p->to_server, &p->from_server, NULL);
}

void
peer_hello(struct peer *p, const char *name)
{
	peer_hello_send(p, name);
	peer_hello_receive(p);
}

void
peer_prove(struct peer *p, const struct key *key)
{
	uint8_t nonce[4], sign[KEY_SIGN_MAX];
	struct relay_proof m = {kex_pem(p->kex), {sign, 0}};
	struct buf out = BUF_INIT(RELAY_CLEAR_MAX);

	relay_nonce_bytes(p->nonce_from, nonce);
	ck_assert_int_eq(key_sign(key, (struct span[]){m.pem, span_of(nonce, 4)}, 2, sign,
				  &m.signature.len),
			 Q_OK);
	ck_assert_int_eq(relay_proof_put(&out, &m), Q_OK);
	peer_send_raw(p, buf_span(&out));
	buf_free(&out);
	kex_free(p->kex);
	p->kex = NULL;
	p->key = key;
}

static struct peer *
login(struct harness *h, const char *name, bool distinct)
{
	struct peer *p = peer_connect(h);

	p->distinct = distinct;
	peer_hello(p, name);
	peer_prove(p, harness_key(h, name));
	peer_expect_nothing(p);
	return p;
}

struct peer *
peer_login(struct harness *h, const char *name)
{
	return login(h, name, false);
}

struct peer *
peer_login_distinct(struct harness *h, const char *name)
{
	return login(h, name, true);
}
