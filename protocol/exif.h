/* SPDX-License-Identifier: MIT
 *
 * exif.h - which way up is this photograph?  Cameras store the picture as the sensor sees
 * it, and beside it how they were held; browsers turn what they show, libgd does not.  Pure.
 *
 * Exif 2.32 (CIPA DC-008): an APP1 segment of a JPEG with "Exif\0\0" and a TIFF 6.0 file,
 * in whose first directory the tag 0x0112 has one SHORT, 1 to 8.
 */
#ifndef PROTOCOL_EXIF_H
#define PROTOCOL_EXIF_H

#include "base/bytes.h"

/* What has to be done with the pixels, in this order, to see it as it was meant. */
struct exif_turn {
	bool mirror;       /* left and right change places */
	unsigned quarters; /* then turn clockwise: 0..3 quarters */
};

/* Nothing to be done for what is no JPEG, says nothing about it, or nothing that makes sense. */
struct exif_turn exif_turn(struct span content);

#endif
