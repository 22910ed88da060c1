/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "store/record.h"
#include "store/store_priv.h"

#define SCRATCH_KEEP (256 * 1024)                /* bytes; larger ones are freed */
#define SCRATCH_MAX  (4 * (RECORD_LINE_MAX + 1)) /* a batch, or a few lines */

struct buf *
scratch_take(struct store *s)
{
	struct buf *b;

	for (size_t i = 0; i < SCRATCH_SLOTS; i++)
		if (atomic_load_explicit(&s->scratch[i], memory_order_relaxed) != NULL &&
		    (b = atomic_exchange(&s->scratch[i], NULL)) != NULL)
			return b;
	if ((b = malloc(sizeof(*b))) != NULL)
		*b = (struct buf)BUF_INIT(SCRATCH_MAX);
	return b;
}

void
scratch_give(struct store *s, struct buf *b)
{
	if (b == NULL)
		return;
	b->len = 0;
	for (size_t i = 0; b->cap <= SCRATCH_KEEP && i < SCRATCH_SLOTS; i++) {
		struct buf *none = NULL;

		if (atomic_load_explicit(&s->scratch[i], memory_order_relaxed) == NULL &&
		    atomic_compare_exchange_strong(&s->scratch[i], &none, b))
			return;
	}
	buf_free(b);
	free(b);
}

void
scratch_fini(struct store *s)
{
	for (size_t i = 0; i < SCRATCH_SLOTS; i++) {
		struct buf *b = atomic_exchange(&s->scratch[i], NULL);

		if (b != NULL)
			buf_free(b);
		free(b);
	}
}
