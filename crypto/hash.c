/* SPDX-License-Identifier: MIT */
#include "crypto/hash.h"

#include <limits.h>
#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/kdf.h>

#include "crypto/evp.h"

/* libcrypto wants pointers that are not NULL even to nothing. */
static const uint8_t *
bytes_of(struct span s)
{
	return s.len > 0 ? s.p : (const uint8_t *)"";
}

enum qerr
sha256(const struct span *parts, size_t n, uint8_t out[SHA256_LEN])
{
	EVP_MD *md = evp_sha256();
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = md != NULL && ctx != NULL && EVP_DigestInit_ex2(ctx, md, NULL) == 1;

	for (size_t i = 0; ok && i < n; i++)
		ok = EVP_DigestUpdate(ctx, bytes_of(parts[i]), parts[i].len) == 1;
	ok = ok && EVP_DigestFinal_ex(ctx, out, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	return ok ? Q_OK : evp_failed(Q_CRYPTO);
}

/* What OpenSSL calls EVP_MD_CTX, by a name that callers may know. */
struct sha256_run {
	EVP_MD_CTX *ctx;
};

struct sha256_run *
sha256_begin(void)
{
	struct sha256_run *r = malloc(sizeof(*r));
	EVP_MD *md = evp_sha256();

	if (r == NULL)
		return NULL;
	r->ctx = EVP_MD_CTX_new();
	if (md != NULL && r->ctx != NULL && EVP_DigestInit_ex2(r->ctx, md, NULL) == 1)
		return r;
	sha256_drop(r);
	(void)evp_failed(Q_NOMEM);
	return NULL;
}

enum qerr
sha256_more(struct sha256_run *r, struct span piece)
{
	return EVP_DigestUpdate(r->ctx, bytes_of(piece), piece.len) == 1
		   ? Q_OK
		   : evp_failed(Q_CRYPTO);
}

enum qerr
sha256_end(struct sha256_run *r, uint8_t out[SHA256_LEN])
{
	bool ok = EVP_DigestFinal_ex(r->ctx, out, NULL) == 1;

	sha256_drop(r);
	return ok ? Q_OK : evp_failed(Q_CRYPTO);
}

void
sha256_drop(struct sha256_run *r)
{
	if (r == NULL)
		return;
	EVP_MD_CTX_free(r->ctx);
	free(r);
}

enum qerr
hmac_sha256(struct span key, const struct span *parts, size_t n, uint8_t out[SHA256_LEN])
{
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
	    OSSL_PARAM_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, sizeof(digest) - 1),
	    OSSL_PARAM_END};
	EVP_MAC *mac = evp_hmac();
	EVP_MAC_CTX *ctx = mac == NULL ? NULL : EVP_MAC_CTX_new(mac);
	size_t len = 0;
	bool ok = ctx != NULL && EVP_MAC_init(ctx, bytes_of(key), key.len, params) == 1;

	for (size_t i = 0; ok && i < n; i++)
		ok = EVP_MAC_update(ctx, bytes_of(parts[i]), parts[i].len) == 1;
	ok = ok && EVP_MAC_final(ctx, out, &len, SHA256_LEN) == 1 && len == SHA256_LEN;
	EVP_MAC_CTX_free(ctx);
	return ok ? Q_OK : evp_failed(Q_CRYPTO);
}

enum qerr
hkdf_sha256(struct span secret, struct span salt, struct span info, uint8_t *out,
	    size_t out_len)
{
	EVP_PKEY_CTX *ctx;
	size_t len = out_len;
	bool ok;

	if (secret.len > INT_MAX || salt.len > INT_MAX || info.len > HKDF_INFO_MAX ||
	    out_len > HKDF_OUT_MAX)
		return Q_LIMIT;
	ctx = EVP_PKEY_CTX_new_from_name(NULL, "HKDF", NULL);
	ok = ctx != NULL && EVP_PKEY_derive_init(ctx) == 1 &&
	     EVP_PKEY_CTX_set_hkdf_md(ctx, evp_sha256()) == 1 &&
	     EVP_PKEY_CTX_set1_hkdf_salt(ctx, bytes_of(salt), (int)salt.len) == 1 &&
	     EVP_PKEY_CTX_set1_hkdf_key(ctx, bytes_of(secret), (int)secret.len) == 1 &&
	     EVP_PKEY_CTX_add1_hkdf_info(ctx, bytes_of(info), (int)info.len) == 1 &&
	     EVP_PKEY_derive(ctx, out, &len) == 1 && len == out_len;
	EVP_PKEY_CTX_free(ctx);
	return ok ? Q_OK : evp_failed(Q_CRYPTO);
}
