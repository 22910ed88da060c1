/* SPDX-License-Identifier: MIT
 *
 * snapshot.h - the store as it was at one instant, for a backup of a live server.
 *
 *   DIR/snapshot/FOLDER/NAME   second names (link(2)) of the store's files
 *   DIR/snapshot/list          which there are, and how much of each belongs to it
 *
 * Who wants one holds DIR first, has the process that owns the store take it (that may be
 * a server, or itself), reads it, removes it.  A file that is replaced or removed
 * meanwhile lives on in the snapshot; a log that grows is read up to where it ended.
 * What a killed reader leaves behind goes when the store is opened next, or with the next
 * snapshot.
 *
 * Left out: server/lock, the control socket, temporary files, what of media has no .info
 * yet, and rooms' .state files, which are written in place and made anew from the logs.
 */
#ifndef STORE_SNAPSHOT_H
#define STORE_SNAPSHOT_H

#include <stdint.h>

#include "store/store.h"

/* ---- in the process that has the store ---- */

struct snapshot_taken {
	size_t files;
	int64_t paused_ms; /* how long nothing could be changed */
};

/* Take one, in place of the one there is.  All changes wait meanwhile; reading does not,
 * unless it is of a log for which an append waits.
 * any thread, one at a time (the caller of the one who holds DIR).  Q_FULL, Q_DENIED,
 * Q_NOMEM, Q_SYS: there is none, and why is a sentence. */
enum qerr snapshot_take(struct store *s, struct snapshot_taken *out, struct why *why);

/* ---- in the process that reads it; not thread-safe ---- */

struct snapshot;

/* Hold DIR.  Q_EXISTS: somebody else does; Q_MISSING, Q_DENIED, Q_NOMEM, Q_SYS; why. */
enum qerr snapshot_hold(const char *dir, struct snapshot **out, struct why *why);
/* Remove what there is and let DIR go.  NULL is fine. */
void snapshot_drop(struct snapshot *sn);

struct snapshot_file {
	const char *name; /* "users/alice"; of a folder "users/" */
	int fd;           /* open for reading; closed by the next call */
	int64_t size;     /* of a file: how many of its bytes belong to the snapshot */
};
/* The next one, folders before what is in them.  Q_MISSING: that was all, *out is
 * unchanged; Q_CLOSED: a start of the server has removed it; Q_FORMAT: the list makes no
 * sense; Q_DENIED, Q_NOMEM, Q_SYS; why. */
enum qerr snapshot_next(struct snapshot *sn, struct snapshot_file *out, struct why *why);

#endif
