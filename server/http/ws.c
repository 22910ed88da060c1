/* SPDX-License-Identifier: MIT
 *
 * DESIGN.  A small message in one frame, which is nearly every one, is waited for in the
 * session's input, unmasked there and given out in place: no copy, no memory of its own.
 * A larger one, or one in fragments, is collected in ws->message, which grows with what
 * has come and not with what was announced.  Between messages there is nothing.
 *
 * What a frame's header is enough to refuse is refused by it: before the payload comes,
 * and before there is memory for it.
 *
 * A message that has begun has to come: http.request_timeout for it, and a second more for
 * each http.min_rate bytes.  So nobody can hold a share of a budget, or a thread with a
 * buffer, by sending slowly.
 */
#include "server/http/ws.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "server/config.h"
#include "server/http/ws_priv.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/server.h"

#define IN_PLACE_MAX 16384 /* bytes of payload */
#define INPUT_SMALL  (IN_PLACE_MAX + WS_HEADER_MAX)
#define INPUT_LARGE  65536

/* ---- pings and silence: the timer's thread ---- */

static void ping_time(void *arg);

static void
arm(struct ws *ws, int64_t now)
{
	int64_t at = ws->ping_at_ms, silent_at;

	if (ws->options.silence_ms > 0) {
		silent_at = atomic_load(&ws->heard_ms) + ws->options.silence_ms;
		/* It has passed and does not count (unread): look again. */
		if (silent_at <= now)
			silent_at = now + ws->options.silence_ms;
		if (at == 0 || silent_at < at)
			at = silent_at;
	}
	if (at != 0)
		timer_set(ws->session->server->timers, &ws->timer, at, ping_time, ws);
}

static void
ping_time(void *arg)
{
	struct ws *ws = arg;
	const struct ws_options *o = &ws->options;
	int64_t now = clock_mono_ms();

	if (o->silence_ms > 0 && !atomic_load(&ws->unread) &&
	    now - atomic_load(&ws->heard_ms) >= o->silence_ms) {
		ws_end(ws->session, WS_CODE_GOING_AWAY, "nothing was heard of you");
		return;
	}
	if (ws->ping_at_ms != 0 && now >= ws->ping_at_ms) {
		(void)ws_send(ws->session, OUTBOX_CONTROL, WS_PING,
			      (struct span){NULL, 0});
		outbox_flush_touched();
		ws->ping_at_ms = now + o->ping_ms;
	}
	arm(ws, now);
}

static void
start_pings(struct ws *ws)
{
	int64_t now = clock_mono_ms();

	atomic_store(&ws->heard_ms, now);
	ws->ping_at_ms = ws->options.ping_ms > 0 ? now + ws->options.ping_ms : 0;
	arm(ws, now);
}

/* ---- life ---- */

void
ws_init(struct ws *ws, struct session *s, const struct ws_options *options)
{
	*ws = (struct ws){.session = s, .options = *options, .message = BUF_INIT(0)};
	start_pings(ws);
}

/* What the message given out last, or one that will not be finished, has held. */
static void
give_back(struct ws *ws)
{
	if (ws->in_place > 0)
		session_consume(ws->session, ws->in_place);
	ws->in_place = 0;
	buf_wipe(&ws->message);
	if (ws->taken > 0)
		budget_give(ws->options.budget, ws->taken);
	ws->taken = 0;
}

void
ws_fini(struct ws *ws)
{
	timer_cancel(ws->session->server->timers, &ws->timer);
	give_back(ws);
}

void
ws_limit(struct ws *ws, size_t max_message)
{
	ws->options.max_message = max_message;
}

void
ws_intervals(struct ws *ws, int64_t ping_ms, int64_t silence_ms)
{
	timer_cancel(ws->session->server->timers, &ws->timer);
	ws->options.ping_ms = ping_ms;
	ws->options.silence_ms = silence_ms;
	start_pings(ws);
}

void
ws_deadline(struct ws *ws, int64_t at_ms)
{
	ws->deadline_ms = at_ms;
}

/* ---- the end ---- */

static enum qerr
broken(struct ws *ws, enum ws_code code, const char *reason)
{
	struct session *s = ws->session;

	metric_add(METRIC_protocol_errors_total, 1);
	log_limited(LOG_INFO, &s->peer, s, "protocol-error", "code=%d reason=%s",
		    (int)code, reason);
	ws_end(s, code, reason);
	return code == WS_CODE_TOO_BIG ? Q_LIMIT : Q_FORMAT;
}

/* session_fill, or a wait for memory, ended so. */
static enum qerr
over(struct ws *ws, enum qerr e)
{
	struct session *s = ws->session;

	switch (e) {
	case Q_TIMEOUT: ws_end(s, WS_CODE_POLICY, "too slow"); break;
	case Q_NOMEM: ws_end(s, WS_CODE_INTERNAL, "no memory"); break;
	default: session_end(s, GOODBYE_SELF, NULL); break;
	}
	return e;
}

/* ---- waiting for bytes ---- */

/* When what is awaited has to be there; 0: any time. */
static int64_t
due_ms(struct ws *ws)
{
	const struct config *c = config_now();
	bool begun = ws->in_frame || ws->opcode != WS_CONTINUATION ||
		     session_input(ws->session).len > 0;
	int64_t due;

	if (!begun) {
		ws->begun_ms = 0;
		return ws->deadline_ms;
	}
	if (ws->begun_ms == 0)
		ws->begun_ms = clock_mono_ms();
	due = ws->begun_ms + c->http_request_timeout_ms +
	      (int64_t)ws->message.len * 1000 / c->http_min_rate;
	return ws->deadline_ms != 0 && ws->deadline_ms < due ? ws->deadline_ms : due;
}

static enum qerr
fill(struct ws *ws)
{
	int64_t due = due_ms(ws);
	enum qerr e;

	if (due != ws->set_ms)
		session_deadline(ws->session, due);
	ws->set_ms = due;
	e = session_fill(ws->session, ws->in_frame ? INPUT_LARGE : INPUT_SMALL);
	if (e == Q_OK)
		atomic_store(&ws->heard_ms, clock_mono_ms());
	return e;
}

/* ---- control frames ---- */

static enum qerr
closed_by_peer(struct ws *ws, struct span payload)
{
	unsigned code;
	struct span reason;

	switch (ws_close_parse(payload, &code, &reason)) {
	case Q_OK: break;
	case Q_DENIED: return broken(ws, WS_CODE_TEXT, "close: the reason is no UTF-8");
	default: return broken(ws, WS_CODE_PROTOCOL, "close: code");
	}
	ws_close_with(ws->session, (enum ws_code)code, (struct span){NULL, 0});
	return Q_CLOSED;
}

/* A whole control frame, unmasked.  Q_SHORT: go on. */
static enum qerr
take_control(struct ws *ws, uint8_t opcode, struct span payload)
{
	enum qerr e = Q_OK;

	if (opcode == WS_CLOSE)
		return closed_by_peer(ws, payload);
	if (opcode == WS_PING)
		e = ws_send(ws->session, OUTBOX_CONTROL, WS_PONG, payload);
	return e == Q_OK ? Q_SHORT : over(ws, e);
}

/* ---- data frames ---- */

/* A whole message. */
static enum qerr
give_out(struct ws *ws, uint8_t opcode, struct span payload, struct ws_message *out)
{
	if (opcode == WS_TEXT && !utf8_valid(payload))
		return broken(ws, WS_CODE_TEXT, "not UTF-8");
	*out = (struct ws_message){.opcode = (enum ws_opcode)opcode, .payload = payload};
	return Q_OK;
}

/* Memory for what is about to come.  Once it is a large message, all that it may become
 * is taken at once: nobody may wait while it holds a part. */
static enum qerr
admit(struct ws *ws, const struct ws_header *h)
{
	const struct ws_options *o = &ws->options;
	size_t total = ws->message.len + (size_t)h->length;
	enum qerr e;

	if (o->budget == NULL || ws->taken > 0 || total <= o->budget_above)
		return Q_OK;
	if (!h->fin)
		total = o->max_message;
	outbox_flush_touched();
	atomic_store(&ws->unread, true);
	if (ws->set_ms != ws->deadline_ms) /* for the rest of its header */
		session_deadline(ws->session, ws->deadline_ms);
	ws->set_ms = ws->deadline_ms;
	e = budget_take(o->budget, ws->session, total, 0);
	atomic_store(&ws->heard_ms, clock_mono_ms());
	atomic_store(&ws->unread, false);
	if (e != Q_OK)
		return over(ws, e);
	ws->taken = total;
	/* The time in the queue was not the peer's. */
	ws->begun_ms = clock_mono_ms();
	return Q_OK;
}

static enum qerr
check_data(struct ws *ws, const struct ws_header *h)
{
	size_t max = ws->options.max_message, have = ws->message.len;

	if (h->opcode == WS_CONTINUATION && ws->opcode == WS_CONTINUATION)
		return broken(ws, WS_CODE_PROTOCOL, "continuation of nothing");
	if (h->opcode != WS_CONTINUATION && ws->opcode != WS_CONTINUATION)
		return broken(ws, WS_CODE_PROTOCOL, "a message inside a message");
	if (have > max || h->length > max - have)
		return broken(ws, WS_CODE_TOO_BIG, "message too large");
	return Q_OK;
}

/* The header of a frame whose payload is collected. */
static enum qerr
begin_frame(struct ws *ws, const struct ws_header *h)
{
	enum qerr e;

	session_consume(ws->session, h->size);
	if ((e = admit(ws, h)) != Q_OK)
		return e;
	if (h->opcode != WS_CONTINUATION)
		ws->opcode = h->opcode;
	ws->message.max = ws->options.max_message;
	ws->frame = *h;
	ws->frame_done = 0;
	ws->in_frame = true;
	return Q_SHORT;
}

/* Collect what has come of the frame at hand.  Q_SHORT: it, or its message, is not
 * complete; *wait when bytes are missing. */
static enum qerr
take_payload(struct ws *ws, struct ws_message *out, bool *wait)
{
	struct span in = session_input(ws->session);
	uint64_t left = ws->frame.length - ws->frame_done;
	size_t n = left < in.len ? (size_t)left : in.len;
	uint8_t opcode = ws->opcode;

	if (buf_put(&ws->message, in.p, n) != Q_OK)
		return over(ws, Q_NOMEM);
	if (n > 0)
		ws_mask(ws->message.p + ws->message.len - n, n, ws->frame.key,
			ws->frame_done);
	session_consume(ws->session, n);
	ws->frame_done += n;
	if ((*wait = n < left))
		return Q_SHORT;
	ws->in_frame = false;
	if (!ws->frame.fin)
		return Q_SHORT;
	ws->opcode = WS_CONTINUATION;
	return give_out(ws, opcode, buf_span(&ws->message), out);
}

/* ---- frames ---- */

/* A frame that is taken where it lies in the input, once it is there whole.  Q_SHORT: go
 * on; *wait when that needs bytes. */
static enum qerr
take_in_place(struct ws *ws, const struct ws_header *h, struct ws_message *out,
	      bool *wait)
{
	struct session *s = ws->session;
	struct span in = session_input(s);
	size_t n = (size_t)h->length;
	uint8_t *payload;
	struct span p;
	enum qerr e;

	if (in.len - h->size < n) {
		*wait = true;
		return Q_SHORT;
	}
	/* The input is the worker's to change (session.h). */
	payload = s->in.p + s->in_used + h->size;
	ws_mask(payload, n, h->key, 0);
	p = span_of(payload, n);
	if (h->opcode < WS_CLOSE) {
		ws->in_place = h->size + n;
		return give_out(ws, h->opcode, p, out);
	}
	e = take_control(ws, h->opcode, p);
	session_consume(s, h->size + n);
	if (ws->opcode == WS_CONTINUATION)
		ws->begun_ms = 0;
	return e;
}

/* A whole message, small enough, and none that has to be counted. */
static bool
fits_in_place(const struct ws *ws, const struct ws_header *h)
{
	const struct ws_options *o = &ws->options;

	return h->fin && h->opcode != WS_CONTINUATION && h->length <= IN_PLACE_MAX &&
	       (o->budget == NULL || h->length <= o->budget_above);
}

/* What stands at the front of the input begins a frame. */
static enum qerr
take_frame(struct ws *ws, struct ws_message *out, bool *wait)
{
	struct ws_header h;
	enum qerr e = ws_header_parse(session_input(ws->session), &h);

	if (e == Q_SHORT)
		*wait = true;
	if (e == Q_FORMAT)
		return broken(ws, WS_CODE_PROTOCOL, "frame");
	if (e != Q_OK)
		return e;
	if (!h.masked)
		return broken(ws, WS_CODE_PROTOCOL, "unmasked frame");
	if (h.opcode >= WS_CLOSE)
		return take_in_place(ws, &h, out, wait);
	if ((e = check_data(ws, &h)) != Q_OK)
		return e;
	return fits_in_place(ws, &h) ? take_in_place(ws, &h, out, wait)
				     : begin_frame(ws, &h);
}

void
ws_done(struct ws *ws)
{
	if (ws->opcode == WS_CONTINUATION) {
		give_back(ws);
		ws->begun_ms = 0;
	}
}

/* Does a whole message that is taken in place stand at the front of the input? */
static bool
is_here(struct ws *ws, struct ws_header *h)
{
	struct span in = session_input(ws->session);

	return !ws->in_frame && ws->opcode == WS_CONTINUATION &&
	       ws_header_parse(in, h) == Q_OK && h->masked && h->opcode < WS_CLOSE &&
	       h->length <= ws->options.max_message && fits_in_place(ws, h) &&
	       h->length <= in.len - h->size;
}

enum qerr
ws_more(struct ws *ws, struct ws_message *out)
{
	struct session *s = ws->session;
	struct ws_header h;
	uint8_t *payload;
	struct span p;

	ws_done(ws);
	if (session_ended(s) || !is_here(ws, &h))
		return Q_MISSING;
	payload = s->in.p + s->in_used + h.size;
	p = span_of(payload, (size_t)h.length);
	ws_mask(payload, p.len, h.key, 0);
	if (h.opcode == WS_TEXT && !utf8_valid(p)) {
		ws_mask(payload, p.len, h.key, 0); /* as it was: ws_read will say so */
		return Q_MISSING;
	}
	ws->in_place = h.size + p.len;
	*out = (struct ws_message){.opcode = (enum ws_opcode)h.opcode, .payload = p};
	return Q_OK;
}

enum qerr
ws_read(struct ws *ws, struct ws_message *out)
{
	enum qerr e;

	ws_done(ws);
	for (;;) {
		bool wait = false;

		if (session_ended(ws->session))
			return Q_CLOSED;
		e = ws->in_frame ? take_payload(ws, out, &wait)
				 : take_frame(ws, out, &wait);
		if (e == Q_SHORT && wait) {
			e = fill(ws);
			if (e != Q_OK)
				return e == Q_SHORT ? e : over(ws, e);
		} else if (e != Q_SHORT) {
			return e;
		}
	}
}
