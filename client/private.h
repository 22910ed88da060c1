/* SPDX-License-Identifier: MIT
 *
 * private.h - private folders and whole files in them: mode 0700 and 0600,
 * replaced in one step, safe against a kill at any instant.
 *
 * Names contain no '/' (asserted): callers make them from user names and
 * targets, whose rules see to that.  May block on the disk.
 */
#ifndef CLIENT_PRIVATE_H
#define CLIENT_PRIVATE_H

#include <stdbool.h>

#include "base/bytes.h"

/* Open the folder at path, making it and what is missing above it (0700).  One that
 * is there and open to others is closed to them; one that is not ours is refused
 * (Q_DENIED).  The caller closes *fd. */
enum qerr private_open(const char *path, int *fd, struct why *why);
/* Make and open the folder name in the folder parent. */
enum qerr private_open_in(int parent, const char *name, int *fd, struct why *why);

enum private_secrecy { PRIVATE_PUBLIC, PRIVATE_SECRET };

/* Append the file to out.  name may be a path when fd is AT_FDCWD.  Q_MISSING;
 * Q_DENIED: not allowed, or secret and others may read it; Q_LIMIT (out's max);
 * Q_FORMAT: no regular file; Q_SYS. */
enum qerr private_read(int fd, const char *name, enum private_secrecy secret,
		       struct buf *out, struct why *why);
enum qerr private_replace(int fd, const char *name, struct span content, struct why *why);
/* Q_EXISTS: it is there already. */
enum qerr private_create(int fd, const char *name, struct span content, struct why *why);
bool private_has(int fd, const char *name);

#endif
