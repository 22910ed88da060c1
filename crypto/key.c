/* SPDX-License-Identifier: MIT
 *
 * A key is libcrypto's EVP_PKEY, admitted once (kind and size) and never
 * changed again, so that threads need no lock: each use makes its own context.
 * Messages are hashed here and the digest is signed: libcrypto's one-shot way
 * (EVP_DigestSign) looks the digest up by name for each signature.
 */
#include "crypto/key.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>

#include "crypto/evp.h"
#include "crypto/spki.h"

#define RSA_EXPONENT_MAX_BITS 64 /* as in libcrypto for large moduli */

struct key {
	atomic_int refs;
	enum key_kind kind;
	bool has_private;
	EVP_PKEY *pkey;
};

/* Large exponents make a verification as dear as a signature; 1 and even
 * numbers are no RSA. */
static bool
exponent_allowed(const EVP_PKEY *pkey)
{
	BIGNUM *e = NULL;
	bool ok = EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1 &&
		  BN_is_odd(e) && !BN_is_one(e) &&
		  BN_num_bits(e) <= RSA_EXPONENT_MAX_BITS;

	BN_free(e);
	return ok;
}

static bool
kind_allowed(const EVP_PKEY *pkey, enum key_kind *kind)
{
	int bits = EVP_PKEY_get_bits(pkey);
	char group[32];

	if (EVP_PKEY_is_a(pkey, "EC")) {
		*kind = KEY_EC_P256;
		return EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) == 1 &&
		       strcmp(group, SN_X9_62_prime256v1) == 0;
	}
	*kind = KEY_RSA;
	return EVP_PKEY_is_a(pkey, "RSA") && bits >= KEY_RSA_MIN_BITS &&
	       bits <= KEY_RSA_MAX_BITS && exponent_allowed(pkey);
}

enum qerr
key_of_evp(EVP_PKEY *pkey, bool has_private, struct key **out)
{
	enum key_kind kind;
	struct key *k;

	if (!kind_allowed(pkey, &kind))
		return evp_failed(Q_DENIED);
	if ((k = malloc(sizeof(*k))) == NULL)
		return Q_NOMEM;
	if (EVP_PKEY_up_ref(pkey) != 1) {
		free(k);
		return evp_failed(Q_CRYPTO);
	}
	atomic_init(&k->refs, 1);
	k->kind = kind;
	k->has_private = has_private;
	k->pkey = pkey;
	*out = k;
	return Q_OK;
}

enum qerr
key_generate(enum key_kind kind, int bits, struct key **out)
{
	EVP_PKEY *pkey;
	enum qerr e;

	if (kind == KEY_RSA && (bits < KEY_RSA_MIN_BITS || bits > KEY_RSA_MAX_BITS))
		return Q_LIMIT;
	pkey = kind == KEY_RSA ? EVP_RSA_gen((unsigned)bits) : evp_p256_generate();
	if (pkey == NULL)
		return evp_failed(Q_CRYPTO);
	e = key_of_evp(pkey, true, out);
	EVP_PKEY_free(pkey);
	return e;
}

enum qerr
key_parse_public(struct span pem, struct key **out)
{
	EVP_PKEY *pkey;
	enum qerr e;

	if (pem.len > KEY_PEM_MAX)
		return Q_LIMIT;
	if ((e = spki_parse(pem, &pkey)) != Q_OK)
		return e;
	e = key_of_evp(pkey, false, out);
	EVP_PKEY_free(pkey);
	return e;
}

struct key *
key_ref(struct key *k)
{
	int before = atomic_fetch_add_explicit(&k->refs, 1, memory_order_relaxed);

	assert(before > 0);
	(void)before;
	return k;
}

void
key_free(struct key *k)
{
	if (k == NULL || atomic_fetch_sub_explicit(&k->refs, 1, memory_order_acq_rel) > 1)
		return;
	EVP_PKEY_free(k->pkey);
	free(k);
}

EVP_PKEY *
key_evp(const struct key *k)
{
	return k->pkey;
}

enum key_kind
key_kind(const struct key *k)
{
	return k->kind;
}

bool
key_has_private(const struct key *k)
{
	return k->has_private;
}

bool
key_same(const struct key *a, const struct key *b)
{
	if (a->kind != b->kind)
		return false;
	if (EVP_PKEY_eq(a->pkey, b->pkey) == 1)
		return true;
	(void)evp_failed(Q_CRYPTO);
	return false;
}

enum qerr
key_public_pem(const struct key *k, struct buf *out)
{
	return spki_pem(k->pkey, out);
}

enum qerr
key_fingerprint(const struct key *k, uint8_t out[SHA256_LEN])
{
	struct buf der = BUF_INIT(KEY_PEM_MAX);
	enum qerr e = spki_der(k->pkey, &der);
	struct span all = buf_span(&der);

	if (e == Q_OK)
		e = sha256(&all, 1, out);
	buf_free(&der);
	return e;
}

/* ---- signatures ---- */

enum qerr
key_sign(const struct key *k, const struct span *parts, size_t n,
	 uint8_t out[KEY_SIGN_MAX], size_t *out_len)
{
	EVP_PKEY_CTX *ctx;
	uint8_t digest[SHA256_LEN];
	size_t len = KEY_SIGN_MAX;
	enum qerr e;
	bool ok;

	if (!k->has_private)
		return Q_DENIED;
	if ((e = sha256(parts, n, digest)) != Q_OK)
		return e;
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
	ok = ctx != NULL && EVP_PKEY_sign_init(ctx) == 1 &&
	     EVP_PKEY_CTX_set_signature_md(ctx, evp_sha256()) == 1 &&
	     EVP_PKEY_sign(ctx, out, &len, digest, sizeof(digest)) == 1;
	EVP_PKEY_CTX_free(ctx);
	/* OpenSSL 3.0 returns success and a length of (unsigned)-1 when it runs
	 * out of memory while it encodes an ECDSA signature. */
	if (!ok || len == 0 || len > KEY_SIGN_MAX)
		return evp_failed(Q_CRYPTO);
	*out_len = len;
	return Q_OK;
}

enum qerr
key_verify(const struct key *k, const struct span *parts, size_t n, struct span sig)
{
	EVP_PKEY_CTX *ctx;
	uint8_t digest[SHA256_LEN];
	enum qerr e;
	bool ok;

	if (sig.len == 0 || sig.len > KEY_SIGN_MAX)
		return Q_DENIED;
	if ((e = sha256(parts, n, digest)) != Q_OK)
		return e;
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
	ok = ctx != NULL && EVP_PKEY_verify_init(ctx) == 1 &&
	     EVP_PKEY_CTX_set_signature_md(ctx, evp_sha256()) == 1 &&
	     EVP_PKEY_verify(ctx, sig.p, sig.len, digest, sizeof(digest)) == 1;
	EVP_PKEY_CTX_free(ctx);
	return ok ? Q_OK : evp_failed(Q_DENIED);
}
