/* SPDX-License-Identifier: MIT
 *
 * chats.h - the two-person chats that protocols share: who is in which.
 *
 * State is a journal (DIR/chats/pairs.log: "create", "delete", "cleared" and "gone"
 * events) with an index in memory by id, by pair and by user.  Ids rise from 1 and are never used
 * again.  A chat's messages are in DIR/messages/chat-ID.log, its media in DIR/media
 * (media.h).  Any thread; one mutex, never held over the disk.
 *
 * Names are compared without regard to case; a chat gives back the spelling that was
 * given first.  A user that was removed stays in the chats by name only: whoever has the
 * name later is no member.
 */
#ifndef STORE_CHATS_H
#define STORE_CHATS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/name.h"
#include "store/msglog.h"
#include "store/store.h"

struct chats;

struct chat_info {
	uint64_t id;
	char maker[NAME_SIZE]; /* who made it first; registered spelling */
	char other[NAME_SIZE];
	bool maker_gone, other_gone; /* removed; the name may be somebody else's */
	uint64_t anons_id;           /* the announcement it belongs to; 0: none */
	int64_t created_ms;
};

/* Read the journal, and remove what a kill in the middle of a chats_delete has left.
 * Q_NOMEM, Q_DENIED, Q_SYS. */
enum qerr chats_open(struct store *s, struct chats **out);
void chats_close(struct chats *c); /* NULL is fine */

/* The chat with that id.  Q_MISSING. */
enum qerr chats_get(struct chats *c, uint64_t id, struct chat_info *out);
/* The pair's chat about that announcement (0: the one without).  Q_MISSING. */
enum qerr chats_find(struct chats *c, const char *a, const char *b, uint64_t anons_id,
		     struct chat_info *out);
/* Make it, or give the one that is there (Q_EXISTS, *out filled): of two that ask at the
 * same instant exactly one makes it.  Q_FORMAT: not two names; Q_FULL, Q_NOMEM, Q_SYS:
 * nothing was made. */
enum qerr chats_create(struct chats *c, const char *maker, const char *other,
		       uint64_t anons_id, struct chat_info *out);
/* Remove chat, messages and media.  Q_OK: the chat is gone and its log closed for good,
 * whoever has it open; a file that could not be removed is reported and goes when the
 * chats are opened next.  Q_MISSING; Q_FULL, Q_NOMEM, Q_SYS: it is still there. */
enum qerr chats_delete(struct chats *c, uint64_t id);
/* A user was removed: from here on the name is no member of the chats that are there,
 * and is not found with them, while the other member keeps them.  Q_OK also when there
 * are none; Q_FULL, Q_NOMEM, Q_SYS: nothing is forgotten. */
enum qerr chats_forget(struct chats *c, const char *user);
/* Is user one of the two, and not just of the same name as one who was? */
bool chat_info_member(const struct chat_info *info, const char *user);
/* The user's chats by id; *out is malloc'ed (NULL when there are none).  Q_NOMEM. */
enum qerr
chats_of(struct chats *c, const char *user, struct chat_info **out, size_t *count);
/* Open the chat's log of messages, to be closed with msglog_close.  Unlike a chats_get
 * followed by a msglog_open this cannot give the log of a chat that is being deleted a
 * second life.  Q_MISSING; errors of msglog_open. */
enum qerr chats_open_log(struct chats *c, uint64_t id, struct msglog **out);
/* True once a chat, for who is about to append to its log for the first time since the
 * chats were opened: it is as the last process, or a power cut, has left it. */
bool chats_first_use(struct chats *c, uint64_t id);
/* The messages' log name: "chat-ID". */
void chats_log_name(uint64_t id, char out[32]);

#endif
