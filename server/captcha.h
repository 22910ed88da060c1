/* SPDX-License-Identifier: MIT
 *
 * captcha.h - six digits, drawn so that a person reads them, warped and speckled, as a
 * PNG.  Costs half a millisecond of CPU and some 300 KiB while it runs: the caller
 * bounds how many run at once.  Any thread.
 */
#ifndef SERVER_CAPTCHA_H
#define SERVER_CAPTCHA_H

#include <stdbool.h>

#include "base/bytes.h"

#define CAPTCHA_LEN     6
#define CAPTCHA_SIZE    (CAPTCHA_LEN + 1)
#define CAPTCHA_PNG_MAX 32768
#define CAPTCHA_KEYWORD "quintet-captcha"

/* Six random digits and a NUL. */
void captcha_choose(char digits[CAPTCHA_SIZE]);

/* CAPTCHA_TOLD adds a tEXt chunk before IDAT, keyword CAPTCHA_KEYWORD, with the digits
 * (rooms.captcha = test). */
enum captcha_mode { CAPTCHA_SECRET, CAPTCHA_TOLD };
/* Append the PNG.  Q_NOMEM, Q_LIMIT: nothing is appended. */
enum qerr
captcha_draw(const char digits[CAPTCHA_SIZE], enum captcha_mode mode, struct buf *png);

/* Is answer exactly these digits?  The time depends on answer's length alone. */
bool captcha_fits(const char digits[CAPTCHA_SIZE], struct span answer);

#endif
