/* SPDX-License-Identifier: MIT
 *
 * A polling body: packets of Engine.IO, and those of Socket.IO in them.  Whatever
 * parses must come to the same when it is written and parsed again.  What jansson takes
 * for JSON, the check of JSON that is passed on does, too; what that takes has
 * arguments to the end.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/engineio.h"
#include "protocol/json.h"
#include "protocol/socketio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
walk_args(struct span json, bool valid)
{
	struct sio_args a;
	struct span s;
	enum qerr e;

	if (sio_args_begin(json, &a) != Q_OK)
		return;
	while ((e = sio_args_next(&a, &s)) == Q_OK)
		assert(s.len > 0 && s.p >= json.p && s.p + s.len <= json.p + json.len);
	assert(e == Q_MISSING || !valid);
}

static bool
check_json(struct span json)
{
	static const struct json_limits limits = {1 << 20, SIO_DEPTH_MAX, 1 << 16};
	bool valid = sio_json_check(json, SIO_PLACES_IGNORE) == Q_OK;
	json_t *v;

	if (json_parse(json, &limits, JSON_TOP_ANY, &v, NULL) == Q_OK) {
		assert(valid);
		json_decref(v);
	}
	/* With places to be had there are fewer that fit. */
	assert(valid || sio_json_check(json, 1) != Q_OK);
	return valid;
}

static void
message(struct span data)
{
	struct buf out = BUF_INIT(data.len + 16);
	struct sio_packet p, q;

	if (sio_parse(data, 2, &p) != Q_OK)
		return;
	walk_args(p.json, check_json(p.json));
	assert(sio_put(&out, &p) == Q_OK);
	assert(sio_parse(buf_span(&out), 2, &q) == Q_OK);
	assert(p.type == q.type && p.attachments == q.attachments &&
	       p.has_id == q.has_id && p.id == q.id && span_eq(p.space, q.space) &&
	       span_eq(p.json, q.json));
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf again = BUF_INIT(size + 1);
	uint8_t *copy = malloc(size + 1);
	struct eio_body body;
	struct eio_packet p;
	enum qerr e;

	if (copy == NULL)
		return 0;
	if (size > 0)
		memcpy(copy, data, size);
	body = eio_body_of(copy, size);
	while ((e = eio_body_next(&body, &p)) == Q_OK) {
		assert(eio_body_put(&again, &p, again.len == 0) == Q_OK);
		if (p.type == EIO_MESSAGE && !p.binary)
			message(p.data);
	}
	if (e == Q_MISSING)
		assert(span_eq(buf_span(&again), span_of(data, size)));
	buf_free(&again);
	free(copy);
	return 0;
}
