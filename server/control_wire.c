/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "server/control.h"

/* Put the length in front of what stands behind at. */
static enum qerr
seal_length(struct buf *out, size_t at)
{
	le32_put(out->p + at, (uint32_t)(out->len - at - CONTROL_HEAD_LEN));
	return Q_OK;
}

enum qerr
control_put_command(struct buf *out, const struct admin_request *req)
{
	size_t at = out->len;
	enum qerr e;

	if ((e = buf_put_u32(out, 0)) != Q_OK ||
	    (e = buf_put_u32(out, (uint32_t)req->argc)) != Q_OK)
		goto undo;
	for (int i = 0; i < req->argc; i++)
		if ((e = buf_put_u32(out, (uint32_t)strlen(req->argv[i]))) != Q_OK ||
		    (e = buf_put_str(out, req->argv[i])) != Q_OK)
			goto undo;
	if ((e = buf_put_span(out, req->input)) != Q_OK)
		goto undo;
	return seal_length(out, at);
undo:
	out->len = at;
	return e;
}

enum qerr
control_put_answer(struct buf *out, enum qerr result, struct span text,
		   const char *sentence)
{
	size_t at = out->len;
	enum qerr e;

	if ((e = buf_put_u32(out, 0)) != Q_OK ||
	    (e = buf_put_u8(out, (uint8_t)result)) != Q_OK ||
	    (e = buf_put_u32(out, (uint32_t)text.len)) != Q_OK ||
	    (e = buf_put_span(out, text)) != Q_OK ||
	    (e = buf_put_str(out, sentence)) != Q_OK) {
		out->len = at;
		return e;
	}
	return seal_length(out, at);
}

/* A length and so many bytes. */
static enum qerr
take_text(struct reader *r, struct span *out)
{
	uint32_t n;

	if (reader_u32(r, &n) != Q_OK || reader_take(r, n, out) != Q_OK)
		return Q_FORMAT;
	return Q_OK;
}

enum qerr
control_parse_command(struct span body, struct buf *words,
		      const char *argv[ADMIN_WORDS_MAX], struct admin_request *req)
{
	struct reader r = reader_of(body);
	size_t at[ADMIN_WORDS_MAX];
	struct span word;
	uint32_t count;
	enum qerr e;

	words->len = 0;
	if (reader_u32(&r, &count) != Q_OK || count == 0 || count > ADMIN_WORDS_MAX)
		return Q_FORMAT;
	for (uint32_t i = 0; i < count; i++) {
		if (take_text(&r, &word) != Q_OK ||
		    (word.len > 0 && memchr(word.p, '\0', word.len) != NULL))
			return Q_FORMAT;
		at[i] = words->len;
		if ((e = buf_put_span(words, word)) != Q_OK ||
		    (e = buf_put_u8(words, '\0')) != Q_OK)
			return e;
	}
	/* Only now does words stay where it is. */
	for (uint32_t i = 0; i < count; i++)
		argv[i] = (const char *)words->p + at[i];
	*req = (struct admin_request){(int)count, argv, reader_rest(&r)};
	return req->input.len > ADMIN_INPUT_MAX ? Q_LIMIT : Q_OK;
}

enum qerr
control_parse_answer(struct span body, enum qerr *result, struct span *text,
		     struct why *sentence)
{
	struct reader r = reader_of(body);
	struct span out, rest;
	uint8_t e;

	if (reader_u8(&r, &e) != Q_OK || e > Q_SYS || take_text(&r, &out) != Q_OK)
		return Q_FORMAT;
	rest = reader_rest(&r);
	why_set(sentence, Q_OK, "%.*s", (int)(rest.len > 511 ? 511 : rest.len),
		rest.len == 0 ? "" : (const char *)rest.p);
	*result = (enum qerr)e;
	*text = out;
	return Q_OK;
}
