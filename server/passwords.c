/* SPDX-License-Identifier: MIT */
#include "server/passwords.h"

#include <bsd/string.h>
#include <stdlib.h>

#include "crypto/random.h"
#include "server/pool.h"

#define HASHING_MIN 2
#define HASHING_MAX 4 /* at 16 MiB each */

_Static_assert(PASSWORD_HASH_SIZE <= USER_PASSWORD_MAX + 1, "a hash fits a record");

struct passwords {
	struct store *store;
	struct accounts *accounts;
	struct pool *pool;
};

/* What a thread of the pool is asked to do. */
struct hashing {
	struct span password;
	const char *hash; /* to be compared with it */
	char *out;        /* or where its hash goes */
	enum qerr e;
};

static void
check(void *arg)
{
	struct hashing *h = arg;

	h->e = password_check(h->password, h->hash);
}

static void
hash(void *arg)
{
	struct hashing *h = arg;

	h->e = password_hash(h->password, h->out);
}

static enum qerr
ask(struct passwords *p, void (*what)(void *), struct hashing *h)
{
	enum qerr e = pool_run(p->pool, what, h, PASSWORDS_WAITING, PASSWORDS_WAIT_MS);

	return e == Q_OK ? h->e : e;
}

enum qerr
passwords_check(struct passwords *p, const char *user, struct span password)
{
	struct user u;
	struct hashing h = {.password = password, .hash = u.password};
	enum qerr e = accounts_get(p->accounts, user, &u);

	/* A user whose file is damaged counts as none. */
	if (e == Q_MISSING || e == Q_FORMAT)
		u.password[0] = '\0';
	else if (e != Q_OK)
		return e;
	e = ask(p, check, &h);
	secret_wipe(u.password, sizeof(u.password));
	return e;
}

enum qerr
passwords_hash(struct passwords *p, struct span password, char out[PASSWORD_HASH_SIZE])
{
	struct hashing h = {.password = password, .out = out};

	return password_valid(password) ? ask(p, hash, &h) : Q_FORMAT;
}

enum qerr
passwords_set(struct passwords *p, const char *user, struct span password)
{
	char hash[PASSWORD_HASH_SIZE];
	struct user u;
	enum qerr e;

	if ((e = passwords_hash(p, password, hash)) != Q_OK)
		return e;
	/* Read after the wait, so that what changed meanwhile is kept. */
	if ((e = accounts_get(p->accounts, user, &u)) == Q_OK) {
		strlcpy(u.password, hash, sizeof(u.password));
		e = users_update(p->store, &u);
		secret_wipe(u.password, sizeof(u.password));
	}
	secret_wipe(hash, sizeof(hash));
	return e;
}

/* ---- its life ---- */

enum qerr
passwords_open(struct store *store, struct accounts *accounts, struct passwords **out)
{
	struct passwords *p = calloc(1, sizeof(*p));
	enum qerr e;

	if (p == NULL)
		return Q_NOMEM;
	p->store = store;
	p->accounts = accounts;
	e = pool_open(pool_processors(HASHING_MIN, HASHING_MAX), &p->pool);
	if (e == Q_OK)
		*out = p;
	else
		free(p);
	return e;
}

void
passwords_close(struct passwords *p)
{
	if (p == NULL)
		return;
	pool_close(p->pool);
	free(p);
}
