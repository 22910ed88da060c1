/* SPDX-License-Identifier: MIT
 *
 * profile.h - what a person keeps between two runs, below
 * $XDG_CONFIG_HOME/quintet (default ~/.config/quintet), for nobody else's eyes:
 *
 *   keys/alice.pem               a private key a user name (folded), for any
 *                                number of servers
 *   servers/localhost:9034.pem   the CA of each server, pinned
 *   last-user                    who ran the client last
 *
 * Functions that fail fill why with a sentence.  They block on the disk.
 */
#ifndef CLIENT_PROFILE_H
#define CLIENT_PROFILE_H

#include <stdbool.h>

#include "base/name.h"
#include "client/target.h"
#include "crypto/cert.h"

struct profile;

/* Makes the folders.  Q_MISSING: no home is known; Q_DENIED, Q_SYS, Q_FULL. */
enum qerr profile_open(struct profile **out, struct why *why);
void profile_close(struct profile *p); /* NULL is fine */

bool profile_has_key(const struct profile *p, const char *user);
/* Append the key's file to pem, a secret: buf_wipe it.  Q_MISSING; Q_DENIED:
 * also when others may read it. */
enum qerr profile_read_key(const struct profile *p, const char *user, struct buf *pem,
			   struct why *why);
/* Never over another one: Q_EXISTS. */
enum qerr profile_add_key(const struct profile *p, const char *user, struct span pem,
			  struct why *why);

/* The pinned CA.  Q_MISSING: this server is not known; Q_FORMAT. */
enum qerr profile_ca(const struct profile *p, const struct target *server,
		     struct cert **out, struct why *why);
/* Pin it, in place of an older one. */
enum qerr profile_pin_ca(const struct profile *p, const struct target *server,
			 struct span pem, struct why *why);

/* Q_MISSING: nobody yet. */
enum qerr profile_last_user(const struct profile *p, char out[NAME_SIZE]);
enum qerr
profile_set_last_user(const struct profile *p, const char *user, struct why *why);

#endif
