/* SPDX-License-Identifier: MIT
 *
 * emails/HASH holds the name of the user who has that e-mail address, HASH being SHA-256
 * of the address without case (an address may be longer than a file's name, and have a
 * '/' in it).  Like uins/N it is made by link(2) before the user's own file, so of two
 * who come at once one gets it; after a kill in between it names somebody who has no
 * such address, is not believed, and the next who wants it takes it over.
 *
 * Only users_signup insists on it.  Others (contacts does not ask for addresses that
 * nobody else has) get it when it is free.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "base/text.h"
#include "crypto/hash.h"
#include "store/file.h"
#include "store/users_priv.h"

static enum qerr
email_file(const char *email, char out[EMAIL_FILE_SIZE])
{
	uint8_t sum[SHA256_LEN];
	utf8proc_uint8_t *folded;
	struct span part;
	utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)email, 0, &folded,
					  UTF8PROC_NULLTERM | UTF8PROC_STABLE |
					      UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD);
	enum qerr e;

	if (n < 0)
		return n == UTF8PROC_ERROR_NOMEM ? Q_NOMEM : Q_FORMAT;
	part = span_of(folded, (size_t)n);
	e = sha256(&part, 1, sum);
	free(folded);
	if (e == Q_OK)
		hex_encode(span_of(sum, sizeof(sum)), out);
	return e;
}

static enum qerr
owner_read(struct store *s, const char *file, char name[NAME_SIZE])
{
	struct buf b = BUF_INIT(NAME_SIZE);
	enum qerr e = file_read(s->fd[FOLDER_EMAILS], file, &b);

	if (e == Q_OK && (b.len == 0 || b.p[b.len - 1] != '\n'))
		e = Q_FORMAT;
	if (e == Q_OK)
		e = name_copy(span_of(b.p, b.len - 1), name);
	buf_free(&b);
	return e == Q_LIMIT ? Q_FORMAT : e;
}

/* Does that user have an address that belongs into this file? */
static enum qerr
has_it(struct store *s, const char *file, const char *name, bool *has)
{
	char folded[NAME_SIZE], own[EMAIL_FILE_SIZE];
	struct user u;
	enum qerr e;

	name_fold(name, folded);
	e = user_load(s, folded, &u);
	*has = false;
	if (e == Q_OK && u.email[0] != '\0' && (e = email_file(u.email, own)) == Q_OK)
		*has = strcmp(own, file) == 0;
	explicit_bzero(&u, sizeof(u));
	return e == Q_MISSING || e == Q_FORMAT ? Q_OK : e;
}

enum qerr
email_claim(struct store *s, const char *email, const char *name)
{
	char file[EMAIL_FILE_SIZE], line[NAME_SIZE + 1], owner[NAME_SIZE];
	bool has = false;
	struct span content;
	enum qerr e;

	LOCK_ASSERT_HELD(&s->users);
	if (email[0] == '\0')
		return Q_OK;
	if ((e = email_file(email, file)) != Q_OK)
		return e;
	content = span_of(line, (size_t)snprintf(line, sizeof(line), "%s\n", name));
	e = file_create(s->fd[FOLDER_EMAILS], file, content, 0600);
	if (e != Q_EXISTS)
		return e;
	e = owner_read(s, file, owner);
	if (e == Q_OK && name_cmp(owner, name) == 0)
		return Q_OK;
	if (e == Q_OK)
		e = has_it(s, file, owner, &has);
	if (e != Q_OK && e != Q_FORMAT)
		return e;
	return has ? Q_EXISTS : file_replace(s->fd[FOLDER_EMAILS], file, content, 0600);
}

enum qerr
email_release(struct store *s, const char *email, const char *name)
{
	char file[EMAIL_FILE_SIZE], owner[NAME_SIZE];
	enum qerr e;

	LOCK_ASSERT_HELD(&s->users);
	if (email[0] == '\0' || email_file(email, file) == Q_FORMAT)
		return Q_OK;
	e = owner_read(s, file, owner);
	if (e == Q_MISSING || (e == Q_OK && name_cmp(owner, name) != 0))
		return Q_OK;
	if (e != Q_OK && e != Q_FORMAT)
		return e;
	return file_remove(s->fd[FOLDER_EMAILS], file);
}

enum qerr
users_by_email(struct store *s, const char *email, char name[NAME_SIZE])
{
	char file[EMAIL_FILE_SIZE], owner[NAME_SIZE];
	struct user u;
	bool has;
	enum qerr e = email_file(email, file);

	if (e == Q_OK)
		e = owner_read(s, file, owner);
	if (e == Q_OK && (e = has_it(s, file, owner, &has)) == Q_OK && !has)
		e = Q_MISSING;
	if (e == Q_OK && (e = users_get(s, owner, &u)) == Q_OK) {
		memcpy(name, u.name, NAME_SIZE);
		explicit_bzero(&u, sizeof(u));
	}
	return e == Q_FORMAT ? Q_MISSING : e;
}

enum qerr
email_examine(struct store *s, const char *file)
{
	char owner[NAME_SIZE];
	uint8_t sum[SHA256_LEN];
	bool has;
	enum qerr e;

	if (hex_decode(span_str(file), sum, sizeof(sum)) != Q_OK)
		return Q_FORMAT;
	if ((e = owner_read(s, file, owner)) != Q_OK)
		return e;
	if ((e = has_it(s, file, owner, &has)) != Q_OK)
		return e;
	return has ? Q_OK : Q_FORMAT;
}
