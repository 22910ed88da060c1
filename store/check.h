/* SPDX-License-Identifier: MIT
 *
 * check.h - "server check": read everything, say what is wrong.
 */
#ifndef STORE_CHECK_H
#define STORE_CHECK_H

#include "store/store.h"

struct check_result {
	size_t users, keys, logs, records; /* read and found good */
	size_t problems;                   /* said through say() */
	size_t repaired;                   /* of these; set aside, never deleted */
};

/* Read every file of the open store.  say(arg, sentence) is called for each
 * problem.  With repair, damaged files are moved to DIR/bad/, damaged lines of
 * a log are copied there and the log is rewritten without them, leftovers of
 * interrupted replacements are moved too.  The caller makes sure that nothing
 * is being appended meanwhile when it asks for repair. */
enum qerr store_check(struct store *s, bool repair,
    void (*say)(void *arg, const char *sentence), void *arg, struct check_result *out);

#endif
