/* SPDX-License-Identifier: MIT
 *
 * Text is mostly a run of printable ASCII, so that is what is fast: a run is
 * found eight bytes at a time and copied whole.
 */
#include "store/escape.h"

#include <string.h>

#include "base/text.h"

/* Bytes of C0, DEL and '\', which are never copied; and 0xc2, which begins a C1
 * control when 80..9f follows. */
static bool
is_plain(uint8_t c)
{
	return c >= 0x20 && c != '\\' && c != 0x7f && c != 0xc2;
}

/* Eight bytes that are all plain ASCII?  Each term sets the top bit of a byte that is
 * not: below 0x20, a '\\', 0x7f, above it.  A borrow can only set too many. */
static bool
are_plain(const uint8_t *p)
{
	const uint64_t ones = 0x0101010101010101U, tops = 0x8080808080808080U;
	uint64_t x;

	memcpy(&x, p, sizeof(x));
	return (((x - 0x20 * ones) | ((x ^ '\\' * ones) - ones) | (x + ones) | x) &
		tops) == 0;
}

static size_t
plain_run(struct span s)
{
	size_t n = 0, stop;

	do {
		while (s.len - n >= 8 && are_plain(s.p + n))
			n += 8;
		stop = s.len - n < 8 ? s.len : n + 8;
		while (n < stop && is_plain(s.p[n]))
			n++;
	} while (n == stop && n < s.len);
	return n;
}

static struct span
rest_of(struct span s, size_t n)
{
	return n == 0 ? s : span_of(s.p + n, s.len - n);
}

static bool
is_c1(struct span s)
{
	return s.len >= 2 && s.p[0] == 0xc2 && s.p[1] < 0xa0;
}

static char
short_form(uint8_t c)
{
	switch (c) {
	case '\n': return 'n';
	case '\r': return 'r';
	case '\t': return 't';
	case '\\': return '\\';
	default: return '\0';
	}
}

/* utf8_valid takes its time; what needs no look is left out. */
static bool
is_utf8(struct span s)
{
	size_t n = 0;
	uint64_t eight;

	for (; s.len - n >= 8; n += 8) {
		memcpy(&eight, s.p + n, 8);
		if ((eight & 0x8080808080808080U) != 0)
			break;
	}
	return utf8_valid(rest_of(s, n));
}

enum qerr
escape_len(struct span text, size_t *len)
{
	size_t n = 0;

	if (!is_utf8(text))
		return Q_FORMAT;
	while (text.len > 0) {
		size_t run = plain_run(text);

		n += run;
		text = rest_of(text, run);
		if (text.len == 0)
			break;
		if (is_c1(text)) {
			n += 8;
			text = rest_of(text, 2);
			continue;
		}
		n += text.p[0] == 0xc2 ? 1 : short_form(text.p[0]) != '\0' ? 2 : 4;
		text = rest_of(text, 1);
	}
	*len = n;
	return Q_OK;
}

static uint8_t *
put_hex(uint8_t *o, uint8_t c)
{
	static const char digits[] = "0123456789abcdef";

	*o++ = '\\';
	*o++ = 'x';
	*o++ = (uint8_t)digits[c >> 4];
	*o++ = (uint8_t)digits[c & 15];
	return o;
}

uint8_t *
escape_write(struct span text, uint8_t *out)
{
	while (text.len > 0) {
		size_t run = plain_run(text);
		char c;

		memcpy(out, text.p, run);
		out += run;
		text = rest_of(text, run);
		if (text.len == 0)
			break;
		if (is_c1(text)) {
			out = put_hex(put_hex(out, text.p[0]), text.p[1]);
			text = rest_of(text, 2);
			continue;
		}
		if (text.p[0] == 0xc2) {
			*out++ = 0xc2;
		} else if ((c = short_form(text.p[0])) != '\0') {
			*out++ = '\\';
			*out++ = (uint8_t)c;
		} else {
			out = put_hex(out, text.p[0]);
		}
		text = rest_of(text, 1);
	}
	return out;
}

/* One escape at the front of s: *c is the byte, *used its length here. */
static enum qerr
unescape(struct span s, uint8_t *c, size_t *used)
{
	static const struct {
		char letter, byte;
	} shorts[] = {{'n', '\n'}, {'r', '\r'}, {'t', '\t'}, {'\\', '\\'}};
	uint8_t canonical[4];

	if (s.len < 2 || s.p[0] != '\\')
		return Q_FORMAT;
	for (size_t i = 0; i < sizeof(shorts) / sizeof(shorts[0]); i++)
		if (s.p[1] == (uint8_t)shorts[i].letter) {
			*c = (uint8_t)shorts[i].byte;
			*used = 2;
			return Q_OK;
		}
	if (s.len < 4 || hex_decode(span_of(s.p + 2, 2), c, 1) != Q_OK)
		return Q_FORMAT;
	put_hex(canonical, *c);
	*used = 4;
	return memcmp(canonical, s.p, 4) == 0 ? Q_OK : Q_FORMAT;
}

/* What is not plain at the front of s, appended to out. */
static enum qerr
read_special(struct span s, struct buf *out, size_t *used)
{
	size_t second = 0;
	uint8_t c[2];
	enum qerr e;

	if (s.p[0] == 0xc2) {
		*used = 1;
		return is_c1(s) ? Q_FORMAT : buf_put_u8(out, s.p[0]);
	}
	if ((e = unescape(s, &c[0], used)) != Q_OK)
		return e;
	if (*used == 2)
		return buf_put_u8(out, c[0]);
	if (c[0] < 0x20 || c[0] == 0x7f)
		return short_form(c[0]) != '\0' ? Q_FORMAT : buf_put_u8(out, c[0]);
	/* Of the others only a C1 control is escaped, and then both bytes. */
	if (c[0] != 0xc2 || unescape(rest_of(s, 4), &c[1], &second) != Q_OK ||
	    second != 4 || c[1] < 0x80 || c[1] > 0x9f)
		return Q_FORMAT;
	*used = 8;
	return buf_put(out, c, 2);
}

enum qerr
escape_read(struct span line, struct buf *out)
{
	size_t before = out->len, used;
	enum qerr e = Q_OK;

	while (e == Q_OK && line.len > 0) {
		used = plain_run(line);
		if ((e = buf_put(out, line.p, used)) != Q_OK)
			break;
		line = rest_of(line, used);
		if (line.len == 0)
			break;
		if ((e = read_special(line, out, &used)) == Q_OK)
			line = rest_of(line, used);
	}
	if (e == Q_OK && out->len > before &&
	    !is_utf8(span_of(out->p + before, out->len - before)))
		e = Q_FORMAT;
	if (e != Q_OK)
		out->len = before;
	return e;
}
