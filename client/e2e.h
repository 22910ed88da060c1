/* SPDX-License-Identifier: MIT
 *
 * e2e.h - the end-to-end layer of one relay chat: agreeing on a key with the
 * partner through a server that must not learn it, and the messages under it
 * (docs/protocols/relay.md, "Key negotiation" and "350 body").
 *
 *     requester                                accepter
 *     303 partner's key                        307 partner's key
 *          ---- 305 nonce1 ------------------------->
 *          <--- 308 nonce2, ephemeral2, sign(ephemeral2 || nonce1)
 *     ready --- 306 ephemeral1, sign(ephemeral1 || nonce2) --> ready
 *
 * Pure: data in, data out; no socket, no clock.  One thread.
 */
#ifndef CLIENT_E2E_H
#define CLIENT_E2E_H

#include <stdbool.h>

#include "crypto/cert.h"
#include "crypto/key.h"
#include "protocol/relay.h"

enum e2e_role { E2E_REQUESTER, E2E_ACCEPTER };

struct e2e;

/* A chat with the owner of partner_pem, which is the data of 303 or 307.
 * Q_DENIED: a key that we cannot accept, our own among them; why is a phrase,
 * here and below.  Q_FORMAT, Q_NOMEM, Q_CRYPTO. */
enum qerr e2e_new(enum e2e_role role, struct key *own, struct span partner_pem,
		  struct e2e **out, struct why *why);
void e2e_free(struct e2e *x); /* wipes; NULL is fine */

/* Requester: append the data of 305. */
enum qerr e2e_begin(struct e2e *x, struct buf *reply);
/* Act on the data of 305, 308 or 306.  *reply_opcode is 0 or what to send, its
 * data appended to reply.  Q_DENIED: out of turn, or the signature is not the
 * partner's; Q_FORMAT; Q_NOMEM; Q_CRYPTO: the chat cannot go on. */
enum qerr e2e_input(struct e2e *x, int32_t opcode, struct span data,
		    int32_t *reply_opcode, struct buf *reply, struct why *why);
/* Messages may pass (the requester sends its 306 first). */
bool e2e_ready(const struct e2e *x);
/* Of the partner's long-term key; borrowed from x. */
const char *e2e_fingerprint(const struct e2e *x);

/* Only when ready.  Append the data of a 350 that carries text; or another kind of
 * message, by its opcode. */
enum qerr e2e_seal(struct e2e *x, struct span text, struct buf *out);
enum qerr e2e_seal_kind(struct e2e *x, int32_t opcode, struct span data, struct buf *out);
/* Open the data of a 350 into plain (emptied first), from which *out is
 * borrowed; the caller looks at its opcode.  Errors as e2e_input. */
enum qerr e2e_open(struct e2e *x, struct span data, struct buf *plain,
		   struct relay_inner *out, struct why *why);

#endif
