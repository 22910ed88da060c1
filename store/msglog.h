/* SPDX-License-Identifier: MIT
 *
 * msglog.h - append-only message logs, one a chat: messages/CHAT.log.
 *
 * The lines are records (record.h).  An append is one write(2) for a whole
 * batch.  When a log is opened a torn last line is cut off and reported; a
 * damaged line before the end is reported, skipped by readers and left where
 * it is.  Ids only rise, so a page is found by bisecting the file with
 * pread(2): the cost does not grow with the log, and nothing is loaded at
 * start.
 *
 * A failed append (full disk, I/O error) leaves the file as it was before:
 * what was written of the batch is cut off again.  The next append tries
 * afresh, so the log recovers by itself when there is room.
 *
 * Threads: a struct msglog may be used by several at once; it has one mutex.
 * The store keeps at most store_options.max_open_logs descriptors open and
 * closes the longest unused behind the scenes.
 */
#ifndef STORE_MSGLOG_H
#define STORE_MSGLOG_H

#include "store/record.h"
#include "store/store.h"

#define MSGLOG_CHAT_MAX 80 /* bytes of a chat's name: a-z 0-9 . _ - + */

struct msglog;

/* The log's name for a pair of users: both folded names in order, joined with
 * '+' (which no name may contain). */
void msglog_pair_name(const char *a, const char *b, char out[MSGLOG_CHAT_MAX + 1]);

/* May a chat be called this?  The first character is a letter or a digit. */
bool msglog_chat_valid(const char *chat);
/* Call each(arg, chat) for the logs there are, in no order; false stops.  Q_NOMEM, Q_SYS. */
enum qerr
msglog_each(struct store *s, bool (*each)(void *arg, const char *chat), void *arg);
/* Open chat's log; the file is made at the first append.  Two opens of one chat
 * give the same counted object.  Q_FORMAT: not a possible name; Q_DENIED,
 * Q_NOMEM, Q_SYS. */
enum qerr msglog_open(struct store *s, const char *chat, struct msglog **out);
/* NULL is fine.  Does not sync: see store_sync. */
void msglog_close(struct msglog *l);

/* Remove chat's log and its records, for good; there need not be one.  Whoever has
 * it open can do nothing with it any more: appending and reading give Q_CLOSED
 * (a read that has begun goes on).  Q_FORMAT, Q_NOMEM; Q_DENIED, Q_SYS: the file
 * is still there, but its objects are closed in any case. */
enum qerr msglog_remove(struct store *s, const char *chat);

/* Everything that was appended so far is on the disk when this returns Q_OK,
 * whatever the durability; Q_SYS as for msglog_append. */
enum qerr msglog_sync(struct msglog *l);

/* Append n records in order.  Each r[i].id is filled in (last + 1, ...) and so
 * is time_ms when it is 0.  The bytes are in the kernel when this returns Q_OK;
 * with STORE_ALWAYS they are on the disk (the call waits for a group
 * fdatasync).  Otherwise nothing was appended and r is unchanged: Q_FULL,
 * Q_FORMAT, Q_LIMIT (a batch of more than 64 MiB, too), Q_DENIED, Q_NOMEM, Q_SYS.
 * One exception: Q_SYS with STORE_ALWAYS when it is the fdatasync that failed.
 * The records then are in the file as others see it, ids are filled in, and
 * whether they outlive a power cut nobody can know: Linux forgets unwritten
 * bytes after having told of the error once, so a later success proves nothing.
 * It is reported too, as with STORE_INTERVAL, where it is the only sign. */
enum qerr msglog_append(struct msglog *l, struct record *r, size_t n);

/* The same, but no record may have a time yet, and each gets a later one than the
 * record before it, in the log and in the batch: the clock's, or where the clock
 * stood or went back (also over a restart) the last one's and 1 ms.  A log that is
 * only appended to in this way can be searched by time. */
enum qerr msglog_append_rising(struct msglog *l, struct record *r, size_t n);

/* The newest id, 0 when there is none.  Errors as for msglog_open. */
enum qerr msglog_last_id(struct msglog *l, uint64_t *id);

/* Read up to max records with id > after, oldest first, calling each(arg, r)
 * without a lock held; r is valid during the call.  each returns false to stop.
 * Damaged lines among them are skipped and counted in *damaged (may be NULL).
 * Records that are appended meanwhile are not read; each may append or read. */
enum qerr
msglog_read(struct msglog *l, uint64_t after, size_t max,
	    bool (*each)(void *arg, const struct record *r), void *arg, size_t *damaged);

/* The id of the last record whose time is at most time_ms, 0 when there is none, in
 * a log of msglog_append_rising.  Found as a page is.  Errors as for msglog_open. */
enum qerr msglog_find_time(struct msglog *l, int64_t time_ms, uint64_t *id);

#endif
