/* SPDX-License-Identifier: MIT
 *
 * tokens.h - what stands for a password that was right: rooms' AUTH_TOKEN, the board's
 * logins.  Only SHA-256 of a token is kept, so a copy of the files logs nobody in.
 *
 *   DIR/tokens/NAME     (the folded name)
 *	quintet-tokens: 1
 *	HASH KIND MADE EXPIRES    64 hex digits; a word; milliseconds since 1970
 *	...                       oldest first
 *	check: CCCCCCCC           CRC-32 of the lines above
 *
 * Replaced by rename and forced to the disk.  A damaged file is set aside, reported, and
 * taken for none: its user logs in anew.  Any thread; may block on the disk.
 */
#ifndef STORE_TOKENS_H
#define STORE_TOKENS_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/hash.h"
#include "store/store.h"

#define TOKEN_LEN     43 /* characters: 256 random bits as base64url, unpadded */
#define TOKEN_SIZE    (TOKEN_LEN + 1)
#define TOKENS_A_USER 16 /* of each kind; the oldest goes */

enum token_kind { TOKEN_ROOMS, TOKEN_BOARD };

/* What a token is known by: SHA-256 of its text. */
struct token_id {
	uint8_t hash[SHA256_LEN];
};

/* Make a token that is good until expires_ms.  out is a secret.  id may be NULL.
 * Q_FORMAT: not a name; Q_FULL, Q_DENIED, Q_NOMEM, Q_CRYPTO, Q_SYS: there is no new
 * one. */
enum qerr tokens_issue(struct store *s, const char *user, enum token_kind kind,
		       int64_t expires_ms, char out[TOKEN_SIZE], struct token_id *id);
/* Is it one of the user's, at now_ms?  The time it takes does not tell how much of it
 * is right.  Q_OK: *id (may be NULL) is filled.  Q_MISSING: no; Q_TIMEOUT: it was;
 * Q_NOMEM, Q_CRYPTO, Q_SYS. */
enum qerr tokens_check(struct store *s, const char *user, enum token_kind kind,
		       struct span token, int64_t now_ms, struct token_id *id);
/* The same, and until when it is good. */
enum qerr
tokens_find(struct store *s, const char *user, enum token_kind kind, struct span token,
	    int64_t now_ms, struct token_id *id, int64_t *expires_ms);
/* What token is known by, if it is one.  Q_NOMEM, Q_CRYPTO. */
enum qerr token_id_of(struct span token, struct token_id *id);
/* Call each(arg, user, id) for every token of that kind in the store, also those that
 * have expired; user is the folded name.  A file that cannot be read is passed over.  No
 * lock is held; false stops.  Q_NOMEM, Q_SYS. */
enum qerr
tokens_each(struct store *s, enum token_kind kind,
	    bool (*each)(void *arg, const char *user, const struct token_id *id),
	    void *arg);
/* From here on it is none.  Q_OK also when it was none; Q_FULL, Q_DENIED, Q_NOMEM,
 * Q_SYS: it still is one. */
enum qerr tokens_revoke(struct store *s, const char *user, const struct token_id *id);
/* The same for all tokens of the user, of every kind: a new password, a removal
 * (users_remove calls it). */
enum qerr tokens_revoke_all(struct store *s, const char *user);

#endif
