/* SPDX-License-Identifier: MIT
 *
 * Workers are detached: nobody joins thousands of threads.  They are counted
 * instead, and the one who stops the server waits for the counts to reach zero.
 *
 * A thread whose session has ended waits a while for the next one: making a thread
 * costs more than a short visit's other work.  What a worker does is kept shallow,
 * because thousands of them are idle at any time: handshakes and password hashes, which
 * would fill its stack, libcrypto's state and malloc's cache for the thread, are done by
 * the threads of a pool (pool.h) while it waits; and what a login has touched of its
 * stack besides is given back to the kernel (session_continue).  malloc's cache cannot be
 * given back, and after packets of JSON and what it takes to hear of a user it holds as
 * much as the session itself: such a session goes on in a fresh thread (session_rest), and
 * the one that has let it in waits for the next.
 */
#include "server/worker.h"

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/lock.h"
#include "crypto/random.h"
#include "server/config.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/protocol.h"
#include "server/server.h"

/* What a worker's stack may take, nearly all of it address space only: the
 * deepest callers are a TLS record's cryptography and the parsing of a key.
 * Sanitizers make frames several times larger. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#	define STACK_SIZE (1024 * 1024)
#elif defined(__has_feature)
#	if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#		define STACK_SIZE (1024 * 1024)
#	endif
#endif
#ifndef STACK_SIZE
#	define STACK_SIZE (128 * 1024)
#endif
/* How far below serve's frame a session touches the stack while it is idle: session_fill
 * reads into some 1.5 KiB of it. */
#define IDLE_DEPTH 2048

/* No protocol needs more to be recognised. */
#define FIRST_BYTES_MAX 2048
/* How long, and for how much, an ended connection is still listened to. */
#define LINGER_MS  1000
#define LINGER_MAX (256 * 1024)

/* How many threads wait for a connection at most, and how long. */
#define SPARE_MAX 8
#define SPARE_MS  10000

static struct {
	struct lock lock;
	pthread_cond_t none; /* on the monotonic clock, made by the first worker */
	bool ready;          /* [lock] the conditions are made */
	bool closing;        /* [lock] spare threads are to end */
	size_t count;        /* [lock] sessions that have a worker */
	size_t threads;      /* [lock] workers and spare threads */
	struct spare {
		bool taken;              /* [lock] a thread waits here */
		struct session *session; /* [lock] what it shall serve */
		pthread_cond_t given;
	} spares[SPARE_MAX];
} workers = {.lock = LOCK_INIT};

/* ---- first bytes ---- */

static void
unrecognised(struct session *s)
{
	metric_add(METRIC_unrecognised_total, 1);
	log_limited(LOG_INFO, &s->peer, s, "unrecognised", "bytes=%zu",
		    session_input(s).len);
}

/* Wait until the first bytes say which protocol it is, consuming nothing.  NULL:
 * they fit none, or did not come.  The row that has just taken itself off is none:
 * nobody speaks TLS inside TLS. */
static const struct protocol *
recognise(struct session *s)
{
	const struct protocol *p;
	enum qerr e;

	do {
		e = session_fill(s, FIRST_BYTES_MAX);
		if (e == Q_OK)
			e = protocol_recognise(session_input(s), &p);
	} while (e == Q_SHORT);
	if (e == Q_OK && p != atomic_load(&s->protocol))
		return p;
	/* Somebody who comes and goes without a byte has looked whether the port
	 * is open: that is worth no line. */
	if (e != Q_CLOSED || session_input(s).len > 0)
		unrecognised(s);
	return NULL;
}

/* ---- the end ---- */

/* Drop what has come; false once there is nothing more to expect: the peer has
 * closed its side or sends without end. */
static bool
swallow(int fd, size_t *total)
{
	char scrap[512];
	ssize_t n;

	do
		n = recv(fd, scrap, sizeof(scrap), MSG_DONTWAIT);
	while (n > 0 && (*total += (size_t)n) < LINGER_MAX);
	return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

/* Has the peer's kernel acknowledged all that we sent? */
static bool
arrived(int fd)
{
	int unacknowledged = 0;

	return ioctl(fd, SIOCOUTQ, &unacknowledged) != 0 || unacknowledged == 0;
}

/* Closing a socket with unread bytes makes the kernel send a reset, which may
 * overtake our last words in the peer's kernel and destroy them.  So read on for a
 * little while, until the peer closes too.  Once the reading side was shut its end
 * cannot be seen: then wait until its kernel has our words. */
static void
linger(struct session *s)
{
	int64_t until_ms = clock_mono_ms() + LINGER_MS;
	struct pollfd p = {.fd = s->stream->fd, .events = POLLIN};
	bool deaf = atomic_load(&s->deaf);
	size_t total = 0;
	int left;

	while ((left = clock_left_ms(until_ms)) > 0) {
		bool more = swallow(p.fd, &total);

		if (deaf ? arrived(p.fd) : !more)
			return;
		/* Deaf, the socket is always readable: look again soon. */
		(void)poll(&p, deaf ? 0 : 1, deaf && left > 10 ? 10 : left);
	}
}

/* Say goodbye properly, within bounds, and leave the table. */
static void
finish(struct session *s)
{
	struct sessions *t = s->server->sessions;
	int64_t now = clock_mono_ms();
	bool slow;

	session_end(s, GOODBYE_SELF, NULL); /* unless somebody has done so already */
	slow = atomic_load(&s->ending) == GOODBYE_SLOW;
	session_deadline(s, 0);
	sessions_logout(t, s);
	if (outbox_drain(s, slow ? now : now + config_now()->drain_ms) == Q_OK) {
		s->stream->ops->end_writing(s->stream);
		linger(s);
	}
	sessions_remove(t, s);
	outbox_flush_touched();
}

/* ---- counting ---- */

static void
count(int sessions, int threads)
{
	lock_take(&workers.lock);
	if (!workers.ready) {
		lock_cond_init(&workers.none);
		for (size_t i = 0; i < SPARE_MAX; i++)
			lock_cond_init(&workers.spares[i].given);
		workers.ready = true;
	}
	workers.count += (size_t)sessions;
	workers.threads += (size_t)threads;
	if (workers.threads == 0)
		pthread_cond_broadcast(&workers.none);
	lock_drop(&workers.lock);
}

/* ---- spare threads ---- */

/* The first place that is free or, to be given a session, waits for one: so the
 * thread that has waited least is likely to go first. */
static struct spare *
spare_find_locked(bool waiting) REQUIRES(workers.lock)
{
	for (size_t i = 0; i < SPARE_MAX; i++) {
		struct spare *p = &workers.spares[i];

		if (p->taken == waiting && p->session == NULL)
			return p;
	}
	return NULL;
}

/* Wait for another session to begin.  NULL: this thread is not wanted. */
static struct session *
spare_wait(void)
{
	int64_t until_ms = clock_mono_ms() + SPARE_MS;
	struct session *s = NULL;
	struct spare *place;
	bool in_time = true;

	lock_take(&workers.lock);
	if ((place = spare_find_locked(false)) != NULL) {
		place->taken = true;
		while (place->session == NULL && in_time && !workers.closing)
			in_time = lock_wait(&workers.lock, &place->given, until_ms);
		s = place->session;
		place->session = NULL;
		place->taken = false;
	}
	lock_drop(&workers.lock);
	return s;
}

/* Give s to a thread that waits; false when there is none.  The signal comes after
 * the lock, or the other thread would run into it. */
static bool
spare_give(struct session *s)
{
	struct spare *place;

	lock_take(&workers.lock);
	if ((place = spare_find_locked(true)) != NULL)
		place->session = s;
	lock_drop(&workers.lock);
	if (place != NULL)
		pthread_cond_signal(&place->given);
	return place != NULL;
}

/* ---- the thread ---- */

void
worker_serve(struct session *s)
{
	const struct protocol *p = recognise(s);

	if (p == NULL)
		return;
	atomic_store(&s->protocol, p);
	p->serve(s);
}

/* Of a session that we have dialled it is known what is spoken. */
static void
begin(struct session *s)
{
	const struct protocol *p = atomic_load(&s->protocol);

	session_deadline(s, clock_mono_ms() + config_now()->handshake_timeout_ms);
	if (p != NULL)
		p->serve(s);
	else
		worker_serve(s);
}

/* Give the kernel back what lies below high in this thread's stack. */
static void
drop_below(uintptr_t high)
{
	pthread_attr_t attr;
	void *stack;
	size_t size, guard;

	if (pthread_getattr_np(pthread_self(), &attr) != 0)
		return;
	if (pthread_attr_getstack(&attr, &stack, &size) == 0 &&
	    pthread_attr_getguardsize(&attr, &guard) == 0) {
		uintptr_t low = (uintptr_t)stack + guard;

		if (low < high)
			(void)madvise((void *)low, high - low, MADV_DONTNEED);
	}
	pthread_attr_destroy(&attr);
}

/* The C library keeps the stack for the next thread, and with it 16 KiB of what this one
 * has touched.  What is being executed needs less than an idle session. */
static void
leave_stack(void)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);

	drop_below((here - IDLE_DEPTH) & ~(page - 1));
}

/* Give back the pages of the stack that an idle session will not touch.  Asking first
 * is cheap; to drop pages interrupts all processors. */
static void
trim_stack(void)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	uintptr_t high = (here - IDLE_DEPTH) & ~(page - 1);
	unsigned char there;

	if (mincore((void *)(high - page), page, &there) != 0 || there != 0)
		drop_below(high);
}

static enum qerr start_thread(struct session *s);

/* Let another thread serve s from here on.  False: there is none. */
static bool
hand_over(struct session *s)
{
	if (!s->rests)
		return false;
	s->rests = false;
	session_adopt(NULL);
	if (start_thread(s) == Q_OK)
		return true;
	session_adopt(s);
	return false;
}

/* A session's life has parts, s->then being the next one: begin, and what a protocol
 * hands to session_continue. */
static void
serve(struct session *s)
{
	session_adopt(s);
	while (s->then != NULL) {
		void (*part)(struct session *) = s->then;

		s->then = NULL;
		part(s);
		outbox_flush_touched();
		if (s->then == NULL)
			break;
		if (hand_over(s))
			return;
		trim_stack();
	}
	finish(s);
	session_unref(s);
	session_adopt(NULL);
	count(-1, 0);
}

static void *
worker_main(void *arg)
{
	struct session *s = arg;

	do
		serve(s);
	while ((s = spare_wait()) != NULL);
	leave_stack();
	/* Before the count, so that nobody ends the process meanwhile. */
	crypto_thread_idle();
	count(0, -1);
	return NULL;
}

static enum qerr
start_thread(struct session *s)
{
	pthread_attr_t attr;
	pthread_t thread;
	int rc;

	if (pthread_attr_init(&attr) != 0)
		return Q_NOMEM;
	count(0, 1);
	rc = pthread_attr_setstacksize(&attr, STACK_SIZE);
	if (rc == 0)
		rc = pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (rc == 0)
		rc = pthread_create(&thread, &attr, worker_main, s);
	pthread_attr_destroy(&attr);
	if (rc == 0)
		return Q_OK;
	count(0, -1);
	return Q_NOMEM;
}

enum qerr
worker_start(struct session *s)
{
	count(1, 0);
	s->then = begin;
	if (spare_give(s) || start_thread(s) == Q_OK)
		return Q_OK;
	count(-1, 0);
	return Q_NOMEM;
}

size_t
workers_count(void)
{
	size_t n;

	lock_take(&workers.lock);
	n = workers.count;
	lock_drop(&workers.lock);
	return n;
}

bool
workers_wait(int64_t deadline_ms)
{
	bool in_time = true, none;

	lock_take(&workers.lock);
	workers.closing = true;
	for (size_t i = 0; i < SPARE_MAX && workers.ready; i++)
		pthread_cond_signal(&workers.spares[i].given);
	while (in_time && workers.threads > 0)
		in_time = lock_wait(&workers.lock, &workers.none, deadline_ms);
	workers.closing = false;
	none = workers.threads == 0;
	lock_drop(&workers.lock);
	return none;
}
