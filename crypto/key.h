/* SPDX-License-Identifier: MIT
 *
 * key.h - long-term keys: RSA of at least 2048 bits, or EC P-256.
 *
 * A struct key is immutable once made and counted: any number of threads may
 * use it at once.  Signatures are SHA-256 with PKCS#1 v1.5 (RSA) or ECDSA in
 * DER (EC), as relay's page says ("Signatures").
 */
#ifndef CRYPTO_KEY_H
#define CRYPTO_KEY_H

#include "base/bytes.h"
#include "crypto/hash.h"

enum key_kind { KEY_EC_P256, KEY_RSA };

#define KEY_RSA_MIN_BITS   2048
#define KEY_RSA_MAX_BITS   8192 /* larger ones would let a peer buy our CPU */
#define KEY_PEM_MAX        16384
#define KEY_SIGN_MAX       (KEY_RSA_MAX_BITS / 8)
#define KEY_PASSPHRASE_MAX 512 /* bytes */

struct key;

/* A new key pair; bits counts for RSA alone.  Q_LIMIT: not a size allowed;
 * Q_CRYPTO, Q_NOMEM. */
enum qerr key_generate(enum key_kind kind, int bits, struct key **out);
/* The first public key in pem ("PUBLIC KEY", SubjectPublicKeyInfo; text around
 * it is ignored).  Q_FORMAT: no such thing (a private key is none); Q_DENIED:
 * neither RSA within the limits nor a valid point of P-256; Q_LIMIT: longer
 * than KEY_PEM_MAX.  RSA exponents are odd, above 1 and at most 64 bits. */
enum qerr key_parse_public(struct span pem, struct key **out);
/* A private key, PKCS#8 or traditional.  passphrase may be NULL.  Q_MISSING:
 * it is encrypted and passphrase is NULL; Q_DENIED: wrong passphrase, kind or
 * size not allowed, or halves that do not belong together; Q_FORMAT, Q_LIMIT
 * as above.  Never prompts. */
enum qerr key_parse_private(struct span pem, const char *passphrase, struct key **out);
/* Another reference to the same key; free each with key_free. */
struct key *key_ref(struct key *k);
void key_free(struct key *k); /* NULL is fine */

enum key_kind key_kind(const struct key *k);
bool key_has_private(const struct key *k);
/* The same public key? */
bool key_same(const struct key *a, const struct key *b);
/* Append SubjectPublicKeyInfo in PEM to out. */
enum qerr key_public_pem(const struct key *k, struct buf *out);
/* Append PKCS#8 in PEM, encrypted (scrypt, AES-256) when passphrase is neither
 * NULL nor "".  Q_DENIED without a private half; Q_LIMIT: the passphrase is
 * longer than KEY_PASSPHRASE_MAX.  out is a secret: buf_wipe it. */
enum qerr key_private_pem(const struct key *k, const char *passphrase, struct buf *out);
/* SHA-256 over SubjectPublicKeyInfo in DER. */
enum qerr key_fingerprint(const struct key *k, uint8_t out[SHA256_LEN]);

/* Sign the parts as one message.  Q_DENIED without a private half. */
enum qerr key_sign(const struct key *k, const struct span *parts, size_t n,
		   uint8_t out[KEY_SIGN_MAX], size_t *out_len);
/* Q_OK when sig is k's signature over the parts, else Q_DENIED (or Q_NOMEM,
 * Q_CRYPTO: everything but Q_OK is a refusal). */
enum qerr
key_verify(const struct key *k, const struct span *parts, size_t n, struct span sig);

#endif
