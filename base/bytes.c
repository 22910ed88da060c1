/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#define BUF_FIRST 256 /* bytes; the first block that a buf takes */

struct span
span_str(const char *s)
{
	return (struct span){(const uint8_t *)s, strlen(s)};
}

struct span
span_of(const void *p, size_t len)
{
	return (struct span){p, len};
}

bool
span_eq(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

/* ---- reader ---- */

struct reader
reader_of(struct span s)
{
	return (struct reader){s.p, s.len};
}

enum qerr
reader_take(struct reader *r, size_t n, struct span *out)
{
	if (n > r->left)
		return Q_SHORT;
	*out = (struct span){r->p, n};
	if (n > 0)
		r->p += n;
	r->left -= n;
	return Q_OK;
}

enum qerr
reader_take_until(struct reader *r, char stop, struct span *out)
{
	const uint8_t *end = r->left > 0 ? memchr(r->p, stop, r->left) : NULL;

	if (end == NULL)
		return Q_SHORT;
	*out = span_of(r->p, (size_t)(end - r->p));
	r->p += out->len + 1;
	r->left -= out->len + 1;
	return Q_OK;
}

struct span
reader_rest(struct reader *r)
{
	struct span s = {r->p, r->left};

	if (r->left > 0)
		r->p += r->left;
	r->left = 0;
	return s;
}

enum qerr
reader_u8(struct reader *r, uint8_t *out)
{
	struct span s;

	if (reader_take(r, 1, &s) != Q_OK)
		return Q_SHORT;
	*out = s.p[0];
	return Q_OK;
}

enum qerr
reader_u16(struct reader *r, uint16_t *out)
{
	struct span s;

	if (reader_take(r, 2, &s) != Q_OK)
		return Q_SHORT;
	*out = (uint16_t)(s.p[0] | s.p[1] << 8);
	return Q_OK;
}

enum qerr
reader_u32(struct reader *r, uint32_t *out)
{
	struct span s;

	if (reader_take(r, 4, &s) != Q_OK)
		return Q_SHORT;
	*out = le32_get(s.p);
	return Q_OK;
}

enum qerr
reader_i32(struct reader *r, int32_t *out)
{
	uint32_t v;

	if (reader_u32(r, &v) != Q_OK)
		return Q_SHORT;
	*out = (int32_t)v;
	return Q_OK;
}

enum qerr
reader_i64(struct reader *r, int64_t *out)
{
	struct span s;

	if (reader_take(r, 8, &s) != Q_OK)
		return Q_SHORT;
	*out = (int64_t)le64_get(s.p);
	return Q_OK;
}

void
le32_put(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

uint32_t
le32_get(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

void
le64_put(uint8_t *p, uint64_t v)
{
	le32_put(p, (uint32_t)v);
	le32_put(p + 4, (uint32_t)(v >> 32));
}

uint64_t
le64_get(const uint8_t *p)
{
	return (uint64_t)le32_get(p) | (uint64_t)le32_get(p + 4) << 32;
}

/* ---- buf ---- */

enum qerr
buf_reserve(struct buf *b, size_t n)
{
	size_t want, cap;
	uint8_t *p;

	if (n <= b->cap - b->len)
		return Q_OK;
	if (b->len > b->max || n > b->max - b->len) /* max may have been lowered */
		return Q_LIMIT;
	want = b->len + n;
	cap = b->cap == 0 ? BUF_FIRST : b->cap;
	while (cap < want)
		cap = cap > b->max / 2 ? b->max : cap * 2;
	if (cap > b->max)
		cap = b->max;
	if ((p = malloc(cap)) == NULL)
		return Q_NOMEM;
	if (b->len > 0)
		memcpy(p, b->p, b->len);
	if (b->p != NULL)
		explicit_bzero(b->p, b->cap);
	free(b->p);
	b->p = p;
	b->cap = cap;
	return Q_OK;
}

enum qerr
buf_put(struct buf *b, const void *p, size_t n)
{
	enum qerr e = buf_reserve(b, n);

	if (e != Q_OK)
		return e;
	if (n > 0)
		memcpy(b->p + b->len, p, n);
	b->len += n;
	return Q_OK;
}

enum qerr
buf_put_span(struct buf *b, struct span s)
{
	return buf_put(b, s.p, s.len);
}

enum qerr
buf_put_str(struct buf *b, const char *s)
{
	return buf_put(b, s, strlen(s));
}

enum qerr
buf_put_u8(struct buf *b, uint8_t v)
{
	return buf_put(b, &v, 1);
}

enum qerr
buf_put_u16(struct buf *b, uint16_t v)
{
	uint8_t raw[2] = {(uint8_t)v, (uint8_t)(v >> 8)};

	return buf_put(b, raw, sizeof(raw));
}

enum qerr
buf_put_u32(struct buf *b, uint32_t v)
{
	uint8_t raw[4];

	le32_put(raw, v);
	return buf_put(b, raw, sizeof(raw));
}

enum qerr
buf_put_i32(struct buf *b, int32_t v)
{
	return buf_put_u32(b, (uint32_t)v);
}

enum qerr
buf_put_i64(struct buf *b, int64_t v)
{
	uint8_t raw[8];

	le64_put(raw, (uint64_t)v);
	return buf_put(b, raw, sizeof(raw));
}

enum qerr
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;
	enum qerr e;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return Q_FORMAT;
	/* vsnprintf writes a NUL behind the text; len does not count it. */
	if ((e = buf_reserve(b, (size_t)n + 1)) != Q_OK)
		return e;
	va_start(ap, fmt);
	vsnprintf((char *)b->p + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
	return Q_OK;
}

void
buf_consume(struct buf *b, size_t n)
{
	assert(n <= b->len);
	if (n == 0)
		return;
	b->len -= n;
	if (b->len > 0)
		memmove(b->p, b->p + n, b->len);
}

struct span
buf_span(const struct buf *b)
{
	return (struct span){b->p, b->len};
}

void
buf_free(struct buf *b)
{
	free(b->p);
	b->p = NULL;
	b->len = b->cap = 0;
}

void
buf_wipe(struct buf *b)
{
	if (b->p != NULL)
		explicit_bzero(b->p, b->cap);
	buf_free(b);
}
