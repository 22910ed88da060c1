/* SPDX-License-Identifier: MIT
 *
 * alter.c - ALTER_ROOM.  Who may do what is the store's to judge; the answer is the event
 * itself, ROOM_ALTERED, at its place among the room's others.
 */
#include <string.h>

#include "server/rooms/requests.h"

static enum room_action
action_of(enum rooms_alter a)
{
	switch (a) {
	case ROOMS_RENAME: return ROOM_RENAME;
	case ROOMS_ADD: return ROOM_ADD;
	case ROOMS_REMOVE: return ROOM_REMOVE;
	case ROOMS_PROMOTE: return ROOM_PROMOTE;
	case ROOMS_DEMOTE: return ROOM_DEMOTE;
	case ROOMS_DELETE: return ROOM_DROP;
	case ROOMS_LEAVE:
	case ROOMS_ALTER_COUNT: break;
	}
	return ROOM_LEAVE;
}

/* The event that told of it did not fit into the outbox, and the room is none of the
 * user's any more: its file is not read for it. */
static void
answer_left(struct rooms_session *rs, const struct rooms_packet *p,
	    const struct room_info *info, enum room_action action, uint64_t seq)
{
	const struct room_change change = {.action = action};
	struct room_event ev = {.seq = seq, .kind = ROOM_CHANGED, .change = &change};
	struct buf json = BUF_INIT(SIZE_MAX / 2);
	enum qerr e;

	memcpy(ev.from, rs->user, NAME_SIZE);
	e = rooms_render(rs->session->server, info, &ev, ROOMS_VIEW_MEMBER, p->ref,
			 &json);
	if (e == Q_OK)
		(void)rooms_send_wait(rs, buf_span(&json));
	else
		rooms_refuse(rs, p, ROOM_FAILED, e, &info->id, NULL);
	buf_free(&json);
}

static void
change(struct rooms_session *rs, const struct rooms_packet *p, struct room_ask ask)
{
	const struct uuid *room = &p->u.alter.room;
	struct rooms_origin origin = {
	    .session = rs->session, .ref = p->ref, .answers = true};
	const struct room_info *info = NULL;
	enum room_answer a;
	uint64_t seq;
	enum qerr e;

	ask.by = rs->user;
	ask.max_members = (size_t)rs->config->rooms_max_members;
	ask.origin = &origin;
	a = rooms_change(rs->session->server->rooms, room, &ask, &info, &seq, &e);
	if (a == ROOM_NOTHING && ask.action != ROOM_ADD)
		a = ROOM_NOT_ALLOWED; /* an admin already, or none */
	if (a != ROOM_OK)
		rooms_refuse(rs, p, a, e, room, NULL);
	else if (ask.action != ROOM_LEAVE && ask.action != ROOM_DROP)
		rooms_await_answer(rs, &origin);
	else if (!origin.answered)
		answer_left(rs, p, info, ask.action, seq);
	room_info_put(info);
}

/* The name is looked at only when everything else is right. */
static void
rename_room(struct rooms_session *rs, const struct rooms_packet *p,
	    const struct room_info *info)
{
	const struct rooms_alteration *m = &p->u.alter;
	enum rooms_sig wrong = rooms_name_check(m->name);
	bool may = info->type != ROOM_DIRECT && (name_cmp(info->owner, rs->user) == 0 ||
						 room_info_is_admin(info, rs->user));
	char name[ROOM_NAME_MAX + 1] = "";
	struct room_ask ask = {.action = ROOM_RENAME, .name = name};

	if (wrong != ROOMS_SIG_OTHER) {
		(void)rooms_answer_status(rs, may ? wrong : ROOMS_NOT_ALLOWED, &m->room,
					  NULL, p->ref);
		return;
	}
	memcpy(name, m->name.p, m->name.len);
	change(rs, p, ask);
}

/* Those who are added have to be users; the others are members. */
static void
change_people(struct rooms_session *rs, const struct rooms_packet *p,
	      const struct rooms_names *names)
{
	struct room_ask ask = {.action = action_of(p->u.alter.action)};
	struct rooms_people people;
	const struct uuid *room = &p->u.alter.room;
	enum qerr e = rooms_find_people(rs->session->server, names,
					(size_t)rs->config->rooms_max_members,
					ask.action == ROOM_ADD ? NULL : room, &people);

	if (e != Q_OK) {
		rooms_refuse(rs, p, e == Q_LIMIT ? ROOM_TOO_MANY : ROOM_FAILED, e, room,
			     NULL);
		return;
	}
	ask.people = people.names;
	ask.n_people = people.n_found;
	ask.dne = people.dne;
	ask.n_dne = people.n_dne;
	change(rs, p, ask);
	rooms_people_free(&people);
}

/* Leaving is never refused, and a room is dropped once. */
static bool
take_tokens(struct rooms_session *rs, const struct rooms_packet *p)
{
	const struct rooms_alteration *m = &p->u.alter;

	switch (m->action) {
	case ROOMS_LEAVE:
	case ROOMS_DELETE: return true;
	case ROOMS_ADD: return rooms_may(rs, p, LIMIT_JOIN, m->people.n);
	default: return rooms_may(rs, p, LIMIT_MESSAGE, 1);
	}
}

void
rooms_alter_room(struct rooms_session *rs, const struct rooms_packet *p)
{
	const struct rooms_alteration *m = &p->u.alter;
	const struct rooms_names one = {&m->user, 1};
	struct room_ask ask = {.action = action_of(m->action)};
	const struct room_info *info;

	if (!rooms_enter_room(rs, p, &m->room, &info))
		return;
	if (take_tokens(rs, p)) {
		switch (m->action) {
		case ROOMS_RENAME: rename_room(rs, p, info); break;
		case ROOMS_ADD:
		case ROOMS_REMOVE: change_people(rs, p, &m->people); break;
		case ROOMS_PROMOTE:
		case ROOMS_DEMOTE: change_people(rs, p, &one); break;
		default: change(rs, p, ask); break;
		}
	}
	room_info_put(info);
}
