/* SPDX-License-Identifier: MIT
 *
 * jansson is strict by itself: whole UTF-8, no lone surrogates, and with the flags used
 * here no U+0000 and no key twice.  What it does not have is a bound on its memory: two
 * bytes of text ("[]") become some hundred of heap, and each level a stack frame.  So
 * one pass over the text counts levels and values first.  That pass knows strings and
 * brackets only; whether they make sense is jansson's to say.
 *
 * Output does not go through jansson: a packet is written as text at once, which needs
 * no tree and cannot run out of memory half-way in more than one place.
 */
#include "protocol/json.h"

#include <assert.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

/* Passwords and tokens are short and stand at the front of the blocks that jansson
 * takes for them (a value, or its buffer for the token it reads), so that there is no
 * need to wipe all of a file's 32 MiB. */
#define WIPE_MAX 4096

/* jansson (2.14) does not look whether its buffer for the current token could grow: it
 * loses characters then, and says that the token is invalid, or not even that.  So
 * this remembers; and when there was no memory once, the rest of that text gets none,
 * rather than ask the kernel again for each character. */
static _Thread_local bool parsing, short_of_memory;

static void *
noting_malloc(size_t n)
{
	void *p = parsing && short_of_memory ? NULL : malloc(n);

	if (p == NULL)
		short_of_memory = true;
	return p;
}

static void
wiping_free(void *p)
{
	size_t n;

	if (p == NULL)
		return;
	n = malloc_usable_size(p);
	explicit_bzero(p, n < WIPE_MAX ? n : WIPE_MAX);
	free(p);
}

void
json_start(uint32_t seed)
{
	json_set_alloc_funcs(noting_malloc, wiping_free);
	json_object_seed(seed); /* 0 lets jansson choose */
}

/* ---- parsing ---- */

/* Step over the string whose opening quote was at p[-1]; returns what follows it, or
 * end. */
static const uint8_t *
skip_string(const uint8_t *p, const uint8_t *end)
{
	for (; p < end; p++) {
		if (*p == '"')
			return p + 1;
		if (*p == '\\' && end - p > 1)
			p++;
	}
	return end;
}

static enum qerr
check_limits(struct span text, const struct json_limits *limits, struct why *why)
{
	const uint8_t *p = text.p, *end = p + text.len;
	unsigned depth = 0, values = 1;

	while (p < end) {
		switch (*p++) {
		case '"': p = skip_string(p, end); continue;
		case '{':
		case '[':
			if (depth++ == limits->depth)
				return why_set(why, Q_LIMIT, "JSON is nested too deeply");
			break;
		case '}':
		case ']':
			if (depth == 0)
				return why_set(why, Q_FORMAT, "this is no JSON");
			depth--;
			continue;
		case ',': break;
		case '\0': /* jansson loses one that follows a word */
			return why_set(why, Q_FORMAT, "this is no JSON");
		default: continue;
		}
		if (values++ == limits->values)
			return why_set(why, Q_LIMIT, "JSON has too many values");
	}
	return Q_OK;
}

/* Not jansson's own text, which quotes what stands near: it might be a password. */
static enum qerr
refuse(const json_error_t *error, bool no_memory, struct why *why)
{
	if (no_memory || error->text[0] == '\0') /* it says nothing else then */
		return why_set(why, Q_NOMEM, "there is no memory");
	switch (json_error_code(error)) {
	case json_error_duplicate_key:
		return why_set(why, Q_FORMAT, "a key stands twice in one JSON object");
	case json_error_null_character:
	case json_error_null_byte_in_key:
		return why_set(why, Q_FORMAT, "JSON text holds U+0000");
	case json_error_invalid_utf8:
		return why_set(why, Q_FORMAT, "JSON text is not UTF-8");
	case json_error_numeric_overflow:
		return why_set(why, Q_FORMAT, "a JSON number is too large");
	default:
		return why_set(why, Q_FORMAT, "this is no JSON (byte %d)",
			       error->position);
	}
}

enum qerr
json_parse(struct span text, const struct json_limits *limits, enum json_top top,
	   json_t **out, struct why *why)
{
	json_error_t error = {0};
	bool no_memory;
	json_t *v;
	enum qerr e;

	if (text.len > limits->size)
		return why_set(why, Q_LIMIT, "JSON is longer than %zu bytes",
			       limits->size);
	if (text.len == 0)
		return why_set(why, Q_FORMAT, "this is no JSON");
	if ((e = check_limits(text, limits, why)) != Q_OK)
		return e;
	parsing = true;
	short_of_memory = false;
	v = json_loadb((const char *)text.p, text.len,
		       JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	parsing = false;
	no_memory = short_of_memory;
	if (v == NULL || no_memory) {
		json_decref(v);
		return refuse(&error, no_memory, why);
	}
	if (top == JSON_TOP_OBJECT && !json_is_object(v)) {
		json_decref(v);
		return why_set(why, Q_FORMAT, "this is no JSON object");
	}
	*out = v;
	return Q_OK;
}

/* ---- reading ---- */

static enum json_is
look(const json_t *object, const char *key, bool (*fits)(const json_t *),
     const json_t **out)
{
	const json_t *v = json_object_get(object, key);

	if (v == NULL)
		return JSON_IS_ABSENT;
	if (json_is_null(v))
		return JSON_IS_NULL;
	if (!fits(v))
		return JSON_IS_OTHER;
	*out = v;
	return JSON_IS_THERE;
}

static bool
is_text(const json_t *v)
{
	return json_is_string(v);
}

static bool
is_int(const json_t *v)
{
	return json_is_integer(v);
}

static bool
is_bool(const json_t *v)
{
	return json_is_boolean(v);
}

static bool
is_object(const json_t *v)
{
	return json_is_object(v);
}

static bool
is_array(const json_t *v)
{
	return json_is_array(v);
}

enum json_is
json_get_text(const json_t *object, const char *key, struct span *out)
{
	const json_t *v;
	enum json_is is = look(object, key, is_text, &v);

	if (is == JSON_IS_THERE)
		*out = json_text(v);
	return is;
}

enum json_is
json_get_int(const json_t *object, const char *key, int64_t *out)
{
	const json_t *v;
	enum json_is is = look(object, key, is_int, &v);

	if (is == JSON_IS_THERE)
		*out = json_integer_value(v);
	return is;
}

enum json_is
json_get_bool(const json_t *object, const char *key, bool *out)
{
	const json_t *v;
	enum json_is is = look(object, key, is_bool, &v);

	if (is == JSON_IS_THERE)
		*out = json_is_true(v);
	return is;
}

enum json_is
json_get_object(const json_t *object, const char *key, const json_t **out)
{
	return look(object, key, is_object, out);
}

enum json_is
json_get_array(const json_t *object, const char *key, const json_t **out)
{
	return look(object, key, is_array, out);
}

struct span
json_text(const json_t *string)
{
	assert(json_is_string(string));
	return span_of(json_string_value(string), json_string_length(string));
}

/* ---- writing ---- */

/* Has one of eight bytes to be escaped?  The usual tests for a byte below n and for a
 * byte that is zero; a false alarm only costs time, and none can be missed. */
#define ONES            UINT64_C(0x0101010101010101)
#define HIGHS           UINT64_C(0x8080808080808080)
#define ANY_BELOW(v, n) (((v)-ONES * (n)) & ~(v)&HIGHS)
#define ANY_IS(v, c)    ANY_BELOW((v) ^ (ONES * (c)), 1)

static bool
plain(uint8_t c)
{
	return c >= 0x20 && c != '"' && c != '\\';
}

size_t
json_plain_run(struct span s)
{
	size_t n = 0;
	uint64_t v;

	for (; s.len - n >= sizeof(v); n += sizeof(v)) {
		memcpy(&v, s.p + n, sizeof(v));
		if ((ANY_BELOW(v, 0x20) | ANY_IS(v, '"') | ANY_IS(v, '\\')) != 0)
			break;
	}
	while (n < s.len && plain(s.p[n]))
		n++;
	return n;
}

static enum qerr
put_escape(struct buf *out, uint8_t c)
{
	static const char letters[] = "\bb\ff\nn\rr\tt\"\"\\\\";

	for (const char *l = letters; *l != '\0'; l += 2) {
		char two[2] = {'\\', l[1]};

		if (*l == c)
			return buf_put(out, two, sizeof(two));
	}
	return buf_printf(out, "\\u%04x", (unsigned)c);
}

enum qerr
json_put_text(struct buf *out, struct span text)
{
	size_t before = out->len, n;
	enum qerr e;

	/* At once, so that a long text without escapes is copied once; the quotes
	 * cannot make the sum wrap, as text lies in memory. */
	if ((e = buf_reserve(out, text.len + 2)) != Q_OK)
		return e;
	(void)buf_put_u8(out, '"');
	while (e == Q_OK && text.len > 0) {
		n = json_plain_run(text);
		e = buf_put(out, text.p, n);
		text.p += n;
		text.len -= n;
		if (e == Q_OK && text.len > 0) {
			e = put_escape(out, *text.p++);
			text.len--;
		}
	}
	if (e == Q_OK)
		e = buf_put_u8(out, '"');
	if (e != Q_OK)
		out->len = before;
	return e;
}

enum qerr
json_put_text_or_null(struct buf *out, struct span text)
{
	return text.p == NULL ? buf_put_str(out, "null") : json_put_text(out, text);
}

enum qerr
json_put_int(struct buf *out, int64_t n)
{
	char digits[24], *at = digits + sizeof(digits);
	uint64_t v = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;

	/* By hand: every message has several, and printf costs more than all of its JSON. */
	do
		*--at = (char)('0' + v % 10);
	while ((v /= 10) > 0);
	if (n < 0)
		*--at = '-';
	return buf_put(out, at, (size_t)(digits + sizeof(digits) - at));
}

enum qerr
json_put_bool(struct buf *out, bool b)
{
	return buf_put_str(out, b ? "true" : "false");
}

struct sink {
	struct buf *out;
	enum qerr e;
};

static int
to_buf(const char *p, size_t n, void *data)
{
	struct sink *s = data;

	s->e = buf_put(s->out, p, n);
	return s->e == Q_OK ? 0 : -1;
}

enum qerr
json_put_value(struct buf *out, const json_t *value)
{
	struct sink s = {out, Q_OK};
	size_t before = out->len;

	if (json_dump_callback(value, to_buf, &s, JSON_COMPACT | JSON_ENCODE_ANY) == 0)
		return Q_OK;
	out->len = before;
	return s.e != Q_OK ? s.e : Q_NOMEM;
}
