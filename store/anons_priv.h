/* SPDX-License-Identifier: MIT
 *
 * anons_priv.h - the files of anons.c, for "server check" as well.
 */
#ifndef STORE_ANONS_PRIV_H
#define STORE_ANONS_PRIV_H

#include "store/anons.h"

#define ANON_FILE_MAX (4 * (ANON_TITLE_MAX + ANON_TEXT_MAX) + 1024) /* all escaped */

/* To bytes and back.  A removed one has author "". */
enum qerr anon_encode(const struct anon *a, struct buf *out);
enum qerr anon_decode(struct span text, struct anon *out);

#endif
