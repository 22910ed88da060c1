/* SPDX-License-Identifier: MIT
 *
 * The flusher keeps a list of the sessions it was given, and has each of them in
 * an epoll set with EPOLLONESHOT: an event is handled once, and the socket is
 * armed again only when something is still left.
 *
 * Only the flusher's own thread takes sessions off the list, so it may walk it
 * and keep an epoll event's pointer without fear: a session that is on the list
 * is referenced by it.  Others only append (under the lock).
 *
 * Once a second it looks at all: for those that take nothing (GOODBYE_SLOW) and
 * for those that somebody else broke.  Entries that epoll had no room for are
 * tried several times a second instead: slower, but nothing is lost.
 */
#include "server/flusher.h"

#include <assert.h>
#include <errno.h>
#include <linux/sockios.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "server/locks.h"
#include "server/log.h"
#include "server/session.h"

#define LOOK_MS    1000 /* between two looks at the whole list */
#define UNARMED_MS 50   /* between two tries without epoll */
#define EVENTS_MAX 64

TAILQ_HEAD(flush_list, session);

struct flusher {
	struct lock lock;
	struct flush_list list; /* [lock] each with a reference */
	size_t unarmed;         /* [lock] of these, not in the epoll set */
	bool look;              /* [lock] look at all now */
	bool stop;              /* [lock] */
	int epoll, wake;        /* wake: an eventfd in the set, as data NULL */
	pthread_t thread;
};

/* ---- the list ---- */

static void
arm_locked(struct flusher *f, struct session *s, int op) REQUIRES(f->lock)
{
	struct epoll_event ev = {.events = EPOLLOUT | EPOLLONESHOT, .data.ptr = s};
	bool failed = epoll_ctl(f->epoll, op, s->stream->fd, &ev) != 0;

	LOCK_ASSERT_HELD(&f->lock);
	if (failed && !s->flushing.unarmed)
		f->unarmed++;
	if (!failed && s->flushing.unarmed)
		f->unarmed--;
	s->flushing.unarmed = failed;
}

static void
wake(struct flusher *f)
{
	/* An eventfd that is full wakes as well. */
	(void)eventfd_write(f->wake, 1);
}

void
flusher_watch(struct flusher *f, struct session *s)
{
	bool first, failed;

	session_ref(s);
	lock_take(&f->lock);
	first = TAILQ_EMPTY(&f->list);
	TAILQ_INSERT_TAIL(&f->list, s, flushing.link);
	s->flushing.unarmed = false;
	arm_locked(f, s, EPOLL_CTL_ADD);
	failed = s->flushing.unarmed;
	lock_drop(&f->lock);
	if (first || failed) /* it may be sleeping without a time-out */
		wake(f);
}

void
flusher_poke(struct flusher *f)
{
	lock_take(&f->lock);
	f->look = true;
	lock_drop(&f->lock);
	wake(f);
}

/* The flusher's thread.  The caller owns the list's reference from here on. */
static void
forget_locked(struct flusher *f, struct session *s) REQUIRES(s->out.lock)
{
	LOCK_ASSERT_HELD(&s->out.lock);
	s->out.in_flusher = false;
	lock_take(&f->lock);
	TAILQ_REMOVE(&f->list, s, flushing.link);
	if (s->flushing.unarmed)
		f->unarmed--;
	/* It fails when epoll had no room for it; then nothing is to be done. */
	(void)epoll_ctl(f->epoll, EPOLL_CTL_DEL, s->stream->fd, NULL);
	lock_drop(&f->lock);
}

/* ---- the work ---- */

/* Write what s's socket takes.  Q_FULL: it stays on the list; otherwise it is
 * off. */
static enum qerr
write_one_locked(struct flusher *f, struct session *s) REQUIRES(s->out.lock)
{
	enum qerr e = outbox_write_locked(&s->out, s->stream);

	if (e == Q_FULL) {
		lock_take(&f->lock);
		arm_locked(f, s, s->flushing.unarmed ? EPOLL_CTL_ADD : EPOLL_CTL_MOD);
		lock_drop(&f->lock);
	} else {
		forget_locked(f, s);
	}
	return e;
}

/* A socket has room again only once a good part of its buffer, which may be megabytes,
 * has gone.  Who takes less than that in all that time takes something nevertheless. */
static void
note_acks_locked(struct session *s) REQUIRES(s->out.lock)
{
	int unacked;

	LOCK_ASSERT_HELD(&s->out.lock);
	if (ioctl(s->stream->fd, SIOCOUTQ, &unacked) != 0)
		return;
	if (unacked < s->out.unacked)
		s->out.progress_ms = clock_mono_ms();
	s->out.unacked = unacked;
}

/* Deal with one session of the list.  ready: its socket has room, or we cannot
 * know.  Otherwise only look whether it is still worth waiting for. */
static void
serve_one(struct flusher *f, struct session *s, bool ready)
{
	enum qerr e = Q_FULL;
	bool slow;

	lock_take(&s->out.lock);
	if (s->out.broken || outbox_waiting_locked(&s->out) == 0) {
		forget_locked(f, s);
		e = Q_OK;
	} else if (ready) {
		e = write_one_locked(f, s);
	}
	if (e == Q_FULL)
		note_acks_locked(s);
	slow = e == Q_TIMEOUT || (e == Q_FULL && clock_mono_ms() - s->out.progress_ms >=
						     s->out.patience_ms);
	lock_drop(&s->out.lock);
	if (slow || e == Q_CLOSED)
		session_end(s, slow ? GOODBYE_SLOW : GOODBYE_SELF, NULL);
	if (e != Q_FULL)
		session_unref(s);
}

/* Walk the list; only_unarmed: those that epoll does not watch. */
static void
look_at_all(struct flusher *f, bool only_unarmed)
{
	struct session *s, *next;
	bool unarmed;

	lock_take(&f->lock);
	for (s = TAILQ_FIRST(&f->list); s != NULL; s = next) {
		next = TAILQ_NEXT(s, flushing.link);
		unarmed = s->flushing.unarmed;
		lock_drop(&f->lock);
		if (unarmed || !only_unarmed)
			serve_one(f, s, unarmed);
		lock_take(&f->lock);
	}
	lock_drop(&f->lock);
}

static void
handle(struct flusher *f, const struct epoll_event *ev, int n)
{
	eventfd_t value;

	for (int i = 0; i < n; i++) {
		if (ev[i].data.ptr == NULL)
			(void)eventfd_read(f->wake, &value); /* plan() sees why */
		else
			serve_one(f, ev[i].data.ptr, true);
	}
}

/* How long to sleep, and whether to go on at all. */
static bool
plan(struct flusher *f, int64_t next_look_ms, int *timeout_ms, bool *look)
{
	bool stop;

	lock_take(&f->lock);
	stop = f->stop;
	*look = f->look;
	f->look = false;
	if (*look)
		*timeout_ms = 0;
	else if (f->unarmed > 0)
		*timeout_ms = UNARMED_MS;
	else
		*timeout_ms = TAILQ_EMPTY(&f->list) ? -1 : clock_left_ms(next_look_ms);
	lock_drop(&f->lock);
	return !stop;
}

static void *
flusher_thread(void *arg)
{
	struct flusher *f = arg;
	struct epoll_event ev[EVENTS_MAX];
	int64_t next_look_ms = clock_mono_ms() + LOOK_MS;
	int timeout_ms, n;
	bool look;

	while (plan(f, next_look_ms, &timeout_ms, &look)) {
		n = epoll_wait(f->epoll, ev, EVENTS_MAX, timeout_ms);
		handle(f, ev, n);
		if (look || clock_left_ms(next_look_ms) == 0) {
			look_at_all(f, false);
			next_look_ms = clock_mono_ms() + LOOK_MS;
		} else if (timeout_ms == UNARMED_MS) {
			look_at_all(f, true);
		}
		outbox_flush_touched();
	}
	return NULL;
}

/* ---- its life ---- */

static void
release(struct flusher *f)
{
	if (f->epoll >= 0)
		close(f->epoll);
	if (f->wake >= 0)
		close(f->wake);
	lock_fini(&f->lock);
	free(f);
}

enum qerr
flusher_new(struct flusher **out)
{
	struct flusher *f = calloc(1, sizeof(*f));
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = NULL};
	enum qerr e = Q_NOMEM;

	if (f == NULL)
		return Q_NOMEM;
	lock_init(&f->lock);
	TAILQ_INIT(&f->list);
	f->epoll = epoll_create1(EPOLL_CLOEXEC);
	f->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (f->epoll < 0 || f->wake < 0 ||
	    epoll_ctl(f->epoll, EPOLL_CTL_ADD, f->wake, &ev) != 0)
		e = qerr_errno(errno);
	else if (pthread_create(&f->thread, NULL, flusher_thread, f) == 0)
		e = Q_OK;
	if (e == Q_OK)
		*out = f;
	else
		release(f);
	return e;
}

void
flusher_free(struct flusher *f)
{
	struct session *s;

	if (f == NULL)
		return;
	lock_take(&f->lock);
	f->stop = true;
	lock_drop(&f->lock);
	wake(f);
	pthread_join(f->thread, NULL);
	/* The thread is gone: its privilege to take sessions off is ours now. */
	while ((s = TAILQ_FIRST(&f->list)) != NULL) {
		lock_take(&s->out.lock);
		forget_locked(f, s);
		lock_drop(&s->out.lock);
		session_unref(s);
	}
	release(f);
}
