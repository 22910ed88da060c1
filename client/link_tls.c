/* SPDX-License-Identifier: MIT
 *
 * OpenSSL is asked to check nothing; we look at the certificate ourselves when the
 * handshake is done and before a byte of ours is sent.  So what is wrong can be said
 * in full: a server that shows another CA than the one that is known here is either a
 * new one or somebody in between, and only a person with both fingerprints can tell.
 */
#include "client/link_tls.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "client/chain.h"
#include "crypto/tls.h"

#define READ_PIECE 65536

struct link_tls {
	struct tls *tls;
	const char *host;
	const struct cert *ca;
	short wants;
	bool mutual;
	uint8_t key[SHA256_LEN]; /* mutual: the other one's */
};

enum qerr
link_tls_new(int fd, const char *host, const struct cert *ca, struct link_tls **out,
	     struct why *why)
{
	struct link_tls *t = calloc(1, sizeof(*t));
	struct tls_context *context = NULL;
	enum qerr e =
	    t == NULL ? Q_NOMEM : tls_client_context(span_of(NULL, 0), &context);

	if (e == Q_OK && (t->tls = tls_new(context, fd, span_of(NULL, 0))) == NULL)
		e = Q_NOMEM;
	tls_context_free(context);
	if (e != Q_OK) {
		free(t);
		return why_set(why, e, "TLS cannot begin: %s", qerr_str(e));
	}
	t->host = host;
	t->ca = ca;
	t->wants = POLLIN | POLLOUT;
	*out = t;
	return Q_OK;
}

/* Within the handshake nobody is refused but who has no fit key: whoever it is, the caller
 * looks at the key, or the chain, before a byte of ours is sent. */
static bool
note_key(void *arg, const struct cert *peer)
{
	struct link_tls *t = arg;
	struct key *key;
	bool ok;

	if (cert_key(peer, &key) != Q_OK)
		return false;
	ok = key_fingerprint(key, t->key) == Q_OK;
	key_free(key);
	return ok;
}

enum qerr
link_tls_mutual(int fd, const char *host, const struct link_mutual *how,
		struct link_tls **out, struct why *why)
{
	struct link_tls *t = calloc(1, sizeof(*t));
	struct tls_context *context = NULL;
	enum qerr e = t == NULL ? Q_NOMEM : link_mutual_context(how, &context);

	if (e == Q_OK && (t->tls = tls_new(context, fd, span_of(NULL, 0))) == NULL)
		e = Q_NOMEM;
	tls_context_free(context);
	if (e != Q_OK) {
		free(t);
		return why_set(why, e, "TLS cannot begin: %s", qerr_str(e));
	}
	tls_judge(t->tls, note_key, t);
	t->host = host;
	t->ca = how->ca;
	t->mutual = true;
	t->wants = POLLIN | POLLOUT;
	*out = t;
	return Q_OK;
}

void
link_tls_peer_key(const struct link_tls *t, uint8_t out[SHA256_LEN])
{
	memcpy(out, t->key, SHA256_LEN);
}

void
link_tls_free(struct link_tls *t)
{
	if (t == NULL)
		return;
	tls_free(t->tls);
	free(t);
}

short
link_tls_wants(const struct link_tls *t)
{
	return t->wants;
}

/* Remember what to wait for; true when that is all that e means. */
static bool
must_wait(struct link_tls *t, enum qerr e)
{
	if (e == Q_FULL)
		t->wants = POLLOUT;
	else
		t->wants = POLLIN;
	return e == Q_FULL || e == Q_SHORT;
}

static enum qerr
failed(const struct link_tls *t, enum qerr e, struct why *why)
{
	switch (e) {
	case Q_CLOSED: return why_set(why, e, "%s closed the connection", t->host);
	case Q_DENIED:
		return why_set(why, e, "TLS with %s failed: %.200s", t->host,
			       tls_reason(t->tls));
	case Q_SYS:
	case Q_TIMEOUT:
		return why_set(why, e, "the connection to %s broke: %s", t->host,
			       strerror(errno));
	default:
		return why_set(why, e, "the connection to %s broke: %s", t->host,
			       qerr_str(e));
	}
}

static enum qerr
check_server(const struct link_tls *t, struct why *why)
{
	struct buf chain = BUF_INIT(CERT_PEM_MAX);
	enum qerr e = Q_OK;

	if (t->ca == NULL)
		return Q_OK;
	if ((e = tls_peer_pem(t->tls, &chain)) != Q_OK)
		why_set(why, e, "%s shows no certificate", t->host);
	else
		e = chain_check(t->host, buf_span(&chain), t->ca, why);
	buf_free(&chain);
	return e;
}

enum qerr
link_tls_handshake(struct link_tls *t, struct why *why)
{
	enum qerr e = tls_handshake(t->tls);

	if (must_wait(t, e))
		return Q_SHORT;
	if (e == Q_CLOSED && t->mutual)
		return why_set(why, e, "%s hung up in the middle of the TLS handshake",
			       t->host);
	if (e == Q_CLOSED)
		return why_set(why, e, "%s speaks no TLS, or hung up in its middle",
			       t->host);
	if (e == Q_DENIED && t->mutual && t->ca != NULL)
		return why_set(why, e,
			       "%s refused us, as not a user there or with another key: "
			       "%.200s",
			       t->host, tls_reason(t->tls));
	return e == Q_OK ? check_server(t, why) : failed(t, e, why);
}

enum qerr
link_tls_read(struct link_tls *t, struct buf *in, struct why *why)
{
	enum qerr e;
	size_t n;

	/* What OpenSSL holds already makes no socket readable: take all of it. */
	do {
		if ((e = buf_reserve(in, READ_PIECE)) != Q_OK)
			return why_set(why, e, "%s sends more than can be kept", t->host);
		e = tls_read(t->tls, in->p + in->len, READ_PIECE, &n);
		if (e == Q_OK)
			in->len += n;
	} while (e == Q_OK && tls_pending(t->tls));
	return e == Q_OK || must_wait(t, e) ? Q_OK : failed(t, e, why);
}

enum qerr
link_tls_write(struct link_tls *t, struct span data, size_t *gone, struct why *why)
{
	enum qerr e = Q_OK;
	size_t n;

	while (e == Q_OK && data.len > 0) {
		if ((e = tls_write(t->tls, data.p, data.len, &n)) != Q_OK)
			break;
		*gone += n;
		data = span_of(data.p + n, data.len - n);
	}
	return e == Q_OK || e == Q_FULL || e == Q_SHORT ? Q_OK : failed(t, e, why);
}

void
link_tls_finish(struct link_tls *t)
{
	tls_close(t->tls);
}

enum qerr
link_tls_chain(const struct link_tls *t, struct buf *out)
{
	return tls_peer_pem(t->tls, out);
}
