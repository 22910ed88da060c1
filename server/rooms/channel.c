/* SPDX-License-Identifier: MIT
 *
 * channel.c - packets into the outbox and out of WebSocket messages.
 *
 * A packet is sealed straight into the receiver's outbox, in the place where its base64
 * goes (protocol/rooms_envelope.h), and opened where it lies in the input: no copies.
 * The counter of a direction rises in the hold of the outbox's lock in which the packet
 * is put there, so counters and bytes are always in the same order.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "crypto/random.h"
#include "protocol/rooms_envelope.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/moderation.h"
#include "server/rooms/account.h"

/* What a packet that is written here may become: a FILE, and its JSON. */
#define PACKET_MAX ((size_t)1 << 30)

/* ---- sending ---- */

enum qerr
rooms_send_locked(struct session *s, enum outbox_class class, struct span plain)
{
	struct rooms_session *rs = s->state;
	uint8_t iv[ROOMS_IV_LEN], *ct;
	struct ws_place place;
	size_t n;
	enum qerr e;

	LOCK_ASSERT_HELD(&s->out.lock);
	if (plain.len > PACKET_MAX)
		return Q_LIMIT;
	n = ROOMS_ENVELOPE_SIZE(plain.len);
	if ((e = ws_reserve_locked(s, class, n, &place)) != Q_OK)
		return e;
	ct = rooms_envelope_inside(place.payload, plain.len);
	if ((e = lane_seal(&rs->out, plain.p, plain.len, ct, ct + plain.len, iv)) != Q_OK)
		return e == Q_NOMEM ? e : Q_CRYPTO;
	rooms_envelope_wrap(place.payload, plain.len, iv);
	ws_commit_locked(s, WS_TEXT, &place, n);
	return Q_OK;
}

enum qerr
rooms_send(struct session *s, enum outbox_class class, struct span plain)
{
	enum qerr e;

	lock_take(&s->out.lock);
	e = rooms_send_locked(s, class, plain);
	lock_drop(&s->out.lock);
	if (e == Q_OK)
		outbox_touch(s);
	else if (e == Q_LIMIT)
		session_end(s, GOODBYE_SLOW, NULL);
	return e;
}

enum qerr
rooms_send_wait(struct rooms_session *rs, struct span plain)
{
	struct session *s = rs->session;
	int64_t until_ms = clock_mono_ms() + config_now()->sender_wait_ms;
	enum qerr e;

	while ((e = rooms_send(s, OUTBOX_DATA, plain)) == Q_FULL) {
		outbox_flush_touched();
		if ((e = outbox_wait_room(s, until_ms)) != Q_OK)
			break;
	}
	if (e == Q_TIMEOUT)
		session_end(s, GOODBYE_SLOW, NULL);
	else if (e != Q_OK) /* an answer that is missing would be worse than none */
		ws_end(s, WS_CODE_INTERNAL, qerr_str(e));
	return e;
}

/* Before CONN_OK packets go as they are. */
static enum qerr
send_json(struct rooms_session *rs, struct span json)
{
	return rs->phase >= ROOMS_SEALED ? rooms_send_wait(rs, json)
					 : ws_send_wait(rs->session, WS_TEXT, json);
}

/* ---- answers ---- */

/* Send what was written to json, or end the session for want of memory; consumes it. */
static enum qerr
finish(struct rooms_session *rs, struct buf *json, enum qerr e)
{
	if (e == Q_OK)
		e = send_json(rs, buf_span(json));
	else
		ws_end(rs->session, WS_CODE_INTERNAL, "no memory");
	buf_wipe(json); /* tokens pass here */
	return e;
}

enum qerr
rooms_answer(struct rooms_session *rs, const struct rooms_packet *p)
{
	struct buf json = BUF_INIT(PACKET_MAX);

	return finish(rs, &json, rooms_put(&json, p));
}

struct rooms_bad {
	int64_t at_ms[ROOMS_BAD_MAX - 1]; /* 0: never */
	unsigned next;                    /* the oldest one */
};

static bool
too_many_bad(struct rooms_session *rs)
{
	int64_t now = clock_mono_ms(), *oldest;
	bool many;

	if (rs->bad == NULL && (rs->bad = calloc(1, sizeof(*rs->bad))) == NULL)
		return true; /* what cannot be counted */
	oldest = &rs->bad->at_ms[rs->bad->next];
	many = *oldest != 0 && now - *oldest < ROOMS_BAD_MS;
	*oldest = now;
	rs->bad->next = (rs->bad->next + 1) % (ROOMS_BAD_MAX - 1);
	return many;
}

/* It was answered: is it one too many? */
static void
count_bad(struct rooms_session *rs)
{
	if (rs->phase < ROOMS_SEALED || too_many_bad(rs))
		rooms_broken(rs, "invalid packet");
}

enum qerr
rooms_answer_status(struct rooms_session *rs, enum rooms_sig sig, const struct uuid *room,
		    const struct uuid *msg, struct span ref)
{
	struct buf json = BUF_INIT(PACKET_MAX);
	enum qerr e;

	e = finish(rs, &json, rooms_put_status(&json, sig, room, msg, ref));
	if (e == Q_OK && sig == ROOMS_INVALID_PACKET)
		count_bad(rs);
	return e;
}

enum qerr
rooms_answer_fault(struct rooms_session *rs, const struct rooms_fault *fault)
{
	struct buf json = BUF_INIT(PACKET_MAX);
	enum qerr e = finish(rs, &json, rooms_put_fault(&json, fault));

	if (e == Q_OK && fault->sig == ROOMS_INVALID_PACKET)
		count_bad(rs);
	return e;
}

enum qerr
rooms_answer_later(struct rooms_session *rs, const char *setting, int64_t seconds,
		   struct span ref)
{
	struct rooms_packet p = {
	    .type = ROOMS_T_STATUS,
	    .ref = ref,
	    .u.status = {.sig = ROOMS_TRY_LATER, .seconds = seconds}};
	char desc[128];

	if (setting != NULL) {
		snprintf(desc, sizeof(desc), "%s (%s), try again in %" PRId64 " s",
			 "too many at the moment", setting, seconds);
		p.u.status.desc = span_str(desc);
	}

	return rooms_answer(rs, &p);
}

enum qerr
rooms_answer_barred(struct rooms_session *rs, enum rooms_sig sig, const char *text,
		    struct span ref)
{
	const struct rooms_packet p = {.type = ROOMS_T_STATUS,
				       .ref = ref,
				       .u.status = {.sig = sig, .desc = span_str(text)}};

	return rooms_answer(rs, &p);
}

enum qerr
rooms_answer_banned(struct rooms_session *rs, const char *user, struct span ref)
{
	char text[MODERATION_TEXT_SIZE];

	moderation_turned_away(rs->session, user, text);
	return rooms_answer_barred(rs, ROOMS_BANNED, text, ref);
}

enum qerr
rooms_answer_failed(struct rooms_session *rs, const char *what, enum qerr e,
		    const struct uuid *room, struct span ref)
{
	log_limited(LOG_ERROR, &rs->session->peer, rs->session, "failed",
		    "what=%s text=%s", what, qerr_str(e));
	return rooms_answer_status(rs, ROOMS_SERVER_ERROR, room, NULL, ref);
}

void
rooms_broken(struct rooms_session *rs, const char *reason)
{
	struct session *s = rs->session;

	metric_add(METRIC_protocol_errors_total, 1);
	log_limited(LOG_WARN, &s->peer, s, "protocol-error", "reason=%s", reason);
	ws_end(s, WS_CODE_POLICY, reason);
}

/* ---- receiving ---- */

enum qerr
rooms_open_message(struct rooms_session *rs, struct span *payload)
{
	/* The input, or ws->message, is the worker's to change (session.h). */
	uint8_t iv[ROOMS_IV_LEN], *text = (uint8_t *)(uintptr_t)payload->p;
	size_t n;
	enum qerr e;

	if ((e = rooms_envelope_unwrap(text, payload->len, iv, &n)) != Q_OK)
		return e;
	n -= ROOMS_TAG_LEN;
	if ((e = lane_open(&rs->in, iv, text, n, text, text + n)) != Q_OK)
		return e;
	*payload = span_of(text, n);
	return Q_OK;
}

void
rooms_wipe_message(struct span payload)
{
	secret_wipe((uint8_t *)(uintptr_t)payload.p, payload.len);
}
