/* SPDX-License-Identifier: MIT
 *
 * front_run.h - the right front: the full screen for a person at a terminal that can
 * show it, lines for everybody else.
 */
#ifndef CLIENT_FRONT_RUN_H
#define CLIENT_FRONT_RUN_H

#include "client/client.h"

struct front_wish {
	bool plain; /* lines, also in a terminal */
	bool bell;  /* ring when something comes while nobody looks */
};

/* As plain_run. */
enum qerr front_run(const struct target *target, const struct client_protocol *protocol,
		    const struct client_login *login, const struct front_wish *wish,
		    struct why *why);

#endif
