/* SPDX-License-Identifier: MIT
 *
 * Lines of contacts from either side: whatever a parser accepts, the encoder writes so
 * that it parses back to the same values.
 */
#include <assert.h>
#include <stdlib.h>

#include "protocol/contacts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LINES_MAX (4u << 20)

static void
request(struct span line)
{
	struct buf a = BUF_INIT(LINES_MAX), b = BUF_INIT(LINES_MAX),
		   out = BUF_INIT(LINES_MAX);
	struct contacts_request r, again;
	uint8_t *raw;

	if (contacts_request_parse(line, &a, &r) == Q_OK) {
		if (r.code == CONTACTS_SEND) {
			r.arg[0] = r.message;
			r.arg[1] = (struct span){NULL, 0};
		}
		if (r.has_media) {
			/* The whole word: from "data:" to the end of what is encoded. */
			r.arg[1].p = r.media.type.p - 5;
			r.arg[1].len = (size_t)(r.media.encoded.p + r.media.encoded.len -
						r.arg[1].p);
			raw = malloc(r.media.size);
			assert(raw != NULL);
			contacts_media_decode(&r.media, raw);
			free(raw);
		}
		assert(contacts_request_put(&out, &r) == Q_OK);
		assert(contacts_request_parse((struct span){out.p, out.len - 1}, &b,
					      &again) == Q_OK);
		assert(again.code == r.code && again.argc == r.argc && again.id == r.id &&
		       again.time_ms == r.time_ms && again.has_media == r.has_media);
		assert(span_eq(again.message, r.message));
		for (size_t i = 0; i < again.argc; i++)
			assert(span_eq(again.arg[i], r.arg[i]));
	}
	buf_free(&a);
	buf_free(&b);
	buf_free(&out);
}

static void
reply(struct span line)
{
	struct buf a = BUF_INIT(LINES_MAX), b = BUF_INIT(LINES_MAX),
		   out = BUF_INIT(LINES_MAX);
	struct contacts_reply r, again;

	if (contacts_reply_parse(line, &a, &r) == Q_OK && r.code == CONTACTS_SENDED &&
	    r.id != 0) {
		assert(contacts_put_message(&out, r.id, r.time_ms, r.arg[0],
					    r.media_id) == Q_OK);
		assert(contacts_reply_parse((struct span){out.p, out.len - 1}, &b,
					    &again) == Q_OK);
		assert(span_eq(again.arg[0], r.arg[0]) && again.media_id == r.media_id);
	}
	buf_free(&a);
	buf_free(&b);
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct contacts_framer f = {0};
	struct span in = {data, size}, line;
	size_t used;

	if (size > 0)
		(void)contacts_recognise(in);
	while (contacts_line_next(&f, in, true, &line, &used) == Q_OK) {
		request(line);
		reply(line);
		in.p += used;
		in.len -= used;
	}
	return 0;
}
