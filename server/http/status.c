/* SPDX-License-Identifier: MIT */
#include "server/http/status.h"

#include <inttypes.h>

#include "base/clock.h"
#include "server/addresses.h"
#include "server/http/http.h"
#include "server/metrics.h"
#include "server/server.h"
#include "server/worker.h"

#define METRICS_MAX 65536

/* A server that stops closes its listeners and ends its sessions first: whoever gets an
 * answer has come in. */
static void
serve_health(struct http *h, struct http_request *r)
{
	(void)r;
	(void)http_reply(h, &(struct http_reply){.status = 200,
						 .type = "text/plain; charset=UTF-8",
						 .body = span_str("ok\n"),
						 .more = "Cache-Control: no-store\r\n"});
}

static enum qerr
put_gauge(struct buf *out, const char *name, const char *doc, int64_t value)
{
	return buf_printf(out,
			  "# HELP quintet_%s %s\n# TYPE quintet_%s gauge\n"
			  "quintet_%s %" PRId64 "\n",
			  name, doc, name, name, value);
}

static enum qerr
put_metrics(struct buf *out, struct server *server)
{
	int64_t up_s = (clock_wall_ms() - server->started_ms) / 1000;
	enum qerr e = Q_OK;

	for (int m = 0; m < METRIC_COUNT && e == Q_OK; m++) {
		const char *name = metric_name((enum metric)m);
		/* The convention wants _total behind what only rises. */
		const char *total = "";
		size_t n = span_str(name).len;

		if (n < 6 || !span_eq(span_str(name + n - 6), span_str("_total")))
			total = "_total";
		e = buf_printf(out,
			       "# HELP quintet_%s%s %s\n# TYPE quintet_%s%s counter\n"
			       "quintet_%s%s %" PRIu64 "\n",
			       name, total, metric_doc((enum metric)m), name, total, name,
			       total, metric_get((enum metric)m));
	}
	if (e == Q_OK)
		e = put_gauge(out, "sessions", "connections now",
			      (int64_t)sessions_count(server->sessions));
	if (e == Q_OK)
		e = put_gauge(out, "workers", "connections that have a thread now",
			      (int64_t)workers_count());
	if (e == Q_OK)
		e = put_gauge(out, "uptime_seconds", "seconds since the start", up_s);
	return e;
}

static void
serve_metrics(struct http *h, struct http_request *r)
{
	struct session *s = http_session(h);
	struct buf out = BUF_INIT(METRICS_MAX);

	(void)r;
	/* The socket's address: whoever asks can write any X-Forwarded-For. */
	if (!prefix_list_holds(config_now()->http_metrics_from, &s->peer.ip))
		http_error(h, 403, NULL);
	else if (put_metrics(&out, s->server) != Q_OK)
		http_error(h, 503, NULL);
	else
		(void)http_reply(
		    h, &(struct http_reply){.status = 200,
					    .type = "text/plain; version=0.0.4; "
						    "charset=UTF-8",
					    .body = buf_span(&out),
					    .more = "Cache-Control: no-store\r\n"});
	buf_free(&out);
}

const struct http_route healthz_route = {
    .path = "/healthz",
    .methods = ROUTE_GET | ROUTE_HEAD,
    .serve = serve_health,
};

const struct http_route metrics_route = {
    .path = "/metrics",
    .methods = ROUTE_GET | ROUTE_HEAD,
    .serve = serve_metrics,
};
