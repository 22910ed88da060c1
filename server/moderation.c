/* SPDX-License-Identifier: MIT
 *
 * A tree of those who are restricted, which are few.  The files are read without the lock;
 * m->turn tells whether somebody else has put what they read meanwhile, which may be
 * newer: then the file is read again.  So what was changed last is what stays.
 */
#include "server/moderation.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bsd/string.h>
#include <bsd/sys/tree.h>

#include "base/clock.h"
#include "base/lock.h"
#include "server/log.h"
#include "server/server.h"

#define UNREADABLE "ask the administrator, your entry cannot be read"

struct entry {
	RB_ENTRY(entry) link;
	char user[NAME_SIZE];
	struct restrictions what;
};

RB_HEAD(entry_tree, entry);

struct moderation {
	struct store *store;
	struct lock lock;
	struct entry_tree tree;                 /* [lock] */
	uint64_t turn;                          /* [lock] counts changes of the tree */
	atomic_size_t count[RESTRICTION_KINDS]; /* how many entries have it set */
};

static int
entry_cmp(const struct entry *a, const struct entry *b)
{
	return name_cmp(a->user, b->user);
}

RB_GENERATE_INTERNAL(entry_tree, entry, link, entry_cmp, static __attribute__((unused)))

/* ---- reading ---- */

/* What the user's file says.  One that cannot be believed is a ban. */
static enum qerr
read_entry(struct moderation *m, struct entry *entry)
{
	enum qerr e = restrictions_load(m->store, entry->user, &entry->what);

	if (e == Q_OK || e == Q_NOMEM)
		return e;
	log_event(LOG_ERROR, NULL, "restrictions-unreadable", "name=%s error=%s",
		  entry->user, qerr_str(e));
	memset(&entry->what, 0, sizeof(entry->what));
	entry->what.of[RESTRICTION_BAN] =
	    (struct restriction){.set = true, .reason = UNREADABLE};
	return Q_OK;
}

/* Takes the place of what is known about the user.  fresh goes into the tree, or is left
 * to be freed; so is what it replaces. */
static struct entry *
put_locked(struct moderation *m, struct entry *fresh) REQUIRES(m->lock)
{
	struct entry *old = RB_FIND(entry_tree, &m->tree, fresh);
	bool any = false;

	LOCK_ASSERT_HELD(&m->lock);
	for (int k = 0; k < RESTRICTION_KINDS; k++) {
		any = any || fresh->what.of[k].set;
		if (fresh->what.of[k].set)
			atomic_fetch_add(&m->count[k], 1);
		if (old != NULL && old->what.of[k].set)
			atomic_fetch_sub(&m->count[k], 1);
	}
	m->turn++;
	if (old != NULL)
		RB_REMOVE(entry_tree, &m->tree, old);
	if (any)
		RB_INSERT(entry_tree, &m->tree, fresh);
	free(old);
	return any ? NULL : fresh;
}

enum qerr
moderation_refresh(struct moderation *m, const char *user)
{
	struct entry *fresh = calloc(1, sizeof(*fresh));
	uint64_t turn;
	bool mine;
	enum qerr e;

	if (fresh == NULL)
		return Q_NOMEM;
	strlcpy(fresh->user, user, sizeof(fresh->user));
	do {
		lock_take(&m->lock);
		turn = m->turn;
		lock_drop(&m->lock);
		if ((e = read_entry(m, fresh)) != Q_OK)
			break;
		lock_take(&m->lock);
		if ((mine = m->turn == turn))
			fresh = put_locked(m, fresh);
		lock_drop(&m->lock);
	} while (!mine);
	free(fresh);
	return e;
}

/* The user behind that one in the tree. */
static bool
next_user(struct moderation *m, char user[NAME_SIZE])
{
	struct entry key, *found;

	strlcpy(key.user, user, sizeof(key.user));
	lock_take(&m->lock);
	found = RB_NFIND(entry_tree, &m->tree, &key);
	if (found != NULL && name_cmp(found->user, user) == 0)
		found = RB_NEXT(entry_tree, &m->tree, found);
	if (found != NULL)
		strlcpy(user, found->user, NAME_SIZE);
	lock_drop(&m->lock);
	return found != NULL;
}

struct reading {
	struct moderation *m;
	enum qerr e;
};

static bool
refresh_one(void *arg, const char *user)
{
	struct reading *r = arg;

	r->e = moderation_refresh(r->m, user);
	return r->e == Q_OK;
}

enum qerr
moderation_reload(struct moderation *m)
{
	struct reading r = {.m = m, .e = Q_OK};
	char user[NAME_SIZE] = "";
	enum qerr e;

	/* Those whose file may be gone, then those who have one. */
	while (next_user(m, user))
		if (!refresh_one(&r, user))
			return r.e;
	e = restrictions_each(m->store, refresh_one, &r);
	return e == Q_OK ? r.e : e;
}

/* ---- its life ---- */

enum qerr
moderation_open(struct store *store, struct moderation **out)
{
	struct moderation *m = calloc(1, sizeof(*m));
	enum qerr e;

	if (m == NULL)
		return Q_NOMEM;
	m->store = store;
	lock_init(&m->lock);
	RB_INIT(&m->tree);
	if ((e = moderation_reload(m)) == Q_OK)
		*out = m;
	else
		moderation_close(m);
	return e;
}

void
moderation_close(struct moderation *m)
{
	struct entry *entry;

	if (m == NULL)
		return;
	while ((entry = RB_MIN(entry_tree, &m->tree)) != NULL) {
		RB_REMOVE(entry_tree, &m->tree, entry);
		free(entry);
	}
	lock_fini(&m->lock);
	free(m);
}

/* ---- asking ---- */

static bool
find(struct moderation *m, const char *user, enum restriction_kind kind,
     struct restriction *out)
{
	struct entry key, *found;
	bool is = false;

	if (m == NULL || atomic_load(&m->count[kind]) == 0 ||
	    strlcpy(key.user, user, sizeof(key.user)) >= sizeof(key.user))
		return false;
	lock_take(&m->lock);
	if ((found = RB_FIND(entry_tree, &m->tree, &key)) != NULL) {
		*out = found->what.of[kind];
		is = restriction_holds(out, clock_wall_ms());
	}
	lock_drop(&m->lock);
	return is;
}

bool
moderation_holds(struct moderation *m, const char *user, enum restriction_kind kind)
{
	struct restriction r;

	return find(m, user, kind, &r);
}

bool
moderation_admits(void *arg, const char *user)
{
	return !moderation_holds(arg, user, RESTRICTION_BAN);
}

void
moderation_text(struct moderation *m, const char *user, enum restriction_kind kind,
		char out[MODERATION_TEXT_SIZE])
{
	const char *word = kind == RESTRICTION_BAN ? "banned" : "muted";
	char until[40] = "";
	struct restriction r;
	struct tm tm;
	time_t t;

	if (!find(m, user, kind, &r)) {
		snprintf(out, MODERATION_TEXT_SIZE, "You were %s until now, try again",
			 word);
		return;
	}
	t = (time_t)(r.until_ms / 1000);
	if (r.until_ms != 0 && localtime_r(&t, &tm) != NULL)
		(void)strftime(until, sizeof(until), " until %Y-%m-%d %H:%M:%S", &tm);
	snprintf(out, MODERATION_TEXT_SIZE, "You are %s%s%s%s", word, until,
		 r.reason[0] != '\0' ? ": " : "", r.reason);
}

void
moderation_turned_away(struct session *s, const char *user,
		       char out[MODERATION_TEXT_SIZE])
{
	moderation_text(s->server->moderation, user, RESTRICTION_BAN, out);
	log_limited(LOG_WARN, &s->peer, s, "login-banned", "name=%s", user);
}
