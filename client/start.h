/* SPDX-License-Identifier: MIT
 *
 * start.h - from what is wanted to a running front: which server it must be, with which
 * key or password, what is known of people's keys, what is kept.
 */
#ifndef CLIENT_START_H
#define CLIENT_START_H

#include "client/setup.h"

/* Do o->task, to log in or to enrol.  Blocks until it is over.  Q_OK: as was wanted;
 * with an empty why: as plain_run says; else why is a sentence. */
enum qerr start_run(struct setup *s, struct options *o, const struct profile *profile,
		    struct why *why);

#endif
