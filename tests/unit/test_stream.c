/* SPDX-License-Identifier: MIT */
#include "server/stream.h"

#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct stream *st;
static int peer;

static void
setup(void)
{
	int fd[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	st = stream_plain(fd[0]);
	ck_assert_ptr_nonnull(st);
	peer = fd[1];
}

static void
teardown(void)
{
	st->ops->free(st);
	if (peer >= 0)
		close(peer);
}

START_TEST(reads)
{
	char b[8];
	size_t got = 99;

	ck_assert_int_eq(st->ops->read(st, b, sizeof(b), STREAM_NOW, &got), Q_FULL);
	ck_assert_uint_eq(got, 99);
	ck_assert_int_eq(write(peer, "hello world", 11), 11);
	ck_assert_int_eq(st->ops->read(st, b, sizeof(b), STREAM_WAIT, &got), Q_OK);
	ck_assert_uint_eq(got, 8);
	ck_assert_mem_eq(b, "hello wo", 8);
	ck_assert_int_eq(st->ops->read(st, b, sizeof(b), STREAM_NOW, &got), Q_OK);
	ck_assert_uint_eq(got, 3);
	close(peer);
	peer = -1;
	ck_assert_int_eq(st->ops->read(st, b, sizeof(b), STREAM_WAIT, &got), Q_CLOSED);
	ck_assert_int_eq(st->ops->read(st, b, sizeof(b), STREAM_NOW, &got), Q_CLOSED);
}
END_TEST

START_TEST(writes_until_full)
{
	static char block[65536], back[65536];
	size_t put, total = 0, seen = 0;
	enum qerr e;

	memset(block, 'x', sizeof(block));
	while ((e = st->ops->write(st, block, sizeof(block), &put)) == Q_OK) {
		ck_assert_uint_gt(put, 0);
		total += put;
	}
	ck_assert_int_eq(e, Q_FULL);
	st->ops->end_writing(st);
	for (;;) {
		ssize_t n = read(peer, back, sizeof(back));

		if (n <= 0)
			break;
		seen += (size_t)n;
	}
	ck_assert_uint_eq(seen, total);
}
END_TEST

START_TEST(write_to_nobody)
{
	size_t put;

	close(peer);
	peer = -1;
	/* No SIGPIPE either: it would end this test. */
	ck_assert_int_eq(st->ops->write(st, "x", 1, &put), Q_CLOSED);
}
END_TEST

static void *
end_it(void *arg)
{
	(void)arg;
	usleep(30000);
	st->ops->end_reading(st);
	return NULL;
}

START_TEST(end_reading_wakes_and_stays)
{
	pthread_t t;
	size_t got, put;
	char b[4];

	ck_assert_int_eq(pthread_create(&t, NULL, end_it, NULL), 0);
	ck_assert_int_eq(st->ops->read(st, b, sizeof(b), STREAM_WAIT, &got), Q_CLOSED);
	pthread_join(t, NULL);
	ck_assert_int_eq(st->ops->read(st, b, sizeof(b), STREAM_WAIT, &got), Q_CLOSED);
	/* Writing is another matter. */
	ck_assert_int_eq(st->ops->write(st, "bye", 3, &put), Q_OK);
	ck_assert_int_eq(read(peer, b, 3), 3);
}
END_TEST

/* A connected pair of TCP sockets on loopback. */
static void
tcp_pair(int fd[2])
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int l = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(bind(l, (struct sockaddr *)&a, len), 0);
	ck_assert_int_eq(listen(l, 1), 0);
	ck_assert_int_eq(getsockname(l, (struct sockaddr *)&a, &len), 0);
	fd[1] = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(fd[1], (struct sockaddr *)&a, len), 0);
	fd[0] = accept(l, NULL, NULL);
	ck_assert_int_ge(fd[0], 0);
	close(l);
}

static int
option(int fd, int level, int name)
{
	int v = -1;
	socklen_t len = sizeof(v);

	ck_assert_int_eq(getsockopt(fd, level, name, &v, &len), 0);
	return v;
}

START_TEST(tcp_options)
{
	struct stream *tcp;
	int fd[2];

	tcp_pair(fd);
	tcp = stream_plain(fd[0]);
	ck_assert_ptr_nonnull(tcp);
	ck_assert_int_eq(option(fd[0], IPPROTO_TCP, TCP_NODELAY), 1);
	ck_assert_int_eq(option(fd[0], SOL_SOCKET, SO_KEEPALIVE), 1);
	ck_assert_int_eq(option(fd[0], IPPROTO_TCP, TCP_KEEPIDLE), 30);
	ck_assert_int_eq(option(fd[0], IPPROTO_TCP, TCP_KEEPINTVL), 10);
	ck_assert_int_eq(option(fd[0], IPPROTO_TCP, TCP_KEEPCNT), 3);
	ck_assert_int_eq(option(fd[0], IPPROTO_TCP, TCP_USER_TIMEOUT), 75000);
	tcp->ops->free(tcp);
	close(fd[1]);
}
END_TEST

START_TEST(tcp_reset)
{
	const struct linger hard = {.l_onoff = 1, .l_linger = 0};
	struct stream *tcp;
	size_t n;
	int fd[2];
	char b;

	tcp_pair(fd);
	tcp = stream_plain(fd[0]);
	ck_assert_ptr_nonnull(tcp);
	setsockopt(fd[1], SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(fd[1]);
	ck_assert_int_eq(tcp->ops->read(tcp, &b, 1, STREAM_WAIT, &n), Q_SYS);
	ck_assert_int_eq(tcp->ops->write(tcp, "x", 1, &n), Q_CLOSED);
	tcp->ops->free(tcp);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("stream");
	TCase *c = tcase_create("plain");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, reads);
	tcase_add_test(c, writes_until_full);
	tcase_add_test(c, write_to_nobody);
	tcase_add_test(c, end_reading_wakes_and_stays);
	tcase_add_test(c, tcp_options);
	tcase_add_test(c, tcp_reset);
	suite_add_tcase(s, c);
	return unit_main(s);
}
