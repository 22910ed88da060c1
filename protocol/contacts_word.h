/* SPDX-License-Identifier: MIT
 *
 * contacts_word.h - the words of a contacts line: codes, numbers, quoting.  For the
 * codec's own files.  Pure.
 */
#ifndef PROTOCOL_CONTACTS_WORD_H
#define PROTOCOL_CONTACTS_WORD_H

#include <stdbool.h>

#include "base/bytes.h"

/* Exactly three digits, then a space or the end. */
bool contacts_code(struct span line, int *code);
/* 1 to 19 digits, 1..2^63-1. */
bool contacts_id(struct span word, uint64_t *out);
/* 1 to 19 digits, 0..2^63-1. */
bool contacts_number(struct span word, uint64_t *out);

/* The quoted string at in's beginning (a '"' stands there), undone into scratch,
 * which has room.  Q_FORMAT: no end, or an escape other than the five; in is then
 * unchanged.  *out is borrowed from the line when there was no escape. */
enum qerr contacts_quoted(struct reader *in, struct buf *scratch, struct span *out);
/* The next word: quoted (a space or the end must follow), or up to the next space.
 * Q_FORMAT: empty, or as above. */
enum qerr contacts_word(struct reader *in, struct buf *scratch, struct span *out);

enum contacts_quoting {
	CONTACTS_QUOTE_NEEDED,
	CONTACTS_QUOTE_ALWAYS,
	CONTACTS_QUOTE_NEVER
};
/* A space, then the word. */
enum qerr contacts_put_word(struct buf *out, struct span word, enum contacts_quoting q);
enum qerr contacts_put_number(struct buf *out, uint64_t n, bool space_before);

#endif
