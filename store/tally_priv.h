/* SPDX-License-Identifier: MIT
 *
 * tally_priv.h - between tally.c and check_chats.c.
 */
#ifndef STORE_TALLY_PRIV_H
#define STORE_TALLY_PRIV_H

#include "store/store_priv.h"
#include "store/tally.h"

/* The chat that a file in tallies/ belongs to.  Q_FORMAT: it is not named so. */
enum qerr tally_file_parse(const char *file, uint64_t *chat);
/* Is it good?  Q_MISSING, Q_FORMAT, Q_DENIED, Q_NOMEM, Q_SYS. */
enum qerr tally_examine(struct store *s, const char *file);

#endif
