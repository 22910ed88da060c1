/* SPDX-License-Identifier: MIT
 *
 * kex.h - ephemeral Diffie-Hellman on P-256 (ECDH, NIST SP 800-56A).
 *
 * One struct kex is one ephemeral key pair of one thread: made, its public
 * half sent, a secret derived, freed (and wiped).
 */
#ifndef CRYPTO_KEX_H
#define CRYPTO_KEX_H

#include "base/bytes.h"

#define KEX_SECRET_LEN 32
#define KEX_PEM_MAX    512 /* a P-256 SubjectPublicKeyInfo in PEM is 178 bytes */

struct kex;

/* A fresh key pair.  NULL when there is no memory or libcrypto refuses. */
struct kex *kex_new(void);
void kex_free(struct kex *x); /* wipes; NULL is fine */
/* The public half, SubjectPublicKeyInfo in PEM; borrowed from x. */
struct span kex_pem(const struct kex *x);
/* The shared secret (x coordinate, 32 bytes) with the peer's public key in
 * PEM.  Q_FORMAT: no PEM public key; Q_DENIED: not a valid point of P-256;
 * Q_LIMIT: longer than KEX_PEM_MAX.  The caller wipes secret. */
enum qerr kex_derive(struct kex *x, struct span peer_pem, uint8_t secret[KEX_SECRET_LEN]);

#endif
