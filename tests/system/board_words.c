/* SPDX-License-Identifier: MIT
 *
 * What stands in a step is turned into JSON in which the signs of the transcript are
 * strings that begin with a control character, which no test sends otherwise.
 */
#define BOARD_PEER_INSIDE
#include "tests/system/board_words.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECENT_MS (10 * 60 * 1000)
#define TEXT_MAX  (8 << 20)

enum sign { SIGN_VALUE = 1, SIGN_TIME, SIGN_BLOB, SIGN_ANY, SIGN_REST };

/* ---- names of values ---- */

static struct board_word *
named(struct board_words *w, const char *name)
{
	for (size_t i = 0; i < w->count; i++)
		if (strcmp(w->all[i].name, name) == 0)
			return &w->all[i];
	return NULL;
}

static struct board_word *
name_new(struct board_words *w, const char *name)
{
	struct board_word *n = &w->all[w->count++];

	ck_assert_uint_le(w->count, WORDS_MAX);
	snprintf(n->name, sizeof(n->name), "%s", name);
	n->blob = (struct buf)BUF_INIT(64 << 20);
	return n;
}

void
board_words_blob(struct board_words *w, const char *name, struct span bytes)
{
	char word[WORD_SIZE];

	snprintf(word, sizeof(word), "@%s", name);
	ck_assert_int_eq(buf_put_span(&name_new(w, word)->blob, bytes), Q_OK);
}

const char *
board_words_value(struct board_words *w, const char *name)
{
	static char text[65536];
	struct board_word *n = named(w, name);
	char *dump;

	if (n == NULL || n->value == NULL)
		harness_fail("\"%s\": $%s stands for nothing", w->step, name);
	dump = json_dumps(n->value, JSON_ENCODE_ANY | JSON_COMPACT);
	ck_assert_ptr_nonnull(dump);
	snprintf(text, sizeof(text), "%s", dump);
	free(dump);
	return text;
}

void
board_words_free(struct board_words *w)
{
	for (size_t i = 0; i < w->count; i++) {
		json_decref(w->all[i].value);
		buf_free(&w->all[i].blob);
	}
}

/* ---- from the transcript to JSON ---- */

size_t
board_word_length(const char *at)
{
	size_t n = 0;

	while (isalnum((unsigned char)at[n]) || at[n] == '_')
		n++;
	return n;
}

/* Write what the sign at `at` stands for; the length that was read, 0: it is none. */
static size_t
put_sign(struct buf *out, const char *at)
{
	static const char signs[] = "$#@";
	const char *sign = strchr(signs, *at);
	size_t n = board_word_length(at + 1);

	if (*at != '\0' && sign != NULL && n > 0) {
		ck_assert_int_eq(buf_printf(out, "\"\\u000%d%.*s\"",
					    SIGN_VALUE + (int)(sign - signs), (int)n,
					    at + 1),
				 Q_OK);
		return n + 1;
	}
	if (*at == '*') {
		ck_assert_int_eq(buf_printf(out, "\"\\u000%d\"", SIGN_ANY), Q_OK);
		return 1;
	}
	if (strncmp(at, "...", 3) == 0) {
		ck_assert_int_eq(buf_printf(out, "\"\\u000%d\"", SIGN_REST), Q_OK);
		return 3;
	}
	return 0;
}

json_t *
board_words_parse(struct board_words *w, const char *args)
{
	struct buf text = BUF_INIT(TEXT_MAX);
	json_t *json;
	bool quoted = false;

	ck_assert_int_eq(buf_put_u8(&text, '['), Q_OK);
	while (*args != '\0') {
		size_t n = quoted ? 0 : put_sign(&text, args);

		if (n == 0 && *args == '\\') {
			ck_assert_int_eq(buf_put(&text, args, 2), Q_OK);
			n = 2;
		} else if (n == 0) {
			quoted ^= *args == '\'';
			ck_assert_int_eq(
			    buf_put_u8(&text, *args == '\'' ? '"' : (uint8_t)*args),
			    Q_OK);
			n = 1;
		}
		args += n;
	}
	ck_assert_int_eq(buf_put_u8(&text, ']'), Q_OK);
	json = json_loadb((char *)text.p, text.len, JSON_ALLOW_NUL, NULL);
	if (json == NULL)
		harness_fail("\"%s\": no JSON: %.*s", w->step, (int)text.len,
			     (char *)text.p);
	buf_free(&text);
	return json;
}

static enum sign
sign_of(const json_t *v)
{
	const char *text = json_string_value(v);

	return text != NULL && *text >= SIGN_VALUE && *text <= SIGN_REST
		   ? (enum sign) * text
		   : 0;
}

/* ---- comparing ---- */

static bool
same_value(struct board_words *w, const json_t *want, json_t *got)
{
	const char *name = json_string_value(want) + 1;
	struct board_word *n = named(w, name);
	int64_t age;

	if (n != NULL)
		return json_equal(n->value, got);
	age = clock_wall_ms() - json_integer_value(got);
	if (sign_of(want) == SIGN_TIME && (age < -RECENT_MS || age > RECENT_MS))
		return false;
	name_new(w, name)->value = json_incref(got);
	return true;
}

/* A placeholder, whose attachment is read here. */
static bool
same_blob(struct board_words *w, const json_t *want, const json_t *got,
	  struct board_peer *p)
{
	char word[WORD_SIZE];
	struct board_word *n;
	struct span blob;

	snprintf(word, sizeof(word), "@%s", json_string_value(want) + 1);
	n = named(w, word);
	if (n == NULL)
		harness_fail("\"%s\": there is no %s", w->step, word);
	if (!json_is_true(json_object_get(got, "_placeholder")))
		return false;
	blob = board_next_blob(p);
	if (!span_eq(blob, buf_span(&n->blob)))
		harness_fail("\"%s\": the attachment is another one, of %zu bytes",
			     w->step, blob.len);
	return true;
}

static bool
same_array(struct board_words *w, const json_t *want, json_t *got, struct board_peer *p)
{
	size_t n = json_array_size(want);

	if (n > 0 && sign_of(json_array_get(want, n - 1)) == SIGN_REST)
		n--;
	else if (json_array_size(got) != n)
		return false;
	if (json_array_size(got) < n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!board_words_match(w, json_array_get(want, i), json_array_get(got, i),
				       p))
			return false;
	return true;
}

bool
board_words_match(struct board_words *w, const json_t *want, json_t *got,
		  struct board_peer *p)
{
	void *at;

	switch (sign_of(want)) {
	case SIGN_VALUE:
	case SIGN_TIME: return same_value(w, want, got);
	case SIGN_BLOB: return same_blob(w, want, got, p);
	case SIGN_ANY: return true;
	default: break;
	}
	if (json_is_array(want))
		return json_is_array(got) && same_array(w, want, got, p);
	if (!json_is_object(want))
		return json_equal(want, got);
	for (at = json_object_iter((json_t *)(uintptr_t)want); at != NULL;
	     at = json_object_iter_next((json_t *)(uintptr_t)want, at)) {
		json_t *v = json_object_get(got, json_object_iter_key(at));

		if (v == NULL || !board_words_match(w, json_object_iter_value(at), v, p))
			return false;
	}
	return json_is_object(got);
}

/* ---- filling in ---- */

/* Put values in the place of their names. */
json_t *
board_words_fill(struct board_words *w, json_t *v, struct span *blob)
{
	const char *text = json_string_value(v);
	char word[WORD_SIZE];
	json_t *member;
	const char *key;
	struct board_word *n;
	size_t i;

	if (sign_of(v) == SIGN_BLOB) {
		snprintf(word, sizeof(word), "@%s", text + 1);
		ck_assert_ptr_nonnull(n = named(w, word));
		*blob = buf_span(&n->blob);
		return json_pack("{s:b,s:i}", "_placeholder", 1, "num", 0);
	}
	if (sign_of(v) != 0) {
		if ((n = named(w, text + 1)) == NULL)
			harness_fail("\"%s\": %s stands for nothing", w->step, text + 1);
		return json_incref(n->value);
	}
	if (json_is_array(v))
		json_array_foreach(v, i, member)
		    json_array_set_new(v, i, board_words_fill(w, member, blob));
	else if (json_is_object(v))
		json_object_foreach(v, key, member)
		    json_object_set_new(v, key, board_words_fill(w, member, blob));
	return json_incref(v);
}
