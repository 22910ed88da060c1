/* SPDX-License-Identifier: MIT */
#include "crypto/agree.h"

#include <string.h>

#include "crypto/evp.h"
#include "crypto/random.h"
#include "crypto/spki.h"

#define SPKI_P256_LEN 91 /* a P-256 key in DER, which ends with the point */

enum qerr
agree(const struct key *own, const struct key *peer, uint8_t secret[AGREE_SECRET_LEN])
{
	uint8_t shared[AGREE_SECRET_LEN];
	size_t len = sizeof(shared);
	EVP_PKEY_CTX *ctx;
	enum qerr e = Q_OK;

	if (!key_has_private(own) || key_kind(own) != KEY_EC_P256 ||
	    key_kind(peer) != KEY_EC_P256)
		return Q_DENIED;
	/* 0: do not validate the peer again; crypto/kex.c says why. */
	if ((ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key_evp(own), NULL)) == NULL ||
	    EVP_PKEY_derive_init(ctx) != 1 ||
	    EVP_PKEY_derive_set_peer_ex(ctx, key_evp(peer), 0) != 1 ||
	    EVP_PKEY_derive(ctx, shared, &len) != 1 || len != sizeof(shared))
		e = evp_failed(Q_CRYPTO);
	else
		memcpy(secret, shared, sizeof(shared));
	secret_wipe(shared, sizeof(shared));
	EVP_PKEY_CTX_free(ctx);
	return e;
}

enum qerr
agree_key_of_point(struct span point, struct key **out)
{
	EVP_PKEY *params = evp_p256(), *pkey;
	enum qerr e;

	if (point.len != AGREE_POINT_LEN || point.p[0] != 0x04)
		return Q_FORMAT;
	if (params == NULL || (pkey = EVP_PKEY_dup(params)) == NULL)
		return evp_failed(Q_NOMEM);
	if (EVP_PKEY_set1_encoded_public_key(pkey, point.p, point.len) == 1)
		e = key_of_evp(pkey, false, out);
	else
		e = evp_failed(Q_DENIED);
	EVP_PKEY_free(pkey);
	return e;
}

enum qerr
agree_point(const struct key *k, uint8_t point[AGREE_POINT_LEN])
{
	struct buf der = BUF_INIT(SPKI_P256_LEN);
	enum qerr e;

	if (key_kind(k) != KEY_EC_P256)
		return Q_DENIED;
	if ((e = spki_der(key_evp(k), &der)) == Q_OK && der.len != SPKI_P256_LEN)
		e = Q_CRYPTO;
	if (e == Q_OK)
		memcpy(point, der.p + der.len - AGREE_POINT_LEN, AGREE_POINT_LEN);
	buf_free(&der);
	return e;
}
