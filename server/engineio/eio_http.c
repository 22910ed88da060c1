/* SPDX-License-Identifier: MIT
 *
 * A request: which session and which transport, or what is wrong with it.  The errors,
 * their order and their text are those of the reference server, because clients compare.
 */
#include <string.h>

#include "server/config.h"
#include "server/engineio/eio_priv.h"
#include "server/server.h"

#define TEXT      "text/plain; charset=UTF-8"
#define JSON      "application/json"
#define NO_STORE  "Cache-Control: no-store\r\n"
#define EIO_VALUE "4"

/* ---- answers ---- */

enum qerr
eio_reply(struct http *h, struct span body)
{
	return http_reply(
	    h, &(struct http_reply){
		   .status = 200, .type = TEXT, .body = body, .more = NO_STORE});
}

void
eio_refuse(struct http *h, enum eio_error error)
{
	static const char *const texts[] = {
	    [EIO_UNKNOWN_TRANSPORT] = "{\"code\":0,\"message\":\"Transport unknown\"}",
	    [EIO_UNKNOWN_SID] = "{\"code\":1,\"message\":\"Session ID unknown\"}",
	    [EIO_BAD_HANDSHAKE] = "{\"code\":2,\"message\":\"Bad handshake method\"}",
	    [EIO_BAD_REQUEST] = "{\"code\":3,\"message\":\"Bad request\"}",
	    [EIO_UNSUPPORTED] =
		"{\"code\":5,\"message\":\"Unsupported protocol version\"}",
	};

	(void)http_reply(h, &(struct http_reply){.status = 400,
						 .type = JSON,
						 .body = span_str(texts[error]),
						 .more = NO_STORE});
}

/* ---- the head of a POST ---- */

static void
upload_over(void *arg)
{
	struct eio *e = arg;

	lock_take(&e->lock);
	e->uploads--;
	lock_drop(&e->lock);
	eio_unref(e);
}

/* A body of unknown length may become as large as it may be. */
static bool
is_large(const struct http_request *r, size_t max)
{
	struct span length = http_field(r, "Content-Length");
	size_t n = 0;

	if (length.p == NULL)
		return max > EIO_BUDGET_ABOVE;
	for (size_t i = 0; i < length.len && n <= EIO_BUDGET_ABOVE; i++)
		n = n * 10 + (size_t)(length.p[i] - '0');
	return n > EIO_BUDGET_ABOVE;
}

void
eio_head(struct eio_server *server, struct http *h, struct http_request *r)
{
	struct span sid = http_query(r, "sid");
	struct eio *e;

	(void)h;
	/* What will be refused need not be large. */
	r->max_body = EIO_BUDGET_ABOVE;
	if (r->method != ROUTE_POST || sid.p == NULL ||
	    (e = eio_find(server, sid)) == NULL)
		return;
	r->max_body = atomic_load(&e->max_message);
	r->patient = atomic_load(&e->raised);
	if (is_large(r, r->max_body))
		r->budget = server->budget;
	lock_take(&e->lock);
	e->uploads++;
	lock_drop(&e->lock);
	r->over = upload_over;
	r->over_arg = e;
}

/* ---- what is asked for ---- */

enum transport { TRANSPORT_POLLING, TRANSPORT_WEBSOCKET, TRANSPORT_UNKNOWN };

static enum transport
transport_of(const struct http_request *r)
{
	struct span t = http_query(r, "transport");

	if (span_eq(t, span_str("polling")))
		return TRANSPORT_POLLING;
	return span_eq(t, span_str("websocket")) ? TRANSPORT_WEBSOCKET
						 : TRANSPORT_UNKNOWN;
}

static bool
wants_upgrade(const struct http_request *r)
{
	return http_field_has(r, "Upgrade", "websocket");
}

static void
begin_polling(struct eio_server *server, struct http *h)
{
	struct eio_poll p = {.h = h, .claimed = true};
	struct eio_queue q;
	enum qerr err = eio_begin(server, http_session(h), EIO_POLLING, NULL, &p.e);
	bool over;

	if (err != Q_OK) {
		http_error(h, 503, err == Q_LIMIT ? "too many sessions" : NULL);
		return;
	}
	lock_take(&p.e->lock);
	over = eio_take_locked(p.e, &q);
	lock_drop(&p.e->lock);
	if (over)
		eio_left(p.e);
	eio_poll_answer(&p, &q);
	eio_unref(p.e);
}

static void
begin(struct eio_server *server, struct http *h, struct http_request *r, enum transport t)
{
	if (r->method != ROUTE_GET)
		eio_refuse(h, EIO_BAD_HANDSHAKE);
	else if (t == TRANSPORT_WEBSOCKET && !wants_upgrade(r))
		eio_refuse(h, EIO_BAD_REQUEST);
	else if (!span_eq(http_query(r, "EIO"), span_str(EIO_VALUE)))
		eio_refuse(h, EIO_UNSUPPORTED);
	else if (t == TRANSPORT_WEBSOCKET)
		eio_websocket(server, NULL, h, r);
	else
		begin_polling(server, h);
}

static void
go_on(struct eio_server *server, struct eio *e, struct http *h, struct http_request *r,
      enum transport t)
{
	struct session *s = http_session(h);

	/* The session itself is counted; a poll may be this connection's first request. */
	sessions_count_as(s->server->sessions, s, COUNT_VISITOR);
	if (t == TRANSPORT_WEBSOCKET && !wants_upgrade(r))
		eio_refuse(h, EIO_BAD_REQUEST);
	else if (t == TRANSPORT_WEBSOCKET)
		eio_websocket(server, eio_ref(e), h, r);
	else if (r->method == ROUTE_GET)
		eio_poll(e, h);
	else if (r->method == ROUTE_POST)
		eio_post(e, h, r);
	else
		eio_refuse(h, EIO_BAD_REQUEST);
}

void
eio_serve(struct eio_server *server, struct http *h, struct http_request *r)
{
	enum transport t = transport_of(r);
	struct span sid = http_query(r, "sid");
	struct eio *e;

	if (t == TRANSPORT_UNKNOWN) {
		eio_refuse(h, EIO_UNKNOWN_TRANSPORT);
	} else if (sid.p == NULL) {
		begin(server, h, r, t);
	} else if ((e = eio_find(server, sid)) == NULL) {
		eio_refuse(h, EIO_UNKNOWN_SID);
	} else {
		go_on(server, e, h, r, t);
		eio_unref(e);
	}
}
