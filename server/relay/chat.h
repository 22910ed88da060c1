/* SPDX-License-Identifier: MIT
 *
 * chat.h - one chat: the object that its two sides share from 303 to 371.
 *
 * It is counted, and being pointed to is what makes a session a member: see
 * "chat" in relay_session.h.  Because whoever holds a reference keeps the
 * address from being used again, comparing pointers tells one chat from the
 * next one between the same two people.  Any thread.
 */
#ifndef SERVER_RELAY_CHAT_H
#define SERVER_RELAY_CHAT_H

#include <stdatomic.h>

#include "server/session.h"
#include "store/msglog.h"

struct relay_chat {
	atomic_uint refs;
	struct session *who[2];       /* references; set by relay_chat_join, then fixed */
	_Atomic(struct msglog *) log; /* opened by the first message archived */
};

/* One reference for the caller.  NULL: no memory. */
struct relay_chat *relay_chat_new(void);
struct relay_chat *relay_chat_ref(struct relay_chat *c);
/* The last one closes the log and lets the sessions go: hold no lock.  NULL is
 * fine. */
void relay_chat_unref(struct relay_chat *c);
/* Name the two sides (references are taken); once, before others see c. */
void relay_chat_join(struct relay_chat *c, struct session *a, struct session *b);
/* The side that is not me; borrowed from c. */
struct session *relay_chat_partner(const struct relay_chat *c, const struct session *me);
/* The pair's message log, borrowed from c; opened when it is not yet.  May wait
 * for the disk: hold no lock.  Errors as msglog_open. */
enum qerr relay_chat_log(struct relay_chat *c, struct store *store, struct msglog **out);

#endif
