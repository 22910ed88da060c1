/* SPDX-License-Identifier: MIT
 *
 * users_priv.h - what users.c, uins.c, pems.c and check share.
 */
#ifndef STORE_USERS_PRIV_H
#define STORE_USERS_PRIV_H

#include "store/store_priv.h"
#include "store/users.h"

#define PEM_SUFFIX    ".pem"
#define PEM_FILE_SIZE (sizeof(".new-") + NAME_MAX_LEN + sizeof(PEM_SUFFIX))
#define PEM_MAX       (16 * 1024)
#define USER_FILE_MAX 8192

/* ---- users.c ---- */
/* The user file of a folded name, left where it is when it is damaged
 * (Q_FORMAT).  Q_MISSING, Q_SYS, ... */
enum qerr user_load(struct store *s, const char *folded, struct user *out);

/* ---- uins.c; the users lock is held by those who change something ---- */
/* Choose a UIN for name, which has none, and write uins/N. */
enum qerr
uin_claim(struct store *s, const char *name, const uint8_t *fingerprint, uint32_t *uin);
/* Remove uins/N when it names this user. */
enum qerr uin_release(struct store *s, uint32_t uin, const char *name);
/* The name that uins/N says, which may be out of date. */
enum qerr uin_read(struct store *s, uint32_t uin, char name[NAME_SIZE]);
/* Is uins/N, which says name, of no use to that user? */
bool uin_is_stale(struct store *s, uint32_t uin, const char *name);
enum qerr uin_write(struct store *s, uint32_t uin, const char *name);

/* ---- emails.c; the users lock is held ---- */
#define EMAIL_FILE_SIZE 65 /* SHA-256 in hex */
/* Write down that name has the address ("": nothing to do).  Q_EXISTS: another has it;
 * Q_FORMAT: it is not UTF-8. */
enum qerr email_claim(struct store *s, const char *email, const char *name);
enum qerr email_release(struct store *s, const char *email, const char *name);
/* For "server check".  Q_FORMAT: it says of somebody what is not so. */
enum qerr email_examine(struct store *s, const char *file);

/* ---- pems.c ---- */
/* How the file of a folded name is spelled.  Q_MISSING, Q_NOMEM, Q_SYS. */
enum qerr pem_spelling(struct store *s, const char *folded, char spelled[NAME_SIZE]);
/* The user name in the name of a PEM file.  Q_FORMAT: it is none. */
enum qerr pem_file_user(const char *file, char name[NAME_SIZE]);
/* Write a key where nobody sees it, show it, or take it back. */
enum qerr pem_prepare(struct store *s, const char *folded, struct span pem);
enum qerr pem_show(struct store *s, const char *folded);
void pem_withdraw(struct store *s, const char *folded);
/* Finish or undo what a kill left between the two. */
void pem_recover(struct store *s);
/* Remove all spellings, but not the folded one when keep_folded is set.
 * Q_MISSING: there was none. */
enum qerr pem_remove(struct store *s, const char *folded, bool keep_folded);

#endif
