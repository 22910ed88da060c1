/* SPDX-License-Identifier: MIT
 *
 * What stands in the data of a room's records; their FROM is who did it, their id the
 * seq, their time what CHAT_ACTION_S says:
 *
 *   send    MSG text|small REFLEN REF CONTENT
 *   file    MSG SIZE CRC REFLEN REF           the content is files/ROOM.MSG
 *   edit    MSG CONTENT
 *   erase   MSG AUTHOR text|small REASON      what a tombstone says stands in one place
 *   pin     MSG 1|0
 *   pubkey  DROPPED|- PEM
 *
 * and the changes of room_change.c.
 *
 * A message's UUID of version 7 (RFC 9562 section 5.7; section 6.2 allows counters):
 *
 *   48 bits   milliseconds of the record
 *   12 + 28   the message's number in the room, from 0
 *   34        the last bits of the room's own (random) UUID
 *
 * So the id rises with the number when the time does not fall, leads to the message at
 * once, and is none in any other room.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/decimal.h"
#include "store/rooms_priv.h"

#define NUMBER_LOW_BITS 28
#define ROOM_BITS       34
#define ROOM_MASK       ((UINT64_C(1) << ROOM_BITS) - 1)
#define NUMBER_MAX      ((UINT64_C(1) << (NUMBER_LOW_BITS + 12)) - 1)

/* ---- message ids ---- */

static uint64_t
half(const uint8_t *p)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

static void
put_half(uint8_t *p, uint64_t v)
{
	for (int i = 7; i >= 0; i--, v >>= 8)
		p[i] = (uint8_t)v;
}

struct uuid
message_id(const struct uuid *room, int64_t ms, uint64_t number)
{
	struct uuid u = {{0}};

	put_half(u.b, (uint64_t)ms << 16 | UINT64_C(7) << 12 | number >> NUMBER_LOW_BITS);
	put_half(u.b + 8, UINT64_C(2) << 62 |
			      (number & ((UINT64_C(1) << NUMBER_LOW_BITS) - 1))
				  << ROOM_BITS |
			      (half(room->b + 8) & ROOM_MASK));
	return u;
}

enum qerr
message_number(const struct uuid *room, const struct uuid *msg, int64_t *ms,
	       uint64_t *number)
{
	uint64_t high = half(msg->b), low = half(msg->b + 8);

	if (uuid_version(msg) != 7 || ((low ^ half(room->b + 8)) & ROOM_MASK) != 0)
		return Q_MISSING;
	*ms = (int64_t)(high >> 16);
	*number = (high & 0xfff) << NUMBER_LOW_BITS |
		  (low >> ROOM_BITS & ((UINT64_C(1) << NUMBER_LOW_BITS) - 1));
	return Q_OK;
}

/* ---- to records ---- */

static const char *
format_word(enum room_format f)
{
	return f == ROOM_TEXT ? "text" : "small";
}

static enum qerr
put_send(struct buf *text, const struct event_text *t, const char *msg, char kind[])
{
	enum qerr e;

	strcpy(kind, t->ev.in_file ? "file" : "send");
	if (t->ev.in_file)
		e = buf_printf(text, "%s %" PRIu64 " %08" PRIx32 " ", msg, t->ev.size,
			       t->crc);
	else
		e = buf_printf(text, "%s %s ", msg, format_word(t->ev.format));
	if (e == Q_OK)
		e = buf_printf(text, "%zu ", t->ref.len);
	if (e == Q_OK)
		e = buf_put_span(text, t->ref);
	if (e == Q_OK && !t->ev.in_file && (e = buf_put_u8(text, ' ')) == Q_OK)
		e = buf_put_span(text, t->ev.content);
	return e;
}

enum qerr
event_put(struct buf *text, const struct event_text *t, char kind[])
{
	size_t before = text->len;
	char msg[UUID_SIZE];
	enum qerr e = Q_FORMAT;

	uuid_text(&t->ev.msg, msg);
	switch (t->ev.kind) {
	case ROOM_SEND: e = put_send(text, t, msg, kind); break;
	case ROOM_EDIT:
		strcpy(kind, "edit");
		e = buf_printf(text, "%s ", msg);
		break;
	case ROOM_DELETE:
		strcpy(kind, "erase");
		e = buf_printf(text, "%s %s %s ", msg, t->author,
			       format_word(t->ev.format));
		break;
	case ROOM_PIN:
		strcpy(kind, "pin");
		e = buf_printf(text, "%s %d", msg, t->ev.pinned);
		break;
	case ROOM_PUBKEY:
		strcpy(kind, "pubkey");
		e = buf_printf(text, "%s ",
			       t->ev.dropped[0] != '\0' ? t->ev.dropped : "-");
		break;
	case ROOM_CHANGED: break;
	}
	if (e == Q_OK && t->ev.kind != ROOM_SEND && t->ev.kind != ROOM_PIN)
		e = buf_put_span(text, t->ev.content);
	if (e != Q_OK)
		text->len = before;
	return e;
}

/* ---- and back ---- */

static enum qerr
take_word(struct reader *in, struct span *out)
{
	const uint8_t *end = in->left == 0 ? NULL : memchr(in->p, ' ', in->left);

	if (end == NULL)
		return Q_FORMAT;
	(void)reader_take(in, (size_t)(end - in->p) + 1, out);
	out->len--;
	return Q_OK;
}

static enum qerr
take_number(struct reader *in, uint64_t max, uint64_t *out)
{
	struct span s;

	return take_word(in, &s) != Q_OK ? Q_FORMAT : decimal_read(s, max, out);
}

static enum qerr
take_format(struct reader *in, enum room_format *out)
{
	struct span s;

	if (take_word(in, &s) != Q_OK)
		return Q_FORMAT;
	*out = span_eq(s, span_str("text")) ? ROOM_TEXT : ROOM_SMALLFILE;
	return *out == ROOM_TEXT || span_eq(s, span_str("small")) ? Q_OK : Q_FORMAT;
}

static enum qerr
take_ref(struct reader *in, struct event_text *t)
{
	uint64_t len;

	return take_number(in, ROOM_REF_MAX, &len) != Q_OK ||
		       reader_take(in, (size_t)len, &t->ref) != Q_OK
		   ? Q_FORMAT
		   : Q_OK;
}

static enum qerr
take_send(struct reader *in, struct event_text *t)
{
	struct span blank;

	if (take_format(in, &t->ev.format) != Q_OK || take_ref(in, t) != Q_OK ||
	    reader_take(in, 1, &blank) != Q_OK || blank.p[0] != ' ')
		return Q_FORMAT;
	t->ev.content = reader_rest(in);
	t->ev.size = t->ev.content.len;
	return Q_OK;
}

static enum qerr
take_file(struct reader *in, struct event_text *t)
{
	struct span crc;
	char hex[9];

	if (take_number(in, INT64_MAX, &t->ev.size) != Q_OK ||
	    take_word(in, &crc) != Q_OK || crc.len != 8)
		return Q_FORMAT;
	memcpy(hex, crc.p, 8);
	hex[8] = '\0';
	t->crc = (uint32_t)strtoul(hex, NULL, 16);
	t->ev.in_file = true;
	t->ev.format = ROOM_SMALLFILE;
	return take_ref(in, t) != Q_OK || in->left > 0 ? Q_FORMAT : Q_OK;
}

static enum qerr
take_erase(struct reader *in, struct event_text *t)
{
	struct span author;

	if (take_word(in, &author) != Q_OK || name_copy(author, t->author) != Q_OK ||
	    take_format(in, &t->ev.format) != Q_OK)
		return Q_FORMAT;
	t->ev.content = reader_rest(in);
	return Q_OK;
}

static enum qerr
take_pin(struct reader *in, struct event_text *t)
{
	struct span s = reader_rest(in);

	t->ev.pinned = span_eq(s, span_str("1"));
	return t->ev.pinned || span_eq(s, span_str("0")) ? Q_OK : Q_FORMAT;
}

static enum qerr
take_pubkey(struct reader *in, struct event_text *t)
{
	struct span s;

	if (take_word(in, &s) != Q_OK || s.len >= CHATKEY_ID_SIZE)
		return Q_FORMAT;
	if (!span_eq(s, span_str("-"))) {
		memcpy(t->ev.dropped, s.p, s.len);
		t->ev.dropped[s.len] = '\0';
	}
	t->ev.content = reader_rest(in);
	return Q_OK;
}

static enum qerr
take_edit(struct reader *in, struct event_text *t)
{
	t->ev.content = reader_rest(in);
	t->ev.size = t->ev.content.len;
	return Q_OK;
}

static const struct {
	const char *word;
	enum room_kind kind;
	enum qerr (*take)(struct reader *in, struct event_text *t);
} kinds[] = {
    {"send", ROOM_SEND, take_send}, {"file", ROOM_SEND, take_file},
    {"edit", ROOM_EDIT, take_edit}, {"erase", ROOM_DELETE, take_erase},
    {"pin", ROOM_PIN, take_pin},    {"pubkey", ROOM_PUBKEY, take_pubkey},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* All but a change. */
static enum qerr
take_message(const struct record *r, struct event_text *t)
{
	struct reader in = reader_of(r->data);
	struct span msg;
	size_t i = 0;

	while (i < KINDS && strcmp(r->kind, kinds[i].word) != 0)
		i++;
	if (i == KINDS)
		return Q_FORMAT;
	t->ev.kind = kinds[i].kind;
	if (t->ev.kind != ROOM_PUBKEY &&
	    (take_word(&in, &msg) != Q_OK || uuid_parse(msg, &t->ev.msg) != Q_OK))
		return Q_FORMAT;
	if (t->ev.kind == ROOM_SEND || t->ev.kind == ROOM_EDIT)
		memcpy(t->author, r->from, NAME_SIZE);
	return kinds[i].take(&in, t);
}

enum qerr
event_take(const struct record *r, struct event_text *out, struct change_text *change)
{
	struct event_text t = {.ev = {.seq = r->id, .time_ms = r->time_ms}};
	enum room_action action;
	enum qerr e;

	if (r->from[0] == '\0')
		return Q_FORMAT;
	memcpy(t.ev.from, r->from, NAME_SIZE);
	if (action_find(r->kind, &action)) {
		if ((e = change_take(r, change)) != Q_OK)
			return e;
		t.ev.kind = ROOM_CHANGED;
		t.ev.change = &change->change;
	} else if ((e = take_message(r, &t)) != Q_OK) {
		return e;
	}
	*out = t;
	return Q_OK;
}
