/* SPDX-License-Identifier: MIT
 *
 * identity.c - the server's key, certificate, CA and enrolment code, as they are served.
 *
 * Reading is done into a struct material of one's own, with no lock held (material.c);
 * only when all of it is fine does it take the place of the old one.
 */
#include "server/identity.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lock.h"
#include "crypto/random.h"
#include "server/material.h"

struct identity {
	struct lock lock;
	/* [lock] all of these */
	struct key *key;
	struct buf cert_pem;
	struct buf ca_pem;
	struct tls_context *tls;
	int64_t tls_made_ms; /* monotonic */
	uint8_t ca_sum[SHA256_LEN];
	char code[ENROL_CODE_SIZE];
};

/* ---- loading ---- */

/* The CA goes along, although clients that have pinned it need it not: one that comes
 * for the first time can show its fingerprint to a person. */
static enum qerr
make_tls(const struct key *key, struct span cert, struct span ca,
	 struct tls_context **out)
{
	struct buf chain = BUF_INIT(2 * CERT_PEM_MAX);
	enum qerr e;

	if ((e = buf_put_span(&chain, cert)) == Q_OK &&
	    (e = buf_put_span(&chain, ca)) == Q_OK)
		e = tls_server_context(key, buf_span(&chain), out);
	buf_free(&chain);
	return e;
}

/* Turn m into what is served and swap it in. */
static enum qerr
adopt(struct identity *id, struct material *m)
{
	struct buf cert = BUF_INIT(CERT_PEM_MAX), ca = BUF_INIT(CERT_PEM_MAX), swap;
	struct tls_context *tls = NULL, *old_tls;
	uint8_t sum[SHA256_LEN];
	struct key *old;
	enum qerr e;

	if ((e = cert_pem(m->cert, &cert)) != Q_OK ||
	    (e = cert_pem(m->ca, &ca)) != Q_OK ||
	    (e = cert_fingerprint(m->ca, sum)) != Q_OK ||
	    (e = make_tls(m->key, buf_span(&cert), buf_span(&ca), &tls)) != Q_OK) {
		why_set(m->why, e, "cannot use the certificate: %s", qerr_str(e));
	} else {
		lock_take(&id->lock);
		old = id->key, id->key = m->key, m->key = old;
		swap = id->cert_pem, id->cert_pem = cert, cert = swap;
		swap = id->ca_pem, id->ca_pem = ca, ca = swap;
		old_tls = id->tls, id->tls = tls, tls = old_tls;
		id->tls_made_ms = clock_mono_ms();
		memcpy(id->ca_sum, sum, sizeof(sum));
		memcpy(id->code, m->code, sizeof(id->code));
		lock_drop(&id->lock);
	}
	buf_free(&cert);
	buf_free(&ca);
	tls_context_free(tls);
	return e;
}

enum qerr
identity_reload(struct identity *id, struct store *store, const struct config *cfg,
		struct why *why)
{
	struct material m = {.store = store, .cfg = cfg, .why = why};
	enum qerr e = material_load(&m);

	if (e == Q_OK)
		e = adopt(id, &m);
	material_free(&m);
	return e;
}

enum qerr
identity_open(struct store *store, const struct config *cfg, struct identity **out,
	      struct why *why)
{
	struct identity *id = calloc(1, sizeof(*id));
	enum qerr e;

	if (id == NULL)
		return why_set(why, Q_NOMEM,
			       "there is no memory for the server's identity");
	lock_init(&id->lock);
	enrol_code_set_aside_broken(store);
	if ((e = identity_reload(id, store, cfg, why)) != Q_OK) {
		identity_free(id);
		return e;
	}
	*out = id;
	return Q_OK;
}

void
identity_free(struct identity *id)
{
	if (id == NULL)
		return;
	key_free(id->key);
	buf_free(&id->cert_pem);
	buf_free(&id->ca_pem);
	tls_context_free(id->tls);
	secret_wipe(id->code, sizeof(id->code));
	lock_fini(&id->lock);
	free(id);
}

struct key *
identity_key(struct identity *id)
{
	struct key *k;

	lock_take(&id->lock);
	k = key_ref(id->key);
	lock_drop(&id->lock);
	return k;
}

/* Is the context that is served old?  Then take what a new one is made of; the next
 * one to ask gets "no", so that one thread makes it. */
static bool
tls_is_old(struct identity *id, struct key **key, struct buf *cert, struct buf *ca)
{
	int64_t now = clock_mono_ms();
	bool old;

	lock_take(&id->lock);
	old = now - id->tls_made_ms >= IDENTITY_TICKETS_MS &&
	      buf_put_span(cert, buf_span(&id->cert_pem)) == Q_OK &&
	      buf_put_span(ca, buf_span(&id->ca_pem)) == Q_OK;
	if (old) {
		*key = key_ref(id->key);
		id->tls_made_ms = now;
	}
	lock_drop(&id->lock);
	return old;
}

static void
renew_tls(struct identity *id)
{
	struct buf cert = BUF_INIT(CERT_PEM_MAX), ca = BUF_INIT(CERT_PEM_MAX);
	struct tls_context *fresh = NULL, *old;
	struct key *key = NULL;

	if (tls_is_old(id, &key, &cert, &ca) &&
	    make_tls(key, buf_span(&cert), buf_span(&ca), &fresh) == Q_OK) {
		lock_take(&id->lock);
		/* A reload may have been quicker; its context is the right one. */
		if (id->key == key)
			old = id->tls, id->tls = fresh, fresh = old;
		lock_drop(&id->lock);
	}
	tls_context_free(fresh);
	key_free(key);
	buf_free(&cert);
	buf_free(&ca);
}

struct tls_context *
identity_tls(struct identity *id)
{
	struct tls_context *c;

	renew_tls(id);
	lock_take(&id->lock);
	c = tls_context_ref(id->tls);
	lock_drop(&id->lock);
	return c;
}

static enum qerr
copy_pem(struct identity *id, const struct buf *from, struct buf *out)
{
	enum qerr e;

	lock_take(&id->lock);
	e = buf_put_span(out, buf_span(from));
	lock_drop(&id->lock);
	return e;
}

enum qerr
identity_cert_pem(struct identity *id, struct buf *out)
{
	return copy_pem(id, &id->cert_pem, out);
}

enum qerr
identity_chain_pem(struct identity *id, struct buf *out)
{
	size_t before = out->len;
	enum qerr e;

	lock_take(&id->lock);
	if ((e = buf_put_span(out, buf_span(&id->cert_pem))) == Q_OK &&
	    (e = buf_put_span(out, buf_span(&id->ca_pem))) != Q_OK)
		out->len = before;
	lock_drop(&id->lock);
	return e;
}

enum qerr
identity_ca_pem(struct identity *id, struct buf *out)
{
	return copy_pem(id, &id->ca_pem, out);
}

void
identity_ca_fingerprint(struct identity *id, char out[FINGERPRINT_SIZE])
{
	lock_take(&id->lock);
	fingerprint_text(id->ca_sum, out);
	lock_drop(&id->lock);
}

void
identity_enrol_code(struct identity *id, char out[ENROL_CODE_SIZE])
{
	lock_take(&id->lock);
	memcpy(out, id->code, ENROL_CODE_SIZE);
	lock_drop(&id->lock);
}

enum qerr
identity_rotate_enrol_code(struct identity *id, struct store *store,
			   char out[ENROL_CODE_SIZE], struct why *why)
{
	enum qerr e;

	if ((e = enrol_code_make(store, out, why)) != Q_OK)
		return e;
	lock_take(&id->lock);
	memcpy(id->code, out, ENROL_CODE_SIZE);
	lock_drop(&id->lock);
	return Q_OK;
}

enum qerr
identity_enrol_proof(struct identity *id, const char *label, struct span name,
		     struct span pem, uint8_t out[SHA256_LEN])
{
	struct span parts[3] = {span_str(label), name, pem};
	char shown[ENROL_CODE_SIZE], code[ENROL_CODE_LEN];
	size_t n = 0;
	enum qerr e;

	identity_enrol_code(id, shown);
	for (const char *c = shown; *c != '\0'; c++)
		if (*c != '-')
			code[n++] = *c;
	e = hmac_sha256(span_of(code, n), parts, 3, out);
	secret_wipe(shown, sizeof(shown));
	secret_wipe(code, sizeof(code));
	return e;
}
