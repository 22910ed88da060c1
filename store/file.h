/* SPDX-License-Identifier: MIT
 *
 * file.h - whole files, replaced atomically.  No locks; any thread.
 * Names are relative to a directory descriptor and contain no '/'.
 */
#ifndef STORE_FILE_H
#define STORE_FILE_H

#include "base/bytes.h"

/* Append the whole regular file to out.  Q_MISSING, Q_LIMIT, Q_DENIED, Q_SYS. */
enum qerr file_read(int dirfd, const char *name, struct buf *out);
/* Write temporary file, fsync, rename over name, fsync the directory.  On
 * failure name is as it was and the temporary file is gone. */
enum qerr file_replace(int dirfd, const char *name, struct span content, unsigned mode);
/* The same, but Q_EXISTS when name is there already (link(2), so that exactly
 * one of two callers wins). */
enum qerr file_create(int dirfd, const char *name, struct span content, unsigned mode);
/* Remove name and fsync the directory.  Q_MISSING. */
enum qerr file_remove(int dirfd, const char *name);
/* write(2) until all is written.  Q_FULL, Q_SYS; part may have been written. */
enum qerr file_write_all(int fd, const void *p, size_t n);
/* Is this a temporary name that file_replace makes? */
bool file_is_temporary(const char *name);

#endif
