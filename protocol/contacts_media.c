/* SPDX-License-Identifier: MIT
 *
 * Media is a data URL (RFC 2397): data:[type][;base64],content
 */
#include <string.h>

#include "base/text.h"
#include "protocol/contacts.h"

static bool
is_hex(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Q_FORMAT unless every % has two hex digits behind it and nothing is a control. */
static enum qerr
percent_size(struct span s, size_t *size)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++, n++) {
		if (s.p[i] <= ' ' || s.p[i] == 0x7f)
			return Q_FORMAT;
		if (s.p[i] != '%')
			continue;
		if (s.len - i < 3 || !is_hex(s.p[i + 1]) || !is_hex(s.p[i + 2]))
			return Q_FORMAT;
		i += 2;
	}
	*size = n;
	return Q_OK;
}

static bool
type_valid(struct span type)
{
	if (type.len > CONTACTS_MEDIA_TYPE_MAX)
		return false;
	for (size_t i = 0; i < type.len; i++)
		if (type.p[i] <= ' ' || type.p[i] >= 0x7f || type.p[i] == '"' ||
		    type.p[i] == '\\')
			return false;
	return true;
}

enum qerr
contacts_media_parse(struct span word, struct contacts_media *out)
{
	static const char scheme[] = "data:", base64[] = ";base64";
	const size_t scheme_len = sizeof(scheme) - 1, base64_len = sizeof(base64) - 1;
	struct contacts_media m = {0};
	const uint8_t *comma;
	enum qerr e;

	if (word.len < scheme_len || memcmp(word.p, scheme, scheme_len) != 0 ||
	    (comma = memchr(word.p, ',', word.len)) == NULL)
		return Q_FORMAT;
	m.type.p = word.p + scheme_len;
	m.type.len = (size_t)(comma - m.type.p);
	if (m.type.len >= base64_len &&
	    memcmp(comma - base64_len, base64, base64_len) == 0) {
		m.base64 = true;
		m.type.len -= base64_len;
	}
	m.encoded.p = comma + 1;
	m.encoded.len = word.len - (size_t)(comma + 1 - word.p);
	if (!type_valid(m.type))
		return Q_FORMAT;
	e = m.base64 ? base64_check(m.encoded, &m.size)
		     : percent_size(m.encoded, &m.size);
	if (e != Q_OK)
		return Q_FORMAT;
	if (m.size == 0)
		return Q_LIMIT;
	*out = m;
	return Q_OK;
}

void
contacts_media_decode(const struct contacts_media *m, uint8_t *out)
{
	size_t n;

	if (m->base64) {
		(void)base64_decode(m->encoded, out, &n); /* checked when it was parsed */
		return;
	}
	for (size_t i = 0; i < m->encoded.len; i++) {
		const uint8_t *p = m->encoded.p + i;

		if (*p == '%') {
			(void)hex_decode((struct span){p + 1, 2}, out++, 1);
			i += 2;
		} else {
			*out++ = *p;
		}
	}
}
