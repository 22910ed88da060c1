/* SPDX-License-Identifier: MIT
 *
 * Which picture is this, and which way up?  What is one stays one with more bytes behind
 * it, and the names of its kind lead back to it.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/exif.h"
#include "protocol/image_kind.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct image_size first = {0, 0}, again = {0, 0};
	enum image_kind kind = image_kind_of(span_of(data, size), &first);
	struct exif_turn turn = exif_turn(span_of(data, size));
	uint8_t *more;

	assert(turn.quarters <= 3);
	if (kind == IMAGE_NONE)
		return 0;
	assert(first.width >= 1 && first.width <= IMAGE_SIDE_MAX);
	assert(first.height >= 1 && first.height <= IMAGE_SIDE_MAX);
	assert(image_kind_of_type(image_type(kind)) == kind);
	if ((more = calloc(1, size + 16)) == NULL)
		return 0;
	memcpy(more, data, size);
	assert(image_kind_of(span_of(more, size + 16), &again) == kind);
	assert(memcmp(&first, &again, sizeof(first)) == 0);
	free(more);
	return 0;
}
