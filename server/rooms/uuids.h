/* SPDX-License-Identifier: MIT
 *
 * uuids.h - the uuids that connections of rooms have named themselves by: no two may
 * have the same one at a time, since keys are derived from it.  Any thread.
 */
#ifndef SERVER_ROOMS_UUIDS_H
#define SERVER_ROOMS_UUIDS_H

#include <bsd/sys/tree.h>
#include <stdbool.h>

#include "base/uuid.h"

/* Embedded in the connection's state; zeroed before the first use. */
struct uuids_entry {
	struct uuid id;
	bool in;                     /* [uuids] */
	RB_ENTRY(uuids_entry) by_id; /* [uuids] */
};

/* Take id for e, which has none.  Q_EXISTS: another one has it. */
enum qerr uuids_take(struct uuids_entry *e, const struct uuid *id);
/* Give it back; without one: nothing. */
void uuids_give(struct uuids_entry *e);

#endif
