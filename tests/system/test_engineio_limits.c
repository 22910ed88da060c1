/* SPDX-License-Identifier: MIT
 *
 * Engine.IO on the raw wire, against sio-echo: limits of one message, of all together, of
 * a poll, of what waits for a client.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/system/sio_peer.h"

START_TEST(too_large)
{
	struct harness *h = sio_start(EIO_CALM, "max_payload=70000", NULL);
	struct http_peer *p = http_connect(h), *q = http_connect(h), *ws;
	char sid[SID_SIZE], request[512];
	struct buf big = BUF_INIT(70001);

	ck_assert_int_eq(buf_reserve(&big, 70001), Q_OK);
	memset(big.p, '4', 70001);
	big.len = 70001;
	eio_open(p, ENGINE, sid);
	snprintf(request, sizeof(request),
		 "POST " ENGINE "?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: "
		 "x\r\nContent-Length: 70001\r\n\r\n",
		 sid);
	http_say(q, request); /* nothing of the body is needed */
	http_hear(q, 413, NULL);
	http_free(q);
	snprintf(request, sizeof(request),
		 "POST " ENGINE "?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: "
		 "x\r\nContent-Length: 70000\r\n\r\n",
		 sid);
	http_say(p, request);
	http_send(p, span_of(big.p, 70000));
	http_hear(p, 200, "ok");
	eio_ask_poll(p, ENGINE, sid);
	http_hear(p, 200, NULL);
	ck_assert(span_eq(p->body, span_of(big.p, 70000)));

	ws = eio_ws(h, ENGINE, sid);
	ws_put_header(ws, EIO_TEXT, 70001);
	ws_hear_close(ws, 1009);
	http_free(ws);
	buf_free(&big);
	http_free(p);
	harness_free(h);
}
END_TEST

/* A body on its way; left of it are bytes that are '4' each. */
struct upload {
	struct http_peer *p;
	size_t left;
};

/* Send what the server takes, until it takes nothing for a while. */
static void
push(struct upload *uploads, size_t count)
{
	static uint8_t some[1 << 20];
	struct pollfd w[8];
	size_t at[8], n;

	memset(some, '4', sizeof(some));
	for (;;) {
		n = 0;
		for (size_t i = 0; i < count; i++) {
			if (uploads[i].left == 0)
				continue;
			w[n] = (struct pollfd){.fd = uploads[i].p->fd, .events = POLLOUT};
			at[n++] = i;
		}
		if (n == 0 || poll(w, n, 300) <= 0)
			return;
		for (size_t k = 0; k < n; k++) {
			size_t *left = &uploads[at[k]].left;
			size_t most = *left < sizeof(some) ? *left : sizeof(some);
			ssize_t sent;

			if (w[k].revents == 0)
				continue;
			sent = send(w[k].fd, some, most, MSG_DONTWAIT | MSG_NOSIGNAL);
			ck_assert_int_gt(sent, 0);
			*left -= (size_t)sent;
		}
	}
}

/* Large bodies share max_inflight: while two are going on, others that do not fit beside
 * them are not even begun to be read, and small ones are.  One that gives up waiting is in
 * nobody's way. */
START_TEST(in_flight)
{
	enum { SIZE = 12 << 20, FIT = 2, ALL = 5 };
	struct harness *h =
	    sio_start(EIO_CALM, "max_inflight=25200000", "max_payload=12582912", NULL);
	struct upload u[ALL];
	struct http_peer *small;
	char sid[SID_SIZE], head[512];

	for (int i = 0; i < ALL; i++) {
		u[i].p = eio_client(h, ENGINE, sid);
		snprintf(head, sizeof(head),
			 "POST " ENGINE "?EIO=4&transport=polling&sid=%s HTTP/1.1\r\n"
			 "Host: x\r\nContent-Length: %d\r\n\r\n",
			 sid, SIZE);
		http_say(u[i].p, head);
		u[i].left = SIZE - 1;
		/* More than sockets hold is read of those that fit: so they are in. */
		if (i < FIT)
			HARNESS_UNTIL((push(&u[i], 1), u[i].left == 0));
	}
	push(u, ALL);
	for (int i = FIT; i < ALL; i++)
		ck_assert_uint_gt(u[i].left, 0);
	small = eio_client(h, ENGINE, sid);
	eio_post(small, ENGINE, sid, "4x", 200, "ok");
	eio_poll(small, ENGINE, sid, 200, "4x");
	http_free(small);

	http_free(u[FIT].p);
	u[FIT].left = 0;
	http_say(u[0].p, "4");
	http_hear(u[0].p, 200, "ok");
	for (int i = FIT + 1; i < ALL; i++)
		u[i].left++;
	HARNESS_UNTIL((push(u, ALL), u[ALL - 1].left == 0 && u[ALL - 2].left == 0));
	for (int i = FIT + 1; i < ALL; i++)
		http_hear(u[i].p, 200, "ok");
	http_say(u[1].p, "4");
	http_hear(u[1].p, 200, "ok");
	for (int i = 0; i < ALL; i++)
		if (i != FIT)
			http_free(u[i].p);
	harness_free(h);
}
END_TEST

/* One poll carries max_payload, but at least one packet. */
START_TEST(full_polls)
{
	struct harness *h = sio_start(EIO_CALM, "max_payload=100", NULL);
	struct http_peer *p;
	char sid[SID_SIZE], forty[42] = "4", body[128];

	memset(forty + 1, 'x', 39);
	p = eio_client(h, ENGINE, sid);
	snprintf(body, sizeof(body), "%s" EIO_RS "%s", forty, forty);
	for (int i = 0; i < 3; i++)
		eio_post(p, ENGINE, sid, i == 2 ? "4end" : body, 200, "ok");
	eio_poll(p, ENGINE, sid, 200, body);
	snprintf(body, sizeof(body), "%s" EIO_RS "%s" EIO_RS "4end", forty, forty);
	eio_poll(p, ENGINE, sid, 200, body);
	http_free(p);
	harness_free(h);
}
END_TEST

/* Who takes nothing is ended once max_backlog waits, and others are not. */
START_TEST(slow_receiver)
{
	struct harness *h = sio_start(EIO_CALM, "max_backlog=1000", NULL);
	struct http_peer *p, *q;
	char sid[SID_SIZE], other[SID_SIZE], message[202] = "4";

	memset(message + 1, 'x', 200);
	p = eio_client(h, ENGINE, sid);
	q = eio_client(h, ENGINE, other);
	for (int i = 0; i < 4; i++)
		eio_post(p, ENGINE, sid, message, 200, "ok");
	HARNESS_UNTIL((eio_ask_post(p, ENGINE, sid, message), http_read(p, false),
		       p->status == 400 || p->status == 200));
	HARNESS_UNTIL(
	    (eio_ask_poll(p, ENGINE, sid), http_read(p, false), p->status == 400));
	eio_post(q, ENGINE, other, "4x", 200, "ok");
	eio_poll(q, ENGINE, other, 200, "4x");
	http_free(q);
	http_free(p);
	harness_free(h);
}
END_TEST

/* Polls whose answers nobody reads: the stop goes past them.  It would wait a second for
 * each, if it waited. */
START_TEST(stop_beside_slow_polls)
{
	enum { MANY = 10, SIZE = 5000000 }; /* more than a socket and an outbox hold */
	struct harness *h =
	    sio_start(EIO_CALM, "max_payload=6000000", "server.drain=0", NULL);
	char *message = malloc(SIZE + 1), sid[SID_SIZE];
	struct http_peer *p[MANY], *q = http_connect(h);
	int64_t until_ms;

	ck_assert_ptr_nonnull(message);
	memset(message, '4', SIZE);
	message[SIZE] = '\0';
	for (int i = 0; i < MANY; i++) {
		p[i] = http_connect(h);
		eio_open(q, ENGINE, sid);
		eio_post(q, ENGINE, sid, message, 200, "ok");
		eio_ask_poll(p[i], ENGINE, sid);
		ck_assert(http_await(p[i], 1));
	}
	until_ms = harness_deadline(MANY * 1000);
	harness_stop(h);
	ck_assert_int_lt(clock_mono_ms(), until_ms);
	for (int i = 0; i < MANY; i++)
		http_free(p[i]);
	http_free(q);
	free(message);
	harness_free(h);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("engineio_limits");
	TCase *tc = harness_case(suite, "engineio_limits");

	tcase_add_test(tc, too_large);
	tcase_add_test(tc, in_flight);
	tcase_add_test(tc, full_polls);
	tcase_add_test(tc, slow_receiver);
	tcase_add_test(tc, stop_beside_slow_polls);
	return harness_main(suite);
}
