/* SPDX-License-Identifier: MIT
 *
 * Engine.IO on the raw wire, against sio-echo: handshakes, messages, time, mistakes, ends.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/system/sio_peer.h"

#define BINARY 2
#define PING   9
#define PONG   10

/* ---- handshakes ---- */

START_TEST(handshake)
{
	struct harness *h = sio_start(NULL);
	struct http_peer *p, *ws;
	char sid[SID_SIZE], other[SID_SIZE], want[256];

	p = eio_client(h, ENGINE, sid);
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

		ck_assert_int_eq(ws_next(ws, &got), EIO_TEXT);
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
	static const struct {
		const char *method, *query, *body;
	} cases[] =
	    {
		{"GET", "transport=polling", EIO_SAYS_UNSUPPORTED},
		{"GET", "EIO=abc&transport=polling", EIO_SAYS_UNSUPPORTED},
		{"GET", "EIO=3&transport=polling", EIO_SAYS_UNSUPPORTED},
		{"GET", "EIO=4", EIO_SAYS_TRANSPORT},
		{"GET", "EIO=4&transport=abc", EIO_SAYS_TRANSPORT},
		{"POST", "EIO=4&transport=polling", EIO_SAYS_METHOD},
		{"PUT", "EIO=4&transport=polling", EIO_SAYS_METHOD},
		{"GET", "EIO=4&transport=polling&sid=abc", EIO_SAYS_UNKNOWN},
		{"GET", "EIO=4&transport=polling&sid=", EIO_SAYS_UNKNOWN},
		{"GET", "EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAAAAAA",
		 EIO_SAYS_UNKNOWN},
		{"POST", "EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAAAAAA",
		 EIO_SAYS_UNKNOWN},
		{"GET", "EIO=4&transport=websocket", EIO_SAYS_BAD},
		{"GET", "EIO=4&transport=websocket&sid=AAAAAAAAAAAAAAAAAAAA",
		 EIO_SAYS_UNKNOWN},
	    },
	  upgrades[] = {
	      {"", "transport=websocket", EIO_SAYS_UNSUPPORTED},
	      {"", "EIO=abc&transport=websocket", EIO_SAYS_UNSUPPORTED},
	      {"", "EIO=3&transport=websocket", EIO_SAYS_UNSUPPORTED},
	      {"", "EIO=4", EIO_SAYS_TRANSPORT},
	      {"", "EIO=4&transport=abc", EIO_SAYS_TRANSPORT},
	      {"", "EIO=4&transport=websocket&sid=AAAAAAAAAAAAAAAAAAAA",
	       EIO_SAYS_UNKNOWN},
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
	for (size_t i = 0; i < sizeof(upgrades) / sizeof(upgrades[0]); i++) {
		snprintf(request, sizeof(request), ENGINE "?%s", upgrades[i].query);
		p = ws_ask(h, request, WS_HEADERS);
		ck_assert_int_eq(p->status, 400);
		ck_assert(span_eq(p->body, span_str(upgrades[i].body)));
		http_free(p);
	}
	ck_assert_int_eq(http_status_of(h, "DELETE " ENGINE "?EIO=4&transport=polling "
					   "HTTP/1.1\r\nHost: x\r\n\r\n"),
			 405);
	harness_free(h);
}
END_TEST

/* ---- messages ---- */

START_TEST(polling_echo)
{
	struct harness *h = sio_start(EIO_CALM, NULL);
	struct http_peer *p, *q = http_connect(h);
	char sid[SID_SIZE];

	p = eio_client(h, ENGINE, sid);
	eio_post(p, ENGINE, sid, "4hello", 200, "ok");
	ck_assert_str_eq(http_header(p, "Content-Type"), "text/plain; charset=UTF-8");
	eio_poll(p, ENGINE, sid, 200, "4hello");
	/* Several in one, in order; one that waits. */
	eio_post(p, ENGINE, sid,
		 "4a" EIO_RS "4\xe2\x82\xac" EIO_RS "bAQIDBA==" EIO_RS "4", 200, "ok");
	eio_poll(p, ENGINE, sid, 200,
		 "4a" EIO_RS "4\xe2\x82\xac" EIO_RS "bAQIDBA==" EIO_RS "4");
	eio_ask_poll(q, ENGINE, sid);
	eio_post(p, ENGINE, sid, "4later", 200, "ok");
	http_hear(q, 200, "4later");
	/* What a server need not care about. */
	eio_post(p, ENGINE, sid, "6" EIO_RS "3" EIO_RS "4x", 200, "ok");
	eio_poll(p, ENGINE, sid, 200, "4x");
	http_free(q);
	http_free(p);
	harness_free(h);
}
END_TEST

START_TEST(websocket_echo)
{
	struct harness *h = sio_start(EIO_CALM, NULL);
	char sid[SID_SIZE];
	struct http_peer *p = eio_ws(h, ENGINE, sid), *q = http_connect(h);

	eio_say(p, "4hello");
	eio_hear(p, "4hello");
	ws_put(p, EIO_BINARY, "\1\2\0\4", 4);
	ws_hear(p, EIO_BINARY, "\1\2\0\4", 4);
	eio_say(p, "4");
	eio_hear(p, "4");
	/* Its id is of no use to a poll. */
	eio_poll(q, ENGINE, sid, 400, EIO_SAYS_BAD);
	eio_post(q, ENGINE, sid, "4x", 400, EIO_SAYS_BAD);
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
	struct harness *h = sio_start(EIO_CALM, NULL);
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
	ws_put(p, EIO_BINARY, big.p, SIZE);
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
	struct http_peer *p, *ws;
	char sid[SID_SIZE];

	p = eio_client(h, ENGINE, sid);
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
	struct http_peer *p;
	char sid[SID_SIZE];
	int64_t opened;

	p = eio_client(h, ENGINE, sid);
	opened = clock_mono_ms();
	wait_until(opened + 500);
	eio_poll(p, ENGINE, sid, 400, EIO_SAYS_UNKNOWN);
	http_free(p);
	harness_free(h);
}
END_TEST

/* Before, there is a ping; one that waits when the time is over is told. */
START_TEST(ping_timeout)
{
	struct harness *h = sio_start("ping_interval=2500", "ping_timeout=2000", NULL);
	struct http_peer *p;
	int64_t before = clock_mono_ms();
	char sid[SID_SIZE];

	p = eio_client(h, ENGINE, sid);
	eio_poll(p, ENGINE, sid, 200, "2");
	eio_poll(p, ENGINE, sid, 200, "1");
	ck_assert_int_ge(clock_mono_ms() - before, 4500);
	eio_poll(p, ENGINE, sid, 400, EIO_SAYS_UNKNOWN);
	http_free(p);
	harness_free(h);
}
END_TEST

/* A server that stood still asks first, by polling and over a WebSocket. */
START_TEST(server_stands_still)
{
	struct harness *h = sio_start("ping_interval=2000", "ping_timeout=3000", NULL);
	char sid[SID_SIZE];
	struct http_peer *p = eio_client(h, ENGINE, sid), *q = http_connect(h), *ws;
	int64_t frozen;

	eio_ask_poll(p, ENGINE, sid);
	ws = eio_ws(h, ENGINE, (char[SID_SIZE]){0});
	harness_freeze(h);
	frozen = clock_mono_ms();
	wait_until(frozen + 5100);
	kill(h->pid, SIGCONT);
	eio_hear(ws, "2");
	eio_say(ws, "3");
	http_hear(p, 200, "2");
	eio_post(q, ENGINE, sid, "3" EIO_RS "4x", 200, "ok");
	eio_poll(p, ENGINE, sid, 200, "4x");
	eio_say(ws, "4x");
	eio_hear(ws, "4x");
	http_free(ws);
	http_free(q);
	http_free(p);
	harness_free(h);
}
END_TEST

/* A poll holds its worker for a ping interval. */
START_TEST(idle_poll)
{
	struct harness *h = sio_start("ping_timeout=5000", NULL);
	struct http_peer *p;
	char sid[SID_SIZE];

	p = eio_client(h, ENGINE, sid);
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
	struct harness *h = sio_start(EIO_CALM, NULL);
	struct http_peer *p, *q = http_connect(h), *first;
	char sid[SID_SIZE];

	p = eio_client(h, ENGINE, sid);
	eio_ask_poll(p, ENGINE, sid);
	eio_ask_poll(q, ENGINE, sid);
	http_read(p, false);
	http_read(q, false);
	/* Which one was first only the server knows. */
	first = p->status == 200 ? p : q;
	ck_assert_int_eq(first->status, 200);
	ck_assert(span_eq(first->body, span_str("1")));
	ck_assert_int_eq((first == p ? q : p)->status, 400);
	eio_poll(p, ENGINE, sid, 400, EIO_SAYS_UNKNOWN);
	http_free(q);
	http_free(p);
	harness_free(h);
}
END_TEST

/* Who gives up a poll and polls again has lost what the first one was told: the end. */
START_TEST(cancelled_poll)
{
	struct harness *h = sio_start(EIO_CALM, NULL);
	struct http_peer *p, *q = http_connect(h);
	char sid[SID_SIZE];
	int refused = 0;

	for (int i = 0; i < 20 || refused == 0; i++) {
		ck_assert_int_lt(i, 1000);
		p = eio_client(h, ENGINE, sid);
		eio_ask_poll(p, ENGINE, sid);
		http_free(p);
		eio_ask_poll(q, ENGINE, sid);
		http_read(q, false);
		/* Now and then it overtakes the one that was given up. */
		if (q->status == 200)
			ck_assert(span_eq(q->body, span_str("1")));
		else
			refused++;
		eio_poll(q, ENGINE, sid, 400, EIO_SAYS_UNKNOWN);
	}
	http_free(q);
	harness_free(h);
}
END_TEST

START_TEST(client_closes)
{
	struct harness *h = sio_start(EIO_CALM, NULL);
	struct http_peer *p = http_connect(h), *q = http_connect(h);
	char sid[SID_SIZE];
	int released = 0;

	for (int i = 0; i < 50 || released == 0; i++) {
		ck_assert_int_lt(i, 1000);
		eio_open(p, ENGINE, sid);
		eio_ask_poll(p, ENGINE, sid);
		eio_post(q, ENGINE, sid, "1", 200, "ok");
		/* Now and then the post overtakes the poll. */
		http_read(p, false);
		if (p->status == 200) {
			ck_assert(span_eq(p->body, span_str("6")));
			released++;
		}
		eio_poll(p, ENGINE, sid, 400, EIO_SAYS_UNKNOWN);
	}
	http_free(q);
	http_free(p);
	harness_free(h);
}
END_TEST

START_TEST(invalid_packets)
{
	static const char *const bodies[] = {
	    "abc", "",  "4ok" EIO_RS, EIO_RS "4", "7",
	    "0",   "2", "b***",       "4\xff",    "4a" EIO_RS "x"};
	static const char *const frames[] = {"abc", "", "7", "0{}", "2"};
	struct harness *h = sio_start(EIO_CALM, NULL);
	struct http_peer *p = http_connect(h), *ws;
	char sid[SID_SIZE];

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		eio_open(p, ENGINE, sid);
		eio_post(p, ENGINE, sid, bodies[i], 400, EIO_SAYS_BAD);
		eio_poll(p, ENGINE, sid, 400, EIO_SAYS_UNKNOWN);
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
	http_hear(p, 400, EIO_SAYS_TRANSPORT);
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
	struct harness *h = sio_start(EIO_CALM, NULL);
	struct http_peer *p, *q, *ws;
	char sid[SID_SIZE], idle[SID_SIZE];

	q = eio_client(h, ENGINE, idle);
	p = eio_client(h, ENGINE, sid);
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
	tcase_add_test(tc, server_stands_still);
	tcase_add_test(tc, idle_poll);
	tcase_add_test(tc, two_polls);
	tcase_add_test(tc, cancelled_poll);
	tcase_add_test(tc, client_closes);
	tcase_add_test(tc, invalid_packets);
	tcase_add_test(tc, origins);
	tcase_add_test(tc, server_stops);
	return harness_main(suite);
}
