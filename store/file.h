/* SPDX-License-Identifier: MIT
 *
 * file.h - whole files, replaced atomically.  No locks; any thread.
 * Names are relative to a directory descriptor and contain no '/'.
 * Functions that return Q_SYS leave the reason in errno.
 */
#ifndef STORE_FILE_H
#define STORE_FILE_H

#include <sys/stat.h>

#include "base/bytes.h"

/* Append the whole regular file to out (symbolic links are followed: an
 * administrator may keep a certificate elsewhere).  Q_MISSING, Q_LIMIT (more
 * than out can hold), Q_DENIED, Q_NOMEM, Q_SYS; out is then unchanged. */
enum qerr file_read(int dirfd, const char *name, struct buf *out);
/* The same, refusing more than limit bytes with Q_LIMIT, and telling in *st the
 * state of the file just before it was read. */
enum qerr file_read_limit(int dirfd, const char *name, size_t limit, struct buf *out,
			  struct stat *st);
/* Write temporary file, fsync, rename over name, fsync the directory.  mode is
 * what the file gets, whatever the umask.  On failure name is as it was and the
 * temporary file is gone; only when the directory's fsync is what failed (Q_SYS)
 * name has the new content, which may be lost with the machine's power.
 * Q_FULL, Q_DENIED, Q_NOMEM, Q_SYS. */
enum qerr file_replace(int dirfd, const char *name, struct span content, unsigned mode);
/* Temporary file and rename, mode 0600, and nothing is forced to the disk: for what may be
 * lost with the machine's power.  Q_FULL, Q_DENIED, Q_NOMEM, Q_SYS: name is as it was. */
enum qerr file_swap(int dirfd, const char *name, struct span content);
/* As file_replace, but Q_EXISTS when name is there already (link(2), so that exactly
 * one of two callers wins). */
enum qerr file_create(int dirfd, const char *name, struct span content, unsigned mode);
/* Remove name and fsync the directory.  Q_MISSING, Q_DENIED, Q_SYS. */
enum qerr file_remove(int dirfd, const char *name);
/* write(2) until all is written.  Q_FULL, Q_SYS; part may have been written. */
enum qerr file_write_all(int fd, const void *p, size_t n);

/* rename(2) and unlink(2) as they are, but for waiting while a snapshot is taken
 * (pause.h): 0, or -1 and errno. */
int file_rename(int from_dir, const char *from, int to_dir, const char *to);
int file_unlink(int dirfd, const char *name);

/* ---- temporary files, for those who write more than one span ---- */

#define FILE_TEMP_SIZE 64
/* Make an empty temporary file, mode 0600, and open it for reading and writing. */
enum qerr file_temp_open(int dirfd, char name[FILE_TEMP_SIZE], int *fd);
/* Is this a temporary name that the functions here make?  Of one that is found
 * when the store is opened nothing was ever acknowledged. */
bool file_is_temporary(const char *name);

#endif
