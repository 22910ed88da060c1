/* SPDX-License-Identifier: MIT
 *
 * config_now.c - the current configuration: one atomic pointer.
 *
 * Readers take no lock and count no reference, so a superseded configuration
 * cannot be freed while the server runs.  It is a few kilobytes and a reload is
 * rare: all are kept in a list until the end.
 */
#include <stdatomic.h>

#include "server/config.h"

static _Atomic(struct config *) newest;

void
config_publish(struct config *c)
{
	c->older = atomic_load(&newest);
	/* Two reloads at once: both end up in the list, the later one on top. */
	while (!atomic_compare_exchange_weak(&newest, &c->older, c))
		continue;
}

const struct config *
config_now(void)
{
	return atomic_load_explicit(&newest, memory_order_acquire);
}

void
config_fini(void)
{
	struct config *c = atomic_exchange(&newest, NULL), *older;

	for (; c != NULL; c = older) {
		older = c->older;
		config_free(c);
	}
}
