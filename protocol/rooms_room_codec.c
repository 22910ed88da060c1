/* SPDX-License-Identifier: MIT
 *
 * Packets about rooms: making, altering and listing them.
 */
#include <assert.h>

#include "protocol/rooms_priv.h"

static const char *const alter_words[ROOMS_ALTER_COUNT] = {
    [ROOMS_RENAME] = "rename",   [ROOMS_ADD] = "add",       [ROOMS_REMOVE] = "remove",
    [ROOMS_PROMOTE] = "promote", [ROOMS_DEMOTE] = "demote", [ROOMS_DELETE] = "delete",
    [ROOMS_LEAVE] = "leave",
};

const char *
rooms_alter_text(enum rooms_alter a)
{
	assert(a < ROOMS_ALTER_COUNT);
	return alter_words[a];
}

/* ---- CREATE_ROOM ---- */

/* What is missing has a sig of its own, which rooms_create_check and the server find. */
bool
rooms_parse_create_room(struct rooms_reading *r)
{
	struct rooms_create *m = &r->p->u.create;

	m->kind = -1;
	return rooms_may_int(r, r->data, "room-type", &m->kind) &&
	       rooms_may_text(r, r->data, "room-name", &m->name) &&
	       rooms_may_names(r, r->data, "people", &m->people);
}

void
rooms_put_create_room(struct rooms_writing *w, const struct rooms_packet *p)
{
	rooms_w_int(w, "room-type", p->u.create.kind);
	rooms_w_text(w, "room-name", p->u.create.name);
	rooms_w_names(w, "people", &p->u.create.people);
}

/* ---- what a room is: ROOM_INFO, JOIN_ROOM, and inside others ---- */

static bool
read_member(struct rooms_reading *r, const json_t *o, struct rooms_member *m)
{
	if (!rooms_need_text(r, o, "user", &m->user) ||
	    !rooms_may_text(r, o, "chat_pubkey", &m->chat_pubkey) ||
	    !rooms_may_names(r, o, "chat_pubkeys", &m->chat_pubkeys))
		return false;
	m->keys_told = json_object_get(o, "chat_pubkey") != NULL;
	return true;
}

static bool
read_members(struct rooms_reading *r, const json_t *o, struct rooms_info *info)
{
	const json_t *list, *item;
	struct rooms_member *members;
	void *place;
	size_t i;

	if (!rooms_need_array(r, o, "members", &list))
		return false;
	if (json_array_size(list) == 0)
		return true;
	if (!rooms_take(r, json_array_size(list), sizeof(*members), &place))
		return false;
	members = place;
	json_array_foreach(list, i, item)
	{
		if (!json_is_object(item))
			return rooms_bad(r, "members", "must be an array of objects");
		if (!read_member(r, item, &members[i]))
			return false;
	}
	info->members = members;
	info->member_count = json_array_size(list);
	return true;
}

static bool
read_info(struct rooms_reading *r, const json_t *o, struct rooms_info *info)
{
	return rooms_need_id(r, o, "room", &info->room) &&
	       rooms_need_int(r, o, "room-type", &info->kind) &&
	       rooms_may_text(r, o, "room-name", &info->name) &&
	       rooms_need_text(r, o, "owner", &info->owner) &&
	       rooms_may_names(r, o, "admins", &info->admins) &&
	       read_members(r, o, info) && rooms_may_names(r, o, "dne", &info->dne) &&
	       rooms_may_int(r, o, "seq", &info->seq);
}

static void
write_member(struct rooms_writing *w, const struct rooms_member *m)
{
	rooms_w_open(w, NULL, '{');
	rooms_w_text(w, "user", m->user);
	if (m->keys_told) {
		rooms_w_text(w, "chat_pubkey", m->chat_pubkey);
		rooms_w_names(w, "chat_pubkeys", &m->chat_pubkeys);
	}
	rooms_w_close(w, '{');
}

static void
write_info(struct rooms_writing *w, const struct rooms_info *info)
{
	rooms_w_id(w, "room", &info->room);
	rooms_w_int(w, "room-type", info->kind);
	rooms_w_text(w, "room-name", info->name);
	rooms_w_text(w, "owner", info->owner);
	rooms_w_names(w, "admins", &info->admins);
	rooms_w_open(w, "members", '[');
	for (size_t i = 0; i < info->member_count; i++)
		write_member(w, &info->members[i]);
	rooms_w_close(w, '[');
	rooms_w_names(w, "dne", &info->dne);
	if (info->seq != 0)
		rooms_w_int(w, "seq", info->seq);
}

bool
rooms_parse_info(struct rooms_reading *r)
{
	return read_info(r, r->data, &r->p->u.info);
}

void
rooms_put_info(struct rooms_writing *w, const struct rooms_packet *p)
{
	write_info(w, &p->u.info);
}

/* ---- ALTER_ROOM, ROOM_ALTERED ---- */

/* The action, and what of its data both directions have. */
static bool
read_alteration(struct rooms_reading *r, const json_t **actiondata,
		struct rooms_alteration *a)
{
	int action;

	if (!rooms_need_word(r, r->data, "action", alter_words, ROOMS_ALTER_COUNT,
			     &action) ||
	    !rooms_need_object(r, r->data, "actiondata", actiondata))
		return false;
	a->action = (enum rooms_alter)action;
	switch (a->action) {
	case ROOMS_RENAME: return rooms_need_text(r, *actiondata, "name", &a->name);
	case ROOMS_ADD:
	case ROOMS_REMOVE:
		return (json_object_get(*actiondata, "people") != NULL ||
			rooms_bad(r, "people", "is missing")) &&
		       rooms_may_names(r, *actiondata, "people", &a->people);
	case ROOMS_PROMOTE:
	case ROOMS_DEMOTE: return rooms_need_text(r, *actiondata, "user", &a->user);
	default: return true;
	}
}

static void
write_alteration(struct rooms_writing *w, const struct rooms_alteration *a)
{
	switch (a->action) {
	case ROOMS_RENAME: rooms_w_text(w, "name", a->name); break;
	case ROOMS_ADD:
	case ROOMS_REMOVE: rooms_w_names(w, "people", &a->people); break;
	case ROOMS_PROMOTE:
	case ROOMS_DEMOTE: rooms_w_text(w, "user", a->user); break;
	default: break;
	}
}

/* The room stands in actiondata here, and in data everywhere else. */
bool
rooms_parse_alter_room(struct rooms_reading *r)
{
	struct rooms_alteration *a = &r->p->u.alter;
	const json_t *actiondata;

	return read_alteration(r, &actiondata, a) &&
	       rooms_need_room(r, actiondata, &a->room);
}

void
rooms_put_alter_room(struct rooms_writing *w, const struct rooms_packet *p)
{
	const struct rooms_alteration *a = &p->u.alter;

	rooms_w_str(w, "action", rooms_alter_text(a->action));
	rooms_w_open(w, "actiondata", '{');
	rooms_w_id(w, "room", &a->room);
	write_alteration(w, a);
	rooms_w_close(w, '{');
}

bool
rooms_parse_room_altered(struct rooms_reading *r)
{
	struct rooms_altered *m = &r->p->u.altered;
	const json_t *actiondata, *info;
	struct rooms_info *place;
	enum json_is is;
	void *taken;

	if (!rooms_need_room(r, r->data, &m->what.room) ||
	    !rooms_need_text(r, r->data, "by", &m->by) ||
	    !read_alteration(r, &actiondata, &m->what) ||
	    !rooms_may_names(r, r->data, "dne", &m->dne) ||
	    !rooms_need_int(r, r->data, "seq", &m->seq))
		return false;
	is = json_get_object(r->data, "info", &info);
	if (is == JSON_IS_OTHER)
		return rooms_bad(r, "info", "must be an object");
	if (is != JSON_IS_THERE)
		return true;
	if (!rooms_take(r, 1, sizeof(*place), &taken))
		return false;
	place = taken;
	m->info = place;
	return read_info(r, info, place);
}

void
rooms_put_room_altered(struct rooms_writing *w, const struct rooms_packet *p)
{
	const struct rooms_altered *m = &p->u.altered;

	rooms_w_id(w, "room", &m->what.room);
	rooms_w_text(w, "by", m->by);
	rooms_w_str(w, "action", rooms_alter_text(m->what.action));
	rooms_w_open(w, "actiondata", '{');
	write_alteration(w, &m->what);
	rooms_w_close(w, '{');
	if (m->info == NULL) {
		rooms_w_text(w, "info", (struct span){NULL, 0});
	} else {
		rooms_w_open(w, "info", '{');
		write_info(w, m->info);
		rooms_w_close(w, '{');
	}
	rooms_w_names(w, "dne", &m->dne);
	rooms_w_int(w, "seq", m->seq);
}

/* ---- LIST_ROOMS, ROOMS ---- */

bool
rooms_parse_list_rooms(struct rooms_reading *r)
{
	struct rooms_list *m = &r->p->u.list;

	m->count = ROOMS_LIST_COUNT_MAX;
	if (!rooms_may_id(r, r->data, "after", &m->after, &m->has_after) ||
	    !rooms_may_int(r, r->data, "count", &m->count))
		return false;
	if (m->count <= 0)
		return rooms_bad(r, "count", "must be above 0");
	if (m->count > ROOMS_LIST_COUNT_MAX)
		m->count = ROOMS_LIST_COUNT_MAX;
	return true;
}

void
rooms_put_list_rooms(struct rooms_writing *w, const struct rooms_packet *p)
{
	rooms_w_id(w, "after", p->u.list.has_after ? &p->u.list.after : NULL);
	rooms_w_int(w, "count", p->u.list.count);
}

bool
rooms_parse_rooms(struct rooms_reading *r)
{
	struct rooms_list_data *m = &r->p->u.rooms;
	const json_t *list, *item;
	struct rooms_info *rooms;
	void *place;
	size_t i;

	if (!rooms_need_array(r, r->data, "rooms", &list) ||
	    !rooms_need_bool(r, r->data, "more", &m->more))
		return false;
	if (json_array_size(list) == 0)
		return true;
	if (!rooms_take(r, json_array_size(list), sizeof(*rooms), &place))
		return false;
	rooms = place;
	json_array_foreach(list, i, item)
	{
		if (!json_is_object(item))
			return rooms_bad(r, "rooms", "must be an array of objects");
		if (!read_info(r, item, &rooms[i]))
			return false;
	}
	m->rooms = rooms;
	m->count = json_array_size(list);
	return true;
}

void
rooms_put_rooms(struct rooms_writing *w, const struct rooms_packet *p)
{
	const struct rooms_list_data *m = &p->u.rooms;

	rooms_w_open(w, "rooms", '[');
	for (size_t i = 0; i < m->count; i++) {
		rooms_w_open(w, NULL, '{');
		write_info(w, &m->rooms[i]);
		rooms_w_close(w, '{');
	}
	rooms_w_close(w, '[');
	rooms_w_bool(w, "more", m->more);
}
