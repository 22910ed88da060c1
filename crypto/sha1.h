/* SPDX-License-Identifier: MIT
 *
 * sha1.h - SHA-1 (FIPS 180-4), for WebSocket's handshake, where it shows that the other
 * side speaks WebSocket and protects nothing.  For anything else there is hash.h.
 */
#ifndef CRYPTO_SHA1_H
#define CRYPTO_SHA1_H

#include "base/bytes.h"

#define SHA1_LEN 20

/* Any thread.  Q_NOMEM, Q_CRYPTO. */
enum qerr sha1(struct span s, uint8_t out[SHA1_LEN]);

#endif
