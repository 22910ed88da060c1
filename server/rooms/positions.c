/* SPDX-License-Identifier: MIT
 *
 * positions.c - what has arrived.
 *
 * An event was had when the peer's TCP has acknowledged its last byte (the page asks for
 * less: that the bytes were written).  Connections to which something was sent stand on a
 * list; once a second one thread looks at them, moves positions in the store, which are in
 * memory, and leaves those on the list of which something is still on its way.  So a
 * thousand members cost no timer and no thread switch.
 *
 * A client that counts by hand says SEEN right behind AUTH_TOKEN.  So nothing that was sent
 * to a connection counts as had in its first moments, unless it has said all that it had to
 * say: whoever looks may come between the two.
 *
 * Farewells are in the store's journal: what one look finds heard is written as one record
 * a room.
 */
#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "server/log.h"
#include "server/rooms/deliver.h"

#define YOUNG_MS 3000
#define LOOK_MS  20 /* how often one who waits for another's decision looks */

static struct {
	struct lock lock;
	TAILQ_HEAD(inbox_list, rooms_inbox) list; /* [lock] */
} settling = {LOCK_INIT, TAILQ_HEAD_INITIALIZER(settling.list)};

void
rooms_settle_soon_locked(struct session *s)
{
	struct rooms_inbox *in = ((struct rooms_session *)s->state)->inbox;

	LOCK_ASSERT_HELD(&s->out.lock);
	/* Mostly it is.  Whoever takes it off looks at the connection afterwards, with
	 * the outbox lock, so it will see what was put there in this hold. */
	if (atomic_load_explicit(&in->listed, memory_order_relaxed))
		return;
	lock_take(&settling.lock);
	if (!in->listed) {
		in->listed = true;
		TAILQ_INSERT_TAIL(&settling.list, in, link);
	}
	lock_drop(&settling.lock);
}

static void
unlist(struct rooms_inbox *in)
{
	lock_take(&settling.lock);
	if (in->listed)
		TAILQ_REMOVE(&settling.list, in, link);
	in->listed = false;
	lock_drop(&settling.lock);
}

/* ---- one connection ---- */

/* Somebody has heard the last word about a room. */
struct heard {
	struct uuid room;
	uint64_t seq;
	char user[NAME_SIZE];
};

struct heards {
	struct heard *p;
	size_t n, cap;
};

struct point {
	struct uuid room;
	uint64_t seq;
};

/* Without memory for it a farewell comes again. */
static void
note_heard(struct heards *h, const struct rooms_inbox_farewell *f, const char *user)
{
	if (h->n == h->cap) {
		size_t cap = h->cap == 0 ? 16 : 2 * h->cap;
		struct heard *p = reallocarray(h->p, cap, sizeof(*p));

		if (p == NULL)
			return;
		h->p = p;
		h->cap = cap;
	}
	h->p[h->n] = (struct heard){f->room, f->seq, ""};
	memcpy(h->p[h->n++].user, user, strnlen(user, NAME_MAX_LEN) + 1);
}

/* What has arrived since the last look when so many bytes have; malloc'ed points, at most
 * all rooms. */
static struct point *
arrived_locked(struct rooms_session *rs, uint64_t bytes, struct heards *h, size_t *count)
{
	struct rooms_inbox *in = rs->inbox;
	struct point *p = NULL;
	uint64_t upto;
	size_t n = 0;

	for (size_t i = 0; i < in->n_farewells; i++) {
		struct rooms_inbox_farewell *f = &in->farewells[i];

		if (!f->had && f->end <= bytes) {
			f->had = true;
			note_heard(h, f, rs->user);
		}
	}
	if (!in->by_hand && in->n > 0)
		p = calloc(in->n, sizeof(*p));
	for (size_t i = 0; p != NULL && i < in->n; i++)
		if ((upto = rooms_inbox_acked(&in->rooms[i], bytes)) != 0)
			p[n++] = (struct point){in->rooms[i].id, upto};
	*count = n;
	return p;
}

/* May a first SEEN still come? */
static bool
young_locked(const struct rooms_inbox *in)
{
	return !in->by_hand && clock_mono_ms() < in->since_ms + YOUNG_MS;
}

/* Look at one connection, and again later while something is on its way.  One that is
 * away is on no list: the session may be about to go.  written: what the socket has
 * taken counts. */
static void
settle(struct rooms_session *rs, bool written, struct heards *h)
{
	struct session *s = rs->session;
	struct point *p;
	size_t n;

	lock_take(&s->out.lock);
	/* Its login has just failed; or its worker has found what arrived; or it has come
	 * while the caller waited for others. */
	if (rs->inbox == NULL || (written && (rs->inbox->phase == ROOMS_INBOX_AWAY ||
					      young_locked(rs->inbox)))) {
		lock_drop(&s->out.lock);
		return;
	}
	p = arrived_locked(rs, written ? s->out.written : outbox_acked_locked(s), h, &n);
	if (rs->inbox->phase != ROOMS_INBOX_AWAY && rooms_inbox_unsettled(rs->inbox))
		rooms_settle_soon_locked(s);
	lock_drop(&s->out.lock);
	/* Not a member any more: never mind. */
	for (size_t i = 0; i < n; i++)
		(void)rooms_seen(s->server->rooms, &p[i].room, rs->user, p[i].seq);
	free(p);
}

/* ---- farewells ---- */

static int
by_room(const void *a, const void *b)
{
	const struct heard *x = a, *y = b;
	int order = uuid_cmp(&x->room, &y->room);

	return order != 0 ? order : (x->seq > y->seq) - (x->seq < y->seq);
}

static void
write_heard(struct server *server, struct heards *h)
{
	const char **users = calloc(h->n + 1, sizeof(*users));
	size_t end;
	enum qerr e;

	if (h->n > 1)
		qsort(h->p, h->n, sizeof(*h->p), by_room);
	for (size_t i = 0; users != NULL && i < h->n; i = end) {
		for (end = i; end < h->n && by_room(&h->p[end], &h->p[i]) == 0; end++)
			users[end - i] = h->p[end].user;
		e = rooms_farewell_told(server->rooms, &h->p[i].room, h->p[i].seq, users,
					end - i);
		if (e != Q_OK)
			log_limited(LOG_WARN, NULL, NULL, "farewell-unsaved", "error=%s",
				    qerr_str(e));
	}
	free(users);
	free(h->p);
}

/* ---- all ---- */

static struct session *
next_listed(size_t *left)
{
	struct rooms_inbox *in;
	struct session *s = NULL;

	lock_take(&settling.lock);
	if (*left > 0 && (in = TAILQ_FIRST(&settling.list)) != NULL) {
		--*left;
		TAILQ_REMOVE(&settling.list, in, link);
		in->listed = false;
		s = session_ref(in->session);
	}
	lock_drop(&settling.lock);
	return s;
}

static bool
put_off(struct rooms_session *rs)
{
	struct session *s = rs->session;
	bool young;

	lock_take(&s->out.lock);
	/* Its login may just have failed. */
	young = rs->inbox != NULL && rs->inbox->phase != ROOMS_INBOX_AWAY &&
		young_locked(rs->inbox);
	if (young)
		rooms_settle_soon_locked(s);
	lock_drop(&s->out.lock);
	return young;
}

void
rooms_settle_all(struct server *server)
{
	struct heards h = {NULL, 0, 0};
	struct rooms_inbox *in;
	struct session *s;
	size_t left = 0;

	lock_take(&settling.lock);
	TAILQ_FOREACH (in, &settling.list, link)
		left++;
	lock_drop(&settling.lock);
	while ((s = next_listed(&left)) != NULL) {
		if (!put_off(s->state))
			settle(s->state, false, &h);
		session_unref(s);
	}
	write_heard(server, &h);
}

/* A SEEN may not have been read of one that was ended while it was young, by somebody else
 * or because nothing could be written to it any more. */
static void
decide_at_end(struct rooms_session *rs)
{
	struct session *s = rs->session;

	lock_take(&s->out.lock);
	if ((atomic_load(&s->deaf) || s->out.broken) && young_locked(rs->inbox))
		rs->inbox->by_hand = true;
	lock_drop(&s->out.lock);
}

void
rooms_settle_last(struct rooms_session *rs, bool may_block)
{
	struct heards h = {NULL, 0, 0};

	unlist(rs->inbox);
	decide_at_end(rs);
	settle(rs, false, &h);
	if (may_block)
		write_heard(rs->session->server, &h);
	else
		free(h.p);
}

/* What was written before the first SEEN is not counted with it: a client that says SEEN as
 * soon as it is logged in has seen nothing yet, and what comes twice it can tell. */
void
rooms_by_hand(struct rooms_session *rs)
{
	struct session *s = rs->session;

	lock_take(&s->out.lock);
	rs->inbox->by_hand = true;
	lock_drop(&s->out.lock);
}

static void
settle_other(void *arg, struct session *s)
{
	settle(s->state, true, arg);
}

/* Was something sent to it of which only a first SEEN will tell whether it counts? */
static void
look_at_other(void *arg, struct session *s)
{
	const struct rooms_session *rs = s->state;
	bool *undecided = arg;

	lock_take(&s->out.lock);
	if (rs->inbox != NULL && rs->inbox->phase != ROOMS_INBOX_AWAY &&
	    young_locked(rs->inbox) && rooms_inbox_unsettled(rs->inbox))
		*undecided = true;
	lock_drop(&s->out.lock);
}

/* Mostly nobody is undecided; else it takes a moment, and YOUNG_MS at the most. */
static void
wait_decided(struct session *s, const char *user)
{
	int64_t until_ms = clock_mono_ms() + YOUNG_MS;
	bool undecided;

	for (;;) {
		undecided = false;
		rooms_each_session(s->server, user, look_at_other, &undecided);
		if (!undecided || session_ended(s) || clock_mono_ms() >= until_ms)
			return;
		outbox_flush_touched();
		(void)poll(NULL, 0, LOOK_MS);
	}
}

void
rooms_settle_user(struct rooms_session *rs)
{
	struct server *server = rs->session->server;
	struct heards h = {NULL, 0, 0};

	wait_decided(rs->session, rs->user);
	rooms_each_session(server, rs->user, settle_other, &h);
	write_heard(server, &h);
}
