/* SPDX-License-Identifier: MIT
 *
 * users.h - who exists: one "key: value" file a user, one PEM file a key.
 *
 *   users/alice                  pems/alice.pem         uins/2893471113
 *     quintet-user: 1              -----BEGIN PUBLIC      alice
 *     name: Alice
 *     uin: 2893471113
 *     created: 1763718000123
 *     password: $y$j9T$...         (absent: no password)
 *     email: ...  fullname: ...  dob: ...  gender: ...   (absent: not known)
 *     check: 5d1f3a2b              (CRC-32 of the lines above)
 *
 * Values are UTF-8 text; control characters and '\' are written as \xNN.
 * Files are named by the folded name.  A file NAME.pem dropped into pems/ (in
 * any case of letters) makes a user at once: users_get finds no user file but
 * users_find_pem does, and the caller, who can read keys, calls users_adopt.  Of
 * several spellings the folded one counts, else the first in byte order.
 *
 * Reads go to the file each time; one mutex orders the writers.  Any thread.
 */
#ifndef STORE_USERS_H
#define STORE_USERS_H

#include <stdint.h>
#include <sys/stat.h>

#include "base/name.h"
#include "store/store.h"

#define USER_PASSWORD_MAX 384 /* bytes of a crypt(3) hash */
#define USER_EMAIL_MAX    256
#define USER_FULLNAME_MAX 256
#define USER_FIELD_MAX    32

struct user {
	char name[NAME_SIZE]; /* as registered */
	uint32_t uin;         /* never 0 once stored */
	int64_t created_ms;
	char password[USER_PASSWORD_MAX + 1]; /* hash, or "" */
	char email[USER_EMAIL_MAX + 1];
	char fullname[USER_FULLNAME_MAX + 1];
	char dob[USER_FIELD_MAX + 1];
	char gender[USER_FIELD_MAX + 1];
};

/* Identifies one state of a file, so that a cache of parsed keys can tell a
 * change without reading it. */
struct file_stamp {
	uint64_t inode;
	int64_t size;
	int64_t mtime_ns;
};

/* Pure codec of the user file: for users.c, its tests and the fuzzer. */
enum qerr user_encode(const struct user *u, struct buf *out);
/* Q_FORMAT: damaged (check does not match), or a value breaks its rule. */
enum qerr user_decode(struct span text, struct user *out);

/* The user file of name (any case).  Q_MISSING; Q_FORMAT: the file is damaged
 * (it has been set aside under bad/ and reported; the user then counts as
 * missing until made anew or adopted from the PEM); Q_SYS. */
enum qerr users_get(struct store *s, const char *name, struct user *out);
/* Make a user with u's fields.  u->uin is chosen and filled in: from
 * fingerprint (SHA-256 of the key's SubjectPublicKeyInfo) as nodes' page says
 * ("UINs"), or at random when fingerprint is NULL.  u->created_ms is filled in
 * when 0.  pem (may be empty) is stored as the user's key in the same step:
 * either both are there afterwards or neither.  Q_EXISTS: the name is taken,
 * also by a PEM alone; Q_FORMAT: a field breaks its rule; Q_LIMIT: pem is above
 * 16 KiB; Q_FULL, Q_DENIED, Q_NOMEM, Q_SYS: there is no such user. */
enum qerr users_add(struct store *s, struct user *u, struct span pem,
		    const uint8_t fingerprint[32]);
/* The same for somebody who signs up with an e-mail address, which no other user may
 * have: of two who come at once one wins.  Q_EXISTS: *taken says which. */
enum user_taken { USER_TAKEN_NAME, USER_TAKEN_EMAIL };
enum qerr users_signup(struct store *s, struct user *u, enum user_taken *taken);
/* The name of the user who has this e-mail address, in any case of letters.  Q_MISSING;
 * Q_NOMEM, Q_SYS. */
enum qerr users_by_email(struct store *s, const char *email, char name[NAME_SIZE]);
/* A PEM that was dropped in gets its user file; nothing but the UIN is new.
 * u->name is the name as the PEM's file is spelled.  Q_EXISTS: it has one. */
enum qerr users_adopt(struct store *s, struct user *u, const uint8_t fingerprint[32]);
/* Replace the fields of an existing user (name and uin stay).  Another password ends all
 * tokens (tokens.h).  Q_MISSING. */
enum qerr users_update(struct store *s, const struct user *u);
/* Remove user file, PEM, UIN, e-mail address, tokens, chat keys and restrictions.
 * Q_MISSING. */
enum qerr users_remove(struct store *s, const char *name);
/* The name that has this UIN.  Q_MISSING. */
enum qerr users_by_uin(struct store *s, uint32_t uin, char name[NAME_SIZE]);
/* Call each(arg, name) for every user in folded name order: those with a user
 * file (spelled as registered) and those with a PEM alone.  No lock is held
 * during the calls; each returns false to stop.  Q_OK, Q_NOMEM, Q_SYS. */
enum qerr
users_each(struct store *s, bool (*each)(void *arg, const char *name), void *arg);

/* ---- public keys ---- */
/* Append name's PEM to pem and tell its stamp.  spelled (may be NULL) gets the
 * name as the file has it.  Q_MISSING, Q_LIMIT (above 16 KiB), Q_SYS. */
enum qerr users_find_pem(struct store *s, const char *name, struct buf *pem,
			 struct file_stamp *stamp, char spelled[NAME_SIZE]);
/* The stamp alone: one stat(2). */
enum qerr users_stamp_pem(struct store *s, const char *name, struct file_stamp *stamp);
/* Replace name's PEM (a user's new key; the UIN stays), under the folded name;
 * other spellings go.  Q_MISSING: no such user; Q_FORMAT: empty; Q_LIMIT. */
enum qerr users_put_pem(struct store *s, const char *name, struct span pem);

#endif
