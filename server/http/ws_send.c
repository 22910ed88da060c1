/* SPDX-License-Identifier: MIT
 *
 * Messages and control frames into a session's outbox; any thread.  What is sent is
 * never masked, and in fragments only by ws_piece_locked (RFC 6455 sections 5.1, 5.4).
 */
#include <string.h>

#include "base/clock.h"
#include "server/config.h"
#include "server/http/ws.h"
#include "server/http/ws_priv.h"

#define FIN_BIT 0x80

/* ---- messages ---- */

enum qerr
ws_reserve_locked(struct session *s, enum outbox_class class, size_t n,
		  struct ws_place *place)
{
	size_t header = ws_header_size(n);
	uint8_t *at;
	enum qerr e;

	if ((e = outbox_reserve_locked(&s->out, class, header + n, &at)) != Q_OK)
		return e;
	*place = (struct ws_place){.payload = at + header, .room = n};
	return Q_OK;
}

void
ws_commit_locked(struct session *s, enum ws_opcode opcode, const struct ws_place *place,
		 size_t len)
{
	uint8_t *at = place->payload - ws_header_size(place->room);
	size_t header = ws_header_put(at, opcode, len);

	if (at + header != place->payload)
		memmove(at + header, place->payload, len);
	outbox_commit_locked(&s->out, header + len);
}

static enum qerr
send_locked(struct session *s, enum outbox_class class, enum ws_opcode opcode,
	    struct span payload) REQUIRES(s->out.lock)
{
	struct ws_place place;
	enum qerr e = ws_reserve_locked(s, class, payload.len, &place);

	if (e != Q_OK)
		return e;
	if (payload.len > 0)
		memcpy(place.payload, payload.p, payload.len);
	ws_commit_locked(s, opcode, &place, payload.len);
	return Q_OK;
}

enum qerr
ws_send(struct session *s, enum outbox_class class, enum ws_opcode opcode,
	struct span payload)
{
	enum qerr e;

	lock_take(&s->out.lock);
	e = send_locked(s, class, opcode, payload);
	lock_drop(&s->out.lock);
	if (e == Q_OK)
		outbox_touch(s);
	else if (e == Q_LIMIT)
		session_end(s, GOODBYE_SLOW, NULL);
	return e;
}

enum qerr
ws_send_wait(struct session *s, enum ws_opcode opcode, struct span payload)
{
	int64_t until_ms = clock_mono_ms() + config_now()->sender_wait_ms;
	enum qerr e;

	while ((e = ws_send(s, OUTBOX_DATA, opcode, payload)) == Q_FULL) {
		outbox_flush_touched();
		if ((e = outbox_wait_room(s, until_ms)) != Q_OK)
			break;
	}
	if (e == Q_TIMEOUT)
		session_end(s, GOODBYE_SLOW, NULL);
	return e;
}

enum qerr
ws_piece_locked(struct session *s, enum ws_opcode opcode, struct span piece, bool first,
		bool last)
{
	size_t header = ws_header_size(piece.len);
	uint8_t *at;
	enum qerr e;

	e = outbox_reserve_locked(&s->out, OUTBOX_DATA, header + piece.len, &at);
	if (e != Q_OK)
		return e;
	ws_header_put(at, first ? opcode : WS_CONTINUATION, piece.len);
	if (!last)
		at[0] &= (uint8_t)~FIN_BIT;
	if (piece.len > 0)
		memcpy(at + header, piece.p, piece.len);
	outbox_commit_locked(&s->out, header + piece.len);
	return Q_OK;
}

/* ---- closing ---- */

/* The close frame, and nothing behind it. */
static void
put_close(struct session *s, enum ws_code code, struct span reason)
{
	uint8_t payload[WS_CONTROL_MAX];
	size_t n = ws_close_put(payload, code, reason);

	lock_take(&s->out.lock);
	/* Closed already: somebody else's farewell is in. */
	(void)send_locked(s, OUTBOX_CONTROL, WS_CLOSE, span_of(payload, n));
	outbox_close_locked(&s->out);
	lock_drop(&s->out.lock);
}

void
ws_close_with(struct session *s, enum ws_code code, struct span reason)
{
	put_close(s, code, reason);
	session_end(s, GOODBYE_SELF, NULL);
}

void
ws_end(struct session *s, enum ws_code code, const char *reason)
{
	ws_close_with(s, code, span_str(reason == NULL ? "" : reason));
}

void
ws_goodbye(struct session *s, enum goodbye why, const char *text)
{
	enum ws_code code = WS_CODE_POLICY;

	switch (why) {
	case GOODBYE_NONE:
	case GOODBYE_SELF: return;
	case GOODBYE_SHUTDOWN:
	case GOODBYE_SLOW: code = WS_CODE_GOING_AWAY; break;
	case GOODBYE_ERROR: code = WS_CODE_PROTOCOL; break;
	case GOODBYE_REPLACED:
	case GOODBYE_KICKED:
	case GOODBYE_REMOVED: break;
	}
	put_close(s, code, span_str(text == NULL ? "" : text));
}
