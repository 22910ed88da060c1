/* SPDX-License-Identifier: MIT
 *
 * media.h - pictures and files of the shared chats, as they came.
 *
 *   DIR/media/ID        the bytes
 *   DIR/media/ID.info   "key: value" lines: chat, type, name, size, sha256, check
 *
 * Ids rise from 1 and are never used again (DIR/server/media-ids holds how far they are
 * taken, in blocks).  No name from a user becomes a path.  Any thread.
 */
#ifndef STORE_MEDIA_H
#define STORE_MEDIA_H

#include <stdint.h>

#include "base/bytes.h"
#include "store/store.h"

#define MEDIA_TYPE_MAX 127
#define MEDIA_NAME_MAX 255
#define MEDIA_SIZE_MAX (16 * 1024 * 1024)

struct media_info {
	uint64_t id;   /* filled in by media_add */
	uint64_t chat; /* whose members may have it */
	uint64_t size;
	char type[MEDIA_TYPE_MAX + 1]; /* as it came; "" when none was given */
	char name[MEDIA_NAME_MAX + 1]; /* what its sender called it, UTF-8; may be "" */
};

/* Store content; both files are whole and on their way to the disk (or on it, with
 * STORE_ALWAYS) before Q_OK.  Q_LIMIT: empty or above MEDIA_SIZE_MAX; Q_FULL, Q_SYS: nothing
 * is left of it. */
enum qerr media_add(struct store *s, struct media_info *info, struct span content);
/* Q_MISSING; Q_FORMAT: damaged (reported). */
enum qerr media_info(struct store *s, uint64_t id, struct media_info *out);
/* Append the bytes to out. */
enum qerr media_read(struct store *s, uint64_t id, struct buf *out);
enum qerr media_remove(struct store *s, uint64_t id);
/* Remove all media of a chat; files that vanish meanwhile are no error. */
enum qerr media_remove_chat(struct store *s, uint64_t chat);

#endif
