/* SPDX-License-Identifier: MIT
 *
 * profile.h - what a person keeps between two runs, below
 * $XDG_CONFIG_HOME/quintet (default ~/.config/quintet), for nobody else's eyes:
 *
 *   keys/alice.pem               a private key a user name (folded), for any
 *                                number of servers
 *   servers/localhost:9034.pem   the CA of each server, pinned
 *   last-user                    who ran the client last
 *   pins/, history/              see pins.h, history.h
 *   client.conf                  defaults (settings.h), made by people alone
 *   profiles/home.conf           where to log in and as whom, by a name of one's own
 *   default-profile              the one that holds when nobody says another
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

/* Make and open the folder of that kind for user at the server with this CA; a
 * descriptor of the caller's. */
enum qerr profile_folder(const struct profile *p, const char *kind, const struct cert *ca,
			 const char *user, int *fd, struct why *why);

/* ---- settings; names of profiles obey base/name.h ---- */
/* Append client.conf.  Q_MISSING: there is none. */
enum qerr profile_defaults(const struct profile *p, struct buf *out, struct why *why);
/* Append the profile's file.  Q_MISSING: no such profile. */
enum qerr
profile_read(const struct profile *p, const char *name, struct buf *out, struct why *why);
enum qerr profile_write(const struct profile *p, const char *name, struct span content,
			struct why *why);
/* The names of all, sorted, each followed by a newline. */
enum qerr profile_names(const struct profile *p, struct buf *out, struct why *why);
/* Q_MISSING: none yet. */
enum qerr profile_default(const struct profile *p, char out[NAME_SIZE]);
enum qerr profile_set_default(const struct profile *p, const char *name, struct why *why);

#endif
