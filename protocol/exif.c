/* SPDX-License-Identifier: MIT */
#include "protocol/exif.h"

#include <string.h>

#include "protocol/image_kind.h"

enum { APP1 = 0xe1, SOS = 0xda };
enum { TAG_ORIENTATION = 0x0112, TYPE_SHORT = 3, ENTRY_SIZE = 12 };

/* What TIFF calls the orientations 1 to 8. */
static const struct exif_turn turns[] = {
    {false, 0}, {true, 0},  {false, 2}, {true, 2},
    {true, 3},  {false, 1}, {true, 1},  {false, 3},
};

/* A TIFF file: its numbers are in the order of bytes that its first two name. */
struct tiff {
	struct span all;
	bool big_endian;
};

static bool
number(const struct tiff *t, size_t at, unsigned n, uint32_t *out)
{
	uint32_t v = 0;

	if (at > t->all.len || n > t->all.len - at)
		return false;
	for (unsigned i = 0; i < n; i++)
		v = v << 8 | t->all.p[at + (t->big_endian ? i : n - 1 - i)];
	*out = v;
	return true;
}

/* 1 to 8; 0: it does not say, or not in a way that anybody would understand. */
static uint32_t
orientation(struct span tiff)
{
	struct tiff t = {tiff, false};
	uint32_t magic, at, n, tag, type, count, value;

	if (tiff.len < 2)
		return 0;
	t.big_endian = tiff.p[0] == 'M';
	if (memcmp(tiff.p, t.big_endian ? "MM" : "II", 2) != 0 ||
	    !number(&t, 2, 2, &magic) || magic != 42 || !number(&t, 4, 4, &at) ||
	    !number(&t, at, 2, &n))
		return 0;
	for (size_t entry = (size_t)at + 2; n > 0; n--, entry += ENTRY_SIZE) {
		if (!number(&t, entry, 2, &tag) || !number(&t, entry + 2, 2, &type) ||
		    !number(&t, entry + 4, 4, &count) ||
		    !number(&t, entry + 8, 2, &value))
			return 0;
		if (tag == TAG_ORIENTATION)
			return type == TYPE_SHORT && count == 1 && value <= 8 ? value : 0;
	}
	return 0;
}

struct exif_turn
exif_turn(struct span content)
{
	static const char name[] = "Exif\0"; /* and the NUL that C adds */
	struct reader in = reader_of(content);
	struct span body;
	uint8_t marker;
	uint32_t found = 0;

	if (!image_jpeg_start(&in))
		return turns[0];
	while (image_jpeg_segment(&in, &marker, &body) && marker != SOS) {
		if (marker != APP1 || body.len < sizeof(name) ||
		    memcmp(body.p, name, sizeof(name)) != 0)
			continue;
		found =
		    orientation(span_of(body.p + sizeof(name), body.len - sizeof(name)));
		break; /* further ones are thumbnails of editors, and other lies */
	}
	return turns[found == 0 ? 0 : found - 1];
}
