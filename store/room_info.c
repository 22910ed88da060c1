/* SPDX-License-Identifier: MIT
 *
 * One block of memory: the counter, the info, and the names of admins and members.
 * What changes makes of an info is decided here alone, for those who ask now and for
 * those who read the journal.
 */
#include <stdlib.h>
#include <string.h>

#include "store/rooms_priv.h"

struct info_box {
	_Atomic unsigned refs;
	struct room_info info;
	char names[][NAME_SIZE];
};

#define BOX(i) INDEX_OBJECT(i, struct info_box, info)

struct room_info *
info_ref(const struct room_info *info)
{
	struct room_info *i = (struct room_info *)(uintptr_t)info;

	atomic_fetch_add_explicit(&BOX(i)->refs, 1, memory_order_relaxed);
	return i;
}

const struct room_info *
room_info_ref(const struct room_info *info)
{
	return info_ref(info);
}

void
room_info_put(const struct room_info *info)
{
	struct info_box *box;

	if (info == NULL)
		return;
	box = BOX((struct room_info *)(uintptr_t)info);
	if (atomic_fetch_sub_explicit(&box->refs, 1, memory_order_acq_rel) == 1)
		free(box);
}

bool
names_have(const char (*names)[NAME_SIZE], size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (name_cmp(names[i], name) == 0)
			return true;
	return false;
}

bool
room_info_is_admin(const struct room_info *info, const char *user)
{
	return names_have(info->admins, info->n_admins, user);
}

bool
room_info_may_send(const struct room_info *info, const char *user)
{
	return info->type != ROOM_CHANNEL || name_cmp(info->owner, user) == 0 ||
	       room_info_is_admin(info, user);
}

void
info_stamp(struct room_info *info, const struct uuid *id, enum room_type type,
	   int64_t created_ms, uint64_t changed)
{
	info->id = *id;
	info->type = type;
	info->created_ms = created_ms;
	info->changed = changed;
}

/* An info that is being built. */
struct draft {
	struct room_info *info;
	char (*admins)[NAME_SIZE], (*members)[NAME_SIZE];
};

/* With the fields of old, and room for so many names. */
static enum qerr
draft_new(const struct room_info *old, size_t admins, size_t members, struct draft *out)
{
	struct info_box *box =
	    calloc(1, sizeof(*box) + (admins + members) * sizeof(box->names[0]));

	if (box == NULL)
		return Q_NOMEM;
	atomic_init(&box->refs, 1);
	if (old != NULL)
		box->info = *old;
	out->info = &box->info;
	out->admins = box->names;
	out->members = box->names + admins;
	box->info.admins = (const char(*)[NAME_SIZE])out->admins;
	box->info.members = (const char(*)[NAME_SIZE])out->members;
	box->info.n_admins = box->info.n_members = 0;
	return Q_OK;
}

static void
copy(char (*to)[NAME_SIZE], size_t *n, const char (*names)[NAME_SIZE], size_t count)
{
	memcpy(to + *n, names, count * sizeof(names[0]));
	*n += count;
}

/* Those that are not in `without`. */
static void
copy_but(char (*to)[NAME_SIZE], size_t *n, const char (*names)[NAME_SIZE], size_t count,
	 const char (*without)[NAME_SIZE], size_t n_without)
{
	for (size_t i = 0; i < count; i++)
		if (!names_have(without, n_without, names[i]))
			memcpy(to[(*n)++], names[i], NAME_SIZE);
}

static enum qerr
create(const struct room_change *c, const char *by, struct room_info **out)
{
	struct draft d;
	enum qerr e;

	if (c->n_people == 0 || name_cmp(c->people[0], by) != 0)
		return Q_FORMAT;
	if ((e = draft_new(NULL, 0, c->n_people, &d)) != Q_OK)
		return e;
	memcpy(d.info->name, c->name, sizeof(d.info->name));
	memcpy(d.info->owner, c->people[0], NAME_SIZE);
	copy(d.members, &d.info->n_members, c->people, c->n_people);
	*out = d.info;
	return Q_OK;
}

/* The room without some people.  An owner among them hands over. */
static enum qerr
take_out(const struct room_info *old, const char (*people)[NAME_SIZE], size_t n,
	 struct room_info **out)
{
	struct draft d;
	struct room_info *i;
	enum qerr e = draft_new(old, old->n_admins, old->n_members, &d);

	if (e != Q_OK)
		return e;
	i = d.info;
	copy_but(d.members, &i->n_members, old->members, old->n_members, people, n);
	copy_but(d.admins, &i->n_admins, old->admins, old->n_admins, people, n);
	if (i->n_members == old->n_members) {
		room_info_put(i);
		return Q_FORMAT;
	}
	if (i->n_members == 0) {
		room_info_put(i);
		*out = NULL;
		return Q_OK;
	}
	if (names_have(people, n, i->owner)) {
		memcpy(i->owner, i->n_admins > 0 ? d.admins[0] : d.members[0], NAME_SIZE);
		if (i->n_admins > 0)
			memmove(d.admins, d.admins + 1,
				--i->n_admins * sizeof(d.admins[0]));
	}
	*out = i;
	return Q_OK;
}

/* The room with other admins, or more members. */
static enum qerr
regroup(const struct room_info *old, const struct room_change *c, struct room_info **out)
{
	bool add = c->action == ROOM_ADD, promote = c->action == ROOM_PROMOTE;
	struct draft d;
	enum qerr e = draft_new(old, old->n_admins + (promote ? c->n_people : 0),
				old->n_members + (add ? c->n_people : 0), &d);

	if (e != Q_OK)
		return e;
	copy(d.members, &d.info->n_members, old->members, old->n_members);
	if (add)
		copy(d.members, &d.info->n_members, c->people, c->n_people);
	if (c->action == ROOM_DEMOTE)
		copy_but(d.admins, &d.info->n_admins, old->admins, old->n_admins,
			 c->people, c->n_people);
	else
		copy(d.admins, &d.info->n_admins, old->admins, old->n_admins);
	if (promote)
		copy(d.admins, &d.info->n_admins, c->people, c->n_people);
	if (c->action == ROOM_RENAME)
		memcpy(d.info->name, c->name, sizeof(d.info->name));
	*out = d.info;
	return Q_OK;
}

/* Does everybody named stand where the action expects it? */
static bool
fits(const struct room_info *old, const struct room_change *c)
{
	for (size_t i = 0; i < c->n_people; i++) {
		const char *name = c->people[i];
		bool member = names_have(old->members, old->n_members, name);
		bool admin = room_info_is_admin(old, name);

		if (member != (c->action != ROOM_ADD) ||
		    (c->action == ROOM_PROMOTE &&
		     (admin || name_cmp(name, old->owner) == 0)) ||
		    (c->action == ROOM_DEMOTE && !admin) ||
		    names_have(c->people, i, name))
			return false;
	}
	return true;
}

enum qerr
info_apply(const struct room_info *old, const struct room_change *change, const char *by,
	   struct room_info **out)
{
	char self[1][NAME_SIZE];

	if ((old == NULL) != (change->action == ROOM_CREATE))
		return Q_FORMAT;
	switch (change->action) {
	case ROOM_CREATE: return create(change, by, out);
	case ROOM_DROP: *out = NULL; return Q_OK;
	case ROOM_LEAVE:
		memset(self, 0, sizeof(self));
		memcpy(self[0], by, strnlen(by, NAME_MAX_LEN));
		return take_out(old, (const char(*)[NAME_SIZE])self, 1, out);
	case ROOM_REMOVE:
		return fits(old, change)
			   ? take_out(old, change->people, change->n_people, out)
			   : Q_FORMAT;
	default: return fits(old, change) ? regroup(old, change, out) : Q_FORMAT;
	}
}
