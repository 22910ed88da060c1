/* SPDX-License-Identifier: MIT
 *
 * wrap.h - a short secret that only the owner of a long-term key can have back.
 *
 *	RSA	RSAES-OAEP with SHA-256 (RFC 8017 section 7.1); the label is OAEP's
 *	P-256	u16 length | ephemeral key, SubjectPublicKeyInfo in PEM |
 *		AES-256-GCM, iv of zeros (the key is used once): sealed secret | tag
 *		key = HKDF-SHA256(ECDH, salt: SHA-256 of the label, info: ephemeral key)
 *
 * Any thread.
 */
#ifndef CRYPTO_WRAP_H
#define CRYPTO_WRAP_H

#include "base/bytes.h"
#include "crypto/key.h"

#define WRAP_SECRET_MAX 64
#define WRAP_MAX        1024 /* bytes of a wrapped secret */

/* Append secret, wrapped for owner.  label is any text that must be the same when it is
 * opened.  Q_LIMIT, Q_NOMEM, Q_CRYPTO. */
enum qerr wrap_seal(const struct key *owner, struct span label, struct span secret,
		    struct buf *out);
/* Append the secret; out is one, so buf_wipe it.  Q_DENIED: for another key, or with
 * another label, or changed, or owner has no private half; Q_FORMAT. */
enum qerr wrap_open(const struct key *owner, struct span label, struct span wrapped,
		    struct buf *out);

#endif
