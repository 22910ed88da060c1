/* SPDX-License-Identifier: MIT
 *
 * board_pictures.h - small pictures of the kinds that board takes, made by libgd.
 */
#ifndef TESTS_SYSTEM_BOARD_PICTURES_H
#define TESTS_SYSTEM_BOARD_PICTURES_H

#include "base/bytes.h"

#define PICTURE_KINDS 4

struct picture {
	const char *name, *type;
	struct span bytes;
};

/* PNG, JPEG, GIF, WebP; valid until the process ends. */
const struct picture *picture_of(size_t kind);

#endif
