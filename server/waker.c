/* SPDX-License-Identifier: MIT
 *
 * The flag makes ringing cheap: only the first ring since the worker last heard
 * writes to the eventfd, so a busy worker costs its wakers one atomic exchange.
 *
 * No ring is lost.  The worker empties the eventfd, then takes the flag down, then
 * looks; a thread changes something, then puts the flag up.  When the flag was up
 * already, the worker has yet to take it down, and looks after that.  Between a
 * thread's flag and its write the worker may have heard already: then the eventfd
 * wakes it once for nothing.
 */
#include "server/waker.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum qerr
waker_open(struct waker *w)
{
	if (atomic_load(&w->open))
		return Q_OK;
	if ((w->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) == -1)
		return qerr_errno(errno);
	atomic_store(&w->open, true);
	/* Rung before there was an eventfd to write to. */
	if (atomic_load(&w->rung))
		(void)eventfd_write(w->event, 1);
	return Q_OK;
}

void
waker_close(struct waker *w)
{
	if (atomic_exchange(&w->open, false))
		close(w->event);
}

void
waker_ring(struct waker *w)
{
	/* An eventfd that is full wakes as well. */
	if (!atomic_exchange(&w->rung, true) && atomic_load(&w->open))
		(void)eventfd_write(w->event, 1);
}

static void
drain(struct waker *w)
{
	eventfd_t value;

	(void)eventfd_read(w->event, &value);
}

bool
waker_heard(struct waker *w)
{
	if (!atomic_load(&w->rung) || !atomic_load(&w->open))
		return false;
	drain(w);
	return atomic_exchange(&w->rung, false);
}

enum qerr
waker_wait(struct waker *w, int fd, short events)
{
	struct pollfd p[2] = {
	    {.fd = fd, .events = events},
	    {.fd = atomic_load(&w->open) ? w->event : -1, .events = POLLIN}};

	for (;;) {
		if (poll(p, 2, -1) == -1) {
			if (errno != EINTR)
				return qerr_errno(errno);
			continue;
		}
		if (p[1].revents != 0) {
			drain(w);
			if (atomic_exchange(&w->rung, false))
				return Q_SHORT;
		}
		if (p[0].revents != 0)
			return Q_OK;
	}
}
