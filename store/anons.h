/* SPDX-License-Identifier: MIT
 *
 * anons.h - announcements: who offers or looks for what (docs/protocols/board.md).
 *
 *   DIR/anons/ID       "key: value" lines: id, author, created, title, text, check
 *                      or, when it was removed: id, removed, check
 *
 * Ids rise from 1 and are never used again: a removed announcement leaves its file, with
 * nothing in it that was said.  The ids are in memory, the rest is read when it is asked
 * for.  Any thread; may block.
 */
#ifndef STORE_ANONS_H
#define STORE_ANONS_H

#include <stdint.h>

#include "base/name.h"
#include "store/store.h"

#define ANON_TITLE_MAX 128  /* bytes of UTF-8 */
#define ANON_TEXT_MAX  8192 /* bytes of UTF-8 */

struct anons;

struct anon {
	uint64_t id;
	char author[NAME_SIZE]; /* as registered */
	int64_t created_ms;
	char title[ANON_TITLE_MAX + 1];
	char text[ANON_TEXT_MAX + 1];
};

/* Read which there are.  Q_NOMEM, Q_DENIED, Q_SYS. */
enum qerr anons_open(struct store *s, struct anons **out);
void anons_close(struct anons *a); /* NULL is fine */

/* Store an announcement with a's author, title and text, forced to the disk; id and
 * created_ms are filled in.  Q_FORMAT: author is no name, title or text is not UTF-8;
 * Q_LIMIT: the title is empty; Q_FULL, Q_DENIED, Q_NOMEM, Q_SYS: there is none. */
enum qerr anons_add(struct anons *as, struct anon *a);
/* Q_MISSING; Q_FORMAT: damaged (reported); Q_DENIED, Q_NOMEM, Q_SYS. */
enum qerr anons_get(struct anons *as, uint64_t id, struct anon *out);
/* Up to max announcements with an id below before (0: from the newest), newest first.
 * each returns false to stop; no lock is held.  Damaged ones are left out. */
enum qerr anons_list(struct anons *as, uint64_t before, size_t max,
		     bool (*each)(void *arg, const struct anon *a), void *arg);
/* Remove one.  Q_MISSING; Q_FULL, Q_NOMEM, Q_SYS: it is still there. */
enum qerr anons_remove(struct anons *as, uint64_t id);
/* A user was removed: remove what it has announced.  Q_OK also when there is none; else
 * some may be left. */
enum qerr anons_forget(struct anons *as, const char *author);

#endif
