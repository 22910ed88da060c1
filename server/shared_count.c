/* SPDX-License-Identifier: MIT
 *
 * How many messages a chat has, from whom, and how many of them are new to whom.
 *
 *     file:   | 1 ............ | ......... | ............... |
 *             the tally's file  the log     what this object has told
 *                        upto ^     since ^             upto ^
 *
 * From the first message on that an object tells it adds up what it tells (right before
 * it does): that costs nothing, and nobody may ever ask.  Whoever asks takes the tally's
 * file (tally.h), reads from the log what is between its end and `since`, without a lock,
 * and puts the sum into place; from then on the chat is `counted`, and nothing is read
 * any more.  An object that has told nothing yet reads to the end of the log.  What it
 * tells meanwhile may be among that: then either all of it is, or `since` is known by now
 * and a second attempt reads up to there.  Messages that were read from the log and are
 * told only afterwards are known by their ids.
 *
 * When ids jump somebody has changed the file behind our back.  Then the chat is counted
 * no more, and what is told begins anew behind the gap, which is read when somebody asks.
 *
 * A member's "seen" is the number of the other one's messages when it last left the room,
 * so what is new to it is a difference, and needs no search.  It only rises.
 */
#include <assert.h>
#include <string.h>

#include "server/shared_priv.h"

#define TALLY_EVERY 1024 /* messages at most that are not in the tally's file */
#define READ_AGAIN  64   /* so many are not read twice for a list of chats */

enum tally_member
shared_which(const struct shared_chat *c, const char *user)
{
	return name_cmp(user, c->info.maker) == 0 ? TALLY_MAKER : TALLY_OTHER;
}

/* ---- what is told ---- */

bool
shared_count_locked(struct shared_chat *c, enum tally_member from, uint64_t first,
		    size_t n)
{
	struct tally *t = &c->tally;
	uint64_t last = first + n - 1;

	LOCK_ASSERT_HELD(&c->lock);
	c->told_first = first;
	c->told_n = n;
	c->told_from = from;
	if (first == t->upto + 1 && (c->counted || t->upto > 0)) {
		t->by[from] += n;
		t->upto = last;
		c->tally_changed = true;
	} else if (!c->counted || last > t->upto) {
		c->counted = false;
		c->since = first - 1;
		t->by[from] = n;
		t->by[shared_other(from)] = 0;
		t->upto = last;
	}
	return first / TALLY_EVERY != (last + 1) / TALLY_EVERY;
}

void
shared_see_locked(struct shared_chat *c, enum tally_member m, uint64_t n)
{
	LOCK_ASSERT_HELD(&c->lock);
	if (!c->counted || n <= c->tally.seen[m])
		return;
	c->tally.seen[m] = n;
	c->tally_changed = true;
}

/* ---- what was before ---- */

struct counting {
	const struct shared_chat *chat;
	struct tally file;
	struct tally tally; /* the file's, and what was read since */
	uint64_t end;       /* where to stop reading */
};

static bool
count_one(void *arg, const struct shared_message *m)
{
	struct counting *cg = arg;

	if (m->id > cg->end)
		return false;
	cg->tally.by[shared_which(cg->chat, m->from)]++;
	return true;
}

/* Up to where the log has to be read; false: to its end. */
static bool
known_end(struct shared_chat *c, uint64_t *end)
{
	bool known;

	lock_take(&c->lock);
	if ((known = !c->counted && c->tally.upto > 0))
		*end = c->since;
	lock_drop(&c->lock);
	return known;
}

/* Read on from where the tally ends.  A file that is ahead of the log, or of where this
 * object's messages begin, is not about them (a power cut, a log from a backup). */
static enum qerr
read_on(struct shared_chat *c, struct counting *cg)
{
	struct tally *t = &cg->tally;
	enum qerr e;

	if (!known_end(c, &cg->end) && (e = shared_last(c, &cg->end)) != Q_OK)
		return e;
	if (t->upto > cg->end)
		*t = cg->file;
	if (t->upto > cg->end)
		t->upto = t->by[TALLY_MAKER] = t->by[TALLY_OTHER] = 0;
	if (t->upto == cg->end)
		return Q_OK;
	e = shared_read(c, t->upto, SIZE_MAX, count_one, cg);
	if (e == Q_OK)
		t->upto = cg->end; /* a damaged record is nobody's message */
	return e;
}

static void
set_seen_locked(struct shared_chat *c, const struct tally *read) REQUIRES(c->lock)
{
	struct tally *t = &c->tally;

	LOCK_ASSERT_HELD(&c->lock);
	for (int m = 0; m < TALLY_MEMBERS; m++) {
		uint64_t all = t->by[shared_other((enum tally_member)m)];

		if (t->seen[m] < read->seen[m])
			t->seen[m] = read->seen[m];
		if (t->seen[m] > all)
			t->seen[m] = all;
	}
}

/* False: messages were told that it lacks. */
static bool
put_in_place(struct shared_chat *c, const struct counting *cg)
{
	const struct tally *read = &cg->tally;
	struct tally *t = &c->tally;
	bool all;

	lock_take(&c->lock);
	if ((all = c->counted))
		goto out;
	if ((all = t->upto <= read->upto)) {
		t->upto = read->upto;
		memcpy(t->by, read->by, sizeof(t->by));
	} else if ((all = read->upto == c->since)) {
		for (int m = 0; m < TALLY_MEMBERS; m++)
			t->by[m] += read->by[m];
	}
	if (all) {
		set_seen_locked(c, read);
		c->counted = true;
		c->tally_changed = memcmp(t, &cg->file, sizeof(*t)) != 0;
	}
out:
	lock_drop(&c->lock);
	return all;
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

enum qerr
shared_count(struct shared_chat *c)
{
	struct counting cg = {.chat = c};
	enum qerr e;

	if (is_counted(c))
		return Q_OK;
	e = tally_load(c->shared->server->store, c->info.id, &cg.file);
	if (e != Q_OK && e != Q_MISSING)
		return e;
	cg.tally = cg.file;
	do
		e = read_on(c, &cg);
	while (e == Q_OK && !put_in_place(c, &cg));
	if (e == Q_OK && cg.tally.upto - cg.file.upto >= READ_AGAIN)
		shared_save_soon(c);
	return e;
}

enum qerr
shared_counts(struct shared_chat *c, const char *user, struct shared_count *out)
{
	enum tally_member me = shared_which(c, user);
	struct tally t;
	unsigned in_room;
	bool counted;
	enum qerr e;

	do {
		if ((e = shared_count(c)) != Q_OK)
			return e;
		lock_take(&c->lock);
		t = c->tally;
		counted = c->counted;
		in_room = c->member[me].in_room;
		lock_drop(&c->lock);
	} while (!counted);
	out->all = t.by[TALLY_MAKER] + t.by[TALLY_OTHER];
	out->fresh = in_room > 0 ? 0 : t.by[shared_other(me)] - t.seen[me];
	out->upto = t.upto;
	return Q_OK;
}
