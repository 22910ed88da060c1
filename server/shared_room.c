/* SPDX-License-Identifier: MIT
 *
 * COUNTS.  c->tally counts messages up to tally.upto; posts move it along right before
 * they are told.  Until somebody asks it is not known at all (c->counted), and posting
 * costs nothing.  Whoever asks takes the file's (tally.h), reads what the log has behind
 * it, without a lock, and puts the result into place unless messages were told meanwhile
 * that it lacks; then it reads on.  Messages that it read from the log and that are told
 * only afterwards are known by their ids.
 *
 * A member's "seen" is the number of the other one's messages when it last left the room,
 * so what is new to it is a difference, and needs no search.
 *
 * SHOWN.  What was shown gathers here as a few stretches, and goes to the store once a
 * second; who delivers (contacts) asks for that first (shared_settle).
 */
#include <assert.h>

#include "server/shared_priv.h"
#include "store/msglog.h"
#include "store/positions.h"

#define TALLY_EVERY 1024 /* messages at most that are not in the tally's file */
#define READ_AGAIN  64   /* so many are not read twice for a list of chats */

enum tally_member
shared_which(const struct shared_chat *c, const char *user)
{
	return name_cmp(user, c->info.maker) == 0 ? TALLY_MAKER : TALLY_OTHER;
}

static const char *
name_of(const struct shared_chat *c, enum tally_member m)
{
	return m == TALLY_MAKER ? c->info.maker : c->info.other;
}

static bool
gone(const struct shared_chat *c, enum tally_member m)
{
	return atomic_load(m == TALLY_MAKER ? &c->maker_gone : &c->other_gone);
}

static enum tally_member
other_than(enum tally_member m)
{
	return m == TALLY_MAKER ? TALLY_OTHER : TALLY_MAKER;
}

/* ---- counts ---- */

bool
shared_count_locked(struct shared_chat *c, enum tally_member from, uint64_t first,
		    size_t n)
{
	uint64_t last = first + n - 1;

	LOCK_ASSERT_HELD(&c->lock);
	c->told_first = first;
	c->told_n = n;
	c->told_from = from;
	if (c->counted && first == c->tally.upto + 1) {
		c->tally.upto = last;
		c->tally.by[from] += n;
		c->tally_changed = true;
	} else if (c->counted && last > c->tally.upto) {
		c->counted = false; /* somebody has changed the file behind our back */
	}
	return first / TALLY_EVERY != (last + 1) / TALLY_EVERY;
}

struct counting {
	const struct shared_chat *chat;
	struct tally tally;
	uint64_t from; /* where the file's ended */
};

static bool
count_one(void *arg, const struct shared_message *m)
{
	struct counting *cg = arg;

	cg->tally.by[shared_which(cg->chat, m->from)]++;
	cg->tally.upto = m->id;
	return true;
}

static uint64_t
least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Read on from where the tally ends.  One that is ahead of the log (a power cut, a log
 * from a backup) begins anew. */
static enum qerr
read_on(struct shared_chat *c, struct counting *cg)
{
	struct tally *t = &cg->tally;
	uint64_t last;
	enum qerr e = shared_last(c, &last);

	if (e != Q_OK)
		return e;
	if (t->upto > last)
		t->upto = t->by[TALLY_MAKER] = t->by[TALLY_OTHER] = 0;
	if (t->upto == last)
		return Q_OK;
	if ((e = shared_read(c, t->upto, SIZE_MAX, count_one, cg)) == Q_OK &&
	    t->upto < last)
		t->upto = last; /* a damaged record is nobody's message */
	return e;
}

/* False: messages were told that it lacks. */
static bool
put_in_place(struct shared_chat *c, const struct counting *cg)
{
	const struct tally *t = &cg->tally;
	bool done;

	lock_take(&c->lock);
	if (!c->counted && t->upto + 1 >= c->next) {
		c->tally = *t;
		for (int m = 0; m < TALLY_MEMBERS; m++)
			c->tally.seen[m] =
			    least(t->seen[m], t->by[other_than((enum tally_member)m)]);
		c->counted = true;
		c->tally_changed = t->upto != cg->from;
	}
	done = c->counted;
	lock_drop(&c->lock);
	return done;
}

static bool
is_counted(struct shared_chat *c)
{
	bool counted;

	lock_take(&c->lock);
	counted = c->counted;
	lock_drop(&c->lock);
	return counted;
}

static enum qerr
count(struct shared_chat *c)
{
	struct counting cg = {.chat = c};
	enum qerr e;

	if (is_counted(c))
		return Q_OK;
	e = tally_load(c->shared->server->store, c->info.id, &cg.tally);
	if (e != Q_OK && e != Q_MISSING)
		return e;
	cg.from = cg.tally.upto;
	do
		e = read_on(c, &cg);
	while (e == Q_OK && !put_in_place(c, &cg));
	if (e == Q_OK && cg.tally.upto - cg.from >= READ_AGAIN)
		shared_save_soon(c);
	return e;
}

enum qerr
shared_counts(struct shared_chat *c, const char *user, uint64_t *all, uint64_t *fresh)
{
	enum tally_member me = shared_which(c, user);
	struct tally t;
	unsigned in_room;
	bool counted;
	enum qerr e;

	do {
		if ((e = count(c)) != Q_OK)
			return e;
		lock_take(&c->lock);
		t = c->tally;
		counted = c->counted;
		in_room = c->member[me].in_room;
		lock_drop(&c->lock);
	} while (!counted);
	*all = t.by[TALLY_MAKER] + t.by[TALLY_OTHER];
	*fresh = in_room > 0 ? 0 : t.by[other_than(me)] - t.seen[me];
	return Q_OK;
}

/* The member has seen so many of the other one's. */
static void
see_locked(struct shared_chat *c, enum tally_member m, uint64_t n) REQUIRES(c->lock);

static void
see_locked(struct shared_chat *c, enum tally_member m, uint64_t n)
{
	LOCK_ASSERT_HELD(&c->lock);
	if (!c->counted || n <= c->tally.seen[m])
		return;
	c->tally.seen[m] = n;
	c->tally_changed = true;
}

/* ---- coming and going ---- */

void
shared_room_begin(struct shared_chat *c)
{
	(void)count(c); /* without counts one can come and go all the same */
	lock_take(&c->lock);
	while (c->turning) {
		c->waiting++;
		(void)lock_wait(&c->lock, &c->moved, 0);
		c->waiting--;
	}
	c->turning = true;
	lock_drop(&c->lock);
}

void
shared_room_end(struct shared_chat *c)
{
	lock_take(&c->lock);
	c->turning = false;
	if (c->waiting > 0)
		pthread_cond_broadcast(&c->moved);
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
	enum tally_member me = shared_which(c, user), other = other_than(me);
	uint64_t seen;
	bool last;

	lock_take(&c->lock);
	assert(c->turning && c->member[me].in_room > 0);
	last = --c->member[me].in_room == 0;
	seen = c->tally.by[other];
	if (shown < c->told_first && c->told_from == other && c->told_n <= seen)
		seen -= c->told_n;
	see_locked(c, me, seen);
	lock_drop(&c->lock);
	return last;
}

/* ---- what was shown ---- */

/* Nearly always it goes on where the newest ends.  When there is no room for one more
 * stretch the oldest is dropped, and its messages are delivered again. */
static void
add_shown_locked(struct shared_member *m, uint64_t from, uint64_t to)
{
	size_t i = 0, n = 0;

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
	add_shown_locked(&c->member[shared_which(c, user)], from, to);
	lock_drop(&c->lock);
	shared_save_soon(c);
}

/* ---- saving ---- */

/* What is to be written, taken out in one hold of the lock. */
struct to_write {
	struct shared_member shown[TALLY_MEMBERS];
	struct tally tally;
	bool tally_changed, deleted;
};

static void
take_out(struct shared_chat *c, struct to_write *w)
{
	lock_take(&c->lock);
	w->deleted = c->deleted;
	for (int m = 0; m < TALLY_MEMBERS; m++) {
		/* Who is in the room when the server is killed leaves it then. */
		if (c->member[m].in_room > 0)
			see_locked(c, (enum tally_member)m,
				   c->tally.by[other_than((enum tally_member)m)]);
		w->shown[m] = c->member[m];
		c->member[m].shown_n = 0;
	}
	w->tally = c->tally;
	w->tally_changed = c->counted && c->tally_changed;
	if (w->tally_changed)
		c->tally_changed = false;
	lock_drop(&c->lock);
}

static enum qerr
write_shown(struct shared_chat *c, enum tally_member m, const struct shared_member *w)
{
	struct had had[SHOWN_MAX];
	enum qerr e;

	if (w->shown_n == 0 || gone(c, m))
		return Q_OK;
	for (size_t i = 0; i < w->shown_n; i++)
		had[i] = (struct had){c->info.id, w->shown[i].from, w->shown[i].to};
	e = positions_add(c->shared->server->store, name_of(c, m), had, w->shown_n);
	if (e == Q_OK)
		return Q_OK;
	lock_take(&c->lock);
	for (size_t i = 0; i < w->shown_n; i++)
		add_shown_locked(&c->member[m], w->shown[i].from, w->shown[i].to);
	lock_drop(&c->lock);
	return e;
}

enum qerr
shared_save_chat(struct shared_chat *c)
{
	struct to_write w;
	enum qerr e, first = count(c);

	if (first == Q_CLOSED)
		return Q_OK;
	take_out(c, &w);
	if (w.deleted)
		return Q_OK;
	for (int m = 0; m < TALLY_MEMBERS; m++)
		if ((e = write_shown(c, (enum tally_member)m, &w.shown[m])) != Q_OK)
			first = e;
	if (!w.tally_changed)
		return first;
	e = tally_save(c->shared->server->store, c->info.id, &w.tally);
	if (e == Q_OK)
		return first;
	lock_take(&c->lock);
	c->tally_changed = true;
	lock_drop(&c->lock);
	return e;
}
