/* SPDX-License-Identifier: MIT
 *
 * image_kind.h - which of the four kinds of pictures that browsers show and we pass on
 * is this?  Decided by signature and header, never by the name or the type that its
 * sender claims.  Pure.
 *
 *   PNG   https://www.w3.org/TR/png-3/            signature and IHDR, with its CRC
 *   JPEG  ITU-T T.81 (Annex B)                    markers up to the frame header, SOFn
 *   GIF   GIF89a, CompuServe 1990                 header and logical screen descriptor
 *   WebP  RFC 9649                                RIFF, and the first chunk's own header
 */
#ifndef PROTOCOL_IMAGE_KIND_H
#define PROTOCOL_IMAGE_KIND_H

#include "base/bytes.h"

enum image_kind {
	IMAGE_NONE, /* something else, or its header is not complete */
	IMAGE_PNG,
	IMAGE_JPEG,
	IMAGE_GIF,
	IMAGE_WEBP
};

#define IMAGE_SIDE_MAX 65535

/* Pixels, each 1..IMAGE_SIDE_MAX.  Nothing behind the header has been looked at. */
struct image_size {
	unsigned width, height;
};

/* size (may be NULL) is set unless it is IMAGE_NONE. */
enum image_kind image_kind_of(struct span content, struct image_size *size);
/* "image/png"; "" for IMAGE_NONE.  Static. */
const char *image_type(enum image_kind kind);
/* "png", "jpg", "gif", "webp"; "" for IMAGE_NONE.  Static. */
const char *image_extension(enum image_kind kind);
/* The kind of that type, and IMAGE_NONE for any other text. */
enum image_kind image_kind_of_type(const char *type);

/* ---- a JPEG's segments, for whoever looks for more ---- */

/* Step over the marker that begins one; false: it is none. */
bool image_jpeg_start(struct reader *in);
/* The next segment, up to the scans, and what is behind its length (borrowed).  False: there
 * is none, or it is damaged; in is anywhere then. */
bool image_jpeg_segment(struct reader *in, uint8_t *marker, struct span *body);

#endif
