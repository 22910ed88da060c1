/* SPDX-License-Identifier: MIT */
#include "store/decimal.h"

enum qerr
decimal_read(struct span s, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (s.len == 0 || (s.p[0] == '0' && s.len > 1))
		return Q_FORMAT;
	for (size_t i = 0; i < s.len; i++) {
		uint64_t digit;

		if (s.p[i] < '0' || s.p[i] > '9')
			return Q_FORMAT;
		digit = (uint64_t)(s.p[i] - '0');
		if (digit > max || v > (max - digit) / 10)
			return Q_FORMAT;
		v = v * 10 + digit;
	}
	*out = v;
	return Q_OK;
}
