/* SPDX-License-Identifier: MIT
 *
 * passwords.h - users' passwords: checked, hashed and set.
 *
 * A hash costs 10 ms of a processor and 16 MiB on purpose (crypto/password.h), so
 * only as many threads hash at once as there are processors (2 to 4): those of a pool
 * (pool.h).  Who calls waits, in the order in which they came, for at most PASSWORDS_WAIT_MS, and at most
 * PASSWORDS_WAITING of them.  Any thread, no lock held; every function may wait.
 */
#ifndef SERVER_PASSWORDS_H
#define SERVER_PASSWORDS_H

#include "crypto/password.h"
#include "server/accounts.h"

/* A class of 500 that logs in at once must get in: some 5 s on one processor. */
#define PASSWORDS_WAIT_MS 20000
#define PASSWORDS_WAITING 1000

struct passwords;

/* accounts and store are borrowed. */
enum qerr
passwords_open(struct store *store, struct accounts *accounts, struct passwords **out);
void passwords_close(struct passwords *p); /* NULL is fine */

/* Is it user's password?  Q_OK; Q_DENIED: no, or there is no such user, or one
 * without password, all in the same time; Q_FULL: too many wait already; Q_TIMEOUT:
 * the wait was too long; Q_NOMEM, Q_SYS.  All but the first two mean: try later. */
enum qerr passwords_check(struct passwords *p, const char *user, struct span password);
/* The hash of a new password, for a user that is about to be made.  Q_FORMAT: not
 * password_valid; Q_FULL, Q_TIMEOUT, Q_NOMEM, Q_CRYPTO. */
enum qerr
passwords_hash(struct passwords *p, struct span password, char out[PASSWORD_HASH_SIZE]);
/* Give user a new password.  Who calls this ends the user's sessions.  Errors as
 * above, and Q_MISSING: there is no such user; Q_FULL (the disk, too), Q_SYS. */
enum qerr passwords_set(struct passwords *p, const char *user, struct span password);

#endif
