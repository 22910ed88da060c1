/* SPDX-License-Identifier: MIT
 *
 * Each shared object is an atomic pointer.  Threads that find it empty at the
 * same time each make one, and all but the first give theirs back: no lock,
 * and a failure for want of memory is not remembered.
 */
#include "crypto/evp.h"

#include <stdatomic.h>

#include <openssl/ec.h>
#include <openssl/err.h>

static _Atomic(EVP_MD *) sha256_shared;
static _Atomic(EVP_CIPHER *) aes256gcm_shared;
static _Atomic(EVP_MAC *) hmac_shared;
static _Atomic(EVP_PKEY *) p256_shared;

EVP_MD *
evp_sha256(void)
{
	EVP_MD *mine, *shared = atomic_load(&sha256_shared);

	if (shared != NULL)
		return shared;
	if ((mine = EVP_MD_fetch(NULL, "SHA256", NULL)) == NULL)
		return NULL;
	if (atomic_compare_exchange_strong(&sha256_shared, &shared, mine))
		return mine;
	EVP_MD_free(mine);
	return shared;
}

EVP_CIPHER *
evp_aes256gcm(void)
{
	EVP_CIPHER *mine, *shared = atomic_load(&aes256gcm_shared);

	if (shared != NULL)
		return shared;
	if ((mine = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL)) == NULL)
		return NULL;
	if (atomic_compare_exchange_strong(&aes256gcm_shared, &shared, mine))
		return mine;
	EVP_CIPHER_free(mine);
	return shared;
}

EVP_MAC *
evp_hmac(void)
{
	EVP_MAC *mine, *shared = atomic_load(&hmac_shared);

	if (shared != NULL)
		return shared;
	if ((mine = EVP_MAC_fetch(NULL, "HMAC", NULL)) == NULL)
		return NULL;
	if (atomic_compare_exchange_strong(&hmac_shared, &shared, mine))
		return mine;
	EVP_MAC_free(mine);
	return shared;
}

static EVP_PKEY *
make_p256(void)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *params = NULL;

	if (ctx == NULL)
		return NULL;
	if (EVP_PKEY_paramgen_init(ctx) != 1 ||
	    EVP_PKEY_CTX_set_ec_paramgen_curve_nid(ctx, NID_X9_62_prime256v1) != 1 ||
	    EVP_PKEY_paramgen(ctx, &params) != 1)
		params = NULL;
	EVP_PKEY_CTX_free(ctx);
	return params;
}

EVP_PKEY *
evp_p256(void)
{
	EVP_PKEY *mine, *shared = atomic_load(&p256_shared);

	if (shared != NULL)
		return shared;
	if ((mine = make_p256()) == NULL)
		return NULL;
	if (atomic_compare_exchange_strong(&p256_shared, &shared, mine))
		return mine;
	EVP_PKEY_free(mine);
	return shared;
}

EVP_PKEY *
evp_p256_generate(void)
{
	EVP_PKEY *params = evp_p256(), *pair = NULL;
	EVP_PKEY_CTX *ctx;

	if (params == NULL ||
	    (ctx = EVP_PKEY_CTX_new_from_pkey(NULL, params, NULL)) == NULL)
		return NULL;
	if (EVP_PKEY_keygen_init(ctx) != 1 || EVP_PKEY_keygen(ctx, &pair) != 1)
		pair = NULL;
	EVP_PKEY_CTX_free(ctx);
	return pair;
}

enum qerr
evp_failed(enum qerr otherwise)
{
	enum qerr e = otherwise;
	unsigned long code;

	while ((code = ERR_get_error()) != 0)
		if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE)
			e = Q_NOMEM;
	return e;
}
