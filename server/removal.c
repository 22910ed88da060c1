/* SPDX-License-Identifier: MIT
 *
 * Each part is either the running server's, or opened here for the moment, when the
 * administrator's command finds no server.
 */
#include "server/removal.h"

#include "server/moderation.h"
#include "server/shared.h"
#include "store/anons.h"
#include "store/positions.h"
#include "store/relations.h"
#include "store/rooms.h"

/* The part in chats of a user that is gone; with a server running, sessions too must
 * learn it. */
static enum qerr
leave_chats(struct server *server, const char *name)
{
	struct chats *own;
	enum qerr e;

	if (server->shared != NULL)
		return shared_forget(server->shared, name);
	if ((e = chats_open(server->store, &own)) != Q_OK)
		return e;
	e = chats_forget(own, name);
	chats_close(own);
	return e;
}

static enum qerr
leave_rooms(struct server *server, const char *name)
{
	struct rooms *own;
	enum qerr e;

	if (server->rooms != NULL)
		return rooms_forget(server->rooms, name);
	if ((e = rooms_open(server->store, NULL, NULL, &own)) != Q_OK)
		return e;
	e = rooms_forget(own, name);
	rooms_close(own);
	return e;
}

/* What they have announced. */
static enum qerr
forget_anons(struct server *server, const char *name)
{
	struct anons *own;
	enum qerr e;

	if (server->anons != NULL)
		return anons_forget(server->anons, name);
	if ((e = anons_open(server->store, &own)) != Q_OK)
		return e;
	e = anons_forget(own, name);
	anons_close(own);
	return e;
}

enum qerr
removal_forget(struct server *server, const char *name)
{
	struct relations *own = NULL, *all = server->relations;
	enum qerr e = Q_OK;

	if (all == NULL && (e = relations_open(server->store, &own)) == Q_OK)
		all = own;
	if (e == Q_OK)
		e = relations_forget(all, name);
	relations_close(own);
	if (e == Q_OK)
		e = leave_chats(server, name);
	if (e == Q_OK)
		e = positions_remove(server->store, name);
	return e == Q_OK ? removal_forget_late(server, name) : e;
}

enum qerr
removal_forget_late(struct server *server, const char *name)
{
	enum qerr e = leave_rooms(server, name);

	if (e == Q_OK)
		e = forget_anons(server, name);
	/* The file went with the user; so does what is known of it. */
	if (e == Q_OK && server->moderation != NULL)
		e = moderation_refresh(server->moderation, name);
	return e;
}
