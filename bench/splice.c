/* SPDX-License-Identifier: MIT
 *
 * splice.c - the floor for calls of nodes: what comes on one socket goes to another,
 * through a pipe, by a thread for each direction, and nothing else.
 *
 * A connection begins with the four bytes of its pair's number; the second of a pair
 * starts both.  It says "listening on ADDRESS:PORT" and runs until it is killed.
 */
#include <err.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/util.h"

#define PAIRS      4096
#define PIPE_BYTES (256 * 1024)

static struct {
	pthread_mutex_t lock;
	int waiting[PAIRS]; /* a descriptor and one more, or 0 */
} pairs = {.lock = PTHREAD_MUTEX_INITIALIZER};

struct way {
	int from, to;
};

static void *
pump(void *arg)
{
	struct way way = *(struct way *)arg;
	ssize_t n, m;
	int pipe[2];

	free(arg);
	if (pipe2(pipe, O_CLOEXEC) != 0)
		err(1, "pipe2");
	(void)fcntl(pipe[0], F_SETPIPE_SZ, PIPE_BYTES);
	while ((n = splice(way.from, NULL, pipe[1], NULL, PIPE_BYTES, SPLICE_F_MOVE)) > 0)
		for (; n > 0; n -= m)
			if ((m = splice(pipe[0], NULL, way.to, NULL, (size_t)n,
					SPLICE_F_MOVE)) <= 0)
				goto out;
out:
	shutdown(way.to, SHUT_WR);
	close(pipe[0]);
	close(pipe[1]);
	return NULL;
}

static void
start(int from, int to)
{
	struct way *way = must_alloc(1, sizeof(*way));
	pthread_t t;

	*way = (struct way){from, to};
	if (pthread_create(&t, NULL, pump, way) != 0)
		errx(1, "no thread");
	pthread_detach(t);
}

static void *
greet(void *arg)
{
	int fd = (int)(intptr_t)arg, other = 0;
	const int one = 1;
	uint32_t pair;

	/* As the server's have it: a text must not wait for the last one's arrival. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (recv(fd, &pair, sizeof(pair), MSG_WAITALL) != sizeof(pair) || pair >= PAIRS) {
		close(fd);
		return NULL;
	}
	pthread_mutex_lock(&pairs.lock);
	other = pairs.waiting[pair];
	pairs.waiting[pair] = other == 0 ? fd + 1 : 0;
	pthread_mutex_unlock(&pairs.lock);
	if (other != 0) {
		start(fd, other - 1);
		start(other - 1, fd);
	}
	return NULL;
}

int
main(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	int s = socket(AF_INET, SOCK_STREAM, 0), fd;
	pthread_t t;

	signal(SIGPIPE, SIG_IGN);
	if (s < 0 || bind(s, (struct sockaddr *)&at, len) != 0 || listen(s, 1024) != 0 ||
	    getsockname(s, (struct sockaddr *)&at, &len) != 0)
		err(1, "listen");
	printf("listening on 127.0.0.1:%u\n", ntohs(at.sin_port));
	fflush(stdout);
	while ((fd = accept(s, NULL, NULL)) >= 0) {
		if (pthread_create(&t, NULL, greet, (void *)(intptr_t)fd) != 0)
			errx(1, "no thread");
		pthread_detach(t);
	}
	err(1, "accept");
}
