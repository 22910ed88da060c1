/* SPDX-License-Identifier: MIT
 *
 * Every archived message passes record_put, so it writes its line straight
 * into the reserved room: no printf, no copy, the checksum over the bytes while
 * they are warm.  Decoding is strict instead (one spelling a value), because a
 * reader has to tell a damaged line from a good one.
 */
#include "store/record.h"

#include <string.h>

#include <libdeflate.h>

#include "base/text.h"
#include "store/decimal.h"
#include "store/escape.h"

#define DECIMAL_MAX 20 /* digits of a uint64_t */
/* ID TIME KIND FROM TO t, each with the blank behind it. */
#define FIELDS_MAX (2 * (DECIMAL_MAX + 1) + RECORD_KIND_SIZE + 2 * (NAME_MAX_LEN + 1) + 2)

/* ---- to bytes ---- */

/* Two digits a step: a division waits for the one before it. */
static uint8_t *
put_decimal(uint8_t *o, uint64_t v)
{
	static const char pairs[] = "00010203040506070809101112131415161718192021222324"
				    "25262728293031323334353637383940414243444546474849"
				    "50515253545556575859606162636465666768697071727374"
				    "75767778798081828384858687888990919293949596979899";
	uint8_t digits[DECIMAL_MAX];
	size_t n = sizeof(digits);

	for (; v >= 10; v /= 100)
		memcpy(digits + (n -= 2), pairs + 2 * (v % 100), 2);
	if (v > 0 || n == sizeof(digits))
		digits[--n] = (uint8_t)('0' + v);
	memcpy(o, digits + n, sizeof(digits) - n);
	o += sizeof(digits) - n;
	*o++ = ' ';
	return o;
}

static uint8_t *
put_hex(uint8_t *o, uint32_t v, int digits)
{
	while (digits-- > 0)
		*o++ = (uint8_t) "0123456789abcdef"[v >> (4 * digits) & 15];
	*o++ = ' ';
	return o;
}

static uint8_t *
put_word(uint8_t *o, const char *word, size_t len)
{
	memcpy(o, word, len);
	o[len] = ' ';
	return o + len + 1;
}

static bool
kind_valid(struct span s)
{
	if (s.len == 0 || s.len >= RECORD_KIND_SIZE)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!(s.p[i] >= 'a' && s.p[i] <= 'z') &&
		    !(s.p[i] >= '0' && s.p[i] <= '9') && s.p[i] != '-')
			return false;
	return true;
}

/* The word that stands for a name: itself, or "-" for none. */
static enum qerr
name_word(const char *name, struct span *out)
{
	struct span s = span_of(name, strnlen(name, NAME_SIZE));

	if (s.len == 0)
		s = span_of("-", 1);
	else if (!name_valid(s))
		return Q_FORMAT;
	*out = s;
	return Q_OK;
}

enum qerr
record_put(struct buf *out, const struct record *r)
{
	struct span kind = span_of(r->kind, strnlen(r->kind, sizeof(r->kind))), from, to;
	size_t data_len, len;
	uint8_t *line, *body, *o;
	enum qerr e;

	if (r->id == 0 || r->time_ms < 0 || !kind_valid(kind) ||
	    name_word(r->from, &from) != Q_OK || name_word(r->to, &to) != Q_OK)
		return Q_FORMAT;
	if (r->data.len > RECORD_LINE_MAX)
		return Q_LIMIT;
	if (!r->text)
		data_len = BASE64_LEN(r->data.len);
	else if (escape_len(r->data, &data_len) != Q_OK)
		return Q_FORMAT;
	if (data_len > RECORD_LINE_MAX)
		return Q_LIMIT;
	if ((e = buf_reserve(out, RECORD_HEAD_LEN + FIELDS_MAX + data_len + 1)) != Q_OK)
		return e;
	line = out->p + out->len;
	body = line + RECORD_HEAD_LEN;
	o = put_decimal(body, r->id);
	o = put_decimal(o, (uint64_t)r->time_ms);
	o = put_word(o, r->kind, kind.len);
	o = put_word(o, (const char *)from.p, from.len);
	o = put_word(o, (const char *)to.p, to.len);
	o = put_word(o, r->text ? "t" : "b", 1);
	if (!r->text) {
		o += base64_encode(r->data, (char *)o);
	} else if (data_len > r->data.len) {
		o = escape_write(r->data, o);
	} else if (data_len > 0) { /* escapes only lengthen: there are none */
		memcpy(o, r->data.p, data_len);
		o += data_len;
	}
	len = (size_t)(o - body);
	if (len > RECORD_LINE_MAX)
		return Q_LIMIT;
	*o = '\n';
	*line = '=';
	put_hex(put_hex(line + 1, (uint32_t)len, 6), libdeflate_crc32(0, body, len), 8);
	out->len += RECORD_HEAD_LEN + len + 1;
	return Q_OK;
}

/* ---- and back ---- */

static enum qerr
take_hex(struct reader *r, size_t digits, uint32_t *out)
{
	struct span s;
	uint32_t v = 0;

	if (reader_take(r, digits + 1, &s) != Q_OK || s.p[digits] != ' ')
		return Q_FORMAT;
	for (size_t i = 0; i < digits; i++) {
		uint8_t c = s.p[i];

		if (c >= '0' && c <= '9')
			v = v << 4 | (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			v = v << 4 | (uint32_t)(c - 'a' + 10);
		else
			return Q_FORMAT;
	}
	*out = v;
	return Q_OK;
}

/* The bytes up to the next blank, which is stepped over. */
static enum qerr
take_word(struct reader *r, struct span *out)
{
	const uint8_t *blank = r->left == 0 ? NULL : memchr(r->p, ' ', r->left);
	size_t len;

	if (blank == NULL)
		return Q_FORMAT;
	len = (size_t)(blank - r->p);
	*out = span_of(r->p, len);
	r->p += len + 1;
	r->left -= len + 1;
	return Q_OK;
}

static enum qerr
take_decimal(struct reader *r, uint64_t max, uint64_t *out)
{
	struct span s;

	return take_word(r, &s) != Q_OK ? Q_FORMAT : decimal_read(s, max, out);
}

static enum qerr
take_name(struct reader *r, char out[NAME_SIZE])
{
	struct span s;

	if (take_word(r, &s) != Q_OK)
		return Q_FORMAT;
	if (s.len == 1 && s.p[0] == '-') {
		out[0] = '\0';
		return Q_OK;
	}
	return name_copy(s, out);
}

enum qerr
record_check(struct span in, struct record_line *out, size_t *used)
{
	const uint8_t *newline = in.len == 0 ? NULL : memchr(in.p, '\n', in.len);
	struct reader r;
	struct span mark, body;
	uint32_t len, crc;
	uint64_t id, time_ms;

	if (newline == NULL) {
		if (in.len <= RECORD_HEAD_LEN + RECORD_LINE_MAX)
			return Q_SHORT;
		*used = in.len; /* no line is as long as this */
		return Q_FORMAT;
	}
	*used = (size_t)(newline - in.p) + 1;
	r = reader_of(span_of(in.p, *used - 1));
	if (reader_take(&r, 1, &mark) != Q_OK || mark.p[0] != '=' ||
	    take_hex(&r, 6, &len) != Q_OK || take_hex(&r, 8, &crc) != Q_OK ||
	    r.left != len)
		return Q_FORMAT;
	body = span_of(r.p, r.left);
	if (libdeflate_crc32(0, body.p, body.len) != crc ||
	    take_decimal(&r, UINT64_MAX, &id) != Q_OK || id == 0 ||
	    take_decimal(&r, INT64_MAX, &time_ms) != Q_OK)
		return Q_FORMAT;
	*out = (struct record_line){id, (int64_t)time_ms, body};
	return Q_OK;
}

static enum qerr
decode_data(struct span s, bool text, struct buf *scratch)
{
	enum qerr e;

	scratch->len = 0;
	if (text)
		return escape_read(s, scratch);
	if ((e = buf_reserve(scratch, s.len / 4 * 3)) != Q_OK)
		return e;
	return base64_decode(s, scratch->p, &scratch->len);
}

enum qerr
record_decode(const struct record_line *l, struct record *out, struct buf *scratch)
{
	struct reader in = reader_of(l->body);
	struct record r;
	struct span kind, how;
	uint64_t time_ms;
	enum qerr e;

	if (take_decimal(&in, UINT64_MAX, &r.id) != Q_OK ||
	    take_decimal(&in, INT64_MAX, &time_ms) != Q_OK ||
	    take_word(&in, &kind) != Q_OK || !kind_valid(kind) ||
	    take_name(&in, r.from) != Q_OK || take_name(&in, r.to) != Q_OK ||
	    take_word(&in, &how) != Q_OK || how.len != 1 ||
	    (how.p[0] != 't' && how.p[0] != 'b'))
		return Q_FORMAT;
	r.time_ms = (int64_t)time_ms;
	memcpy(r.kind, kind.p, kind.len);
	r.kind[kind.len] = '\0';
	r.text = how.p[0] == 't';
	if ((e = decode_data(reader_rest(&in), r.text, scratch)) != Q_OK)
		return e;
	r.data = buf_span(scratch);
	*out = r;
	return Q_OK;
}

enum qerr
record_next(struct span in, struct record *out, struct buf *scratch, size_t *used)
{
	struct record_line l;
	enum qerr e = record_check(in, &l, used);

	return e != Q_OK ? e : record_decode(&l, out, scratch);
}
