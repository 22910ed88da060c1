/* SPDX-License-Identifier: MIT
 *
 * Also the smallest protocol over WebSocket that there can be: how the others begin.
 */
#include "server/http/echo.h"

#include <stdlib.h>

#include "server/config.h"
#include "server/http/ws.h"

#define MESSAGE_MAX (16 * 1024 * 1024)

static void
deliver(struct session *s, const struct event *event)
{
	(void)s, (void)event;
}

static void
release(struct session *s)
{
	free(s->state);
}

/* Reached through HTTP, never by first bytes. */
static enum qerr
recognise(struct span first)
{
	(void)first;
	return Q_FORMAT;
}

static const struct protocol echo_protocol = {
    .name = "echo",
    .recognise = recognise,
    .deliver = deliver,
    .goodbye = ws_goodbye,
    .release = release,
};

static void
echo(struct session *s)
{
	static const struct ws_options options = {.max_message = MESSAGE_MAX};
	struct ws *ws = s->state;
	struct ws_message m;
	enum qerr e;

	ws_init(ws, s, &options);
	while ((e = ws_read(ws, &m)) == Q_OK || e == Q_SHORT)
		if (e == Q_OK && ws_send_wait(s, m.opcode, m.payload) != Q_OK)
			break;
	ws_fini(ws);
}

static void
serve(struct http *h, struct http_request *r)
{
	struct ws *ws = calloc(1, sizeof(*ws));

	if (ws == NULL)
		http_error(h, 503, NULL);
	else if (ws_accept(h, r) != Q_OK)
		free(ws);
	else
		http_become(h, &echo_protocol, ws, echo);
}

static bool
exists(void)
{
	return config_now()->http_test_echo;
}

const struct http_route echo_route = {
    .path = "/echo",
    .methods = ROUTE_GET,
    .same_origin = true,
    .exists = exists,
    .serve = serve,
};
