/* SPDX-License-Identifier: MIT
 *
 * personal.h - folders with one small file a user, named by the folded name and ended
 * by a CRC-32 (fields.h): tokens/, chatkeys/, restrictions/.  What such files have in common.
 */
#ifndef STORE_PERSONAL_H
#define STORE_PERSONAL_H

#include "base/name.h"
#include "store/store_priv.h"

/* The name of the user's files.  Q_FORMAT: not a name. */
enum qerr personal_name(const char *user, char out[NAME_SIZE]);
/* Who changes a file of this user holds it from reading to writing. */
struct lock *personal_lock(struct store *s, const char *folded);
/* Read the file and have decode make what it means of the bytes.  Q_MISSING: none is
 * there; Q_FORMAT: it is damaged, and still where it is; what decode returned. */
enum qerr
personal_read(struct store *s, enum store_folder folder, const char *folded, size_t max,
	      enum qerr (*decode)(void *out, struct span text), void *out);
/* The same with the lock held, where a damaged file is set aside and then missing;
 * *note is what to tell. */
enum qerr personal_load(struct store *s, enum store_folder folder, const char *folded,
			size_t max, enum qerr (*decode)(void *out, struct span text),
			void *out, struct why *note);
/* The user's file goes.  Q_OK also when there is none. */
enum qerr personal_remove(struct store *s, enum store_folder folder, const char *user);

#endif
