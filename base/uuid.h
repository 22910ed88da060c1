/* SPDX-License-Identifier: MIT
 *
 * uuid.h - UUIDs (RFC 9562): versions 4 and 7, and their text.
 *
 * The bytes are in the order of the text, so that uuid_cmp, memcmp and a comparison
 * of (lower-case) texts agree, and version 7 sorts by time.  Pure: the caller brings
 * time and randomness.
 */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

#define UUID_LEN  36 /* characters, without a NUL */
#define UUID_SIZE (UUID_LEN + 1)

/* All zero is the nil UUID, which names nothing. */
struct uuid {
	uint8_t b[16];
};

/* 8-4-4-4-12 hexadecimal digits of either case, of any version.  Q_FORMAT. */
enum qerr uuid_parse(struct span text, struct uuid *out);
/* Lower case, and a NUL. */
void uuid_text(const struct uuid *u, char out[UUID_SIZE]);

bool uuid_is_nil(const struct uuid *u);
bool uuid_eq(const struct uuid *a, const struct uuid *b);
int uuid_cmp(const struct uuid *a, const struct uuid *b);
/* 4, 7, ...; 0 when the variant is not that of RFC 9562. */
unsigned uuid_version(const struct uuid *u);
/* The milliseconds since 1970 that a version 7 begins with. */
int64_t uuid_time_ms(const struct uuid *u);

/* A version 4 of 16 random bytes. */
struct uuid uuid_v4(const uint8_t random[16]);
/* A version 7 for now_ms (since 1970) that is above *after (nil: no such bound),
 * whatever the clock says: when it stands or has stepped back, the next one is
 * *after plus a random step.  random: 16 random bytes. */
struct uuid uuid_v7(int64_t now_ms, const struct uuid *after, const uint8_t random[16]);

#endif
