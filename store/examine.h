/* SPDX-License-Identifier: MIT
 *
 * examine.h - for "server check": is the file, or entry, as we write it?  Q_FORMAT:
 * no; Q_MISSING, Q_DENIED, Q_NOMEM, Q_SYS: nobody knows.
 */
#ifndef STORE_EXAMINE_H
#define STORE_EXAMINE_H

#include "store/store.h"

enum qerr tokens_examine(struct store *s, const char *file);
enum qerr chatkeys_examine(struct store *s, const char *file);
enum qerr restrictions_examine(struct store *s, const char *file);

#endif
