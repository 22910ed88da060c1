/* SPDX-License-Identifier: MIT
 *
 * A version 7 is 48 bits of milliseconds, 4 of version, 12 random, 2 of variant, 62
 * random.  While the clock does not move, the 74 random bits count up by a random step
 * of at most 2^32 (RFC 9562 section 6.2, method 2): ids rise, and the next one cannot
 * be guessed.  Where they run over, the milliseconds take the carry.
 */
#include "base/uuid.h"

#include <endian.h>
#include <string.h>

#include "base/text.h"

#define MS_MAX     ((UINT64_C(1) << 48) - 1)
#define RAND_A_MAX 0xfffu
#define RAND_B_MAX ((UINT64_C(1) << 62) - 1)
#define VARIANT    (UINT64_C(2) << 62)
#define VERSION(v) ((uint64_t)(v) << 12)

static const uint8_t group[] = {4, 2, 2, 2, 6}; /* bytes between the hyphens */

enum qerr
uuid_parse(struct span text, struct uuid *out)
{
	struct uuid u;
	const uint8_t *in = text.p;
	uint8_t *to = u.b;

	if (text.len != UUID_LEN)
		return Q_FORMAT;
	for (size_t i = 0; i < sizeof(group); i++) {
		if (i > 0 && *in++ != '-')
			return Q_FORMAT;
		if (hex_decode(span_of(in, HEX_LEN((size_t)group[i])), to, group[i]) !=
		    Q_OK)
			return Q_FORMAT;
		in += HEX_LEN(group[i]);
		to += group[i];
	}
	*out = u;
	return Q_OK;
}

void
uuid_text(const struct uuid *u, char out[UUID_SIZE])
{
	const uint8_t *in = u->b;

	for (size_t i = 0; i < sizeof(group); i++) {
		if (i > 0)
			*out++ = '-';
		hex_encode(span_of(in, group[i]), out);
		in += group[i];
		out += HEX_LEN(group[i]);
	}
}

bool
uuid_is_nil(const struct uuid *u)
{
	static const struct uuid nil;

	return uuid_eq(u, &nil);
}

bool
uuid_eq(const struct uuid *a, const struct uuid *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

int
uuid_cmp(const struct uuid *a, const struct uuid *b)
{
	return memcmp(a->b, b->b, sizeof(a->b));
}

unsigned
uuid_version(const struct uuid *u)
{
	return u->b[8] >> 6 == 2 ? u->b[6] >> 4 : 0;
}

/* The two halves as numbers, most significant byte first. */
static void
load(const struct uuid *u, uint64_t *high, uint64_t *low)
{
	memcpy(high, u->b, 8);
	memcpy(low, u->b + 8, 8);
	*high = be64toh(*high);
	*low = be64toh(*low);
}

static struct uuid
make(uint64_t high, uint64_t low)
{
	struct uuid u;

	high = htobe64(high);
	low = htobe64(low);
	memcpy(u.b, &high, 8);
	memcpy(u.b + 8, &low, 8);
	return u;
}

int64_t
uuid_time_ms(const struct uuid *u)
{
	uint64_t high, low;

	load(u, &high, &low);
	return (int64_t)(high >> 16);
}

struct uuid
uuid_v4(const uint8_t random[16])
{
	struct uuid u;

	memcpy(u.b, random, sizeof(u.b));
	u.b[6] = (uint8_t)(0x40 | (u.b[6] & 0x0f));
	u.b[8] = (uint8_t)(0x80 | (u.b[8] & 0x3f));
	return u;
}

struct uuid
uuid_v7(int64_t now_ms, const struct uuid *after, const uint8_t random[16])
{
	uint64_t ms = now_ms > 0 ? (uint64_t)now_ms : 0;
	uint64_t high, low, last, a, b;
	struct uuid dice;

	memcpy(dice.b, random, sizeof(dice.b));
	load(&dice, &a, &b);
	a &= RAND_A_MAX;
	b &= RAND_B_MAX;
	if (ms > MS_MAX)
		ms = MS_MAX;
	load(after, &high, &low);
	last = high >> 16;
	if (!uuid_is_nil(after) && ms <= last) {
		ms = last;
		a = high & RAND_A_MAX;
		b = (low & RAND_B_MAX) + 1 + (b & UINT32_MAX);
		if (b > RAND_B_MAX && ++a > RAND_A_MAX)
			ms++;
	}
	return make((ms & MS_MAX) << 16 | VERSION(7) | (a & RAND_A_MAX),
		    VARIANT | (b & RAND_B_MAX));
}
