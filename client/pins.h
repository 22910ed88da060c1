/* SPDX-License-Identifier: MIT
 *
 * pins.h - whose key was which: the long-term keys of partners, pinned at first
 * use for each of our own names on each server.  Below the profile's folder:
 *
 *	pins/CA/alice/bob	what alice knows of bob's key at the server whose CA's
 *				certificate has the fingerprint CA (64 hex digits)
 *
 *	key AB:CD:...		SHA-256 over SubjectPublicKeyInfo
 *	verified yes		the two have compared it
 *	refused 12:34:...	another one that was shown since, and was not accepted
 *
 * A server is its CA, not its address: it keeps its pins when it moves.  A file a
 * person, replaced in one step, so that several clients may run at once.  Names are
 * folded (base/name.h).  Functions may block on the disk; one thread at a time.
 */
#ifndef CLIENT_PINS_H
#define CLIENT_PINS_H

#include <stdbool.h>

#include "base/name.h"
#include "client/profile.h"
#include "crypto/cert.h"

struct pins;

struct pin {
	char key[FINGERPRINT_SIZE];
	char refused[FINGERPRINT_SIZE]; /* "": none */
	bool verified;
};

/* What user knows at the server with this CA.  Errors as profile_open. */
enum qerr pins_open(const struct profile *p, const struct cert *ca, const char *user,
		    struct pins **out, struct why *why);
void pins_close(struct pins *p); /* NULL is fine */

/* Q_MISSING: never seen; Q_FORMAT: the file is damaged, and says nothing. */
enum qerr
pins_get(const struct pins *p, const char *name, struct pin *out, struct why *why);
/* Q_OK: it is the pinned key; *out is what is known.  Q_MISSING: there is none yet.
 * Q_DENIED: another one is pinned, and *out says so; key is kept as refused.  Else
 * nothing can be said, and the key must not be trusted; why is a sentence. */
enum qerr pins_check(const struct pins *p, const char *name,
		     const char key[FINGERPRINT_SIZE], struct pin *out, struct why *why);
/* Pin the key of name, in place of all that was known. */
enum qerr pins_set(const struct pins *p, const char *name,
		   const char key[FINGERPRINT_SIZE], struct why *why);
/* The pinned key is, or is not any longer, known to be theirs.  Q_MISSING: no key is
 * pinned, or another one. */
enum qerr pins_verify(const struct pins *p, const char *name,
		      const char key[FINGERPRINT_SIZE], bool verified, struct why *why);
/* Pin the key that was refused last; *was is what was known before.  Q_MISSING: none
 * was refused. */
enum qerr
pins_accept(const struct pins *p, const char *name, struct pin *was, struct why *why);

#endif
