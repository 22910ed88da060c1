/* SPDX-License-Identifier: MIT */
#include "tests/system/board_pictures.h"

#include <gd.h>

#include "tests/unit/unit.h"

const struct picture *
picture_of(size_t kind)
{
	static struct picture all[PICTURE_KINDS] = {
	    {.name = "png", .type = "image/png"},
	    {.name = "jpeg", .type = "image/jpeg"},
	    {.name = "gif", .type = "image/gif"},
	    {.name = "webp", .type = "image/webp"}};
	struct picture *p = &all[kind];
	gdImagePtr image;
	void *bytes = NULL;
	int n = 0;

	if (p->bytes.p != NULL)
		return p;
	ck_assert_ptr_nonnull(image = gdImageCreateTrueColor(24, 16));
	gdImageFilledRectangle(image, 0, 0, 23, 15, 0x3060c0);
	gdImageFilledEllipse(image, 12, 8, 10, 10, 0xf0c020);
	switch (kind) {
	case 0: bytes = gdImagePngPtr(image, &n); break;
	case 1: bytes = gdImageJpegPtr(image, &n, 90); break;
	case 2: bytes = gdImageGifPtr(image, &n); break;
	default: bytes = gdImageWebpPtr(image, &n); break;
	}
	gdImageDestroy(image);
	ck_assert_ptr_nonnull(bytes);
	p->bytes = span_of(bytes, (size_t)n);
	return p;
}
