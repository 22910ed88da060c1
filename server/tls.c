/* SPDX-License-Identifier: MIT
 *
 * The handshake runs on the worker before the session has a protocol: nothing is in its
 * outbox, so nobody but the worker uses the stream, and putting another one around
 * it takes no lock.  Others may shut its reading side at any time; that is a matter of
 * the socket below.
 */
#include "server/tls.h"

#include <errno.h>
#include <poll.h>

#include "server/identity.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/pool.h"
#include "server/server.h"
#include "server/stream_tls.h"
#include "server/worker.h"

#define RECORD_HANDSHAKE 0x16 /* RFC 8446 section 5.1: the type, then version 3.x */
#define VERSION_MAJOR    0x03

enum qerr
tls_recognise(struct span first)
{
	if (first.p[0] != RECORD_HANDSHAKE)
		return Q_FORMAT;
	if (first.len < 2)
		return Q_SHORT;
	return first.p[1] == VERSION_MAJOR ? Q_OK : Q_FORMAT;
}

/* Wait until the socket is ready for events.  False: it never will be, the peer or
 * the deadline has shut it. */
static bool
wait_for(int fd, short events)
{
	struct pollfd p = {.fd = fd, .events = (short)(events | POLLRDHUP)};

	while (poll(&p, 1, -1) == -1)
		if (errno != EINTR)
			return false;
	/* What has come before the end is still to be read. */
	return (p.revents & events) != 0;
}

static const char *
why_not(const struct session *s, const struct tls *t, enum qerr e)
{
	if (e == Q_DENIED)
		return tls_reason(t);
	if (atomic_load(&s->timed_out))
		return "the handshake was not finished in time";
	return e == Q_CLOSED ? "closed during the handshake" : qerr_str(e);
}

struct step {
	struct tls *tls;
	enum qerr e;
};

static void
go_on(void *arg)
{
	struct step *step = arg;

	step->e = tls_handshake(step->tls);
}

/* The cryptography is for the threads that are kept for it, the waiting for us. */
static enum qerr
handshake(struct session *s, struct tls *t)
{
	struct step step = {.tls = t};
	struct pool_job job = {.run = go_on, .arg = &step};
	int fd = s->stream->fd;

	for (;;) {
		pool_start(s->server->crypto, &job);
		pool_wait(&job);
		if (step.e != Q_SHORT && step.e != Q_FULL)
			return step.e;
		if (!wait_for(fd, step.e == Q_FULL ? POLLOUT : POLLIN))
			return Q_CLOSED;
	}
}

enum qerr
tls_begin(struct session *s, struct tls *t)
{
	struct stream *inside;
	enum qerr e = handshake(s, t);

	if (e == Q_OK && (inside = stream_tls(s, t)) != NULL) {
		s->stream = inside;
		metric_add(METRIC_tls_handshakes_total, 1);
		return Q_OK;
	}
	metric_add(METRIC_tls_failures_total, 1);
	log_limited(LOG_INFO, &s->peer, s, "tls-failed", "reason=%s",
		    why_not(s, t, e == Q_OK ? Q_NOMEM : e));
	tls_free(t);
	return e == Q_OK ? Q_NOMEM : e;
}

/* Q_OK: s's stream is what is inside.  The bytes that were looked at belong to TLS. */
static enum qerr
take_off(struct session *s)
{
	struct tls_context *context = identity_tls(s->server->identity);
	struct span first = session_input(s);
	struct tls *t = tls_new(context, s->stream->fd, first);

	tls_context_free(context);
	if (t == NULL)
		return Q_NOMEM;
	session_consume(s, first.len);
	return tls_begin(s, t);
}

static void
serve(struct session *s)
{
	if (take_off(s) == Q_OK)
		session_continue(s, worker_serve);
}

/* Nothing can be said before the protocol inside is known. */
static void
deliver(struct session *s, const struct event *event)
{
	(void)s, (void)event;
}

static void
goodbye(struct session *s, enum goodbye why, const char *text)
{
	(void)s, (void)why, (void)text;
}

static void
release(struct session *s)
{
	(void)s; /* the stream holds all there is */
}

const struct protocol tls_protocol = {
    .name = "tls",
    .recognise = tls_recognise,
    .serve = serve,
    .deliver = deliver,
    .goodbye = goodbye,
    .release = release,
};
