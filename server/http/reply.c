/* SPDX-License-Identifier: MIT
 *
 * Answers are rendered straight into the outbox: the head and the first 64 KiB of the
 * body in one go, so that a short answer is one write, and the rest as it goes out.
 */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "server/http/http_priv.h"

#define PIECE     65536
#define LINES_MAX 512 /* of the head, without the caller's headers */

struct head {
	char lines[LINES_MAX];
	size_t len;
};

static void __attribute__((format(printf, 2, 3)))
add(struct head *head, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(head->lines + head->len, sizeof(head->lines) - head->len, fmt, ap);
	va_end(ap);
	assert(n >= 0 && (size_t)n < sizeof(head->lines) - head->len);
	head->len += (size_t)n;
}

/* RFC 9110 section 5.6.7; %a and %b would follow the locale. */
static void
add_date(struct head *head)
{
	static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t now = (time_t)(clock_wall_ms() / 1000);
	struct tm tm;

	if (gmtime_r(&now, &tm) != NULL)
		add(head, "Date: %s, %02d %s %d %02d:%02d:%02d GMT\r\n", days[tm.tm_wday],
		    tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour,
		    tm.tm_min, tm.tm_sec);
}

/* Informational answers, 204 and 304 have no body, and say nothing about one. */
static bool
has_body(int status)
{
	return status >= 200 && status != 204 && status != 304;
}

static void
render_head(struct http *h, const struct http_reply *r, struct head *head)
{
	const struct http_request *q = &h->request;

	add(head, "HTTP/1.1 %d %s\r\n", r->status,
	    http_status_str((enum http_status)r->status));
	add_date(head);
	if (r->type != NULL)
		add(head, "Content-Type: %s\r\nX-Content-Type-Options: nosniff\r\n",
		    r->type);
	if (has_body(r->status))
		add(head, "Content-Length: %zu\r\n", r->body.len);
	if (h->cors && q->origin.len < LINES_MAX / 4)
		add(head, "Access-Control-Allow-Origin: %.*s\r\nVary: Origin\r\n",
		    (int)q->origin.len, (const char *)q->origin.p);
	if (r->status >= 200 && h->close)
		add(head, "Connection: close\r\n");
	else if (r->status >= 200 && q->old)
		add(head, "Connection: keep-alive\r\n");
}

/* Reserve n bytes, waiting for room on the worker.  Q_OK: the outbox lock is held. */
static enum qerr
reserve(struct session *s, size_t n, uint8_t **at) UNCHECKED_LOCK
{
	int64_t until_ms = clock_mono_ms() + config_now()->sender_wait_ms;
	bool worker = session_is_worker(s);
	enum qerr e;

	for (;;) {
		lock_take(&s->out.lock);
		e = outbox_reserve_locked(&s->out, worker ? OUTBOX_DATA : OUTBOX_CONTROL,
					  n, at);
		if (e == Q_OK)
			return Q_OK;
		lock_drop(&s->out.lock);
		if (e != Q_FULL)
			return e;
		outbox_touch(s);
		outbox_flush_touched();
		if ((e = outbox_wait_room(s, until_ms)) != Q_OK)
			return e;
	}
}

#define PARTS 4

/* Put the parts into the outbox as one. */
static enum qerr
put(struct session *s, const struct span part[PARTS]) UNCHECKED_LOCK
{
	size_t n = 0;
	uint8_t *at;
	enum qerr e;

	for (size_t i = 0; i < PARTS; i++)
		n += part[i].len;
	if ((e = reserve(s, n, &at)) != Q_OK)
		return e;
	for (size_t i = 0; i < PARTS; i++) {
		if (part[i].len > 0)
			memcpy(at, part[i].p, part[i].len);
		at += part[i].len;
	}
	outbox_commit_locked(&s->out, n);
	lock_drop(&s->out.lock);
	outbox_touch(s);
	return Q_OK;
}

static struct span
take(struct span *s, size_t max)
{
	struct span front = {s->p, s->len < max ? s->len : max};

	if (s->len > 0)
		s->p += front.len;
	s->len -= front.len;
	return front;
}

enum qerr
http_reply(struct http *h, const struct http_reply *reply)
{
	struct span body = reply->body;
	struct session *s = h->session;
	struct head head = {.len = 0};
	bool again = atomic_exchange(&h->answered, true);
	enum qerr e;

	assert(!again);
	(void)again; /* where asserts are switched off */
	if (reply->close || session_ended(s))
		h->close = true;
	render_head(h, reply, &head);
	if (h->request.method == ROUTE_HEAD || !has_body(reply->status))
		body.len = 0;
	e = put(s, (struct span[PARTS]){span_of(head.lines, head.len),
					span_str(reply->more == NULL ? "" : reply->more),
					span_str("\r\n"), take(&body, PIECE)});
	while (e == Q_OK && body.len > 0)
		e = put(s, (struct span[PARTS]){take(&body, PIECE)});
	if (e == Q_OK)
		return Q_OK;
	h->close = true;
	session_end(s, e == Q_CLOSED ? GOODBYE_SELF : GOODBYE_SLOW, NULL);
	return Q_CLOSED;
}

void
http_error(struct http *h, int status, const char *detail)
{
	char text[160];
	int n = snprintf(text, sizeof(text), "%d %s%s%s\n", status,
			 http_status_str((enum http_status)status),
			 detail == NULL ? "" : ": ", detail == NULL ? "" : detail);
	size_t len = n < 0 ? 0 : (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;

	(void)http_reply(h, &(struct http_reply){.status = status,
						 .type = "text/plain; charset=UTF-8",
						 .body = span_of(text, len)});
}

bool
http_answered(const struct http *h)
{
	return atomic_load(&h->answered);
}
