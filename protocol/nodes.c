/* SPDX-License-Identifier: MIT
 *
 * One table says of every message who may say it and what its tail looks like; the
 * parser and the encoder walk the same shapes, so they cannot disagree.
 */
#include "protocol/nodes.h"

#include <assert.h>
#include <string.h>

enum shape {
	SHAPE_OK,       /* 'O' 'K' */
	SHAPE_TWO,      /* two bytes */
	SHAPE_UIN,      /* one UIN */
	SHAPE_UINS,     /* two UINs */
	SHAPE_PORT,     /* a port */
	SHAPE_NAME,     /* len8 name */
	SHAPE_UIN_NAME, /* UIN len8 name */
	SHAPE_TEXT,     /* len16 text */
	SHAPE_LIST,     /* count16 addresses */
	SHAPE_THERE,    /* len16 UIN address */
	SHAPE_DATA      /* len16 UIN UIN data */
};

#define ADDRESS_MIN 5 /* a host of one byte */
#define BY(speaker) (1u << (speaker))
#define ON_CONTROL  (BY(NODES_CLIENT) | BY(NODES_SERVER))

struct row {
	enum nodes_type type;
	enum shape shape;
	unsigned speakers;
};

static const struct row rows[] = {
    {NODES_OK, SHAPE_OK, BY(NODES_ACCEPTOR)},
    {NODES_OTHER_VERSION, SHAPE_TWO, BY(NODES_ACCEPTOR)},
    {NODES_CALL, SHAPE_UIN, BY(NODES_CLIENT)},
    {NODES_CALLED, SHAPE_UIN, BY(NODES_SERVER)},
    {NODES_NOT_FOUND, SHAPE_UIN, BY(NODES_SERVER)},
    {NODES_ALLOW, SHAPE_UIN, BY(NODES_CLIENT)},
    {NODES_READY, SHAPE_UIN, BY(NODES_SERVER)},
    {NODES_REFUSE, SHAPE_UIN, BY(NODES_CLIENT)},
    {NODES_DATA_HELLO, SHAPE_UINS, BY(NODES_OPENER)},
    {NODES_TEXT, SHAPE_TEXT, BY(NODES_CORRESPONDENT)},
    {NODES_DELIVERED, SHAPE_TWO, BY(NODES_CORRESPONDENT)},
    {NODES_WHO_NAME, SHAPE_NAME, BY(NODES_CLIENT)},
    {NODES_WHO_IS, SHAPE_UIN_NAME, BY(NODES_SERVER)},
    {NODES_WHO_UIN, SHAPE_UIN, BY(NODES_CLIENT)},
    {NODES_PING, SHAPE_TWO, ON_CONTROL | BY(NODES_NODE) | BY(NODES_CORRESPONDENT)},
    {NODES_PONG, SHAPE_TWO, ON_CONTROL | BY(NODES_NODE) | BY(NODES_CORRESPONDENT)},
    {NODES_ASK_NODES, SHAPE_TWO, BY(NODES_CLIENT) | BY(NODES_NODE)},
    {NODES_PORT, SHAPE_PORT, BY(NODES_NODE)},
    {NODES_LIST, SHAPE_LIST, BY(NODES_SERVER) | BY(NODES_NODE)},
    {NODES_SEARCH, SHAPE_UIN, BY(NODES_NODE)},
    {NODES_HERE, SHAPE_UIN, BY(NODES_NODE)},
    {NODES_THERE, SHAPE_THERE, BY(NODES_NODE)},
    {NODES_ASK_CALL, SHAPE_UINS, BY(NODES_NODE)},
    {NODES_CALL_ALLOWED, SHAPE_UINS, BY(NODES_NODE)},
    {NODES_CALL_OVER, SHAPE_UINS, BY(NODES_NODE)},
    {NODES_CLIENT_HELLO, SHAPE_TWO, BY(NODES_OPENER)},
    {NODES_NODE_HELLO, SHAPE_TWO, BY(NODES_OPENER)},
    {NODES_DATA, SHAPE_DATA, BY(NODES_NODE)},
};

static const struct row *
row_find(uint8_t type)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].type == (enum nodes_type)type)
			return &rows[i];
	return NULL;
}

enum qerr
nodes_recognise(struct span first)
{
	if (first.len == 0)
		return Q_SHORT;
	if (first.p[0] != NODES_CLIENT_HELLO && first.p[0] != NODES_NODE_HELLO &&
	    first.p[0] != NODES_DATA_HELLO)
		return Q_FORMAT;
	if (first.len == 1)
		return Q_SHORT;
	return first.p[1] == first.p[0] ? Q_OK : Q_FORMAT;
}

/* ---- addresses ---- */

static enum qerr
take_port(struct reader *r, uint16_t *out)
{
	struct span s;

	if (reader_take(r, 2, &s) != Q_OK)
		return Q_SHORT;
	*out = (uint16_t)(s.p[0] << 8 | s.p[1]);
	return Q_OK;
}

static enum qerr
put_port(struct buf *out, uint16_t port)
{
	uint8_t p[2] = {(uint8_t)(port >> 8), (uint8_t)port};

	return buf_put(out, p, sizeof(p));
}

static size_t
ip_len(enum nodes_address_kind kind)
{
	return kind == NODES_IP4 ? 4 : 16;
}

static bool
host_len_ok(size_t n)
{
	return n >= 1 && n <= NODES_HOST_MAX;
}

enum qerr
nodes_address_next(struct reader *r, struct nodes_address *out)
{
	struct nodes_address a = {0};
	struct reader at = *r;
	struct span ip;
	uint8_t kind, n;
	enum qerr e;

	if (reader_u8(&at, &kind) != Q_OK)
		return Q_SHORT;
	a.kind = (enum nodes_address_kind)kind;
	switch (a.kind) {
	case NODES_IP4:
	case NODES_IP6:
		if ((e = reader_take(&at, ip_len(a.kind), &ip)) != Q_OK)
			return e;
		memcpy(a.ip, ip.p, ip.len);
		break;
	case NODES_HOST:
		if ((e = reader_u8(&at, &n)) != Q_OK)
			return e;
		if (!host_len_ok(n))
			return Q_FORMAT;
		if ((e = reader_take(&at, n, &a.host)) != Q_OK)
			return e;
		break;
	default: return Q_FORMAT;
	}
	if ((e = take_port(&at, &a.port)) != Q_OK)
		return e;
	*r = at;
	*out = a;
	return Q_OK;
}

/* How long it is on the wire; 0: it cannot be said. */
static size_t
address_len(const struct nodes_address *a)
{
	switch (a->kind) {
	case NODES_IP4:
	case NODES_IP6: return 1 + ip_len(a->kind) + 2;
	case NODES_HOST: return host_len_ok(a->host.len) ? 2 + a->host.len + 2 : 0;
	}
	return 0;
}

/* For appends into room that was reserved. */
static void
must(enum qerr e)
{
	assert(e == Q_OK);
}

enum qerr
nodes_address_put(struct buf *out, const struct nodes_address *a)
{
	size_t n = address_len(a);
	enum qerr e;

	if (n == 0)
		return Q_FORMAT;
	if ((e = buf_reserve(out, n)) != Q_OK)
		return e;
	must(buf_put_u8(out, (uint8_t)a->kind));
	if (a->kind == NODES_HOST) {
		must(buf_put_u8(out, (uint8_t)a->host.len));
		must(buf_put_span(out, a->host));
	} else {
		must(buf_put(out, a->ip, ip_len(a->kind)));
	}
	must(put_port(out, a->port));
	return Q_OK;
}

struct nodes_address
nodes_address_ip(const uint8_t ip[16], uint16_t port)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct nodes_address a = {.kind = NODES_IP6, .port = port};

	if (memcmp(ip, mapped, sizeof(mapped)) == 0) {
		a.kind = NODES_IP4;
		memcpy(a.ip, ip + sizeof(mapped), 4);
	} else {
		memcpy(a.ip, ip, sizeof(a.ip));
	}
	return a;
}

bool
nodes_address_eq(const struct nodes_address *a, const struct nodes_address *b)
{
	if (a->kind != b->kind || a->port != b->port)
		return false;
	if (a->kind == NODES_HOST)
		return span_eq(a->host, b->host);
	return memcmp(a->ip, b->ip, ip_len(a->kind)) == 0;
}

/* ---- reading ---- */

static enum qerr
take_u16(struct reader *r, uint16_t least, uint16_t most, uint16_t *out)
{
	if (reader_u16(r, out) != Q_OK)
		return Q_SHORT;
	return *out >= least && *out <= most ? Q_OK : Q_FORMAT;
}

static enum qerr
take_two(struct reader *r, uint8_t out[2])
{
	struct span s;

	if (reader_take(r, 2, &s) != Q_OK)
		return Q_SHORT;
	memcpy(out, s.p, 2);
	return Q_OK;
}

static enum qerr
take_uins(struct reader *r, struct nodes_message *m)
{
	enum qerr e = reader_u32(r, &m->uin);

	return e == Q_OK ? reader_u32(r, &m->uin2) : e;
}

static enum qerr
take_name(struct reader *r, struct nodes_message *m)
{
	uint8_t n;

	if (reader_u8(r, &n) != Q_OK)
		return Q_SHORT;
	return reader_take(r, n, &m->bytes);
}

static enum qerr
take_list(struct reader *r, struct nodes_message *m)
{
	const uint8_t *start;
	struct nodes_address a;
	enum qerr e;

	if ((e = take_u16(r, 0, NODES_LIST_MAX, &m->count)) != Q_OK)
		return e;
	start = r->p;
	for (unsigned i = 0; i < m->count; i++)
		if ((e = nodes_address_next(r, &a)) != Q_OK)
			return e;
	m->bytes = span_of(start, (size_t)(r->p - start));
	return Q_OK;
}

/* len16 bounds the address, which has to fill it. */
static enum qerr
take_there(struct reader *r, struct nodes_message *m)
{
	struct reader tail;
	struct span s;
	uint16_t n;
	enum qerr e;

	if ((e = take_u16(r, 4 + ADDRESS_MIN, 4 + NODES_ADDRESS_MAX, &n)) != Q_OK ||
	    (e = reader_take(r, n, &s)) != Q_OK)
		return e;
	tail = reader_of(s);
	if (reader_u32(&tail, &m->uin) != Q_OK ||
	    nodes_address_next(&tail, &m->address) != Q_OK || tail.left != 0)
		return Q_FORMAT;
	return Q_OK;
}

static enum qerr
take_data(struct reader *r, struct nodes_message *m)
{
	uint16_t n;
	enum qerr e;

	if ((e = take_u16(r, 8, NODES_DATA_MAX + 8, &n)) != Q_OK ||
	    (e = take_uins(r, m)) != Q_OK)
		return e;
	return reader_take(r, (size_t)n - 8, &m->bytes);
}

static enum qerr
take_tail(struct reader *r, enum shape shape, struct nodes_message *m)
{
	uint16_t n;
	enum qerr e;

	switch (shape) {
	case SHAPE_OK:
		if ((e = take_two(r, m->two)) != Q_OK)
			return e;
		return memcmp(m->two, "OK", 2) == 0 ? Q_OK : Q_FORMAT;
	case SHAPE_TWO: return take_two(r, m->two);
	case SHAPE_UIN: return reader_u32(r, &m->uin);
	case SHAPE_UINS: return take_uins(r, m);
	case SHAPE_PORT: return take_port(r, &m->port);
	case SHAPE_NAME: return take_name(r, m);
	case SHAPE_UIN_NAME:
		e = reader_u32(r, &m->uin);
		return e == Q_OK ? take_name(r, m) : e;
	case SHAPE_TEXT:
		e = take_u16(r, 0, NODES_TEXT_MAX, &n);
		return e == Q_OK ? reader_take(r, n, &m->bytes) : e;
	case SHAPE_LIST: return take_list(r, m);
	case SHAPE_THERE: return take_there(r, m);
	case SHAPE_DATA: return take_data(r, m);
	}
	return Q_FORMAT;
}

enum qerr
nodes_next(struct span in, enum nodes_speaker speaker, struct nodes_message *out)
{
	struct nodes_message m = {0};
	struct reader r = reader_of(in);
	const struct row *row;
	uint8_t type, again;
	enum qerr e;

	if (reader_u8(&r, &type) != Q_OK)
		return Q_SHORT;
	row = row_find(type);
	if (row == NULL || (row->speakers & BY(speaker)) == 0)
		return Q_FORMAT;
	if (reader_u8(&r, &again) != Q_OK)
		return Q_SHORT;
	if (again != type)
		return Q_FORMAT;
	m.type = row->type;
	if ((e = take_tail(&r, row->shape, &m)) != Q_OK)
		return e;
	m.total = in.len - r.left;
	*out = m;
	return Q_OK;
}

/* ---- writing ---- */

/* Are s exactly count addresses? */
static bool
list_ok(struct span s, unsigned count)
{
	struct reader r = reader_of(s);
	struct nodes_address a;

	if (count > NODES_LIST_MAX)
		return false;
	for (unsigned i = 0; i < count; i++)
		if (nodes_address_next(&r, &a) != Q_OK)
			return false;
	return r.left == 0;
}

/* The tail's length; false: m cannot be said. */
static bool
tail_len(const struct nodes_message *m, enum shape shape, size_t *out)
{
	size_t n = m->bytes.len;

	switch (shape) {
	case SHAPE_OK:
	case SHAPE_TWO:
	case SHAPE_PORT: *out = 2; return true;
	case SHAPE_UIN: *out = 4; return true;
	case SHAPE_UINS: *out = 8; return true;
	case SHAPE_NAME: *out = 1 + n; return n <= NODES_NAME_MAX;
	case SHAPE_UIN_NAME: *out = 5 + n; return n <= NODES_NAME_MAX;
	case SHAPE_TEXT: *out = 2 + n; return n <= NODES_TEXT_MAX;
	case SHAPE_LIST: *out = 2 + n; return list_ok(m->bytes, m->count);
	case SHAPE_THERE:
		*out = 2 + 4 + address_len(&m->address);
		return address_len(&m->address) != 0;
	case SHAPE_DATA: *out = 2 + 8 + n; return n <= NODES_DATA_MAX;
	}
	return false;
}

static void
put_tail(struct buf *out, const struct nodes_message *m, enum shape shape, size_t len)
{
	switch (shape) {
	case SHAPE_OK: must(buf_put(out, "OK", 2)); return;
	case SHAPE_TWO: must(buf_put(out, m->two, 2)); return;
	case SHAPE_PORT: must(put_port(out, m->port)); return;
	case SHAPE_UIN: must(buf_put_u32(out, m->uin)); return;
	case SHAPE_UINS:
		must(buf_put_u32(out, m->uin));
		must(buf_put_u32(out, m->uin2));
		return;
	case SHAPE_UIN_NAME: must(buf_put_u32(out, m->uin)); /* fall through */
	case SHAPE_NAME: must(buf_put_u8(out, (uint8_t)m->bytes.len)); break;
	case SHAPE_LIST: must(buf_put_u16(out, m->count)); break;
	case SHAPE_TEXT: must(buf_put_u16(out, (uint16_t)m->bytes.len)); break;
	case SHAPE_THERE:
		must(buf_put_u16(out, (uint16_t)(len - 2)));
		must(buf_put_u32(out, m->uin));
		must(nodes_address_put(out, &m->address));
		return;
	case SHAPE_DATA:
		must(buf_put_u16(out, (uint16_t)(len - 2)));
		must(buf_put_u32(out, m->uin));
		must(buf_put_u32(out, m->uin2));
		break;
	}
	must(buf_put_span(out, m->bytes));
}

enum qerr
nodes_put(struct buf *out, const struct nodes_message *m)
{
	const struct row *row = row_find((uint8_t)m->type);
	size_t len;
	enum qerr e;

	if (row == NULL || !tail_len(m, row->shape, &len))
		return Q_FORMAT;
	if ((e = buf_reserve(out, NODES_HEAD_LEN + len)) != Q_OK)
		return e;
	must(buf_put_u8(out, (uint8_t)m->type));
	must(buf_put_u8(out, (uint8_t)m->type));
	put_tail(out, m, row->shape, len);
	return Q_OK;
}

void
nodes_data_head(uint8_t out[NODES_DATA_HEAD_LEN], uint32_t from, uint32_t to, size_t n)
{
	assert(n <= NODES_DATA_MAX);
	out[0] = out[1] = NODES_DATA;
	out[2] = (uint8_t)((n + 8) & 0xff);
	out[3] = (uint8_t)((n + 8) >> 8);
	le32_put(out + 4, from);
	le32_put(out + 8, to);
}
