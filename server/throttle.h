/* SPDX-License-Identifier: MIT
 *
 * throttle.h - failures, counted the same way for all protocols (docs/protocols/README.md,
 * "Fair limits"): failed logins per user and address, and per address alone.  What may be
 * done how often is limits.h's.
 *
 * The table has a fixed size; what was not touched longest is forgotten first,
 * so nobody can make it grow.  Any thread; one mutex, never held long.
 */
#ifndef SERVER_THROTTLE_H
#define SERVER_THROTTLE_H

#include "server/session.h"

struct throttle;

enum qerr throttle_new(struct throttle **out);
void throttle_free(struct throttle *t); /* NULL is fine */

/* A login of user from a failed.  Returns for how many milliseconds the answer
 * has to wait: 0 for the first limits.login_failures, then 500 doubling to
 * 8000; trusted addresses never wait. */
int throttle_login_failed(struct throttle *t, const char *user, const struct address *a);
/* The delay that would apply now, without counting. */
int throttle_login_delay(struct throttle *t, const char *user, const struct address *a);
/* How much of the delay that the last failure cost is still to come, in milliseconds: for
 * protocols that refuse meanwhile instead of waiting. */
int throttle_login_left(struct throttle *t, const char *user, const struct address *a);
void throttle_login_ok(struct throttle *t, const char *user, const struct address *a);
/* Worker: wait ms before an answer; at most 64 wait at a time.  False: too many
 * wait already, close instead. */
bool throttle_wait(struct throttle *t, struct session *s, int ms);

/* Failures of another kind: how many of what ("rooms", ...) were counted for a user
 * (NULL: for anybody) from an address (NULL: from anywhere) within window_ms of the first
 * one; count one more, and how many it is now; forget them. */
int64_t throttle_failures(struct throttle *t, const char *what, const char *user,
			  const struct address *a, int64_t window_ms);
int64_t throttle_fail(struct throttle *t, const char *what, const char *user,
		      const struct address *a, int64_t window_ms);
void throttle_forgive(struct throttle *t, const char *what, const char *user,
		      const struct address *a);

/* Is a in limits.trust? */
bool address_trusted(const struct address *a);

#endif
