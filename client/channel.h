/* SPDX-License-Identifier: MIT
 *
 * channel.h - sealed frames under one key (docs/protocols/relay.md, "Frames").
 *
 * Relay seals twice in the same way: towards the server under Ks, and inside
 * that towards the partner under Kc.  A channel is either of the two: a key,
 * a counter a direction, and the guard against frames of our own that come
 * back.  One thread.
 */
#ifndef CLIENT_CHANNEL_H
#define CLIENT_CHANNEL_H

#include "crypto/kex.h"
#include "protocol/relay.h"

struct channel;

/* What sealing adds to data, size field included. */
#define CHANNEL_OVERHEAD (RELAY_SIZE_LEN + RELAY_SEALED_MIN)

/* The key is SHA-256(secret).  Q_NOMEM, Q_CRYPTO. */
enum qerr channel_new(const uint8_t secret[KEX_SECRET_LEN], struct channel **out);
void channel_free(struct channel *c); /* wipes; NULL is fine */
/* Append one frame.  Q_LIMIT: beyond out's max, or the counter is used up;
 * Q_NOMEM, Q_CRYPTO; then out is unchanged. */
enum qerr
channel_seal(struct channel *c, struct buf *out, int32_t opcode, struct span data);
/* Open one frame into plain (emptied first), from which *out is borrowed.
 * Q_DENIED: wrong tag or counter, or a frame of ours; why says which in a
 * phrase.  Q_NOMEM, Q_CRYPTO, Q_LIMIT. */
enum qerr channel_open(struct channel *c, const struct relay_sealed *frame,
		       struct buf *plain, struct relay_inner *out, struct why *why);

#endif
