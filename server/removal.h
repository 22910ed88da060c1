/* SPDX-License-Identifier: MIT
 *
 * removal.h - what a user who goes takes along: contacts, the part in chats and rooms,
 * announcements, positions.  A new user of the same name must not inherit them, so they
 * go before the user does (users_remove).  Otherwise a kill in between would leave them
 * behind without a user whose removal could be tried again.
 *
 * Any thread, no lock held; with a server that runs, or (its parts NULL but store and
 * accounts) with none.
 */
#ifndef SERVER_REMOVAL_H
#define SERVER_REMOVAL_H

#include "server/server.h"

/* The user's sessions have been ended; those who come in meanwhile are the caller's to
 * end afterwards.  Q_FULL, Q_NOMEM, Q_SYS: some of it may be left; try again. */
enum qerr removal_forget(struct server *server, const char *name);
/* Of that, rooms and announcements: again behind users_remove, for what somebody who came
 * in meanwhile has done; and that the user was banned or muted. */
enum qerr removal_forget_late(struct server *server, const char *name);

#endif
