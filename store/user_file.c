/* SPDX-License-Identifier: MIT
 *
 * The user file to bytes and back.  Pure, and strict: the lines come in this
 * order, each at most once, so a user is written in one way only.
 */
#include <inttypes.h>
#include <string.h>

#include "store/fields.h"
#include "store/users.h"

#define VERSION_LINE "quintet-user: 1\n"

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

	return s.len > f->max ? Q_FORMAT : fields_put(out, f->key, s);
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
		e = fields_put_check(out, before);
	if (e != Q_OK)
		out->len = before;
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
	    !span_eq(s, span_str(VERSION_LINE)) || fields_take(in, "name", &s) != Q_OK ||
	    name_copy(s, u->name) != Q_OK ||
	    fields_take_number(in, "uin", UINT32_MAX, &uin) != Q_OK || uin == 0 ||
	    fields_take_number(in, "created", INT64_MAX, &created) != Q_OK)
		return Q_FORMAT;
	u->uin = (uint32_t)uin;
	u->created_ms = (int64_t)created;
	for (size_t i = 0; e == Q_OK && i < FIELDS; i++)
		e = fields_take_text(in, fields[i].key, (char *)u + fields[i].offset,
				     fields[i].max);
	return e == Q_OK && in->left > 0 ? Q_FORMAT : e;
}

enum qerr
user_decode(struct span text, struct user *out)
{
	struct user u = {.uin = 0};
	struct reader in;
	enum qerr e;

	if (fields_open(text, &in) != Q_OK)
		return Q_FORMAT;
	if ((e = take_lines(&in, &u)) == Q_OK)
		*out = u;
	explicit_bzero(&u, sizeof(u)); /* the password's hash */
	return e;
}
