/* SPDX-License-Identifier: MIT
 *
 * One libcrypto context with the key set once; a call gives it only the new IV
 * and runs: nothing is looked up or allocated on the way of a message.
 */
#include "crypto/aead.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>

#include "crypto/evp.h"
#include "crypto/random.h"

struct aead {
	EVP_CIPHER_CTX *ctx;
	enum aead_dir dir;
};

struct aead *
aead_new(enum aead_dir dir, const uint8_t key[AEAD_KEY_LEN])
{
	struct aead *a = malloc(sizeof(*a));
	EVP_CIPHER *gcm = evp_aes256gcm();

	if (a == NULL)
		return NULL;
	a->dir = dir;
	a->ctx = EVP_CIPHER_CTX_new();
	if (gcm == NULL || a->ctx == NULL ||
	    EVP_CipherInit_ex2(a->ctx, gcm, key, NULL, dir == AEAD_SEAL, NULL) != 1) {
		(void)evp_failed(Q_NOMEM);
		aead_free(a);
		return NULL;
	}
	return a;
}

void
aead_free(struct aead *a)
{
	if (a == NULL)
		return;
	EVP_CIPHER_CTX_free(a->ctx); /* wipes the key schedule */
	free(a);
}

/* The part that both directions share: IV, additional data, text. */
static bool
run(struct aead *a, const uint8_t *iv, struct span aad, const uint8_t *in, size_t len,
    uint8_t *out)
{
	int n;

	return EVP_CipherInit_ex2(a->ctx, NULL, NULL, iv, -1, NULL) == 1 &&
	       (aad.len == 0 ||
		EVP_CipherUpdate(a->ctx, NULL, &n, aad.p, (int)aad.len) == 1) &&
	       (len == 0 || EVP_CipherUpdate(a->ctx, out, &n, in, (int)len) == 1);
}

enum qerr
aead_seal(struct aead *a, const uint8_t iv[AEAD_IV_LEN], struct span aad,
	  const uint8_t *in, size_t len, uint8_t *out, uint8_t tag[AEAD_TAG_LEN])
{
	OSSL_PARAM get_tag[] = {
	    OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag, AEAD_TAG_LEN),
	    OSSL_PARAM_END};
	uint8_t none[1]; /* GCM has no final block, but NULL is not taken */
	int n;

	assert(a->dir == AEAD_SEAL && len <= INT_MAX && aad.len <= INT_MAX);
	if (!run(a, iv, aad, in, len, out) || EVP_CipherFinal_ex(a->ctx, none, &n) != 1 ||
	    EVP_CIPHER_CTX_get_params(a->ctx, get_tag) != 1)
		return evp_failed(Q_CRYPTO);
	return Q_OK;
}

enum qerr
aead_open(struct aead *a, const uint8_t iv[AEAD_IV_LEN], struct span aad,
	  const uint8_t *in, size_t len, uint8_t *out, const uint8_t tag[AEAD_TAG_LEN])
{
	uint8_t copy[AEAD_TAG_LEN], none[1];
	const OSSL_PARAM set_tag[] = {
	    OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, copy, AEAD_TAG_LEN),
	    OSSL_PARAM_END};
	enum qerr e = Q_CRYPTO;
	int n;

	assert(a->dir == AEAD_OPEN && len <= INT_MAX && aad.len <= INT_MAX);
	memcpy(copy, tag, AEAD_TAG_LEN);
	if (run(a, iv, aad, in, len, out) &&
	    EVP_CIPHER_CTX_set_params(a->ctx, set_tag) == 1)
		e = EVP_CipherFinal_ex(a->ctx, none, &n) == 1 ? Q_OK : Q_DENIED;
	if (e == Q_OK)
		return Q_OK;
	secret_wipe(out, len);
	return evp_failed(e);
}
