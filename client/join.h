/* SPDX-License-Identifier: MIT
 *
 * join.h - what --enroll does: a key, the code, the server, the pin.
 */
#ifndef CLIENT_JOIN_H
#define CLIENT_JOIN_H

#include "client/ask.h"
#include "client/options.h"
#include "client/profile.h"

/* Enrol o->user at o->target and say on standard output how to go on.  A key
 * that the user has already is used again: one key for many servers.  program
 * is what the user types to start it.  why is a sentence. */
enum qerr join_run(const struct options *o, const struct profile *profile,
		   const struct ask_source *source, const char *program, struct why *why);
/* The user's key: --key, or the profile's.  Q_MISSING: there is none. */
enum qerr
join_load_key(const struct options *o, const struct profile *profile,
	      const struct ask_source *source, struct key **out, struct why *why);
/* The certificate in the file at path. */
enum qerr join_load_ca(const char *path, struct cert **out, struct why *why);

#endif
