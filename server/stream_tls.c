/* SPDX-License-Identifier: MIT
 *
 * OpenSSL wants one thread at a time in a connection.  A lock gives it that, and so
 * whoever has something for a session writes it at once, as with a plain socket: the
 * sender's thread, the flusher, the worker at the end.
 *
 * The other way would be to let the worker alone touch its connection and to wake it
 * for everything that is to be written.  That costs two thread switches for each
 * lone message, and it can stand still: two workers that each wait for room in the
 * other's outbox would write neither.
 *
 * The lock is a leaf (below the outbox) and never held while anybody waits: the socket
 * is read and written without blocking, and the worker waits for it outside.
 */
#include "server/stream_tls.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "base/lock.h"
#include "server/log.h"
#include "server/metrics.h"

struct stream_tls {
	struct stream st;
	struct stream *under;
	const struct session *session; /* whose stream it is; for the log */
	struct lock lock;
	struct tls *tls; /* [lock] */
};

static struct stream_tls *
of(struct stream *st)
{
	return (struct stream_tls *)st;
}

static enum qerr
failed(struct stream_tls *s, const char *reason)
{
	metric_add(METRIC_tls_failures_total, 1);
	log_limited(LOG_INFO, &s->session->peer, s->session, "tls-failed", "reason=%s",
		    reason);
	return Q_CLOSED;
}

/* One try.  look: do not even try when that would only find the socket empty. */
static enum qerr
try_read(struct stream_tls *s, bool look, void *p, size_t n, size_t *got)
{
	const char *reason;
	enum qerr e = Q_SHORT;

	lock_take(&s->lock);
	if (!look || tls_pending(s->tls))
		e = tls_read(s->tls, p, n, got);
	reason = tls_reason(s->tls);
	lock_drop(&s->lock);
	return e == Q_DENIED ? failed(s, reason) : e;
}

static enum qerr
tls_stream_read(struct stream *st, void *p, size_t n, enum stream_wait wait, size_t *got)
{
	struct stream_tls *s = of(st);
	enum qerr e = try_read(s, wait == STREAM_WAIT, p, n, got);

	while (e == Q_SHORT || e == Q_FULL) {
		if (wait == STREAM_NOW)
			return Q_FULL;
		/* Reading may have to write first, when the peer changes its key. */
		e = waker_wait(&st->waker, st->fd, e == Q_FULL ? POLLOUT : POLLIN);
		if (e != Q_OK)
			return e;
		e = try_read(s, false, p, n, got);
	}
	return e;
}

static enum qerr
tls_stream_write(struct stream *st, const void *p, size_t n, size_t *put)
{
	struct stream_tls *s = of(st);
	enum qerr e;

	lock_take(&s->lock);
	e = tls_write(s->tls, p, n, put);
	lock_drop(&s->lock);
	switch (e) {
	/* Without renegotiation, writing never has to read. */
	case Q_SHORT:
	case Q_DENIED: return Q_CLOSED;
	default: return e;
	}
}

static void
tls_stream_end_reading(struct stream *st)
{
	of(st)->under->ops->end_reading(of(st)->under);
}

static void
tls_stream_end_writing(struct stream *st)
{
	struct stream_tls *s = of(st);

	lock_take(&s->lock);
	tls_close(s->tls);
	lock_drop(&s->lock);
	s->under->ops->end_writing(s->under);
}

static void
tls_stream_free(struct stream *st)
{
	struct stream_tls *s = of(st);

	waker_close(&st->waker);
	tls_free(s->tls);
	s->under->ops->free(s->under);
	lock_fini(&s->lock);
	free(s);
}

static const struct stream_ops tls_ops = {
    .name = "tls",
    .sealed = true,
    .read = tls_stream_read,
    .write = tls_stream_write,
    .end_reading = tls_stream_end_reading,
    .end_writing = tls_stream_end_writing,
    .free = tls_stream_free,
};

struct stream *
stream_tls(struct session *s, struct tls *t)
{
	struct stream_tls *new = calloc(1, sizeof(*new));

	if (new == NULL)
		return NULL;
	new->st.ops = &tls_ops;
	new->st.fd = s->stream->fd;
	new->under = s->stream;
	new->session = s;
	new->tls = t;
	lock_init(&new->lock);
	return &new->st;
}

enum qerr
stream_tls_bulk(struct stream *st)
{
	return tls_bulk(of(st)->tls);
}
