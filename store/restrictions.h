/* SPDX-License-Identifier: MIT
 *
 * restrictions.h - who is banned or muted: one small file for each user who is.
 *
 *   restrictions/bob
 *     quintet-restrictions: 1
 *     ban-since: 1763718000123
 *     ban-until: 1763725200123     (absent: until it is lifted)
 *     ban-reason: pushed the plug  (absent: none was given)
 *     mute-since: ...
 *     check: 5d1f3a2b
 *
 * Times are wall clock, ms.  What has lapsed may stay in the file: whoever asks compares
 * with the clock, so nothing has to happen at that moment.
 *
 * Damage fails closed: a file that cannot be believed says Q_FORMAT and stays where it is,
 * and the user counts as banned (server/moderation.h) until a person decides.  The other
 * way round a bad disk would let in whom a teacher had sent out, and nobody would notice.
 */
#ifndef STORE_RESTRICTIONS_H
#define STORE_RESTRICTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/name.h"
#include "store/store.h"

enum restriction_kind { RESTRICTION_BAN, RESTRICTION_MUTE, RESTRICTION_KINDS };

#define RESTRICTION_REASON_MAX 200 /* bytes: fits every protocol's way to say it */

struct restriction {
	bool set;
	int64_t since_ms;
	int64_t until_ms;                        /* 0: until it is lifted */
	char reason[RESTRICTION_REASON_MAX + 1]; /* UTF-8, or "" */
};

struct restrictions {
	struct restriction of[RESTRICTION_KINDS];
};

/* Does it hold at that time? */
bool restriction_holds(const struct restriction *r, int64_t now_ms);

/* What user (any case) is restricted in; none of it set when there is no file.  Q_FORMAT:
 * damaged, and still there, or not a name; Q_NOMEM, Q_SYS, Q_DENIED. */
enum qerr restrictions_load(struct store *s, const char *user, struct restrictions *out);
/* Set one kind, or lift it (r NULL).  The other one stays, unless it has lapsed; a file
 * that says nothing goes.  A file that is damaged or cannot be read is set aside for a ban
 * set or lifted, and is Q_FORMAT for a mute: that must not end the ban that it may have
 * been.  Q_FULL,
 * Q_NOMEM, Q_SYS: nothing has changed. */
enum qerr restrictions_change(struct store *s, const char *user,
			      enum restriction_kind kind, const struct restriction *r);
/* The user is gone. */
enum qerr restrictions_remove(struct store *s, const char *user);
/* Call each(arg, folded name) for every user who has a file; false stops.  No lock is
 * held.  Q_OK, Q_NOMEM, Q_SYS. */
enum qerr
restrictions_each(struct store *s, bool (*each)(void *arg, const char *user), void *arg);

#endif
