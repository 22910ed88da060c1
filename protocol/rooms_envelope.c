/* SPDX-License-Identifier: MIT
 *
 * Every packet passes here twice, so both directions stay in one block of memory:
 *
 *   sealing   | head | ........ | ct tag | tail |     ct and tag lie at the end of the
 *             | head | base64 of both    | tail |     place of their base64
 *
 * base64 goes forward and is longer than what it is made of, but never so much that it
 * would write over bytes which it has not read: after 3k bytes it has written 4k, and
 * what it reads next lies at ceil(n/3)*4 - n + 3k >= 4k.
 *
 * Reading, a short scanner takes the two members in either order and with JSON's white
 * space, which is what every JSON library writes.  Anything odder (escapes, further
 * members) goes through jansson.
 */
#include "protocol/rooms_envelope.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "protocol/json.h"
#include "protocol/rooms.h"

#define IV_TEXT BASE64_LEN((size_t)ROOMS_IV_LEN)

static const char iv_head[] = "{\"iv\":\"";
static const char ct_head[] = "\",\"ciphertext\":\"";
static const char tail[] = "\"}";

/* ---- writing ---- */

uint8_t *
rooms_envelope_inside(uint8_t *place, size_t len)
{
	size_t n = len + ROOMS_TAG_LEN;

	return place + ROOMS_ENVELOPE_HEAD + BASE64_LEN(n) - n;
}

void
rooms_envelope_wrap(uint8_t *place, size_t len, const uint8_t iv[ROOMS_IV_LEN])
{
	struct span inside =
	    span_of(rooms_envelope_inside(place, len), len + ROOMS_TAG_LEN);
	char *p = (char *)place;

	static_assert(ROOMS_ENVELOPE_HEAD ==
			  sizeof(iv_head) - 1 + IV_TEXT + sizeof(ct_head) - 1,
		      "what the header says");
	memcpy(p, iv_head, sizeof(iv_head) - 1);
	p += sizeof(iv_head) - 1;
	p += base64_encode(span_of(iv, ROOMS_IV_LEN), p);
	memcpy(p, ct_head, sizeof(ct_head) - 1);
	p += sizeof(ct_head) - 1;
	p += base64_encode(inside, p);
	memcpy(p, tail, sizeof(tail) - 1);
}

/* ---- reading ---- */

struct texts {
	struct span iv, ct;
};

static void
skip_space(struct reader *in)
{
	while (in->left > 0 &&
	       (*in->p == ' ' || *in->p == '\t' || *in->p == '\n' || *in->p == '\r')) {
		in->p++;
		in->left--;
	}
}

static bool
skip_char(struct reader *in, uint8_t c)
{
	uint8_t first;

	skip_space(in);
	return reader_u8(in, &first) == Q_OK && first == c;
}

/* A string without escapes. */
static bool
take_string(struct reader *in, struct span *out)
{
	struct span quote;
	const uint8_t *end;

	if (!skip_char(in, '"') || in->left == 0 ||
	    (end = memchr(in->p, '"', in->left)) == NULL)
		return false;
	(void)reader_take(in, (size_t)(end - in->p), out);
	(void)reader_take(in, 1, &quote);
	return true;
}

/* False: not that simple, jansson has to look.  Base64 holds neither backslashes nor
 * control characters, so they need no check here: decoding refuses them. */
static bool
scan(struct span text, struct texts *out)
{
	struct reader in = reader_of(text);
	struct span key, value;
	unsigned have = 0;

	for (int i = 0; i < 2; i++) {
		if (!skip_char(&in, i == 0 ? '{' : ',') || !take_string(&in, &key) ||
		    !skip_char(&in, ':') || !take_string(&in, &value))
			return false;
		if (span_eq(key, span_str("iv"))) {
			out->iv = value;
			have |= 1;
		} else if (span_eq(key, span_str("ciphertext"))) {
			out->ct = value;
			have |= 2;
		}
		if (memchr(value.p, '\\', value.len) != NULL)
			return false;
	}
	if (have != 3 || !skip_char(&in, '}'))
		return false;
	skip_space(&in);
	return in.left == 0;
}

/* What both ways share; ct may lie in text or elsewhere. */
static enum qerr
decode(const struct texts *t, uint8_t *text, uint8_t iv[ROOMS_IV_LEN], size_t *ct_len)
{
	uint8_t raw[ROOMS_IV_LEN];
	size_t n;

	if (t->iv.len != IV_TEXT || base64_decode(t->iv, raw, &n) != Q_OK ||
	    n != sizeof(raw))
		return Q_FORMAT;
	if (base64_decode(t->ct, text, &n) != Q_OK || n < ROOMS_TAG_LEN)
		return Q_FORMAT;
	memcpy(iv, raw, sizeof(raw));
	*ct_len = n;
	return Q_OK;
}

static enum qerr
parse(uint8_t *text, size_t len, uint8_t iv[ROOMS_IV_LEN], size_t *ct_len)
{
	const struct json_limits limits = {SIZE_MAX, ROOMS_DEPTH_MAX, ROOMS_VALUES_MAX};
	struct texts t;
	json_t *doc;
	enum qerr e;

	e = json_parse(span_of(text, len), &limits, JSON_TOP_OBJECT, &doc, NULL);
	if (e != Q_OK)
		return e == Q_NOMEM ? e : Q_FORMAT;
	if (json_get_text(doc, "iv", &t.iv) == JSON_IS_THERE &&
	    json_get_text(doc, "ciphertext", &t.ct) == JSON_IS_THERE)
		e = decode(&t, text, iv, ct_len);
	else
		e = Q_FORMAT;
	json_decref(doc);
	return e;
}

enum qerr
rooms_envelope_unwrap(uint8_t *text, size_t len, uint8_t iv[ROOMS_IV_LEN], size_t *ct_len)
{
	struct texts t;

	if (scan(span_of(text, len), &t))
		return decode(&t, text, iv, ct_len);
	return parse(text, len, iv, ct_len);
}
