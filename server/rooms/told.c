/* SPDX-License-Identifier: MIT
 *
 * told.c - an event that was stored goes to all connections of all members.
 *
 * DESIGN.  The store calls rooms_told_cb in the order of the room's events, on the thread
 * of one of those who caused them, and lets nobody else write to the room meanwhile.  So
 * nothing here waits: an event becomes JSON once, and is sealed from there straight into
 * each connection's outbox (deliver.c).  A connection that cannot take it is marked, and
 * its own worker reads the event from the room's file later (catchup.c).
 *
 * A batch of events costs each member one hold of its outbox's lock and one write in it;
 * those who caused them are written to at the end.
 */
#include <stdlib.h>
#include <string.h>

#include "server/log.h"
#include "server/rooms/deliver.h"
#include "server/sessions.h"

#define AT_ONCE 32 /* sessions looked up in one hold of the table's lock */

void
rooms_each_session(struct server *server, const char *user,
		   void (*each)(void *arg, struct session *s), void *arg)
{
	struct sessions *t = server->sessions;
	struct session *s;

	for (s = sessions_next(t, user, NULL); s != NULL; s = sessions_next(t, user, s))
		if (atomic_load(&s->protocol) == &rooms_protocol)
			each(arg, s);
}

/* ---- rendering ---- */

/* Where it begins and how long it is; text may move until all are there. */
static enum qerr
render(struct rooms_telling *t, const struct room_event *ev, enum rooms_view view,
       struct span ref, struct span *out)
{
	size_t before = t->text.len;
	enum qerr e = rooms_render(t->server, t->info, ev, view, ref, &t->text);

	out->len = t->text.len - before;
	return e;
}

static enum qerr
render_all(struct rooms_telling *t)
{
	const struct span none = {NULL, 0};
	enum qerr e = Q_OK;
	size_t at = 0;

	for (size_t i = 0; e == Q_OK && i < t->n; i++) {
		const struct room_event *ev = &t->events[i];
		const struct rooms_origin *origin = ev->origin;
		bool made, adds;

		e = render(t, ev, ROOMS_VIEW_MEMBER, none, &t->plain[i]);
		if (e != Q_OK || ev->kind != ROOM_CHANGED)
			continue;
		/* Of a change there is one at a time. */
		made = ev->change->action == ROOM_CREATE;
		adds = ev->change->action == ROOM_ADD;
		if (adds)
			e = render(t, ev, ROOMS_VIEW_NEW, none, &t->join);
		if (e == Q_OK && origin != NULL && origin->answers)
			e = render(t, ev, made ? ROOMS_VIEW_MAKER : ROOMS_VIEW_MEMBER,
				   origin->ref, &t->answer);
	}
	for (size_t i = 0; i < t->n; i++) {
		t->plain[i].p = t->text.p + at;
		at += t->plain[i].len;
	}
	t->join.p = t->text.p + at;
	t->answer.p = t->join.p + t->join.len;
	return e;
}

/* ---- to whom ---- */

static void
to_outsider(void *arg, struct session *s)
{
	rooms_deliver_farewell(arg, s);
}

static void
tell_members(struct rooms_telling *t)
{
	const struct room_info *info = t->info;
	const struct room_event *ev = &t->events[0];
	bool coming = ev->kind == ROOM_CHANGED && ev->change->action == ROOM_ADD;
	struct sessions_found found[AT_ONCE];
	struct sessions_walk walk = {0, 0};
	size_t n;

	while ((n = sessions_of(t->server->sessions, info->members, info->n_members,
				&rooms_protocol, &walk, found, AT_ONCE)) > 0)
		for (size_t i = 0; i < n; i++) {
			enum rooms_view view = ROOMS_VIEW_MEMBER;

			if (coming)
				view = rooms_view(ev, info->members[found[i].user]);
			rooms_deliver(t, found[i].session, view);
			session_unref(found[i].session);
		}
}

/* Those who are members no more. */
static void
tell_outsiders(struct rooms_telling *t)
{
	const struct room_event *ev = &t->events[0];

	if (ev->kind != ROOM_CHANGED)
		return;
	switch (ev->change->action) {
	case ROOM_LEAVE: rooms_each_session(t->server, ev->from, to_outsider, t); break;
	case ROOM_REMOVE:
		for (size_t i = 0; i < ev->change->n_people; i++)
			rooms_each_session(t->server, ev->change->people[i], to_outsider,
					   t);
		break;
	case ROOM_DROP:
		for (size_t i = 0; i < t->info->n_members; i++)
			rooms_each_session(t->server, t->info->members[i], to_outsider,
					   t);
		break;
	default: break;
	}
}

void
rooms_told_cb(void *arg, const struct room_info *info, const struct room_event *events,
	      size_t n)
{
	struct rooms_telling t = {.server = arg, .info = info, .events = events, .n = n};
	enum qerr e = Q_NOMEM;

	t.text = (struct buf)BUF_INIT(SIZE_MAX / 2);
	if ((t.plain = calloc(n, sizeof(*t.plain))) != NULL)
		e = render_all(&t);
	if (e != Q_OK) {
		log_limited(LOG_ERROR, NULL, NULL, "tell-failed", "error=%s",
			    qerr_str(e));
		t.unreadable = true;
	}
	if (n > 0) {
		if (events[0].kind != ROOM_CHANGED ||
		    events[0].change->action != ROOM_DROP)
			tell_members(&t);
		tell_outsiders(&t);
	}
	buf_free(&t.text);
	free(t.plain);
	outbox_flush_touched();
}
