/* SPDX-License-Identifier: MIT */
#include "store/gate.h"

#include <limits.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

void
gate_init(struct gate *g)
{
	atomic_init(&g->turn, 0);
}

uint32_t
gate_turn(struct gate *g)
{
	return atomic_load(&g->turn);
}

void
gate_wait(struct gate *g, uint32_t turn)
{
	/* It returns at once when turn is over, and sometimes without reason. */
	while (atomic_load(&g->turn) == turn)
		(void)syscall(SYS_futex, &g->turn, FUTEX_WAIT_PRIVATE, turn, NULL, NULL,
			      0);
}

void
gate_open(struct gate *g)
{
	atomic_fetch_add(&g->turn, 1);
}

void
gate_wake(struct gate *g)
{
	(void)syscall(SYS_futex, &g->turn, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}
