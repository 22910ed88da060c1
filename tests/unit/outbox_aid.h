/* SPDX-License-Identifier: MIT
 *
 * outbox_aid.h - what the tests of outboxes do again and again, with a small one.
 */
#ifndef TESTS_UNIT_OUTBOX_AID_H
#define TESTS_UNIT_OUTBOX_AID_H

#include "tests/unit/core.h"

#include <stdlib.h>

#define SOFT 4096

static inline void
setup(void)
{
	static const char *const small[] = {"limits.outbox=4096"};

	core_start_with(small, 1);
}

static inline enum qerr
put(struct session *s, enum outbox_class class, const void *p, size_t n)
{
	return outbox_put(s, class, span_of(p, n));
}

static inline size_t
waiting(struct session *s)
{
	size_t n;

	lock_take(&s->out.lock);
	n = outbox_waiting_locked(&s->out);
	lock_drop(&s->out.lock);
	return n;
}

/* Bytes whose value tells their place. */
static inline uint8_t *
pattern(size_t n)
{
	uint8_t *p = malloc(n);

	ck_assert_ptr_nonnull(p);
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(i * 7 + i / 251);
	return p;
}

static inline void
drop(struct session *s, int peer)
{
	if (peer >= 0)
		close(peer);
	outbox_flush_touched();
	session_unref(s);
}

#endif
