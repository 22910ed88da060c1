/* SPDX-License-Identifier: MIT
 *
 * media.h - pictures and files of the shared chats, as they came.
 *
 *   DIR/media/ID        the bytes
 *   DIR/media/ID.info   "key: value" lines: chat, type, name, kind, size, crc32, sha256,
 *                       check
 *   DIR/media/ID.thumb  a small picture of it, made when somebody first lists it; empty
 *                       when none can be made
 *
 * Ids rise from 1 and are never used again: DIR/server/media-ids holds how far they are
 * taken, in blocks.  No name from a user becomes a path.  Any thread.
 */
#ifndef STORE_MEDIA_H
#define STORE_MEDIA_H

#include <stdint.h>

#include "base/bytes.h"
#include "store/store.h"

#define MEDIA_TYPE_MAX 127
#define MEDIA_NAME_MAX 255
#define MEDIA_KIND_MAX 31
#define MEDIA_SIZE_MAX (16 * 1024 * 1024)
/* Bytes of a small picture. */
#define MEDIA_THUMB_MAX 65536

struct media_info {
	uint64_t id;                   /* filled in by media_add */
	uint64_t chat;                 /* whose members may have it */
	uint64_t size;                 /* bytes; filled in by media_add */
	char type[MEDIA_TYPE_MAX + 1]; /* as it came; "" when none was given */
	char name[MEDIA_NAME_MAX + 1]; /* what its sender called it, UTF-8; may be "" */
	char kind[MEDIA_KIND_MAX + 1]; /* what its bytes were found to be, in the words of
					* whoever looked; "": nobody has */
};

/* Store content under a new id; both files are on the disk before Q_OK, whatever the
 * durability: there are few of them.  Q_LIMIT: empty or above MEDIA_SIZE_MAX; Q_FORMAT:
 * type or name is not UTF-8, or chat is 0; Q_FULL, Q_DENIED, Q_NOMEM, Q_CRYPTO, Q_SYS.
 * Without Q_OK nothing is left of it, and info is unchanged. */
enum qerr media_add(struct store *s, struct media_info *info, struct span content);
/* Q_MISSING; Q_FORMAT: damaged (reported); Q_DENIED, Q_NOMEM, Q_SYS. */
enum qerr media_info(struct store *s, uint64_t id, struct media_info *out);
/* Append the bytes to out, after a look at their CRC-32.  Q_LIMIT: more than out can
 * hold; the others as for media_info. */
enum qerr media_read(struct store *s, uint64_t id, struct buf *out);
/* Keep a small picture beside it; content may be empty.  Q_EXISTS: there is one;
 * Q_MISSING: there is no such media (any more); Q_LIMIT; Q_FULL, Q_DENIED, Q_NOMEM,
 * Q_SYS. */
enum qerr media_thumb_add(struct store *s, uint64_t id, struct span content);
/* Append it to out.  Q_MISSING; Q_LIMIT; Q_DENIED, Q_NOMEM, Q_SYS. */
enum qerr media_thumb_read(struct store *s, uint64_t id, struct buf *out);
/* Q_MISSING: there was none. */
enum qerr media_remove(struct store *s, uint64_t id);
/* Remove all media of a chat; files that vanish meanwhile are no error.  Looks at the
 * .info of all media there are. */
enum qerr media_remove_chat(struct store *s, uint64_t chat);

#endif
