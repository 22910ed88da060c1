/* SPDX-License-Identifier: MIT */
#include "tests/system/board_pictures.h"

#include <gd.h>
#include <libdeflate.h>
#include <stdint.h>

#include "tests/unit/unit.h"

static struct span
draw(size_t kind, int width, int height)
{
	gdImagePtr image = gdImageCreateTrueColor(width, height);
	void *bytes = NULL;
	int n = 0;

	ck_assert_ptr_nonnull(image);
	gdImageFilledRectangle(image, 0, 0, width - 1, height - 1, 0x3060c0);
	gdImageFilledEllipse(image, width / 2, height / 2, height / 2, height / 2,
			     0xf0c020);
	switch (kind) {
	case 0: bytes = gdImagePngPtr(image, &n); break;
	case 1: bytes = gdImageJpegPtr(image, &n, 90); break;
	case 2: bytes = gdImageGifPtr(image, &n); break;
	default: bytes = gdImageWebpPtr(image, &n); break;
	}
	gdImageDestroy(image);
	ck_assert_ptr_nonnull(bytes);
	return span_of(bytes, (size_t)n);
}

#define KINDS                                                \
	{                                                    \
		{.name = "png", .type = "image/png"},        \
		    {.name = "jpeg", .type = "image/jpeg"},  \
		    {.name = "gif", .type = "image/gif"},    \
		{                                            \
			.name = "webp", .type = "image/webp" \
		}                                            \
	}

static const struct picture *
cached(struct picture *p, size_t kind, int width, int height)
{
	if (p->bytes.p == NULL)
		p->bytes = draw(kind, width, height);
	return p;
}

const struct picture *
picture_of(size_t kind)
{
	static struct picture all[PICTURE_KINDS] = KINDS;

	return cached(&all[kind], kind, 24, 16);
}

const struct picture *
picture_large(size_t kind)
{
	static struct picture all[PICTURE_KINDS] = KINDS;

	return cached(&all[kind], kind, 640, 400);
}

static void
put_be32(uint8_t *at, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* Signature, length; "IHDR", width, height and five bytes more; their CRC. */
void
picture_png_claim(uint8_t *png, uint32_t width, uint32_t height)
{
	put_be32(png + 16, width);
	put_be32(png + 20, height);
	put_be32(png + 29, libdeflate_crc32(0, png + 12, 17));
}

bool
picture_webp_size(struct span webp, int *width, int *height)
{
	gdImagePtr image =
	    gdImageCreateFromWebpPtr((int)webp.len, (void *)(uintptr_t)webp.p);

	if (image == NULL)
		return false;
	*width = gdImageSX(image);
	*height = gdImageSY(image);
	gdImageDestroy(image);
	return true;
}
