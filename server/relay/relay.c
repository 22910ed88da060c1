/* SPDX-License-Identifier: MIT
 *
 * DESIGN.  A session is a worker in a loop: read what has come, open frame by
 * frame in place, collect what goes to the partner (forward.c), act on the rest
 * (calls.c), and when the input is used up, read again, which first writes every
 * outbox that was touched.
 *
 * s->state is set once, under the outbox lock, when the session key is there
 * (handshake.c).  deliver and goodbye come from other threads at any time and
 * look at it under that lock: NULL means that nothing can be said yet, because
 * nothing could be sealed.
 */
#include "server/relay/relay.h"

#include <string.h>

#include "server/log.h"
#include "server/metrics.h"
#include "server/relay/relay_session.h"

#define INPUT_MIN 65536 /* bytes; what one read may bring, at least */

bool
relay_distinct(const struct relay_session *rs)
{
	return rs->config->relay_codes == RELAY_CODES_DISTINCT;
}

uint32_t
relay_max_frame(const struct relay_session *rs)
{
	return (uint32_t)rs->config->relay_max_frame;
}

/* Never above the default, so that an answer always fits an outbox. */
size_t
relay_max_data(const struct relay_session *rs)
{
	uint32_t frame = relay_max_frame(rs);

	return (frame < RELAY_SEALED_MAX ? frame : RELAY_SEALED_MAX) - RELAY_SEALED_MIN;
}

void
relay_broken(struct session *s, const char *reason)
{
	metric_add(METRIC_protocol_errors_total, 1);
	log_limited(LOG_WARN, &s->peer, s, "protocol-error", "reason=%s", reason);
	session_end(s, GOODBYE_ERROR, reason);
}

/* ---- input ---- */

/* Why relay_frame_next refused what stands at p (a whole size field). */
static const char *
frame_reason(enum qerr e, const uint8_t *p)
{
	if ((int32_t)le32_get(p) < 0)
		return "clear frame after the handshake";
	return e == Q_LIMIT ? "frame too large" : "frame too short";
}

/* Everything whole in the input; *used is how far it went.  Q_SHORT: more must
 * come; Q_CLOSED: the client logged out, or the session has ended. */
static enum qerr
take_frames(struct relay_session *rs, struct run *run, size_t *used)
{
	struct session *s = rs->session;
	struct span in = session_input(s);
	uint8_t *bytes = s->in.p + (s->in.len - in.len);
	const char *reason = "no opcode for a client to send";
	struct relay_inner m;
	struct relay_frame f;
	enum qerr e;

	for (*used = 0; *used < in.len; *used += f.total) {
		struct span rest = {bytes + *used, in.len - *used};
		uint8_t *body = bytes + *used + RELAY_SIZE_LEN;

		if ((e = relay_frame_next(rest, 0, relay_max_frame(rs), &f)) == Q_SHORT)
			return Q_SHORT;
		if (e != Q_OK || f.clear) {
			reason = frame_reason(e, rest.p);
			goto broken;
		}
		if (sealing_open(&rs->sealing, body, f.body.len, &m, &reason) != Q_OK)
			goto broken;
		if (run_wants(m.opcode)) {
			run_add(run, body, RELAY_HEAD_LEN + m.data.len);
			if (run->n < RUN_MAX)
				continue;
		}
		/* What came before happens before. */
		run_forward(rs, run);
		if (session_ended(s))
			return Q_CLOSED;
		if (run_wants(m.opcode))
			continue;
		if ((e = relay_call(rs, m.opcode, m.data)) == Q_FORMAT)
			goto broken;
		if (e != Q_OK || session_ended(s))
			return Q_CLOSED;
	}
	return Q_SHORT;
broken:
	run_forward(rs, run);
	relay_broken(s, reason);
	return Q_CLOSED;
}

/* Deal with what is in the input.  A function of its own, not inlined, so that an
 * idle session's stack does not have room for a run in it: that is a page.
 * Results as take_frames. */
static __attribute__((noinline)) enum qerr
serve_input(struct relay_session *rs)
{
	struct run run;
	size_t used;
	enum qerr e;

	run_clear(&run);
	e = take_frames(rs, &run, &used);
	run_forward(rs, &run);
	session_consume(rs->session, used);
	return e;
}

static void
serve_frames(struct relay_session *rs)
{
	struct session *s = rs->session;
	size_t max = RELAY_SIZE_LEN + (size_t)relay_max_frame(rs);
	enum qerr e;

	if (max < INPUT_MIN)
		max = INPUT_MIN;
	while (session_input(s).len == 0 || serve_input(rs) == Q_SHORT) {
		if (session_ended(s))
			return;
		if ((e = session_fill(s, max)) == Q_NOMEM)
			session_end(s, GOODBYE_ERROR, "the server is out of memory");
		if (e != Q_OK)
			return;
	}
}

/* ---- the row ---- */

/* The life of a session that has logged in. */
static void
serve_user(struct session *s)
{
	struct relay_session *rs = s->state;

	serve_frames(rs);
	session_end(s, GOODBYE_SELF, NULL);
	log_event(LOG_INFO, s, "logout", "frames=%u", rs->sealing.in_next);
	relay_logout(rs);
	outbox_flush_touched();
}

static void
serve(struct session *s)
{
	if (handshake_run(s) != NULL)
		serve_user(s);
}

/* The longest start of text that is whole UTF-8 and not above max bytes. */
static struct span
cut_text(struct span text, size_t max)
{
	if (text.len > max) {
		while (max > 0 && (text.p[max] & 0xc0) == 0x80)
			max--;
		text.len = max;
	}
	return text;
}

static void
deliver(struct session *s, const struct event *event)
{
	struct relay_session *rs;
	enum qerr e = Q_CLOSED;

	if (event->kind != EVENT_NOTICE)
		return;
	lock_take(&s->out.lock);
	rs = s->state;
	if (rs != NULL && rs->notices)
		e = relay_seal_locked(s, SEALING_MORE, RELAY_NOTICE,
				      cut_text(event->text, relay_max_data(rs)));
	lock_drop(&s->out.lock);
	if (rs != NULL)
		relay_settle_put(rs, e);
}

static const char *
farewell_text(enum goodbye why)
{
	switch (why) {
	case GOODBYE_REPLACED: return "you have logged in from another place";
	case GOODBYE_KICKED: return "an administrator has ended your session";
	case GOODBYE_SHUTDOWN: return RELAY_REASON_STOPPING;
	case GOODBYE_ERROR: return "protocol error";
	case GOODBYE_SLOW: return "you do not read what is sent to you";
	case GOODBYE_REMOVED: return "your account was removed or its key changed";
	case GOODBYE_NONE:
	case GOODBYE_SELF: break;
	}
	return "";
}

static void
goodbye(struct session *s, enum goodbye why, const char *text)
{
	struct relay_session *rs;
	struct span reason;

	if (why == GOODBYE_NONE || why == GOODBYE_SELF)
		return;
	reason = span_str(text != NULL && text[0] != '\0' ? text : farewell_text(why));
	lock_take(&s->out.lock);
	rs = s->state;
	if (rs != NULL) {
		/* Distinct clients know no reason, but for those that have shown
		 * that they are newer ones.  When the outbox cannot take it, the
		 * connection just closes. */
		reason = relay_distinct(rs) && !rs->notices
			     ? (struct span){NULL, 0}
			     : cut_text(reason, relay_max_data(rs));
		(void)relay_seal_locked(s, SEALING_LAST, RELAY_FORCED_LOGOUT, reason);
	}
	lock_drop(&s->out.lock);
}

static void
release(struct session *s)
{
	relay_session_free(s->state);
	s->state = NULL;
}

const struct protocol relay_protocol = {
    .name = "relay",
    .notices = true,
    .recognise = relay_recognise,
    .serve = serve,
    .deliver = deliver,
    .goodbye = goodbye,
    .release = release,
};
