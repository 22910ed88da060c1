/* SPDX-License-Identifier: MIT
 *
 * The accept thread polls its listening socket and an eventfd that listener_free
 * writes to; the socket itself does not block, so the thread never hangs in
 * accept4(2) on a connection that has gone meanwhile.
 *
 * Nothing that may go wrong with one connection ends the loop.  What would make
 * it spin (the connection stays in the queue because it cannot be accepted) is
 * met in two ways: the reserve descriptor, with which the connection is accepted
 * and closed, and if that fails too, a pause.
 */
#include "server/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>

#include "base/clock.h"
#include "server/config.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/server.h"
#include "server/session.h"
#include "server/throttle.h"

#define PAUSE_MS    100   /* after a shortage */
#define COMPLAIN_MS 60000 /* between two lines about one */

struct listener {
	struct server *server;
	int fd;
	int wake;    /* an eventfd: listener_free has something to say */
	int reserve; /* /dev/null, or -1: the accept thread's */
	int64_t complained_ms;
	char text[ADDRESS_SIZE];
	unsigned port;
	atomic_bool stop;
	bool started;
	pthread_t thread;
};

/* ---- accepting ---- */

/* Sleep, unless we are to stop. */
static void
pause_accepting(struct listener *l)
{
	struct pollfd p = {.fd = l->wake, .events = POLLIN};

	(void)poll(&p, 1, PAUSE_MS);
}

static void
complain(struct listener *l, const char *what, int errnum)
{
	int64_t now = clock_mono_ms();

	if (l->complained_ms != 0 && now - l->complained_ms < COMPLAIN_MS)
		return;
	l->complained_ms = now;
	log_event(LOG_ERROR, NULL, "shortage", "listener=%s what=%s error=\"%s\"",
		  l->text, what, strerror(errnum));
}

static void
open_reserve(struct listener *l)
{
	if (l->reserve < 0)
		l->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* There is no descriptor for a connection that waits: give the reserve for it,
 * and close it, so that the peer does not wait for nothing. */
static void
turn_away(struct listener *l)
{
	int fd;

	if (l->reserve < 0) {
		pause_accepting(l);
		open_reserve(l);
		return;
	}
	close(l->reserve);
	l->reserve = -1;
	if ((fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		close(fd);
		metric_add(METRIC_connections_refused, 1);
	}
	open_reserve(l);
	if (fd < 0)
		pause_accepting(l);
}

/* Enter the session into the table, if the limits allow.  Q_LIMIT: *limit is the
 * setting to change. */
static enum qerr
admit(struct session *s, const char **limit)
{
	const struct config *c = config_now();
	bool trusted = address_trusted(&s->peer);
	const struct sessions_limits limits = {
	    .total = (size_t)c->max_connections,
	    .per_address = trusted ? 0 : (size_t)c->per_address,
	    .per_address_before_login = trusted ? 0 : (size_t)c->per_address_before_login,
	    .reached = limit,
	};

	return sessions_add(s->server->sessions, s, &limits);
}

/* Make a session of an accepted socket and start its worker, or close it.
 * Q_NOMEM tells the caller to pause; Q_LIMIT as admit. */
static enum qerr
begin(struct listener *l, int fd, const struct address *peer, const char **limit)
{
	struct stream *stream;
	struct session *s;
	enum qerr e;

	if ((stream = stream_accepted(fd)) == NULL) {
		close(fd);
		return Q_NOMEM;
	}
	if ((s = session_new(l->server, stream, peer)) == NULL)
		return Q_NOMEM;
	if ((e = admit(s, limit)) == Q_OK && (e = worker_start(s)) == Q_OK)
		return Q_OK;
	sessions_remove(l->server->sessions, s);
	session_unref(s);
	return e;
}

static void
accepted(struct listener *l, int fd, const struct sockaddr_storage *from)
{
	const char *limit = "";
	struct address peer;
	enum qerr e;

	address_from(from, &peer);
	metric_add(METRIC_connections_total, 1);
	if ((e = begin(l, fd, &peer, &limit)) == Q_OK)
		return;
	metric_add(METRIC_connections_refused, 1);
	if (e == Q_LIMIT) {
		char text[ADDRESS_SIZE];

		address_text(&peer, text);
		log_limited(LOG_WARN, &peer, NULL, "refused", "addr=%s limit=%s", text,
			    limit);
	} else {
		complain(l, "memory-or-threads", ENOMEM);
		pause_accepting(l);
	}
}

/* Take one connection; false when none waits. */
static bool
accept_one(struct listener *l)
{
	struct sockaddr_storage from = {0};
	socklen_t len = sizeof(from);
	int fd = accept4(l->fd, (struct sockaddr *)&from, &len, SOCK_CLOEXEC);

	if (fd >= 0) {
		accepted(l, fd, &from);
		return true;
	}
	switch (errno) {
	case EAGAIN: return false;
	case EMFILE:
	case ENFILE:
		complain(l, "descriptors", errno);
		turn_away(l);
		return true;
	case ENOMEM:
	case ENOBUFS:
		complain(l, "memory", errno);
		pause_accepting(l);
		return true;
	default:
		/* ECONNABORTED and the network's own errors (accept(2)) concern one
		 * connection that is gone now; anything else is worth a line, and a
		 * pause in case it stays. */
		if (errno != ECONNABORTED && errno != EINTR) {
			complain(l, "accept", errno);
			pause_accepting(l);
		}
		return true;
	}
}

static void *
accept_thread(void *arg)
{
	struct listener *l = arg;

	while (!atomic_load(&l->stop)) {
		struct pollfd p[2] = {
		    {.fd = l->fd, .events = POLLIN},
		    {.fd = l->wake, .events = POLLIN},
		};

		if (poll(p, 2, -1) < 0 && errno != EINTR)
			pause_accepting(l);
		while (!atomic_load(&l->stop) && accept_one(l))
			continue;
	}
	return NULL;
}

enum qerr
listener_start(struct listener *l, struct server *server)
{
	l->server = server;
	open_reserve(l);
	if (pthread_create(&l->thread, NULL, accept_thread, l) != 0)
		return Q_NOMEM;
	l->started = true;
	return Q_OK;
}

void
listener_free(struct listener *l)
{
	if (l == NULL)
		return;
	atomic_store(&l->stop, true);
	if (l->started) {
		(void)eventfd_write(l->wake, 1);
		pthread_join(l->thread, NULL);
	}
	if (l->reserve >= 0)
		close(l->reserve);
	if (l->wake >= 0)
		close(l->wake);
	if (l->fd >= 0)
		close(l->fd);
	free(l);
}

const char *
listener_address(const struct listener *l)
{
	return l->text;
}

unsigned
listener_port(const struct listener *l)
{
	return l->port;
}

/* ---- binding ---- */

/* Split spec into host ("" for none) and port. */
static enum qerr
split(const char *spec, char *host, size_t host_size, char *port, size_t port_size,
      struct why *why)
{
	const char *colon = strrchr(spec, ':'), *p = colon == NULL ? spec : colon + 1;
	size_t len = colon == NULL ? 0 : (size_t)(colon - spec);
	const char *err;

	(void)strtonum(p, 0, 65535, &err);
	if (err != NULL || strlcpy(port, p, port_size) >= port_size)
		return why_set(why, Q_FORMAT,
			       "listen: '%s' does not end in a port (0 to 65535)", spec);
	if (len >= 2 && spec[0] == '[' && spec[len - 1] == ']') {
		spec++;
		len -= 2;
	} else if (memchr(spec, ':', len) != NULL) {
		return why_set(why, Q_FORMAT,
			       "listen: write an IPv6 address as [%.*s]:%s", (int)len,
			       spec, p);
	}
	if (len >= host_size)
		return why_set(why, Q_FORMAT, "listen: the address in '%s' is too long",
			       spec);
	memcpy(host, spec, len);
	host[len] = '\0';
	return Q_OK;
}

static enum qerr
bind_error(int errnum, const char *spec, const char *port, struct why *why)
{
	switch (errnum) {
	case EADDRINUSE:
		return why_set(why, Q_EXISTS,
			       "port %s is in use by another program (listen = %s)", port,
			       spec);
	case EACCES:
		return why_set(why, Q_DENIED,
			       "port %s needs more rights than we have: ports below "
			       "1024 are for root (listen = %s)",
			       port, spec);
	case EADDRNOTAVAIL:
		return why_set(why, Q_MISSING,
			       "this machine does not have the address of "
			       "'%s'",
			       spec);
	default:
		return why_set(why, qerr_errno(errnum), "cannot listen on '%s': %s", spec,
			       strerror(errnum));
	}
}

/* A listening socket on one address.  -1 with errno. */
static int
open_socket(const struct addrinfo *ai)
{
	const int on = 1, off = 0;
	int fd, saved;

	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (ai->ai_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	stream_options(fd); /* Linux hands them on to what is accepted */
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

/* With no host: the IPv6 wildcard, which takes IPv4 too; on a machine without
 * IPv6, the IPv4 one. */
static enum qerr
open_any(const char *host, const char *port, const char *spec, int *fd, struct why *why)
{
	struct addrinfo hints = {
	    .ai_family = host[0] == '\0' ? AF_INET6 : AF_UNSPEC,
	    .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
	};
	struct addrinfo *list;
	int rc, saved;

	rc = getaddrinfo(host[0] == '\0' ? NULL : host, port, &hints, &list);
	if (rc != 0)
		return why_set(why, Q_FORMAT, "listen: '%s' is no address: %s", host,
			       gai_strerror(rc));
	*fd = open_socket(list);
	saved = errno;
	freeaddrinfo(list);
	if (*fd < 0 && host[0] == '\0' && saved == EAFNOSUPPORT)
		return open_any("0.0.0.0", port, spec, fd, why);
	return *fd >= 0 ? Q_OK : bind_error(saved, spec, port, why);
}

static enum qerr
note_address(struct listener *l)
{
	struct sockaddr_storage ss = {0};
	socklen_t len = sizeof(ss);
	struct address a;

	if (getsockname(l->fd, (struct sockaddr *)&ss, &len) != 0)
		return qerr_errno(errno);
	address_from(&ss, &a);
	address_text(&a, l->text);
	l->port = a.port;
	return Q_OK;
}

enum qerr
listener_bind(const char *spec, struct listener **out, struct why *why)
{
	char host[256], port[8];
	struct listener *l;
	enum qerr e;

	if ((e = split(spec, host, sizeof(host), port, sizeof(port), why)) != Q_OK)
		return e;
	if ((l = calloc(1, sizeof(*l))) == NULL)
		return why_set(why, Q_NOMEM, "out of memory");
	l->fd = l->reserve = -1;
	l->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->wake < 0)
		e = why_set(why, qerr_errno(errno), "eventfd: %s", strerror(errno));
	if (e == Q_OK)
		e = open_any(host, port, spec, &l->fd, why);
	if (e == Q_OK && (e = note_address(l)) != Q_OK)
		(void)why_set(why, e, "getsockname: %s", strerror(errno));
	if (e == Q_OK)
		*out = l;
	else
		listener_free(l);
	return e;
}
