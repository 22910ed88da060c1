/* SPDX-License-Identifier: MIT */
#include "protocol/relay_file.h"

#include <string.h>

#define FIRST_LEN (4 + 8 + RELAY_FILE_HASH_LEN)
#define PART_LEN  4
#define WORD_LEN  (4 + 1)

enum qerr
relay_file_first_parse(struct span data, struct relay_file_first *out)
{
	struct reader r = reader_of(data);
	struct relay_file_first m;
	struct span hash;
	int64_t size;

	if (reader_u32(&r, &m.id) != Q_OK || reader_i64(&r, &size) != Q_OK ||
	    reader_take(&r, RELAY_FILE_HASH_LEN, &hash) != Q_OK || size < 0 ||
	    r.left > RELAY_FILE_NAME_MAX)
		return Q_FORMAT;
	m.size = (uint64_t)size;
	memcpy(m.hash, hash.p, hash.len);
	m.name = reader_rest(&r);
	*out = m;
	return Q_OK;
}

enum qerr
relay_file_part_parse(struct span data, struct relay_file_part *out)
{
	struct reader r = reader_of(data);
	struct relay_file_part m;

	if (reader_u32(&r, &m.id) != Q_OK || r.left > RELAY_FILE_CHUNK)
		return Q_FORMAT;
	m.bytes = reader_rest(&r);
	*out = m;
	return Q_OK;
}

enum qerr
relay_file_word_parse(struct span data, struct relay_file_word *out)
{
	struct reader r = reader_of(data);
	struct relay_file_word m;
	uint8_t says;

	if (reader_u32(&r, &m.id) != Q_OK || reader_u8(&r, &says) != Q_OK ||
	    says < RELAY_FILE_ACCEPT || says > RELAY_FILE_WITHDRAW ||
	    r.left > RELAY_FILE_REASON_MAX)
		return Q_FORMAT;
	m.says = (enum relay_file_says)says;
	m.reason = reader_rest(&r);
	*out = m;
	return Q_OK;
}

/* Each reserves all that it puts, so that nothing behind the reserve can fail. */

enum qerr
relay_file_first_put(struct buf *out, const struct relay_file_first *m)
{
	enum qerr e;

	if (m->size > INT64_MAX || m->name.len > RELAY_FILE_NAME_MAX)
		return Q_LIMIT;
	if ((e = buf_reserve(out, FIRST_LEN + m->name.len)) != Q_OK)
		return e;
	(void)buf_put_u32(out, m->id);
	(void)buf_put_i64(out, (int64_t)m->size);
	(void)buf_put(out, m->hash, sizeof(m->hash));
	(void)buf_put_span(out, m->name);
	return Q_OK;
}

enum qerr
relay_file_part_put(struct buf *out, const struct relay_file_part *m)
{
	enum qerr e;

	if (m->bytes.len > RELAY_FILE_CHUNK)
		return Q_LIMIT;
	if ((e = buf_reserve(out, PART_LEN + m->bytes.len)) != Q_OK)
		return e;
	(void)buf_put_u32(out, m->id);
	(void)buf_put_span(out, m->bytes);
	return Q_OK;
}

enum qerr
relay_file_word_put(struct buf *out, const struct relay_file_word *m)
{
	enum qerr e;

	if (m->reason.len > RELAY_FILE_REASON_MAX)
		return Q_LIMIT;
	if ((e = buf_reserve(out, WORD_LEN + m->reason.len)) != Q_OK)
		return e;
	(void)buf_put_u32(out, m->id);
	(void)buf_put_u8(out, (uint8_t)m->says);
	(void)buf_put_span(out, m->reason);
	return Q_OK;
}
