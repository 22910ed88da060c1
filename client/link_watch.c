/* SPDX-License-Identifier: MIT */
#include "client/link_watch.h"

bool
link_watch_look(struct link_watch *w, int64_t now_ms, uint32_t unacked,
		uint32_t last_ack_ms)
{
	if (unacked == 0)
		w->since_ms = 0;
	else if (w->since_ms == 0)
		w->since_ms = now_ms;
	else if (now_ms - (int64_t)last_ack_ms > w->since_ms)
		w->since_ms = now_ms - (int64_t)last_ack_ms;
	return w->since_ms != 0 && now_ms - w->since_ms >= LINK_DEAD_MS;
}
