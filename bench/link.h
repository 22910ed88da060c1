/* SPDX-License-Identifier: MIT
 *
 * link.h - one relay connection as a load generator wants it: blocking, with
 * nothing kept that 10,000 of them would feel.
 *
 * The handshake, the counters and the sealing are the real ones
 * (docs/protocols/relay.md), with the project's own codecs.  Two things a
 * person's client does are left out: the check of the server's signature, and
 * the key agreement between the two partners, because the server passes the
 * bodies of 350 on unread; ours hold random bytes in the right layout.
 *
 * A link to the floor (bench/floor.c) differs in its beginning alone, so the
 * same code drives both.  One thread at a time may send on a link, and one may
 * receive.  Every error ends the program.
 */
#ifndef BENCH_LINK_H
#define BENCH_LINK_H

#include <netinet/in.h>

#include "base/bytes.h"
#include "crypto/aead.h"
#include "crypto/key.h"
#include "protocol/relay.h"

struct link {
	int fd;
	struct aead *seal, *open;
	uint8_t iv[AEAD_IV_LEN]; /* 4 random bytes, then a counter */
	uint64_t iv_count;
	int32_t sent;     /* frames so far, the next one's counter */
	int32_t received; /* the same in the other direction */
};

/* Bytes of a whole sealed frame around data of n bytes, and of a 350 body
 * around a text of n bytes. */
#define LINK_FRAME_LEN(n) (RELAY_SIZE_LEN + RELAY_HEAD_LEN + (n) + RELAY_SEAL_LEN)
#define LINK_BODY_LEN(n)  (RELAY_SIZE_LEN + RELAY_HEAD_LEN + (n) + RELAY_SEAL_LEN)
#define LINK_FRAME_MAX    (RELAY_SIZE_LEN + RELAY_SEALED_MAX)

/* Connect to 127.0.0.1:port from 127.0.0.(1 + source % 200): many sources keep
 * clear of the limits for one address and of its ephemeral ports. */
void link_connect(struct link *l, unsigned port, unsigned source);
/* Log in at a server.  Returns when the proof has been sent; the server's
 * verdict shows with the next answer. */
void link_login(struct link *l, const char *name, const struct key *key);
/* Wait until the login counts: the server has answered something (a list). */
void link_online(struct link *l, uint8_t *buf);
/* Join a floor as side 0 or 1 of a pair, and wait until both sides are there. */
void link_join(struct link *l, unsigned pair, unsigned side);
void link_joined(struct link *l);
void link_close(struct link *l);

/* Seal one frame to out, LINK_FRAME_LEN(data.len) bytes; returns that. */
size_t link_seal(struct link *l, int32_t opcode, struct span data, uint8_t *out);
/* Write all of it. */
void link_write(struct link *l, const uint8_t *p, size_t n);
void link_send(struct link *l, int32_t opcode, struct span data);
/* Open a whole frame in place; counter is what it must carry. */
struct relay_inner link_open(struct link *l, uint8_t *frame, size_t len, int32_t counter);
/* Read exactly one frame into buf (LINK_FRAME_MAX bytes) and open it. */
struct relay_inner link_receive(struct link *l, uint8_t *buf);
/* The same, and it must be this opcode. */
struct relay_inner link_expect(struct link *l, int32_t opcode, uint8_t *buf);
/* Read until the server closes, as it does after 372. */
void link_wait_end(struct link *l);

/* A chat between two logged-in links, with b being called name. */
void link_chat(struct link *a, struct link *b, const char *b_name, uint8_t *buf);
/* A 350 body around a text of text_len random bytes, LINK_BODY_LEN of them. */
void link_body(uint8_t *out, size_t text_len);

#endif
