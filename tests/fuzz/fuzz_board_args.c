/* SPDX-License-Identifier: MIT
 *
 * Arguments of board's events, taken without a parser, against jansson, which has parsed
 * the same text as a tree.
 */
#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "server/board/account.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DEPTH 8

/* Nested at most that deep, and without U+0000? */
static bool
is_plain(const json_t *v, unsigned depth)
{
	json_t *member;
	const char *key;
	size_t i;

	if (json_is_string(v))
		return strlen(json_string_value(v)) == json_string_length(v);
	if ((json_is_array(v) || json_is_object(v)) && depth == 0)
		return false;
	if (json_is_array(v))
		json_array_foreach(v, i,
				   member) if (!is_plain(member, depth - 1)) return false;
	if (json_is_object(v))
		json_object_foreach(
		    (json_t *)(uintptr_t)v, key,
		    member) if (!is_plain(member, depth - 1)) return false;
	return true;
}

/* What the operations take is what the tree has. */
static void
compare(struct board_call *call, const json_t *args)
{
	struct span text;
	uint64_t id;

	for (size_t i = 0; i < json_array_size(args); i++) {
		const json_t *want = json_array_get(args, i);

		assert(board_arg_more(call));
		if (board_arg_id(call, &id)) {
			assert(json_is_integer(want));
			assert(json_integer_value(want) == (json_int_t)id);
		} else if (board_arg_text(call, &text)) {
			assert(json_is_string(want));
			assert(span_eq(text, span_of(json_string_value(want),
						     json_string_length(want))));
		} else {
			/* A text is missed only where too many have escapes. */
			assert(!json_is_string(want) ||
			       call->text_count == BOARD_TEXTS_MAX);
			assert(sio_args_next(&call->rest, &text) == Q_OK);
		}
	}
	assert(!board_arg_more(call));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span json = span_of(data, size), inside;
	struct sio_call sio = {.space = 0};
	struct board_call call = {.sio = &sio};
	static bool started;
	json_t *tree;

	if (!started)
		json_start(1);
	started = true;
	if (sio_json_check(json, SIO_PLACES_IGNORE) != Q_OK ||
	    sio_args_begin(json, &call.rest) != Q_OK)
		return 0;
	/* Behind the bracket, up to the one that closes. */
	inside = span_of(call.rest.rest.p, call.rest.rest.left);
	while (inside.p[inside.len - 1] != ']')
		inside.len--;
	inside.len--;
	/* jansson refuses some numbers, names with U+0000 and what is nested very deep. */
	tree = json_loadb((const char *)data, size,
			  JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
	if (tree != NULL) {
		assert((board_args_check(inside) == Q_OK) == is_plain(tree, DEPTH + 1));
		if (is_plain(tree, DEPTH + 1))
			compare(&call, tree);
	} else {
		(void)board_args_check(inside);
	}
	for (unsigned i = 0; i < call.text_count; i++)
		json_decref(call.texts[i]);
	json_decref(tree);
	return 0;
}
