/* SPDX-License-Identifier: MIT
 *
 * hub.h - what concerns users whichever protocol they speak: who is there, telling them,
 * the administrator's words and deeds.  Any thread, no lock held.
 */
#ifndef SERVER_HUB_H
#define SERVER_HUB_H

#include <stdbool.h>
#include <stddef.h>

#include "server/server.h"
#include "server/session.h"

/* Is user logged in, in any protocol? */
bool hub_online(struct server *server, const char *user);
/* End every session of user; returns how many there were. */
size_t
hub_kick(struct server *server, const char *user, enum goodbye why, const char *text);
/* The user was muted: end those sessions of theirs whose protocol cannot refuse single
 * messages.  Returns how many there were. */
size_t hub_hush(struct server *server, const char *user, const char *text);
/* End the sessions of everybody who is banned, and do the above for who is muted. */
void hub_enforce(struct server *server);
struct event;
/* Deliver event to every session of user but `but` (may be NULL). */
void hub_tell(struct server *server, const char *user, const struct event *event,
	      const struct session *but);
/* Deliver a notice to every logged-in session whose protocol has a word for it; returns
 * how many there were. */
size_t hub_say(struct server *server, const char *text);
/* End every session (the server stops). */
void hub_goodbye_all(struct server *server);

#endif
