/* SPDX-License-Identifier: MIT
 *
 * What comes from one client goes to others as it was written, so it is looked at but
 * not turned into values: two bytes of text can become a hundred of jansson's.  A level
 * of nesting takes one byte here.
 *
 * An object with a member "_placeholder" that is true stands for an attachment, at any
 * depth; "num" is its number.  Stock peers write those keys without escapes.
 */
#include <string.h>

#include "base/text.h"
#include "protocol/json.h"
#include "protocol/socketio.h"

/* A level. */
enum {
	IS_OBJECT = 1,
	IS_PLACE = 2, /* "_placeholder":true was there */
	HAS_NUM = 4   /* "num" was there, and is one of the attachments */
};

enum key { KEY_OTHER, KEY_PLACE, KEY_NUM };

struct scan {
	struct reader in;
	int attachments;
	enum key key; /* of the value at hand */
	unsigned depth;
	uint8_t level[SIO_DEPTH_MAX];
};

static void
skip_space(struct reader *r)
{
	while (r->left > 0 && memchr(" \t\r\n", r->p[0], 4) != NULL) {
		r->p++;
		r->left--;
	}
}

static bool
take(struct reader *r, uint8_t c)
{
	if (r->left == 0 || r->p[0] != c)
		return false;
	r->p++;
	r->left--;
	return true;
}

static bool
take_word(struct reader *r, const char *word)
{
	size_t n = strlen(word);

	if (r->left < n || memcmp(r->p, word, n) != 0)
		return false;
	r->p += n;
	r->left -= n;
	return true;
}

/* ---- strings ---- */

static bool
take_hex4(struct reader *r, unsigned *out)
{
	uint8_t v[2];
	struct span digits;

	if (reader_take(r, 4, &digits) != Q_OK || hex_decode(digits, v, 2) != Q_OK)
		return false;
	*out = (unsigned)v[0] << 8 | v[1];
	return true;
}

/* Behind "\u". */
static bool
take_escaped(struct reader *r)
{
	unsigned high, low;

	if (!take_hex4(r, &high) || (high >= 0xdc00 && high <= 0xdfff))
		return false;
	if (high < 0xd800 || high > 0xdbff)
		return true;
	return take_word(r, "\\u") && take_hex4(r, &low) && low >= 0xdc00 &&
	       low <= 0xdfff;
}

/* Behind the opening quote; *out is what stands between the quotes. */
static bool
take_string(struct reader *r, struct span *out)
{
	const uint8_t *from = r->p;
	uint8_t c;

	for (;;) {
		size_t plain = json_plain_run(span_of(r->p, r->left));

		r->p += plain;
		r->left -= plain;
		if (reader_u8(r, &c) != Q_OK || c < 0x20)
			return false;
		if (c == '"')
			break;
		if (c != '\\')
			continue;
		if (take(r, 'u')) {
			if (!take_escaped(r))
				return false;
		} else if (reader_u8(r, &c) != Q_OK || c == '\0' ||
			   strchr("\"\\/bfnrt", c) == NULL) {
			return false;
		}
	}
	*out = span_of(from, (size_t)(r->p - from) - 1);
	return true;
}

/* ---- numbers ---- */

static bool
take_digits(struct reader *r)
{
	size_t n = 0;

	while (n < r->left && r->p[n] >= '0' && r->p[n] <= '9')
		n++;
	r->p += n;
	r->left -= n;
	return n > 0;
}

static bool
take_number(struct reader *r)
{
	(void)take(r, '-');
	if (!take(r, '0') && !take_digits(r))
		return false;
	if (take(r, '.') && !take_digits(r))
		return false;
	if (take(r, 'e') || take(r, 'E')) {
		if (!take(r, '+'))
			(void)take(r, '-');
		return take_digits(r);
	}
	return true;
}

/* Is it the number of an attachment? */
static bool
is_index(struct span number, int attachments)
{
	int v = 0;

	if (number.len == 0 || number.len > 3)
		return false;
	for (size_t i = 0; i < number.len; i++) {
		if (number.p[i] < '0' || number.p[i] > '9')
			return false;
		v = v * 10 + (number.p[i] - '0');
	}
	return v < attachments;
}

/* ---- values ---- */

static uint8_t *
top(struct scan *s)
{
	return &s->level[s->depth - 1];
}

/* A string, a number or a word. */
static bool
take_scalar(struct scan *s)
{
	const uint8_t *from = s->in.p;
	struct span inside;

	if (take(&s->in, '"'))
		return take_string(&s->in, &inside);
	if (take_word(&s->in, "true")) {
		if (s->key == KEY_PLACE)
			*top(s) |= IS_PLACE;
		return true;
	}
	if (take_word(&s->in, "false") || take_word(&s->in, "null"))
		return true;
	if (!take_number(&s->in))
		return false;
	if (s->key == KEY_NUM &&
	    is_index(span_of(from, (size_t)(s->in.p - from)), s->attachments))
		*top(s) |= HAS_NUM;
	return true;
}

static bool
take_key(struct scan *s)
{
	struct span name;

	skip_space(&s->in);
	if (!take(&s->in, '"') || !take_string(&s->in, &name))
		return false;
	s->key = span_eq(name, span_str("_placeholder")) ? KEY_PLACE
		 : span_eq(name, span_str("num"))        ? KEY_NUM
							 : KEY_OTHER;
	skip_space(&s->in);
	return take(&s->in, ':');
}

static bool
close_level(struct scan *s)
{
	bool dangling = (*top(s) & IS_PLACE) != 0 && (*top(s) & HAS_NUM) == 0;

	s->depth--;
	return !dangling || s->attachments == SIO_PLACES_IGNORE;
}

enum step { STEP_VALUE, STEP_AFTER, STEP_WRONG };

/* A value, or the beginning of one that holds others. */
static enum step
take_value(struct scan *s)
{
	bool object;

	skip_space(&s->in);
	if (s->in.left == 0)
		return STEP_WRONG;
	object = s->in.p[0] == '{';
	if (!object && s->in.p[0] != '[')
		return take_scalar(s) ? STEP_AFTER : STEP_WRONG;
	if (s->depth == SIO_DEPTH_MAX)
		return STEP_WRONG;
	s->in.p++;
	s->in.left--;
	s->level[s->depth++] = object ? IS_OBJECT : 0;
	s->key = KEY_OTHER;
	skip_space(&s->in);
	if (take(&s->in, object ? '}' : ']')) {
		s->depth--;
		return STEP_AFTER;
	}
	if (object && !take_key(s))
		return STEP_WRONG;
	return STEP_VALUE;
}

/* Behind a value, inside another one. */
static enum step
take_after(struct scan *s)
{
	bool object = (*top(s) & IS_OBJECT) != 0;

	skip_space(&s->in);
	s->key = KEY_OTHER;
	if (take(&s->in, ','))
		return !object || take_key(s) ? STEP_VALUE : STEP_WRONG;
	if (take(&s->in, object ? '}' : ']') && close_level(s))
		return STEP_AFTER;
	return STEP_WRONG;
}

enum qerr
sio_json_check(struct span text, int attachments)
{
	struct scan s = {.attachments = attachments, .key = KEY_OTHER};
	enum step step = STEP_VALUE;

	if (!utf8_valid(text))
		return Q_FORMAT;
	s.in = reader_of(text);
	while (step == STEP_VALUE || (step == STEP_AFTER && s.depth > 0))
		step = step == STEP_VALUE ? take_value(&s) : take_after(&s);
	skip_space(&s.in);
	return step == STEP_AFTER && s.in.left == 0 ? Q_OK : Q_FORMAT;
}

/* ---- placeholders ---- */

#define PLACEHOLDER_MAX 256 /* bytes; stock peers need 29 */

enum qerr
sio_placeholder_get(struct span arg, uint64_t *out)
{
	static const struct json_limits limits = {PLACEHOLDER_MAX, 1, 8};
	json_t *object;
	bool place = false;
	int64_t num = -1;

	if (json_parse(arg, &limits, JSON_TOP_OBJECT, &object, NULL) != Q_OK)
		return Q_MISSING;
	(void)json_get_bool(object, "_placeholder", &place);
	(void)json_get_int(object, "num", &num);
	json_decref(object);
	if (!place || num < 0)
		return Q_MISSING;
	*out = (uint64_t)num;
	return Q_OK;
}
