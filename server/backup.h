/* SPDX-License-Identifier: MIT
 *
 * backup.h - `server backup FILE.tar`, the command line's half: write the snapshot that
 * the command has taken (snapshot.h) to an archive.
 *
 * The archive is POSIX ustar, with pax headers only for what ustar cannot say (a file of
 * 8 GiB or more); everything is below "data/".  It is written beside FILE under a
 * temporary name, mode 0600, forced to the disk, and gets its name when it is whole, if
 * nobody else has that name by then.  One backup a process, one thread.
 */
#ifndef SERVER_BACKUP_H
#define SERVER_BACKUP_H

#include "base/bytes.h"

struct backup;

/* Before the command runs: hold data_dir, open the archive.  From here on SIGINT, SIGTERM
 * and SIGHUP let backup_write fail, so that nothing is left behind.  Q_EXISTS: FILE is
 * there, or another backup is being made; Q_MISSING, Q_DENIED, Q_NOMEM, Q_SYS; why. */
enum qerr
backup_open(const char *data_dir, const char *file, struct backup **out, struct why *why);
/* The command was run: write it all and give it its name.  A line about it goes to said.
 * Q_FULL: no room; Q_EXISTS, Q_CLOSED, Q_FORMAT, Q_DENIED, Q_NOMEM, Q_SYS: there is no
 * FILE of ours; why. */
enum qerr backup_write(struct backup *b, struct buf *said, struct why *why);
/* Remove the snapshot, and an archive that has not got its name.  NULL is fine. */
void backup_close(struct backup *b);

#endif
