/* SPDX-License-Identifier: MIT
 *
 * board.c - a connection of board: the row, the route, the one namespace, and what is
 * emitted.
 *
 * DESIGN.  A connection is a session of Engine.IO, whatever carries it at the moment.
 * Its events are dealt with in turns, on the thread that brought them, and answered by
 * the time the next one is looked at; but what a client says to one chat in one go is
 * posted and answered together (run.c).  Events of others are emitted by the threads of
 * those who cause them, under the connection's lock, which is what puts them before or
 * behind a login, a logout, or the entering of a room.
 */
#include "server/board/board.h"

#include <stdlib.h>
#include <string.h>

#include <bsd/stdlib.h>

#include "server/board/account.h"
#include "server/board/upper.h"
#include "server/log.h"

/* What a client may send before it has logged in; as much as needs no budget. */
#define EARLY_MAX 65536
/* board.max_payload goes no higher. */
#define BODY_MAX ((size_t)64 << 20)

static const char *const spaces[] = {BOARD_SPACE_NAME, NULL};

struct board_session *
board_of(struct session *seat)
{
	return sio_user(sio_of(seat));
}

/* ---- the life of a connection ---- */

static bool
open(struct sio *s)
{
	struct board_session *bs = calloc(1, sizeof(*bs));

	if (bs == NULL)
		return false;
	bs->sio = s;
	bs->server = sio_seat(s)->server;
	bs->max_message = (size_t)config_now()->board_max_payload;
	lock_init(&bs->lock);
	sio_set_user(s, bs);
	return true;
}

static void
connected(struct sio *s, unsigned space, struct span auth)
{
	(void)space;
	board_connected(sio_user(s), auth);
}

static void
rest(struct sio *s)
{
	board_run_post(sio_user(s));
}

static void
disconnected(struct sio *s, unsigned space)
{
	(void)space;
	board_leave(sio_user(s), "disconnected");
}

static void
release(void *user)
{
	struct board_session *bs = user;

	if (bs->lent_password != NULL)
		freezero(bs->lent_password, strlen(bs->lent_password));
	lock_fini(&bs->lock);
	free(bs);
}

void
board_limit(struct board_session *bs, bool logged_in)
{
	sio_raise(bs->sio, logged_in ? bs->max_message : EARLY_MAX);
}

/* ---- emitting ---- */

void
board_emit(struct board_session *bs, struct bundle *event)
{
	if (sio_emit(bs->sio, BOARD_SPACE, event) == Q_NOMEM)
		sio_end(bs->sio, SIO_END_RETURN, "no memory");
}

void
board_emit_args(struct board_session *bs, const char *name, struct span args)
{
	struct bundle *b;

	if (sio_event_new(BOARD_SPACE_NAME, name, args, NULL, 0, &b) != Q_OK) {
		sio_end(bs->sio, SIO_END_RETURN, "no memory");
		return;
	}
	board_emit(bs, b);
	bundle_unref(b);
}

/* To the user, if that is who is logged in there (NULL: anybody). */
static void
emit_to(struct session *seat, const char *user, struct bundle *event)
{
	struct board_session *bs = board_of(seat);

	lock_take(&bs->lock);
	if (board_logged_in(bs) && (user == NULL || name_cmp(bs->user, user) == 0))
		board_emit(bs, event);
	lock_drop(&bs->lock);
}

static bool
is_board(struct session *s)
{
	return atomic_load(&s->protocol) == &board_protocol;
}

void
board_emit_user(struct server *server, const char *user, struct bundle *event,
		const struct board_session *but)
{
	struct sessions *t = server->sessions;
	struct session *s;

	for (s = sessions_next(t, user, NULL); s != NULL; s = sessions_next(t, user, s))
		if (is_board(s) && (but == NULL || s != sio_seat(but->sio)))
			emit_to(s, user, event);
}

void
board_emit_all(struct server *server, struct bundle *event)
{
	struct sessions *t = server->sessions;
	struct session *s;

	for (s = sessions_next(t, NULL, NULL); s != NULL; s = sessions_next(t, NULL, s))
		if (is_board(s))
			emit_to(s, NULL, event);
}

/* ---- the row ---- */

static void
notice(struct board_session *bs, struct span text)
{
	struct buf args = BUF_INIT(SIZE_MAX / 2);

	if (json_put_text(&args, text) == Q_OK)
		board_emit_args(bs, "notice", buf_span(&args));
	buf_free(&args);
}

static void
deliver(struct session *seat, const struct event *event)
{
	struct board_session *bs = board_of(seat);

	if (event->kind != EVENT_NOTICE) {
		board_chats_deliver(bs, event);
		return;
	}
	lock_take(&bs->lock);
	if (board_logged_in(bs))
		notice(bs, event->text);
	lock_drop(&bs->lock);
}

/* What a person should read before the connection is gone for good. */
static void
goodbye(struct session *seat, enum goodbye why, const char *text)
{
	if (why == GOODBYE_KICKED || why == GOODBYE_REMOVED)
		notice(board_of(seat),
		       span_str(text != NULL ? text : "you were disconnected"));
	sio_goodbye(seat, why, text);
}

static const struct sio_handler handler = {
    .row = &board_protocol,
    .spaces = spaces,
    .max_blobs = 1,
    .open = open,
    .connect = connected,
    .event = board_dispatch,
    .rest = rest,
    .disconnect = disconnected,
    .free = release,
};

static struct sio_options
options_now(void)
{
	const struct config *c = config_now();

	return (struct sio_options){
	    .transport = {.ping_interval_ms = c->board_ping_interval_ms,
			  .ping_timeout_ms = c->board_ping_timeout_ms,
			  .max_payload = (size_t)c->board_max_payload,
			  .max_message = EARLY_MAX,
			  .max_backlog = (size_t)c->board_max_backlog,
			  .max_inflight = (size_t)c->board_max_inflight},
	    .connect_timeout_ms = c->board_connect_timeout_ms,
	};
}

static void
reload(struct server *server)
{
	const struct sio_options options = options_now();

	sio_server_set(server->board, &options);
}

static void
stop(struct server *server)
{
	board_thumbs_stop();
	board_presence_stop(server);
	sio_server_free(server->board);
	server->board = NULL;
	board_guests_forget();
}

static enum qerr
start(struct server *server, struct why *why)
{
	const struct sio_options options = options_now();
	enum qerr e = sio_server_new(server, &handler, &options, &server->board);

	if (e != Q_OK)
		return why_set(why, e, "cannot start board: %s", qerr_str(e));
	if ((e = board_presence_start(server)) == Q_OK &&
	    (e = board_thumbs_start(server)) == Q_OK)
		return Q_OK;
	stop(server);
	return why_set(why, e, "cannot start board: %s", qerr_str(e));
}

/* Reached through HTTP, never by first bytes. */
static enum qerr
recognise(struct span first)
{
	(void)first;
	return Q_FORMAT;
}

const struct protocol board_protocol = {
    .name = "board",
    .notices = true,
    .recognise = recognise,
    .start = start,
    .stop = stop,
    .reload = reload,
    .removing = board_presence_settle,
    .deliver = deliver,
    .goodbye = goodbye,
    .release = eio_release,
};

/* ---- the route ---- */

static bool
exists(void)
{
	return config_now()->board_enabled;
}

static struct eio_server *
transport(struct http *h)
{
	return sio_transport(http_session(h)->server->board);
}

static void
head(struct http *h, struct http_request *r)
{
	eio_head(transport(h), h, r);
}

static void
serve(struct http *h, struct http_request *r)
{
	eio_serve(transport(h), h, r);
}

const struct http_route board_route = {
    .path = "/socket.io/",
    .methods = EIO_METHODS,
    .max_body = BODY_MAX,
    .same_origin = true,
    .exists = exists,
    .head = head,
    .serve = serve,
};
