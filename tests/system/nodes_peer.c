/* SPDX-License-Identifier: MIT */
#include "tests/system/nodes_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "crypto/cert.h"
#include "tests/system/tls_peer.h"

/* ---- connections ---- */

int
nodes_dial(struct harness *h, const char *from)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(h->port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in source = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	ck_assert_int_ne(fd, -1);
	/* Small messages must not wait for each other's acknowledgement. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (from != NULL) {
		ck_assert_int_eq(inet_pton(AF_INET, from, &source.sin_addr), 1);
		ck_assert_int_eq(bind(fd, (struct sockaddr *)&source, sizeof(source)), 0);
	}
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == -1)
		harness_fail("cannot connect: %s", strerror(errno));
	return fd;
}

/* Wait until fd is ready, or fail. */
static void
wait_for(int fd, short events, const char *what)
{
	struct pollfd p = {.fd = fd, .events = events};

	if (poll(&p, 1, clock_left_ms(harness_deadline(HARNESS_WAIT))) != 1)
		harness_fail("waited in vain %s", what);
}

/* Read exactly n bytes, no more; false at the end. */
static bool
read_exactly(int fd, uint8_t *out, size_t n)
{
	while (n > 0) {
		ssize_t got;

		wait_for(fd, POLLIN, "for an answer to the greeting");
		got = recv(fd, out, n, 0);
		if (got <= 0)
			return false;
		out += got;
		n -= (size_t)got;
	}
	return true;
}

int
nodes_greet(int fd, enum nodes_type hello, uint8_t major, uint8_t minor)
{
	uint8_t m[4] = {(uint8_t)hello, (uint8_t)hello, major, minor}, answer[4];
	struct nodes_message got;

	ck_assert_int_eq(send(fd, m, sizeof(m), MSG_NOSIGNAL), sizeof(m));
	if (!read_exactly(fd, answer, sizeof(answer)))
		return 0;
	ck_assert_int_eq(
	    nodes_next(span_of(answer, sizeof(answer)), NODES_ACCEPTOR, &got), Q_OK);
	return (int)got.type;
}

/* Key and certificate for libssl, by way of PEM. */
static void
show(SSL_CTX *ctx, const struct key *key, const char *cn)
{
	struct buf pem = BUF_INIT(CERT_PEM_MAX);
	struct cert *cert;
	EVP_PKEY *pkey;
	X509 *x509;
	BIO *in;

	ck_assert_int_eq(cert_make_self(key, cn, 30, &cert), Q_OK);
	ck_assert_int_eq(cert_pem(cert, &pem), Q_OK);
	cert_free(cert);
	in = BIO_new_mem_buf(pem.p, (int)pem.len);
	x509 = PEM_read_bio_X509(in, NULL, NULL, NULL);
	BIO_free(in);
	pem.len = 0;
	ck_assert_int_eq(key_private_pem(key, NULL, &pem), Q_OK);
	in = BIO_new_mem_buf(pem.p, (int)pem.len);
	pkey = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
	BIO_free(in);
	ck_assert_int_eq(SSL_CTX_use_cert_and_key(ctx, x509, pkey, NULL, 1), 1);
	X509_free(x509);
	EVP_PKEY_free(pkey);
	buf_wipe(&pem);
}

/* who_connected: we have, so we are TLS's server. */
static SSL *
swapped_ssl(struct harness *h, int fd, const struct key *key, const char *cn,
	    bool who_connected)
{
	SSL_CTX *ctx =
	    SSL_CTX_new(who_connected ? TLS_server_method() : TLS_client_method());
	struct timeval tv = {clock_left_ms(harness_deadline(HARNESS_WAIT)) / 1000, 0};
	char ca[HARNESS_PATH + 32];
	SSL *ssl;

	ck_assert_ptr_nonnull(ctx);
	snprintf(ca, sizeof(ca), "%s/server/ca.pem", h->data);
	ck_assert_int_eq(SSL_CTX_load_verify_file(ctx, ca), 1);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	show(ctx, key, cn);
	ssl = SSL_new(ctx);
	ck_assert_ptr_nonnull(ssl);
	SSL_CTX_free(ctx);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	return ssl;
}

static int
shake_hands(SSL *ssl, int fd, bool who_connected)
{
	ck_assert_int_eq(SSL_set_fd(ssl, fd), 1);
	if (!tls_peer_shake(ssl, who_connected ? SSL_accept : SSL_connect)) {
		ERR_clear_error();
		SSL_free(ssl);
		close(fd);
		return -1;
	}
	return tls_peer_pump(ssl);
}

static int
swapped_tls(struct harness *h, int fd, const struct key *key, const char *cn,
	    bool who_connected)
{
	return shake_hands(swapped_ssl(h, fd, key, cn, who_connected), fd, who_connected);
}

int
nodes_tls(struct harness *h, int fd, const struct key *key, const char *cn)
{
	return swapped_tls(h, fd, key, cn, true);
}

/* What our half of the handshake consists of is made in memory, sent but for its last
 * byte, and that behind meanwhile. */
static int
late_tls(struct harness *h, int fd, const struct key *key, const char *cn,
	 void (*meanwhile)(struct harness *h))
{
	SSL *ssl = swapped_ssl(h, fd, key, cn, true);
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
	uint8_t hello[4096];
	char *flight;
	ssize_t got;
	long n;

	ck_assert(in != NULL && out != NULL);
	SSL_set_bio(ssl, in, out);
	do {
		got = recv(fd, hello, sizeof(hello), 0);
		ck_assert_int_gt(got, 0);
		ck_assert_int_eq(BIO_write(in, hello, (int)got), (int)got);
		ck_assert_int_ne(SSL_accept(ssl), 1);
	} while ((n = BIO_get_mem_data(out, &flight)) == 0);
	ck_assert_int_eq(send(fd, flight, (size_t)n - 1, 0), n - 1);
	meanwhile(h);
	ck_assert_int_eq(send(fd, flight + n - 1, 1, 0), 1);
	return shake_hands(ssl, fd, true);
}

static struct nodes_peer *
peer_new(int fd, enum nodes_speaker other)
{
	struct nodes_peer *p = calloc(1, sizeof(*p));

	ck_assert_ptr_nonnull(p);
	p->fd = fd;
	p->other = other;
	p->in = (struct buf)BUF_INIT(NODES_MESSAGE_MAX + 65536);
	return p;
}

static struct nodes_peer *
open_with(struct harness *h, const char *from, enum nodes_type hello,
	  const struct key *key, const char *cn)
{
	int fd = nodes_dial(h, from);

	ck_assert_int_eq(nodes_greet(fd, hello, NODES_MAJOR, NODES_MINOR), NODES_OK);
	if ((fd = nodes_tls(h, fd, key, cn)) == -1)
		return NULL;
	return peer_new(fd, hello == NODES_CLIENT_HELLO ? NODES_SERVER : NODES_NODE);
}

struct nodes_peer *
nodes_open_late(struct harness *h, enum nodes_type hello, const struct key *key,
		const char *cn, void (*meanwhile)(struct harness *h))
{
	int fd = nodes_dial(h, NULL);

	ck_assert_int_eq(nodes_greet(fd, hello, NODES_MAJOR, NODES_MINOR), NODES_OK);
	if ((fd = late_tls(h, fd, key, cn, meanwhile)) == -1)
		return NULL;
	return peer_new(fd, hello == NODES_CLIENT_HELLO ? NODES_SERVER : NODES_NODE);
}

struct nodes_peer *
nodes_control_open(struct harness *h, const char *from, const struct key *key,
		   const char *cn)
{
	return open_with(h, from, NODES_CLIENT_HELLO, key, cn);
}

struct nodes_peer *
nodes_login(struct harness *h, const char *user)
{
	struct nodes_peer *p = nodes_control_open(h, NULL, harness_key(h, user), user);
	struct nodes_message m = {.type = NODES_WHO_NAME};

	if (p == NULL)
		harness_fail("%s cannot log in", user);
	nodes_send(p, &m);
	m = nodes_hear(p);
	ck_assert_int_eq(m.type, NODES_WHO_IS);
	ck_assert_uint_ne(m.uin, 0);
	p->uin = m.uin;
	return p;
}

struct nodes_peer *
nodes_node_open(struct harness *h, const struct key *key)
{
	return open_with(h, NULL, NODES_NODE_HELLO, key, "another node");
}

struct nodes_peer *
nodes_node_accept(struct harness *h, int fd, const struct key *key)
{
	uint8_t hello[4];
	struct nodes_message m;

	ck_assert(read_exactly(fd, hello, sizeof(hello)));
	ck_assert_int_eq(nodes_next(span_of(hello, 4), NODES_OPENER, &m), Q_OK);
	ck_assert_int_eq(m.type, NODES_NODE_HELLO);
	ck_assert_int_eq(send(fd, "\x01\x01OK", 4, MSG_NOSIGNAL), 4);
	fd = swapped_tls(h, fd, key, "another node", false);
	return fd == -1 ? NULL : peer_new(fd, NODES_NODE);
}

struct nodes_peer *
nodes_data_open(struct harness *h, const char *from, uint32_t caller, uint32_t callee)
{
	struct nodes_peer *p = peer_new(nodes_dial(h, from), NODES_CORRESPONDENT);

	nodes_say2(p, NODES_DATA_HELLO, caller, callee);
	return p;
}

void
nodes_finish_sending(struct nodes_peer *p)
{
	ck_assert_int_eq(shutdown(p->fd, SHUT_WR), 0);
}

void
nodes_reset(struct nodes_peer *p)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};

	setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	nodes_close(p);
}

void
nodes_close(struct nodes_peer *p)
{
	if (p == NULL)
		return;
	close(p->fd);
	buf_free(&p->in);
	free(p);
}

/* ---- bytes ---- */

bool
nodes_try_send(struct nodes_peer *p, struct span bytes, int wait_ms)
{
	while (bytes.len > 0) {
		struct pollfd wait = {.fd = p->fd, .events = POLLOUT};
		ssize_t n;

		if (poll(&wait, 1, clock_left_ms(harness_deadline(wait_ms))) != 1)
			return false;
		n = send(p->fd, bytes.p, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN)
			return false;
		if (n > 0)
			bytes = span_of(bytes.p + n, bytes.len - (size_t)n);
	}
	return true;
}

void
nodes_send_bytes(struct nodes_peer *p, struct span bytes)
{
	if (!nodes_try_send(p, bytes, HARNESS_WAIT))
		harness_fail("the server does not take what is sent");
}

/* More input; false at the end. */
static bool
read_more(struct nodes_peer *p, const char *what)
{
	ssize_t n;

	buf_consume(&p->in, p->in_used);
	p->in_used = 0;
	ck_assert_int_eq(buf_reserve(&p->in, 16384), Q_OK);
	wait_for(p->fd, POLLIN, what);
	n = recv(p->fd, p->in.p + p->in.len, p->in.cap - p->in.len, 0);
	if (n > 0)
		p->in.len += (size_t)n;
	return n > 0;
}

static struct span
unread(const struct nodes_peer *p)
{
	if (p->in.p == NULL)
		return span_of(NULL, 0);
	return span_of(p->in.p + p->in_used, p->in.len - p->in_used);
}

void
nodes_take_bytes(struct nodes_peer *p, uint8_t *out, size_t n)
{
	while (n > 0) {
		struct span in = unread(p);
		size_t some = in.len < n ? in.len : n;

		if (some > 0)
			memcpy(out, in.p, some);
		p->in_used += some;
		out += some;
		n -= some;
		if (n > 0 && !read_more(p, "for bytes"))
			harness_fail("%zu bytes are missing", n);
	}
}

void
nodes_expect_bytes(struct nodes_peer *p, struct span bytes)
{
	uint8_t *got = malloc(bytes.len + 1);

	ck_assert_ptr_nonnull(got);
	nodes_take_bytes(p, got, bytes.len);
	if (memcmp(got, bytes.p, bytes.len) != 0)
		harness_fail("other bytes came");
	free(got);
}

/* ---- messages ---- */

void
nodes_send(struct nodes_peer *p, const struct nodes_message *m)
{
	struct buf b = BUF_INIT(NODES_MESSAGE_MAX);

	ck_assert_int_eq(nodes_put(&b, m), Q_OK);
	nodes_send_bytes(p, buf_span(&b));
	buf_free(&b);
}

void
nodes_say(struct nodes_peer *p, enum nodes_type type, uint32_t uin)
{
	nodes_send(p, &(struct nodes_message){.type = type, .uin = uin});
}

void
nodes_say2(struct nodes_peer *p, enum nodes_type type, uint32_t uin, uint32_t uin2)
{
	nodes_send(p, &(struct nodes_message){.type = type, .uin = uin, .uin2 = uin2});
}

void
nodes_say_data(struct nodes_peer *p, uint32_t from, uint32_t to, struct span bytes)
{
	nodes_send(p, &(struct nodes_message){
			  .type = NODES_DATA, .uin = from, .uin2 = to, .bytes = bytes});
}

/* False: the connection has ended. */
static bool
next(struct nodes_peer *p, struct nodes_message *m, const char *what)
{
	int64_t until = harness_deadline(HARNESS_WAIT);
	enum qerr e;

	for (;;) {
		while ((e = nodes_next(unread(p), p->other, m)) == Q_SHORT)
			if (!read_more(p, what))
				return false;
		if (e != Q_OK)
			harness_fail("what comes is no message");
		p->in_used += m->total;
		if (m->type != NODES_PING)
			return true;
		/* Pings alone are not what is waited for. */
		if (clock_left_ms(until) == 0)
			harness_fail("waited in vain %s", what);
		p->pings++;
		m->type = NODES_PONG;
		nodes_send(p, m);
	}
}

struct nodes_message
nodes_hear(struct nodes_peer *p)
{
	struct nodes_message m;

	if (!next(p, &m, "for a message"))
		harness_fail("the connection has ended");
	return m;
}

void
nodes_expect2(struct nodes_peer *p, enum nodes_type type, uint32_t uin, uint32_t uin2)
{
	char what[96];
	struct nodes_message m;

	snprintf(what, sizeof(what), "for %02X of %u", (unsigned)type, uin);
	if (!next(p, &m, what))
		harness_fail("the connection has ended, and not with %02X of %u",
			     (unsigned)type, uin);
	if (m.type != type || m.uin != uin || m.uin2 != uin2)
		harness_fail("%02X of %u (%u) came, not %02X of %u (%u)",
			     (unsigned)m.type, m.uin, m.uin2, (unsigned)type, uin, uin2);
}

void
nodes_expect(struct nodes_peer *p, enum nodes_type type, uint32_t uin)
{
	nodes_expect2(p, type, uin, 0);
}

void
nodes_expect_nothing(struct nodes_peer *p)
{
	static uint8_t count;
	struct nodes_message ping = {.type = NODES_PING, .two = {0x5a, ++count}}, m;

	nodes_send(p, &ping);
	m = nodes_hear(p);
	if (m.type != NODES_PONG || memcmp(m.two, ping.two, 2) != 0)
		harness_fail("%02X of %u came, and nothing was expected",
			     (unsigned)m.type, m.uin);
}

void
nodes_expect_end(struct nodes_peer *p)
{
	struct nodes_message m;

	if (p->other == NODES_CORRESPONDENT) {
		if (unread(p).len > 0 || read_more(p, "for the end"))
			harness_fail("bytes came, and the end was expected");
		return;
	}
	if (next(p, &m, "for the end"))
		harness_fail("%02X of %u came, and the end was expected",
			     (unsigned)m.type, m.uin);
}

/* ---- a call ---- */

void
nodes_call(struct harness *ha, struct nodes_peer *a, struct harness *hb,
	   struct nodes_peer *b, struct nodes_peer *data[2])
{
	nodes_say(a, NODES_CALL, b->uin);
	nodes_expect(b, NODES_CALLED, a->uin);
	nodes_say(b, NODES_ALLOW, a->uin);
	data[1] = nodes_data_open(hb, NULL, a->uin, b->uin);
	nodes_expect(a, NODES_READY, b->uin);
	data[0] = nodes_data_open(ha, NULL, a->uin, b->uin);
}
