/* SPDX-License-Identifier: MIT */
#include "protocol/image_kind.h"

#include <string.h>

#include <libdeflate.h>

static const struct {
	const char *type, *extension;
} names[] = {
    [IMAGE_NONE] = {"", ""},
    [IMAGE_PNG] = {"image/png", "png"},
    [IMAGE_JPEG] = {"image/jpeg", "jpg"},
    [IMAGE_GIF] = {"image/gif", "gif"},
    [IMAGE_WEBP] = {"image/webp", "webp"},
};

const char *
image_type(enum image_kind kind)
{
	return names[kind].type;
}

const char *
image_extension(enum image_kind kind)
{
	return names[kind].extension;
}

enum image_kind
image_kind_of_type(const char *type)
{
	for (unsigned k = IMAGE_PNG; k <= IMAGE_WEBP; k++)
		if (strcmp(type, names[k].type) == 0)
			return (enum image_kind)k;
	return IMAGE_NONE;
}

/* ---- numbers; there are as many bytes as are asked for ---- */

static uint32_t
big(const uint8_t *p, unsigned n)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

static uint32_t
little(const uint8_t *p, unsigned n)
{
	uint32_t v = 0;

	while (n > 0)
		v = v << 8 | p[--n];
	return v;
}

static bool
set_size(uint32_t width, uint32_t height, struct image_size *out)
{
	if (width == 0 || width > IMAGE_SIDE_MAX || height == 0 ||
	    height > IMAGE_SIDE_MAX)
		return false;
	out->width = width;
	out->height = height;
	return true;
}

static bool
take_text(struct reader *in, const char *text)
{
	struct span s;

	return reader_take(in, strlen(text), &s) == Q_OK && span_eq(s, span_str(text));
}

/* ---- PNG ---- */

#define PNG_IHDR_LEN 13

/* May samples of depth bits make pixels of that colour type (PNG, table 12)? */
static bool
png_depth(unsigned depth, unsigned colour)
{
	switch (colour) {
	case 0:
		return depth == 1 || depth == 2 || depth == 4 || depth == 8 ||
		       depth == 16;
	case 3: return depth == 1 || depth == 2 || depth == 4 || depth == 8;
	case 2:
	case 4:
	case 6: return depth == 8 || depth == 16;
	default: return false;
	}
}

static bool
is_png(struct reader in, struct image_size *size)
{
	struct span s, crc;
	const uint8_t *h;

	if (!take_text(&in, "\x89PNG\r\n\x1a\n") || reader_take(&in, 4, &s) != Q_OK ||
	    big(s.p, 4) != PNG_IHDR_LEN ||
	    reader_take(&in, 4 + PNG_IHDR_LEN, &s) != Q_OK ||
	    memcmp(s.p, "IHDR", 4) != 0 || reader_take(&in, 4, &crc) != Q_OK ||
	    libdeflate_crc32(0, s.p, s.len) != big(crc.p, 4))
		return false;
	h = s.p + 4;
	/* Behind depth and colour: compression 0, filter 0, interlaced or not. */
	return png_depth(h[8], h[9]) && h[10] == 0 && h[11] == 0 && h[12] <= 1 &&
	       set_size(big(h, 4), big(h + 4, 4), size);
}

/* ---- JPEG ---- */

enum { JPEG_SOI = 0xd8, JPEG_EOI = 0xd9, JPEG_SOS = 0xda };

/* A frame header: C0 to CF, without the three that are something else (DHT, JPG, DAC). */
static bool
is_sof(uint8_t marker)
{
	return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 &&
	       marker != 0xcc;
}

/* Markers that stand alone have no business before a frame. */
static bool
stands_alone(uint8_t marker)
{
	return marker < 0xc0 || (marker >= 0xd0 && marker <= JPEG_EOI);
}

/* What is behind a SOFn's length: precision, height, width, components of three bytes. */
static bool
jpeg_frame(struct span s, struct image_size *size)
{
	return s.len >= 6 && s.p[0] >= 2 && s.p[0] <= 16 && s.p[5] >= 1 &&
	       s.len == 6 + 3 * (size_t)s.p[5] &&
	       set_size(big(s.p + 3, 2), big(s.p + 1, 2), size);
}

/* The next marker; any number of FF may stand before it. */
static bool
jpeg_marker(struct reader *in, uint8_t *marker)
{
	if (reader_u8(in, marker) != Q_OK || *marker != 0xff)
		return false;
	do
		if (reader_u8(in, marker) != Q_OK)
			return false;
	while (*marker == 0xff);
	return true;
}

bool
image_jpeg_start(struct reader *in)
{
	uint8_t marker;

	return jpeg_marker(in, &marker) && marker == JPEG_SOI;
}

bool
image_jpeg_segment(struct reader *in, uint8_t *marker, struct span *body)
{
	struct span s;

	return jpeg_marker(in, marker) && !stands_alone(*marker) &&
	       reader_take(in, 2, &s) == Q_OK && big(s.p, 2) >= 2 &&
	       reader_take(in, big(s.p, 2) - 2, body) == Q_OK;
}

static bool
is_jpeg(struct reader in, struct image_size *size)
{
	struct span s;
	uint8_t marker;

	if (!image_jpeg_start(&in))
		return false;
	while (image_jpeg_segment(&in, &marker, &s) && marker != JPEG_SOS)
		if (is_sof(marker))
			return jpeg_frame(s, size);
	return false;
}

/* ---- GIF ---- */

static bool
is_gif(struct reader in, struct image_size *size)
{
	struct span head, screen;

	return reader_take(&in, 6, &head) == Q_OK &&
	       (span_eq(head, span_str("GIF87a")) || span_eq(head, span_str("GIF89a"))) &&
	       reader_take(&in, 7, &screen) == Q_OK &&
	       set_size(little(screen.p, 2), little(screen.p + 2, 2), size);
}

/* ---- WebP ---- */

/* A key frame of VP8 (RFC 6386, 9.1): its tag, the start code, 14 bits a side. */
static bool
webp_lossy(struct span s, struct image_size *size)
{
	return s.len >= 10 && (s.p[0] & 1) == 0 &&
	       memcmp(s.p + 3, "\x9d\x01\x2a", 3) == 0 &&
	       set_size(little(s.p + 6, 2) & 0x3fff, little(s.p + 8, 2) & 0x3fff, size);
}

/* Signature, 14 bits a side less one, an alpha bit, a version that is 0. */
static bool
webp_lossless(struct span s, struct image_size *size)
{
	uint32_t bits;

	if (s.len < 5 || s.p[0] != 0x2f)
		return false;
	bits = little(s.p + 1, 4);
	return bits >> 29 == 0 &&
	       set_size((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1, size);
}

/* Flags, three bytes reserved, the canvas with 24 bits a side less one. */
static bool
webp_extended(struct span s, struct image_size *size)
{
	return s.len >= 10 &&
	       set_size(little(s.p + 4, 3) + 1, little(s.p + 7, 3) + 1, size);
}

static bool
is_webp(struct reader in, struct image_size *size)
{
	struct span s, kind, body;
	size_t len;

	if (!take_text(&in, "RIFF") || reader_take(&in, 4, &s) != Q_OK ||
	    !take_text(&in, "WEBP") || reader_take(&in, 4, &kind) != Q_OK ||
	    reader_take(&in, 4, &s) != Q_OK)
		return false;
	len = little(s.p, 4);
	body = reader_rest(&in); /* as much of the chunk as is here */
	if (len < body.len)
		body.len = len;
	if (memcmp(kind.p, "VP8 ", 4) == 0)
		return webp_lossy(body, size);
	if (memcmp(kind.p, "VP8L", 4) == 0)
		return webp_lossless(body, size);
	return memcmp(kind.p, "VP8X", 4) == 0 && webp_extended(body, size);
}

/* ---- all of them ---- */

enum image_kind
image_kind_of(struct span content, struct image_size *size)
{
	static bool (*const tests[])(struct reader in, struct image_size * size) = {
	    [IMAGE_PNG] = is_png,
	    [IMAGE_JPEG] = is_jpeg,
	    [IMAGE_GIF] = is_gif,
	    [IMAGE_WEBP] = is_webp,
	};
	struct image_size found;

	for (unsigned k = IMAGE_PNG; k <= IMAGE_WEBP; k++) {
		if (!tests[k](reader_of(content), &found))
			continue;
		if (size != NULL)
			*size = found;
		return (enum image_kind)k;
	}
	return IMAGE_NONE;
}
