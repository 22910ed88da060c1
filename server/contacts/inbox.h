/* SPDX-License-Identifier: MIT
 *
 * inbox.h - what one session was told of, was sent, and has had, chat by chat.
 * Pure; the caller's lock (the session's outbox lock) guards it.
 *
 *   saved <= had <= sent         ids in the chat's file
 *
 * sent: the last one that is in the outbox, or went through it; told: the newest one
 * that the hub has told of.  sent < told means that the rest has to be read from the
 * file.  had: the last one that counts as delivered; saved: the same as the store
 * knows it.
 *
 * Between sent and had there is the ring: one entry a message, saying at which byte
 * of the connection its last one goes.
 */
#ifndef SERVER_CONTACTS_INBOX_H
#define SERVER_CONTACTS_INBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum inbox_phase {
	INBOX_AWAY,     /* nobody is logged in: tell nothing */
	INBOX_ARRIVING, /* what waited goes first: only remember what is told of */
	INBOX_HERE      /* what happens goes out at once */
};

struct inbox_chat {
	uint64_t chat;
	uint64_t sent, told, had, saved;
	bool frozen; /* its file could not be read: its position stays */
};

struct inbox_entry {
	uint64_t end; /* the connection's bytes up to the end of this 220 */
	uint64_t chat;
	uint64_t id;
};

struct inbox {
	enum inbox_phase phase;
	bool by_hand;             /* 122 came: only 122 moves positions */
	struct inbox_chat *chats; /* by number */
	size_t n, cap;
	size_t last; /* where the last search ended: mostly the next one does, too */
	struct inbox_entry *ring;
	size_t ring_cap; /* a power of two, or 0 */
	size_t ring_head, ring_n;
};

/* Forget everything and free it: INBOX_AWAY. */
void inbox_clear(struct inbox *in);

/* NULL: it is not there. */
struct inbox_chat *inbox_find(struct inbox *in, uint64_t chat);
/* The chat, put in with everything at id when it is new; pointers given before are
 * stale.  NULL: no memory. */
struct inbox_chat *inbox_enter(struct inbox *in, uint64_t chat, uint64_t id);
/* It was deleted. */
void inbox_forget(struct inbox *in, uint64_t chat);
/* Is there anything to be read from files? */
bool inbox_owing(const struct inbox *in);

/* Room in the ring for n more.  Q_NOMEM. */
enum qerr inbox_reserve(struct inbox *in, size_t n);
/* id of chat ends at byte end, which never falls; there is room.  Nothing with
 * by_hand. */
void inbox_sent(struct inbox *in, uint64_t chat, uint64_t id, uint64_t end);
/* The first acked bytes of the connection have arrived. */
void inbox_acked(struct inbox *in, uint64_t acked);
/* From now on only inbox_seen moves positions. */
void inbox_by_hand(struct inbox *in);
/* Everything of chat up to id was seen.  Q_NOMEM. */
enum qerr inbox_seen(struct inbox *in, uint64_t chat, uint64_t id);
/* Does the store not know yet all that was had? */
bool inbox_unsaved(const struct inbox *in);

#endif
