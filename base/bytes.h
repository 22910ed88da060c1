/* SPDX-License-Identifier: MIT
 *
 * bytes.h - byte ranges: span (borrowed), reader (walks over one), buf (grows).
 *
 * Every length from the wire is checked here and nowhere else.  The reader
 * compares "n > left", never "position + n > end", so nothing can wrap.
 * Nothing here takes a lock or blocks; objects are not shared by threads.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* A borrowed, read-only range.  p may be NULL only when len is 0. */
struct span {
	const uint8_t *p;
	size_t len;
};

/* The span of a C string without its NUL. */
struct span span_str(const char *s);
/* The span of len bytes at p. */
struct span span_of(const void *p, size_t len);
/* Same length and same bytes; not for secrets (see crypto/random.h). */
bool span_eq(struct span a, struct span b);

/* ---- reader: cannot read past the end of what it was given ---- */
struct reader {
	const uint8_t *p;
	size_t left;
};

struct reader reader_of(struct span s);
/* Step over n bytes and borrow them in *out.  Q_SHORT: fewer are left; the
 * reader and *out are unchanged. */
enum qerr reader_take(struct reader *r, size_t n, struct span *out);
/* Borrow the bytes before the next stop, and step over both.  Q_SHORT: there is none. */
enum qerr reader_take_until(struct reader *r, char stop, struct span *out);
/* Take all that is left (perhaps nothing). */
struct span reader_rest(struct reader *r);
/* Little-endian integers.  Q_SHORT as in reader_take. */
enum qerr reader_i32(struct reader *r, int32_t *out);
enum qerr reader_u32(struct reader *r, uint32_t *out);
enum qerr reader_i64(struct reader *r, int64_t *out);
enum qerr reader_u16(struct reader *r, uint16_t *out);
enum qerr reader_u8(struct reader *r, uint8_t *out);

/* Little-endian store and load at a place known to be large enough. */
void le32_put(uint8_t *p, uint32_t v);
uint32_t le32_get(const uint8_t *p);
void le64_put(uint8_t *p, uint64_t v);
uint64_t le64_get(const uint8_t *p);

/* ---- buf: a growable byte buffer with a hard maximum ----
 *
 * Bytes live in p[0..len).  Zero-initialise with BUF_INIT(max); free with
 * buf_free (or buf_wipe when it held secrets: growing wipes the old block in
 * every case, so no copy of a secret stays in the heap). */
struct buf {
	uint8_t *p;
	size_t len;
	size_t cap;
	size_t max; /* buf never grows beyond; Q_LIMIT */
};
#define BUF_INIT(max_len)                                       \
	{                                                       \
		.p = NULL, .len = 0, .cap = 0, .max = (max_len) \
	}

/* Room for n more bytes.  Q_LIMIT beyond max, Q_NOMEM; b is then unchanged. */
enum qerr buf_reserve(struct buf *b, size_t n);
/* Append.  Errors as buf_reserve; nothing is appended then. */
enum qerr buf_put(struct buf *b, const void *p, size_t n);
enum qerr buf_put_span(struct buf *b, struct span s);
enum qerr buf_put_str(struct buf *b, const char *s);
enum qerr buf_put_u8(struct buf *b, uint8_t v);
enum qerr buf_put_u16(struct buf *b, uint16_t v);
enum qerr buf_put_i32(struct buf *b, int32_t v);
enum qerr buf_put_u32(struct buf *b, uint32_t v);
enum qerr buf_put_i64(struct buf *b, int64_t v);
enum qerr
buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Drop the first n bytes (n <= len) by moving the rest to the front. */
void buf_consume(struct buf *b, size_t n);
/* What b holds now, borrowed until b changes. */
struct span buf_span(const struct buf *b);
/* Free the memory; b is empty and usable again, with the same max. */
void buf_free(struct buf *b);
/* The same, after wiping. */
void buf_wipe(struct buf *b);

#endif
