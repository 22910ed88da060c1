/* SPDX-License-Identifier: MIT
 *
 * media_priv.h - what the files about media share.
 *
 *   media.c        adding, reading, removing
 *   media_info.c   an .info file, to bytes and back
 *   media_ids.c    ids that are never used again
 *   check_media.c  "server check"
 */
#ifndef STORE_MEDIA_PRIV_H
#define STORE_MEDIA_PRIV_H

#include "crypto/hash.h"
#include "store/media.h"
#include "store/store_priv.h"

#define MEDIA_IDS_FILE  "media-ids" /* in server/ */
#define MEDIA_SUFFIX    ".info"
#define MEDIA_SMALL     ".thumb"
#define MEDIA_FILE_SIZE 32   /* a file's name: 19 digits, MEDIA_SUFFIX, a NUL */
#define MEDIA_INFO_MAX  4096 /* bytes of an .info; names may be full of escapes */

/* What an .info says. */
struct media_record {
	struct media_info info; /* but for the id, which is in the file's name */
	uint32_t crc;
	uint8_t hash[SHA256_LEN];
};

/* Pure.  Q_FORMAT, Q_NOMEM. */
enum qerr media_encode(const struct media_record *m, struct buf *out);
enum qerr media_decode(struct span text, struct media_record *out);
/* The crc and hash of content.  Q_NOMEM, Q_CRYPTO. */
enum qerr media_digest(struct span content, struct media_record *m);

/* The names in media/. */
void media_file(uint64_t id, const char *suffix, char out[MEDIA_FILE_SIZE]);
/* Take one apart.  Q_FORMAT: it is none of ours. */
enum media_part { MEDIA_BYTES, MEDIA_INFO, MEDIA_THUMB, MEDIA_PARTS };
enum qerr media_file_parse(const char *name, uint64_t *id, enum media_part *part);

/* Read and decode ID.info.  Q_MISSING, Q_FORMAT (not reported), Q_DENIED, Q_NOMEM,
 * Q_SYS. */
enum qerr media_load(struct store *s, uint64_t id, struct media_record *out);

/* An id that nobody has had.  Q_FULL, Q_LIMIT, ...: none could be written down. */
enum qerr media_id_take(struct store *s, uint64_t *id);
/* Could an add by this process be under way with that id? */
bool media_id_recent(struct store *s, uint64_t id);

#endif
