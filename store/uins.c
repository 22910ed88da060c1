/* SPDX-License-Identifier: MIT
 *
 * uins/N holds the name of the user with UIN N: an index that is written before
 * the user's own file, so that two users can never get one UIN.  A kill between
 * the two leaves a name that has no such UIN; users_by_uin does not believe it
 * (the user's file decides), and the next who wants the number takes it over.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "crypto/random.h"
#include "store/file.h"
#include "store/users_priv.h"

#define UIN_FILE_SIZE    11  /* ten digits and a NUL */
#define FINGERPRINT_UINS 8   /* a SHA-256 holds eight numbers */
#define RANDOM_TRIES     256 /* each fails with a chance of users / 2^32 */

static void
uin_file(uint32_t uin, char out[UIN_FILE_SIZE])
{
	snprintf(out, UIN_FILE_SIZE, "%" PRIu32, uin);
}

enum qerr
uin_read(struct store *s, uint32_t uin, char name[NAME_SIZE])
{
	struct buf b = BUF_INIT(NAME_SIZE);
	char file[UIN_FILE_SIZE];
	enum qerr e;

	uin_file(uin, file);
	e = file_read(s->fd[FOLDER_UINS], file, &b);
	if (e == Q_OK && (b.len == 0 || b.p[b.len - 1] != '\n'))
		e = Q_FORMAT;
	if (e == Q_OK)
		e = name_copy(span_of(b.p, b.len - 1), name);
	buf_free(&b);
	return e == Q_LIMIT ? Q_FORMAT : e;
}

static struct span
uin_content(const char *name, char line[NAME_SIZE + 1])
{
	int n = snprintf(line, NAME_SIZE + 1, "%s\n", name);

	return span_of(line, (size_t)n);
}

enum qerr
uin_write(struct store *s, uint32_t uin, const char *name)
{
	char file[UIN_FILE_SIZE], line[NAME_SIZE + 1];

	uin_file(uin, file);
	return file_replace(s->fd[FOLDER_UINS], file, uin_content(name, line), 0600);
}

/* A user whose file is damaged or gone, but whose key is there, will be adopted
 * again and get the same number from the same key: it is kept. */
bool
uin_is_stale(struct store *s, uint32_t uin, const char *name)
{
	char folded[NAME_SIZE], spelled[NAME_SIZE];
	struct user u;
	enum qerr e;

	name_fold(name, folded);
	e = user_load(s, folded, &u);
	if (e == Q_OK)
		return u.uin != uin;
	if (e == Q_MISSING || e == Q_FORMAT)
		return pem_spelling(s, folded, spelled) == Q_MISSING;
	return false;
}

/* Q_EXISTS: it is another's. */
static enum qerr
claim(struct store *s, uint32_t uin, const char *name)
{
	char file[UIN_FILE_SIZE], line[NAME_SIZE + 1], owner[NAME_SIZE];
	enum qerr e;

	if (uin == 0)
		return Q_EXISTS;
	uin_file(uin, file);
	e = file_create(s->fd[FOLDER_UINS], file, uin_content(name, line), 0600);
	if (e != Q_EXISTS)
		return e;
	e = uin_read(s, uin, owner);
	if (e == Q_FORMAT ||
	    (e == Q_OK && (name_cmp(owner, name) == 0 || uin_is_stale(s, uin, owner))))
		return uin_write(s, uin, name);
	return e == Q_OK ? Q_EXISTS : e;
}

enum qerr
uin_claim(struct store *s, const char *name, const uint8_t *fingerprint, uint32_t *uin)
{
	enum qerr e;

	for (size_t i = 0; fingerprint != NULL && i < FINGERPRINT_UINS; i++) {
		/* "The first four bytes are the UIN's wire bytes", and on the wire
		 * the lowest comes first. */
		uint32_t n = le32_get(fingerprint + 4 * i);

		if ((e = claim(s, n, name)) == Q_OK)
			*uin = n;
		if (e != Q_EXISTS)
			return e;
	}
	for (int i = 0; i < RANDOM_TRIES; i++) {
		uint32_t n = random_u32();

		if ((e = claim(s, n, name)) == Q_OK)
			*uin = n;
		if (e != Q_EXISTS)
			return e;
	}
	return Q_FULL;
}

enum qerr
uin_release(struct store *s, uint32_t uin, const char *name)
{
	char file[UIN_FILE_SIZE], owner[NAME_SIZE];
	enum qerr e = uin_read(s, uin, owner);

	if (e == Q_MISSING || (e == Q_OK && name_cmp(owner, name) != 0))
		return Q_OK;
	if (e != Q_OK && e != Q_FORMAT)
		return e;
	uin_file(uin, file);
	return file_remove(s->fd[FOLDER_UINS], file);
}

enum qerr
users_by_uin(struct store *s, uint32_t uin, char name[NAME_SIZE])
{
	char owner[NAME_SIZE];
	struct user u;
	enum qerr e = uin_read(s, uin, owner);

	if (e == Q_OK)
		e = users_get(s, owner, &u);
	if (e == Q_FORMAT)
		return Q_MISSING;
	if (e != Q_OK)
		return e;
	if (u.uin != uin)
		return Q_MISSING;
	memcpy(name, u.name, NAME_SIZE);
	return Q_OK;
}
