/* SPDX-License-Identifier: MIT
 *
 * positions_priv.h - between positions.c and check_media.c.
 */
#ifndef STORE_POSITIONS_PRIV_H
#define STORE_POSITIONS_PRIV_H

#include "store/positions.h"
#include "store/store_priv.h"

/* Is queue/FILE good?  Q_MISSING, Q_FORMAT, Q_DENIED, Q_NOMEM, Q_SYS. */
enum qerr positions_examine(struct store *s, const char *file);

#endif
