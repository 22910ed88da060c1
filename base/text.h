/* SPDX-License-Identifier: MIT
 *
 * text.h - bytes as text, and text that is safe to show.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

/* Bytes that base64 (RFC 4648 section 4, padded, no line breaks) and lower-case
 * hex take for n bytes, without a NUL. */
#define BASE64_LEN(n) (((n) + 2) / 3 * 4)
#define HEX_LEN(n)    ((n)*2)

/* Write BASE64_LEN(s.len) characters, without a NUL; returns how many.  s may be the end
 * of that very place: what is written never reaches what has not been read. */
size_t base64_encode(struct span s, char *out);
/* Decode strictly: padded, no white space, no surplus bits.  out has room for
 * s.len / 4 * 3 bytes, and may be where s is.  Q_FORMAT otherwise. */
enum qerr base64_decode(struct span s, uint8_t *out, size_t *out_len);
/* Would base64_decode accept s, and how many bytes would it give? */
enum qerr base64_check(struct span s, size_t *out_len);
/* HEX_LEN(s.len) characters and a NUL. */
void hex_encode(struct span s, char *out);
/* Both cases accepted; s.len == 2 * out_len, else Q_FORMAT. */
enum qerr hex_decode(struct span s, uint8_t *out, size_t out_len);

/* Valid UTF-8 (no overlong forms, surrogates, or anything above U+10FFFF)? */
bool utf8_valid(struct span s);
/* Make s safe for a terminal or a log line: C0 and C1 controls, DEL, bidi
 * controls, line and paragraph separators and invalid bytes are shown as
 * \xNN or \u{N}, everything else is copied.  Always ends with a NUL; cut at a
 * whole character when it does not fit size (at least 16).  Returns the number
 * of bytes written without the NUL. */
size_t text_visible(struct span s, char *out, size_t size);

#endif
