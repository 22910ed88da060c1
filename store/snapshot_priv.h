/* SPDX-License-Identifier: MIT
 *
 * snapshot_priv.h - between snapshot.c, snapshot_read.c and store.c.
 */
#ifndef STORE_SNAPSHOT_PRIV_H
#define STORE_SNAPSHOT_PRIV_H

#include "store/snapshot.h"
#include "store/store_priv.h"

#define SNAPSHOT_FOLDER "snapshot"
/* "SIZE FOLDER/NAME" NUL, or "0 FOLDER/" NUL before what is in the folder. */
#define SNAPSHOT_LIST "list"

/* Remove DIR/snapshot, as far as that can be done; dir is DIR. */
void snapshot_remove(int dir);
/* The store was opened: remove what a killed reader has left, not what one is reading. */
void snapshot_clear(struct store *s);

#endif
