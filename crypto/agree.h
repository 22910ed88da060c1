/* SPDX-License-Identifier: MIT
 *
 * agree.h - Diffie-Hellman on P-256 (ECDH, NIST SP 800-56A) between keys that last, and
 * points as bare bytes.  kex.h is for a handshake, where both keys are of the moment.
 * Any thread.
 */
#ifndef CRYPTO_AGREE_H
#define CRYPTO_AGREE_H

#include "crypto/key.h"

#define AGREE_SECRET_LEN 32
#define AGREE_POINT_LEN  65 /* 04, X, Y: SEC 1 section 2.3.3, uncompressed */

/* The shared secret (x coordinate) of own's private half and peer.  Q_DENIED: own has
 * none, or one of them is no key of P-256; Q_NOMEM, Q_CRYPTO.  The caller wipes it. */
enum qerr
agree(const struct key *own, const struct key *peer, uint8_t secret[AGREE_SECRET_LEN]);
/* The public key whose point this is.  Q_DENIED: not on the curve; Q_FORMAT: not of
 * this form; Q_NOMEM, Q_CRYPTO. */
enum qerr agree_key_of_point(struct span point, struct key **out);
/* The point of a P-256 key; Q_DENIED for others. */
enum qerr agree_point(const struct key *k, uint8_t point[AGREE_POINT_LEN]);

#endif
