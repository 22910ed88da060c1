/* SPDX-License-Identifier: MIT
 *
 * A context costs more than a handshake's messages, so one for each role is kept until
 * the certificate has changed.
 */
#include "server/nodes/node_tls.h"

#include "base/lock.h"
#include "server/identity.h"
#include "server/server.h"
#include "server/tls.h"

static struct {
	struct lock lock;
	struct buf chain;                 /* [lock] what the contexts were made with */
	struct tls_context *by_server[2]; /* [lock] */
} kept = {.lock = LOCK_INIT, .chain = BUF_INIT(2 * CERT_PEM_MAX)};

static void
forget_locked(void) REQUIRES(kept.lock)
{
	for (int i = 0; i < 2; i++) {
		tls_context_free(kept.by_server[i]);
		kept.by_server[i] = NULL;
	}
	buf_free(&kept.chain);
}

static struct tls_context *
find(struct span chain, bool server)
{
	struct tls_context *c = NULL;

	lock_take(&kept.lock);
	if (kept.by_server[server] != NULL && span_eq(buf_span(&kept.chain), chain))
		c = tls_context_ref(kept.by_server[server]);
	lock_drop(&kept.lock);
	return c;
}

/* Keep c for the next one, if there is memory. */
static void
keep(struct span chain, bool server, struct tls_context *c)
{
	lock_take(&kept.lock);
	if (!span_eq(buf_span(&kept.chain), chain)) {
		forget_locked();
		if (buf_put_span(&kept.chain, chain) != Q_OK)
			goto out;
	}
	tls_context_free(kept.by_server[server]);
	kept.by_server[server] = tls_context_ref(c);
out:
	lock_drop(&kept.lock);
}

/* With the identity's key and certificate as they are now; NULL: no memory, or libcrypto
 * refused. */
static struct tls_context *
context(struct identity *id, bool server)
{
	struct buf chain = BUF_INIT(2 * CERT_PEM_MAX);
	struct tls_context *c = NULL;
	struct key *key;

	if (identity_chain_pem(id, &chain) == Q_OK &&
	    (c = find(buf_span(&chain), server)) == NULL) {
		key = identity_key(id);
		if (tls_mutual_context(server, key, buf_span(&chain), &c) == Q_OK)
			keep(buf_span(&chain), server, c);
		key_free(key);
	}
	buf_free(&chain);
	return c;
}

enum qerr
node_tls_begin(struct session *s, bool server,
	       bool (*judge)(void *arg, const struct cert *peer), void *arg)
{
	struct tls_context *c = context(s->server->identity, server);
	struct span first = session_input(s);
	struct tls *t;

	if (c == NULL)
		return Q_CRYPTO;
	t = tls_new(c, s->stream->fd, first);
	tls_context_free(c);
	if (t == NULL)
		return Q_NOMEM;
	session_consume(s, first.len);
	tls_judge(t, judge, arg);
	return tls_begin(s, t);
}

void
node_tls_fini(void)
{
	lock_take(&kept.lock);
	forget_locked();
	lock_drop(&kept.lock);
}
