/* SPDX-License-Identifier: MIT
 *
 * The plain stream: a blocking socket.  Waiting reads are one recv(2) without a
 * poll(2) before, because that second call would be paid for each message; a
 * worker that wants to be woken pays it.
 * Ending a read from outside is shutdown(SHUT_RD): it is remembered by the
 * socket, so it cannot be lost between a check and the recv.
 */
#include "server/stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static enum qerr
plain_read(struct stream *st, void *p, size_t n, enum stream_wait wait, size_t *got)
{
	bool wakeable = atomic_load_explicit(&st->waker.open, memory_order_relaxed);
	bool now = wait == STREAM_NOW || wakeable;
	ssize_t r;
	enum qerr e;

	for (;;) {
		if (wait == STREAM_WAIT && wakeable &&
		    (e = waker_wait(&st->waker, st->fd, POLLIN)) != Q_OK)
			return e;
		r = recv(st->fd, p, n, now ? MSG_DONTWAIT : 0);
		if (r > 0) {
			*got = (size_t)r;
			return Q_OK;
		}
		if (r == 0)
			return Q_CLOSED;
		if (errno == EAGAIN || errno == EWOULDBLOCK) {
			if (wait == STREAM_NOW)
				return Q_FULL;
		} else if (errno != EINTR) {
			return Q_SYS;
		}
	}
}

static enum qerr
plain_write(struct stream *st, const void *p, size_t n, size_t *put)
{
	ssize_t r;

	do
		r = send(st->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (r < 0 && errno == EINTR);
	if (r >= 0) {
		*put = (size_t)r;
		return Q_OK;
	}
	switch (errno) {
	case EAGAIN:
	case ENOBUFS: /* the kernel is short of memory: later */
	case ENOMEM: return Q_FULL;
	case ETIMEDOUT: return Q_TIMEOUT;
	case EPIPE:
	case ECONNRESET: return Q_CLOSED;
	default: return Q_SYS;
	}
}

static void
plain_end_reading(struct stream *st)
{
	/* It fails only when the peer has gone; then reads end by themselves. */
	(void)shutdown(st->fd, SHUT_RD);
}

static void
plain_end_writing(struct stream *st)
{
	(void)shutdown(st->fd, SHUT_WR);
}

static void
plain_free(struct stream *st)
{
	waker_close(&st->waker);
	close(st->fd);
	free(st);
}

static const struct stream_ops plain_ops = {
    .name = "plain",
    .read = plain_read,
    .write = plain_write,
    .end_reading = plain_end_reading,
    .end_writing = plain_end_writing,
    .free = plain_free,
};

/* A peer that vanished without a word is noticed within about a minute, idle or
 * not.  TCP_USER_TIMEOUT also ends connections whose peer keeps its window
 * shut; it is longer than the flusher's patience, so that those normally end as
 * "slow" and not as a mere error. */
void
stream_options(int fd)
{
	static const struct {
		int level, name, value;
	} options[] = {
	    {IPPROTO_TCP, TCP_NODELAY, 1},   {SOL_SOCKET, SO_KEEPALIVE, 1},
	    {IPPROTO_TCP, TCP_KEEPIDLE, 30}, {IPPROTO_TCP, TCP_KEEPINTVL, 10},
	    {IPPROTO_TCP, TCP_KEEPCNT, 3},   {IPPROTO_TCP, TCP_USER_TIMEOUT, 75000},
	};

	/* None of them is needed to serve: a failure (a socket that is not TCP)
	 * is no reason to refuse the connection. */
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		(void)setsockopt(fd, options[i].level, options[i].name, &options[i].value,
				 sizeof(options[i].value));
}

struct stream *
stream_accepted(int fd)
{
	struct stream *st = calloc(1, sizeof(*st));

	if (st == NULL)
		return NULL;
	st->ops = &plain_ops;
	st->fd = fd;
	return st;
}

struct stream *
stream_plain(int fd)
{
	struct stream *st = stream_accepted(fd);

	if (st != NULL)
		stream_options(fd);
	return st;
}
