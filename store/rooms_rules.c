/* SPDX-License-Identifier: MIT
 *
 * Who may do what to a room, and to whom it happens (docs/protocols/rooms.md, "Rooms").
 */
#include <string.h>

#include "store/rooms_change_priv.h"

void
take_person(struct changing *c, const char *name)
{
	memcpy(c->people[c->change.n_people++], name, strnlen(name, NAME_MAX_LEN));
}

static void
refuse_person(struct changing *c, const char *name)
{
	c->dne[c->change.n_dne++] = span_str(name);
}

static enum room_answer
judge_add(struct rooms *r, const struct room *room, struct changing *c)
{
	const struct room_ask *ask = c->ask;

	for (size_t i = 0; i < ask->n_people; i++) {
		if (rooms_stay(r, room, ask->people[i]) != NULL)
			refuse_person(c, ask->people[i]);
		else if (!names_have(c->change.people, c->change.n_people,
				     ask->people[i]))
			take_person(c, ask->people[i]);
	}
	if (c->change.n_people == 0)
		return ROOM_NOTHING;
	return c->change.n_people + room->info->n_members > ask->max_members
		   ? ROOM_TOO_MANY
		   : ROOM_OK;
}

static enum room_answer
judge_remove(struct rooms *r, const struct room *room, struct changing *c, bool owner)
{
	const struct room_info *info = room->info;
	bool denied = false, may;

	for (size_t i = 0; i < c->ask->n_people; i++) {
		const char *name = c->ask->people[i];

		if (names_have(c->change.people, c->change.n_people, name))
			continue;
		if (rooms_stay(r, room, name) == NULL) {
			refuse_person(c, name);
			continue;
		}
		may = name_cmp(name, info->owner) != 0 &&
		      (owner || !room_info_is_admin(info, name));
		denied |= !may;
		if (may)
			take_person(c, name);
		else
			refuse_person(c, name);
	}
	if (c->change.n_people > 0)
		return ROOM_OK;
	return denied ? ROOM_NOT_ALLOWED : ROOM_NOT_IN;
}

static enum room_answer
judge_rank(struct rooms *r, const struct room *room, struct changing *c)
{
	const char *name = c->ask->n_people == 1 ? c->ask->people[0] : "";
	bool admin;

	if (name[0] == '\0' || rooms_stay(r, room, name) == NULL)
		return ROOM_NOT_IN;
	admin = room_info_is_admin(room->info, name);
	if (admin != (c->ask->action == ROOM_DEMOTE) ||
	    name_cmp(name, room->info->owner) == 0)
		return ROOM_NOTHING;
	take_person(c, name);
	return ROOM_OK;
}

enum room_answer
judge_change(struct rooms *r, const struct room *room, struct changing *c, bool forced)
{
	const struct room_info *info = room->info;
	bool owner = name_cmp(info->owner, c->ask->by) == 0;

	if (rooms_stay(r, room, c->ask->by) == NULL)
		return ROOM_NOT_IN;
	if (info->type == ROOM_DIRECT && !forced)
		return ROOM_NOT_ALLOWED;
	switch (c->ask->action) {
	case ROOM_LEAVE: return ROOM_OK;
	case ROOM_DROP: return owner ? ROOM_OK : ROOM_NOT_ALLOWED;
	case ROOM_PROMOTE:
	case ROOM_DEMOTE: return owner ? judge_rank(r, room, c) : ROOM_NOT_ALLOWED;
	default: break;
	}
	if (!owner && !room_info_is_admin(info, c->ask->by))
		return ROOM_NOT_ALLOWED;
	switch (c->ask->action) {
	case ROOM_RENAME: return ROOM_OK;
	case ROOM_ADD: return judge_add(r, room, c);
	case ROOM_REMOVE: return judge_remove(r, room, c, owner);
	default: return ROOM_NOT_ALLOWED; /* ROOM_CREATE */
	}
}

enum room_answer
judge_create(struct changing *c)
{
	const struct room_ask *ask = c->ask;

	take_person(c, ask->by);
	for (size_t i = 0; i < ask->n_people; i++)
		if (!names_have(c->change.people, c->change.n_people, ask->people[i]))
			take_person(c, ask->people[i]);
	if (c->change.n_people < 2 ||
	    (ask->type == ROOM_DIRECT && c->change.n_people != 2))
		return ROOM_NOTHING;
	return c->change.n_people > ask->max_members ? ROOM_TOO_MANY : ROOM_OK;
}
