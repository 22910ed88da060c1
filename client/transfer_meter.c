/* SPDX-License-Identifier: MIT
 *
 * The rate is smoothed: a look counts for a third, so it follows a network that has
 * become slower within two seconds, and does not jump with every burst.
 */
#include "client/transfer_meter.h"

void
transfer_meter_begin(struct transfer_meter *m, int64_t now_ms)
{
	*m = (struct transfer_meter){.looked_ms = now_ms};
}

int64_t
transfer_meter_due(const struct transfer_meter *m)
{
	return m->looked_ms + TRANSFER_METER_MS;
}

bool
transfer_meter_look(struct transfer_meter *m, uint64_t done, int64_t now_ms)
{
	int64_t passed = now_ms - m->looked_ms;
	uint64_t rate;

	if (passed < TRANSFER_METER_MS)
		return false;
	rate = (done - m->looked_bytes) * 1000 / (uint64_t)passed;
	m->rate = m->known ? (2 * m->rate + rate) / 3 : rate;
	m->known = true;
	m->looked_ms = now_ms;
	m->looked_bytes = done;
	return true;
}

int64_t
transfer_meter_left_ms(const struct transfer_meter *m, uint64_t left)
{
	if (m->rate == 0 || left / m->rate > INT64_MAX / 2000)
		return -1;
	return (int64_t)(left / m->rate * 1000 + left % m->rate * 1000 / m->rate);
}
