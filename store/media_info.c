/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <libdeflate.h>

#include "base/text.h"
#include "store/decimal.h"
#include "store/fields.h"
#include "store/media_priv.h"

#define VERSION_KEY "quintet-media"
#define CRC_DIGITS  8

enum qerr
media_digest(struct span content, struct media_record *m)
{
	m->crc = libdeflate_crc32(0, content.p, content.len);
	return sha256(&content, 1, m->hash);
}

enum qerr
media_encode(const struct media_record *m, struct buf *out)
{
	const struct media_info *i = &m->info;
	char hash[HEX_LEN(SHA256_LEN) + 1];
	size_t before = out->len;
	enum qerr e;

	if (i->chat == 0 || i->size == 0 || i->size > MEDIA_SIZE_MAX)
		return Q_FORMAT;
	hex_encode(span_of(m->hash, sizeof(m->hash)), hash);
	if ((e = buf_printf(out, VERSION_KEY ": 1\nchat: %" PRIu64 "\n", i->chat)) ==
		Q_OK &&
	    (e = fields_put(out, "type", span_str(i->type))) == Q_OK &&
	    (e = fields_put(out, "name", span_str(i->name))) == Q_OK &&
	    (e = fields_put(out, "kind", span_str(i->kind))) == Q_OK &&
	    (e = buf_printf(out, "size: %" PRIu64 "\ncrc32: %08" PRIx32 "\nsha256: %s\n",
			    i->size, m->crc, hash)) == Q_OK)
		e = fields_put_check(out, before);
	if (e != Q_OK)
		out->len = before;
	return e;
}

static enum qerr
take_hex(struct reader *in, const char *key, uint8_t *out, size_t len)
{
	struct span s;

	if (fields_take(in, key, &s) != Q_OK)
		return Q_FORMAT;
	return hex_decode(s, out, len);
}

enum qerr
media_decode(struct span text, struct media_record *out)
{
	struct media_record m;
	struct reader in;
	uint64_t version;
	uint8_t crc[4];
	enum qerr e;

	memset(&m, 0, sizeof(m));
	if (fields_open(text, &in) != Q_OK ||
	    fields_take_number(&in, VERSION_KEY, 1, &version) != Q_OK || version != 1 ||
	    fields_take_number(&in, "chat", INT64_MAX, &m.info.chat) != Q_OK ||
	    m.info.chat == 0)
		return Q_FORMAT;
	if ((e = fields_take_text(&in, "type", m.info.type, MEDIA_TYPE_MAX)) != Q_OK ||
	    (e = fields_take_text(&in, "name", m.info.name, MEDIA_NAME_MAX)) != Q_OK ||
	    (e = fields_take_text(&in, "kind", m.info.kind, MEDIA_KIND_MAX)) != Q_OK)
		return e;
	if (fields_take_number(&in, "size", MEDIA_SIZE_MAX, &m.info.size) != Q_OK ||
	    m.info.size == 0 || take_hex(&in, "crc32", crc, sizeof(crc)) != Q_OK ||
	    take_hex(&in, "sha256", m.hash, sizeof(m.hash)) != Q_OK || in.left > 0)
		return Q_FORMAT;
	m.crc = (uint32_t)crc[0] << 24 | (uint32_t)crc[1] << 16 | (uint32_t)crc[2] << 8 |
		crc[3];
	*out = m;
	return Q_OK;
}

void
media_file(uint64_t id, const char *suffix, char out[MEDIA_FILE_SIZE])
{
	snprintf(out, MEDIA_FILE_SIZE, "%" PRIu64 "%s", id, suffix);
}

enum qerr
media_file_parse(const char *name, uint64_t *id, enum media_part *part)
{
	static const char *const suffixes[] = {
	    [MEDIA_BYTES] = "", [MEDIA_INFO] = MEDIA_SUFFIX, [MEDIA_THUMB] = MEDIA_SMALL};
	size_t digits = strspn(name, "0123456789");
	uint64_t n;

	if (decimal_read(span_of(name, digits), INT64_MAX, &n) != Q_OK || n == 0)
		return Q_FORMAT;
	for (unsigned i = 0; i < MEDIA_PARTS; i++) {
		if (strcmp(name + digits, suffixes[i]) != 0)
			continue;
		*id = n;
		*part = (enum media_part)i;
		return Q_OK;
	}
	return Q_FORMAT;
}
