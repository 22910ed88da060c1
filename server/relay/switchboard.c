/* SPDX-License-Identifier: MIT
 *
 * DESIGN.  Invariants, true whenever the lock is free:
 *   - other is set exactly when state is not FREE, and other->other is oneself;
 *   - ASKING faces ASKED, CHATTING faces CHATTING;
 *   - only present seats are anything but FREE.
 * Every call first changes the state of both sides (pair, part) and then tells
 * them, so the callback may look at either seat and sees how it is now.
 */
#include "server/relay/switchboard.h"

#include <assert.h>
#include <string.h>

static int
seat_cmp(struct seat *a, struct seat *b)
{
	return strcmp(a->folded, b->folded);
}

/* RB_GENERATE_STATIC, but for a word that <sys/cdefs.h> does not always have. */
RB_GENERATE_INTERNAL(seat_tree, seat, link, seat_cmp, static __attribute__((unused)))

void
switchboard_init(struct switchboard *b, switchboard_tell_fn *tell)
{
	lock_init(&b->lock);
	RB_INIT(&b->seats);
	b->tell = tell;
}

void
switchboard_fini(struct switchboard *b)
{
	assert(RB_EMPTY(&b->seats));
	lock_fini(&b->lock);
}

void
seat_init(struct seat *s, const char *name)
{
	memset(s, 0, sizeof(*s));
	assert(strlen(name) < sizeof(s->name));
	memcpy(s->name, name, strlen(name) + 1);
	name_fold(name, s->folded);
}

static struct seat *
find(struct switchboard *b, const char *name)
{
	struct seat key;

	name_fold(name, key.folded);
	return RB_FIND(seat_tree, &b->seats, &key);
}

static void
pair(struct seat *a, enum seat_state a_state, struct seat *b, enum seat_state b_state)
{
	a->state = a_state;
	a->other = b;
	b->state = b_state;
	b->other = a;
}

/* Both free again; returns who the other one was. */
static struct seat *
part(struct seat *s)
{
	struct seat *other = s->other;

	assert(other != NULL && other->other == s);
	s->state = other->state = SEAT_FREE;
	s->other = other->other = NULL;
	return other;
}

/* ---- coming and going ---- */

void
switchboard_enter(struct switchboard *b, struct seat *s, void *arg)
{
	struct seat *older = find(b, s->name);

	LOCK_ASSERT_HELD(&b->lock);
	assert(!s->present);
	if (older != NULL)
		switchboard_leave(b, older, arg);
	s->state = SEAT_FREE;
	s->other = NULL;
	s->present = true;
	RB_INSERT(seat_tree, &b->seats, s);
}

void
switchboard_leave(struct switchboard *b, struct seat *s, void *arg)
{
	struct seat *other;

	LOCK_ASSERT_HELD(&b->lock);
	if (!s->present)
		return;
	if (s->state == SEAT_ASKED) {
		other = part(s);
		b->tell(arg, other, TELL_DENIED, s);
	} else {
		switchboard_end(b, s, arg);
	}
	RB_REMOVE(seat_tree, &b->seats, s);
	s->present = false;
}

/* ---- requests ---- */

bool
switchboard_request(struct switchboard *b, struct seat *s, const char *name,
		    int64_t lapses_ms, void *arg)
{
	struct seat *asked = find(b, name);

	LOCK_ASSERT_HELD(&b->lock);
	if (!s->present || s->state != SEAT_FREE || asked == NULL || asked == s ||
	    asked->state != SEAT_FREE) {
		b->tell(arg, s, TELL_DENIED, NULL);
		return false;
	}
	pair(s, SEAT_ASKING, asked, SEAT_ASKED);
	s->lapses_ms = lapses_ms;
	b->tell(arg, asked, TELL_REQUESTED, s);
	return true;
}

bool
switchboard_accept(struct switchboard *b, struct seat *s, void *arg)
{
	struct seat *asker = s->other;

	LOCK_ASSERT_HELD(&b->lock);
	if (s->state != SEAT_ASKED)
		return false;
	pair(s, SEAT_CHATTING, asker, SEAT_CHATTING);
	/* "The accepter gets 307 first, then the requester gets 303." */
	b->tell(arg, s, TELL_PEER_KEY, asker);
	b->tell(arg, asker, TELL_ACCEPTED, s);
	return true;
}

bool
switchboard_deny(struct switchboard *b, struct seat *s, void *arg)
{
	LOCK_ASSERT_HELD(&b->lock);
	if (s->state != SEAT_ASKED)
		return false;
	b->tell(arg, part(s), TELL_DENIED, s);
	return true;
}

bool
switchboard_lapse(struct switchboard *b, struct seat *s, int64_t now_ms, void *arg)
{
	LOCK_ASSERT_HELD(&b->lock);
	if (s->state != SEAT_ASKING || s->lapses_ms > now_ms)
		return false;
	return switchboard_break(b, s, arg);
}

/* ---- ends ---- */

bool
switchboard_end(struct switchboard *b, struct seat *s, void *arg)
{
	struct seat *other;
	bool chat = s->state == SEAT_CHATTING;

	LOCK_ASSERT_HELD(&b->lock);
	/* An asked user says no with 304; a 370 from it belongs to a chat that
	 * its partner has ended meanwhile. */
	if (!chat && s->state != SEAT_ASKING)
		return false;
	other = part(s);
	if (chat)
		b->tell(arg, s, TELL_LEFT, other);
	b->tell(arg, other, TELL_CLOSED, s);
	return true;
}

bool
switchboard_break(struct switchboard *b, struct seat *s, void *arg)
{
	enum seat_state was = s->state;
	struct seat *other;

	LOCK_ASSERT_HELD(&b->lock);
	if (was == SEAT_FREE)
		return false;
	other = part(s);
	b->tell(arg, s, was == SEAT_ASKING ? TELL_DENIED : TELL_CLOSED, other);
	b->tell(arg, other, was == SEAT_ASKED ? TELL_DENIED : TELL_CLOSED, s);
	return true;
}

void
switchboard_list(struct switchboard *b, const struct seat *s,
		 bool (*each)(void *arg, const char *name), void *arg)
{
	struct seat *i;

	LOCK_ASSERT_HELD(&b->lock);
	RB_FOREACH (i, seat_tree, &b->seats) {
		if (i != s && i->state == SEAT_FREE && !each(arg, i->name))
			return;
	}
}
