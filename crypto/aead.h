/* SPDX-License-Identifier: MIT
 *
 * aead.h - AES-256-GCM (NIST SP 800-38D) for one direction under one key.
 *
 * A struct aead keeps libcrypto's context with the key schedule set, because
 * setting it again costs three times what sealing a short message does.  It is
 * not for two threads at a time: the caller's lock or thread owns it.
 */
#ifndef CRYPTO_AEAD_H
#define CRYPTO_AEAD_H

#include "base/bytes.h"

#define AEAD_KEY_LEN 32
#define AEAD_IV_LEN  12
#define AEAD_TAG_LEN 16

enum aead_dir { AEAD_SEAL, AEAD_OPEN };

struct aead;

/* NULL when there is no memory or libcrypto refuses. */
struct aead *aead_new(enum aead_dir dir, const uint8_t key[AEAD_KEY_LEN]);
/* Wipes the key.  NULL is fine. */
void aead_free(struct aead *a);
/* Encrypt len bytes (0 allowed; in == out allowed, otherwise no overlap) and
 * make the tag.  The caller never uses one iv twice under one key.
 * Q_OK or Q_CRYPTO. */
enum qerr
aead_seal(struct aead *a, const uint8_t iv[AEAD_IV_LEN], struct span aad,
	  const uint8_t *in, size_t len, uint8_t *out, uint8_t tag[AEAD_TAG_LEN]);
/* Decrypt and check.  Q_DENIED when the tag is wrong: out then holds nothing
 * of use and is wiped. */
enum qerr
aead_open(struct aead *a, const uint8_t iv[AEAD_IV_LEN], struct span aad,
	  const uint8_t *in, size_t len, uint8_t *out, const uint8_t tag[AEAD_TAG_LEN]);

#endif
