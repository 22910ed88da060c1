/* SPDX-License-Identifier: MIT
 *
 * screen.h - the front for a person at a terminal: the full screen.
 *
 * One poll(2) for keys, signals and the network, as in plain.h.  The terminal is given
 * back however it ends.
 */
#ifndef CLIENT_SCREEN_H
#define CLIENT_SCREEN_H

#include "client/client.h"

/* Can the terminal show it?  Q_MISSING: no; why says what it lacks. */
enum qerr screen_able(struct why *why);
/* As plain_run; bell: ring when something comes while nobody looks. */
enum qerr screen_run(const struct target *target, const struct client_protocol *protocol,
		     const struct client_login *login, bool bell, struct why *why);

#endif
