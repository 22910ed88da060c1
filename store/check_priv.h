/* SPDX-License-Identifier: MIT
 *
 * check_priv.h - between check.c and check_log.c.
 */
#ifndef STORE_CHECK_PRIV_H
#define STORE_CHECK_PRIV_H

#include "store/check.h"
#include "store/store_priv.h"

struct check {
	struct store *store;
	bool repair;
	void (*say)(void *arg, const char *sentence);
	void *arg;
	struct check_result *result;
};

/* Tell a problem.  No lock may be held. */
void check_say(struct check *c, bool repaired, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The log in messages/CHAT.log. */
void check_log(struct check *c, const char *chat);

#endif
