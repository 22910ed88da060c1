/* SPDX-License-Identifier: MIT
 *
 * Engine.IO on the raw wire, against sio-echo: handshakes, polling, time, ends, the way
 * from polling to WebSocket, limits.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/system/sio_peer.h"

#define TEXT   1
#define BINARY 2
#define PING   9
#define PONG   10
#define RS     "\x1e"
#define CALM   "ping_interval=60000" /* no pings between */

/* ---- handshakes ---- */

START_TEST(handshake)
{
	struct harness *h = sio_start(NULL);
	struct http_peer *p = http_connect(h), *ws;
	char sid[SID_SIZE], other[SID_SIZE], want[256];

	eio_open(p, ENGINE, sid);
	ck_assert_uint_eq(strlen(sid), 20);
	snprintf(want, sizeof(want),
		 "0{\"sid\":\"%s\",\"upgrades\":[\"websocket\"],\"pingInterval\":300,"
		 "\"pingTimeout\":200,\"maxPayload\":1000000}",
		 sid);
	ck_assert(span_eq(p->body, span_str(want)));
	ck_assert_str_eq(http_header(p, "Content-Type"), "text/plain; charset=UTF-8");
	ck_assert_str_eq(http_header(p, "Cache-Control"), "no-store");
	ck_assert_ptr_null(http_header(p, "Connection"));
	eio_open(p, ENGINE, other);
	ck_assert_str_ne(sid, other);

	ws = ws_connect(h, ENGINE "?transport=websocket&t=burst&EIO=4", false);
	{
		struct span got;

		ck_assert_int_eq(ws_next(ws, &got), WS_FIN | TEXT);
		snprintf(sid, sizeof(sid), "%.20s", (const char *)got.p + 9);
		snprintf(want, sizeof(want),
			 "0{\"sid\":\"%s\",\"upgrades\":[],\"pingInterval\":300,"
			 "\"pingTimeout\":200,\"maxPayload\":1000000}",
			 sid);
		ck_assert(span_eq(got, span_str(want)));
	}
	http_free(ws);
	http_free(p);
	harness_free(h);
}
END_TEST

START_TEST(refusals)
{
#define UNSUPPORTED "{\"code\":5,\"message\":\"Unsupported protocol version\"}"
#define TRANSPORT   "{\"code\":0,\"message\":\"Transport unknown\"}"
#define UNKNOWN     "{\"code\":1,\"message\":\"Session ID unknown\"}"
#define METHOD      "{\"code\":2,\"message\":\"Bad handshake method\"}"
#define BAD         "{\"code\":3,\"message\":\"Bad request\"}"
	static const struct {
		const char *method, *query, *body;
	} cases[] = {
	    {"GET", "transport=polling", UNSUPPORTED},
	    {"GET", "EIO=abc&transport=polling", UNSUPPORTED},
	    {"GET", "EIO=3&transport=polling", UNSUPPORTED},
	    {"GET", "EIO=4", TRANSPORT},
	    {"GET", "EIO=4&transport=abc", TRANSPORT},
	    {"POST", "EIO=4&transport=polling", METHOD},
	    {"PUT", "EIO=4&transport=polling", METHOD},
	    {"GET", "EIO=4&transport=polling&sid=abc", UNKNOWN},
	    {"GET", "EIO=4&transport=polling&sid=", UNKNOWN},
	    {"GET", "EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAAAAAA", UNKNOWN},
	    {"POST", "EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAAAAAA", UNKNOWN},
	    {"GET", "EIO=4&transport=websocket", BAD},
	    {"GET", "EIO=4&transport=websocket&sid=AAAAAAAAAAAAAAAAAAAA", UNKNOWN},
	};
	struct harness *h = sio_start(NULL);
	struct http_peer *p = http_connect(h);
	char request[512];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(request, sizeof(request),
			 "%s " ENGINE "?%s HTTP/1.1\r\nHost: x\r\nContent-Length: "
			 "0\r\n\r\n",
			 cases[i].method, cases[i].query);
		http_say(p, request);
		http_hear(p, 400, cases[i].body);
		ck_assert_str_eq(http_header(p, "Content-Type"), "application/json");
	}
	http_free(p);
	p = ws_ask(h, ENGINE "?EIO=4&transport=websocket&sid=AAAAAAAAAAAAAAAAAAAA",
		   WS_HEADERS);
	ck_assert_int_eq(p->status, 400);
	ck_assert(span_eq(p->body, span_str(UNKNOWN)));
	http_free(p);
	p = ws_ask(h, ENGINE "?EIO=3&transport=websocket", WS_HEADERS);
	ck_assert_int_eq(p->status, 400);
	http_free(p);
	ck_assert_int_eq(http_status_of(h, "DELETE " ENGINE "?EIO=4&transport=polling "
					   "HTTP/1.1\r\nHost: x\r\n\r\n"),
			 405);
	harness_free(h);
}
END_TEST

/* ---- messages ---- */

START_TEST(polling_echo)
{
	struct harness *h = sio_start(CALM, NULL);
	struct http_peer *p = http_connect(h), *q = http_connect(h);
	char sid[SID_SIZE];

	eio_open(p, ENGINE, sid);
	eio_post(p, ENGINE, sid, "4hello", 200, "ok");
	ck_assert_str_eq(http_header(p, "Content-Type"), "text/plain; charset=UTF-8");
	eio_poll(p, ENGINE, sid, 200, "4hello");
	/* Several in one, in order; one that waits. */
	eio_post(p, ENGINE, sid, "4a" RS "4\xe2\x82\xac" RS "bAQIDBA==" RS "4", 200,
		 "ok");
	eio_poll(p, ENGINE, sid, 200, "4a" RS "4\xe2\x82\xac" RS "bAQIDBA==" RS "4");
	eio_ask_poll(q, ENGINE, sid);
	eio_post(p, ENGINE, sid, "4later", 200, "ok");
	http_hear(q, 200, "4later");
	/* What a server need not care about. */
	eio_post(p, ENGINE, sid, "6" RS "3" RS "4x", 200, "ok");
	eio_poll(p, ENGINE, sid, 200, "4x");
	http_free(q);
	http_free(p);
	harness_free(h);
}
END_TEST

START_TEST(websocket_echo)
{
	struct harness *h = sio_start(CALM, NULL);
	char sid[SID_SIZE];
	struct http_peer *p = eio_ws(h, ENGINE, sid), *q = http_connect(h);

	eio_say(p, "4hello");
	eio_hear(p, "4hello");
	ws_put(p, WS_FIN | BINARY, "\1\2\0\4", 4);
	ws_hear(p, WS_FIN | BINARY, "\1\2\0\4", 4);
	eio_say(p, "4");
	eio_hear(p, "4");
	/* Its id is of no use to a poll. */
	eio_poll(q, ENGINE, sid, 400, BAD);
	eio_post(q, ENGINE, sid, "4x", 400, BAD);
	http_free(q);
	eio_say(p, "1");
	ws_hear_close(p, 1000);
	http_free(p);
	harness_free(h);
}
END_TEST

/* Large ones come in pieces that make the same message. */
START_TEST(large_messages)
{
	enum { SIZE = 900000 };
	struct harness *h = sio_start(CALM, NULL);
	struct buf big = BUF_INIT(SIZE), got = BUF_INIT(SIZE);
	char sid[SID_SIZE];
	struct http_peer *p = eio_ws(h, ENGINE, sid);
	bool whole = false, pong = false;
	struct span part;
	uint8_t first;

	ck_assert_int_eq(buf_reserve(&big, SIZE), Q_OK);
	for (size_t i = 0; i < SIZE; i++)
		big.p[i] = (uint8_t)(i * 7 + i / 251);
	big.len = SIZE;
	ws_put(p, WS_FIN | BINARY, big.p, SIZE);
	ws_put(p, WS_FIN | PING, "ping", 4);
	while (!whole || !pong) {
		first = ws_next(p, &part);
		if (first == (WS_FIN | PONG)) { /* between two pieces, or behind */
			pong = true;
			continue;
		}
		ck_assert(!whole);
		ck_assert_uint_eq(first & 0x0f, got.len == 0 ? BINARY : 0);
		ck_assert_int_eq(buf_put_span(&got, part), Q_OK);
		whole = (first & WS_FIN) != 0;
	}
	ck_assert(span_eq(buf_span(&got), buf_span(&big)));
	buf_free(&got);
	buf_free(&big);
	http_free(p);
	harness_free(h);
}
END_TEST

/* ---- time ---- */

START_TEST(heartbeat)
{
	struct harness *h = sio_start("ping_timeout=2000", NULL);
	struct http_peer *p = http_connect(h), *ws;
	char sid[SID_SIZE];

	eio_open(p, ENGINE, sid);
	for (int i = 0; i < 3; i++) {
		eio_poll(p, ENGINE, sid, 200, "2");
		eio_post(p, ENGINE, sid, "3", 200, "ok");
	}
	ws = eio_ws(h, ENGINE, sid);
	for (int i = 0; i < 3; i++) {
		eio_hear(ws, "2");
		eio_say(ws, "3");
	}
	eio_say(ws, "4still here");
	eio_hear(ws, "4still here");
	/* And now nothing. */
	eio_hear(ws, "2");
	ws_hear_close(ws, 1001);
	http_free(ws);
	http_free(p);
	harness_free(h);
}
END_TEST

static void
wait_until(int64_t ms)
{
	while (clock_mono_ms() < ms)
		usleep(200);
}

/* To the millisecond, whatever timers do. */
START_TEST(ping_timeout_exactly)
{
	struct harness *h = sio_start(NULL);
	struct http_peer *p = http_connect(h);
	char sid[SID_SIZE];
	int64_t opened;

	eio_open(p, ENGINE, sid);
	opened = clock_mono_ms();
	wait_until(opened + 500);
	eio_poll(p, ENGINE, sid, 400, UNKNOWN);
	http_free(p);
	harness_free(h);
}
END_TEST

/* Before, there is a ping; one that waits when the time is over is told. */
START_TEST(ping_timeout)
{
	struct harness *h = sio_start("ping_interval=2500", "ping_timeout=2000", NULL);
	struct http_peer *p = http_connect(h);
	int64_t before = clock_mono_ms();
	char sid[SID_SIZE];

	eio_open(p, ENGINE, sid);
	eio_poll(p, ENGINE, sid, 200, "2");
	eio_poll(p, ENGINE, sid, 200, "1");
	ck_assert_int_ge(clock_mono_ms() - before, 4500);
	eio_poll(p, ENGINE, sid, 400, UNKNOWN);
	http_free(p);
	harness_free(h);
}
END_TEST

/* A poll holds its worker for a ping interval. */
START_TEST(idle_poll)
{
	struct harness *h = sio_start("ping_timeout=5000", NULL);
	struct http_peer *p = http_connect(h);
	char sid[SID_SIZE];

	eio_open(p, ENGINE, sid);
	eio_poll(p, ENGINE, sid, 200, "2");
	eio_poll(p, ENGINE, sid, 200, "6");
	eio_post(p, ENGINE, sid, "3", 200, "ok");
	eio_poll(p, ENGINE, sid, 200, "2");
	http_free(p);
	harness_free(h);
}
END_TEST

/* ---- ends and mistakes ---- */

START_TEST(two_polls)
{
	struct harness *h = sio_start(CALM, NULL);
	struct http_peer *p = http_connect(h), *q = http_connect(h), *first;
	char sid[SID_SIZE];

	eio_open(p, ENGINE, sid);
	eio_ask_poll(p, ENGINE, sid);
	eio_ask_poll(q, ENGINE, sid);
	http_read(p, false);
	http_read(q, false);
	/* Which one was first only the server knows. */
	first = p->status == 200 ? p : q;
	ck_assert_int_eq(first->status, 200);
	ck_assert(span_eq(first->body, span_str("1")));
	ck_assert_int_eq((first == p ? q : p)->status, 400);
	eio_poll(p, ENGINE, sid, 400, UNKNOWN);
	http_free(q);
	http_free(p);
	harness_free(h);
}
END_TEST

START_TEST(client_closes)
{
	struct harness *h = sio_start(CALM, NULL);
	struct http_peer *p = http_connect(h), *q = http_connect(h);
	char sid[SID_SIZE];
	int released = 0;

	for (int i = 0; i < 50; i++) {
		eio_open(p, ENGINE, sid);
		eio_ask_poll(p, ENGINE, sid);
		eio_post(q, ENGINE, sid, "1", 200, "ok");
		/* Now and then the post overtakes the poll. */
		http_read(p, false);
		if (p->status == 200) {
			ck_assert(span_eq(p->body, span_str("6")));
			released++;
		}
		eio_poll(p, ENGINE, sid, 400, UNKNOWN);
	}
	ck_assert_int_gt(released, 0);
	http_free(q);
	http_free(p);
	harness_free(h);
}
END_TEST

START_TEST(invalid_packets)
{
	static const char *const bodies[] = {"abc", "",  "4ok" RS, RS "4",  "7",
					     "0",   "2", "b***",   "4\xff", "4a" RS "x"};
	static const char *const frames[] = {"abc", "", "7", "0{}", "2"};
	struct harness *h = sio_start(CALM, NULL);
	struct http_peer *p = http_connect(h), *ws;
	char sid[SID_SIZE];

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		eio_open(p, ENGINE, sid);
		eio_post(p, ENGINE, sid, bodies[i], 400, BAD);
		eio_poll(p, ENGINE, sid, 400, UNKNOWN);
	}
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		ws = eio_ws(h, ENGINE, sid);
		eio_say(ws, frames[i]);
		ws_hear_close(ws, 1002);
		http_free(ws);
	}
	http_free(p);
	harness_free(h);
}
END_TEST

/* ---- from polling to WebSocket ---- */

START_TEST(upgrade)
{
	struct harness *h = sio_start(CALM, NULL);
	struct http_peer *p = http_connect(h), *ws, *second;
	char sid[SID_SIZE];

	eio_open(p, ENGINE, sid);
	eio_ask_poll(p, ENGINE, sid);
	ws = eio_ws_for(h, ENGINE, sid);
	eio_say(ws, "2probe");
	eio_hear(ws, "3probe");
	http_hear(p, 200, "6");
	eio_poll(p, ENGINE, sid, 200, "6");
	/* Polling carries what comes meanwhile. */
	eio_post(p, ENGINE, sid, "4before", 200, "ok");
	eio_poll(p, ENGINE, sid, 200, "4before");
	eio_post(p, ENGINE, sid, "4between", 200, "ok");
	eio_say(ws, "5");
	eio_hear(ws, "4between");
	eio_say(ws, "4behind");
	eio_hear(ws, "4behind");
	eio_poll(p, ENGINE, sid, 400, BAD);
	second = eio_ws_for(h, ENGINE, sid);
	ws_hear_close(second, 1000);
	http_free(second);
	eio_say(ws, "4still here");
	eio_hear(ws, "4still here");
	http_free(ws);
	http_free(p);
	harness_free(h);
}
END_TEST

/* Everything at once; what must not happen would, now and then. */
START_TEST(hasty_upgrade)
{
	struct harness *h = sio_start(CALM, NULL);
	struct http_peer *p = http_connect(h);
	char sid[SID_SIZE];

	for (int i = 0; i < 30; i++) {
		struct http_peer *q = http_connect(h), *ws, *second;

		eio_open(p, ENGINE, sid);
		ws = eio_ws_for(h, ENGINE, sid);
		eio_say(ws, "2probe");
		eio_say(ws, "5");
		if (i % 2 == 0) {
			eio_poll(q, ENGINE, sid, 400, BAD);
		} else {
			second = eio_ws_for(h, ENGINE, sid);
			ws_hear_close(second, 1000);
			http_free(second);
		}
		eio_hear(ws, "3probe");
		eio_say(ws, "4x");
		eio_hear(ws, "4x");
		http_free(ws);
		http_free(q);
	}
	http_free(p);
	harness_free(h);
}
END_TEST

/* A WebSocket that does not come to its end leaves polling as it was. */
START_TEST(failed_upgrades)
{
	struct harness *h = sio_start(CALM, NULL);
	struct http_peer *p = http_connect(h), *ws;
	char sid[SID_SIZE];

	eio_open(p, ENGINE, sid);
	ws = eio_ws_for(h, ENGINE, sid);
	eio_say(ws, "4not a probe");
	ws_hear_close(ws, 1002);
	http_free(ws);
	ws = eio_ws_for(h, ENGINE, sid);
	eio_say(ws, "2probe");
	eio_hear(ws, "3probe");
	eio_say(ws, "4too early");
	ws_hear_close(ws, 1002);
	http_free(ws);
	ws = eio_ws_for(h, ENGINE, sid);
	eio_say(ws, "2probe");
	eio_hear(ws, "3probe");
	http_free(ws);
	eio_post(p, ENGINE, sid, "4still here", 200, "ok");
	eio_poll(p, ENGINE, sid, 200, "4still here");
	/* And another one succeeds, when it is known that this one is gone. */
	for (int64_t until = harness_deadline(HARNESS_WAIT);;) {
		struct span answer;

		ws = eio_ws_for(h, ENGINE, sid);
		eio_say(ws, "2probe");
		if (ws_next(ws, &answer) == (WS_FIN | TEXT))
			break;
		http_free(ws);
		harness_nap(until, "the next upgrade succeeds");
	}
	eio_say(ws, "5");
	eio_say(ws, "4x");
	eio_hear(ws, "4x");
	http_free(ws);
	http_free(p);
	harness_free(h);
}
END_TEST

/* ---- limits ---- */

START_TEST(too_large)
{
	struct harness *h = sio_start(CALM, "max_payload=70000", NULL);
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
	ws_put_header(ws, WS_FIN | TEXT, 70001);
	ws_hear_close(ws, 1009);
	http_free(ws);
	buf_free(&big);
	http_free(p);
	harness_free(h);
}
END_TEST

static void
begin_upload(struct http_peer *p, const char *sid, size_t n)
{
	char request[512];

	snprintf(request, sizeof(request),
		 "POST " ENGINE "?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: "
		 "x\r\nContent-Length: %zu\r\n\r\n",
		 sid, n);
	http_say(p, request);
}

/* Large bodies share max_inflight: while one is going on, another one that does not fit
 * beside it is not even begun to be read, and small ones are. */
START_TEST(in_flight)
{
	enum { SIZE = 16 << 20 };
	struct harness *h =
	    sio_start(CALM, "max_inflight=16800000", "max_payload=16777216", NULL);
	struct http_peer *p = http_connect(h), *q = http_connect(h), *r = http_connect(h);
	char sid[SID_SIZE], other[SID_SIZE], small[SID_SIZE];
	uint8_t *big = malloc(SIZE);
	size_t taken = 0;
	struct pollfd w = {.fd = q->fd, .events = POLLOUT};

	ck_assert_ptr_nonnull(big);
	memset(big, '4', SIZE);
	eio_open(p, ENGINE, sid);
	eio_open(q, ENGINE, other);
	begin_upload(p, sid, SIZE);
	/* More than sockets hold was read: so it is in. */
	http_send(p, span_of(big, SIZE - 1));
	begin_upload(q, other, SIZE);
	while (taken < SIZE - 1 && poll(&w, 1, 300) == 1) {
		ssize_t n =
		    send(q->fd, big, SIZE - 1 - taken, MSG_DONTWAIT | MSG_NOSIGNAL);

		ck_assert_int_gt(n, 0);
		taken += (size_t)n;
	}
	ck_assert_uint_lt(taken, SIZE - 1);
	eio_open(r, ENGINE, small);
	eio_post(r, ENGINE, small, "4x", 200, "ok");
	eio_poll(r, ENGINE, small, 200, "4x");
	http_free(r);
	http_send(p, span_of(big, 1));
	http_hear(p, 200, "ok");
	http_send(q, span_of(big, SIZE - taken));
	http_hear(q, 200, "ok");
	http_free(q);
	http_free(p);
	free(big);
	harness_free(h);
}
END_TEST

/* One poll carries max_payload, but at least one packet. */
START_TEST(full_polls)
{
	struct harness *h = sio_start(CALM, "max_payload=100", NULL);
	struct http_peer *p = http_connect(h);
	char sid[SID_SIZE], forty[42] = "4", body[128];

	memset(forty + 1, 'x', 39);
	eio_open(p, ENGINE, sid);
	snprintf(body, sizeof(body), "%s" RS "%s", forty, forty);
	for (int i = 0; i < 3; i++)
		eio_post(p, ENGINE, sid, i == 2 ? "4end" : body, 200, "ok");
	eio_poll(p, ENGINE, sid, 200, body);
	snprintf(body, sizeof(body), "%s" RS "%s" RS "4end", forty, forty);
	eio_poll(p, ENGINE, sid, 200, body);
	http_free(p);
	harness_free(h);
}
END_TEST

/* Who takes nothing is ended once max_backlog waits, and others are not. */
START_TEST(slow_receiver)
{
	struct harness *h = sio_start(CALM, "max_backlog=1000", NULL);
	struct http_peer *p = http_connect(h), *q = http_connect(h);
	char sid[SID_SIZE], other[SID_SIZE], message[202] = "4";

	memset(message + 1, 'x', 200);
	eio_open(p, ENGINE, sid);
	eio_open(q, ENGINE, other);
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

/* ---- other origins ---- */

START_TEST(origins)
{
	static const char get[] = "GET " ENGINE "?EIO=4&transport=polling HTTP/1.1\r\n"
				  "Host: x\r\nOrigin: ";
	struct harness *h = sio_start("http.origins=http://a.example", NULL);
	struct http_peer *p = http_connect(h);
	char request[512];

	snprintf(request, sizeof(request), "%shttp://a.example\r\n\r\n", get);
	http_say(p, request);
	http_hear(p, 200, NULL);
	ck_assert_str_eq(http_header(p, "Access-Control-Allow-Origin"),
			 "http://a.example");
	ck_assert_str_eq(http_header(p, "Vary"), "Origin");
	ck_assert_ptr_null(http_header(p, "Access-Control-Allow-Credentials"));
	/* Mistakes have the headers, too, or the page could not read them. */
	http_say(p, "GET " ENGINE "?EIO=4 HTTP/1.1\r\nHost: x\r\n"
		    "Origin: http://a.example\r\n\r\n");
	http_hear(p, 400, TRANSPORT);
	ck_assert_str_eq(http_header(p, "Access-Control-Allow-Origin"),
			 "http://a.example");
	http_say(p, "OPTIONS " ENGINE "?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n"
		    "Origin: http://a.example\r\n"
		    "Access-Control-Request-Method: POST\r\n\r\n");
	http_hear(p, 204, NULL);
	ck_assert_ptr_nonnull(
	    strstr(http_header(p, "Access-Control-Allow-Methods"), "POST"));
	snprintf(request, sizeof(request), "%shttp://x\r\n\r\n", get);
	http_say(p, request);
	http_hear(p, 200, NULL);
	ck_assert_ptr_null(http_header(p, "Access-Control-Allow-Origin"));
	snprintf(request, sizeof(request), "%shttp://b.example\r\n\r\n", get);
	http_say(p, request);
	http_hear(p, 403, NULL);
	http_free(p);
	harness_free(h);
}
END_TEST

/* ---- the server stops ---- */

START_TEST(server_stops)
{
	struct harness *h = sio_start(CALM, NULL);
	struct http_peer *p = http_connect(h), *q = http_connect(h), *ws;
	char sid[SID_SIZE], idle[SID_SIZE];

	eio_open(q, ENGINE, idle);
	eio_open(p, ENGINE, sid);
	eio_ask_poll(p, ENGINE, sid);
	ws = eio_ws(h, ENGINE, sid);
	harness_stop(h);
	http_hear(p, 200, "1");
	ws_hear_close(ws, 1001);
	http_free(ws);
	http_free(q);
	http_free(p);
	harness_free(h);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("engineio");
	TCase *tc = harness_case(suite, "engineio");

	tcase_add_test(tc, handshake);
	tcase_add_test(tc, refusals);
	tcase_add_test(tc, polling_echo);
	tcase_add_test(tc, websocket_echo);
	tcase_add_test(tc, large_messages);
	tcase_add_test(tc, heartbeat);
	tcase_add_test(tc, ping_timeout_exactly);
	tcase_add_test(tc, ping_timeout);
	tcase_add_test(tc, idle_poll);
	tcase_add_test(tc, two_polls);
	tcase_add_test(tc, client_closes);
	tcase_add_test(tc, invalid_packets);
	tcase_add_test(tc, upgrade);
	tcase_add_test(tc, hasty_upgrade);
	tcase_add_test(tc, failed_upgrades);
	tcase_add_test(tc, too_large);
	tcase_add_test(tc, in_flight);
	tcase_add_test(tc, full_polls);
	tcase_add_test(tc, slow_receiver);
	tcase_add_test(tc, origins);
	tcase_add_test(tc, server_stops);
	return harness_main(suite);
}
