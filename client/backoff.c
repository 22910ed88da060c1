/* SPDX-License-Identifier: MIT */
#include "client/backoff.h"

#include <limits.h>

void
backoff_up(struct backoff *b, int64_t now_ms)
{
	b->up_ms = now_ms;
}

int64_t
backoff_lost(struct backoff *b, int64_t now_ms, uint32_t random)
{
	int64_t whole = BACKOFF_FIRST_MS;

	if (b->up_ms != 0 && now_ms - b->up_ms >= BACKOFF_STEADY_MS)
		b->attempts = 0;
	b->up_ms = 0;
	for (unsigned i = 0; i < b->attempts && whole < BACKOFF_CAP_MS; i++)
		whole *= 2;
	if (whole > BACKOFF_CAP_MS)
		whole = BACKOFF_CAP_MS;
	if (b->attempts < UINT_MAX)
		b->attempts++;
	return whole / 2 + (int64_t)(random % (uint64_t)(whole / 2 + 1));
}
