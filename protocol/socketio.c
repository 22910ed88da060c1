/* SPDX-License-Identifier: MIT */
#include "protocol/socketio.h"

#include <inttypes.h>
#include <string.h>

#include "protocol/json.h"

#define ID_DIGITS 16 /* of SIO_ID_MAX */

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool
is_binary(enum sio_type t)
{
	return t == SIO_BINARY_EVENT || t == SIO_BINARY_ACK;
}

/* Decimal digits at the front.  Q_MISSING: there is none; Q_FORMAT: beyond max. */
static enum qerr
take_number(struct reader *r, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;
	size_t n = 0;

	while (n < r->left && is_digit(r->p[n])) {
		if (n == ID_DIGITS)
			return Q_FORMAT;
		v = v * 10 + (uint64_t)(r->p[n++] - '0');
	}
	if (n == 0)
		return Q_MISSING;
	if (v > max)
		return Q_FORMAT;
	r->p += n;
	r->left -= n;
	*out = v;
	return Q_OK;
}

static enum qerr
take_attachments(struct reader *r, unsigned max, unsigned *out)
{
	uint64_t v;
	uint8_t dash;

	if (take_number(r, SIO_ID_MAX, &v) != Q_OK || reader_u8(r, &dash) != Q_OK ||
	    dash != '-')
		return Q_FORMAT;
	if (v > max)
		return Q_LIMIT;
	*out = (unsigned)v;
	return Q_OK;
}

/* "/name" up to a comma or the end, the comma consumed. */
static struct span
take_space(struct reader *r)
{
	const uint8_t *comma;
	struct span s;

	if (r->left == 0 || r->p[0] != '/')
		return span_str("/");
	comma = memchr(r->p, ',', r->left);
	s = span_of(r->p, comma != NULL ? (size_t)(comma - r->p) : r->left);
	r->p += s.len + (comma != NULL);
	r->left -= s.len + (comma != NULL);
	return s;
}

static bool
begins(struct span json, const char *with)
{
	return json.len > 0 && json.p[0] != '\0' && strchr(with, json.p[0]) != NULL;
}

/* Is there JSON, of the right sort, where it has to be, and an id where it may? */
static bool
parts_fit(const struct sio_packet *p)
{
	switch (p->type) {
	case SIO_CONNECT: return !p->has_id && (p->json.len == 0 || begins(p->json, "{"));
	case SIO_DISCONNECT: return !p->has_id && p->json.len == 0;
	case SIO_CONNECT_ERROR: return !p->has_id && begins(p->json, "{\"");
	case SIO_EVENT:
	case SIO_BINARY_EVENT: return begins(p->json, "[");
	case SIO_ACK:
	case SIO_BINARY_ACK: return p->has_id && begins(p->json, "[");
	}
	return false;
}

enum qerr
sio_parse(struct span message, unsigned attachments_max, struct sio_packet *out)
{
	struct reader r = reader_of(message);
	struct sio_packet p = {0};
	uint8_t type;
	enum qerr e;

	if (reader_u8(&r, &type) != Q_OK || type < SIO_CONNECT || type > SIO_BINARY_ACK)
		return Q_FORMAT;
	p.type = (enum sio_type)type;
	if (is_binary(p.type) &&
	    (e = take_attachments(&r, attachments_max, &p.attachments)) != Q_OK)
		return e;
	p.space = take_space(&r);
	if ((e = take_number(&r, SIO_ID_MAX, &p.id)) == Q_FORMAT)
		return e;
	p.has_id = e == Q_OK;
	p.json = reader_rest(&r);
	if (!parts_fit(&p))
		return Q_FORMAT;
	*out = p;
	return Q_OK;
}

enum qerr
sio_put(struct buf *out, const struct sio_packet *p)
{
	bool named = !span_eq(p->space, span_str("/"));
	size_t before = out->len;
	enum qerr e = buf_put_u8(out, (uint8_t)p->type);

	if (e == Q_OK && is_binary(p->type))
		e = buf_printf(out, "%u-", p->attachments);
	if (e == Q_OK && named)
		e = buf_put_span(out, p->space);
	/* What follows a name is told from it by the comma. */
	if (e == Q_OK && named && (p->has_id || p->json.len > 0))
		e = buf_put_u8(out, ',');
	if (e == Q_OK && p->has_id)
		e = buf_printf(out, "%" PRIu64, p->id);
	if (e == Q_OK)
		e = buf_put_span(out, p->json);
	if (e != Q_OK)
		out->len = before;
	return e;
}

/* ---- arguments ---- */

static void
skip_space(struct reader *r)
{
	while (r->left > 0 && memchr(" \t\r\n", r->p[0], 4) != NULL) {
		r->p++;
		r->left--;
	}
}

enum qerr
sio_args_begin(struct span json, struct sio_args *out)
{
	struct reader r = reader_of(json);
	uint8_t open;

	skip_space(&r);
	if (reader_u8(&r, &open) != Q_OK || open != '[')
		return Q_FORMAT;
	*out = (struct sio_args){.rest = r, .first = true};
	return Q_OK;
}

/* Bytes of the string that begins at p; 0: it does not end. */
static size_t
string_len(const uint8_t *p, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		i += json_plain_run(span_of(p + i, n - i));
		if (i < n && p[i] == '\\')
			i++;
		else if (i < n && p[i] == '"')
			return i + 1;
	}
	return 0;
}

/* Bytes up to the comma or bracket that ends the value at the front; 0: none does. */
static size_t
value_len(struct reader r)
{
	size_t depth = 0, i = 0;

	while (i < r.left) {
		uint8_t c = r.p[i];
		size_t n = 1;

		if (c == '"' && (n = string_len(r.p + i, r.left - i)) == 0)
			return 0;
		if (depth == 0 && (c == ',' || c == ']'))
			return i;
		if (c == '[' || c == '{')
			depth++;
		if ((c == ']' || c == '}') && depth-- == 0)
			return 0;
		i += n;
	}
	return 0;
}

static struct span
without_space_behind(const uint8_t *p, size_t n)
{
	while (n > 0 && memchr(" \t\r\n", p[n - 1], 4) != NULL)
		n--;
	return span_of(p, n);
}

enum qerr
sio_args_next(struct sio_args *args, struct span *out)
{
	struct reader *r = &args->rest;
	struct span value;
	uint8_t c;

	skip_space(r);
	if (r->left == 0)
		return Q_FORMAT;
	if (r->p[0] == ']')
		return Q_MISSING;
	if (!args->first) {
		if (reader_u8(r, &c) != Q_OK || c != ',')
			return Q_FORMAT;
		skip_space(r);
	}
	value = without_space_behind(r->p, value_len(*r));
	if (value.len == 0)
		return Q_FORMAT;
	(void)reader_take(r, value.len, out);
	args->first = false;
	return Q_OK;
}

bool
sio_reserved(struct span name)
{
	static const char *const names[] = {"connect",     "connect_error",
					    "disconnect",  "disconnecting",
					    "newListener", "removeListener"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (span_eq(name, span_str(names[i])))
			return true;
	return false;
}

enum qerr
sio_placeholder_put(struct buf *out, unsigned n)
{
	return buf_printf(out, "{\"_placeholder\":true,\"num\":%u}", n);
}
