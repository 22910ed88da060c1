/* SPDX-License-Identifier: MIT
 *
 * lane.h - one direction of a connection under a key of its own: AES-256-GCM whose IV
 * is 4 zero bytes and a 64-bit big-endian counter from 0, without additional data.  A
 * message that is lost, comes twice, or comes in another order is refused.
 *
 * One thread or lock at a time owns a lane.
 */
#ifndef CRYPTO_LANE_H
#define CRYPTO_LANE_H

#include "crypto/aead.h"

struct lane {
	struct aead *aead; /* NULL while it rests */
	uint64_t next;     /* the counter of the next message */
	uint8_t key[AEAD_KEY_LEN];
	enum aead_dir dir;
	bool made; /* a lane without a key is never used */
};

/* The key is HKDF-SHA256(secret, salt, info).  Q_NOMEM, Q_CRYPTO. */
enum qerr lane_init(struct lane *l, enum aead_dir dir, struct span secret,
		    struct span salt, const char *info);
/* Wipes.  A zeroed one is fine. */
void lane_fini(struct lane *l);
/* Nothing is expected for a while: give back the kilobyte that libcrypto has for a key
 * that is in use.  The next message asks for it again, and may find no memory. */
void lane_rest(struct lane *l);
/* Seal len bytes at in to out (in == out allowed), set tag and the iv that was used.
 * Q_CRYPTO; Q_NOMEM; Q_LIMIT: the counter is used up. */
enum qerr lane_seal(struct lane *l, const uint8_t *in, size_t len, uint8_t *out,
		    uint8_t tag[AEAD_TAG_LEN], uint8_t iv[AEAD_IV_LEN]);
/* Open len bytes.  Q_DENIED: iv is not the one that must come next, or the tag is
 * wrong; Q_CRYPTO; Q_NOMEM. */
enum qerr lane_open(struct lane *l, const uint8_t iv[AEAD_IV_LEN], const uint8_t *in,
		    size_t len, uint8_t *out, const uint8_t tag[AEAD_TAG_LEN]);

#endif
