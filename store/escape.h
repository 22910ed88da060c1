/* SPDX-License-Identifier: MIT
 *
 * escape.h - text that lies in a file as one line and is safe to `cat`.
 *
 * \n \r \t \\ stand for themselves, every other control character (C0, DEL, and
 * C1 as its two bytes) is written \xNN in lower-case hex.  All else is copied.
 * There is one way to write each text, so what decodes encodes to the same.
 * Pure.
 */
#ifndef STORE_ESCAPE_H
#define STORE_ESCAPE_H

#include "base/bytes.h"

/* How many bytes escape_write writes.  Q_FORMAT: text is not UTF-8. */
enum qerr escape_len(struct span text, size_t *len);
/* Write text, which escape_len has passed, to out; returns behind its end. */
uint8_t *escape_write(struct span text, uint8_t *out);
/* Append the text that line stands for.  Q_FORMAT: not something escape_write
 * writes; Q_LIMIT, Q_NOMEM. */
enum qerr escape_read(struct span line, struct buf *out);

#endif
