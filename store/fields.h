/* SPDX-License-Identifier: MIT
 *
 * fields.h - small files of "key: value" lines, to bytes and back.
 *
 *   KEY: VALUE\n         in one order, each at most once; an empty value is no line
 *   ...
 *   check: CCCCCCCC\n    CRC-32 (as in zlib) of all lines above it, 8 hex digits
 *
 * Strict, so that a file can be written in one way only and damage is seen.  Pure.
 */
#ifndef STORE_FIELDS_H
#define STORE_FIELDS_H

#include "base/bytes.h"

/* Append "key: value", the value as one line (escape.h); nothing when it is empty.
 * Q_FORMAT: not UTF-8; Q_LIMIT, Q_NOMEM. */
enum qerr fields_put(struct buf *out, const char *key, struct span value);
/* Append the check of what was appended since out had from bytes. */
enum qerr fields_put_check(struct buf *out, size_t from);

/* The lines above the check.  Q_FORMAT: it does not fit them. */
enum qerr fields_open(struct span text, struct reader *lines);
/* The value of the next line when it has this key, borrowed, as it stands there.
 * Q_MISSING: it has another key; Q_FORMAT: it is no line. */
enum qerr fields_take(struct reader *lines, const char *key, struct span *value);
/* A decimal number that has to be there.  Q_FORMAT. */
enum qerr
fields_take_number(struct reader *lines, const char *key, uint64_t max, uint64_t *out);
/* Text of at most max bytes as a C string, "" when there is no such line.  Q_FORMAT: too
 * long, a NUL in it, or not as fields_put writes it; Q_NOMEM. */
enum qerr fields_take_text(struct reader *lines, const char *key, char *out, size_t max);

#endif
