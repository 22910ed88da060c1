/* SPDX-License-Identifier: MIT
 *
 * hash.h - SHA-256 (FIPS 180-4), HMAC (RFC 2104), HKDF (RFC 5869), over lists
 * of parts, so that callers need not join them first.  Any thread.
 * All return Q_OK, Q_NOMEM or Q_CRYPTO; hkdf_sha256 also Q_LIMIT.
 */
#ifndef CRYPTO_HASH_H
#define CRYPTO_HASH_H

#include "base/bytes.h"

#define SHA256_LEN 32

enum qerr sha256(const struct span *parts, size_t n, uint8_t out[SHA256_LEN]);
/* The same over what comes piece by piece.  NULL: no memory. */
struct sha256_run;
struct sha256_run *sha256_begin(void);
enum qerr sha256_more(struct sha256_run *r, struct span piece);
/* Consumes r; out is written only when it returns Q_OK. */
enum qerr sha256_end(struct sha256_run *r, uint8_t out[SHA256_LEN]);
void sha256_drop(struct sha256_run *r); /* without a result; NULL is fine */
enum qerr
hmac_sha256(struct span key, const struct span *parts, size_t n, uint8_t out[SHA256_LEN]);
/* An empty salt stands for 32 zero bytes; info is at most HKDF_INFO_MAX, out
 * 1 to HKDF_OUT_MAX bytes. */
#define HKDF_INFO_MAX 1024
#define HKDF_OUT_MAX  (255 * SHA256_LEN)
enum qerr hkdf_sha256(struct span secret, struct span salt, struct span info,
		      uint8_t *out, size_t out_len);

#endif
