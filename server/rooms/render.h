/* SPDX-License-Identifier: MIT
 *
 * render.h - what the store knows of rooms, as packets of the protocol.  Any thread, no
 * lock held; may block on the disk.
 */
#ifndef SERVER_ROOMS_RENDER_H
#define SERVER_ROOMS_RENDER_H

#include "protocol/rooms.h"
#include "server/server.h"
#include "store/rooms.h"

/* Whose chat keys stand in it? */
enum rooms_keys { ROOMS_KEYS_NONE, ROOMS_KEYS_ALL, ROOMS_KEYS_SOME };

/* A room as packets show it.  info borrows from the rest and from the room_info. */
struct rooms_shown {
	struct rooms_info info;
	struct rooms_member *members;
	struct span *names; /* admins, then dne */
	struct span *keys;  /* CHATKEYS_MAX a member who shows them */
	struct buf pems;
};
/* some: ROOMS_KEYS_SOME shows these members' keys.  seq and dne are left empty.  Q_NOMEM,
 * Q_DENIED, Q_SYS. */
enum qerr
rooms_show(struct server *server, const struct room_info *room, enum rooms_keys keys,
	   const char (*some)[NAME_SIZE], size_t n_some, struct rooms_shown *out);
void rooms_shown_free(struct rooms_shown *shown);

/* How an event looks to whom: to members, to one who comes in by it, to the creator. */
enum rooms_view { ROOMS_VIEW_MEMBER, ROOMS_VIEW_NEW, ROOMS_VIEW_MAKER };
/* Which of the first two is it for user? */
enum rooms_view rooms_view(const struct room_event *ev, const char *user);
/* Append the event as JSON, with ref (p NULL: none).  room: as it is after it; not needed
 * for events of messages.  Q_LIMIT, Q_NOMEM, Q_SYS: out is as it was. */
enum qerr rooms_render(struct server *server, const struct room_info *room,
		       const struct room_event *ev, enum rooms_view view, struct span ref,
		       struct buf *out);
/* ROOM_INFO for the one who asked for a room. */
enum qerr
rooms_render_info(struct server *server, const struct room_info *room, uint64_t seq,
		  const struct span *dne, size_t n_dne, struct span ref, struct buf *out);

#endif
