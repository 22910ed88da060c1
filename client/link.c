/* SPDX-License-Identifier: MIT
 *
 * Addresses are tried one after the other, each with its share of the time that
 * is left, so that a dead one cannot use up the chances of the others.
 */
#include "client/link.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "client/link_tls.h"
#include "client/link_watch.h"
#include "client/link_ws.h"

#define READ_PIECE 65536

struct link {
	char name[TARGET_TEXT_SIZE];
	struct addrinfo *addresses;
	struct addrinfo *next;   /* to be tried when the present one fails */
	int64_t deadline_ms;     /* for all of them */
	int64_t try_deadline_ms; /* for the present one */
	int fd;
	bool connected; /* TCP is */
	bool through;   /* and TLS, if that is wanted */
	bool up;        /* and WebSocket, if that is */
	enum link_security security;
	const struct cert *ca;
	struct link_tls *tls; /* once connected; NULL: in the clear */
	bool finish;          /* link_finish was called */
	bool finished;        /* and the server has been told */
	struct link_watch watch;
	int64_t watch_ms; /* when to look; 0: nothing is under way */
	struct buf in, out;
	const char *path;           /* where WebSocket is spoken; NULL: it is not */
	struct link_ws *ws;         /* once through */
	struct buf raw_in, raw_out; /* frames, on their way between it and the socket */
	struct link_mutual mutual;  /* LINK_MUTUAL */
	uint8_t answer[LINK_ANSWER_LEN];
	size_t answer_got;
};

/* A dead server is noticed within 11 seconds although nobody types; messages do
 * not wait for each other, and not behind megabytes of a file in the kernel.  None of
 * this can be refused for a reason that matters. */
static void
tune(int fd)
{
	static const struct {
		int level, name, value;
	} options[] = {
	    {IPPROTO_TCP, TCP_NODELAY, 1},  {SOL_SOCKET, SO_KEEPALIVE, 1},
	    {IPPROTO_TCP, TCP_KEEPIDLE, 5}, {IPPROTO_TCP, TCP_KEEPINTVL, 2},
	    {IPPROTO_TCP, TCP_KEEPCNT, 3},  {IPPROTO_TCP, TCP_NOTSENT_LOWAT, 131072},
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		(void)setsockopt(fd, options[i].level, options[i].name, &options[i].value,
				 sizeof(int));
}

static int64_t
share_of_time(const struct link *l)
{
	int64_t now = clock_mono_ms(), parts = 0;

	for (struct addrinfo *a = l->next; a != NULL; a = a->ai_next)
		parts++;
	return now + (l->deadline_ms - now) / (parts + 1);
}

/* Begin with the next address that does not fail at once.  failure is the
 * errno of the one before. */
static enum qerr
try_next(struct link *l, int failure, struct why *why)
{
	if (l->fd != -1)
		close(l->fd);
	l->fd = -1;
	while (l->next != NULL) {
		struct addrinfo *a = l->next;

		l->next = a->ai_next;
		l->fd =
		    socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (l->fd == -1) {
			failure = errno;
			continue;
		}
		tune(l->fd);
		l->try_deadline_ms = share_of_time(l);
		if (connect(l->fd, a->ai_addr, a->ai_addrlen) == 0 ||
		    errno == EINPROGRESS)
			return Q_OK;
		failure = errno;
		close(l->fd);
		l->fd = -1;
	}
	return why_set(why, failure == ETIMEDOUT ? Q_TIMEOUT : Q_SYS,
		       "cannot connect to %s: %s", l->name, strerror(failure));
}

enum qerr
link_open(const struct target *t, enum link_security security, const struct cert *ca,
	  struct link **out, struct why *why)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	struct link *l = calloc(1, sizeof(*l));
	char port[8];
	enum qerr e;
	int failed;

	if (l == NULL)
		return why_set(why, Q_NOMEM, "there is no memory for a connection");
	l->fd = -1;
	l->security = security;
	l->ca = ca;
	l->in = (struct buf)BUF_INIT(LINK_IN_MAX);
	l->out = (struct buf)BUF_INIT(LINK_OUT_MAX);
	l->raw_in = (struct buf)BUF_INIT(LINK_IN_MAX);
	l->raw_out = (struct buf)BUF_INIT(2 * LINK_OUT_MAX);
	target_text(t, l->name);
	snprintf(port, sizeof(port), "%u", (unsigned)t->port);
	if ((failed = getaddrinfo(t->host, port, &hints, &l->addresses)) != 0) {
		e = why_set(why, Q_MISSING, "cannot find the host %s: %s", t->host,
			    failed == EAI_SYSTEM ? strerror(errno)
						 : gai_strerror(failed));
		link_free(l);
		return e;
	}
	l->next = l->addresses;
	l->deadline_ms = clock_mono_ms() + LINK_CONNECT_MS;
	if ((e = try_next(l, EADDRNOTAVAIL, why)) != Q_OK) {
		link_free(l);
		return e;
	}
	*out = l;
	return Q_OK;
}

void
link_websocket(struct link *l, const char *path)
{
	l->path = path;
}

void
link_mutual(struct link *l, const struct link_mutual *how)
{
	l->mutual = *how;
	l->deadline_ms = clock_mono_ms() + how->wait_ms;
}

void
link_peer_key(const struct link *l, uint8_t out[SHA256_LEN])
{
	link_tls_peer_key(l->tls, out);
}

enum qerr
link_remote(const struct link *l, struct target *out)
{
	struct sockaddr_storage a;
	socklen_t len = sizeof(a);
	char port[8];

	if (getpeername(l->fd, (struct sockaddr *)&a, &len) == -1 ||
	    getnameinfo((struct sockaddr *)&a, len, out->host, sizeof(out->host), port,
			sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return Q_SYS;
	out->port = (uint16_t)atoi(port);
	return Q_OK;
}

void
link_free(struct link *l)
{
	if (l == NULL)
		return;
	link_ws_free(l->ws);
	link_tls_free(l->tls);
	if (l->fd != -1)
		close(l->fd);
	if (l->addresses != NULL)
		freeaddrinfo(l->addresses);
	buf_wipe(&l->in);
	buf_wipe(&l->out);
	buf_wipe(&l->raw_in);
	buf_wipe(&l->raw_out);
	free(l);
}

const char *
link_name(const struct link *l)
{
	return l->name;
}

int
link_fd(const struct link *l)
{
	return l->fd;
}

short
link_poll_events(const struct link *l)
{
	if (!l->connected)
		return POLLOUT;
	if (!l->through)
		return l->tls != NULL ? link_tls_wants(l->tls) : POLLIN;
	if (l->raw_out.len > 0 ||
	    (l->up && (l->out.len > 0 || (l->finish && !l->finished))))
		return POLLIN | POLLOUT;
	return POLLIN;
}

int64_t
link_deadline(const struct link *l)
{
	if (l->up)
		return l->watch_ms;
	return l->connected ? l->deadline_ms : l->try_deadline_ms;
}

bool
link_up(const struct link *l)
{
	return l->up;
}

struct buf *
link_in(struct link *l)
{
	return &l->in;
}

struct buf *
link_out(const struct link *l)
{
	/* Whoever has the link may fill it; const is for the callers that only
	 * ask how full it is. */
	return (struct buf *)(uintptr_t)&l->out;
}

size_t
link_waiting(const struct link *l)
{
	return l->out.len + l->raw_out.len;
}

size_t
link_coming(const struct link *l)
{
	return l->ws != NULL ? link_ws_coming(l->ws) : 0;
}

enum qerr
link_chain(const struct link *l, struct buf *out)
{
	return link_tls_chain(l->tls, out);
}

void
link_finish(struct link *l)
{
	l->finish = true;
}

/* Bytes can go in both directions. */
static enum qerr
go_through(struct link *l, struct why *why)
{
	l->through = true;
	l->up = l->path == NULL;
	if (l->up)
		return Q_OK;
	return link_ws_new(l->name, l->path, &l->raw_out, &l->ws, why);
}

static enum qerr
lost(const struct link *l, struct why *why)
{
	return why_set(why, Q_SYS, "the connection to %s broke: %s", l->name,
		       strerror(errno));
}

/* A socket that is new takes so few bytes at once. */
static enum qerr
say_hello(struct link *l, struct why *why)
{
	const struct link_mutual *m = &l->mutual;

	if (send(l->fd, m->hello, m->hello_len, MSG_NOSIGNAL) != (ssize_t)m->hello_len)
		return lost(l, why);
	if (m->answered)
		return Q_OK;
	return link_tls_mutual(l->fd, l->name, m, &l->tls, why);
}

static enum qerr
step_connect(struct link *l, short revents, struct why *why)
{
	socklen_t len = sizeof(int);
	int failed = 0;

	if (revents == 0) {
		if (clock_left_ms(l->try_deadline_ms) > 0)
			return Q_OK;
		return try_next(l, ETIMEDOUT, why);
	}
	if (getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &failed, &len) == -1)
		failed = errno;
	if (failed != 0)
		return try_next(l, failed, why);
	l->connected = true;
	if (l->security == LINK_CLEAR)
		return go_through(l, why);
	if (l->security == LINK_MUTUAL)
		return say_hello(l, why);
	return link_tls_new(l->fd, l->name, l->ca, &l->tls, why);
}

/* The clear answer, and not a byte of what is behind it.  Q_SHORT: more is to come. */
static enum qerr
take_answer(struct link *l, struct why *why)
{
	ssize_t n =
	    recv(l->fd, l->answer + l->answer_got, LINK_ANSWER_LEN - l->answer_got, 0);
	enum qerr e;

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return Q_SHORT;
	if (n == -1)
		return lost(l, why);
	if (n == 0)
		return why_set(why, Q_CLOSED, "%s does not speak nodes, or hung up",
			       l->name);
	if ((l->answer_got += (size_t)n) < LINK_ANSWER_LEN)
		return Q_SHORT;
	if ((e = link_mutual_answer(l->name, l->answer, why)) != Q_OK)
		return e;
	return link_tls_mutual(l->fd, l->name, &l->mutual, &l->tls, why);
}

static enum qerr
step_handshake(struct link *l, struct why *why)
{
	enum qerr e = l->tls == NULL ? take_answer(l, why) : Q_OK;

	if (e == Q_OK)
		e = link_tls_handshake(l->tls, why);
	if (e == Q_OK)
		return go_through(l, why);
	if (e != Q_SHORT)
		return e;
	if (clock_left_ms(l->deadline_ms) == 0)
		return why_set(why, Q_TIMEOUT, "%s does not finish its TLS handshake",
			       l->name);
	return Q_OK;
}

static enum qerr
clear_read(struct link *l, struct buf *in, struct why *why)
{
	enum qerr e;
	ssize_t n;

	if ((e = buf_reserve(in, READ_PIECE)) != Q_OK)
		return why_set(why, e, "%s sends more than can be kept", l->name);
	n = recv(l->fd, in->p + in->len, READ_PIECE, 0);
	if (n == 0)
		return why_set(why, Q_CLOSED, "%s closed the connection", l->name);
	if (n == -1)
		return errno == EAGAIN || errno == EINTR ? Q_OK : lost(l, why);
	in->len += (size_t)n;
	return Q_OK;
}

static enum qerr
step_read(struct link *l, struct why *why)
{
	struct buf *in = l->ws == NULL ? &l->in : &l->raw_in;
	enum qerr e =
	    l->tls != NULL ? link_tls_read(l->tls, in, why) : clear_read(l, in, why);
	enum qerr e2;

	if (l->ws == NULL)
		return e;
	/* What came before the end still counts, and may say why it is one. */
	e2 = link_ws_input(l->ws, &l->raw_in, &l->in, why);
	l->up = link_ws_up(l->ws);
	return e2 != Q_OK ? e2 : e;
}

/* All that has come. */
static enum qerr
read_to_end(struct link *l, struct why *why)
{
	size_t before;
	enum qerr e;

	do {
		before = l->in.len + link_coming(l);
		e = step_read(l, why);
	} while (e == Q_OK && l->in.len + link_coming(l) > before);
	return e;
}

static enum qerr
clear_write(struct link *l, struct span data, size_t *gone, struct why *why)
{
	while (*gone < data.len) {
		ssize_t n = send(l->fd, data.p + *gone, data.len - *gone, MSG_NOSIGNAL);

		if (n == -1)
			return errno == EAGAIN || errno == EINTR ? Q_OK : lost(l, why);
		*gone += (size_t)n;
	}
	return Q_OK;
}

static enum qerr
step_write(struct link *l, struct why *why)
{
	struct buf *out = l->ws == NULL ? &l->out : &l->raw_out;
	enum qerr e = Q_OK;
	size_t gone = 0;

	if (l->ws != NULL)
		e = link_ws_output(l->ws, &l->out, why);
	if (e != Q_OK)
		return e;
	if (l->ws != NULL && l->finish && l->out.len == 0)
		link_ws_finish(l->ws);
	if (l->tls != NULL)
		e = link_tls_write(l->tls, buf_span(out), &gone, why);
	else
		e = clear_write(l, buf_span(out), &gone, why);
	buf_consume(out, gone);
	if (gone > 0 && l->watch_ms == 0)
		l->watch_ms = clock_mono_ms() + LINK_WATCH_MS;
	if (e == Q_OK && out->len == 0 && l->out.len == 0 && l->finish && !l->finished) {
		l->finished = true;
		if (l->tls != NULL)
			link_tls_finish(l->tls);
		(void)shutdown(l->fd, SHUT_WR);
	}
	return e;
}

/* Does the other machine acknowledge what it gets? */
static enum qerr
step_watch(struct link *l, struct why *why)
{
	int64_t now = clock_mono_ms();
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);

	if (l->watch_ms == 0 || now < l->watch_ms)
		return Q_OK;
	if (getsockopt(l->fd, IPPROTO_TCP, TCP_INFO, &info, &len) == -1)
		return lost(l, why);
	if (link_watch_look(&l->watch, now, info.tcpi_unacked, info.tcpi_last_ack_recv))
		return why_set(why, Q_TIMEOUT, "%s does not answer any longer", l->name);
	l->watch_ms = info.tcpi_unacked > 0 ? now + LINK_WATCH_MS : 0;
	return Q_OK;
}

enum qerr
link_step(struct link *l, short revents, struct why *why)
{
	struct why said;
	enum qerr e, end;

	if (!l->connected)
		return step_connect(l, revents, why);
	if (!l->through)
		return step_handshake(l, why);
	if (!l->up && clock_left_ms(l->deadline_ms) == 0)
		return why_set(why, Q_TIMEOUT, "%s does not answer", l->name);
	/* When the server has said why it hangs up, that counts for more than
	 * that we can write no longer: so read first, and once more before a
	 * failed write is reported. */
	if ((revents & (POLLIN | POLLHUP | POLLERR)) != 0 &&
	    (e = step_read(l, why)) != Q_OK)
		return e;
	if ((e = step_write(l, why)) == Q_OK)
		return step_watch(l, why);
	end = read_to_end(l, &said);
	return end == Q_CLOSED || end == Q_DENIED ? why_set(why, end, "%s", said.text)
						  : e;
}
