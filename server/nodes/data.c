/* SPDX-License-Identifier: MIT
 *
 * data.c - data connections: 20 20, admission, and bytes from one client to the other.
 *
 * DESIGN.  Each side's worker reads its own connection and writes to the other's, and
 * waits there when the other does not read: that is all the flow control there is, and
 * nothing is buffered but in the kernel.  Bytes travel through a pipe (splice(2)), so
 * they are never copied to us.
 *
 * The end.  A worker that has read the last byte has written it, too; it hangs up, and
 * both writing sides are shut.  So the other client sees the end behind the last byte and
 * closes, and its worker comes out of its read; or that one is stuck in a write to us, and
 * comes out of that.  Only if it does neither is its reading side shut, too (see_off).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/moderation.h"
#include "server/nodes/links.h"
#include "server/nodes/nodes.h"
#include "server/nodes/nodes_session.h"

/* So much of what came over a wire waits for one reader: a D0 is taken while less than
 * this waits, and then it is a mebibyte at most. */
#define WIRE_HELD (1024 * 1024 - NODES_DATA_MAX)
/* How long a 20 20 may come before the 06 or 07 that it belongs to was dealt with. */
#define HOLD_MS    2000
#define PIPE_BYTES (256 * 1024)

void
leg_free(struct leg *leg)
{
	free(leg);
}

/* ---- told by the calls, which are locked ---- */

void
leg_up(struct leg *leg)
{
	struct leg *other = leg->call->data[leg->side == CALLER ? CALLEE : CALLER];

	leg->up = true;
	leg->wire = leg->call->wire;
	if (other != NULL)
		leg->peer = session_ref(other->session);
	/* What came over the wire before us.  There is room for it, but perhaps no memory:
	 * then the worker finds that it is over. */
	if (outbox_put(leg->session, OUTBOX_DATA, buf_span(&leg->call->early)) != Q_OK)
		session_end(leg->session, GOODBYE_SELF, NULL);
	buf_free(&leg->call->early);
	session_wake(leg->session);
	pthread_cond_broadcast(&nodes_changed);
}

void
leg_close(struct leg *leg)
{
	leg->closed = true;
	/* What came over a wire waits in the outbox: the worker sees that it goes. */
	if (leg->wire != NULL)
		session_wake(leg->session);
	else if (leg->peer != NULL)
		(void)shutdown(leg->session->stream->fd, SHUT_WR);
	else
		session_end(leg->session, GOODBYE_SELF, NULL);
	pthread_cond_broadcast(&nodes_changed);
}

void
data_goodbye(struct session *s, enum goodbye why)
{
	struct leg *leg;

	lock_take(&s->out.lock);
	leg = s->state;
	lock_drop(&s->out.lock);
	/* Whoever writes to it comes out. */
	(void)shutdown(s->stream->fd, SHUT_RDWR);
	/* Only an outbox that has a wire behind it can be too full: its worker reads, or
	 * looks now and then, and hangs up. */
	if (why == GOODBYE_SLOW)
		return;
	nodes_begin();
	if (leg->call != NULL)
		calls_break(&nodes_calls, leg->call, NODES_ARG);
	nodes_finish(s->server);
}

/* ---- admission ---- */

/* Has its client closed, or said that nothing more comes? */
static bool
has_given_up(struct session *s)
{
	struct pollfd p = {.fd = s->stream->fd, .events = POLLRDHUP};

	return poll(&p, 1, 0) > 0;
}

/* Find the call that waits for this connection.  user: whose it is.  One that is held, and
 * whose client has given up meanwhile, must not take the place of the one that comes in
 * its stead. */
static bool
join(struct session *s, struct leg *leg, const struct nodes_message *hello,
     char user[NAME_SIZE])
{
	int64_t until_ms = clock_mono_ms() + HOLD_MS;
	bool in_time = true;
	enum qerr e;

	nodes_begin();
	while ((e = calls_join(&nodes_calls, hello->uin, hello->uin2, &s->peer, leg,
			       clock_mono_ms(), &leg->call, &leg->side, NODES_ARG)) ==
		   Q_MISSING &&
	       in_time) {
		in_time = lock_wait(&nodes_calls.lock, &nodes_changed, until_ms);
		if (has_given_up(s))
			break;
	}
	if (e == Q_OK)
		memcpy(user, control_of(leg->call->party[leg->side])->user, NAME_SIZE);
	nodes_finish(s->server);
	return e == Q_OK;
}

/* Before there is a call that could put something. */
static void
set_limits(struct session *s)
{
	lock_take(&s->out.lock);
	s->out.hard += WIRE_HELD - s->out.soft;
	s->out.soft = WIRE_HELD;
	lock_drop(&s->out.lock);
}

/* From here on it is the user's, and can be ended as such. */
static void
become(struct session *s, struct leg *leg, const char *user)
{
	lock_take(&s->out.lock);
	s->state = leg;
	atomic_store(&s->protocol, &nodes_data_protocol);
	lock_drop(&s->out.lock);
	session_deadline(s, 0);
	if (sessions_login(s->server->sessions, s, user, LOGIN_ADD, NULL) != Q_OK ||
	    moderation_holds(s->server->moderation, user, RESTRICTION_MUTE))
		session_end(s, GOODBYE_KICKED, NULL);
}

/* Returns whom it was connected with, a reference, or NULL: that may have been known only
 * since our client has gone. */
static struct session *
hang_up(struct leg *leg)
{
	struct session *s = leg->session, *peer;

	nodes_begin();
	calls_hang_up(&nodes_calls, leg->call, leg->side, NODES_ARG);
	calls_unref(&nodes_calls, leg->call);
	leg->call = NULL;
	peer = leg->peer;
	leg->peer = NULL;
	pthread_cond_broadcast(&nodes_changed);
	nodes_finish(s->server);
	return peer;
}

/* ---- waiting for the other side ---- */

static bool
settled_locked(const struct leg *leg) REQUIRES(nodes_calls.lock)
{
	return leg->up || leg->closed;
}

/* The call is up, or over; with wait, not before. */
static bool
settled(struct leg *leg, bool wait)
{
	bool yes;

	lock_take(&nodes_calls.lock);
	while (wait && !settled_locked(leg))
		(void)lock_wait(&nodes_calls.lock, &nodes_changed, 0);
	yes = settled_locked(leg);
	lock_drop(&nodes_calls.lock);
	return yes;
}

/* Keep what comes until the call is up: so much, then it is not read.  False: it never
 * will be. */
static bool
wait_for_other(struct leg *leg)
{
	enum qerr e = Q_OK;

	while (!settled(leg, e == Q_LIMIT)) {
		e = session_fill(leg->session, CALLS_EARLY_MAX);
		if (e != Q_OK && e != Q_SHORT && e != Q_LIMIT)
			return false;
	}
	return leg->up;
}

/* ---- forwarding ---- */

/* Wait until the other side has taken all. */
static bool
send_all(int to, struct span bytes)
{
	while (bytes.len > 0) {
		ssize_t n = send(to, bytes.p, bytes.len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes = span_of(bytes.p + n, bytes.len - (size_t)n);
	}
	return true;
}

/* All of n bytes from the pipe to a socket. */
static bool
drain_pipe(int pipe, int to, size_t n)
{
	while (n > 0) {
		ssize_t m = splice(pipe, NULL, to, NULL, n, SPLICE_F_MOVE);

		if (m < 0 && errno == EINTR)
			continue;
		if (m <= 0)
			return false;
		n -= (size_t)m;
	}
	return true;
}

static void
pump(int from, int to, const int pipe[2])
{
	ssize_t n;

	do {
		n = splice(from, NULL, pipe[1], NULL, PIPE_BYTES, SPLICE_F_MOVE);
		if (n > 0)
			metric_add(METRIC_message_bytes_total, (uint64_t)n);
	} while ((n > 0 && drain_pipe(pipe[0], to, (size_t)n)) ||
		 (n < 0 && errno == EINTR));
}

bool
leg_is_over(struct leg *leg)
{
	bool over;

	lock_take(&nodes_calls.lock);
	over = leg->closed;
	lock_drop(&nodes_calls.lock);
	return over;
}

static bool
put_peer(struct leg *leg, struct span bytes)
{
	return send_all(leg->peer->stream->fd, bytes);
}

/* Without a pipe: through our own memory, in the session's buffer. */
static void
forward_read(struct leg *leg)
{
	struct session *s = leg->session;
	enum qerr e = Q_OK;

	while ((e == Q_OK || e == Q_SHORT) && !session_ended(s) && !leg_is_over(leg)) {
		struct span in = session_input(s);

		if (in.len > 0 && !put_peer(leg, in))
			return;
		metric_add(METRIC_message_bytes_total, in.len);
		session_consume(s, in.len);
		e = session_fill(s, CALLS_EARLY_MAX);
	}
}

static void
forward_local(struct leg *leg)
{
	struct session *s = leg->session;
	struct span early = session_input(s);
	int pipe[2];

	if (pipe2(pipe, O_CLOEXEC) != 0) {
		forward_read(leg);
		return;
	}
	(void)fcntl(pipe[0], F_SETPIPE_SZ, PIPE_BYTES);
	if (put_peer(leg, early)) {
		session_consume(s, early.len);
		buf_free(&s->in);
		s->in_used = 0;
		pump(s->stream->fd, leg->peer->stream->fd, pipe);
	}
	close(pipe[0]);
	close(pipe[1]);
}

/* The other one has ended.  What it had sent is delivered for as long as ours reads: no
 * more is taken, so there is room when nothing waits any more. */
static void
deliver_rest(struct session *s)
{
	struct outbox *o = &s->out;
	uint64_t before, now = 0;
	enum qerr e;

	lock_take(&o->lock);
	o->soft = 1;
	lock_drop(&o->lock);
	do {
		before = now;
		outbox_flush_touched();
		e = outbox_wait_room(s, clock_mono_ms() + config_now()->drain_ms);
		lock_take(&o->lock);
		now = o->written;
		lock_drop(&o->lock);
	} while (e == Q_TIMEOUT && now > before);
}

static void
forward(struct leg *leg)
{
	if (leg->peer != NULL) {
		forward_local(leg);
		return;
	}
	links_forward(leg);
	if (leg_is_over(leg) && !session_ended(leg->session))
		deliver_rest(leg->session);
}

static bool
is_gone(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0 ||
	       info.tcpi_state == TCP_CLOSE;
}

/* Drop what has come.  True: its end has, too. */
static bool
drop_input(int fd)
{
	uint8_t scrap[4096];
	ssize_t n = 1;

	for (int i = 0; i < 256 && n > 0; i++)
		n = recv(fd, scrap, sizeof(scrap), MSG_DONTWAIT);
	return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

/* Bytes that its client's kernel has not got yet. */
static int
under_way(int fd)
{
	int left = 0;

	return is_gone(fd) || ioctl(fd, SIOCOUTQ, &left) != 0 ? 0 : left;
}

/* Has the client of s, which has been told the end, closed as well?  When our reading
 * side was shut that cannot be seen, and bytes that come behind a FIN of ours make the
 * kernel reset the connection: then there must be none before all has arrived. */
static bool
has_left(struct session *s)
{
	int fd = s->stream->fd;
	bool ended = drop_input(fd);

	if (atomic_load(&s->ending) != GOODBYE_SELF)
		return true;
	return atomic_load(&s->deaf) ? under_way(fd) == 0 : ended || is_gone(fd);
}

/* Closing a socket that has unread bytes resets it, and what its client has not got yet
 * would be lost.  So each of the two is told the end behind its last byte, and what it
 * still says is dropped until it closes, too.  Who neither does that nor takes anything
 * for a while is not waited for. */
static void
see_off(struct session *s, struct session *peer)
{
	int left, before = INT_MAX;
	int64_t until_ms = 0;

	if (!atomic_load(&s->deaf))
		(void)shutdown(s->stream->fd, SHUT_WR);
	do {
		if (has_left(s) && (peer == NULL || session_ended(peer)))
			return;
		left = under_way(s->stream->fd);
		if (peer != NULL)
			left += under_way(peer->stream->fd);
		if (left < before)
			until_ms = clock_mono_ms() + config_now()->drain_ms;
		before = left;
		(void)poll(NULL, 0, 5);
	} while (clock_left_ms(until_ms) > 0);
	if (peer != NULL)
		session_end(peer, GOODBYE_SELF, NULL);
}

/* ---- the life of one ---- */

/* The ten bytes.  False: they did not come. */
static bool
read_hello(struct session *s, struct nodes_message *out)
{
	enum qerr e;

	while ((e = nodes_next(session_input(s), NODES_OPENER, out)) == Q_SHORT)
		if (session_fill(s, CALLS_EARLY_MAX) != Q_OK)
			return false;
	if (e == Q_OK)
		session_consume(s, out->total);
	return e == Q_OK;
}

void
data_serve(struct session *s)
{
	struct nodes_message hello;
	char user[NAME_SIZE];
	struct session *peer;
	struct leg *leg;

	if (!read_hello(s, &hello) || session_wakeable(s) != Q_OK ||
	    (leg = calloc(1, sizeof(*leg))) == NULL)
		return;
	leg->session = s;
	set_limits(s);
	if (!join(s, leg, &hello, user)) {
		log_limited(LOG_INFO, &s->peer, s, "data-refused",
			    "reason=no call waits for it");
		leg_free(leg);
		return;
	}
	become(s, leg, user);
	log_event(LOG_DEBUG, s, "data", "caller=%u callee=%u", hello.uin, hello.uin2);
	if (wait_for_other(leg))
		forward(leg);
	session_end(s, GOODBYE_SELF, NULL);
	peer = hang_up(leg);
	see_off(s, peer);
	session_unref(peer);
}
