/* SPDX-License-Identifier: MIT
 *
 * arrive.c - the beginning and the end of a login: what waits in which room, and letting
 * go of it.  Sending it is catchup.c's.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "server/log.h"
#include "server/rooms/deliver.h"

#define ROOMS_MAX         256 /* asked for at a time */
#define PATIENCE_LEAST_MS 1000

enum qerr
rooms_arrive(struct rooms_session *rs)
{
	struct session *s = rs->session;
	struct rooms_inbox *in = calloc(1, sizeof(*in));
	enum qerr e;

	if (in == NULL)
		return Q_NOMEM;
	in->since_ms = clock_mono_ms();
	if ((e = session_wakeable(s)) != Q_OK) {
		free(in);
		return e;
	}
	in->session = s;
	in->farewells_due = true;
	lock_take(&s->out.lock);
	/* What it does not take now waits for its next login. */
	s->out.patience_ms = rs->config->sender_wait_ms > PATIENCE_LEAST_MS
				 ? rs->config->sender_wait_ms
				 : PATIENCE_LEAST_MS;
	rs->inbox = in;
	lock_drop(&s->out.lock);
	return Q_OK;
}

/* What waits in one room. */
static enum qerr
arrive_at(struct rooms_session *rs, const struct uuid *id)
{
	struct session *s = rs->session;
	struct rooms *rooms = s->server->rooms;
	struct rooms_inbox_room *room = NULL;
	uint64_t had = 0, last = 0;
	enum qerr e = Q_OK;

	switch (rooms_position(rooms, id, rs->user, &had)) {
	case ROOM_OK: break;
	case ROOM_FAILED: return Q_SYS;
	default: return Q_OK; /* out of it just now */
	}
	if ((e = rooms_last(rooms, id, &last)) == Q_MISSING)
		return Q_OK;
	if (e == Q_NOMEM)
		return e;
	if (e != Q_OK)
		log_limited(LOG_ERROR, &s->peer, s, "room-unreadable", "error=%s",
			    qerr_str(e));
	if (e != Q_OK || last <= had)
		return Q_OK;
	lock_take(&s->out.lock);
	if ((room = rooms_inbox_enter(rs->inbox, id, had)) != NULL) {
		/* It may have been told of something since it can be found. */
		room->sent = room->mark = room->had = had;
		room->waited = last;
		if (room->told < last)
			room->told = last;
	}
	lock_drop(&s->out.lock);
	return room != NULL ? Q_OK : Q_NOMEM;
}

static enum qerr
arrive_at_all(struct rooms_session *rs)
{
	const struct room_info **list;
	struct uuid after = {{0}};
	bool more = true;
	enum qerr e = Q_OK;
	size_t n;

	while (more && e == Q_OK) {
		e = rooms_of(rs->session->server->rooms, rs->user, &after, ROOMS_MAX,
			     &list, &n, &more);
		if (e != Q_OK)
			break;
		for (size_t i = 0; i < n && e == Q_OK; i++)
			e = arrive_at(rs, &list[i]->id);
		if (n > 0)
			after = list[n - 1]->id;
		else
			more = false;
		rooms_of_free(list, n);
	}
	return e;
}

enum qerr
rooms_enter(struct rooms_session *rs)
{
	struct session *s = rs->session;
	enum qerr e;

	rooms_settle_user(rs);
	/* What it says is read from now on. */
	lock_take(&s->out.lock);
	rs->inbox->since_ms = clock_mono_ms();
	lock_drop(&s->out.lock);
	if ((e = arrive_at_all(rs)) != Q_OK) {
		rooms_fail(rs, e);
		return e;
	}
	rooms_woken(rs);
	return session_ended(s) ? Q_CLOSED : Q_OK;
}

void
rooms_leave(struct rooms_session *rs)
{
	struct session *s = rs->session;

	if (rs->inbox == NULL)
		return;
	lock_take(&s->out.lock);
	rs->inbox->phase = ROOMS_INBOX_AWAY;
	lock_drop(&s->out.lock);
	rooms_settle_last(rs, true);
}

/* Of a login that fails, others have found the session by its user, and may be about to
 * deliver something. */
void
rooms_inbox_free(struct rooms_session *rs)
{
	struct session *s = rs->session;
	struct rooms_inbox *in = rs->inbox;

	if (in == NULL)
		return;
	lock_take(&s->out.lock);
	in->phase = ROOMS_INBOX_AWAY;
	lock_drop(&s->out.lock);
	rooms_settle_last(rs, false); /* this may be the flusher or the timers */
	lock_take(&s->out.lock);
	rs->inbox = NULL;
	lock_drop(&s->out.lock);
	rooms_inbox_fini(in);
	free(in);
}
