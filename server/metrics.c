/* SPDX-License-Identifier: MIT */
#include "server/metrics.h"

#include <assert.h>

static atomic_uint_fast64_t counters[METRIC_COUNT];

static const struct {
	const char *name, *doc;
} table[METRIC_COUNT] = {
#define X(name, doc) {#name, doc},
    METRICS(X)
#undef X
};

void
metric_add(enum metric m, uint64_t n)
{
	assert((unsigned)m < METRIC_COUNT);
	atomic_fetch_add_explicit(&counters[m], n, memory_order_relaxed);
}

uint64_t
metric_get(enum metric m)
{
	assert((unsigned)m < METRIC_COUNT);
	return atomic_load_explicit(&counters[m], memory_order_relaxed);
}

const char *
metric_name(enum metric m)
{
	assert((unsigned)m < METRIC_COUNT);
	return table[m].name;
}

const char *
metric_doc(enum metric m)
{
	assert((unsigned)m < METRIC_COUNT);
	return table[m].doc;
}
