/* SPDX-License-Identifier: MIT
 *
 * What a client may send.  The shape of a request is data: one row of the table
 * below a code, one letter an argument.  Only the message of 115 has a rule of its
 * own, because people type it: see parse_send.
 */
#include "protocol/contacts.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"
#include "protocol/contacts_word.h"

/* s text, i id, t time */
static const struct {
	int code;
	const char *args;
} request_shapes[] = {
    {CONTACTS_LOGIN, "ss"},      {CONTACTS_LOGOUT, ""},       {CONTACTS_CHAT_LIST, ""},
    {CONTACTS_CHAT_CREATE, "s"}, {CONTACTS_CHAT_DELETE, "i"}, {CONTACTS_SEND, "im"},
    {CONTACTS_REGISTER, "ssss"}, {CONTACTS_OWN_LIST, ""},     {CONTACTS_MEDIA, "i"},
    {CONTACTS_LIST, ""},         {CONTACTS_CONFIRM, "s"},     {CONTACTS_SEEN, "it"},
    {CONTACTS_REMOVE, "s"},
};

static const char *
shape_of(int code)
{
	for (size_t i = 0; i < sizeof(request_shapes) / sizeof(request_shapes[0]); i++)
		if (request_shapes[i].code == code)
			return request_shapes[i].args;
	return NULL;
}

enum qerr
contacts_recognise(struct span first)
{
	if (first.len == 0)
		return Q_SHORT;
	if (first.p[0] < '0' || first.p[0] > '9')
		return Q_FORMAT;
	if (first.len == 1)
		return Q_SHORT;
	return first.p[1] == 0xff ? Q_FORMAT : Q_OK;
}

/* ---- lines ---- */

/* Does a 115's media begin within its first CONTACTS_LINE_MAX bytes?  Only then may
 * the line grow on. */
static bool
media_begins(struct span in)
{
	size_t n = in.len < CONTACTS_LINE_MAX ? in.len : CONTACTS_LINE_MAX;

	return n >= 4 && memcmp(in.p, "115 ", 4) == 0 &&
	       memmem(in.p, n, " data:", 6) != NULL;
}

enum qerr
contacts_line_next(struct contacts_framer *f, struct span in, bool big_media,
		   struct span *line, size_t *used)
{
	const uint8_t *lf;
	size_t limit = CONTACTS_LINE_MAX, len;

	assert(f->searched <= in.len);
	lf = in.len == f->searched
		 ? NULL
		 : memchr(in.p + f->searched, '\n', in.len - f->searched);
	len = lf != NULL ? (size_t)(lf - in.p) : in.len;
	if (lf != NULL && len > 0 && in.p[len - 1] == '\r')
		len--;
	/* One byte more may still be the CR of a line that just fits. */
	if (lf == NULL && len == limit + 1 && in.p[limit] == '\r')
		len--;
	if (len > limit && big_media && media_begins(in))
		limit = CONTACTS_MEDIA_LINE_MAX;
	if (len > limit)
		return Q_LIMIT;
	f->searched = in.len;
	if (lf == NULL)
		return Q_SHORT;
	*line = (struct span){in.p, len};
	*used = (size_t)(lf - in.p) + 1;
	f->searched = 0;
	return Q_OK;
}

/* ---- 115 ---- */

static enum qerr
set_media(struct span word, struct contacts_request *r)
{
	/* Well-formed but empty media is a mistake too, not text. */
	if (contacts_media_parse(word, &r->media) != Q_OK)
		return Q_FORMAT;
	r->has_media = true;
	return Q_OK;
}

static bool
begins(struct span s, const char *with)
{
	size_t n = strlen(with);

	return s.len >= n && memcmp(s.p, with, n) == 0;
}

/* The message is every byte to the line's end, unless the rest is one quoted string,
 * alone or with a single space and media behind it (docs/protocols/contacts.md,
 * "Message in 115").  What follows a quoted string and begins like media is meant as
 * media: broken, it is refused; anything else is text that happens to begin with a
 * quotation mark. */
static enum qerr
parse_send(struct span rest, struct buf *scratch, struct contacts_request *r)
{
	struct reader in = reader_of(rest);
	struct span word, behind;
	const uint8_t *space;
	enum qerr e;

	if (rest.len > 0 && rest.p[0] == '"') {
		e = contacts_quoted(&in, scratch, &word);
		if (e == Q_NOMEM)
			return e;
		behind = (struct span){in.p, in.left};
		if (e == Q_OK && behind.len == 0) {
			r->message = word;
			return word.len > 0 ? Q_OK : Q_FORMAT;
		}
		if (e == Q_OK && begins(behind, " data:") &&
		    memchr(behind.p + 1, ' ', behind.len - 1) == NULL) {
			r->message = word;
			return set_media((struct span){behind.p + 1, behind.len - 1}, r);
		}
	}
	space = memrchr(rest.p, ' ', rest.len);
	word = rest;
	if (space != NULL) {
		word.p = space + 1;
		word.len = rest.len - (size_t)(space + 1 - rest.p);
	}
	r->message = rest;
	if (begins(word, "data:") &&
	    (e = contacts_media_parse(word, &r->media)) != Q_FORMAT) {
		if (e == Q_LIMIT)
			return Q_FORMAT;
		r->has_media = true;
		r->message.len = space != NULL ? (size_t)(space - rest.p) : 0;
	}
	return r->message.len > 0 || r->has_media ? Q_OK : Q_FORMAT;
}

/* ---- requests ---- */

static enum qerr
parse_args(const char *shape, struct span rest, struct buf *scratch,
	   struct contacts_request *r)
{
	struct reader in = reader_of(rest);
	struct span word;
	uint64_t n;
	enum qerr e;

	for (; *shape != '\0'; shape++) {
		/* Each argument follows one space; contacts_word refuses another. */
		if (reader_take(&in, 1, &word) != Q_OK || word.p[0] != ' ')
			return Q_FORMAT;
		if (*shape == 'm')
			return in.left == 0 ? Q_FORMAT
					    : parse_send(reader_rest(&in), scratch, r);
		if ((e = contacts_word(&in, scratch, &word)) != Q_OK)
			return e;
		if (*shape == 's') {
			r->arg[r->argc++] = word;
			continue;
		}
		if (!contacts_id(word, &n))
			return Q_FORMAT;
		if (*shape == 'i')
			r->id = n;
		else
			r->time_ms = (int64_t)n;
	}
	return in.left == 0 ? Q_OK : Q_FORMAT;
}

enum qerr
contacts_request_parse(struct span line, struct buf *scratch,
		       struct contacts_request *out)
{
	struct contacts_request r = {0};
	const char *shape;
	enum qerr e = Q_FORMAT;

	*out = r;
	scratch->len = 0;
	if (!contacts_code(line, &r.code))
		return Q_MISSING;
	if (r.code == 100)
		r.code = CONTACTS_LOGIN;
	if ((shape = shape_of(r.code)) == NULL)
		return Q_MISSING;
	/* Escapes only shrink, so what is undone fits; nothing moves once borrowed. */
	if ((e = buf_reserve(scratch, line.len)) == Q_OK) {
		if (memchr(line.p, '\0', line.len) != NULL || !utf8_valid(line))
			e = Q_FORMAT;
		else
			e = parse_args(shape, (struct span){line.p + 3, line.len - 3},
				       scratch, &r);
	}
	if (e == Q_OK)
		*out = r;
	else
		out->code = r.code;
	return e == Q_OK || e == Q_NOMEM ? e : Q_FORMAT;
}

enum qerr
contacts_request_put(struct buf *out, const struct contacts_request *r)
{
	const char *shape = shape_of(r->code);
	size_t start = out->len, k = 0;
	enum qerr e;

	assert(shape != NULL);
	e = contacts_put_number(out, (uint64_t)r->code, false);
	for (; e == Q_OK && *shape != '\0'; shape++) {
		if (*shape == 'i')
			e = contacts_put_number(out, r->id, true);
		else if (*shape == 't')
			e = contacts_put_number(out, (uint64_t)r->time_ms, true);
		else if (*shape == 's')
			e = contacts_put_word(out, r->arg[k++], CONTACTS_QUOTE_NEEDED);
		else if ((e = contacts_put_word(out, r->arg[0], CONTACTS_QUOTE_ALWAYS)) ==
			     Q_OK &&
			 r->arg[1].len > 0)
			e = contacts_put_word(out, r->arg[1], CONTACTS_QUOTE_NEVER);
	}
	if (e == Q_OK)
		e = buf_put_u8(out, '\n');
	if (e != Q_OK)
		out->len = start;
	return e;
}
