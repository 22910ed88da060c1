/* SPDX-License-Identifier: MIT */
#include "crypto/password.h"

#include <crypt.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/random.h"

_Static_assert(PASSWORD_HASH_SIZE >= CRYPT_OUTPUT_SIZE, "a hash fits");

/* The setting of a hash that nobody has: unknown users cost what known ones do. */
static const char nobody[] = "$y$j9T$tGxZ0nG6fQ1lQ6y9vZ4lC0$";

/* The password as crypt(3) wants it. */
struct phrase {
	char text[PASSWORD_MAX + 1];
};

static enum qerr
phrase_set(struct phrase *ph, struct span password)
{
	if (password.len > PASSWORD_MAX || memchr(password.p, '\0', password.len) != NULL)
		return Q_FORMAT;
	memcpy(ph->text, password.p, password.len);
	ph->text[password.len] = '\0';
	return Q_OK;
}

/* crypt_rn works in 32 KiB of memory: too much for a worker's stack. */
static enum qerr
crypt_with(struct span password, const char *setting, char out[PASSWORD_HASH_SIZE])
{
	struct crypt_data *data = calloc(1, sizeof(*data));
	struct phrase ph;
	const char *hash;
	enum qerr e;

	if (data == NULL)
		return Q_NOMEM;
	if ((e = phrase_set(&ph, password)) == Q_OK) {
		errno = 0;
		hash = crypt_rn(ph.text, setting, data, (int)sizeof(*data));
		if (hash != NULL)
			memcpy(out, hash, strlen(hash) + 1);
		else
			e = errno == ENOMEM ? Q_NOMEM : Q_CRYPTO;
	}
	secret_wipe(&ph, sizeof(ph));
	secret_wipe(data, sizeof(*data));
	free(data);
	return e;
}

bool
password_valid(struct span password)
{
	return password.len >= PASSWORD_MIN && password.len <= PASSWORD_MAX &&
	       memchr(password.p, '\0', password.len) == NULL;
}

enum qerr
password_hash(struct span password, char out[PASSWORD_HASH_SIZE])
{
	char setting[CRYPT_GENSALT_OUTPUT_SIZE], salt[16];

	if (!password_valid(password))
		return Q_FORMAT;
	random_bytes(salt, sizeof(salt));
	if (crypt_gensalt_rn("$y$", 0, salt, (int)sizeof(salt), setting,
			     (int)sizeof(setting)) == NULL)
		return Q_CRYPTO;
	return crypt_with(password, setting, out);
}

enum qerr
password_check(struct span password, const char *hash)
{
	bool known = hash != NULL && hash[0] != '\0';
	char got[PASSWORD_HASH_SIZE];
	size_t len;
	enum qerr e;

	e = crypt_with(password, known ? hash : nobody, got);
	if (e == Q_NOMEM)
		return e;
	len = known ? strlen(hash) : 0;
	if (e != Q_OK || !known || strlen(got) != len || !secret_eq(got, hash, len))
		e = Q_DENIED;
	secret_wipe(got, sizeof(got));
	return e;
}
