/* SPDX-License-Identifier: MIT
 *
 * Envelopes of rooms: what is read as one, is written and read again as the same; and
 * any bytes, put into one, come out of it.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/rooms_envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Around the len bytes at ct and tag, and back. */
static void
there_and_back(const uint8_t *ct, size_t len, const uint8_t iv[ROOMS_IV_LEN])
{
	const size_t plain = len - ROOMS_TAG_LEN, size = ROOMS_ENVELOPE_SIZE(plain);
	uint8_t *place = malloc(size), again[ROOMS_IV_LEN];
	size_t got;

	assert(place != NULL);
	memcpy(rooms_envelope_inside(place, plain), ct, len);
	rooms_envelope_wrap(place, plain, iv);
	assert(rooms_envelope_unwrap(place, size, again, &got) == Q_OK);
	assert(got == len && memcmp(place, ct, len) == 0);
	assert(memcmp(iv, again, sizeof(again)) == 0);
	free(place);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size > 0 ? size : 1), iv[ROOMS_IV_LEN] = {0};
	size_t len;

	assert(copy != NULL);
	if (size > 0)
		memcpy(copy, data, size);
	if (rooms_envelope_unwrap(copy, size, iv, &len) == Q_OK)
		there_and_back(copy, len, iv);
	if (size >= ROOMS_TAG_LEN)
		there_and_back(data, size, iv);
	free(copy);
	return 0;
}
