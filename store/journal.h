/* SPDX-License-Identifier: MIT
 *
 * journal.h - small state kept as an append-only log of what happened, read whole
 * when it is opened: DIR/chats/pairs.log, DIR/contacts/contacts.log.
 *
 * One event is one record (record.h) and one append, so a change of several objects
 * at once (two people become contacts) is there or is not; nothing else has to be
 * atomic.  The state itself lives in memory with its module (chats.c, relations.c).
 * Torn tails, damaged lines, full disks and durability are as in msglog.h.
 */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include "store/record.h"
#include "store/store.h"

struct journal;

/* Open folder/name.log and call replay(arg, r) for every record in order.  Q_NOMEM,
 * Q_SYS, or what replay returned when that was not Q_OK. */
enum qerr journal_open(struct store *s, const char *folder, const char *name,
    enum qerr (*replay)(void *arg, const struct record *r), void *arg, struct journal **out);
void journal_close(struct journal *j); /* NULL is fine */
/* Append one event; id and time are filled in.  Errors as msglog_append. */
enum qerr journal_append(struct journal *j, struct record *r);

#endif
