/* SPDX-License-Identifier: MIT
 *
 * accounts.h - users as logins need them: by name, with their key parsed.
 *
 * Keys are cached with the stamp of their PEM file, so that a file that is
 * dropped in, replaced or removed counts from the next login on, and a login
 * costs one stat(2) instead of parsing.  The cache has a bound.  Any thread.
 */
#ifndef SERVER_ACCOUNTS_H
#define SERVER_ACCOUNTS_H

#include "crypto/key.h"
#include "store/users.h"

struct accounts;

enum qerr accounts_new(struct store *store, struct accounts **out);
void accounts_free(struct accounts *a); /* NULL is fine */

/* The registered spelling and the key of the user that name (any case) means; a
 * PEM seen for the first time gets its user file and UIN here.  The caller frees
 * *key.  Q_MISSING: no such user, or one without key; Q_FORMAT: the PEM is no
 * usable key (logged); Q_NOMEM, Q_SYS. */
enum qerr accounts_key(struct accounts *a, const char *name, char registered[NAME_SIZE],
		       struct key **key);
/* The user's record; adopts as above.  Q_MISSING, Q_SYS. */
enum qerr accounts_get(struct accounts *a, const char *name, struct user *out);
/* Make a user with this key (key may be NULL: pem is then empty).  Q_EXISTS. */
enum qerr
accounts_add(struct accounts *a, struct user *u, struct span pem, const struct key *key);

#endif
