/* SPDX-License-Identifier: MIT */
#include "protocol/contacts_word.h"

#include <string.h>

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

bool
contacts_code(struct span line, int *code)
{
	if (line.len < 3 || (line.len > 3 && line.p[3] != ' '))
		return false;
	if (!is_digit(line.p[0]) || !is_digit(line.p[1]) || !is_digit(line.p[2]))
		return false;
	*code = (line.p[0] - '0') * 100 + (line.p[1] - '0') * 10 + (line.p[2] - '0');
	return true;
}

bool
contacts_number(struct span word, uint64_t *out)
{
	uint64_t v = 0;

	if (word.len == 0 || word.len > 19)
		return false;
	for (size_t i = 0; i < word.len; i++) {
		if (!is_digit(word.p[i]))
			return false;
		v = v * 10 + (uint64_t)(word.p[i] - '0'); /* 19 digits fit 64 bits */
	}
	if (v > INT64_MAX)
		return false;
	*out = v;
	return true;
}

bool
contacts_id(struct span word, uint64_t *out)
{
	uint64_t v;

	if (!contacts_number(word, &v) || v == 0)
		return false;
	*out = v;
	return true;
}

/* What stands behind a backslash; 0 for an escape that does not exist. */
static uint8_t
unescape(uint8_t c)
{
	switch (c) {
	case '"':
	case '\\': return c;
	case 'n': return '\n';
	case 'r': return '\r';
	case 't': return '\t';
	default: return 0;
	}
}

enum qerr
contacts_quoted(struct reader *in, struct buf *scratch, struct span *out)
{
	size_t start = scratch->len, i = 1;
	bool escaped = false;
	uint8_t c;

	for (; i < in->left && in->p[i] != '"'; i++) {
		if (in->p[i] != '\\')
			continue;
		if (++i == in->left || unescape(in->p[i]) == 0)
			return Q_FORMAT;
		escaped = true;
	}
	if (i >= in->left)
		return Q_FORMAT;
	if (escaped) {
		for (size_t k = 1; k < i; k++) {
			c = in->p[k] == '\\' ? unescape(in->p[++k]) : in->p[k];
			if (buf_put_u8(scratch, c) != Q_OK)
				return Q_NOMEM;
		}
		*out = (struct span){scratch->p + start, scratch->len - start};
	} else {
		*out = (struct span){in->p + 1, i - 1};
	}
	in->p += i + 1;
	in->left -= i + 1;
	return Q_OK;
}

enum qerr
contacts_word(struct reader *in, struct buf *scratch, struct span *out)
{
	const uint8_t *space;
	enum qerr e;

	if (in->left > 0 && in->p[0] == '"') {
		if ((e = contacts_quoted(in, scratch, out)) != Q_OK)
			return e;
		return in->left == 0 || in->p[0] == ' ' ? Q_OK : Q_FORMAT;
	}
	space = in->left == 0 ? NULL : memchr(in->p, ' ', in->left);
	if (reader_take(in, space != NULL ? (size_t)(space - in->p) : in->left, out) !=
		Q_OK ||
	    out->len == 0)
		return Q_FORMAT;
	return Q_OK;
}

/* ---- out ---- */

/* The server quotes what is empty, begins with a quotation mark, or holds a space, a
 * line break or a tab. */
static bool
needs_quotes(struct span w)
{
	if (w.len == 0 || w.p[0] == '"')
		return true;
	for (size_t i = 0; i < w.len; i++)
		if (w.p[i] == ' ' || w.p[i] == '\n' || w.p[i] == '\r' || w.p[i] == '\t')
			return true;
	return false;
}

static uint8_t
escape(uint8_t c)
{
	switch (c) {
	case '"':
	case '\\': return c;
	case '\n': return 'n';
	case '\r': return 'r';
	case '\t': return 't';
	default: return 0;
	}
}

enum qerr
contacts_put_word(struct buf *out, struct span w, enum contacts_quoting q)
{
	uint8_t *o, c;
	enum qerr e;

	if ((e = buf_put_u8(out, ' ')) != Q_OK)
		return e;
	if (q == CONTACTS_QUOTE_NEVER || (q == CONTACTS_QUOTE_NEEDED && !needs_quotes(w)))
		return buf_put_span(out, w);
	if ((e = buf_reserve(out, 2 * w.len + 2)) != Q_OK)
		return e;
	o = out->p + out->len;
	*o++ = '"';
	for (size_t i = 0; i < w.len; i++) {
		if ((c = escape(w.p[i])) != 0)
			*o++ = '\\';
		*o++ = c != 0 ? c : w.p[i];
	}
	*o++ = '"';
	out->len = (size_t)(o - out->p);
	return Q_OK;
}

enum qerr
contacts_put_number(struct buf *out, uint64_t n, bool space_before)
{
	uint8_t digits[21];
	size_t i = sizeof(digits);

	do
		digits[--i] = (uint8_t)('0' + n % 10);
	while ((n /= 10) != 0);
	if (space_before)
		digits[--i] = ' ';
	return buf_put(out, digits + i, sizeof(digits) - i);
}
