/* SPDX-License-Identifier: MIT
 *
 * positions.h - up to where a user has had the messages of each chat.  What is behind
 * the position waits for the user; nothing is copied into a queue.
 *
 *   DIR/queue/NAME     (the folded name)
 *	quintet-positions: 1
 *	CHAT ID [FROM-TO]  one line a chat, chats rising: everything up to message ID was
 *	...                had, and also what is from FROM to TO (any number of these)
 *	check: CCCCCCCC    CRC-32 of the lines above
 *
 * Replaced by rename, but not forced to the disk: a position that is lost in a power cut
 * means that messages are sent again, which the receiver knows by their times, and saves
 * come once a second from every user who is there.  For the same reason a damaged file is
 * set aside, reported, and taken for none.
 *
 * Any thread; saves of one user's file come one after another.
 */
#ifndef STORE_POSITIONS_H
#define STORE_POSITIONS_H

#include <stdint.h>

#include "store/store.h"

struct position {
	uint64_t chat;
	uint64_t id; /* the record's id in the chat's log; everything up to it was had */
};

/* Messages from..to of a chat were had; a position is one that begins at 1. */
struct had {
	uint64_t chat;
	uint64_t from, to;
};

/* The user's positions, by chat, malloc'ed (NULL: none).  Q_FORMAT: not a name;
 * Q_DENIED, Q_NOMEM, Q_SYS. */
enum qerr
positions_load(struct store *s, const char *user, struct position **out, size_t *count);
/* Move positions forward: those given (in any order) replace older ones of the same
 * chat, never newer ones; the others stay.  Writes only when something moved.  Q_FULL
 * and the errors of positions_load: the file is as it was. */
enum qerr
positions_save(struct store *s, const char *user, const struct position *p, size_t count);
/* All that was had: by chat, of one chat rising, with something missing in between. */
enum qerr
positions_load_had(struct store *s, const char *user, struct had **out, size_t *count);
/* Add to it; what touches becomes one.  Of a chat 64 stretches are kept, above that the
 * oldest that is no position is forgotten.  Results as of positions_save. */
enum qerr
positions_add(struct store *s, const char *user, const struct had *h, size_t count);
/* Of this chat nothing behind message `last` was had: a power cut has taken it from the
 * log, and what gets these ids next is something else.  Results as of positions_save. */
enum qerr positions_cut(struct store *s, const char *user, uint64_t chat, uint64_t last);
/* Forget one chat (it was deleted), or the user.  There need not be anything. */
enum qerr positions_drop(struct store *s, const char *user, uint64_t chat);
enum qerr positions_remove(struct store *s, const char *user);

#endif
