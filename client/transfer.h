/* SPDX-License-Identifier: MIT
 *
 * transfer.h - files inside an end-to-end chat (docs/protocols/relay.md, "Files"):
 * one each way at a time, while the chat goes on.
 *
 *	sender                              receiver
 *	/send: PREPARING (hash)
 *	353 name, size, hash  ----------->  ASKED: /get or /refuse
 *	RUNNING  <----------- 354 accept    RUNNING: to a partial file
 *	351 ... 352           ----------->
 *	         <----------- 354 stored    hash is right: renamed into place
 *	354 withdraw, 354 stop: /cancel, or trouble, at any time
 *
 * The machine is driven as a protocol's is (protocol.h): messages go in, messages go
 * out through send, events tell the person.  It reads and writes files in small
 * pieces, from transfer_tick and transfer_input; it never sends while more than
 * TRANSFER_WAITING bytes wait for the server, so messages are never far behind a file,
 * and a slow receiver slows the reading of the file down.
 */
#ifndef CLIENT_TRANSFER_H
#define CLIENT_TRANSFER_H

#include "client/protocol.h"

#define TRANSFER_LIMIT   ((uint64_t)1 << 30) /* unless the login says otherwise */
#define TRANSFER_WAITING (128 * 1024)

/* Send one inner message to the partner.  Q_OK, else it cannot be sent: Q_FULL. */
typedef enum qerr transfer_send_fn(void *arg, int32_t opcode, struct span data);

struct transfer;

/* NULL: no memory.  env and send are the machine's, borrowed. */
struct transfer *
transfer_new(const struct client_env *env, transfer_send_fn *send, void *send_arg);
/* Partial files are removed.  NULL is fine. */
void transfer_free(struct transfer *t);

/* ---- the chat ---- */
void transfer_begin(struct transfer *t, const char *partner);
/* The chat is over: what was under way has failed (CLIENT_FILE_FAILED). */
void transfer_end(struct transfer *t, const char *reason);
/* The data of an inner message.  False: it is none of relay_file.h's, or broken. */
bool transfer_input(struct transfer *t, int32_t opcode, struct span data, int64_t now_ms);
/* When to call transfer_tick: 0 never, 1 at once, else monotonic. */
int64_t transfer_deadline(const struct transfer *t);
void transfer_tick(struct transfer *t, int64_t now_ms);

/* ---- what a person asks for; Q_OK, else why is a sentence ---- */
/* CLIENT_DO_SEND_FILE, CLIENT_DO_GET, CLIENT_DO_REFUSE, CLIENT_DO_CANCEL. */
enum qerr transfer_do(struct transfer *t, enum client_verb verb, struct span arg,
		      int64_t now_ms, struct why *why);

#endif
