/* SPDX-License-Identifier: MIT
 *
 * captcha_text.h - a picture of dark digits on light paper as characters of a terminal:
 * two rows of dots a line, by half blocks.  Pure.
 */
#ifndef CLIENT_CAPTCHA_TEXT_H
#define CLIENT_CAPTCHA_TEXT_H

#include "base/bytes.h"

#define CAPTCHA_TEXT_COLUMNS 78

/* Append the picture, in UTF-8, lines of at most CAPTCHA_TEXT_COLUMNS columns, ink as
 * blocks.  Q_FORMAT: no PNG, or larger than any captcha; Q_NOMEM, Q_LIMIT. */
enum qerr captcha_text(struct span png, struct buf *out);

#endif
