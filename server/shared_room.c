/* SPDX-License-Identifier: MIT
 *
 * Who is in the room of a chat, and what was shown there.  What was shown gathers here as
 * a few stretches, and goes to the store once a second; who delivers (contacts) asks for
 * that first (shared_settle).
 */
#include <assert.h>

#include "server/shared_priv.h"

/* ---- coming and going ---- */

void
shared_room_begin(struct shared_chat *c)
{
	(void)shared_count(c); /* without counts one can come and go all the same */
	lock_take(&c->lock);
	while (c->turning)
		shared_wait_locked(c);
	c->turning = true;
	lock_drop(&c->lock);
}

void
shared_room_end(struct shared_chat *c)
{
	lock_take(&c->lock);
	c->turning = false;
	shared_wake_locked(c);
	lock_drop(&c->lock);
	shared_save_soon(c);
}

bool
shared_enter(struct shared_chat *c, const char *user)
{
	struct shared_member *m = &c->member[shared_which(c, user)];
	bool first;

	lock_take(&c->lock);
	assert(c->turning);
	first = m->in_room++ == 0;
	lock_drop(&c->lock);
	return first;
}

/* Messages count before they are told.  So those that are being told right now count, but
 * if this connection has not been told of them it will be told as one that has left. */
bool
shared_leave(struct shared_chat *c, const char *user, uint64_t shown)
{
	enum tally_member me = shared_which(c, user), other = shared_other(me);
	uint64_t seen;
	bool last;

	lock_take(&c->lock);
	assert(c->turning && c->member[me].in_room > 0);
	last = --c->member[me].in_room == 0;
	seen = c->tally.by[other];
	if (shown < c->told_first && c->told_from == other && c->told_n <= seen)
		seen -= c->told_n;
	shared_see_locked(c, me, seen);
	lock_drop(&c->lock);
	return last;
}

/* ---- what was shown ---- */

/* Nearly always it goes on where the newest ends.  When there is no room for one more
 * stretch the oldest is dropped, and its messages are delivered again. */
void
shared_add_shown_locked(struct shared_chat *c, enum tally_member who, uint64_t from,
			uint64_t to)
{
	struct shared_member *m = &c->member[who];
	size_t i = 0, n = 0;

	LOCK_ASSERT_HELD(&c->lock);
	while (i < m->shown_n && m->shown[i].to + 1 < from)
		i++;
	for (; i + n < m->shown_n && m->shown[i + n].from <= to + 1; n++) {
		if (m->shown[i + n].from < from)
			from = m->shown[i + n].from;
		if (m->shown[i + n].to > to)
			to = m->shown[i + n].to;
	}
	if (n == 0 && m->shown_n == SHOWN_MAX) {
		if (i == 0)
			return;
		for (size_t k = 1; k < i; k++)
			m->shown[k - 1] = m->shown[k];
		m->shown[i - 1].from = from;
		m->shown[i - 1].to = to;
		return;
	}
	if (n == 0)
		for (size_t k = m->shown_n; k > i; k--)
			m->shown[k] = m->shown[k - 1];
	for (size_t k = i + 1; n > 1 && k + n - 1 < m->shown_n; k++)
		m->shown[k] = m->shown[k + n - 1];
	m->shown[i].from = from;
	m->shown[i].to = to;
	m->shown_n = m->shown_n + 1 - n;
}

void
shared_shown(struct shared_chat *c, const char *user, uint64_t from, uint64_t to)
{
	lock_take(&c->lock);
	shared_add_shown_locked(c, shared_which(c, user), from, to);
	lock_drop(&c->lock);
	shared_save_soon(c);
}
