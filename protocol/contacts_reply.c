/* SPDX-License-Identifier: MIT
 *
 * What a server sends, and how a client reads it: again one row a code.
 *
 *   c  status code   n  count     i  id        t  time
 *   s  word          m  the rest of 220        d  the rest, raw (media)
 *   small letters must be there; behind '?' stands what may be missing
 */
#include <assert.h>
#include <string.h>

#include "base/text.h"
#include "protocol/contacts.h"
#include "protocol/contacts_word.h"

static const struct {
	int code;
	const char *args;
} reply_shapes[] = {
    {CONTACTS_UNKNOWN, ""},
    {CONTACTS_INVALID, "?c"},
    {CONTACTS_LOGIN_RESPONSE, "cs"},
    {CONTACTS_LOGOUT_RESPONSE, "c"},
    {CONTACTS_CHAT_LIST_BEGIN, "n"},
    {CONTACTS_CHAT_LIST_ELEMENT, "iss"},
    {CONTACTS_CHAT_LIST_END, ""},
    {CONTACTS_CHAT_CREATE_RESPONSE, "c"},
    {CONTACTS_CHAT_DELETE_RESPONSE, "c"},
    {CONTACTS_SEND_RESPONSE, "c"},
    {CONTACTS_SENDED, "itm"},
    {CONTACTS_REGISTER_RESPONSE, "c"},
    {CONTACTS_OWN_LIST_RESPONSE, "c"},
    {CONTACTS_OWN_LIST_BEGIN, "n"},
    {CONTACTS_OWN_LIST_ELEMENT, "st"},
    {CONTACTS_OWN_LIST_END, ""},
    {CONTACTS_MEDIA_RESPONSE, "c?d"},
    {CONTACTS_LIST_RESPONSE, "c"},
    {CONTACTS_LIST_BEGIN, "n"},
    {CONTACTS_LIST_ELEMENT, "s"},
    {CONTACTS_LIST_END, ""},
    {CONTACTS_CONFIRM_RESPONSE, "c"},
    {CONTACTS_CONFIRM_ADD, "s"},
    {CONTACTS_REMOVE_RESPONSE, "c"},
};

/* Undo what was appended since start unless all went well. */
static enum qerr
ended(struct buf *out, size_t start, enum qerr e)
{
	if (e == Q_OK)
		e = buf_put_u8(out, '\n');
	if (e != Q_OK)
		out->len = start;
	return e;
}

static enum qerr
put_begin(struct buf *out, int code)
{
	return contacts_put_number(out, (uint64_t)code, false);
}

enum qerr
contacts_put_code(struct buf *out, int code)
{
	size_t start = out->len;

	return ended(out, start, put_begin(out, code));
}

enum qerr
contacts_put_count(struct buf *out, int code, uint64_t count)
{
	size_t start = out->len;
	enum qerr e = put_begin(out, code);

	if (e == Q_OK)
		e = contacts_put_number(out, count, true);
	return ended(out, start, e);
}

enum qerr
contacts_put_status(struct buf *out, int code, int status)
{
	return contacts_put_count(out, code, (uint64_t)status);
}

enum qerr
contacts_put_name(struct buf *out, int code, const char *name)
{
	size_t start = out->len;
	enum qerr e = put_begin(out, code);

	if (e == Q_OK)
		e = contacts_put_word(out, span_str(name), CONTACTS_QUOTE_NEEDED);
	return ended(out, start, e);
}

enum qerr
contacts_put_login(struct buf *out, int status, struct span name)
{
	size_t start = out->len;
	enum qerr e = put_begin(out, CONTACTS_LOGIN_RESPONSE);

	if (e == Q_OK)
		e = contacts_put_number(out, (uint64_t)status, true);
	if (e == Q_OK)
		e = contacts_put_word(out, name, CONTACTS_QUOTE_NEEDED);
	return ended(out, start, e);
}

enum qerr
contacts_put_chat(struct buf *out, uint64_t id, const char *maker, const char *other)
{
	size_t start = out->len;
	enum qerr e = put_begin(out, CONTACTS_CHAT_LIST_ELEMENT);

	if (e == Q_OK)
		e = contacts_put_number(out, id, true);
	if (e == Q_OK)
		e = contacts_put_word(out, span_str(maker), CONTACTS_QUOTE_NEEDED);
	if (e == Q_OK)
		e = contacts_put_word(out, span_str(other), CONTACTS_QUOTE_NEEDED);
	return ended(out, start, e);
}

enum qerr
contacts_put_contact(struct buf *out, const char *name, int64_t since_ms)
{
	size_t start = out->len;
	enum qerr e = put_begin(out, CONTACTS_OWN_LIST_ELEMENT);

	if (e == Q_OK)
		e = contacts_put_word(out, span_str(name), CONTACTS_QUOTE_NEEDED);
	if (e == Q_OK)
		e = contacts_put_number(out, (uint64_t)since_ms, true);
	return ended(out, start, e);
}

/* Without media the message is the rest of the line, as it was typed, unless that
 * would be read as quoted or would end the line. */
static bool
message_needs_quotes(struct span m)
{
	return m.len == 0 || m.p[0] == '"' || memchr(m.p, '\n', m.len) != NULL ||
	       memchr(m.p, '\r', m.len) != NULL;
}

enum qerr
contacts_put_message(struct buf *out, uint64_t chat, int64_t time_ms, struct span message,
		     uint64_t media_id)
{
	bool quote = media_id != 0 || message_needs_quotes(message);
	size_t start = out->len;
	enum qerr e;

	/* One reservation for all but long escapes: this is the hot path. */
	if ((e = buf_reserve(out, message.len + 64)) != Q_OK)
		return e;
	e = put_begin(out, CONTACTS_SENDED);
	if (e == Q_OK)
		e = contacts_put_number(out, chat, true);
	if (e == Q_OK)
		e = contacts_put_number(out, (uint64_t)time_ms, true);
	if (e == Q_OK)
		e = contacts_put_word(
		    out, message, quote ? CONTACTS_QUOTE_ALWAYS : CONTACTS_QUOTE_NEVER);
	if (e == Q_OK && media_id != 0)
		e = contacts_put_number(out, media_id, true);
	return ended(out, start, e);
}

enum qerr
contacts_put_media(struct buf *out, struct span type, struct span content)
{
	size_t start = out->len;
	enum qerr e = put_begin(out, CONTACTS_MEDIA_RESPONSE);

	if (type.len == 0)
		type = span_str(CONTACTS_MEDIA_TYPE_DEFAULT);
	if (e == Q_OK)
		e = contacts_put_number(out, CONTACTS_OK, true);
	if (e == Q_OK)
		e = buf_put_str(out, " data:");
	if (e == Q_OK)
		e = buf_put_span(out, type);
	if (e == Q_OK)
		e = buf_put_str(out, ";base64,");
	if (e == Q_OK)
		e = buf_reserve(out, BASE64_LEN(content.len));
	if (e == Q_OK)
		out->len += base64_encode(content, (char *)out->p + out->len);
	return ended(out, start, e);
}

/* ---- a client reads ---- */

static enum qerr
parse_message(struct span rest, struct buf *scratch, struct contacts_reply *r)
{
	struct reader in = reader_of(rest);
	struct span word;
	enum qerr e;

	r->argc = 1;
	if (rest.len == 0 || rest.p[0] != '"') {
		r->arg[0] = rest;
		return Q_OK;
	}
	if ((e = contacts_quoted(&in, scratch, &r->arg[0])) != Q_OK)
		return e;
	if (in.left == 0)
		return Q_OK;
	if (reader_take(&in, 1, &word) != Q_OK || word.p[0] != ' ')
		return Q_FORMAT;
	return contacts_id(reader_rest(&in), &r->media_id) ? Q_OK : Q_FORMAT;
}

static enum qerr
parse_one(char kind, struct reader *in, struct buf *scratch, struct contacts_reply *r)
{
	struct span word;
	uint64_t n;
	enum qerr e;

	if (kind == 'm')
		return parse_message(reader_rest(in), scratch, r);
	if (kind == 'd') {
		r->arg[r->argc++] = reader_rest(in);
		return Q_OK;
	}
	if ((e = contacts_word(in, scratch, &word)) != Q_OK)
		return e;
	if (kind == 's') {
		r->arg[r->argc++] = word;
		return Q_OK;
	}
	if (!contacts_number(word, &n))
		return Q_FORMAT;
	if (kind == 'i')
		r->id = n;
	else if (kind == 't')
		r->time_ms = (int64_t)n;
	else if (kind == 'n')
		r->count = n;
	else if (n < CONTACTS_OK || n > CONTACTS_USER_MUTED)
		return Q_FORMAT;
	else
		r->status = (int)n;
	return Q_OK;
}

static const char *
shape_of(int code)
{
	for (size_t i = 0; i < sizeof(reply_shapes) / sizeof(reply_shapes[0]); i++)
		if (reply_shapes[i].code == code)
			return reply_shapes[i].args;
	return NULL;
}

enum qerr
contacts_reply_parse(struct span line, struct buf *scratch, struct contacts_reply *out)
{
	struct contacts_reply r = {0};
	struct reader in;
	struct span space;
	const char *shape;
	bool optional = false;
	enum qerr e;

	scratch->len = 0;
	if (!contacts_code(line, &r.code) || (shape = shape_of(r.code)) == NULL ||
	    memchr(line.p, '\0', line.len) != NULL || !utf8_valid(line))
		return Q_FORMAT;
	if ((e = buf_reserve(scratch, line.len)) != Q_OK)
		return e;
	in = reader_of((struct span){line.p + 3, line.len - 3});
	for (; *shape != '\0'; shape++) {
		if (*shape == '?') {
			optional = true;
			continue;
		}
		if (in.left == 0 && optional)
			break;
		if (reader_take(&in, 1, &space) != Q_OK || space.p[0] != ' ')
			return Q_FORMAT;
		if ((e = parse_one(*shape, &in, scratch, &r)) != Q_OK)
			return e;
	}
	if (in.left != 0)
		return Q_FORMAT;
	*out = r;
	return Q_OK;
}
