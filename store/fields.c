/* SPDX-License-Identifier: MIT */
#include "store/fields.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <libdeflate.h>

#include "store/decimal.h"
#include "store/escape.h"

#define CHECK_KEY  "check: "
#define CHECK_LINE (sizeof(CHECK_KEY) - 1 + 8 + 1) /* bytes, with the newline */

enum qerr
fields_put(struct buf *out, const char *key, struct span value)
{
	size_t before = out->len, len;
	enum qerr e;

	if (value.len == 0)
		return Q_OK;
	if (escape_len(value, &len) != Q_OK)
		return Q_FORMAT;
	if ((e = buf_printf(out, "%s: ", key)) != Q_OK)
		return e;
	if ((e = buf_reserve(out, len + 1)) != Q_OK) {
		out->len = before;
		return e;
	}
	escape_write(value, out->p + out->len);
	out->len += len;
	return buf_put_u8(out, '\n');
}

enum qerr
fields_put_check(struct buf *out, size_t from)
{
	return buf_printf(out, CHECK_KEY "%08" PRIx32 "\n",
			  libdeflate_crc32(0, out->p + from, out->len - from));
}

enum qerr
fields_open(struct span text, struct reader *lines)
{
	char check[CHECK_LINE + 1];
	struct span above;

	if (text.len < CHECK_LINE)
		return Q_FORMAT;
	above = span_of(text.p, text.len - CHECK_LINE);
	snprintf(check, sizeof(check), CHECK_KEY "%08" PRIx32 "\n",
		 libdeflate_crc32(0, above.p, above.len));
	if (memcmp(check, text.p + above.len, CHECK_LINE) != 0)
		return Q_FORMAT;
	*lines = reader_of(above);
	return Q_OK;
}

enum qerr
fields_take(struct reader *lines, const char *key, struct span *value)
{
	size_t len = strlen(key);
	const uint8_t *newline;
	struct span line;

	if (lines->left < len + 2 || memcmp(lines->p, key, len) != 0 ||
	    memcmp(lines->p + len, ": ", 2) != 0)
		return Q_MISSING;
	if ((newline = memchr(lines->p, '\n', lines->left)) == NULL)
		return Q_FORMAT;
	(void)reader_take(lines, (size_t)(newline - lines->p) + 1, &line);
	if (line.len <= len + 3)
		return Q_FORMAT; /* an empty value is written as no line */
	*value = span_of(line.p + len + 2, line.len - len - 3);
	return Q_OK;
}

enum qerr
fields_take_number(struct reader *lines, const char *key, uint64_t max, uint64_t *out)
{
	struct span s;

	if (fields_take(lines, key, &s) != Q_OK)
		return Q_FORMAT;
	return decimal_read(s, max, out);
}

enum qerr
fields_take_text(struct reader *lines, const char *key, char *out, size_t max)
{
	struct buf text = BUF_INIT(max);
	struct span s;
	enum qerr e = fields_take(lines, key, &s);

	if (e == Q_MISSING) {
		out[0] = '\0';
		return Q_OK;
	}
	if (e != Q_OK)
		return e;
	if ((e = escape_read(s, &text)) == Q_LIMIT)
		e = Q_FORMAT;
	/* A C string could not hold a NUL. */
	if (e == Q_OK && memchr(text.p, '\0', text.len) != NULL)
		e = Q_FORMAT;
	if (e == Q_OK) {
		memcpy(out, text.p, text.len);
		out[text.len] = '\0';
	}
	buf_wipe(&text); /* it may have been a password's hash */
	return e;
}
