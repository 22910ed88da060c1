/* SPDX-License-Identifier: MIT
 *
 * check.h - "server check": read everything, say what is wrong.
 */
#ifndef STORE_CHECK_H
#define STORE_CHECK_H

#include "store/store.h"

struct check_result {
	size_t users, keys, nodes, logs, records, media; /* read and found good */
	size_t problems;                                 /* said through say() */
	size_t repaired; /* of these; set aside, never deleted */
};

/* Read every file of the open store.  say(arg, sentence) is called for each
 * problem, with the file's path relative to DIR in it and without a lock held.
 * With repair, damaged files are moved to DIR/bad/, damaged lines of a log are
 * copied there and the log is rewritten without them.  (A torn end of a log is
 * cut off and kept in DIR/bad/ in any case, as whenever a log is opened; what an
 * interrupted replacement left behind was moved when the store was opened.)
 *
 * Users and messages may come and go meanwhile: a log is locked only while it is
 * rewritten, and then appends to it wait.  Q_NOMEM, Q_SYS: a folder cannot be
 * listed; *out is filled as far as it got. */
enum qerr
store_check(struct store *s, bool repair, void (*say)(void *arg, const char *sentence),
	    void *arg, struct check_result *out);

#endif
