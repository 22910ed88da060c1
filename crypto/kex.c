/* SPDX-License-Identifier: MIT */
#include "crypto/kex.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/evp.h"
#include "crypto/random.h"
#include "crypto/spki.h"

struct kex {
	EVP_PKEY *pair;
	struct buf pem;
};

struct kex *
kex_new(void)
{
	struct kex *x = malloc(sizeof(*x));

	if (x == NULL)
		return NULL;
	x->pem = (struct buf)BUF_INIT(KEX_PEM_MAX);
	x->pair = evp_p256_generate();
	if (x->pair == NULL || spki_pem(x->pair, &x->pem) != Q_OK) {
		(void)evp_failed(Q_NOMEM);
		kex_free(x);
		return NULL;
	}
	return x;
}

void
kex_free(struct kex *x)
{
	if (x == NULL)
		return;
	EVP_PKEY_free(x->pair); /* wipes the private half */
	buf_free(&x->pem);
	free(x);
}

struct span
kex_pem(const struct kex *x)
{
	return buf_span(&x->pem);
}

enum qerr
kex_derive(struct kex *x, struct span peer_pem, uint8_t secret[KEX_SECRET_LEN])
{
	EVP_PKEY_CTX *ctx = NULL;
	struct key *peer = NULL;
	uint8_t shared[KEX_SECRET_LEN];
	size_t len = sizeof(shared);
	enum qerr e;

	if (peer_pem.len > KEX_PEM_MAX)
		return Q_LIMIT;
	if ((e = key_parse_public(peer_pem, &peer)) != Q_OK)
		return e;
	if (key_kind(peer) != KEY_EC_P256) {
		e = Q_DENIED;
		goto out;
	}
	/* 0: do not validate the peer's key again.  Parsing has found that it
	 * is on the curve, and with P-256's cofactor of 1 libcrypto's further
	 * check, a whole multiplication by the order, can find nothing else. */
	if ((ctx = EVP_PKEY_CTX_new_from_pkey(NULL, x->pair, NULL)) == NULL ||
	    EVP_PKEY_derive_init(ctx) != 1 ||
	    EVP_PKEY_derive_set_peer_ex(ctx, key_evp(peer), 0) != 1 ||
	    EVP_PKEY_derive(ctx, shared, &len) != 1 || len != sizeof(shared)) {
		e = evp_failed(Q_CRYPTO);
		goto out;
	}
	memcpy(secret, shared, sizeof(shared));
out:
	secret_wipe(shared, sizeof(shared));
	EVP_PKEY_CTX_free(ctx);
	key_free(peer);
	return e;
}
