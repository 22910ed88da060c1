/* SPDX-License-Identifier: MIT
 *
 * accounts.c - a bounded cache of parsed keys over the store's users.
 *
 * An entry is good while the PEM's stamp (inode, size, time of change) is the
 * one it was read with.  A file younger than FRESH_MS is not cached: it could
 * be changed once more within the clock tick of its time stamp, and then the
 * change would go unseen.  The lock covers the cache alone; files are read and
 * keys parsed without it, so two logins of one user may both parse, and the
 * later one is kept.
 */
#include "server/accounts.h"

#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>
#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>

#include "base/clock.h"
#include "base/lock.h"
#include "server/log.h"

#define CACHE_MAX 4096 /* keys */
#define FRESH_MS  2000

struct entry {
	RB_ENTRY(entry) by_name;
	TAILQ_ENTRY(entry) by_use; /* the longest unused first */
	char folded[NAME_SIZE];
	char registered[NAME_SIZE];
	struct key *key;
	struct file_stamp stamp;
};

RB_HEAD(entry_tree, entry);
TAILQ_HEAD(entry_list, entry);

struct accounts {
	struct store *store;
	struct lock lock;
	struct entry_tree tree; /* [lock] */
	struct entry_list uses; /* [lock] */
	size_t count;           /* [lock] */
};

static int
entry_cmp(const struct entry *a, const struct entry *b)
{
	return strcmp(a->folded, b->folded);
}

RB_GENERATE_INTERNAL(entry_tree, entry, by_name, entry_cmp,
		     static __attribute__((unused)))

enum qerr
accounts_new(struct store *store, struct accounts **out)
{
	struct accounts *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return Q_NOMEM;
	a->store = store;
	lock_init(&a->lock);
	RB_INIT(&a->tree);
	TAILQ_INIT(&a->uses);
	*out = a;
	return Q_OK;
}

static void
drop_locked(struct accounts *a, struct entry *e) REQUIRES(a->lock)
{
	RB_REMOVE(entry_tree, &a->tree, e);
	TAILQ_REMOVE(&a->uses, e, by_use);
	a->count--;
	key_free(e->key);
	free(e);
}

void
accounts_free(struct accounts *a)
{
	struct entry *e;

	if (a == NULL)
		return;
	lock_take(&a->lock);
	while ((e = TAILQ_FIRST(&a->uses)) != NULL)
		drop_locked(a, e);
	lock_drop(&a->lock);
	lock_fini(&a->lock);
	free(a);
}

/* ---- the cache ---- */

static struct entry *
find_locked(struct accounts *a, const char *folded) REQUIRES(a->lock)
{
	struct entry key;

	strlcpy(key.folded, folded, sizeof(key.folded));
	return RB_FIND(entry_tree, &a->tree, &key);
}

static bool
stamp_same(const struct file_stamp *a, const struct file_stamp *b)
{
	return a->inode == b->inode && a->size == b->size && a->mtime_ns == b->mtime_ns;
}

static bool
cache_get(struct accounts *a, const char *folded, const struct file_stamp *stamp,
	  char registered[NAME_SIZE], struct key **key)
{
	struct entry *e;
	bool hit;

	lock_take(&a->lock);
	e = find_locked(a, folded);
	hit = e != NULL && stamp_same(&e->stamp, stamp);
	if (hit) {
		TAILQ_REMOVE(&a->uses, e, by_use);
		TAILQ_INSERT_TAIL(&a->uses, e, by_use);
		memcpy(registered, e->registered, NAME_SIZE);
		*key = key_ref(e->key);
	}
	lock_drop(&a->lock);
	return hit;
}

static void
cache_drop(struct accounts *a, const char *folded)
{
	struct entry *e;

	lock_take(&a->lock);
	if ((e = find_locked(a, folded)) != NULL)
		drop_locked(a, e);
	lock_drop(&a->lock);
}

static void
cache_put(struct accounts *a, const char *folded, const char *registered,
	  const struct file_stamp *stamp, struct key *key)
{
	struct entry *e, *old;

	if (clock_wall_ms() - stamp->mtime_ns / 1000000 < FRESH_MS ||
	    (e = calloc(1, sizeof(*e))) == NULL)
		return;
	strlcpy(e->folded, folded, sizeof(e->folded));
	strlcpy(e->registered, registered, sizeof(e->registered));
	e->key = key_ref(key);
	e->stamp = *stamp;
	lock_take(&a->lock);
	if ((old = find_locked(a, folded)) == NULL && a->count >= CACHE_MAX)
		old = TAILQ_FIRST(&a->uses);
	if (old != NULL)
		drop_locked(a, old);
	RB_INSERT(entry_tree, &a->tree, e);
	TAILQ_INSERT_TAIL(&a->uses, e, by_use);
	a->count++;
	lock_drop(&a->lock);
}

/* ---- users ---- */

/* Read and parse the PEM.  Q_MISSING; Q_FORMAT: no usable key (logged). */
static enum qerr
read_key(struct accounts *a, const char *name, char spelled[NAME_SIZE],
	 struct file_stamp *stamp, struct key **out)
{
	struct buf pem = BUF_INIT(KEY_PEM_MAX);
	enum qerr e = users_find_pem(a->store, name, &pem, stamp, spelled);

	if (e == Q_LIMIT)
		e = Q_FORMAT;
	if (e == Q_OK && (e = key_parse_public(buf_span(&pem), out)) != Q_OK &&
	    e != Q_NOMEM)
		e = Q_FORMAT;
	buf_free(&pem);
	if (e == Q_FORMAT)
		log_limited(LOG_WARN, NULL, NULL, "account-bad-key", "name=%s", name);
	return e;
}

/* The record of a user whose PEM (spelled, key) is there; a PEM that was dropped
 * in gets its record now.  Somebody else may be quicker: then theirs counts. */
static enum qerr
get_or_adopt(struct accounts *a, const char *spelled, const struct key *key,
	     struct user *u)
{
	uint8_t sum[SHA256_LEN];
	enum qerr e = users_get(a->store, spelled, u);

	if (e != Q_MISSING && e != Q_FORMAT)
		return e;
	if ((e = key_fingerprint(key, sum)) != Q_OK)
		return e;
	memset(u, 0, sizeof(*u));
	strlcpy(u->name, spelled, sizeof(u->name));
	if ((e = users_adopt(a->store, u, sum)) == Q_OK)
		log_event(LOG_INFO, NULL, "account-adopt", "name=%s uin=%u", u->name,
			  u->uin);
	return e == Q_EXISTS ? users_get(a->store, spelled, u) : e;
}

enum qerr
accounts_key(struct accounts *a, const char *name, char registered[NAME_SIZE],
	     struct key **key)
{
	char folded[NAME_SIZE], spelled[NAME_SIZE];
	struct file_stamp stamp;
	struct key *k = NULL;
	struct user u;
	enum qerr e;

	if (!name_valid(span_str(name)))
		return Q_MISSING;
	name_fold(name, folded);
	if ((e = users_stamp_pem(a->store, name, &stamp)) != Q_OK) {
		cache_drop(a, folded);
		return e;
	}
	if (cache_get(a, folded, &stamp, registered, key))
		return Q_OK;
	if ((e = read_key(a, name, spelled, &stamp, &k)) != Q_OK)
		return e;
	if ((e = get_or_adopt(a, spelled, k, &u)) != Q_OK) {
		key_free(k);
		return e;
	}
	cache_put(a, folded, u.name, &stamp, k);
	memcpy(registered, u.name, sizeof(u.name));
	*key = k;
	return Q_OK;
}

enum qerr
accounts_get(struct accounts *a, const char *name, struct user *out)
{
	char registered[NAME_SIZE];
	struct key *k;
	struct user u;
	enum qerr e;

	if (!name_valid(span_str(name)))
		return Q_MISSING;
	e = users_get(a->store, name, &u);
	if (e == Q_MISSING || e == Q_FORMAT) {
		/* Only a PEM, or less; a cached key must not hide that the record is
		 * gone, so that it is made again. */
		char folded[NAME_SIZE];

		name_fold(name, folded);
		cache_drop(a, folded);
		if ((e = accounts_key(a, name, registered, &k)) != Q_OK)
			return e == Q_FORMAT ? Q_MISSING : e;
		key_free(k);
		e = users_get(a->store, name, &u);
	}
	if (e == Q_OK)
		*out = u;
	return e;
}

enum qerr
accounts_add(struct accounts *a, struct user *u, struct span pem, const struct key *key)
{
	uint8_t sum[SHA256_LEN];
	enum qerr e;

	if (key == NULL)
		return users_add(a->store, u, pem, NULL);
	if ((e = key_fingerprint(key, sum)) != Q_OK)
		return e;
	return users_add(a->store, u, pem, sum);
}
