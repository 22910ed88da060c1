/* SPDX-License-Identifier: MIT */
#include "tests/system/sio-echo/echo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "server/server.h"
#include "server/timer.h"

#define MAX_BLOBS 10
#define MAX_BODY  (64 << 20)

static struct eio_server *engine;
static struct sio_server *sockets;
static struct server *server;
static struct echo_options options;

/* ---- /engine.io/ ---- */

static bool
open_engine(struct eio *e)
{
	(void)e;
	return true;
}

static void
echo_engine(struct eio *e, const struct eio_packet *packet)
{
	struct bundle *b = packet->binary
			       ? bundle_binary(packet->data)
			       : bundle_new(EIO_MESSAGE, packet->data, NULL, 0);

	if (b != NULL)
		(void)eio_send(e, b);
	bundle_unref(b);
}

static void
closed_engine(struct eio *e)
{
	(void)e;
}

static void
deliver(struct session *s, const struct event *event)
{
	(void)s, (void)event;
}

static void
goodbye_engine(struct session *s, enum goodbye why, const char *text)
{
	if (why != GOODBYE_SELF)
		eio_close(eio_of(s), WS_CODE_GOING_AWAY, text);
}

static const struct protocol engine_row = {
    .name = "engine-echo",
    .deliver = deliver,
    .goodbye = goodbye_engine,
    .release = eio_release,
};

static const struct eio_handler engine_handler = {
    .row = &engine_row,
    .open = open_engine,
    .message = echo_engine,
    .closed = closed_engine,
};

static void
head_engine(struct http *h, struct http_request *r)
{
	eio_head(engine, h, r);
}

static void
serve_engine(struct http *h, struct http_request *r)
{
	eio_serve(engine, h, r);
}

const struct http_route echo_engineio_route = {
    .path = "/engine.io/",
    .methods = EIO_METHODS,
    .max_body = MAX_BODY,
    .same_origin = true,
    .head = head_engine,
    .serve = serve_engine,
};

/* ---- /socket.io/ ---- */

static const char *const spaces[] = {"/", "/custom", NULL};
#define SPACES 2

/* A client.  auth is for its own timer. */
struct client {
	struct sio *sio;
	struct later {
		struct client *client;
		unsigned space;
		struct timer timer;
		struct buf auth;
	} later[SPACES];
	struct client *next; /* [clients.lock] */
	unsigned gathered;   /* events, not told yet */
};

static struct {
	struct lock lock;
	struct client *first;
} clients = {.lock = LOCK_INIT};

static void
list(struct client *c, bool in)
{
	struct client **p = &clients.first;

	lock_take(&clients.lock);
	while (*p != NULL && *p != c)
		p = &(*p)->next;
	if (*p == c) /* there still: sio_leave tells nobody */
		*p = c->next;
	if (in) {
		c->next = clients.first;
		clients.first = c;
	}
	lock_drop(&clients.lock);
}

static bool
open_client(struct sio *s)
{
	struct client *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return false;
	c->sio = s;
	for (unsigned i = 0; i < SPACES; i++) {
		c->later[i].client = c;
		c->later[i].space = i;
		c->later[i].auth = (struct buf)BUF_INIT(MAX_BODY);
	}
	sio_set_user(s, c);
	return true;
}

static void
free_client(void *user)
{
	struct client *c = user;

	for (unsigned i = 0; i < SPACES; i++)
		buf_free(&c->later[i].auth);
	free(c);
}

static void
emit_auth(void *arg)
{
	struct later *l = arg;

	(void)sio_emit_args(l->client->sio, l->space, "auth", buf_span(&l->auth));
	outbox_flush_touched();
}

static void
stop_later(struct later *l)
{
	timer_cancel(server->timers, &l->timer);
	buf_free(&l->auth);
}

static void
connected(struct sio *s, unsigned space, struct span auth)
{
	struct client *c = sio_user(s);
	struct later *l = &c->later[space];

	stop_later(l);
	if (buf_put_span(&l->auth, auth.len > 0 ? auth : span_str("{}")) != Q_OK)
		return;
	timer_set(server->timers, &l->timer, clock_mono_ms() + options.auth_after_ms,
		  emit_auth, l);
	if (space == 0)
		list(c, true);
}

static void
disconnected(struct sio *s, unsigned space)
{
	if (space == 0)
		list(sio_user(s), false);
}

static void
closed(struct sio *s)
{
	struct client *c = sio_user(s);

	list(c, false);
	for (unsigned i = 0; i < SPACES; i++)
		stop_later(&c->later[i]);
}

static struct bundle *
render(const struct sio_call *call, const char *name)
{
	struct bundle *b;

	if (sio_event_new("/", name, call->args, call->blobs, call->blob_count, &b) !=
	    Q_OK)
		return NULL;
	return b;
}

static void
send_back(struct sio *s, const struct sio_call *call)
{
	struct bundle *b = render(call, "message-back");

	if (b != NULL)
		(void)sio_emit(s, call->space, b);
	bundle_unref(b);
}

/* One bundle for all. */
static void
send_everybody(struct sio *s, const struct sio_call *call)
{
	struct bundle *b = render(call, "to-everybody");

	(void)s;
	if (b == NULL)
		return;
	lock_take(&clients.lock);
	for (struct client *c = clients.first; c != NULL; c = c->next)
		(void)sio_emit(c->sio, 0, b);
	lock_drop(&clients.lock);
	bundle_unref(b);
}

static void
acknowledge(struct sio *s, const struct sio_call *call)
{
	(void)sio_ack(s, call, call->args, call->blobs, call->blob_count);
}

static void
gather(struct sio *s, const struct sio_call *call)
{
	struct client *c = sio_user(s);

	(void)call;
	c->gathered++;
}

static void
rest(struct sio *s)
{
	struct client *c = sio_user(s);
	char args[16];

	if (c->gathered == 0)
		return;
	snprintf(args, sizeof(args), "%u", c->gathered);
	c->gathered = 0;
	(void)sio_emit_args(s, 0, "gathered", span_str(args));
}

static void
raise_limit(struct sio *s, const struct sio_call *call)
{
	sio_raise(s, options.sio.transport.max_payload);
	acknowledge(s, call);
}

static void
leave(struct sio *s, const struct sio_call *call)
{
	sio_leave(s, call->space);
}

static void
end(struct sio *s, const struct sio_call *call)
{
	(void)call;
	sio_end(s, SIO_END_RETURN, "end");
}

static void
end_for_good(struct sio *s, const struct sio_call *call)
{
	(void)call;
	sio_end(s, SIO_END_FINAL, "end-for-good");
}

static void
event(struct sio *s, const struct sio_call *call)
{
	static const struct {
		const char *name;
		void (*act)(struct sio *s, const struct sio_call *call);
	} events[] = {
	    {"message", send_back},
	    {"message-with-ack", acknowledge},
	    {"raise", raise_limit},
	    {"leave", leave},
	    {"end", end},
	    {"end-for-good", end_for_good},
	    {"everybody", send_everybody},
	    {"gather", gather},
	};

	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (call->space == 0 && span_eq(call->name, span_str(events[i].name)))
			events[i].act(s, call);
}

static const struct protocol socket_row = {
    .name = "socket-echo",
    .deliver = deliver,
    .goodbye = sio_goodbye,
    .release = eio_release,
};

static const struct sio_handler socket_handler = {
    .row = &socket_row,
    .spaces = spaces,
    .max_blobs = MAX_BLOBS,
    .open = open_client,
    .connect = connected,
    .event = event,
    .rest = rest,
    .disconnect = disconnected,
    .closed = closed,
    .free = free_client,
};

static void
head_socket(struct http *h, struct http_request *r)
{
	eio_head(sio_transport(sockets), h, r);
}

static void
serve_socket(struct http *h, struct http_request *r)
{
	eio_serve(sio_transport(sockets), h, r);
}

const struct http_route echo_socketio_route = {
    .path = "/socket.io/",
    .methods = EIO_METHODS,
    .max_body = MAX_BODY,
    .same_origin = true,
    .head = head_socket,
    .serve = serve_socket,
};

/* ---- life ---- */

enum qerr
echo_start(struct server *core, const struct echo_options *o)
{
	enum qerr e;

	server = core;
	options = *o;
	if ((e = eio_server_new(core, &engine_handler, &o->sio.transport, &engine)) !=
	    Q_OK)
		return e;
	return sio_server_new(core, &socket_handler, &o->sio, &sockets);
}

void
echo_stop(void)
{
	sio_server_free(sockets);
	eio_server_free(engine);
}
