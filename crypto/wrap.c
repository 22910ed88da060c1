/* SPDX-License-Identifier: MIT */
#include "crypto/wrap.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include "crypto/aead.h"
#include "crypto/agree.h"
#include "crypto/evp.h"
#include "crypto/kex.h"
#include "crypto/random.h"

/* ---- RSA ---- */

/* A context for OAEP with SHA-256 and the label; NULL when libcrypto refuses. */
static EVP_PKEY_CTX *
oaep_new(const struct key *k, struct span label, bool seal)
{
	static char digest[] = "SHA256";
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key_evp(k), NULL);
	uint8_t sum[SHA256_LEN];
	OSSL_PARAM params[4] = {
	    OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, digest,
					     0),
	    OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, digest,
					     0),
	    OSSL_PARAM_construct_octet_string(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL, sum,
					      sizeof(sum)),
	    OSSL_PARAM_construct_end(),
	};

	if (ctx != NULL && sha256(&label, 1, sum) == Q_OK &&
	    (seal ? EVP_PKEY_encrypt_init(ctx) : EVP_PKEY_decrypt_init(ctx)) == 1 &&
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1 &&
	    EVP_PKEY_CTX_set_params(ctx, params) == 1)
		return ctx;
	EVP_PKEY_CTX_free(ctx);
	return NULL;
}

static enum qerr
rsa_seal(const struct key *owner, struct span label, struct span secret, struct buf *out)
{
	EVP_PKEY_CTX *ctx = oaep_new(owner, label, true);
	uint8_t sealed[KEY_SIGN_MAX];
	size_t len = sizeof(sealed);
	enum qerr e;

	if (ctx != NULL && EVP_PKEY_encrypt(ctx, sealed, &len, secret.p, secret.len) == 1)
		e = buf_put(out, sealed, len);
	else
		e = evp_failed(Q_CRYPTO);
	EVP_PKEY_CTX_free(ctx);
	return e;
}

static enum qerr
rsa_open(const struct key *owner, struct span label, struct span wrapped, struct buf *out)
{
	EVP_PKEY_CTX *ctx = oaep_new(owner, label, false);
	uint8_t secret[KEY_SIGN_MAX];
	size_t len = sizeof(secret);
	enum qerr e;

	if (ctx == NULL)
		e = evp_failed(Q_CRYPTO);
	else if (EVP_PKEY_decrypt(ctx, secret, &len, wrapped.p, wrapped.len) == 1)
		e = buf_put(out, secret, len);
	else
		e = evp_failed(Q_DENIED);
	EVP_PKEY_CTX_free(ctx);
	secret_wipe(secret, sizeof(secret));
	return e;
}

/* ---- P-256 ---- */

_Static_assert(KEX_SECRET_LEN == AGREE_SECRET_LEN, "both are an x coordinate of P-256");

/* The key that seals one secret, from what Diffie-Hellman gave. */
static enum qerr
make_aead(enum aead_dir dir, const uint8_t shared[AGREE_SECRET_LEN], struct span label,
	  struct span ephemeral, struct aead **out)
{
	uint8_t salt[SHA256_LEN], key[AEAD_KEY_LEN];
	enum qerr e;

	if ((e = sha256(&label, 1, salt)) == Q_OK &&
	    (e = hkdf_sha256(span_of(shared, AGREE_SECRET_LEN),
			     span_of(salt, sizeof(salt)), ephemeral, key, sizeof(key))) ==
		Q_OK &&
	    (*out = aead_new(dir, key)) == NULL)
		e = Q_NOMEM;
	secret_wipe(key, sizeof(key));
	return e;
}

static enum qerr
ec_seal(const struct key *owner, struct span label, struct span secret, struct buf *out)
{
	static const uint8_t iv[AEAD_IV_LEN];
	uint8_t shared[KEX_SECRET_LEN], sealed[WRAP_SECRET_MAX], tag[AEAD_TAG_LEN];
	struct buf pem = BUF_INIT(KEX_PEM_MAX);
	struct kex *x = kex_new();
	struct span ephemeral;
	struct aead *a = NULL;
	enum qerr e = Q_NOMEM;

	if (x == NULL)
		return e;
	ephemeral = kex_pem(x);
	if ((e = key_public_pem(owner, &pem)) == Q_OK &&
	    (e = kex_derive(x, buf_span(&pem), shared)) == Q_OK &&
	    (e = make_aead(AEAD_SEAL, shared, label, ephemeral, &a)) == Q_OK &&
	    (e = aead_seal(a, iv, span_of(NULL, 0), secret.p, secret.len, sealed, tag)) ==
		Q_OK &&
	    (e = buf_reserve(out, 2 + ephemeral.len + secret.len + sizeof(tag))) ==
		Q_OK &&
	    (e = buf_put_u16(out, (uint16_t)ephemeral.len)) == Q_OK &&
	    (e = buf_put_span(out, ephemeral)) == Q_OK &&
	    (e = buf_put(out, sealed, secret.len)) == Q_OK)
		e = buf_put(out, tag, sizeof(tag));
	secret_wipe(shared, sizeof(shared));
	aead_free(a);
	kex_free(x);
	buf_free(&pem);
	return e;
}

static enum qerr
ec_open(const struct key *owner, struct span label, struct span wrapped, struct buf *out)
{
	static const uint8_t iv[AEAD_IV_LEN];
	uint8_t shared[AGREE_SECRET_LEN], secret[WRAP_SECRET_MAX];
	struct reader r = reader_of(wrapped);
	struct span ephemeral, sealed;
	struct key *peer = NULL;
	struct aead *a = NULL;
	uint16_t len;
	enum qerr e;

	if (reader_u16(&r, &len) != Q_OK || reader_take(&r, len, &ephemeral) != Q_OK ||
	    r.left < AEAD_TAG_LEN || r.left > WRAP_SECRET_MAX + AEAD_TAG_LEN)
		return Q_FORMAT;
	sealed = span_of(r.p, r.left - AEAD_TAG_LEN);
	if ((e = key_parse_public(ephemeral, &peer)) != Q_OK)
		return e;
	if ((e = agree(owner, peer, shared)) == Q_OK &&
	    (e = make_aead(AEAD_OPEN, shared, label, ephemeral, &a)) == Q_OK &&
	    (e = aead_open(a, iv, span_of(NULL, 0), sealed.p, sealed.len, secret,
			   sealed.p + sealed.len)) == Q_OK)
		e = buf_put(out, secret, sealed.len);
	secret_wipe(shared, sizeof(shared));
	secret_wipe(secret, sizeof(secret));
	aead_free(a);
	key_free(peer);
	return e;
}

/* ---- either ---- */

enum qerr
wrap_seal(const struct key *owner, struct span label, struct span secret, struct buf *out)
{
	if (secret.len > WRAP_SECRET_MAX)
		return Q_LIMIT;
	if (key_kind(owner) == KEY_RSA)
		return rsa_seal(owner, label, secret, out);
	return ec_seal(owner, label, secret, out);
}

enum qerr
wrap_open(const struct key *owner, struct span label, struct span wrapped,
	  struct buf *out)
{
	if (wrapped.len > WRAP_MAX)
		return Q_FORMAT;
	if (!key_has_private(owner))
		return Q_DENIED;
	if (key_kind(owner) == KEY_RSA)
		return rsa_open(owner, label, wrapped, out);
	return ec_open(owner, label, wrapped, out);
}
