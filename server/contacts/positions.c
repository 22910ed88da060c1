/* SPDX-License-Identifier: MIT
 *
 * positions.c - what counts as delivered, and 122.
 *
 * A 220 was had when the peer's TCP has acknowledged its last byte.  A position that was
 * not saved means that messages are sent again.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "server/contacts/contacts_session.h"
#include "server/log.h"
#include "store/positions.h"

#define SAVE_MS 1000

/* Timer thread: the worker does it, since the disk may take its time. */
static void
save_now(void *arg)
{
	struct contacts_session *cs = arg;

	atomic_store(&cs->save_due, true);
	session_wake(cs->session);
}

void
contacts_save_soon_locked(struct session *s)
{
	struct contacts_session *cs = s->state;

	LOCK_ASSERT_HELD(&s->out.lock);
	if (cs->timing)
		return;
	cs->timing = true;
	timer_set(s->server->timers, &cs->save_timer, clock_mono_ms() + SAVE_MS, save_now,
		  cs);
}

/* What the store does not know yet; malloc'ed. */
static enum qerr
changed_locked(struct inbox *in, struct position **out, size_t *count)
{
	struct position *p;
	size_t n = 0;

	*out = NULL;
	*count = 0;
	if (!inbox_unsaved(in))
		return Q_OK;
	if ((p = calloc(in->n, sizeof(*p))) == NULL)
		return Q_NOMEM;
	for (size_t i = 0; i < in->n; i++) {
		const struct inbox_chat *c = &in->chats[i];

		if (c->saved < c->had)
			p[n++] = (struct position){c->chat, c->had};
	}
	*out = p;
	*count = n;
	return Q_OK;
}

static void
saved(struct contacts_session *cs, const struct position *p, size_t n)
{
	struct outbox *o = &cs->session->out;

	lock_take(&o->lock);
	for (size_t i = 0; i < n; i++) {
		struct inbox_chat *c = inbox_find(&cs->inbox, p[i].chat);

		if (c != NULL && c->saved < p[i].id)
			c->saved = p[i].id;
	}
	lock_drop(&o->lock);
}

/* Is there something that a later save will find? */
static bool
more_to_come_locked(const struct contacts_session *cs)
{
	for (size_t i = 0; i < cs->n_heard; i++)
		if (cs->heard[i].news && !cs->heard[i].settled)
			return true;
	return cs->inbox.ring_n > 0 || inbox_unsaved(&cs->inbox);
}

void
contacts_save(struct contacts_session *cs)
{
	struct session *s = cs->session;
	struct position *p = NULL;
	uint64_t acked;
	size_t n = 0;
	enum qerr e;

	lock_take(&s->out.lock);
	acked = outbox_acked_locked(s);
	inbox_acked(&cs->inbox, acked);
	e = changed_locked(&cs->inbox, &p, &n);
	lock_drop(&s->out.lock);
	contacts_settle_news(cs, acked);
	if (e == Q_OK && n > 0 &&
	    (e = positions_save(s->server->store, cs->user, p, n)) == Q_OK)
		saved(cs, p, n);
	if (e != Q_OK)
		(void)contacts_failed(cs, "save-positions", e);
	free(p);
	lock_take(&s->out.lock);
	cs->timing = false;
	if (more_to_come_locked(cs) && !session_ended(s))
		contacts_save_soon_locked(s);
	lock_drop(&s->out.lock);
}

/* ---- 122 ---- */

/* The id of the last message of a chat up to time_ms. */
static enum qerr
id_at(struct contacts_session *cs, uint64_t chat_id, int64_t time_ms, uint64_t *id)
{
	struct shared_chat *chat = NULL;
	enum qerr e;

	e = shared_chat_get(cs->session->server->shared, chat_id, &chat);
	if (e == Q_OK && !shared_chat_member(chat, cs->user))
		e = Q_DENIED;
	if (e == Q_OK)
		e = shared_id_at(chat, time_ms, id);
	shared_chat_unref(chat);
	return e;
}

/* What was delivered before the first 122 of a login stays so. */
void
contacts_seen(struct contacts_session *cs, const struct contacts_request *r)
{
	struct session *s = cs->session;
	uint64_t id;
	enum qerr e = id_at(cs, r->id, r->time_ms, &id);

	lock_take(&s->out.lock);
	if (!cs->inbox.by_hand) {
		inbox_acked(&cs->inbox, outbox_acked_locked(s));
		inbox_by_hand(&cs->inbox);
	}
	if (e == Q_OK)
		e = inbox_seen(&cs->inbox, r->id, id);
	contacts_save_soon_locked(s);
	lock_drop(&s->out.lock);
	if (e == Q_NOMEM || e == Q_SYS)
		(void)contacts_failed(cs, "seen", e);
}
