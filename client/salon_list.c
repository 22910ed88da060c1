/* SPDX-License-Identifier: MIT
 *
 * Rooms, who is in them, and what is done to them.  A person is in few of them: an array
 * will do.
 */
#include "client/salon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <bsd/string.h>

/* ---- the array ---- */

static void
room_free(struct salon_room *r)
{
	if (r == NULL)
		return;
	free(r->members);
	free(r->admins);
	buf_wipe(&r->kept);
	free(r);
}

void
salon_rooms_free(struct salon *m)
{
	for (size_t i = 0; i < m->room_count; i++)
		room_free(m->rooms[i]);
	free(m->rooms);
	m->rooms = NULL;
	m->room_count = m->room_room = 0;
}

struct salon_room *
salon_room_of(struct salon *m, const struct uuid *id)
{
	for (size_t i = 0; i < m->room_count; i++)
		if (uuid_eq(&m->rooms[i]->id, id))
			return m->rooms[i];
	return NULL;
}

struct salon_room *
salon_room_called(struct salon *m, struct span label)
{
	for (int hash = 0; hash < 2; hash++)
		for (size_t i = 0; i < m->room_count; i++) {
			const char *text = m->rooms[i]->label;

			if (hash == 1 && text[0] != '#')
				continue;
			text += hash;
			if (strlen(text) == label.len &&
			    strncasecmp(text, (const char *)label.p, label.len) == 0)
				return m->rooms[i];
		}
	return NULL;
}

/* NULL: no memory, which is the end. */
static struct salon_room *
room_add(struct salon *m, const struct uuid *id)
{
	struct salon_room *r = salon_room_of(m, id), **more;
	size_t max = m->room_room > 0 ? 2 * m->room_room : 16;

	if (r != NULL)
		return r;
	if (m->room_count == m->room_room) {
		if ((more = reallocarray(m->rooms, max, sizeof(*more))) == NULL)
			goto fail;
		m->rooms = more;
		m->room_room = max;
	}
	if ((r = calloc(1, sizeof(*r))) == NULL)
		goto fail;
	r->id = *id;
	r->kept = (struct buf)BUF_INIT(SALON_KEPT_MAX);
	r->had = r->shown = r->seen = rooms_state_seq(m->state, id);
	m->rooms[m->room_count++] = r;
	return r;
fail:
	salon_finish(m, CLIENT_LOST, "there is no memory left");
	return NULL;
}

static void
room_drop(struct salon *m, struct salon_room *r, const char *why_closed)
{
	size_t i = 0;

	if (m->open == r)
		salon_open(m, NULL, why_closed);
	while (m->rooms[i] != r)
		i++;
	m->rooms[i] = m->rooms[--m->room_count];
	m->env->view->unread -= r->told;
	room_free(r);
}

/* ---- what the server says of a room ---- */

/* Q_FORMAT: it is no name. */
static enum qerr
copy_name(struct span name, char (*out)[NAME_SIZE])
{
	return name_copy(name, *out) == Q_OK ? Q_OK : Q_FORMAT;
}

static enum qerr
take_members(struct salon *m, struct salon_room *r, const struct rooms_info *info)
{
	char(*all)[NAME_SIZE] = calloc(info->member_count + 1, NAME_SIZE);
	enum qerr e = all != NULL ? Q_OK : Q_NOMEM;

	for (size_t i = 0; i < info->member_count && e == Q_OK; i++) {
		const struct rooms_member *member = &info->members[i];

		e = copy_name(member->user, &all[i]);
		if (e == Q_OK && member->keys_told)
			e = rooms_keys_told(m->keys, all[i], &member->chat_pubkeys);
	}
	if (e != Q_OK) {
		free(all);
		return e;
	}
	free(r->members);
	r->members = all;
	r->member_count = info->member_count;
	return Q_OK;
}

static enum qerr
take_admins(struct salon_room *r, const struct rooms_names *admins)
{
	char(*all)[NAME_SIZE] = calloc(admins->n + 1, NAME_SIZE);
	enum qerr e = all != NULL ? Q_OK : Q_NOMEM;

	for (size_t i = 0; i < admins->n && e == Q_OK; i++)
		e = copy_name(admins->p[i], &all[i]);
	if (e != Q_OK) {
		free(all);
		return e;
	}
	free(r->admins);
	r->admins = all;
	r->admin_count = admins->n;
	return Q_OK;
}

/* The other one of a direct room; "" when that one is gone. */
static const char *
partner_of(const struct salon *m, const struct salon_room *r)
{
	for (size_t i = 0; i < r->member_count; i++)
		if (name_cmp(r->members[i], m->name) != 0)
			return r->members[i];
	return "";
}

/* NULL: the end. */
static struct salon_room *
take_info(struct salon *m, const struct rooms_info *info)
{
	struct salon_room *r = room_add(m, &info->room);
	size_t len = info->name.len < ROOMS_NAME_MAX ? info->name.len : ROOMS_NAME_MAX;
	const char *label = NULL;
	enum qerr e;

	if (r == NULL)
		return NULL;
	r->kind = info->kind == ROOMS_DIRECT || info->kind == ROOMS_CHANNEL
		      ? (enum rooms_kind)info->kind
		      : ROOMS_GROUP;
	if (len > 0)
		memcpy(r->name, info->name.p, len);
	r->name[len] = '\0';
	if ((e = take_members(m, r, info)) == Q_OK)
		e = take_admins(r, &info->admins);
	if (e == Q_OK && name_copy(info->owner, r->owner) != Q_OK)
		r->owner[0] = '\0'; /* a direct room's may be gone */
	if (e == Q_OK)
		label = rooms_label_of(m->memory, &r->id, r->kind, span_str(r->name),
				       partner_of(m, r));
	if (label == NULL) {
		salon_finish(m, CLIENT_LOST,
			     e == Q_FORMAT ? "the server broke the protocol"
					   : "there is no memory left");
		return NULL;
	}
	strlcpy(r->label, label, sizeof(r->label));
	m->flush_ms = m->flush_ms != 0 ? m->flush_ms : m->now_ms + SALON_FLUSH_MS;
	return r;
}

bool
salon_may_say(const struct salon *m, const struct salon_room *r)
{
	if (r->kind != ROOMS_CHANNEL || name_cmp(r->owner, m->name) == 0)
		return true;
	for (size_t i = 0; i < r->admin_count; i++)
		if (name_cmp(r->admins[i], m->name) == 0)
			return true;
	return false;
}

/* ---- the list at the beginning ---- */

void
salon_ask_list(struct salon *m, const struct uuid *after)
{
	struct rooms_packet p = {.type = ROOMS_T_LIST_ROOMS};

	p.u.list.count = ROOMS_LIST_COUNT_MAX;
	if (after != NULL) {
		p.u.list.has_after = true;
		p.u.list.after = *after;
	}
	(void)salon_put(m, &p);
}

void
salon_on_list(struct salon *m, const struct rooms_list_data *d)
{
	for (size_t i = 0; i < d->count && !m->over; i++)
		(void)take_info(m, &d->rooms[i]);
	if (m->over || m->listed)
		return;
	if (d->more && d->count > 0) {
		salon_ask_list(m, &d->rooms[d->count - 1].room);
		return;
	}
	m->listed = true;
	salon_settle_early(m);
}

/* ---- what happens to rooms ---- */

static const char *
kind_text(enum rooms_kind kind)
{
	return kind == ROOMS_DIRECT  ? "direct"
	       : kind == ROOMS_GROUP ? "group"
				     : "channel";
}

static void
tell_room(struct salon *m, const struct salon_room *r, struct span text)
{
	struct client_event e = {.kind = CLIENT_ROOM, .name = r->label, .text = text};

	salon_tell(m, &e);
}

/* "a, b", as far as it fits. */
static enum qerr
put_names(struct buf *out, const struct rooms_names *names)
{
	enum qerr e = Q_OK;

	for (size_t i = 0; i < names->n && e == Q_OK; i++) {
		if (i > 0)
			e = buf_put_str(out, ", ");
		if (e == Q_OK)
			e = buf_put_span(out, names->p[i]);
	}
	return e;
}

static void
tell_dne(struct salon *m, const struct rooms_names *dne)
{
	struct buf text = BUF_INIT(4096);

	if (dne->n > 0 && buf_put_str(&text, "not possible with: ") == Q_OK) {
		(void)put_names(&text, dne);
		client_tell(m->env, CLIENT_FAILED, NULL, buf_span(&text));
	}
	buf_free(&text);
}

static void
tell_joined(struct salon *m, const struct salon_room *r, const char *how)
{
	struct buf text = BUF_INIT(4096);

	if (buf_printf(&text, "%s, %s with %zu people%s", how, kind_text(r->kind),
		       r->member_count, r->name[0] != '\0' ? ": " : "") == Q_OK &&
	    buf_put_str(&text, r->name) == Q_OK)
		tell_room(m, r, buf_span(&text));
	buf_free(&text);
}

/* The answer to CREATE_ROOM. */
void
salon_on_info(struct salon *m, const struct rooms_packet *p)
{
	bool ours = salon_is_doing(m, p->ref);
	struct salon_room *r = take_info(m, &p->u.info);

	if (r == NULL)
		return;
	/* A direct room that was there already may have unread events up to it. */
	if (r->kept.len == 0 && !r->full && p->u.info.seq > r->had && r->had == 0)
		r->had = r->shown = p->u.info.seq;
	if (!ours)
		return;
	m->doing.on = false;
	if (r->kind != ROOMS_DIRECT)
		tell_joined(m, r, "made");
	salon_open(m, r, NULL);
	tell_dne(m, &p->u.info.dne); /* where it is seen */
}

void
salon_on_join(struct salon *m, const struct rooms_info *info)
{
	struct salon_room *r = take_info(m, info);

	if (r != NULL && info->seq > r->had) {
		r->had = info->seq;
		if (r->kept.len == 0 && !r->full)
			r->shown = info->seq;
		tell_joined(m, r, "you are in this room now");
	}
}

/* What somebody has done, as a phrase behind the name. */
static enum qerr
put_alteration(struct buf *out, const struct rooms_alteration *a)
{
	static const char *const words[ROOMS_ALTER_COUNT] = {
	    [ROOMS_RENAME] = "has renamed it: ", [ROOMS_ADD] = "has added ",
	    [ROOMS_REMOVE] = "has removed ",     [ROOMS_PROMOTE] = "has promoted ",
	    [ROOMS_DEMOTE] = "has demoted ",     [ROOMS_DELETE] = "has deleted the room",
	    [ROOMS_LEAVE] = "has left",
	};
	enum qerr e = buf_put_str(out, words[a->action]);

	if (e != Q_OK)
		return e;
	switch (a->action) {
	case ROOMS_RENAME: return buf_put_span(out, a->name);
	case ROOMS_ADD:
	case ROOMS_REMOVE: return put_names(out, &a->people);
	case ROOMS_PROMOTE:
	case ROOMS_DEMOTE: return buf_put_span(out, a->user);
	default: return Q_OK;
	}
}

/* Are we out of it?  "": no. */
static const char *
farewell(const struct salon *m, const struct rooms_altered *d)
{
	char name[NAME_SIZE];

	if (d->info == NULL || d->what.action == ROOMS_DELETE)
		return "the room has been deleted";
	if (d->what.action == ROOMS_LEAVE && name_copy(d->by, name) == Q_OK &&
	    name_cmp(name, m->name) == 0)
		return "you have left the room";
	if (d->what.action == ROOMS_REMOVE)
		for (size_t i = 0; i < d->what.people.n; i++)
			if (name_copy(d->what.people.p[i], name) == Q_OK &&
			    name_cmp(name, m->name) == 0)
				return "you have been removed from the room";
	return "";
}

static void
tell_altered(struct salon *m, const struct salon_room *r, const struct rooms_altered *d)
{
	struct buf text = BUF_INIT(65536);

	if (buf_put_span(&text, d->by) == Q_OK && buf_put_u8(&text, ' ') == Q_OK) {
		(void)put_alteration(&text, &d->what);
		tell_room(m, r, buf_span(&text));
	}
	buf_free(&text);
}

void
salon_on_altered(struct salon *m, const struct rooms_packet *p)
{
	const struct rooms_altered *d = &p->u.altered;
	struct salon_room *r = salon_room_of(m, &d->what.room);
	const char *out = farewell(m, d);

	if (salon_is_doing(m, p->ref))
		m->doing.on = false;
	if (r == NULL || d->seq <= r->had)
		return; /* about a room that we are no longer in, or again */
	r->had = d->seq;
	if (r->kept.len == 0 && !r->full)
		r->shown = d->seq;
	tell_altered(m, r, d);
	tell_dne(m, &d->dne);
	if (out[0] != '\0') {
		/* Nothing will be shown there any more: so all of it was. */
		r->shown = d->seq;
		rooms_state_set_seq(m->state, &r->id, d->seq);
		room_drop(m, r, out);
	} else {
		(void)take_info(m, d->info);
	}
}

/* ---- open and closed ---- */

void
salon_open(struct salon *m, struct salon_room *r, const char *why_closed)
{
	struct client_view *view = m->env->view;
	char before[ROOMS_LABEL_SIZE] = "";

	if (m->open != NULL)
		strlcpy(before, m->open->label, sizeof(before));
	m->open = r;
	view->phase = r != NULL ? CLIENT_PHASE_CHATTING : CLIENT_PHASE_FREE;
	strlcpy(view->partner, r != NULL ? r->label : "", sizeof(view->partner));
	if (r == NULL) {
		if (before[0] != '\0' && why_closed != NULL)
			client_tell(m->env, CLIENT_CHAT_CLOSED, before,
				    span_str(why_closed));
		return;
	}
	client_tell(m->env, CLIENT_CHAT_READY, r->label, span_of(NULL, 0));
	salon_show_kept(m, r);
}

/* ---- lists for people ---- */

void
salon_tell_rooms(struct salon *m)
{
	struct client_event end = {
	    .kind = CLIENT_CHATS_END, .count = m->room_count, .type = "rooms"};

	for (size_t i = 0; i < m->room_count; i++) {
		const struct salon_room *r = m->rooms[i];
		struct client_event e = {.kind = CLIENT_CHAT_KEPT,
					 .name = r->label,
					 .count = r->unread,
					 .type = kind_text(r->kind),
					 .text = span_str(r->name)};

		salon_tell(m, &e);
	}
	salon_tell(m, &end);
}

static int
name_order(const void *a, const void *b)
{
	return name_cmp(a, b);
}

/* Of the open room, in order of joining; else all that we know from any room. */
void
salon_tell_people(struct salon *m)
{
	char(*all)[NAME_SIZE] = NULL;
	size_t n = 0, used = 0;

	for (size_t i = 0; i < m->room_count; i++)
		n += m->open == NULL || m->open == m->rooms[i] ? m->rooms[i]->member_count
							       : 0;
	if ((all = calloc(n + 1, NAME_SIZE)) == NULL) {
		salon_finish(m, CLIENT_LOST, "there is no memory left");
		return;
	}
	for (size_t i = 0; i < m->room_count; i++)
		if (m->open == NULL || m->open == m->rooms[i]) {
			memcpy(all[used], m->rooms[i]->members,
			       m->rooms[i]->member_count * NAME_SIZE);
			used += m->rooms[i]->member_count;
		}
	if (m->open == NULL)
		qsort(all, used, NAME_SIZE, name_order);
	for (size_t i = 0; i < used; i++)
		if (m->open != NULL || i == 0 || name_cmp(all[i], all[i - 1]) != 0)
			client_tell(m->env, CLIENT_LIST_NAME, all[i], span_of(NULL, 0));
	free(all);
	client_tell(m->env, CLIENT_LIST_END, NULL, span_of(NULL, 0));
}
