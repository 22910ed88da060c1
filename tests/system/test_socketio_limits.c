/* SPDX-License-Identifier: MIT
 *
 * Socket.IO on the raw wire, against sio-echo: what a client may send before a login and
 * behind it (`raise`), how slowly, and how long it may wait for others.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/system/sio_peer.h"

#define TEXT 1

/* A client by polling that may send more. */
static struct http_peer *
raised(struct harness *h, char sid[SID_SIZE])
{
	struct http_peer *p = sio_client_poll(h, sid);

	eio_post(p, SOCKET, sid, "427[\"raise\"]", 200, "ok");
	eio_poll(p, SOCKET, sid, 200, "437[]");
	return p;
}

/* The beginning of a body of n bytes, an event. */
static void
begin_post(struct http_peer *p, const char *sid, size_t n)
{
	char request[512];

	snprintf(request, sizeof(request),
		 "POST " SOCKET "?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: x\r\n"
		 "Content-Length: %zu\r\n\r\n42[\"message\",",
		 sid, n);
	http_say(p, request);
}

START_TEST(limit_is_raised)
{
	enum { SIZE = 100000 };
	struct harness *h =
	    sio_start(EIO_CALM, "max_message=65536", "max_payload=200000", NULL);
	struct http_peer *p = sio_client(h);
	char *big = calloc(1, SIZE + 1);

	ck_assert_ptr_nonnull(big);
	ws_put_header(p, EIO_TEXT, 65537);
	ws_hear_close(p, 1009);
	http_free(p);
	p = sio_client(h);
	snprintf(big, SIZE, "42[\"message\",\"");
	memset(big + strlen(big), 'x', SIZE - strlen(big) - 2);
	big[SIZE - 2] = '"';
	big[SIZE - 1] = ']';
	eio_say(p, "427[\"raise\"]");
	eio_hear(p, "437[]");
	ws_put(p, EIO_TEXT, big, SIZE);
	{
		struct span part;

		ck_assert_int_eq(ws_next(p, &part), TEXT);
		ck_assert(memcmp(part.p, "42[\"message-back\",\"xxx", 21) == 0);
	}
	free(big);
	http_free(p);
	harness_free(h);
}
END_TEST

/* A body that comes slowly is patiently waited for after a login, and for that long the
 * client need not answer pings; before, and when nothing flows, it is not. */
START_TEST(slow_upload)
{
	struct harness *h = sio_start(
	    "max_message=65536", "max_payload=200000", "ping_interval=1500",
	    "ping_timeout=300", "http.request_timeout=1s", "http.min_rate=100", NULL);
	char sid[SID_SIZE];
	struct http_peer *p = raised(h, sid);
	int64_t begun;

	begin_post(p, sid, 1015);
	/* Three seconds, in pieces: longer than a request may take, and than a ping. */
	begun = clock_mono_ms();
	for (int i = 0; i < 100; i++) {
		http_say(p, "          ");
		while (clock_mono_ms() < begun + i * 30)
			usleep(1000);
	}
	http_say(p, "1]");
	http_hear(p, 200, "ok");
	http_free(p);

	p = sio_client_poll(h, sid);
	begin_post(p, sid, 1015);
	http_hear(p, 408, NULL);
	http_free(p);
	harness_free(h);
}
END_TEST

/* Blanks, ten at a time and too slowly, until the server says something. */
static void
trickle(struct http_peer *p)
{
	struct pollfd w = {.fd = p->fd, .events = POLLIN};
	int64_t until = harness_deadline(HARNESS_WAIT);

	while (poll(&w, 1, 30) == 0) {
		ck_assert_int_lt(clock_mono_ms(), until);
		http_send_some(p, span_str("          "));
	}
}

/* Bytes flow, but fewer than http.min_rate: cut, although each comes soon behind the one
 * before; whoever else there is does not notice. */
START_TEST(trickling_upload)
{
	struct harness *h =
	    sio_start(EIO_CALM, "max_message=65536", "max_payload=1000000",
		      "http.request_timeout=1s", "http.min_rate=1000", NULL);
	char sid[SID_SIZE], other[SID_SIZE];
	struct http_peer *p = raised(h, sid), *q = sio_client_poll(h, other), *ws;

	begin_post(p, sid, 900000);
	trickle(p);
	http_hear(p, 408, NULL);
	http_hear_end(p);
	http_free(p);
	/* The session itself is fine. */
	eio_post(q, SOCKET, sid, "42[\"message\",1]", 200, "ok");
	eio_poll(q, SOCKET, sid, 200, "42[\"message-back\",1]");

	ws = sio_client(h);
	eio_say(ws, "427[\"raise\"]");
	eio_hear(ws, "437[]");
	ws_put_header(ws, EIO_TEXT, 900000);
	trickle(ws);
	ws_hear_close(ws, 1008);
	http_free(ws);
	eio_post(q, SOCKET, other, "42[\"message\",2]", 200, "ok");
	eio_poll(q, SOCKET, other, 200, "42[\"message-back\",2]");
	http_free(q);
	harness_free(h);
}
END_TEST

/* The beginning of a large message, its header in two parts: the second is sent when the
 * first was read. */
static void
begin_message(struct http_peer *ws, size_t n)
{
	static const uint8_t both[] = {0x89, 0x80, 0, 0, 0, 0, 0x81, 0x80 | 127, 0};
	uint8_t rest[12] = {0};

	http_send(ws, span_of(both, sizeof(both)));
	ws_hear(ws, WS_FIN | 10, "", 0);
	for (size_t i = 0; i < 7; i++)
		rest[i] = (uint8_t)((uint64_t)n >> 8 * (6 - i));
	http_send(ws, span_of(rest, 11));
}

/* Who does not fit beside others waits, unread.  A POST is sent away after
 * http.request_timeout; a message on a WebSocket has its turn, however late. */
START_TEST(no_room)
{
	enum { SIZE = 12 << 20 };
	struct harness *h =
	    sio_start(EIO_CALM, "max_message=65536", "max_payload=12582912",
		      "max_inflight=12600000", "http.request_timeout=2s",
		      "http.min_rate=100", NULL);
	char sid[SID_SIZE], other[SID_SIZE];
	struct http_peer *p = raised(h, sid), *q = raised(h, other), *ws = sio_client(h);
	uint8_t *blanks = malloc(SIZE);

	ck_assert_ptr_nonnull(blanks);
	memset(blanks, ' ', SIZE);
	eio_say(ws, "427[\"raise\"]");
	eio_hear(ws, "437[]");
	begin_post(p, sid, SIZE);
	/* More than sockets hold: so it is in. */
	http_send(p, span_of(blanks, SIZE - 15));
	begin_message(ws, SIZE);
	begin_post(q, other, SIZE);
	http_hear(q, 503, NULL);
	http_free(q);
	http_say(p, "1]");
	http_hear(p, 200, "ok");
	http_free(p);

	http_say(ws, "42[\"message\",");
	http_send(ws, span_of(blanks, SIZE - 15));
	http_say(ws, "1]");
	eio_hear(ws, "42[\"message-back\",1]");
	http_free(ws);
	free(blanks);
	harness_free(h);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("socketio_limits");
	TCase *tc = harness_case(suite, "socketio_limits");

	tcase_add_test(tc, limit_is_raised);
	tcase_add_test(tc, slow_upload);
	tcase_add_test(tc, trickling_upload);
	tcase_add_test(tc, no_room);
	return harness_main(suite);
}
