/* SPDX-License-Identifier: MIT
 *
 * DESIGN.  The worker reads a request, asks the table of routes who answers it, and
 * reads the next.  Between two requests a connection holds nothing but its session.
 * Requests that come in one packet (pipelining) are answered in one: the outbox is
 * written when the input is used up.
 *
 * Time.  A request has http.request_timeout from its first byte on, whatever it sends;
 * a route may be patient with bodies, and then each http.min_rate bytes that have come
 * lengthen it by a second.  While a request is being answered there is no deadline.
 *
 * What is refused before the whole request was read ends the connection: where the next
 * one begins is not known.
 */
#include "server/http/http.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "server/http/files.h"
#include "server/http/http_priv.h"
#include "server/http/origin.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/server.h"
#include "server/test_mode.h"
#include "server/throttle.h"

#define HEAD_INPUT_MAX 16384
#define BODY_INPUT_MAX 65536

/* ---- reading ---- */

void
http_refused(struct http *h, int status, const char *reason)
{
	metric_add(METRIC_http_refused_total, 1);
	log_limited(LOG_INFO, &h->session->peer, h->session, "http-refused",
		    "status=%d reason=%s", status, reason);
}

/* Refuse what is not read to its end. */
static void
refuse(struct http *h, int status, const char *reason)
{
	http_refused(h, status, reason);
	h->close = true;
	if (!http_answered(h))
		http_error(h, status, reason);
}

/* session_fill, for the rest of a request.  False: it will not come, which was said. */
static bool
fill(struct http *h, size_t max)
{
	enum qerr e;

	do
		e = session_fill(h->session, max);
	while (e == Q_SHORT);
	if (e == Q_TIMEOUT)
		refuse(h, 408, "the request did not come in time");
	return e == Q_OK;
}

static bool
read_head(struct http *h)
{
	struct session *s = h->session;
	enum qerr e;

	do {
		struct span in = session_input(s);
		size_t used;

		e = http_parse_head(&h->parse, in, &used);
		session_consume(s, used);
	} while (e == Q_SHORT && fill(h, HEAD_INPUT_MAX));
	if (e == Q_FORMAT)
		refuse(h, h->parse.status, h->parse.reason);
	if (e == Q_OK && !h->parse.keep_alive)
		h->close = true;
	return e == Q_OK;
}

/* The body is announced: is it one that we want, and is there memory for it? */
static bool
admit_body(struct http *h)
{
	struct http_request *r = &h->request;
	size_t n = h->parse.chunked ? r->max_body : (size_t)h->parse.length;

	if (h->parse.length > r->max_body) {
		refuse(h, 413, "body too large");
		return false;
	}
	h->parse.body.max = r->max_body;
	if (r->budget == NULL)
		return true;
	if (budget_take(r->budget, h->session, n, 0) != Q_OK) {
		refuse(h, 503, "too much is being received");
		return false;
	}
	h->taken = n;
	return true;
}

static bool
read_body(struct http *h, int64_t begun_ms)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	const struct config *c = h->config;
	struct session *s = h->session;
	size_t used;
	enum qerr e;

	if (http_parse_wants_body(&h->parse) && !admit_body(h))
		return false;
	/* The head's last newline may be all that is there (parse.c). */
	if (h->parse.expects && session_input(s).len <= 1)
		(void)outbox_put(s, OUTBOX_CONTROL, span_str(go_on));
	for (;;) {
		e = http_parse_body(&h->parse, session_input(s), &used);
		session_consume(s, used);
		if (e != Q_SHORT)
			break;
		if (h->request.patient)
			session_deadline(s, begun_ms + c->http_request_timeout_ms +
						(int64_t)h->parse.body.len * 1000 /
						    c->http_min_rate);
		if (!fill(h, BODY_INPUT_MAX))
			return false;
	}
	if (e != Q_OK)
		refuse(h, h->parse.status, h->parse.reason);
	return e == Q_OK;
}

/* ---- answering ---- */

static void
answer_preflight(struct http *h, const struct http_route *route)
{
	char allow[ROUTE_ALLOW_SIZE], more[256];

	route_allow(route->methods, allow);
	snprintf(more, sizeof(more),
		 "Access-Control-Allow-Methods: %s\r\n"
		 "Access-Control-Allow-Headers: Content-Type\r\n"
		 "Access-Control-Max-Age: 600\r\n",
		 allow);
	(void)http_reply(h, &(struct http_reply){.status = 204, .more = more});
}

static void
answer_405(struct http *h, const struct http_route *route)
{
	char allow[ROUTE_ALLOW_SIZE], more[96];
	static const char text[] = "405 Method Not Allowed\n";

	route_allow(route->methods, allow);
	snprintf(more, sizeof(more), "Allow: %s\r\n", allow);
	(void)http_reply(h, &(struct http_reply){.status = 405,
						 .type = "text/plain; charset=UTF-8",
						 .body = span_str(text),
						 .more = more});
}

/* Everything that a head is enough for.  NULL: it is answered; else whose request it
 * is. */
static const struct http_route *
judge_head(struct http *h)
{
	struct http_request *r = &h->request;
	const struct http_route *route;
	enum origin origin = ORIGIN_NONE;

	if (!host_listed(r->host, h->config->http_hosts)) {
		http_refused(h, 421, "host");
		http_error(h, 421, NULL);
		return NULL;
	}
	if (r->path.p[0] == '*') { /* OPTIONS for the server as a whole */
		(void)http_reply(h, &(struct http_reply){.status = 204});
		return NULL;
	}
	if ((route = route_find(http_routes, r->path)) == NULL) {
		http_error(h, 404, NULL);
		return NULL;
	}
	if (route->same_origin)
		origin = origin_judge(r->origin, r->host, h->config->http_origins);
	if (origin == ORIGIN_REFUSED) {
		http_refused(h, 403, "origin");
		http_error(h, 403, "origin");
		return NULL;
	}
	h->cors = origin == ORIGIN_LISTED;
	if (h->cors && r->method == ROUTE_OPTIONS &&
	    http_field_count(r, "Access-Control-Request-Method") > 0)
		answer_preflight(h, route);
	else if ((route->methods & r->method) == 0)
		answer_405(h, route);
	else
		return route;
	return NULL;
}

/* Half of what an address may have is taken: others behind it need the places more than
 * whoever might ask again. */
static bool
is_crowded(const struct http *h)
{
	struct session *s = h->session;

	return !address_trusted(&s->peer) && sessions_of_address(s->server->sessions, s) >
						 (size_t)h->config->per_address / 2;
}

/* Answer the request whose head is there. */
static void
answer(struct http *h, int64_t begun_ms)
{
	struct http_request *r = &h->request;
	bool wants_body = http_parse_wants_body(&h->parse), keep = !h->close;
	const struct http_route *route;

	metric_add(METRIC_http_requests_total, 1);
	/* Refusals leave the body unread; where that is all that there is to it, the
	 * connection may stay. */
	h->close = h->close || wants_body;
	if ((route = judge_head(h)) == NULL)
		goto unread;
	r->max_body = route->max_body;
	if (route->head != NULL)
		route->head(h, r);
	if (http_answered(h))
		goto unread;
	h->close = !keep || is_crowded(h);
	if (!read_body(h, begun_ms))
		return;
	session_deadline(h->session, 0);
	route->serve(h, r);
	if (!http_answered(h))
		http_error(h, 500, NULL);
	return;
unread:
	/* Without a body, all that is left is the head's last newline. */
	if (!h->close)
		(void)read_body(h, begun_ms);
}

/* ---- one request ---- */

static void
begin(struct http *h, struct session *s)
{
	h->session = s;
	h->config = config_now();
	http_parse_init(&h->parse, &h->request);
	h->taken = 0;
	h->cors = h->close = false;
	atomic_init(&h->answered, false);
	h->then = NULL;
	h->on_end = NULL;
	h->ending = false;
	lock_cond_init(&h->ended);
	lock_take(&s->out.lock);
	s->state = h;
	lock_drop(&s->out.lock);
}

static void
finish(struct http *h)
{
	struct session *s = h->session;

	http_on_end(h, NULL, NULL);
	if (h->then == NULL) {
		lock_take(&s->out.lock);
		s->state = NULL;
		lock_drop(&s->out.lock);
	}
	if (h->taken > 0)
		budget_give(h->request.budget, h->taken);
	if (h->request.over != NULL)
		h->request.over(h->request.over_arg);
	http_parse_fini(&h->parse);
	pthread_cond_destroy(&h->ended);
}

/* What comes next? */
struct next {
	bool request;                    /* another one */
	void (*then)(struct session *s); /* another protocol, or NULL */
};

/* A request is on the worker's stack: 11 KiB that come and go in the heap between what
 * stays, as TLS's memory of a connection does, would leave holes there.  Not inlined, so
 * that a connection which waits has no room for one. */
static __attribute__((noinline)) struct next
one_request(struct session *s)
{
	int64_t begun_ms = clock_mono_ms();
	struct next next;
	struct http h;

	begin(&h, s);
	session_deadline(s, begun_ms + h.config->http_request_timeout_ms);
	if (read_head(&h))
		answer(&h, begun_ms);
	next.request = !h.close && !session_ended(s) && http_answered(&h);
	next.then = h.then;
	finish(&h);
	return next;
}

/* Wait for a request's first byte. */
static bool
wait_request(struct session *s)
{
	enum qerr e = Q_OK;

	if (session_input(s).len > 0)
		return true;
	session_deadline(s, clock_mono_ms() + config_now()->http_keepalive_ms);
	do
		e = session_fill(s, HEAD_INPUT_MAX);
	while (e == Q_SHORT);
	return e == Q_OK;
}

static void
serve(struct session *s)
{
	struct next next = {true, NULL};

	if (!config_now()->http_enabled) {
		log_limited(LOG_INFO, &s->peer, s, "switched-off", "setting=%s",
			    "http.enabled");
		return;
	}
	while (next.request && next.then == NULL && wait_request(s)) {
		next = one_request(s);
		/* It has no login to wait for, unless it becomes something else. */
		if (next.then == NULL)
			sessions_count_as(s->server->sessions, s, COUNT_VISITOR);
	}
	if (next.then != NULL)
		session_continue(s, next.then);
}

void
http_become(struct http *h, const struct protocol *p, void *state,
	    void (*then)(struct session *s))
{
	struct session *s = h->session;

	lock_take(&s->out.lock);
	s->state = state;
	atomic_store(&s->protocol, p);
	lock_drop(&s->out.lock);
	sessions_count_as(s->server->sessions, s, COUNT_STRANGER);
	h->then = then;
}

struct session *
http_session(struct http *h)
{
	return h->session;
}

/* ---- the end, by another thread ---- */

void
http_on_end(struct http *h, void (*fn)(struct http *h, void *arg), void *arg)
{
	struct outbox *o = &h->session->out;

	lock_take(&o->lock);
	while (fn == NULL && h->ending)
		(void)lock_wait(&o->lock, &h->ended, 0);
	h->on_end = fn;
	h->on_end_arg = arg;
	lock_drop(&o->lock);
}

static void
goodbye(struct session *s, enum goodbye why, const char *text)
{
	void (*fn)(struct http *, void *) = NULL;
	void *arg = NULL;
	struct http *h;

	(void)why, (void)text;
	lock_take(&s->out.lock);
	/* Another protocol may just have taken over: then it is its state. */
	h = atomic_load(&s->protocol) == &http_protocol ? s->state : NULL;
	if (h != NULL && h->on_end != NULL) {
		fn = h->on_end;
		arg = h->on_end_arg;
		h->ending = true;
	}
	lock_drop(&s->out.lock);
	if (fn == NULL)
		return;
	fn(h, arg);
	lock_take(&s->out.lock);
	h->ending = false;
	pthread_cond_broadcast(&h->ended);
	lock_drop(&s->out.lock);
}

/* ---- the row ---- */

/* Every method of HTTP begins so. */
static enum qerr
recognise(struct span first)
{
	return first.p[0] >= 'A' && first.p[0] <= 'Z' ? Q_OK : Q_FORMAT;
}

static enum qerr
start(struct server *server, struct why *why)
{
	enum qerr e = Q_OK;

	if (config_now()->http_test_echo)
		e = test_mode_require(server->store, "http.test_echo", why);
	if (e == Q_OK)
		files_start(server);
	return e;
}

static void
deliver(struct session *s, const struct event *event)
{
	(void)s, (void)event;
}

static void
release(struct session *s)
{
	(void)s; /* requests do not outlive the worker */
}

const struct protocol http_protocol = {
    .name = "http",
    .recognise = recognise,
    .start = start,
    .stop = files_stop,
    .serve = serve,
    .deliver = deliver,
    .goodbye = goodbye,
    .release = release,
};
