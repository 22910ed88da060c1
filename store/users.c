/* SPDX-License-Identifier: MIT
 *
 * Adding a user touches three folders, and a kill may come between any two
 * steps.  What counts is the order:
 *
 *   1. uins/N                 a number that belongs to nobody yet;
 *      emails/HASH            the same of an e-mail address
 *   2. pems/.new-NAME.pem     a key that no look-up sees
 *   3. users/NAME             from here on the user exists
 *   4. pems/.new-NAME.pem becomes pems/NAME.pem
 *
 * Killed before 3: no user.  The number is taken over by the next who wants it
 * (uins.c), and the next start moves the hidden key to bad/.  Killed before 4:
 * the next start does step 4 (users_recover).  A key in its place without a
 * user file would not do as a middle state: that is how an administrator drops
 * in a user, so somebody whose registration was cut off would exist after all,
 * without the password and the rest.
 *
 * Removing goes the other way round: first the keys, or the user would come
 * back as one who was dropped in.
 */
#include "store/users.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "store/chatkeys.h"
#include "store/file.h"
#include "store/restrictions.h"
#include "store/tokens.h"
#include "store/users_priv.h"

/* ---- one user's file ---- */

enum qerr
user_load(struct store *s, const char *folded, struct user *out)
{
	struct buf b = BUF_INIT(USER_FILE_MAX);
	char in_file[NAME_SIZE];
	struct user u;
	enum qerr e = file_read(s->fd[FOLDER_USERS], folded, &b);

	if (e == Q_OK)
		e = user_decode(buf_span(&b), &u);
	else if (e == Q_LIMIT)
		e = Q_FORMAT;
	if (e == Q_OK) {
		name_fold(u.name, in_file);
		if (strcmp(in_file, folded) != 0) /* a copy of another's file */
			e = Q_FORMAT;
	}
	if (e == Q_OK)
		*out = u;
	buf_wipe(&b);
	return e;
}

static enum qerr
user_text(const struct user *u, struct buf *out)
{
	*out = (struct buf)BUF_INIT(USER_FILE_MAX);
	return user_encode(u, out);
}

/* The same, setting a damaged file aside.  The users lock is held, so the file
 * that is moved is the one that was found damaged. */
static enum qerr
user_load_or_clear(struct store *s, const char *folded, struct user *out,
		   struct why *note)
{
	enum qerr e = user_load(s, folded, out);

	LOCK_ASSERT_HELD(&s->users);
	if (e == Q_FORMAT)
		(void)store_set_aside(s, FOLDER_USERS, folded, "damaged", note);
	return e;
}

enum qerr
users_get(struct store *s, const char *name, struct user *out)
{
	char folded[NAME_SIZE];
	struct why note = {""};
	enum qerr e;

	if (!name_valid(span_str(name)))
		return Q_MISSING;
	name_fold(name, folded);
	if ((e = user_load(s, folded, out)) != Q_FORMAT)
		return e;
	lock_take(&s->users);
	e = user_load_or_clear(s, folded, out, &note);
	lock_drop(&s->users);
	store_tell(s, &note);
	return e;
}

/* ---- changes ---- */

/* The part of step 1 about the address.  Q_LIMIT stands for one that is taken. */
static enum qerr
claim_email(struct store *s, const struct user *u, bool insist)
{
	enum qerr e = email_claim(s, u->email, u->name);

	if (e == Q_EXISTS)
		return insist ? Q_LIMIT : Q_OK;
	return e;
}

/* Steps 1 to 4 above. */
static enum qerr
add_locked(struct store *s, const char *folded, struct user *u, struct span pem,
	   const uint8_t *fingerprint, bool insist)
{
	struct buf text = BUF_INIT(0);
	int err;
	enum qerr e;

	if ((e = uin_claim(s, u->name, fingerprint, &u->uin)) != Q_OK)
		return e;
	if ((e = user_text(u, &text)) != Q_OK || (e = claim_email(s, u, insist)) != Q_OK)
		goto out;
	if (pem.len > 0 && (e = pem_prepare(s, folded, pem)) != Q_OK)
		goto out;
	e = file_create(s->fd[FOLDER_USERS], folded, buf_span(&text), 0600);
	if (e == Q_OK && pem.len > 0)
		e = pem_show(s, folded);
	/* Q_EXISTS: a file that is not ours, damaged and not to be moved. */
	if (e != Q_OK && e != Q_EXISTS) {
		err = errno;
		(void)file_remove(s->fd[FOLDER_USERS], folded);
		if (pem.len > 0)
			(void)pem_remove(s, folded, false);
		errno = err;
	}
out:
	if (e != Q_OK) {
		err = errno;
		pem_withdraw(s, folded);
		(void)email_release(s, u->email, u->name);
		(void)uin_release(s, u->uin, u->name);
		errno = err;
	}
	buf_wipe(&text);
	return e;
}

/* Is there no user file?  A damaged one makes room. */
static enum qerr
user_absent(struct store *s, const char *folded, struct why *note)
{
	struct user there;
	enum qerr e = user_load_or_clear(s, folded, &there, note);

	if (e == Q_OK)
		return Q_EXISTS;
	return e == Q_MISSING || e == Q_FORMAT ? Q_OK : e;
}

/* What users_add and its like have in common.  ADOPT: the key must be there, otherwise
 * it must not.  SIGNUP: no other user may have the address; Q_LIMIT when one has. */
enum way { ADD, ADOPT, SIGNUP };

static enum qerr
add(struct store *s, struct user *u, enum way way, struct span pem,
    const uint8_t *fingerprint)
{
	char folded[NAME_SIZE], spelled[NAME_SIZE];
	struct why note = {""};
	struct user made = *u;
	enum qerr e;

	if (!name_valid(span_of(u->name, strnlen(u->name, NAME_SIZE))))
		return Q_FORMAT;
	if (pem.len > PEM_MAX)
		return Q_LIMIT;
	name_fold(u->name, folded);
	if (made.created_ms == 0)
		made.created_ms = clock_wall_ms();
	lock_take(&s->users);
	e = user_absent(s, folded, &note);
	if (e == Q_OK) {
		e = pem_spelling(s, folded, spelled);
		if (way != ADOPT)
			e = e == Q_OK ? Q_EXISTS : e == Q_MISSING ? Q_OK : e;
	}
	if (e == Q_OK)
		e = add_locked(s, folded, &made, pem, fingerprint, way == SIGNUP);
	lock_drop(&s->users);
	store_tell(s, &note);
	if (e == Q_OK) {
		u->uin = made.uin;
		u->created_ms = made.created_ms;
	}
	explicit_bzero(&made, sizeof(made));
	return e;
}

enum qerr
users_add(struct store *s, struct user *u, struct span pem, const uint8_t fingerprint[32])
{
	return add(s, u, ADD, pem, fingerprint);
}

enum qerr
users_signup(struct store *s, struct user *u, enum user_taken *taken)
{
	enum qerr e = add(s, u, SIGNUP, span_of(NULL, 0), NULL);

	if (e == Q_EXISTS)
		*taken = USER_TAKEN_NAME;
	else if (e == Q_LIMIT)
		*taken = USER_TAKEN_EMAIL;
	return e == Q_LIMIT ? Q_EXISTS : e;
}

enum qerr
users_adopt(struct store *s, struct user *u, const uint8_t fingerprint[32])
{
	return add(s, u, ADOPT, span_of(NULL, 0), fingerprint);
}

/* A new password ends what the old one had allowed, before it counts: the other way
 * round a kill in between would leave tokens that nobody can end. */
static enum qerr
update_locked(struct store *s, const char *folded, const struct user *now,
	      const struct user *next, struct span text)
{
	bool moved = strcmp(now->email, next->email) != 0;
	enum qerr e = Q_OK;

	if (strcmp(now->password, next->password) != 0)
		e = tokens_revoke_all(s, folded);
	if (e == Q_OK && moved)
		e = claim_email(s, next, false);
	if (e == Q_OK)
		e = file_replace(s->fd[FOLDER_USERS], folded, text, 0600);
	if (e == Q_OK && moved) /* what is left behind is not believed */
		(void)email_release(s, now->email, now->name);
	/* And once more: who issues a token looks behind it whether the password is still
	 * the one that was shown. */
	if (e == Q_OK && strcmp(now->password, next->password) != 0)
		e = tokens_revoke_all(s, folded);
	return e;
}

enum qerr
users_update(struct store *s, const struct user *u)
{
	struct user now, next = *u;
	struct buf text = BUF_INIT(0);
	char folded[NAME_SIZE];
	struct why note = {""};
	enum qerr e;

	if (!name_valid(span_of(u->name, strnlen(u->name, NAME_SIZE))))
		return Q_MISSING;
	name_fold(u->name, folded);
	lock_take(&s->users);
	if ((e = user_load_or_clear(s, folded, &now, &note)) == Q_OK) {
		memcpy(next.name, now.name, NAME_SIZE);
		next.uin = now.uin;
		next.created_ms = now.created_ms;
		e = user_text(&next, &text);
	}
	if (e == Q_OK)
		e = update_locked(s, folded, &now, &next, buf_span(&text));
	lock_drop(&s->users);
	store_tell(s, &note);
	buf_wipe(&text);
	explicit_bzero(&now, sizeof(now));
	explicit_bzero(&next, sizeof(next));
	return e;
}

/* What a later user of that name must not have. */
static enum qerr
drop_personal(struct store *s, const char *folded)
{
	enum qerr e = tokens_revoke_all(s, folded);

	if (e == Q_OK)
		e = restrictions_remove(s, folded);
	return e == Q_OK ? chatkeys_remove(s, folded) : e;
}

static enum qerr
remove_locked(struct store *s, const char *folded)
{
	struct user u;
	enum qerr file = user_load(s, folded, &u);
	enum qerr key, e;

	/* Before, since after a kill in between nobody would come for them any more; and
	 * behind it, for those who looked meanwhile and found the user. */
	if ((e = drop_personal(s, folded)) != Q_OK)
		return e;
	key = pem_remove(s, folded, false);
	if (key != Q_OK && key != Q_MISSING)
		return key;
	e = file_remove(s->fd[FOLDER_USERS], folded);
	if (e != Q_OK && e != Q_MISSING)
		return e;
	if (e == Q_OK || key == Q_OK)
		(void)drop_personal(s, folded);
	if (e == Q_MISSING)
		return key;
	if (file != Q_OK)
		return Q_OK;
	explicit_bzero(u.password, sizeof(u.password));
	(void)email_release(s, u.email, folded);
	return uin_release(s, u.uin, folded);
}

enum qerr
users_remove(struct store *s, const char *name)
{
	char folded[NAME_SIZE];
	enum qerr e;

	if (!name_valid(span_str(name)))
		return Q_MISSING;
	name_fold(name, folded);
	lock_take(&s->users);
	e = remove_locked(s, folded);
	lock_drop(&s->users);
	return e;
}

static enum qerr
put_pem_locked(struct store *s, const char *folded, struct span pem)
{
	char spelled[NAME_SIZE];
	struct user u;
	enum qerr e = user_load(s, folded, &u);

	if (e == Q_MISSING || e == Q_FORMAT)
		e = pem_spelling(s, folded, spelled);
	if (e == Q_OK)
		e = pem_prepare(s, folded, pem);
	if (e == Q_OK && (e = pem_show(s, folded)) != Q_OK)
		pem_withdraw(s, folded);
	if (e != Q_OK)
		return e;
	/* The old key under another spelling counts no longer; away with it, or
	 * it would count again should the new one be removed by hand. */
	e = pem_remove(s, folded, true);
	return e == Q_MISSING ? Q_OK : e;
}

enum qerr
users_put_pem(struct store *s, const char *name, struct span pem)
{
	char folded[NAME_SIZE];
	enum qerr e;

	if (!name_valid(span_str(name)))
		return Q_MISSING;
	if (pem.len == 0)
		return Q_FORMAT;
	if (pem.len > PEM_MAX)
		return Q_LIMIT;
	name_fold(name, folded);
	lock_take(&s->users);
	e = put_pem_locked(s, folded, pem);
	lock_drop(&s->users);
	return e;
}

void
users_recover(struct store *s)
{
	lock_take(&s->users);
	pem_recover(s);
	lock_drop(&s->users);
}
