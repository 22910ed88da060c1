/* SPDX-License-Identifier: MIT
 *
 * control.c - both ends of the control socket.
 *
 * A Unix socket's address holds 107 bytes of path and a data directory's path
 * may be longer; so the folder is opened and the socket is reached through
 * /proc/self/fd/N/, which is always short.
 *
 * Deadlines keep a client that stalls from holding up the next one.  The answer
 * to a command is waited for without one: a check of a large store takes time.
 */
#include "server/control.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "server/log.h"
#include "store/store.h"

#define SOCKET_NAME "control.sock"
#define READ_MS     2000  /* for a client to send its command */
#define WRITE_MS    10000 /* for it to take the answer */
#define ANSWER_MAX  (ADMIN_REPLY_MAX + 1024)

struct control {
	struct server *server;
	int folder; /* DIR/server */
	int listening;
	int stop; /* eventfd; readable: come to an end */
	pthread_t thread;
};

/* ---- messages over a socket, either end ---- */

static int
open_folder(const char *data_dir)
{
	char path[4096];

	if ((size_t)snprintf(path, sizeof(path), "%s/server", data_dir) >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static struct sockaddr_un
socket_address(int folder)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/" SOCKET_NAME, folder);
	return a;
}

/* Wait for events on fd; false at the deadline (0: none) or on trouble. */
static bool
wait_for(int fd, short events, int64_t deadline)
{
	struct pollfd p = {.fd = fd, .events = events};
	int n;

	while ((n = poll(&p, 1, clock_left_ms(deadline))) == -1 && errno == EINTR)
		continue;
	return n == 1;
}

static enum qerr
receive(int fd, void *p, size_t n, int64_t deadline)
{
	uint8_t *at = p;

	while (n > 0) {
		ssize_t got;

		if (!wait_for(fd, POLLIN, deadline))
			return Q_TIMEOUT;
		if ((got = recv(fd, at, n, MSG_DONTWAIT)) == 0)
			return Q_CLOSED;
		if (got == -1 && errno != EAGAIN && errno != EINTR)
			return Q_SYS;
		if (got > 0) {
			at += got;
			n -= (size_t)got;
		}
	}
	return Q_OK;
}

static enum qerr
transmit(int fd, struct span s, int64_t deadline)
{
	while (s.len > 0) {
		ssize_t put;

		if (!wait_for(fd, POLLOUT, deadline))
			return Q_TIMEOUT;
		put = send(fd, s.p, s.len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (put == -1 && errno != EAGAIN && errno != EINTR)
			return Q_SYS;
		if (put > 0) {
			s.p += put;
			s.len -= (size_t)put;
		}
	}
	return Q_OK;
}

/* One message's body, appended to the empty in. */
static enum qerr
receive_message(int fd, struct buf *in, int64_t deadline)
{
	uint8_t head[CONTROL_HEAD_LEN];
	enum qerr e;
	size_t n;

	if ((e = receive(fd, head, sizeof(head), deadline)) != Q_OK)
		return e;
	n = le32_get(head);
	if ((e = buf_reserve(in, n)) != Q_OK ||
	    (e = receive(fd, in->p, n, deadline)) != Q_OK)
		return e;
	in->len = n;
	return Q_OK;
}

/* ---- the server's end ---- */

static void
answer(struct control *c, int fd, struct span body)
{
	struct buf words = BUF_INIT(CONTROL_COMMAND_MAX),
		   text = BUF_INIT(ADMIN_REPLY_MAX), out = BUF_INIT(ANSWER_MAX);
	const char *argv[ADMIN_WORDS_MAX];
	struct admin_request req;
	struct why why = {""};
	enum qerr e;

	if ((e = control_parse_command(body, &words, argv, &req)) != Q_OK)
		why_set(&why, e, "the server does not understand this command");
	else
		e = admin_run(c->server, &req, &text, &why);
	if (control_put_answer(&out, e, buf_span(&text), why.text) == Q_OK)
		transmit(fd, buf_span(&out), clock_mono_ms() + WRITE_MS);
	buf_wipe(&words);
	buf_wipe(&text); /* an enrolment code */
	buf_wipe(&out);
}

static void
serve(struct control *c, int fd)
{
	struct buf in = BUF_INIT(CONTROL_COMMAND_MAX);
	enum qerr e = receive_message(fd, &in, clock_mono_ms() + READ_MS);

	if (e == Q_OK)
		answer(c, fd, buf_span(&in));
	else
		log_event(LOG_WARN, NULL, "control-refused", "error=%s", qerr_str(e));
	buf_wipe(&in);
}

static void *
control_thread(void *arg)
{
	struct control *c = arg;
	struct pollfd p[2] = {{.fd = c->stop, .events = POLLIN},
			      {.fd = c->listening, .events = POLLIN}};

	for (;;) {
		int fd;

		if (poll(p, 2, -1) == -1 && errno != EINTR)
			break;
		if (p[0].revents != 0)
			break;
		if ((fd = accept4(c->listening, NULL, NULL, SOCK_CLOEXEC)) == -1) {
			/* Out of descriptors: the connection stays in the queue; do
			 * not spin on it. */
			if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
				poll(p, 1, 200);
			continue;
		}
		serve(c, fd);
		close(fd);
	}
	return NULL;
}

/* A listening socket in the folder, with mode 0600 from its first moment:
 * bind(2) takes the mode from the descriptor. */
static enum qerr
listen_in(int folder, int *out)
{
	struct sockaddr_un a = socket_address(folder);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), saved;

	if (fd == -1)
		return qerr_errno(errno);
	if ((unlinkat(folder, SOCKET_NAME, 0) == 0 || errno == ENOENT) &&
	    fchmod(fd, 0600) == 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0 &&
	    listen(fd, 16) == 0) {
		*out = fd;
		return Q_OK;
	}
	saved = errno;
	close(fd);
	errno = saved;
	return qerr_errno(errno);
}

enum qerr
control_start(struct server *server, struct control **out, struct why *why)
{
	struct control *c = calloc(1, sizeof(*c));
	const char *dir = store_dir(server->store);
	int err;

	if (c == NULL)
		return why_set(why, Q_NOMEM, "there is no memory for the control socket");
	c->server = server;
	c->listening = c->stop = -1;
	if ((c->folder = open_folder(dir)) == -1 ||
	    listen_in(c->folder, &c->listening) != Q_OK ||
	    (c->stop = eventfd(0, EFD_CLOEXEC)) == -1) {
		err = errno;
		goto fail;
	}
	if ((err = pthread_create(&c->thread, NULL, control_thread, c)) != 0)
		goto fail;
	*out = c;
	return Q_OK;
fail:
	why_set(why, qerr_errno(err),
		"cannot make the control socket %s/server/" SOCKET_NAME ": %s", dir,
		strerror(err));
	if (c->stop != -1)
		close(c->stop);
	if (c->listening != -1)
		close(c->listening);
	if (c->folder != -1)
		close(c->folder);
	free(c);
	return qerr_errno(err);
}

void
control_stop(struct control *c)
{
	uint64_t one = 1;
	ssize_t n;

	if (c == NULL)
		return;
	n = write(c->stop, &one, sizeof(one));
	assert(n == sizeof(one)); /* an eventfd that is far from its maximum */
	pthread_join(c->thread, NULL);
	unlinkat(c->folder, SOCKET_NAME, 0);
	close(c->stop);
	close(c->listening);
	close(c->folder);
	free(c);
}

/* ---- the command line's end ---- */

static enum qerr
connect_to(const char *data_dir, int *out)
{
	struct sockaddr_un a;
	int folder = open_folder(data_dir), fd, saved;

	if (folder == -1)
		return qerr_errno(errno);
	a = socket_address(folder);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd != -1 && connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0) {
		close(folder);
		*out = fd;
		return Q_OK;
	}
	saved = errno;
	close(folder);
	if (fd != -1)
		close(fd);
	errno = saved;
	return saved == ECONNREFUSED ? Q_MISSING : qerr_errno(saved);
}

enum qerr
control_call(const char *data_dir, const struct admin_request *req, struct buf *out,
	     struct why *why)
{
	struct buf message = BUF_INIT(CONTROL_COMMAND_MAX), reply = BUF_INIT(ANSWER_MAX);
	enum qerr e, result = Q_OK;
	struct span text;
	int fd = -1;

	if ((e = connect_to(data_dir, &fd)) == Q_MISSING)
		return e;
	if (e != Q_OK)
		return why_set(why, e, "cannot talk to the server on %s: %s", data_dir,
			       strerror(errno));
	if ((e = control_put_command(&message, req)) == Q_OK &&
	    (e = transmit(fd, buf_span(&message), clock_mono_ms() + WRITE_MS)) == Q_OK &&
	    (e = receive_message(fd, &reply, 0)) == Q_OK &&
	    (e = control_parse_answer(buf_span(&reply), &result, &text, why)) == Q_OK)
		e = buf_put_span(out, text);
	if (e != Q_OK)
		result = why_set(why, e, "the server gave no answer: %s", qerr_str(e));
	close(fd);
	buf_wipe(&message);
	buf_wipe(&reply);
	return result;
}
