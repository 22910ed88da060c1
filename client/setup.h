/* SPDX-License-Identifier: MIT
 *
 * setup.h - from the command line, the files of settings and, the first time, a person's
 * answers to what is wanted (struct options, complete).
 */
#ifndef CLIENT_SETUP_H
#define CLIENT_SETUP_H

#include "client/options.h"
#include "client/profile.h"

struct setup {
	struct settings settings; /* options borrow from it */
	char profile[NAME_SIZE];  /* the one in use, or to be remembered; "": none */
	bool remember;            /* once it is known that the server is there */
	bool enrol;               /* the user is new there: before the login */
};

/* Fill in what o does not say; asks when it must and can.  Q_FORMAT: like a mistake on
 * the command line. */
enum qerr setup_run(struct setup *s, struct options *o, const struct profile *profile,
		    struct why *why);
/* Write the profile, and make it the default when there is none; nothing to do when it
 * is not to be remembered. */
enum qerr setup_remember(struct setup *s, const struct options *o,
			 const struct profile *profile, struct why *why);
/* --list-profiles, on standard output. */
enum qerr setup_list(const struct profile *profile, struct why *why);

#endif
