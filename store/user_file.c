/* SPDX-License-Identifier: MIT
 *
 * The user file to bytes and back.  Pure, and strict: the lines come in this
 * order, each at most once, so a user is written in one way only.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <libdeflate.h>

#include "store/decimal.h"
#include "store/escape.h"
#include "store/users.h"

#define VERSION_LINE "quintet-user: 1\n"
#define CHECK_KEY    "check: "
#define CHECK_LINE   (sizeof(CHECK_KEY) - 1 + 8 + 1) /* bytes, with the newline */

/* The lines that may be absent. */
static const struct field {
	const char *key;
	size_t offset, max;
} fields[] = {
    {"password", offsetof(struct user, password), USER_PASSWORD_MAX},
    {"email", offsetof(struct user, email), USER_EMAIL_MAX},
    {"fullname", offsetof(struct user, fullname), USER_FULLNAME_MAX},
    {"dob", offsetof(struct user, dob), USER_FIELD_MAX},
    {"gender", offsetof(struct user, gender), USER_FIELD_MAX},
};
#define FIELDS (sizeof(fields) / sizeof(fields[0]))

static enum qerr
put_field(struct buf *out, const struct field *f, const struct user *u)
{
	const char *value = (const char *)u + f->offset;
	struct span s = span_of(value, strnlen(value, f->max + 1));
	size_t len;
	enum qerr e;

	if (s.len == 0)
		return Q_OK;
	if (s.len > f->max || escape_len(s, &len) != Q_OK)
		return Q_FORMAT;
	if ((e = buf_printf(out, "%s: ", f->key)) != Q_OK ||
	    (e = buf_reserve(out, len)) != Q_OK)
		return e;
	escape_write(s, out->p + out->len);
	out->len += len;
	return buf_put_u8(out, '\n');
}

enum qerr
user_encode(const struct user *u, struct buf *out)
{
	size_t before = out->len;
	enum qerr e;

	if (!name_valid(span_of(u->name, strnlen(u->name, NAME_SIZE))) || u->uin == 0 ||
	    u->created_ms < 0)
		return Q_FORMAT;
	e = buf_printf(out,
		       VERSION_LINE "name: %s\nuin: %" PRIu32 "\ncreated: %" PRId64 "\n",
		       u->name, u->uin, u->created_ms);
	for (size_t i = 0; e == Q_OK && i < FIELDS; i++)
		e = put_field(out, &fields[i], u);
	if (e == Q_OK)
		e = buf_printf(out, CHECK_KEY "%08" PRIx32 "\n",
			       libdeflate_crc32(0, out->p + before, out->len - before));
	if (e != Q_OK)
		out->len = before;
	return e;
}

/* The value of the next line when it has this key.  Q_MISSING: it has not. */
static enum qerr
take_value(struct reader *in, const char *key, struct span *value)
{
	size_t len = strlen(key);
	const uint8_t *newline;
	struct span line;

	if (in->left < len + 2 || memcmp(in->p, key, len) != 0 ||
	    memcmp(in->p + len, ": ", 2) != 0)
		return Q_MISSING;
	if ((newline = memchr(in->p, '\n', in->left)) == NULL)
		return Q_FORMAT;
	(void)reader_take(in, (size_t)(newline - in->p) + 1, &line);
	if (line.len <= len + 3)
		return Q_FORMAT; /* an empty value is written as no line */
	*value = span_of(line.p + len + 2, line.len - len - 3);
	return Q_OK;
}

static enum qerr
take_number(struct reader *in, const char *key, uint64_t max, uint64_t *out)
{
	struct span s;

	if (take_value(in, key, &s) != Q_OK)
		return Q_FORMAT;
	return decimal_read(s, max, out);
}

static enum qerr
take_field(struct reader *in, const struct field *f, struct user *u)
{
	struct buf text = BUF_INIT(f->max);
	char *value = (char *)u + f->offset;
	struct span s;
	enum qerr e = take_value(in, f->key, &s);

	if (e == Q_MISSING)
		return Q_OK;
	if (e != Q_OK)
		return e;
	if ((e = escape_read(s, &text)) == Q_LIMIT)
		e = Q_FORMAT;
	/* A C string could not hold a NUL. */
	if (e == Q_OK && memchr(text.p, '\0', text.len) != NULL)
		e = Q_FORMAT;
	if (e == Q_OK) {
		memcpy(value, text.p, text.len);
		value[text.len] = '\0';
	}
	buf_wipe(&text);
	return e;
}

/* The lines above the check. */
static enum qerr
take_lines(struct reader *in, struct user *u)
{
	struct span s;
	uint64_t uin, created;
	enum qerr e = Q_OK;

	if (reader_take(in, sizeof(VERSION_LINE) - 1, &s) != Q_OK ||
	    !span_eq(s, span_str(VERSION_LINE)) || take_value(in, "name", &s) != Q_OK ||
	    name_copy(s, u->name) != Q_OK ||
	    take_number(in, "uin", UINT32_MAX, &uin) != Q_OK || uin == 0 ||
	    take_number(in, "created", INT64_MAX, &created) != Q_OK)
		return Q_FORMAT;
	u->uin = (uint32_t)uin;
	u->created_ms = (int64_t)created;
	for (size_t i = 0; e == Q_OK && i < FIELDS; i++)
		e = take_field(in, &fields[i], u);
	return e == Q_OK && in->left > 0 ? Q_FORMAT : e;
}

enum qerr
user_decode(struct span text, struct user *out)
{
	char check[CHECK_LINE + 1];
	struct user u = {.uin = 0};
	struct reader in;
	struct span lines;
	enum qerr e;

	if (text.len < CHECK_LINE)
		return Q_FORMAT;
	lines = span_of(text.p, text.len - CHECK_LINE);
	snprintf(check, sizeof(check), CHECK_KEY "%08" PRIx32 "\n",
		 libdeflate_crc32(0, lines.p, lines.len));
	if (memcmp(check, text.p + lines.len, CHECK_LINE) != 0)
		return Q_FORMAT;
	in = reader_of(lines);
	if ((e = take_lines(&in, &u)) == Q_OK)
		*out = u;
	explicit_bzero(&u, sizeof(u)); /* the password's hash */
	return e;
}
