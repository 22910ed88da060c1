/* SPDX-License-Identifier: MIT */
#include "server/rooms/render.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "store/chatkeys.h"

/* ---- a room ---- */

static bool
named(const char (*names)[NAME_SIZE], size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (name_cmp(names[i], name) == 0)
			return true;
	return false;
}

static enum qerr
show_keys(struct server *server, struct rooms_shown *out, struct rooms_member *m,
	  const char *user, struct chatkeys *scratch, size_t *n)
{
	enum qerr e = chatkeys_load(server->store, user, scratch);

	m->keys_told = true;
	m->chat_pubkeys = (struct rooms_names){out->keys + *n, 0};
	/* The PEMs have no place of their own yet: buf may move. */
	for (size_t i = 0; e == Q_OK && i < scratch->n; i++) {
		size_t len = strlen(scratch->key[i].pem);

		e = buf_put(&out->pems, scratch->key[i].pem, len);
		out->keys[(*n)++].len = len;
		m->chat_pubkeys.n++;
	}
	return e;
}

/* Now they have. */
static void
place_keys(struct rooms_shown *out, size_t n)
{
	const uint8_t *at = out->pems.p;

	for (size_t i = 0; i < n; i++) {
		out->keys[i].p = at;
		at += out->keys[i].len;
	}
	for (size_t i = 0; i < out->info.member_count; i++) {
		struct rooms_member *m = &out->members[i];

		if (m->chat_pubkeys.n > 0)
			m->chat_pubkey = m->chat_pubkeys.p[m->chat_pubkeys.n - 1];
	}
}

static enum qerr
show_members(struct server *server, const struct room_info *room, enum rooms_keys keys,
	     const char (*some)[NAME_SIZE], size_t n_some, struct rooms_shown *out)
{
	size_t with = keys == ROOMS_KEYS_ALL    ? room->n_members
		      : keys == ROOMS_KEYS_SOME ? n_some
						: 0;
	struct chatkeys *scratch = NULL;
	size_t n = 0;
	enum qerr e = Q_OK;

	if (with > 0) {
		out->keys = calloc(with * CHATKEYS_MAX, sizeof(*out->keys));
		scratch = malloc(sizeof(*scratch));
		if (out->keys == NULL || scratch == NULL)
			e = Q_NOMEM;
	}
	for (size_t i = 0; e == Q_OK && i < room->n_members; i++) {
		const char *user = room->members[i];

		out->members[i].user = span_str(user);
		if (keys == ROOMS_KEYS_ALL ||
		    (keys == ROOMS_KEYS_SOME && with > 0 && named(some, n_some, user))) {
			e = show_keys(server, out, &out->members[i], user, scratch, &n);
			with -= keys == ROOMS_KEYS_SOME;
		}
	}
	free(scratch);
	place_keys(out, n);
	return e;
}

enum qerr
rooms_show(struct server *server, const struct room_info *room, enum rooms_keys keys,
	   const char (*some)[NAME_SIZE], size_t n_some, struct rooms_shown *out)
{
	enum qerr e = Q_NOMEM;

	memset(out, 0, sizeof(*out));
	out->pems = (struct buf)BUF_INIT(SIZE_MAX / 2);
	out->members = calloc(room->n_members + 1, sizeof(*out->members));
	out->names = calloc(room->n_admins + 1, sizeof(*out->names));
	if (out->members != NULL && out->names != NULL) {
		out->info = (struct rooms_info){
		    .room = room->id,
		    .kind = (int64_t)room->type,
		    .name = span_str(room->name),
		    .owner = span_str(room->owner),
		    .admins = {out->names, room->n_admins},
		    .members = out->members,
		    .member_count = room->n_members,
		};
		for (size_t i = 0; i < room->n_admins; i++)
			out->names[i] = span_str(room->admins[i]);
		e = show_members(server, room, keys, some, n_some, out);
	}
	if (e != Q_OK)
		rooms_shown_free(out);
	return e;
}

void
rooms_shown_free(struct rooms_shown *shown)
{
	free(shown->members);
	free(shown->names);
	free(shown->keys);
	buf_free(&shown->pems);
	shown->members = NULL;
	shown->names = shown->keys = NULL;
}

/* ---- ROOM_INFO, JOIN_ROOM ---- */

static enum qerr
render_whole(struct server *server, enum rooms_type type, const struct room_info *room,
	     uint64_t seq, const struct span *dne, size_t n_dne, struct span ref,
	     struct buf *out)
{
	struct rooms_packet p = {.type = type, .ref = ref};
	struct rooms_shown shown;
	enum qerr e;

	if ((e = rooms_show(server, room, ROOMS_KEYS_ALL, NULL, 0, &shown)) != Q_OK)
		return e;
	p.u.info = shown.info;
	p.u.info.seq = (int64_t)seq;
	p.u.info.dne = (struct rooms_names){dne, n_dne};
	e = rooms_put(out, &p);
	rooms_shown_free(&shown);
	return e;
}

enum qerr
rooms_render_info(struct server *server, const struct room_info *room, uint64_t seq,
		  const struct span *dne, size_t n_dne, struct span ref, struct buf *out)
{
	return render_whole(server, ROOMS_T_ROOM_INFO, room, seq, dne, n_dne, ref, out);
}

/* ---- ROOM_ALTERED ---- */

static enum rooms_alter
alteration_of(enum room_action action)
{
	switch (action) {
	case ROOM_RENAME: return ROOMS_RENAME;
	case ROOM_ADD: return ROOMS_ADD;
	case ROOM_REMOVE: return ROOMS_REMOVE;
	case ROOM_PROMOTE: return ROOMS_PROMOTE;
	case ROOM_DEMOTE: return ROOMS_DEMOTE;
	case ROOM_DROP: return ROOMS_DELETE;
	case ROOM_LEAVE:
	case ROOM_CREATE: break;
	}
	return ROOMS_LEAVE;
}

/* Of a room whose last member left, store and members know the same as of one that was
 * dropped: it is gone. */
static bool
gone(const struct room_info *room, const struct room_event *ev)
{
	return ev->change->action == ROOM_DROP ||
	       (ev->change->action == ROOM_LEAVE && room->n_members == 1 &&
		name_cmp(room->members[0], ev->from) == 0);
}

static enum qerr
render_altered(struct server *server, const struct room_info *room,
	       const struct room_event *ev, struct span ref, struct buf *out)
{
	const struct room_change *c = ev->change;
	struct rooms_packet p = {.type = ROOMS_T_ROOM_ALTERED, .ref = ref};
	struct rooms_altered *m = &p.u.altered;
	struct span *people = calloc(c->n_people + 1, sizeof(*people));
	struct rooms_shown shown = {.members = NULL};
	enum qerr e = people == NULL ? Q_NOMEM : Q_OK;

	if (e == Q_OK && !gone(room, ev))
		e = rooms_show(server, room,
			       c->action == ROOM_ADD ? ROOMS_KEYS_SOME : ROOMS_KEYS_NONE,
			       c->people, c->n_people, &shown);
	if (e == Q_OK) {
		for (size_t i = 0; i < c->n_people; i++)
			people[i] = span_str(c->people[i]);
		m->what = (struct rooms_alteration){
		    .action = alteration_of(c->action),
		    .room = room->id,
		    .name = span_str(c->name),
		    .people = {people, c->n_people},
		    .user = c->n_people > 0 ? people[0] : span_str(""),
		};
		m->by = span_str(ev->from);
		m->info = shown.members != NULL ? &shown.info : NULL;
		m->dne = (struct rooms_names){c->dne, c->n_dne};
		m->seq = (int64_t)ev->seq;
		e = rooms_put(out, &p);
	}
	rooms_shown_free(&shown);
	free(people);
	return e;
}

/* ---- CHAT_ACTION_S ---- */

static enum qerr
render_action(const struct room_info *room, const struct room_event *ev, struct buf *out)
{
	struct rooms_packet p = {.type = ROOMS_T_CHAT_ACTION_S};
	struct rooms_event *m = &p.u.event;

	*m = (struct rooms_event){
	    .room = room->id,
	    .seq = (int64_t)ev->seq,
	    .msg = ev->msg,
	    .from = span_str(ev->from),
	    .time_ms = ev->time_ms,
	};
	switch (ev->kind) {
	case ROOM_SEND:
		m->act = ROOMS_SEND;
		m->format =
		    ev->format == ROOM_TEXT ? ROOMS_FORMAT_TEXT : ROOMS_FORMAT_SMALLFILE;
		if (ev->in_file)
			m->size = (int64_t)ev->size;
		else
			m->content = ev->content;
		break;
	case ROOM_EDIT:
		m->act = ROOMS_EDIT;
		m->content = ev->content;
		break;
	case ROOM_DELETE:
		m->act = ROOMS_ERASE;
		if (ev->content.len > 0)
			m->content = ev->content;
		break;
	case ROOM_PIN:
		m->act = ROOMS_PIN;
		m->pinned = ev->pinned;
		break;
	case ROOM_PUBKEY:
		m->act = ROOMS_SAVE_PUBKEY;
		m->chat_pubkey = ev->content;
		if (ev->dropped[0] != '\0')
			m->dropped = span_str(ev->dropped);
		break;
	case ROOM_CHANGED: assert(false); break;
	}
	return rooms_put(out, &p);
}

/* ---- any event ---- */

enum rooms_view
rooms_view(const struct room_event *ev, const char *user)
{
	if (ev->kind != ROOM_CHANGED)
		return ROOMS_VIEW_MEMBER;
	if (ev->change->action == ROOM_CREATE)
		return ROOMS_VIEW_NEW;
	return ev->change->action == ROOM_ADD &&
		       named(ev->change->people, ev->change->n_people, user)
		   ? ROOMS_VIEW_NEW
		   : ROOMS_VIEW_MEMBER;
}

enum qerr
rooms_render(struct server *server, const struct room_info *room,
	     const struct room_event *ev, enum rooms_view view, struct span ref,
	     struct buf *out)
{
	bool made = ev->kind == ROOM_CHANGED && ev->change->action == ROOM_CREATE;

	if (ev->kind != ROOM_CHANGED)
		return render_action(room, ev, out);
	if (view == ROOMS_VIEW_MEMBER && !made)
		return render_altered(server, room, ev, ref, out);
	return render_whole(
	    server, view == ROOMS_VIEW_MAKER ? ROOMS_T_ROOM_INFO : ROOMS_T_JOIN_ROOM,
	    room, ev->seq, made ? ev->change->dne : NULL, made ? ev->change->n_dne : 0,
	    ref, out);
}
