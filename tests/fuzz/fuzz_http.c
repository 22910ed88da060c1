/* SPDX-License-Identifier: MIT
 *
 * Requests, as they come and in two pieces: the same bytes are taken and the same is
 * understood, wherever they were cut; and what routes ask of a request is defined.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "server/http/file_set.h"
#include "server/http/origin.h"
#include "server/http/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BODY_MAX 4096

struct result {
	enum qerr e;
	size_t used;
	int status;
	struct http_request request;
	struct http_parse parse;
};

/* Feed what comes, at most to the end of one request; the pieces end at cut and at the
 * end.  As http.c does. */
static void
run(struct result *r, struct span in, size_t cut)
{
	size_t ends[2] = {cut, in.len}, used;

	http_parse_init(&r->parse, &r->request);
	r->parse.body.max = BODY_MAX;
	r->used = 0;
	r->e = Q_SHORT;
	for (size_t i = 0; i < 2 && r->e == Q_SHORT; i++) {
		if (!r->parse.head_done)
			do {
				r->e = http_parse_head(
				    &r->parse, span_of(in.p + r->used, ends[i] - r->used),
				    &used);
				r->used += used;
			} while (r->e == Q_SHORT && used > 0);
		if (r->e == Q_OK || r->parse.head_done)
			while (r->e == Q_OK || r->e == Q_SHORT) {
				r->e = http_parse_body(
				    &r->parse, span_of(in.p + r->used, ends[i] - r->used),
				    &used);
				r->used += used;
				if (r->e == Q_OK || used == 0)
					break;
			}
	}
	r->status = r->parse.status;
}

static void
look(const struct http_request *r)
{
	struct span s = http_field(r, "Host");
	char text[HTTP_HEAD_MAX];
	size_t n;

	assert(r->path.len > 0 && (r->path.p[0] == '/' || r->path.p[0] == '*'));
	assert(r->field_count <= HTTP_HEADERS_MAX && r->body.len <= BODY_MAX);
	(void)http_field_has(r, "Connection", "upgrade");
	(void)file_tag_listed(http_field(r, "If-None-Match"), "\"a\"");
	s = http_query(r, "a");
	if (s.p != NULL && http_decode(s, text, &n) == Q_OK)
		assert(n <= s.len && (n == 0 || memchr(text, '\0', n) == NULL));
	(void)origin_judge(r->origin, r->host, "https://a.example, http://b");
	(void)host_listed(r->host, "a, b:1");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct result whole, cut;
	size_t at = size > 0 ? (size_t)data[size - 1] * size / 256 : 0;

	run(&whole, span_of(data, size), size);
	run(&cut, span_of(data, size), at);
	assert(whole.e == cut.e);
	if (whole.e == Q_OK) {
		assert(whole.used == cut.used);
		assert(span_eq(whole.request.path, cut.request.path));
		assert(span_eq(whole.request.body, cut.request.body));
		assert(whole.request.field_count == cut.request.field_count);
		look(&whole.request);
	}
	http_parse_fini(&whole.parse);
	http_parse_fini(&cut.parse);
	return 0;
}
