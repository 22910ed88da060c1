/* SPDX-License-Identifier: MIT
 *
 * What goes to rooms.  A message is remembered with its ref until the server has stored
 * it, whatever happens to connections, and sealed when it is sent: each time for those
 * who are in the room then.  Sent again with the same ref it is stored once.
 */
#include "client/salon.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "base/text.h"

/* More is sent when this has gone: a person's lines do not wait behind megabytes that a
 * lost connection would have to send again. */
#define OUT_HIGH (4 * 1024 * 1024)

enum qerr
salon_seal(struct salon *m, const struct salon_room *r, enum rooms_use use,
	   const struct uuid *target, struct span plain, size_t max, struct buf *out,
	   struct why *why)
{
	struct rooms_place place = {.room = r->id, .from = span_str(m->name), .use = use};
	struct key **readers = NULL;
	uint64_t ctr;
	size_t n;
	enum qerr e;

	if (target != NULL)
		place.target = *target;
	*out = (struct buf)BUF_INIT(max);
	e = rooms_keys_readers(m->keys, (const char(*)[NAME_SIZE])r->members,
			       r->member_count, &readers, &n);
	if (e == Q_OK && (e = rooms_state_next_ctr(m->state, &ctr, why)) != Q_OK) {
		free(readers);
		return e;
	}
	if (e == Q_OK)
		e = rooms_content_seal(&place, ctr, m->state->key, readers, n, plain,
				       out);
	free(readers);
	if (e == Q_OK)
		return Q_OK;
	buf_free(out);
	return why_set(why, e,
		       e == Q_LIMIT ? "it is too long for so many keys"
				    : "it cannot be sealed: %s",
		       qerr_str(e));
}

/* ---- saying ---- */

static enum qerr
check_text(const struct salon *m, struct span text, struct why *why)
{
	if (m->open == NULL)
		return why_set(why, Q_DENIED,
			       "not sent: no room is open; /room NAME opens one");
	if (!salon_may_say(m, m->open))
		return why_set(why, Q_DENIED,
			       "not sent: in this channel only its owner and those who "
			       "were promoted speak");
	if (text.len == 0)
		return why_set(why, Q_FORMAT, "not sent: there are no empty messages");
	if (text.len > 2 * (size_t)ROOMS_TEXT_MAX)
		return why_set(why, Q_LIMIT, "not sent: the message is too long");
	if (!utf8_valid(text) || memchr(text.p, '\0', text.len) != NULL)
		return why_set(why, Q_FORMAT, "not sent: this is not UTF-8 text");
	return Q_OK;
}

enum qerr
salon_say(struct salon *m, struct span text, struct why *why)
{
	struct buf plain = BUF_INIT(2 * (size_t)ROOMS_TEXT_MAX);
	const struct uuid none = {{0}};
	struct rooms_shown *s;
	struct rooms_going *g;
	enum qerr e = check_text(m, text, why);

	if (e != Q_OK)
		return e;
	if ((e = buf_put_span(&plain, text)) == Q_OK)
		e = rooms_going_add(m->memory, &m->open->id, m->open->label,
				    ROOMS_FORMAT_TEXT, &plain, &g);
	buf_wipe(&plain);
	if (e != Q_OK)
		return why_set(why, e, "not sent: %s",
			       e == Q_FULL ? "too much is waiting to be sent"
					   : "there is no memory left");
	s = rooms_shown_add(m->memory, &m->open->id, &none, m->name);
	if (s != NULL) {
		s->own = true;
		g->number = s->number;
	}
	m->env->view->said = g->number;
	return Q_OK;
}

/* ---- sending ---- */

/* Seal as a text; one that has become too long for that, as a file without a name. */
static enum qerr
seal_going(struct salon *m, const struct salon_room *r, struct rooms_going *g,
	   struct buf *content, struct why *why)
{
	struct rooms_smallfile f = {.name = span_str(""), .type = span_str("text/plain")};
	struct buf plain = BUF_INIT(4 * (size_t)ROOMS_TEXT_MAX);
	enum qerr e;

	if (g->format == ROOMS_FORMAT_SMALLFILE)
		return salon_seal(m, r, ROOMS_USE_SMALLFILE, NULL, buf_span(&g->plain),
				  ROOMS_FILE_MAX, content, why);
	e = salon_seal(m, r, ROOMS_USE_TEXT, NULL, buf_span(&g->plain), ROOMS_TEXT_MAX,
		       content, why);
	if (e != Q_LIMIT)
		return e;
	f.bytes = buf_span(&g->plain);
	if ((e = rooms_smallfile_put(&plain, &f)) != Q_OK)
		return why_set(why, e, "there is no memory left");
	g->format = ROOMS_FORMAT_SMALLFILE;
	buf_wipe(&g->plain);
	g->plain = plain;
	return seal_going(m, r, g, content, why);
}

/* Q_FULL: later. */
static enum qerr
send_going(struct salon *m, struct rooms_going *g)
{
	struct rooms_packet p = {.type = ROOMS_T_CHAT_ACTION, .ref = span_str(g->ref)};
	const struct salon_room *r = salon_room_of(m, &g->room);
	size_t before = m->env->out->len;
	struct buf content;
	struct why why;
	enum qerr e;

	if (r == NULL) {
		salon_not_sent(m, g, "you are not in that room any longer");
		return Q_OK;
	}
	if ((e = seal_going(m, r, g, &content, &why)) != Q_OK) {
		salon_not_sent(m, g, why.text);
		return Q_OK;
	}
	p.u.action = (struct rooms_chat_action){.act = ROOMS_SEND,
						.room = g->room,
						.format = g->format,
						.content = buf_span(&content)};
	if ((e = salon_put(m, &p)) == Q_OK) {
		g->sent = true;
		if (g->called[0] != '\0')
			salon_file_begun(m, g, m->env->out->len - before);
	}
	buf_free(&content);
	return e;
}

void
salon_settle_going(struct salon *m)
{
	struct rooms_going *g, *next;

	if (m->now_ms < m->later_ms)
		return;
	m->later_ms = 0;
	for (g = TAILQ_FIRST(&m->memory->going); g != NULL; g = next) {
		next = TAILQ_NEXT(g, next); /* g may go */
		if (m->over || m->env->out->len > OUT_HIGH)
			return;
		if (!g->sent && send_going(m, g) == Q_FULL)
			return;
	}
}

/* ---- answers ---- */

void
salon_on_sent(struct salon *m, struct rooms_going *g, const struct uuid *msg)
{
	struct client_event e = {.kind = CLIENT_SENT, .id = g->number};
	struct rooms_shown *s = rooms_shown_of(m->memory, g->number);
	struct salon_room *r = salon_room_of(m, &g->room);

	if (s != NULL)
		s->msg = *msg;
	if (r != NULL && uuid_is_nil(&r->oldest))
		r->oldest = *msg;
	e.name = g->label;
	if (g->called[0] != '\0')
		salon_file_over(m, g, NULL);
	salon_tell(m, &e);
	rooms_going_drop(m->memory, g);
}

/* TRY_LATER: it waits, and what was said behind it is refused for as long, so that all of
 * it is sent again in its order. */
void
salon_send_later(struct salon *m, struct rooms_going *g, int64_t seconds)
{
	g->sent = false;
	if (g->called[0] != '\0')
		salon_file_waits(m, g);
	m->later_ms = m->now_ms + 1000 * seconds;
}

void
salon_not_sent(struct salon *m, struct rooms_going *g, const char *reason)
{
	if (g->called[0] != '\0')
		salon_file_over(m, g, reason);
	else
		salon_refuse(m, "not sent to %s, %" PRIu64 ": %s", g->label, g->number,
			     reason);
	rooms_going_drop(m->memory, g);
}
