/* SPDX-License-Identifier: MIT
 *
 * positions.h - up to where a user has had the messages of each chat:
 * DIR/queue/NAME, lines "CHAT ID", replaced atomically.  What is behind the position
 * waits for the user; nothing is copied into a queue.  Any thread; saves of one user's
 * file come one after another.
 */
#ifndef STORE_POSITIONS_H
#define STORE_POSITIONS_H

#include <stdint.h>

#include "store/store.h"

struct position {
	uint64_t chat;
	uint64_t id; /* the record's id in the chat's log; everything up to it was had */
};

/* The user's positions, by chat, malloc'ed (NULL: none). */
enum qerr positions_load(struct store *s, const char *user, struct position **out,
    size_t *count);
/* Move positions forward: those given replace older ones of the same chat, never back; the
 * others stay. */
enum qerr positions_save(struct store *s, const char *user, const struct position *p,
    size_t count);
/* Forget one chat (it was deleted), or the user. */
enum qerr positions_drop(struct store *s, const char *user, uint64_t chat);
enum qerr positions_remove(struct store *s, const char *user);

#endif
