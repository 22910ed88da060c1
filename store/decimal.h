/* SPDX-License-Identifier: MIT
 *
 * decimal.h - numbers in files: digits only, no sign, no leading zero.
 */
#ifndef STORE_DECIMAL_H
#define STORE_DECIMAL_H

#include <stdint.h>

#include "base/bytes.h"

/* The number that all of s is.  Q_FORMAT: it is none, or above max. */
enum qerr decimal_read(struct span s, uint64_t max, uint64_t *out);

#endif
