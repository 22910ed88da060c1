/* SPDX-License-Identifier: MIT
 *
 * args.c - arguments of an event, out of the JSON as it was sent.
 *
 * Most have no escapes and are read where they lie.  Numbers are taken as text, so that
 * 1.0, 1e3 and what a double cannot hold are told from integers.
 */
#include <stdlib.h>
#include <string.h>

#include "server/board/account.h"
#include "store/decimal.h"

#define DEPTH_MAX 8

/* ---- all of them ---- */

/* Step over a string, whose opening quote was taken.  Q_FORMAT: it holds U+0000. */
static enum qerr
check_string(const uint8_t **at, const uint8_t *end)
{
	static const char nul[] = {'u', '0', '0', '0', '0'};
	const uint8_t *p = *at;

	for (;;) {
		p += json_plain_run(span_of(p, (size_t)(end - p)));
		if (p == end || *p == '"')
			break;
		if (*p++ != '\\' || p == end)
			continue;
		if ((size_t)(end - p) >= sizeof(nul) && memcmp(p, nul, sizeof(nul)) == 0)
			return Q_FORMAT;
		p++;
	}
	*at = p < end ? p + 1 : p;
	return Q_OK;
}

enum qerr
board_args_check(struct span args)
{
	const uint8_t *p = args.p, *end = args.len == 0 ? p : p + args.len;
	unsigned depth = 0;

	while (p < end) {
		switch (*p++) {
		case '"':
			if (check_string(&p, end) != Q_OK)
				return Q_FORMAT;
			break;
		case '[':
		case '{':
			if (++depth > DEPTH_MAX)
				return Q_FORMAT;
			break;
		case ']':
		case '}': depth--; break;
		default: break;
		}
	}
	return Q_OK;
}

/* ---- one after the other ---- */

/* Look at the next one without taking it. */
static bool
peek(const struct board_call *call, struct sio_args *behind, struct span *out)
{
	*behind = call->rest;
	return sio_args_next(behind, out) == Q_OK;
}

bool
board_arg_more(const struct board_call *call)
{
	struct sio_args behind;
	struct span text;

	return peek(call, &behind, &text);
}

enum qerr
board_id_parse(struct span text, uint64_t *out)
{
	if (text.len > 1 && text.p[0] == '0')
		return Q_FORMAT;
	return decimal_read(text, SIO_ID_MAX, out);
}

bool
board_arg_id(struct board_call *call, uint64_t *out)
{
	struct sio_args behind;
	struct span text;

	if (!peek(call, &behind, &text) || board_id_parse(text, out) != Q_OK)
		return false;
	call->rest = behind;
	return true;
}

/* The text of a token with escapes, owned by the call. */
static bool
decode(struct board_call *call, struct span token, struct span *out)
{
	const struct json_limits limits = {token.len, 1, 1};
	json_t *text;

	if (call->text_count == BOARD_TEXTS_MAX ||
	    json_parse(token, &limits, JSON_TOP_ANY, &text, NULL) != Q_OK)
		return false;
	call->texts[call->text_count++] = text;
	*out = json_text(text);
	return true;
}

bool
board_arg_text(struct board_call *call, struct span *out)
{
	struct sio_args behind;
	struct span token;

	if (!peek(call, &behind, &token) || token.len < 2 || token.p[0] != '"')
		return false;
	if (memchr(token.p, '\\', token.len) == NULL)
		*out = span_of(token.p + 1, token.len - 2);
	else if (!decode(call, token, out))
		return false;
	call->rest = behind;
	return true;
}

bool
board_arg_blob(struct board_call *call, struct blob **out)
{
	struct sio_args behind;
	struct span text;
	struct blob *blob;

	if (!peek(call, &behind, &text) ||
	    (blob = sio_call_blob(call->sio, text)) == NULL)
		return false;
	call->rest = behind;
	*out = blob;
	return true;
}
