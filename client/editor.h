/* SPDX-License-Identifier: MIT
 *
 * editor.h - the line that is being typed: editing, one killed text to yank back, and
 * the lines of this session again.  The cursor stands between glyphs (glyph.h), never
 * inside one.  Pure.
 *
 * The line may hold newlines (from a paste, or Alt-Enter): it is still one message.
 * What is put in is made valid UTF-8, and control characters but newline and tab are
 * left out.
 */
#ifndef CLIENT_EDITOR_H
#define CLIENT_EDITOR_H

#include "client/glyph.h"

#define EDITOR_HISTORY 500

struct editor {
	struct buf text;
	size_t cursor; /* byte offset into text */
	struct buf killed;
	bool killing; /* the last thing done was to kill: the next adds to it */
	char *history[EDITOR_HISTORY]; /* oldest first */
	size_t history_count;
	size_t history_at; /* == count: the line that is being typed */
	struct buf draft;  /* it, while an older one is shown */
};

/* max: bytes of the longest line. */
void editor_init(struct editor *e, size_t max);
void editor_fini(struct editor *e); /* wipes */

/* At the cursor.  Q_LIMIT: too long, nothing is put in; *dropped (may be NULL) counts
 * the characters that were left out. */
enum qerr editor_insert(struct editor *e, struct span text, size_t *dropped);
/* Replace [from, to) and stand behind it. */
enum qerr editor_replace(struct editor *e, size_t from, size_t to, struct span text);
void editor_set(struct editor *e, struct span text);

enum editor_move {
	EDITOR_LEFT,
	EDITOR_RIGHT,
	EDITOR_WORD_LEFT,
	EDITOR_WORD_RIGHT,
	EDITOR_HOME, /* of the line, when there are several */
	EDITOR_END,
	EDITOR_FIRST,
	EDITOR_LAST
};
void editor_move(struct editor *e, enum editor_move move);
/* Delete from the cursor to where the move would lead; keep it for editor_yank. */
void editor_delete(struct editor *e, enum editor_move move);
void editor_kill(struct editor *e, enum editor_move move);
void editor_yank(struct editor *e);
/* Change the two glyphs around the cursor. */
void editor_transpose(struct editor *e);
/* A line up or down within the text.  False: there is none. */
bool editor_row(struct editor *e, int by);
/* The line before in history, or after.  False: there is none. */
bool editor_older(struct editor *e);
bool editor_newer(struct editor *e);
/* The line is done with: into history, and begin anew.  The text stays borrowed until
 * the next call in *out. */
void editor_take(struct editor *e, struct buf *out);
/* Empty it; into history, so that a mistake costs nothing. */
void editor_clear(struct editor *e);

#endif
