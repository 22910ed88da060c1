/* SPDX-License-Identifier: MIT
 *
 * deliver.h - events into connections: what told.c (live), catchup.c (from the files) and
 * positions.c (what has arrived) offer each other.
 */
#ifndef SERVER_ROOMS_DELIVER_H
#define SERVER_ROOMS_DELIVER_H

#include "server/rooms/render.h"
#include "server/rooms/rooms_inbox.h"
#include "server/rooms/rooms_session.h"

/* ---- told.c: what is told of one room, rendered once ---- */
struct rooms_telling {
	struct server *server;
	const struct room_info *info;
	const struct room_event *events;
	size_t n;
	struct buf text;
	struct span *plain; /* one for each event, in text */
	struct span join;   /* of an event by which some come in; len 0: none */
	struct span answer; /* of an event that answers a request; len 0: none */
	bool unreadable;    /* not all could be rendered: read it from the file */
};

/* ---- deliver.c; any thread, no lock held ---- */
/* To a connection of a member; view: how it sees a change. */
void
rooms_deliver(const struct rooms_telling *t, struct session *s, enum rooms_view view);
/* To a connection of one who is out of the room by it. */
void rooms_deliver_farewell(const struct rooms_telling *t, struct session *s);
/* A packet that does not wait for anybody (READ_RECEIPT). */
void rooms_deliver_passing(struct session *s, struct span plain);
/* Call each(arg, s) for every connection of user that speaks rooms. */
void rooms_each_session(struct server *server, const char *user,
			void (*each)(void *arg, struct session *s), void *arg);

/* With s->out.lock held: how many bytes the connection has had when what is in the outbox
 * now is gone. */
uint64_t rooms_end_locked(struct session *s);
/* Put a farewell into the outbox unless it is there already.  Errors as
 * rooms_send_locked. */
enum qerr
rooms_farewell_locked(struct session *s, enum outbox_class class, const struct uuid *room,
		      uint64_t seq, struct span plain) REQUIRES(s->out.lock);

/* ---- catchup.c; worker ---- */
/* Send what is owed from the files, as far as the outbox takes it; the worker is woken
 * when it takes more.  answering: this event is an answer, and *answering->answered tells
 * whether it went out; NULL.  Q_OK: all was sent; Q_FULL: not now; else the session is
 * to end. */
enum qerr rooms_catch_up(struct rooms_session *rs, struct rooms_origin *answering);
/* Catching up failed for want of something: end the session. */
void rooms_fail(struct rooms_session *rs, enum qerr e);
/* An event of this connection was stored; see that its answer goes out before anything
 * else, at its place in the room. */
void rooms_await_answer(struct rooms_session *rs, struct rooms_origin *origin);

/* ---- positions.c ---- */
/* Something was sent: see within a second or two whether it arrived. */
void rooms_settle_soon_locked(struct session *s) REQUIRES(s->out.lock);
/* From now on only SEEN moves positions. */
void rooms_by_hand(struct rooms_session *rs);
/* Worker of one more connection of its user, which is to get only what still waits: what was
 * written to the others counts as had.  Waits for those to whom something was sent in their
 * first moments, which have yet to say whether they count by hand. */
void rooms_settle_user(struct rooms_session *rs);
/* The connection is over: off the list; what arrived by now counts, unless it was ended
 * before it could say SEEN.  may_block: on the
 * disk; else farewells that were not noted yet come again. */
void rooms_settle_last(struct rooms_session *rs, bool may_block);

#endif
