/* SPDX-License-Identifier: MIT
 *
 * Parsers walk a copy of nothing: spans in what they return point into the
 * bytes they were given.  Each fills a local struct and hands it out only when
 * the whole message was right, so a caller never sees half of one.
 *
 * Encoders reserve the room for a whole message first.  After that no append
 * can fail, which is why they assert instead of undoing.
 */
#include "protocol/relay.h"

#include <assert.h>
#include <string.h>

#define OPCODE_LEN 4
#define NONCE_LEN  4
#define LONG_LEN   8 /* the document's "long" */
#define SIZE_LEN   4 /* its "int32_t" and "unsigned int" sizes */

enum qerr
relay_recognise(struct span first)
{
	/* A little-endian int32 from -8192 to -1: xx E0..FF FF FF. */
	static const uint8_t least[RELAY_SIZE_LEN] = {0x00, 0xe0, 0xff, 0xff};

	for (size_t i = 0; i < RELAY_SIZE_LEN; i++) {
		if (i == first.len)
			return Q_SHORT;
		if (first.p[i] < least[i])
			return Q_FORMAT;
	}
	return Q_OK;
}

/* ---- frames ---- */

enum qerr
relay_frame_next(struct span in, uint32_t clear_max, uint32_t sealed_max,
		 struct relay_frame *out)
{
	struct reader r = reader_of(in);
	struct relay_frame f;
	uint32_t raw, size;

	if (reader_u32(&r, &raw) != Q_OK)
		return Q_SHORT;
	f.clear = (int32_t)raw < 0;
	size = f.clear ? 0 - raw : raw; /* unsigned: INT32_MIN has no positive twin */
	if (size > (f.clear ? clear_max : sealed_max))
		return Q_LIMIT;
	if (size < (f.clear ? OPCODE_LEN : RELAY_SEALED_MIN))
		return Q_FORMAT;
	if (reader_take(&r, size, &f.body) != Q_OK)
		return Q_SHORT;
	f.total = RELAY_SIZE_LEN + (size_t)size;
	*out = f;
	return Q_OK;
}

struct relay_sealed
relay_sealed_parts(struct span body)
{
	const uint8_t *end = body.p + body.len;

	assert(body.len >= RELAY_SEALED_MIN);
	return (struct relay_sealed){
	    .ct = {body.p, body.len - RELAY_SEAL_LEN},
	    .tag = end - RELAY_SEAL_LEN,
	    .iv = end - RELAY_IV_LEN,
	};
}

enum qerr
relay_inner_parse(struct span plain, struct relay_inner *out)
{
	struct reader r = reader_of(plain);
	struct relay_inner m;

	if (reader_i32(&r, &m.opcode) != Q_OK || reader_i32(&r, &m.counter) != Q_OK)
		return Q_FORMAT;
	m.data = reader_rest(&r);
	*out = m;
	return Q_OK;
}

void
relay_head_put(uint8_t out[RELAY_HEAD_LEN], int32_t opcode, int32_t counter)
{
	le32_put(out, (uint32_t)opcode);
	le32_put(out + OPCODE_LEN, (uint32_t)counter);
}

void
relay_nonce_bytes(int32_t nonce, uint8_t out[4])
{
	le32_put(out, (uint32_t)nonce);
}

/* ---- names ---- */

enum qerr
relay_name_parse(struct span s, char out[NAME_SIZE])
{
	if (s.len > 0 && s.p[s.len - 1] == '\0')
		s.len--;
	return name_copy(s, out);
}

/* ---- the pieces that messages share ---- */

/* int64 size | bytes */
static enum qerr
take_long_span(struct reader *r, struct span *out)
{
	int64_t size;

	if (reader_i64(r, &size) != Q_OK || size < 0 || (uint64_t)size > r->left)
		return Q_FORMAT;
	return reader_take(r, (size_t)size, out);
}

/* 4-byte size | bytes.  The document's sizes are signed in some messages and
 * unsigned in others; read as unsigned, a negative one is larger than any frame. */
static enum qerr
take_span(struct reader *r, struct span *out)
{
	uint32_t size;

	if (reader_u32(r, &size) != Q_OK || size > r->left)
		return Q_FORMAT;
	return reader_take(r, size, out);
}

/* For appends into room that was reserved. */
static void
must(enum qerr e)
{
	assert(e == Q_OK);
}

static void
put_long_span(struct buf *out, struct span s)
{
	must(buf_put_i64(out, (int64_t)s.len));
	must(buf_put_span(out, s));
}

static void
put_span(struct buf *out, struct span s)
{
	must(buf_put_u32(out, (uint32_t)s.len));
	must(buf_put_span(out, s));
}

/* Room for a clear frame whose body (without opcode) has len bytes; the size
 * field and the opcode are put. */
static enum qerr
clear_begin(struct buf *out, int32_t opcode, size_t len)
{
	enum qerr e;

	if (len > INT32_MAX - OPCODE_LEN)
		return Q_LIMIT;
	if ((e = buf_reserve(out, RELAY_SIZE_LEN + OPCODE_LEN + len)) != Q_OK)
		return e;
	must(buf_put_i32(out, -(int32_t)(OPCODE_LEN + len)));
	must(buf_put_i32(out, opcode));
	return Q_OK;
}

/* ---- clear messages ---- */

enum qerr
relay_hello_parse(struct span body, struct relay_hello *out)
{
	struct reader r = reader_of(body);
	struct relay_hello m;

	if (reader_i32(&r, &m.nonce) != Q_OK)
		return Q_FORMAT;
	m.user = reader_rest(&r);
	*out = m;
	return Q_OK;
}

enum qerr
relay_hello_put(struct buf *out, const struct relay_hello *m)
{
	enum qerr e;

	if ((e = clear_begin(out, RELAY_HELLO, NONCE_LEN + m->user.len)) != Q_OK)
		return e;
	must(buf_put_i32(out, m->nonce));
	must(buf_put_span(out, m->user));
	return Q_OK;
}

enum qerr
relay_server_hello_parse(struct span body, struct relay_server_hello *out)
{
	struct reader r = reader_of(body);
	struct relay_server_hello m;

	if (reader_i32(&r, &m.nonce) != Q_OK || take_long_span(&r, &m.pem) != Q_OK ||
	    take_span(&r, &m.signature) != Q_OK)
		return Q_FORMAT;
	m.cert = reader_rest(&r);
	*out = m;
	return Q_OK;
}

enum qerr
relay_server_hello_put(struct buf *out, const struct relay_server_hello *m)
{
	size_t len =
	    NONCE_LEN + LONG_LEN + m->pem.len + SIZE_LEN + m->signature.len + m->cert.len;
	enum qerr e;

	if ((e = clear_begin(out, RELAY_SERVER_HELLO, len)) != Q_OK)
		return e;
	must(buf_put_i32(out, m->nonce));
	put_long_span(out, m->pem);
	put_span(out, m->signature);
	must(buf_put_span(out, m->cert));
	return Q_OK;
}

enum qerr
relay_proof_parse(struct span body, struct relay_proof *out)
{
	struct reader r = reader_of(body);
	struct relay_proof m;

	if (take_long_span(&r, &m.pem) != Q_OK || take_span(&r, &m.signature) != Q_OK ||
	    r.left != 0)
		return Q_FORMAT;
	*out = m;
	return Q_OK;
}

enum qerr
relay_proof_put(struct buf *out, const struct relay_proof *m)
{
	enum qerr e;

	if ((e = clear_begin(out, RELAY_PROOF,
			     LONG_LEN + m->pem.len + SIZE_LEN + m->signature.len)) !=
	    Q_OK)
		return e;
	put_long_span(out, m->pem);
	put_span(out, m->signature);
	return Q_OK;
}

enum qerr
relay_enrol_parse(struct span body, struct relay_enrol *out)
{
	struct reader r = reader_of(body);
	struct relay_enrol m;

	if (take_span(&r, &m.name) != Q_OK || take_long_span(&r, &m.pem) != Q_OK ||
	    reader_take(&r, RELAY_PROOF_LEN, &m.proof) != Q_OK || r.left != 0)
		return Q_FORMAT;
	*out = m;
	return Q_OK;
}

enum qerr
relay_enrol_put(struct buf *out, const struct relay_enrol *m)
{
	enum qerr e;

	assert(m->proof.len == RELAY_PROOF_LEN);
	if ((e = clear_begin(out, RELAY_ENROL,
			     SIZE_LEN + m->name.len + LONG_LEN + m->pem.len +
				 RELAY_PROOF_LEN)) != Q_OK)
		return e;
	put_span(out, m->name);
	put_long_span(out, m->pem);
	must(buf_put_span(out, m->proof));
	return Q_OK;
}

enum qerr
relay_enrolled_parse(struct span body, struct relay_enrolled *out)
{
	struct reader r = reader_of(body);
	struct relay_enrolled m;

	if (reader_i32(&r, &m.status) != Q_OK || take_long_span(&r, &m.ca) != Q_OK ||
	    reader_take(&r, RELAY_PROOF_LEN, &m.proof) != Q_OK || r.left != 0)
		return Q_FORMAT;
	*out = m;
	return Q_OK;
}

enum qerr
relay_enrolled_put(struct buf *out, const struct relay_enrolled *m)
{
	enum qerr e;

	assert(m->proof.len == RELAY_PROOF_LEN);
	if ((e = clear_begin(out, RELAY_ENROLLED,
			     SIZE_LEN + LONG_LEN + m->ca.len + RELAY_PROOF_LEN)) != Q_OK)
		return e;
	must(buf_put_i32(out, m->status));
	put_long_span(out, m->ca);
	must(buf_put_span(out, m->proof));
	return Q_OK;
}

/* ---- data of sealed messages ---- */

enum qerr
relay_pem_parse(struct span data, struct span *pem)
{
	struct reader r = reader_of(data);
	struct span s;

	if (take_long_span(&r, &s) != Q_OK || r.left != 0)
		return Q_FORMAT;
	*pem = s;
	return Q_OK;
}

enum qerr
relay_pem_put(struct buf *out, struct span pem)
{
	enum qerr e;

	if ((e = buf_reserve(out, LONG_LEN + pem.len)) != Q_OK)
		return e;
	put_long_span(out, pem);
	return Q_OK;
}

enum qerr
relay_nonce_parse(struct span data, int32_t *nonce)
{
	struct reader r = reader_of(data);

	if (data.len != NONCE_LEN)
		return Q_FORMAT;
	return reader_i32(&r, nonce);
}

enum qerr
relay_nonce_put(struct buf *out, int32_t nonce)
{
	return buf_put_i32(out, nonce);
}

enum qerr
relay_first_key_parse(struct span data, struct relay_key_message *out)
{
	struct reader r = reader_of(data);
	struct relay_key_message m;

	if (reader_i32(&r, &m.nonce) != Q_OK || take_long_span(&r, &m.pem) != Q_OK ||
	    take_span(&r, &m.signature) != Q_OK || r.left != 0)
		return Q_FORMAT;
	*out = m;
	return Q_OK;
}

enum qerr
relay_first_key_put(struct buf *out, const struct relay_key_message *m)
{
	enum qerr e;

	if ((e = buf_reserve(out, NONCE_LEN + LONG_LEN + m->pem.len + SIZE_LEN +
				      m->signature.len)) != Q_OK)
		return e;
	must(buf_put_i32(out, m->nonce));
	put_long_span(out, m->pem);
	put_span(out, m->signature);
	return Q_OK;
}

enum qerr
relay_second_key_parse(struct span data, struct relay_key_message *out)
{
	struct reader r = reader_of(data);
	struct relay_key_message m = {0};

	if (take_long_span(&r, &m.pem) != Q_OK || take_span(&r, &m.signature) != Q_OK ||
	    r.left != 0)
		return Q_FORMAT;
	*out = m;
	return Q_OK;
}

enum qerr
relay_second_key_put(struct buf *out, const struct relay_key_message *m)
{
	enum qerr e;

	if ((e = buf_reserve(out, LONG_LEN + m->pem.len + SIZE_LEN + m->signature.len)) !=
	    Q_OK)
		return e;
	put_long_span(out, m->pem);
	put_span(out, m->signature);
	return Q_OK;
}

enum qerr
relay_list_next(struct reader *rest, char name[NAME_SIZE])
{
	struct reader r = *rest;
	struct span entry;

	if (r.left == 0)
		return Q_MISSING;
	if (take_span(&r, &entry) != Q_OK || relay_name_parse(entry, name) != Q_OK)
		return Q_FORMAT;
	*rest = r;
	return Q_OK;
}

enum qerr
relay_list_put(struct buf *out, const char *name, bool with_nul)
{
	struct span entry = span_of(name, strlen(name) + (with_nul ? 1 : 0));
	enum qerr e;

	if ((e = buf_reserve(out, SIZE_LEN + entry.len)) != Q_OK)
		return e;
	put_span(out, entry);
	return Q_OK;
}

enum qerr
relay_peer_parse(struct span data, struct relay_sealed *out)
{
	struct reader r = reader_of(data);
	uint32_t size;

	if (reader_u32(&r, &size) != Q_OK || size != r.left || size < RELAY_SEALED_MIN)
		return Q_FORMAT;
	*out = relay_sealed_parts(reader_rest(&r));
	return Q_OK;
}
