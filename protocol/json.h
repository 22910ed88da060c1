/* SPDX-License-Identifier: MIT
 *
 * json.h - strict JSON (RFC 8259) over jansson: what a peer may send is bounded
 * before jansson sees it, values are read by type, and text is written straight into
 * a buffer.  Used by rooms and by board.
 *
 * A parsed value is a json_t of jansson's: json_decref it.  Strings are borrowed from
 * it and end with a NUL; they never hold one (U+0000 is refused).  The members of an
 * object keep their order.  Functions json_get_* and json_put_* are ours, other
 * json_* are jansson's.  Any thread; one value belongs to one thread at a time.
 */
#ifndef PROTOCOL_JSON_H
#define PROTOCOL_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/bytes.h"

/* Once, before any other thread runs: seed is a random number (it keeps the order of
 * jansson's hash tables from being guessed), memory that jansson frees is wiped, since
 * passwords and tokens pass through it, and json_parse notices whenever there
 * was no memory (without, jansson may take a string for bad text then, or cut it). */
void json_start(uint32_t seed);

struct json_limits {
	size_t size;     /* bytes of text */
	unsigned depth;  /* nested arrays and objects; the outermost is 1 */
	unsigned values; /* arrays, objects, members and elements together: each costs
			  * memory many times its text */
};

enum json_top { JSON_TOP_OBJECT, JSON_TOP_ANY };

/* Parse all of text.  Q_FORMAT: no JSON, invalid UTF-8, a lone surrogate, U+0000, a
 * key twice in one object, a number beyond int64 or double, anything after the value,
 * top is JSON_TOP_OBJECT and it is none; Q_LIMIT; Q_NOMEM.  why (may be NULL) says
 * which. */
enum qerr json_parse(struct span text, const struct json_limits *limits,
		     enum json_top top, json_t **out, struct why *why);

/* ---- reading ---- */
enum json_is {
	JSON_IS_THERE,  /* the output is set */
	JSON_IS_ABSENT, /* no such member */
	JSON_IS_NULL,
	JSON_IS_OTHER /* of another type */
};

/* The member of an object; outputs are set at JSON_IS_THERE alone. */
enum json_is json_get_text(const json_t *object, const char *key, struct span *out);
enum json_is json_get_int(const json_t *object, const char *key, int64_t *out);
enum json_is json_get_bool(const json_t *object, const char *key, bool *out);
enum json_is json_get_object(const json_t *object, const char *key, const json_t **out);
enum json_is json_get_array(const json_t *object, const char *key, const json_t **out);
/* A string value as a span; asserts that it is one. */
struct span json_text(const json_t *string);

/* ---- writing ---- */
/* A string in quotes.  Only '"', '\\' and controls are escaped (\b \f \n \r \t, else
 * \u00XX), as JavaScript does.  text is valid UTF-8 (asserted in no build: what comes
 * from outside has been parsed or checked before).  Q_LIMIT, Q_NOMEM: nothing is
 * appended. */
enum qerr json_put_text(struct buf *out, struct span text);
/* The same with a NULL p written as null. */
enum qerr json_put_text_or_null(struct buf *out, struct span text);
/* How many bytes at the front of s stand for themselves in a string: no quote, backslash
 * or control character is among them. */
size_t json_plain_run(struct span s);
enum qerr json_put_int(struct buf *out, int64_t n);
enum qerr json_put_bool(struct buf *out, bool b);
/* A parsed value, compact, members in their order. */
enum qerr json_put_value(struct buf *out, const json_t *value);

#endif
