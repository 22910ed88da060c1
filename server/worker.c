/* SPDX-License-Identifier: MIT
 *
 * Workers are detached: nobody joins thousands of threads.  They are counted
 * instead, and the one who stops the server waits for the count to reach zero.
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
 * deepest callers are RSA and X.509 code during handshakes, with some 20 KiB.
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

/* No protocol needs more to be recognised. */
#define FIRST_BYTES_MAX 2048
/* Bytes of stack below trim_stack's frame that it still needs itself. */
#define FRAME_BELOW 512
/* How long, and for how much, an ended connection is still listened to. */
#define LINGER_MS  1000
#define LINGER_MAX (256 * 1024)

static struct {
	struct lock lock;
	pthread_cond_t none; /* on the monotonic clock, made by the first worker */
	bool ready;          /* [lock] none is made */
	size_t count;        /* [lock] */
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
 * they fit none, or did not come. */
static const struct protocol *
recognise(struct session *s)
{
	const struct protocol *p;
	enum qerr e;

	session_deadline(s, clock_mono_ms() + config_now()->handshake_timeout_ms);
	do {
		e = session_fill(s, FIRST_BYTES_MAX);
		if (e == Q_OK)
			e = protocol_recognise(session_input(s), &p);
	} while (e == Q_SHORT);
	if (e == Q_OK)
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

static void
count(int change)
{
	lock_take(&workers.lock);
	if (!workers.ready) {
		lock_cond_init(&workers.none);
		workers.ready = true;
	}
	if (change > 0)
		workers.count++;
	else if (--workers.count == 0)
		pthread_cond_broadcast(&workers.none);
	lock_drop(&workers.lock);
}

/* ---- the threads of a worker ----
 *
 * A session's life has parts, s->then being the next one: begin, and what a
 * protocol hands to session_continue.  Each part gets a thread of its own. */

static void
begin(struct session *s)
{
	const struct protocol *p = recognise(s);

	if (p == NULL)
		return;
	atomic_store(&s->protocol, p);
	p->serve(s);
}

/* Give the kernel back the pages of a stack that glibc has kept from a thread that
 * went deeper than this one will. */
static void
trim_stack(void)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), low, high;
	pthread_attr_t attr;
	void *stack;
	size_t size, guard;

	if (pthread_getattr_np(pthread_self(), &attr) != 0)
		return;
	if (pthread_attr_getstack(&attr, &stack, &size) == 0 &&
	    pthread_attr_getguardsize(&attr, &guard) == 0) {
		low = (uintptr_t)stack + guard;
		high =
		    ((uintptr_t)__builtin_frame_address(0) - FRAME_BELOW) & ~(page - 1);
		if (low < high)
			(void)madvise((void *)low, high - low, MADV_DONTNEED);
	}
	pthread_attr_destroy(&attr);
}

static enum qerr start_thread(struct session *s);

static void *
worker_main(void *arg)
{
	struct session *s = arg;
	bool handed_over = false;

	session_adopt(s);
	trim_stack();
	/* Once handed over, s is the other thread's: look at that first. */
	while (!handed_over && s->then != NULL) {
		void (*part)(struct session *) = s->then;

		s->then = NULL;
		part(s);
		outbox_flush_touched();
		handed_over = s->then != NULL && start_thread(s) == Q_OK;
	}
	if (!handed_over) {
		finish(s);
		session_unref(s);
	}
	/* Before the count, so that nobody ends the process meanwhile. */
	crypto_thread_idle();
	count(-1);
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
	count(1);
	rc = pthread_attr_setstacksize(&attr, STACK_SIZE);
	if (rc == 0)
		rc = pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (rc == 0)
		rc = pthread_create(&thread, &attr, worker_main, s);
	pthread_attr_destroy(&attr);
	if (rc == 0)
		return Q_OK;
	count(-1);
	return Q_NOMEM;
}

enum qerr
worker_start(struct session *s)
{
	s->then = begin;
	return start_thread(s);
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
	while (in_time && workers.count > 0)
		in_time = lock_wait(&workers.lock, &workers.none, deadline_ms);
	none = workers.count == 0;
	lock_drop(&workers.lock);
	return none;
}
