/* SPDX-License-Identifier: MIT
 *
 * token_owners.h - whose token is it?  What connects to rooms or board brings a token
 * without a user, and the store keeps tokens by user.  What is found is a hint, to be
 * checked (tokens_check): it may have been revoked since.  Any thread, no lock held.
 */
#ifndef SERVER_TOKEN_OWNERS_H
#define SERVER_TOKEN_OWNERS_H

#include "base/name.h"
#include "store/tokens.h"

/* It was issued to that user. */
void token_owners_add(const struct token_id *id, const char *user);
/* Q_MISSING; Q_NOMEM, Q_CRYPTO, Q_SYS.  The first time, and now and then, it reads all
 * tokens of the store. */
enum qerr token_owners_find(struct store *store, struct span token, char user[NAME_SIZE]);
/* Forget all.  Nobody uses it any more. */
void token_owners_clear(void);

#endif
