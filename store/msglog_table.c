/* SPDX-License-Identifier: MIT
 *
 * Which log to close when descriptors run short is decided by second chance:
 * the list is in the order of opening, a log that was used since it was last
 * looked at goes to the back, the first other one is closed.  That is nearly
 * the longest unused, and an append pays one store into its own memory for it
 * where a true order would move list entries under a lock of all.
 *
 * A log's own lock is never taken with the table's held (the other way round
 * is allowed), so closing goes in steps: off the list, then the descriptor.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "store/msglog_priv.h"

static int
by_name_cmp(struct msglog *a, struct msglog *b)
{
	return a->folder != b->folder ? (a->folder < b->folder ? -1 : 1)
				      : strcmp(a->name, b->name);
}

/* Not all of what the macros make is used here. */
#define PRIVATE __attribute__((unused)) static
RB_PROTOTYPE_INTERNAL(msglog_tree, msglog, by_name, by_name_cmp, PRIVATE)
RB_GENERATE_INTERNAL(msglog_tree, msglog, by_name, by_name_cmp, PRIVATE)

static struct msglog *
find_locked(struct logs *t, enum store_folder folder, const char *name)
{
	struct msglog *l = RB_ROOT(&t->by_name);

	while (l != NULL) {
		int c = (folder > l->folder) - (folder < l->folder);

		if (c == 0)
			c = strcmp(name, l->name);
		if (c == 0)
			return l;
		l = c < 0 ? RB_LEFT(l, by_name) : RB_RIGHT(l, by_name);
	}
	return NULL;
}

static struct msglog *
msglog_new(struct store *s, enum store_folder folder, const char *name)
{
	size_t len = strlen(name) + 1;
	struct msglog *l = calloc(1, sizeof(*l) + len);

	if (l == NULL)
		return NULL;
	l->store = s;
	l->folder = folder;
	memcpy(l->name, name, len);
	lock_init(&l->lock);
	group_init(&l->group);
	atomic_init(&l->used, false);
	return l;
}

enum qerr
table_get(struct store *s, enum store_folder folder, const char *name,
	  struct msglog **out)
{
	struct msglog *l;

	lock_take(&s->logs.lock);
	if ((l = find_locked(&s->logs, folder, name)) == NULL) {
		if ((l = msglog_new(s, folder, name)) == NULL) {
			lock_drop(&s->logs.lock);
			return Q_NOMEM;
		}
		RB_INSERT(msglog_tree, &s->logs.by_name, l);
	}
	l->refs++;
	lock_drop(&s->logs.lock);
	*out = l;
	return Q_OK;
}

void
table_put(struct msglog *l)
{
	struct logs *t = &l->store->logs;
	bool unneeded;

	lock_take(&t->lock);
	assert(l->refs > 0);
	l->refs--;
	unneeded = l->refs == 0 && !l->is_open && !l->is_dirty;
	if (unneeded)
		RB_REMOVE(msglog_tree, &t->by_name, l);
	lock_drop(&t->lock);
	if (!unneeded)
		return;
	assert(l->file == NULL);
	group_fini(&l->group);
	lock_fini(&l->lock);
	free(l);
}

/* ---- descriptors ---- */

/* Off the list, with a reference. */
static struct msglog *
take_victim(struct logs *t)
{
	struct msglog *l;

	lock_take(&t->lock);
	while ((l = TAILQ_FIRST(&t->open)) != NULL && atomic_exchange(&l->used, false)) {
		TAILQ_REMOVE(&t->open, l, in_open);
		TAILQ_INSERT_TAIL(&t->open, l, in_open);
	}
	if (l != NULL) {
		TAILQ_REMOVE(&t->open, l, in_open);
		l->is_open = false;
		l->refs++;
	}
	lock_drop(&t->lock);
	return l;
}

bool
table_close_one(struct store *s)
{
	struct msglog *l = take_victim(&s->logs);

	if (l == NULL)
		return false;
	lock_take(&l->lock);
	blank_cut(l);
	logfile_put(l, l->file);
	l->file = NULL;
	lock_drop(&l->lock);
	table_unreserve(s);
	table_put(l);
	return true;
}

void
table_reserve(struct store *s)
{
	struct logs *t = &s->logs;
	bool full;

	do {
		lock_take(&t->lock);
		full = t->n_open >= t->max_open && !TAILQ_EMPTY(&t->open);
		if (!full)
			t->n_open++;
		lock_drop(&t->lock);
	} while (full && (table_close_one(s), true));
}

void
table_unreserve(struct store *s)
{
	lock_take(&s->logs.lock);
	s->logs.n_open--;
	lock_drop(&s->logs.lock);
}

void
table_opened(struct msglog *l)
{
	struct logs *t = &l->store->logs;

	LOCK_ASSERT_HELD(&l->lock);
	lock_take(&t->lock);
	TAILQ_INSERT_TAIL(&t->open, l, in_open);
	l->is_open = true;
	lock_drop(&t->lock);
}

void
table_close(struct msglog *l)
{
	struct logs *t = &l->store->logs;
	bool mine;

	LOCK_ASSERT_HELD(&l->lock);
	lock_take(&t->lock);
	if ((mine = l->is_open)) {
		TAILQ_REMOVE(&t->open, l, in_open);
		l->is_open = false;
		t->n_open--;
	}
	lock_drop(&t->lock);
	if (mine) { /* otherwise it has none, or is on its way out of take_victim */
		logfile_put(l, l->file);
		l->file = NULL;
	}
}

/* ---- what is to be synced ---- */

void
table_dirty(struct msglog *l)
{
	struct logs *t = &l->store->logs;

	LOCK_ASSERT_HELD(&l->lock);
	if (l->dirty)
		return;
	l->dirty = true;
	lock_take(&t->lock);
	TAILQ_INSERT_TAIL(&t->dirty, l, in_dirty);
	l->is_dirty = true;
	if (t->n_dirty++ == 0)
		pthread_cond_signal(&t->wake);
	lock_drop(&t->lock);
}

struct msglog *
table_next_dirty(struct store *s)
{
	struct logs *t = &s->logs;
	struct msglog *l;

	lock_take(&t->lock);
	if ((l = TAILQ_FIRST(&t->dirty)) != NULL) {
		TAILQ_REMOVE(&t->dirty, l, in_dirty);
		t->n_dirty--;
		l->is_dirty = false;
		l->refs++;
	}
	lock_drop(&t->lock);
	return l;
}
