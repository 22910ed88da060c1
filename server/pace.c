/* SPDX-License-Identifier: MIT */
#include "server/pace.h"

bool
pace_looks(const struct pace *p)
{
	return p->score > 0 || (p->last_ns != 0 && p->gap_ns < PACE_FAST_NS);
}

int64_t
pace_looked(struct pace *p, size_t n)
{
	if (n == 0) {
		p->score -= p->score > 0 ? 1 : 0;
		return 0;
	}
	p->score += p->score > PACE_MAX - PACE_FOUND ? 0 : PACE_FOUND;
	return p->score >= PACE_SURE && n < PACE_ENOUGH ? PACE_NAP_NS : 0;
}

void
pace_came(struct pace *p, int64_t now_ns)
{
	/* The first time there is nothing to measure from. */
	p->gap_ns = p->last_ns == 0 ? PACE_FAST_NS : now_ns - p->last_ns;
	p->last_ns = now_ns;
}
