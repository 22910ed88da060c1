/* SPDX-License-Identifier: MIT
 *
 * record.h - one line of a message log, to bytes and back.  Pure.
 *
 *   =LLLLLL CCCCCCCC ID TIME KIND FROM TO t|b DATA\n
 *    |      |        |  |    |    |    |  |   |
 *    |      |        |  |    |    |    |  |   text with \n \r \t \\ \xNN
 *    |      |        |  |    |    |    |  |   escapes (t), or base64 (b)
 *    |      |        |  |    |    |    |  how DATA is written
 *    |      |        |  |    |    |    user name, or "-"
 *    |      |        |  |    |    user name, or "-"
 *    |      |        |  |    lower-case word, 1..16 letters, digits, '-'
 *    |      |        |  milliseconds since 1970, decimal
 *    |      |        decimal, 1.., rises strictly within a log
 *    |      CRC-32 (as in zlib) of everything from ID to before the newline
 *    the length of the same in bytes, 6 hex digits
 *
 * One line, one record: `cat`, `grep` and `tail -f` work on a log.  A record
 * can be written in one way only, so what decodes encodes to the same line.
 * DATA never holds a newline: what stands behind "\n=" is a record's beginning,
 * whatever people write to each other.
 */
#ifndef STORE_RECORD_H
#define STORE_RECORD_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/name.h"

#define RECORD_KIND_SIZE 17
#define RECORD_HEAD_LEN  17       /* "=LLLLLL CCCCCCCC " */
#define RECORD_LINE_MAX  0xffffff /* what 6 hex digits count */

struct record {
	uint64_t id;
	int64_t time_ms;
	char kind[RECORD_KIND_SIZE];
	char from[NAME_SIZE]; /* "" is written "-" */
	char to[NAME_SIZE];
	struct span data; /* raw bytes, borrowed */
	bool text;        /* write it as text (it must be UTF-8) */
};

/* Append r's line to out.  Q_FORMAT: a field breaks its rule; Q_LIMIT: longer
 * than RECORD_LINE_MAX (or than out can grow); Q_NOMEM. */
enum qerr record_put(struct buf *out, const struct record *r);
/* Take the first line off in.  Q_OK: *out is filled, its data decoded into
 * scratch (emptied first) and borrowed from it; *used is the line's length with
 * the newline.  Q_SHORT: in does not hold a whole line.  Q_FORMAT: the line is
 * damaged; *used is how many bytes to skip (to behind the next newline).
 * Q_LIMIT, Q_NOMEM: scratch cannot hold the data; *used is set too. */
enum qerr
record_next(struct span in, struct record *out, struct buf *scratch, size_t *used);

/* ---- the two halves of record_next, for those who skip most records ---- */

/* A line whose length and checksum are right; body is from ID to before the
 * newline, borrowed from the input. */
struct record_line {
	uint64_t id;
	int64_t time_ms;
	struct span body;
};
/* Check the first line of in: Q_OK, Q_SHORT, Q_FORMAT and *used as above. */
enum qerr record_check(struct span in, struct record_line *out, size_t *used);
/* Decode what record_check passed.  Q_OK, Q_FORMAT, Q_LIMIT, Q_NOMEM as above. */
enum qerr
record_decode(const struct record_line *l, struct record *out, struct buf *scratch);

#endif
