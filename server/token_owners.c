/* SPDX-License-Identifier: MIT
 *
 * A tree in memory, filled from the files when it is first asked, and by what is issued.
 * What is revoked stays in it, as a hint that leads nowhere; once there may be more of
 * these than of others, all is forgotten and read again.
 *
 * "Complete" says that a token which is not here is in no file.  So while somebody reads
 * the files nothing is forgotten, and who could not be remembered meanwhile is counted.
 */
#include "server/token_owners.h"

#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>
#include <bsd/sys/tree.h>

#include "base/lock.h"

#define SPARE 4096 /* entries before there may be too many */

struct owner {
	RB_ENTRY(owner) by_id;
	struct token_id id;
	char user[NAME_SIZE];
};

RB_HEAD(owner_tree, owner);

static struct lock lock = LOCK_INIT;                   /* a leaf (server/locks.h) */
static struct owner_tree tree = RB_INITIALIZER(&tree); /* [lock] */
static size_t count;                                   /* [lock] */
static size_t enough = SPARE;                          /* [lock] */
static bool complete;                                  /* [lock] */
static unsigned readers;                               /* [lock] of the files, now */
static uint64_t missed; /* [lock] that there was no memory for, ever */

static int
cmp(const struct owner *a, const struct owner *b)
{
	return memcmp(a->id.hash, b->id.hash, sizeof(a->id.hash));
}

RB_GENERATE_INTERNAL(owner_tree, owner, by_id, cmp, static __attribute__((unused)))

static void
forget_locked(void) REQUIRES(lock)
{
	struct owner *o;

	while ((o = RB_MIN(owner_tree, &tree)) != NULL) {
		RB_REMOVE(owner_tree, &tree, o);
		free(o);
	}
	count = 0;
	complete = false;
}

static bool
add(const struct token_id *id, const char *user, bool issued)
{
	struct owner *o = calloc(1, sizeof(*o));
	bool known = false;

	if (o != NULL) {
		o->id = *id;
		strlcpy(o->user, user, sizeof(o->user));
	}
	lock_take(&lock);
	if (issued && count >= enough && readers == 0)
		forget_locked();
	if (o == NULL) {
		complete = false; /* the files have it */
		missed++;
	} else {
		known = RB_INSERT(owner_tree, &tree, o) != NULL;
		count += !known;
	}
	lock_drop(&lock);
	if (known)
		free(o);
	return o != NULL;
}

void
token_owners_add(const struct token_id *id, const char *user)
{
	(void)add(id, user, true);
}

static bool
found(const struct token_id *id, char user[NAME_SIZE], bool *all)
{
	const struct owner key = {.id = *id}, *o;

	lock_take(&lock);
	*all = complete;
	/* RB_FIND does not change its key. */
	if ((o = RB_FIND(owner_tree, &tree, (struct owner *)(uintptr_t)&key)) != NULL)
		memcpy(user, o->user, NAME_SIZE);
	lock_drop(&lock);
	return o != NULL;
}

static bool
each(void *arg, const char *user, const struct token_id *id)
{
	bool *all = arg;

	return *all = add(id, user, false);
}

/* Read all tokens into the tree.  Q_NOMEM also when others found none meanwhile. */
static enum qerr
read_files(struct store *store)
{
	uint64_t missed_before;
	bool all = true;
	enum qerr e;

	lock_take(&lock);
	missed_before = missed;
	readers++;
	lock_drop(&lock);
	if ((e = tokens_each(store, TOKEN_ROOMS, each, &all)) == Q_OK && all)
		e = tokens_each(store, TOKEN_BOARD, each, &all);
	lock_take(&lock);
	readers--;
	if (e == Q_OK && missed != missed_before)
		e = Q_NOMEM;
	if (e == Q_OK) {
		complete = true;
		enough = 2 * count + SPARE;
	}
	lock_drop(&lock);
	return e;
}

enum qerr
token_owners_find(struct store *store, struct span token, char user[NAME_SIZE])
{
	struct token_id id;
	bool all;
	enum qerr e = token_id_of(token, &id);

	if (e != Q_OK)
		return e;
	do {
		if (found(&id, user, &all))
			return Q_OK;
		if (all)
			return Q_MISSING;
		/* Others may have filled and emptied it before we look again. */
	} while ((e = read_files(store)) == Q_OK);
	return found(&id, user, &all) ? Q_OK : e;
}

void
token_owners_clear(void)
{
	lock_take(&lock);
	forget_locked();
	enough = SPARE;
	lock_drop(&lock);
}
