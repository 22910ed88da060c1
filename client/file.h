/* SPDX-License-Identifier: MIT
 *
 * file.h - files that people send and keep.  Blocks on the disk.
 */
#ifndef CLIENT_FILE_H
#define CLIENT_FILE_H

#include "base/bytes.h"

/* Append what CLIENT_DO_SEND takes for the file at path: its name without folders, a
 * NUL, its contents as a data URL.  The type is told by the contents.  Q_LIMIT: too
 * large for any protocol; else as private_read; why is a sentence. */
#define FILE_SEND_MAX (16 * 1024 * 1024)
enum qerr file_load(struct span path, struct buf *out, struct why *why);

/* Append the contents of the file at path, of at most max bytes.  Q_LIMIT: it has more;
 * why says how many; Q_MISSING, Q_DENIED, Q_FORMAT, Q_SYS, Q_NOMEM. */
enum qerr file_contents(struct span path, uint64_t max, struct buf *out, struct why *why);
/* The type of such contents, by what they look like. */
const char *file_type_of(struct span content);
/* A path's last part. */
struct span file_called(struct span path);

/* A name for a file that others call called: nothing in it leads elsewhere, hides the
 * file or speaks to a terminal or a shell.  id and type make one up when called gives
 * nothing. */
#define FILE_NAME_SIZE 101
void
file_name(struct span called, uint64_t id, const char *type, char out[FILE_NAME_SIZE]);

/* Write a new file at path.  Q_EXISTS: something is there already, and is left as it
 * is; Q_FULL, Q_SYS, ...: nothing is left of it. */
enum qerr file_save(const char *path, struct span content, struct why *why);

#endif
