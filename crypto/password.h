/* SPDX-License-Identifier: MIT
 *
 * password.h - password hashes by crypt(3): yescrypt ("$y$") with the library's
 * default cost, about 16 MiB and some 10 ms each.  Slow on purpose: the caller
 * bounds how many run at once (server/passwords.h).  Any thread; holds no lock.
 */
#ifndef CRYPTO_PASSWORD_H
#define CRYPTO_PASSWORD_H

#include <stdbool.h>

#include "base/bytes.h"

#define PASSWORD_MIN       8   /* bytes */
#define PASSWORD_MAX       384 /* bytes */
#define PASSWORD_HASH_SIZE 384 /* with a NUL */

/* May this be a password?  Its length is right and it holds no NUL. */
bool password_valid(struct span password);
/* A fresh salt and the hash.  Q_FORMAT: not password_valid; Q_NOMEM; Q_CRYPTO. */
enum qerr password_hash(struct span password, char out[PASSWORD_HASH_SIZE]);
/* Does password have this hash?  Q_OK, Q_DENIED; Q_NOMEM.  With hash NULL or ""
 * (no such user, or one without password) it hashes all the same, against a hash
 * that nothing fits, and says Q_DENIED: both take the same time. */
enum qerr password_check(struct span password, const char *hash);

#endif
