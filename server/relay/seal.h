/* SPDX-License-Identifier: MIT
 *
 * seal.h - the sealed frames of one session (docs/protocols/relay.md,
 * "Frames"): two counters, two AES-256-GCM contexts, one IV prefix.
 *
 * Threads: the opening half belongs to the session's worker, the sealing half
 * to whoever holds the session's outbox lock.
 */
#ifndef SERVER_RELAY_SEAL_H
#define SERVER_RELAY_SEAL_H

#include "crypto/aead.h"
#include "protocol/relay.h"

#define SEALING_PREFIX_LEN 4

struct sealing {
	struct aead *open;                  /* worker */
	uint32_t in_next;                   /* worker: the counter that must come next */
	struct aead *seal;                  /* [outbox] */
	uint32_t out_next;                  /* [outbox] the counter that goes out next */
	uint8_t prefix[SEALING_PREFIX_LEN]; /* begins every IV of ours */
};

/* The bytes that a plain text (opcode, counter, data) of len bytes takes as a
 * sealed frame. */
#define SEALED_SIZE(len) (RELAY_SIZE_LEN + (len) + RELAY_SEAL_LEN)

/* Fresh counters and a random prefix under the session key.  Q_NOMEM. */
enum qerr sealing_init(struct sealing *g, const uint8_t ks[AEAD_KEY_LEN]);
/* Wipes.  A zeroed one is fine. */
void sealing_fini(struct sealing *g);

/* Open the sealed frame whose body is the len bytes at body (at least
 * RELAY_SEALED_MIN), in place: the plain text replaces the cipher text and *out
 * is borrowed from it.  Q_DENIED: wrong tag, wrong counter, or a frame of ours
 * that came back; Q_LIMIT: the counters are used up; Q_CRYPTO.  On failure
 * *reason is a phrase for people and the bytes are of no use. */
enum qerr sealing_open(struct sealing *g, uint8_t *body, size_t len,
		       struct relay_inner *out, const char **reason);

/* Seal the len bytes at plain, a place for the 4 bytes of the counter at 4
 * included, as one frame of SEALED_SIZE(len) bytes at out.  plain may be
 * out + RELAY_SIZE_LEN.  Q_LIMIT: only the last counter is left and last is
 * false, or none is; Q_CRYPTO. */
enum sealing_last { SEALING_MORE, SEALING_LAST };
enum qerr sealing_seal(struct sealing *g, enum sealing_last last, uint8_t *plain,
		       size_t len, uint8_t *out);

#endif
