/* SPDX-License-Identifier: MIT
 *
 * A post is "in flight" from before its append until it has been told.  The log gives
 * out ids in the order in which appends take effect; threads come back from it in any
 * order.  Each then waits until it is its turn:
 *
 *       file:   | 7 8 9 | 10 | 11 12 13 |          next = 10
 *     flights:            A    B                   C (still in its append)
 *
 * A (10) may tell, B (11 to 13) waits for A, and C need not be waited for, because
 * whatever it gets comes later.  Each waits on its sender's own thread, so the texts that
 * are told need no copy.  Telling puts bytes into outboxes and never blocks, and an
 * append that began ends: so every turn comes.
 *
 * `next` is what makes B not wait for C.  It cannot tell when somebody has changed the
 * file behind our back and ids jumped; then the turn is that of the smallest id, once no
 * append is under way that could get a smaller one.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "server/metrics.h"
#include "server/shared_priv.h"
#include "store/msglog.h"

/* ---- the queue ---- */

/* The first post is preceded by a look at what is written down of the chat, for which
 * others wait. */
static void
look_back_locked(struct shared_chat *c) REQUIRES(c->lock)
{
	LOCK_ASSERT_HELD(&c->lock);
	while (c->looking)
		shared_wait_locked(c);
	if (c->looked)
		return;
	c->looking = true;
	lock_drop(&c->lock);
	if (chats_first_use(c->shared->server->chats, c->info.id))
		shared_look_back(c);
	lock_take(&c->lock);
	c->looking = false;
	c->looked = true;
	shared_wake_locked(c);
}

/* False: the chat was deleted. */
static bool
flight_begin(struct shared_chat *c, struct flight *f)
{
	bool open;

	f->first = 0;
	lock_take(&c->lock);
	look_back_locked(c);
	if ((open = !c->deleted))
		TAILQ_INSERT_TAIL(&c->flights, f, link);
	lock_drop(&c->lock);
	return open;
}

static bool
has_turn_locked(struct shared_chat *c, const struct flight *f) REQUIRES(c->lock)
{
	const struct flight *o;

	LOCK_ASSERT_HELD(&c->lock);
	if (f->first == c->next)
		return true;
	TAILQ_FOREACH (o, &c->flights, link)
		if (o != f && (o->first == 0 || o->first < f->first))
			return false;
	return true;
}

/* The append came back with n ids from first on: wait for the turn.  True: it is time to
 * save the tally. */
static bool
flight_wait_turn(struct shared_chat *c, struct flight *f, enum tally_member from,
		 uint64_t first, size_t n)
{
	bool save;

	lock_take(&c->lock);
	f->first = first;
	shared_wake_locked(c); /* those who had to know what this one would get */
	while (!has_turn_locked(c, f))
		shared_wait_locked(c);
	save = shared_count_locked(c, from, first, n);
	lock_drop(&c->lock);
	return save;
}

/* next: the id behind the last one that was told; 0: nothing was stored. */
static void
flight_end(struct shared_chat *c, struct flight *f, uint64_t next)
{
	lock_take(&c->lock);
	TAILQ_REMOVE(&c->flights, f, link);
	if (next != 0) {
		c->next = next;
		c->told_first = 0;
	}
	shared_wake_locked(c);
	lock_drop(&c->lock);
}

void
shared_flights_end(struct shared_chat *c)
{
	lock_take(&c->lock);
	c->deleted = true;
	while (!TAILQ_EMPTY(&c->flights))
		shared_wait_locked(c);
	lock_drop(&c->lock);
}

/* ---- posting ---- */

/* The posts as the store and as the receivers want them: one piece of memory, records
 * first. */
struct batch {
	struct record *records;
	struct shared_message *messages;
	size_t n;
};

#define MEDIA_PREFIX_SIZE 22 /* 20 digits, a blank, a NUL */
_Static_assert(_Alignof(struct shared_message) <= _Alignof(struct record) &&
		   sizeof(struct record) % _Alignof(struct shared_message) == 0,
	       "messages may lie right behind records");

static enum qerr
batch_alloc(struct batch *b, const struct shared_post *posts, size_t n, char **text)
{
	const size_t each = sizeof(*b->records) + sizeof(*b->messages);
	size_t extra = 0;

	for (size_t i = 0; i < n; i++)
		if (posts[i].media_id != 0) {
			if (posts[i].text.len > RECORD_LINE_MAX)
				return Q_LIMIT;
			extra += MEDIA_PREFIX_SIZE + posts[i].text.len;
		}
	if (n > (SIZE_MAX - extra) / each ||
	    (b->records = malloc(n * each + extra)) == NULL)
		return Q_NOMEM;
	b->messages = (struct shared_message *)(void *)(b->records + n);
	b->n = n;
	*text = (char *)(b->messages + n);
	return Q_OK;
}

static enum qerr
batch_make(struct batch *b, const struct shared_chat *c, const char *from,
	   const struct shared_post *posts, size_t n)
{
	struct record r = {.kind = KIND_TEXT, .text = true};
	struct shared_message m = {.id = 0};
	char *text;
	enum qerr e = batch_alloc(b, posts, n, &text);

	if (e != Q_OK)
		return e;
	strlcpy(m.from, from, sizeof(m.from));
	strlcpy(r.from, from, sizeof(r.from));
	strlcpy(r.to, shared_chat_partner(c, from), sizeof(r.to));
	for (size_t i = 0; i < n; i++) {
		const struct shared_post *p = &posts[i];
		int len;

		m.text = p->text;
		m.media_id = p->media_id;
		m.media = p->media;
		m.image = p->image;
		b->messages[i] = m;
		r.data = p->text;
		b->records[i] = r;
		if (p->media_id == 0)
			continue;
		strlcpy(b->records[i].kind, p->image ? KIND_IMAGE : KIND_MEDIA,
			sizeof(r.kind));
		len = snprintf(text, MEDIA_PREFIX_SIZE, "%" PRIu64 " ", p->media_id);
		if (p->text.len > 0)
			memcpy(text + len, p->text.p, p->text.len);
		b->records[i].data = span_of(text, (size_t)len + p->text.len);
		text += (size_t)len + p->text.len;
	}
	return Q_OK;
}

/* Ids and times, which the append has filled in. */
static void
batch_number(const struct batch *b, struct shared_post *posts)
{
	for (size_t i = 0; i < b->n; i++) {
		posts[i].id = b->messages[i].id = b->records[i].id;
		posts[i].time_ms = b->messages[i].time_ms = b->records[i].time_ms;
	}
}

static void
count(const struct batch *b, enum qerr e)
{
	uint64_t bytes = 0;

	if (e == Q_OK) {
		for (size_t i = 0; i < b->n; i++)
			bytes += b->messages[i].text.len;
		metric_add(METRIC_messages_total, b->n);
		metric_add(METRIC_message_bytes_total, bytes);
	} else if (e != Q_CLOSED) {
		metric_add(METRIC_archive_failures_total, b->n);
	}
}

enum qerr
shared_post(struct shared *sh, struct shared_chat *c, const char *from,
	    struct session *origin, struct shared_post *posts, size_t n)
{
	struct event_slot slot = {NULL, NULL};
	struct event event = {
	    .kind = EVENT_MESSAGES,
	    .chat = c,
	    .count = n,
	    .sender = origin,
	    .slot = &slot,
	};
	struct flight flight;
	struct batch b;
	uint64_t next = 0;
	enum qerr e;

	assert(c->shared == sh);
	if (n == 0)
		return Q_OK;
	if ((e = batch_make(&b, c, from, posts, n)) != Q_OK)
		return e;
	if (!flight_begin(c, &flight)) {
		free(b.records);
		return Q_CLOSED;
	}
	e = msglog_append_rising(c->log, b.records, n);
	if (b.records[0].id != 0) { /* in the file; see shared.h for Q_SYS */
		batch_number(&b, posts);
		if (flight_wait_turn(c, &flight, shared_which(c, from), posts[0].id, n))
			shared_save_soon(c);
		event.messages = b.messages;
		shared_tell(c, NULL, &event);
		next = posts[n - 1].id + 1;
	}
	flight_end(c, &flight, next);
	if (slot.p != NULL)
		slot.drop(slot.p);
	count(&b, e);
	free(b.records);
	return e;
}
