/* SPDX-License-Identifier: MIT
 *
 * evp.h - for the files of crypto/ alone: how they share libcrypto.
 *
 * OpenSSL 3 looks an algorithm up in its providers each time it is named, and
 * builds P-256's parameters each time a key is made from bytes; both cost as
 * much as the work itself.  So what every connection needs is looked up once
 * for the process and kept.  Any thread may call these.
 */
#ifndef CRYPTO_EVP_H
#define CRYPTO_EVP_H

#include <openssl/evp.h>

#include "base/bytes.h"
#include "crypto/key.h"

/* Shared and never freed; NULL when there is no memory (the next call tries
 * again). */
EVP_MD *evp_sha256(void);
EVP_CIPHER *evp_aes256gcm(void);
EVP_MAC *evp_hmac(void);
/* P-256's parameters as a key without halves. */
EVP_PKEY *evp_p256(void);

/* A new P-256 key pair, or NULL; the caller frees it. */
EVP_PKEY *evp_p256_generate(void);

/* What to return after libcrypto failed: Q_NOMEM when its error queue says so,
 * else otherwise.  Empties the queue, so that nothing leaks into what a later
 * call (SSL_get_error above all) makes of it. */
enum qerr evp_failed(enum qerr otherwise);

/* The libcrypto key inside k, borrowed. */
EVP_PKEY *key_evp(const struct key *k);
/* Wrap pkey when it is of a kind and size that key.h allows, else Q_DENIED.
 * Takes a reference of its own. */
enum qerr key_of_evp(EVP_PKEY *pkey, bool has_private, struct key **out);

#endif
