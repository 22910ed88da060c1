/* SPDX-License-Identifier: MIT
 *
 * requests.h - what the files that answer packets about rooms share.  All of it is the
 * worker's.
 */
#ifndef SERVER_ROOMS_REQUESTS_H
#define SERVER_ROOMS_REQUESTS_H

#include "server/limits.h"
#include "server/rooms/deliver.h"

/* Each answers its packet. */
typedef void rooms_operation(struct rooms_session *rs, const struct rooms_packet *p);
rooms_operation rooms_create_room;                 /* create.c */
rooms_operation rooms_alter_room;                  /* alter.c */
rooms_operation rooms_chat_action;                 /* action.c */
rooms_operation rooms_sync, rooms_list_rooms;      /* pages.c */
rooms_operation rooms_fetch_file;                  /* fetch.c */
rooms_operation rooms_seen_to, rooms_read_receipt; /* seen.c */

/* ---- requests.c ---- */
/* What the page calls the store's answer; ROOMS_SERVER_ERROR for ROOM_FAILED. */
enum rooms_sig rooms_sig_of(enum room_answer a);
/* Say what became of the request p about a room, ROOM_OK excepted. */
void
rooms_refuse(struct rooms_session *rs, const struct rooms_packet *p, enum room_answer a,
	     enum qerr e, const struct uuid *room, const struct uuid *msg);
/* The room, as a reference; the user is a member.  False: refused. */
bool rooms_enter_room(struct rooms_session *rs, const struct rooms_packet *p,
		      const struct uuid *id, const struct room_info **info);

/* Take many tokens of what (of none, one).  False: refused with TRY_LATER. */
bool rooms_may(struct rooms_session *rs, const struct rooms_packet *p, enum limit what,
	       size_t many);

/* ---- people.c ---- */
/* Names from a packet: those of users, as registered, and those of nobody, as sent; each
 * once. */
struct rooms_people {
	char (*found)[NAME_SIZE];
	const char **names; /* n_found pointers into found */
	size_t n_found;
	struct span *dne;
	size_t n_dne;
};
/* Looks for max users at most; more are found out by n_found > max.  room: who is not in it
 * counts as nobody; NULL: all users count.  Q_LIMIT: more text than so many names can be;
 * Q_NOMEM, Q_SYS. */
enum qerr
rooms_find_people(struct server *server, const struct rooms_names *from, size_t max,
		  const struct uuid *room, struct rooms_people *out);
void rooms_people_free(struct rooms_people *p);

#endif
