/* SPDX-License-Identifier: MIT
 *
 * Between OpenSSL and the socket stands a BIO of our own.  It hands out what was read
 * before TLS began; it never blocks and never raises SIGPIPE; and the end of the
 * stream looks to OpenSSL like "nothing there now", because OpenSSL would take a
 * missing close_notify for an attack and refuse to write any more: but a peer that
 * has shut its sending side may still read our last words.  Protocols know by
 * themselves whether a message is whole.
 *
 * Memory: OpenSSL's two buffers of 16 KiB are given back whenever they are empty.
 * Reading ahead takes many small records with one recv(2).
 *
 * In bulk (tls_bulk) the BIO has buffers of its own, since OpenSSL reads and writes one
 * record at a time, and system calls cost more than copies within the cache.  What was
 * sealed and not sent is nobody's but ours; so that the caller comes back for it, one byte
 * of his stays with him until it has gone.
 */
#include "crypto/tls.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "crypto/cert_inner.h"
#include "crypto/evp.h"

#define TICKET_SECONDS 3600
#define BULK_MAX       (128 * 1024) /* of what is received, and of what is sealed */
#define RECORD_ROOM    (SSL3_RT_MAX_PACKET_SIZE) /* that one record may need */

struct tls_context {
	atomic_uint refs;
	SSL_CTX *ctx;
	bool server;
};

struct tls {
	SSL *ssl;
	struct tls_context *context;
	int fd;
	struct buf first; /* read from the socket, and not by OpenSSL yet */
	size_t first_used;
	bool bulk;
	bool gathering;    /* bulk: records are to be sent together */
	struct buf sealed; /* bulk: of these, sealed_sent bytes went */
	size_t sealed_sent;
	bool ended;       /* the socket has no more to read */
	int failure;      /* errno of the socket, or 0 */
	enum qerr broken; /* what ended it for good, or Q_OK */
	const char *reason;
	bool (*judge)(void *arg, const struct cert *peer);
	void *judge_arg;
};

/* ---- the BIO ---- */

static int
bio_failed(BIO *b, struct tls *t, int retry)
{
	if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ||
	    errno == ENOBUFS || errno == ENOMEM)
		BIO_set_flags(b, retry | BIO_FLAGS_SHOULD_RETRY);
	else
		t->failure = errno;
	return -1;
}

/* At most n bytes of what was read before. */
static size_t
take_first(struct tls *t, char *p, size_t n)
{
	size_t left = t->first.len - t->first_used;

	n = n < left ? n : left;
	if (n > 0)
		memcpy(p, t->first.p + t->first_used, n);
	t->first_used += n;
	if (t->first_used == t->first.len) {
		if (!t->bulk)
			buf_free(&t->first);
		t->first.len = t->first_used = 0;
	}
	return n;
}

static int
bio_read(BIO *b, char *p, int n)
{
	struct tls *t = BIO_get_data(b);
	size_t len = n > 0 ? (size_t)n : 0, have = take_first(t, p, len);
	ssize_t r;

	BIO_clear_retry_flags(b);
	if (have > 0)
		return (int)have;
	if (t->ended)
		r = 0;
	else if (t->bulk)
		r = recv(t->fd, t->first.p, t->first.cap, MSG_DONTWAIT);
	else
		r = recv(t->fd, p, len, MSG_DONTWAIT);
	if (r > 0 && t->bulk) {
		t->first.len = (size_t)r;
		return (int)take_first(t, p, len);
	}
	if (r > 0)
		return (int)r;
	if (r < 0)
		return bio_failed(b, t, BIO_FLAGS_READ);
	t->ended = true;
	BIO_set_retry_read(b);
	return -1;
}

/* Send what was sealed.  False: errno says why not all went. */
static bool
send_sealed(struct tls *t)
{
	while (t->sealed_sent < t->sealed.len) {
		ssize_t r =
		    send(t->fd, t->sealed.p + t->sealed_sent,
			 t->sealed.len - t->sealed_sent, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (r < 0)
			return false;
		t->sealed_sent += (size_t)r;
	}
	t->sealed.len = t->sealed_sent = 0;
	return true;
}

static int
bio_write(BIO *b, const char *p, int n)
{
	struct tls *t = BIO_get_data(b);
	size_t len = n > 0 ? (size_t)n : 0;
	ssize_t r;

	BIO_clear_retry_flags(b);
	/* There is room for the record (tls_write_bulk). */
	if (t->gathering && buf_put(&t->sealed, p, len) == Q_OK)
		return n;
	if (!send_sealed(t))
		return bio_failed(b, t, BIO_FLAGS_WRITE);
	r = send(t->fd, p, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	return r >= 0 ? (int)r : bio_failed(b, t, BIO_FLAGS_WRITE);
}

static long
bio_ctrl(BIO *b, int what, long n, void *p)
{
	(void)b, (void)n, (void)p;
	return what == BIO_CTRL_FLUSH; /* there is nothing to flush */
}

/* Shared and never freed, as in evp.c. */
static const BIO_METHOD *
bio_method(void)
{
	static _Atomic(BIO_METHOD *) method;
	BIO_METHOD *mine, *shared = atomic_load(&method);

	if (shared != NULL)
		return shared;
	mine = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
	if (mine == NULL)
		return NULL;
	BIO_meth_set_read(mine, bio_read);
	BIO_meth_set_write(mine, bio_write);
	BIO_meth_set_ctrl(mine, bio_ctrl);
	if (atomic_compare_exchange_strong(&method, &shared, mine))
		return mine;
	BIO_meth_free(mine);
	return shared;
}

/* ---- contexts ---- */

static enum qerr
context_new(bool server, struct tls_context **out)
{
	struct tls_context *c = calloc(1, sizeof(*c));
	SSL_CTX *ctx;

	if (c == NULL)
		return Q_NOMEM;
	ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
	if (ctx == NULL) {
		free(c);
		return evp_failed(Q_NOMEM);
	}
	atomic_init(&c->refs, 1);
	c->ctx = ctx;
	c->server = server;
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
				     SSL_OP_CIPHER_SERVER_PREFERENCE |
				     SSL_OP_PRIORITIZE_CHACHA);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
				  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_timeout(ctx, TICKET_SECONDS);
	SSL_CTX_set_read_ahead(ctx, 1);
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1 ||
	    SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
					  "TLS_CHACHA20_POLY1305_SHA256") != 1 ||
	    SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384") != 1 ||
	    SSL_CTX_set_num_tickets(ctx, 1) != 1) {
		tls_context_free(c);
		return evp_failed(Q_CRYPTO);
	}
	*out = c;
	return Q_OK;
}

/* Read all certificates of pem.  Q_FORMAT: there is none, or one is broken. */
static enum qerr
read_certs(struct span pem, STACK_OF(X509) * *out)
{
	STACK_OF(X509) *list = sk_X509_new_null();
	BIO *in = pem.len > 0 ? BIO_new_mem_buf(pem.p, (int)pem.len) : NULL;
	X509 *x;
	bool whole;

	while (list != NULL && in != NULL &&
	       (x = PEM_read_bio_X509(in, NULL, NULL, NULL)) != NULL)
		if (sk_X509_push(list, x) <= 0) {
			X509_free(x);
			break;
		}
	/* The end of the text is the one error that is expected. */
	whole = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
	BIO_free(in);
	if (list != NULL && sk_X509_num(list) > 0 && whole) {
		ERR_clear_error();
		*out = list;
		return Q_OK;
	}
	sk_X509_pop_free(list, X509_free);
	return evp_failed(list == NULL ? Q_NOMEM : Q_FORMAT);
}

/* Show key and chain, whose first certificate is the key's. */
static enum qerr
show(struct tls_context *c, const struct key *key, struct span chain)
{
	STACK_OF(X509) * certs;
	enum qerr e = read_certs(chain, &certs);
	X509 *leaf;

	if (e != Q_OK)
		return e;
	leaf = sk_X509_shift(certs);
	if (SSL_CTX_use_cert_and_key(c->ctx, leaf, key_evp(key), certs, 1) != 1)
		e = evp_failed(Q_DENIED);
	X509_free(leaf);
	sk_X509_pop_free(certs, X509_free);
	return e;
}

enum qerr
tls_server_context(const struct key *key, struct span chain, struct tls_context **out)
{
	struct tls_context *c;
	enum qerr e = context_new(true, &c);

	if (e == Q_OK && (e = show(c, key, chain)) != Q_OK)
		tls_context_free(c);
	if (e == Q_OK)
		*out = c;
	return e;
}

/* Called by libssl in place of its own look at the peer's chain. */
static int
ask_judge(X509_STORE_CTX *store, void *unused)
{
	const SSL *ssl =
	    X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	const struct tls *t = BIO_get_data(SSL_get_rbio(ssl));
	struct cert peer = {X509_STORE_CTX_get0_cert(store)};
	bool welcome =
	    peer.x509 != NULL && t->judge != NULL && t->judge(t->judge_arg, &peer);

	(void)unused;
	/* What the judge has asked libcrypto may have left errors behind. */
	ERR_clear_error();
	X509_STORE_CTX_set_error(store, welcome ? X509_V_OK
						: X509_V_ERR_APPLICATION_VERIFICATION);
	return welcome;
}

enum qerr
tls_mutual_context(bool server, const struct key *key, struct span chain,
		   struct tls_context **out)
{
	struct tls_context *c;
	enum qerr e = context_new(server, &c);

	if (e != Q_OK)
		return e;
	if ((e = show(c, key, chain)) != Q_OK) {
		tls_context_free(c);
		return e;
	}
	SSL_CTX_set_verify(c->ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
			   NULL);
	SSL_CTX_set_cert_verify_callback(c->ctx, ask_judge, NULL);
	/* Whoever comes again is judged again. */
	SSL_CTX_set_options(c->ctx, SSL_OP_NO_TICKET);
	if (SSL_CTX_set_num_tickets(c->ctx, 0) != 1) {
		tls_context_free(c);
		return evp_failed(Q_CRYPTO);
	}
	*out = c;
	return Q_OK;
}

static enum qerr
trust(struct tls_context *c, struct span ca)
{
	X509_STORE *store = SSL_CTX_get_cert_store(c->ctx);
	STACK_OF(X509) * certs;
	enum qerr e = read_certs(ca, &certs);

	if (e != Q_OK)
		return e;
	for (int i = 0; e == Q_OK && i < sk_X509_num(certs); i++)
		if (X509_STORE_add_cert(store, sk_X509_value(certs, i)) != 1)
			e = evp_failed(Q_NOMEM);
	sk_X509_pop_free(certs, X509_free);
	SSL_CTX_set_verify(c->ctx, SSL_VERIFY_PEER, NULL);
	return e;
}

enum qerr
tls_client_context(struct span ca, struct tls_context **out)
{
	struct tls_context *c;
	enum qerr e = context_new(false, &c);

	if (e != Q_OK)
		return e;
	if (ca.len > 0 && (e = trust(c, ca)) != Q_OK) {
		tls_context_free(c);
		return e;
	}
	*out = c;
	return Q_OK;
}

struct tls_context *
tls_context_ref(struct tls_context *c)
{
	atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
	return c;
}

void
tls_context_free(struct tls_context *c)
{
	if (c == NULL ||
	    atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1)
		return;
	SSL_CTX_free(c->ctx);
	free(c);
}

/* ---- connections ---- */

struct tls *
tls_new(struct tls_context *c, int fd, struct span first)
{
	struct tls *t = calloc(1, sizeof(*t));
	const BIO_METHOD *method = bio_method();
	BIO *bio = method != NULL ? BIO_new(method) : NULL;

	if (t != NULL)
		t->first = (struct buf)BUF_INIT(first.len);
	if (t == NULL || bio == NULL || buf_put_span(&t->first, first) != Q_OK ||
	    (t->ssl = SSL_new(c->ctx)) == NULL) {
		BIO_free(bio);
		if (t != NULL)
			buf_free(&t->first);
		free(t);
		ERR_clear_error();
		return NULL;
	}
	t->context = tls_context_ref(c);
	t->fd = fd;
	t->reason = "";
	BIO_set_data(bio, t);
	BIO_set_init(bio, 1);
	SSL_set_bio(t->ssl, bio, bio);
	if (c->server)
		SSL_set_accept_state(t->ssl);
	else
		SSL_set_connect_state(t->ssl);
	return t;
}

void
tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	SSL_free(t->ssl);
	tls_context_free(t->context);
	buf_free(&t->first);
	buf_free(&t->sealed);
	free(t);
}

enum qerr
tls_bulk(struct tls *t)
{
	struct buf sealed = BUF_INIT(BULK_MAX);
	enum qerr e;

	/* It may hold what was read before TLS began, but hardly ever does. */
	t->first.max = t->first.len > BULK_MAX ? t->first.len : BULK_MAX;
	if ((e = buf_reserve(&t->first, t->first.max - t->first.len)) != Q_OK ||
	    (e = buf_reserve(&sealed, BULK_MAX)) != Q_OK)
		return e;
	t->sealed = sealed;
	t->bulk = true;
	/* It would move what is left of each read to its front. */
	SSL_set_read_ahead(t->ssl, 0);
	return Q_OK;
}

void
tls_judge(struct tls *t, bool (*judge)(void *arg, const struct cert *peer), void *arg)
{
	t->judge = judge;
	t->judge_arg = arg;
}

static enum qerr
broken(struct tls *t, enum qerr e)
{
	t->broken = e;
	return e;
}

/* What an SSL_ function that returned r means.  The queue of errors, which SSL_get_error
 * looks at, is empty before each of them, since all that may put something there empty it
 * again: so a thread that only reads and writes never gets one of its own, a kilobyte. */
static enum qerr
result(struct tls *t, int r)
{
	unsigned long code;

	/* SSL_get_error would look for errors first. */
	if (r <= 0 && SSL_want_read(t->ssl) && BIO_should_read(SSL_get_rbio(t->ssl)))
		return t->ended ? Q_CLOSED : Q_SHORT;
	switch (SSL_get_error(t->ssl, r)) {
	case SSL_ERROR_NONE: return Q_OK;
	case SSL_ERROR_ZERO_RETURN: return Q_CLOSED;
	case SSL_ERROR_WANT_WRITE: return Q_FULL;
	case SSL_ERROR_SYSCALL:
		ERR_clear_error();
		if (t->failure == 0 || t->failure == EPIPE || t->failure == ECONNRESET)
			return broken(t, Q_CLOSED);
		errno = t->failure;
		return broken(t, t->failure == ETIMEDOUT ? Q_TIMEOUT : Q_SYS);
	default: break;
	}
	code = ERR_peek_error();
	if (ERR_reason_error_string(code) != NULL)
		t->reason = ERR_reason_error_string(code);
	return broken(t, evp_failed(Q_DENIED));
}

enum qerr
tls_handshake(struct tls *t)
{
	if (t->broken != Q_OK)
		return t->broken;
	ERR_clear_error();
	return result(t, SSL_do_handshake(t->ssl));
}

enum qerr
tls_read(struct tls *t, void *p, size_t n, size_t *got)
{
	size_t have = 0, more;
	enum qerr e = Q_OK;

	if (t->broken != Q_OK)
		return t->broken;
	/* One SSL_read is one record; small ones come many at a time. */
	do {
		e = result(t, SSL_read_ex(t->ssl, (uint8_t *)p + have, n - have, &more));
		if (e == Q_OK)
			have += more;
	} while (e == Q_OK && have < n && tls_pending(t));
	if (have == 0)
		return e;
	*got = have;
	return Q_OK;
}

/* What send_sealed has come to. */
static enum qerr
sent(struct tls *t, bool all)
{
	if (all)
		return Q_OK;
	if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ||
	    errno == ENOBUFS || errno == ENOMEM)
		return Q_FULL;
	if (errno == ETIMEDOUT)
		return broken(t, Q_TIMEOUT);
	return broken(t, errno == EPIPE || errno == ECONNRESET ? Q_CLOSED : Q_SYS);
}

/* Seal of the n bytes at p what there is room for; Q_OK: *put > 0. */
static enum qerr
seal(struct tls *t, const uint8_t *p, size_t n, size_t *put)
{
	enum qerr e = Q_OK;
	size_t more;

	*put = 0;
	t->gathering = true;
	while (*put < n && t->sealed.cap - t->sealed.len >= RECORD_ROOM) {
		e = result(t, SSL_write_ex(t->ssl, p + *put, n - *put, &more));
		if (e != Q_OK)
			break;
		*put += more;
	}
	t->gathering = false;
	return *put > 0 ? Q_OK : e;
}

static enum qerr
tls_write_bulk(struct tls *t, const uint8_t *p, size_t n, size_t *put)
{
	size_t done = 0, more;
	enum qerr e;

	/* The byte that stayed with the caller was sealed with the others. */
	if (t->sealed.len > 0 && (e = sent(t, send_sealed(t))) == Q_OK)
		done = 1;
	else if (t->sealed.len > 0)
		return e;
	e = Q_OK;
	while (done < n && e == Q_OK) {
		if ((e = seal(t, p + done, n - done, &more)) != Q_OK)
			break;
		done += more;
		if ((e = sent(t, send_sealed(t))) != Q_OK)
			done--;
	}
	*put = done;
	return done > 0 ? Q_OK : e;
}

enum qerr
tls_write(struct tls *t, const void *p, size_t n, size_t *put)
{
	if (t->broken != Q_OK)
		return t->broken;
	if (t->bulk)
		return tls_write_bulk(t, p, n, put);
	return result(t, SSL_write_ex(t->ssl, p, n, put));
}

bool
tls_pending(const struct tls *t)
{
	return t->first.len > t->first_used || SSL_has_pending(t->ssl);
}

void
tls_close(struct tls *t)
{
	if (t->broken == Q_OK && SSL_is_init_finished(t->ssl))
		(void)SSL_shutdown(t->ssl);
	ERR_clear_error();
}

const char *
tls_reason(const struct tls *t)
{
	return t->reason;
}

const char *
tls_version(const struct tls *t)
{
	return SSL_get_version(t->ssl);
}

enum qerr
tls_peer_pem(const struct tls *t, struct buf *out)
{
	STACK_OF(X509) *chain = SSL_get_peer_cert_chain(t->ssl);
	BIO *text = BIO_new(BIO_s_mem());
	enum qerr e = text != NULL ? Q_OK : Q_NOMEM;
	X509 *leaf = SSL_get0_peer_certificate(t->ssl);
	char *p;
	long len;

	/* On the server's side libssl leaves it out of the chain. */
	if (e == Q_OK && t->context->server && leaf != NULL &&
	    PEM_write_bio_X509(text, leaf) != 1)
		e = Q_CRYPTO;
	for (int i = 0; e == Q_OK && i < sk_X509_num(chain); i++)
		if (PEM_write_bio_X509(text, sk_X509_value(chain, i)) != 1)
			e = Q_CRYPTO;
	if (e == Q_OK && (len = BIO_get_mem_data(text, &p)) > 0)
		e = buf_put(out, p, (size_t)len);
	BIO_free(text);
	return e == Q_OK ? Q_OK : evp_failed(e);
}
