/* SPDX-License-Identifier: MIT
 *
 * board_pictures.h - small pictures of the kinds that board takes, made by libgd.
 */
#ifndef TESTS_SYSTEM_BOARD_PICTURES_H
#define TESTS_SYSTEM_BOARD_PICTURES_H

#include <stdbool.h>

#include "base/bytes.h"

#define PICTURE_KINDS 4

struct picture {
	const char *name, *type;
	struct span bytes;
};

/* PNG, JPEG, GIF, WebP of 24 x 16 pixels, and of 640 x 400; valid until the process ends. */
const struct picture *picture_of(size_t kind);
const struct picture *picture_large(size_t kind);
/* Let the header of a PNG claim other dimensions; it stays complete. */
void picture_png_claim(uint8_t *png, uint32_t width, uint32_t height);
/* The pixels of a WebP, each side; false: it is none. */
bool picture_webp_size(struct span webp, int *width, int *height);

#endif
