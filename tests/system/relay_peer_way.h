/* SPDX-License-Identifier: MIT
 *
 * relay_peer_way.h - sealing and opening in one direction, the same between
 * client and server and between the two clients.
 */
#ifndef TESTS_SYSTEM_RELAY_PEER_WAY_H
#define TESTS_SYSTEM_RELAY_PEER_WAY_H

#include "tests/system/relay_peer.h"

/* Both directions under SHA-256 of the secret that x shares with pem; key (may
 * be NULL) gets a copy. */
void way_derive(struct kex *x, struct span pem, struct peer_way *to,
		struct peer_way *from, uint8_t key[AEAD_KEY_LEN]);
void way_close(struct peer_way *w);
/* Append size | ct | tag | iv and count. */
void way_seal(struct peer_way *w, struct buf *out, int32_t opcode, struct span data);
/* The same with only the first len bytes of opcode and counter inside. */
void way_seal_head(struct peer_way *w, struct buf *out, int32_t opcode, size_t len);
/* Open a sealed body into plain (emptied first): tag, counter and IVs must be
 * right, or the test fails, naming who and from whom. */
void way_open(struct peer_way *w, struct span body, struct buf *plain, const char *who,
	      const char *from);

#endif
