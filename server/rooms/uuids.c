/* SPDX-License-Identifier: MIT */
#include "server/rooms/uuids.h"

#include "base/lock.h"

RB_HEAD(uuids_tree, uuids_entry);

static struct lock lock = LOCK_INIT;                   /* a leaf (server/locks.h) */
static struct uuids_tree tree = RB_INITIALIZER(&tree); /* [lock] */

static int
cmp(const struct uuids_entry *a, const struct uuids_entry *b)
{
	return uuid_cmp(&a->id, &b->id);
}

RB_GENERATE_INTERNAL(uuids_tree, uuids_entry, by_id, cmp, static __attribute__((unused)))

enum qerr
uuids_take(struct uuids_entry *e, const struct uuid *id)
{
	lock_take(&lock);
	e->id = *id;
	e->in = RB_INSERT(uuids_tree, &tree, e) == NULL;
	lock_drop(&lock);
	return e->in ? Q_OK : Q_EXISTS;
}

void
uuids_give(struct uuids_entry *e)
{
	lock_take(&lock);
	if (e->in)
		RB_REMOVE(uuids_tree, &tree, e);
	e->in = false;
	lock_drop(&lock);
}
