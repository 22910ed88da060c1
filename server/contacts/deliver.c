/* SPDX-License-Identifier: MIT
 *
 * deliver.c - 220, as it happens: events, on the threads of those who cause them.
 *
 * Messages go straight into the outbox while the session is HERE, owes nothing of that
 * chat and has room.  Otherwise it is only noted how far the chat was told; the worker
 * reads the rest from the file (catchup.c).  Both ways raise inbox_chat.sent under the
 * outbox lock and skip what is not above it, so each message goes out once, and those of
 * a chat in the order of its file, whoever is faster.
 *
 * Whoever sends never waits here: that is what the file is for.
 */
#include <assert.h>

#include "server/contacts/contacts_session.h"
#include "server/log.h"
#include "server/protocol.h"

/* The ring looks at what was acknowledged before it grows above this. */
#define RING_LOOK 4096

enum qerr
contacts_ring_room_locked(struct session *s, size_t n)
{
	struct inbox *in = &((struct contacts_session *)s->state)->inbox;

	if (in->ring_n + n > RING_LOOK && in->ring_n + n > in->ring_cap)
		inbox_acked(in, outbox_acked_locked(s));
	return inbox_reserve(in, n);
}

/* Put what c was not sent yet into the outbox.  Q_FULL: nothing was. */
static enum qerr
put_locked(struct session *s, struct inbox_chat *c, const struct event *event)
    REQUIRES(s->out.lock)
{
	struct contacts_session *cs = s->state;
	size_t room = 0;
	struct buf lines;
	uint64_t start;
	uint8_t *at;
	enum qerr e;

	for (size_t i = 0; i < event->count; i++)
		room += CONTACTS_220_MAX(event->messages[i].text.len);
	if ((e = contacts_ring_room_locked(s, event->count)) != Q_OK ||
	    (e = outbox_reserve_locked(&s->out, OUTBOX_DATA, room, &at)) != Q_OK)
		return e;
	lines = (struct buf){at, 0, room, room};
	start = s->out.written + outbox_waiting_locked(&s->out);
	for (size_t i = 0; i < event->count; i++) {
		const struct shared_message *m = &event->messages[i];

		if (m->id <= c->sent)
			continue;
		/* What the user said elsewhere is no news here. */
		if (name_cmp(m->from, cs->user) != 0) {
			e = contacts_put_message(&lines, c->chat, m->time_ms, m->text,
						 m->media_id);
			assert(e == Q_OK);
		}
		c->sent = m->id;
		inbox_sent(&cs->inbox, c->chat, m->id, start + lines.len);
	}
	outbox_commit_locked(&s->out, lines.len);
	contacts_save_soon_locked(s);
	return Q_OK;
}

static enum qerr
messages_locked(struct session *s, const struct event *event) REQUIRES(s->out.lock)
{
	struct contacts_session *cs = s->state;
	uint64_t first = event->messages[0].id;
	uint64_t last = event->messages[event->count - 1].id;
	struct inbox_chat *c;
	bool owing;
	enum qerr e;

	/* A chat that is new to the session begins here. */
	c = inbox_enter(&cs->inbox, shared_chat_info(event->chat)->id, first - 1);
	if (c == NULL)
		return Q_NOMEM;
	owing = c->sent < c->told;
	if (last > c->told)
		c->told = last;
	if (owing || cs->inbox.phase != INBOX_HERE)
		return Q_OK;
	if ((e = put_locked(s, c, event)) != Q_FULL)
		return e;
	outbox_want_room_locked(s);
	return Q_OK;
}

static enum qerr
event_locked(struct session *s, const struct event *event) REQUIRES(s->out.lock)
{
	struct contacts_session *cs = s->state;

	if (cs == NULL || cs->inbox.phase == INBOX_AWAY)
		return Q_OK;
	switch (event->kind) {
	case EVENT_MESSAGES: return event->count > 0 ? messages_locked(s, event) : Q_OK;
	case EVENT_CHAT_DELETED:
		inbox_forget(&cs->inbox, shared_chat_info(event->chat)->id);
		break;
	case EVENT_CONTACT:
		cs->news = true;
		session_wake(s);
		break;
	case EVENT_CHAT_MADE:     /* shown by its first message, or by 112 */
	case EVENT_NOTICE: break; /* contacts cannot say it */
	}
	return Q_OK;
}

void
contacts_deliver(struct session *s, const struct event *event)
{
	enum qerr e;

	if (event->sender == s) /* 219 says it */
		return;
	lock_take(&s->out.lock);
	e = event_locked(s, event);
	lock_drop(&s->out.lock);
	if (e == Q_OK) {
		outbox_touch(s);
	} else if (e != Q_CLOSED) {
		/* It is in the file: the next login finds it. */
		log_limited(LOG_ERROR, &s->peer, NULL, "deliver-failed",
			    "conn=%llu error=%s", (unsigned long long)s->id, qerr_str(e));
		session_end(s, GOODBYE_ERROR, NULL);
	}
}
