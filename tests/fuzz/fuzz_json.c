/* SPDX-License-Identifier: MIT
 *
 * Whatever the strict parser accepts, is written so that it parses to the same again.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/text.h"
#include "protocol/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct json_limits limits = {1 << 20, 8, 10000};
	const struct json_limits wide = {8 << 20, 8, 10000};
	struct buf once = BUF_INIT(8 << 20), twice = BUF_INIT(8 << 20);
	struct why why;
	json_t *a, *b;

	if (json_parse(span_of(data, size), &limits, JSON_TOP_ANY, &a, &why) != Q_OK)
		return 0;
	assert(utf8_valid(span_of(data, size)));
	assert(json_put_value(&once, a) == Q_OK);
	assert(json_parse(buf_span(&once), &wide, JSON_TOP_ANY, &b, &why) == Q_OK);
	assert(json_equal(a, b));
	assert(json_put_value(&twice, b) == Q_OK);
	assert(span_eq(buf_span(&once), buf_span(&twice)));
	if (json_is_string(a)) {
		/* Our own writer of strings against jansson's. */
		twice.len = 0;
		assert(json_put_text(&twice, json_text(a)) == Q_OK);
		json_decref(b);
		assert(json_parse(buf_span(&twice), &wide, JSON_TOP_ANY, &b, &why) ==
		       Q_OK);
		assert(json_equal(a, b));
	}
	json_decref(a);
	json_decref(b);
	buf_free(&once);
	buf_free(&twice);
	return 0;
}
