/* SPDX-License-Identifier: MIT
 *
 * file_set.h - the files of one folder as they are served: read once, at the start,
 * compressed once, and kept in memory.
 *
 * A request's path is looked up among their names as it came, with nothing decoded and
 * nothing joined to a folder's name: so no path, however it is spelled, can leave the
 * folder.  Names that are served consist of letters, digits, ".", "_" and "-", and do
 * not begin with "."; others, and what is neither file nor folder, are left out.
 *
 * A set is immutable: any thread may look into it, without a lock.
 */
#ifndef SERVER_HTTP_FILE_SET_H
#define SERVER_HTTP_FILE_SET_H

#include <stdbool.h>

#include "base/bytes.h"

#define FILE_SET_MAX   256                /* files */
#define FILE_SET_BYTES (16 * 1024 * 1024) /* of all of them */
#define FILE_SET_DEPTH 4                  /* folders below each other */

#define FILE_TAG_SIZE 40

struct file_form {
	struct span bytes;
	char tag[FILE_TAG_SIZE]; /* a strong ETag, with its quotes (RFC 9110, 8.8.3) */
};

struct file {
	char *path;             /* "/style.css" */
	const char *type;       /* Content-Type */
	struct file_form plain; /* as it is on the disk */
	struct file_form gzip;  /* compressed; bytes.p is NULL: that saves nothing */
};

struct file_set;

/* Read the folder and those in it.  Q_MISSING: there is no such folder, or no index.html
 * in it; Q_LIMIT, Q_DENIED, Q_NOMEM, Q_CRYPTO, Q_SYS. */
enum qerr file_set_load(const char *folder, struct file_set **out, struct why *why);
void file_set_free(struct file_set *set); /* NULL is fine */
/* The file that a request's path names; "/" is /index.html.  NULL: none. */
const struct file *file_set_find(const struct file_set *set, struct span path);
/* Bytes of all forms, and how many files. */
size_t file_set_bytes(const struct file_set *set);
size_t file_set_count(const struct file_set *set);

/* Does an If-None-Match header (p NULL: there is none) hold tag?  Compared weakly, as RFC
 * 9110 section 13.1.2 wants it; "*" holds any. */
bool file_tag_listed(struct span header, const char *tag);

#endif
