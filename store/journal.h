/* SPDX-License-Identifier: MIT
 *
 * journal.h - small state kept as an append-only log of what happened, read whole
 * when it is opened: DIR/chats/pairs.log, DIR/contacts/contacts.log.
 *
 * One event is one record (record.h) and one append, so a change of several objects
 * at once (two people become contacts) is there or is not; nothing else has to be
 * atomic.  The state itself lives in memory with its module (chats.c, relations.c).
 * Torn tails, damaged lines, full disks and durability are as in msglog.h: it is the
 * same code, in another folder.  Any thread.
 */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include "store/record.h"
#include "store/store_priv.h"

struct journal;

/* Open folder/name.log and call replay(arg, r) for every good record in order, without
 * a lock held; damaged lines are passed over and reported.  Q_NOMEM, Q_DENIED, Q_SYS,
 * or what replay returned when that was not Q_OK. */
enum qerr journal_open(struct store *s, enum store_folder folder, const char *name,
		       enum qerr (*replay)(void *arg, const struct record *r), void *arg,
		       struct journal **out);
void journal_close(struct journal *j); /* NULL is fine */
/* Append one event; id and time are filled in.  Errors as msglog_append: nothing was
 * appended, and the state has to stay as it is.  An event that is in the file but could
 * not be forced to the disk is Q_OK: it happened, as every reader sees, and the doubt
 * whether it outlives a power cut is reported. */
enum qerr journal_append(struct journal *j, struct record *r);
/* Force what was appended to the disk, whatever the durability.  Q_SYS. */
enum qerr journal_sync(struct journal *j);
/* The id of the newest event, 0: none. */
enum qerr journal_last_id(struct journal *j, uint64_t *id);

#endif
