/* SPDX-License-Identifier: MIT
 *
 * transfer_meter.h - how fast a file travels, and how long it still takes.  Pure.
 */
#ifndef CLIENT_TRANSFER_METER_H
#define CLIENT_TRANSFER_METER_H

#include <stdbool.h>
#include <stdint.h>

#define TRANSFER_METER_MS 500 /* between two looks */

struct transfer_meter {
	int64_t looked_ms;     /* when done was looked at last */
	uint64_t looked_bytes; /* and what it was */
	uint64_t rate;         /* bytes a second; 0: not known */
	bool known;
};

void transfer_meter_begin(struct transfer_meter *m, int64_t now_ms);
/* When a look is due. */
int64_t transfer_meter_due(const struct transfer_meter *m);
/* So many bytes have gone in all.  True: a look was due, and there is something to tell. */
bool transfer_meter_look(struct transfer_meter *m, uint64_t done, int64_t now_ms);
/* Until left more bytes have gone; -1: not known. */
int64_t transfer_meter_left_ms(const struct transfer_meter *m, uint64_t left);

#endif
