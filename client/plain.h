/* SPDX-License-Identifier: MIT
 *
 * plain.h - the front in lines: commands and text from standard input, what
 * happens to standard output, each line with a fixed beginning
 * (docs/man/quintet-client.1, "OUTPUT").  For terminals and for scripts.
 *
 * One poll(2) for both sides: a person who does not type never keeps the
 * network waiting, and a server that does not read stops the reading of input.
 */
#ifndef CLIENT_PLAIN_H
#define CLIENT_PLAIN_H

#include "client/client.h"

/* Log in and talk until the end of the input, /quit, or the end of the
 * connection.  Q_OK: as was wanted; Q_DENIED with an empty why: logged out in
 * order, but a script's command had been refused; else why is the sentence to
 * end with. */
enum qerr plain_run(const struct target *target, const struct client_protocol *protocol,
		    const struct client_login *login, struct why *why);

#endif
