/* SPDX-License-Identifier: MIT
 *
 * HTTP/1.1 on the one port: what is answered, what is refused, what is slow.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/system/http_peer.h"

#define GET "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"

/* ---- answers ---- */

START_TEST(health)
{
	struct harness *h = harness_start(NULL);
	struct http_peer *p = _i == 0 ? http_connect(h) : http_connect_tls(h);

	for (int i = 0; i < 3; i++) { /* one connection */
		http_say(p, GET);
		http_hear(p, 200, "ok\n");
		ck_assert_str_eq(http_header(p, "Content-Type"),
				 "text/plain; charset=UTF-8");
		ck_assert_str_eq(http_header(p, "X-Content-Type-Options"), "nosniff");
		ck_assert_ptr_nonnull(http_header(p, "Date"));
		ck_assert_ptr_null(http_header(p, "Connection"));
	}
	http_say(p, "HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
	http_read(p, true);
	ck_assert_int_eq(p->status, 200);
	ck_assert_str_eq(http_header(p, "Content-Length"), "3");
	http_say(p,
		 "GET http://localhost:9034/healthz?x=y HTTP/1.1\r\nHost: other\r\n\r\n");
	http_hear(p, 200, "ok\n");
	http_say(p,
		 "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
	http_hear(p, 200, "ok\n");
	ck_assert_str_eq(http_header(p, "Connection"), "close");
	http_hear_end(p);
	http_free(p);
	harness_free(h);
}
END_TEST

START_TEST(old_version)
{
	struct harness *h = harness_start(NULL);
	struct http_peer *p = http_connect(h);

	http_say(p, "GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	http_hear(p, 200, "ok\n");
	ck_assert_str_eq(http_header(p, "Connection"), "keep-alive");
	http_say(p, "GET /healthz HTTP/1.0\r\n\r\n");
	http_hear(p, 200, "ok\n");
	http_hear_end(p);
	http_free(p);
	harness_free(h);
}
END_TEST

START_TEST(metrics)
{
	struct harness *h = harness_start(NULL);
	struct http_peer *p = http_connect(h);

	http_say(p, GET "GET /metrics HTTP/1.1\r\nHost: localhost\r\n"
			"X-Forwarded-For: 192.0.2.1\r\n\r\n");
	http_hear(p, 200, "ok\n");
	http_hear(p, 200, NULL);
	ck_assert_str_eq(http_header(p, "Content-Type"),
			 "text/plain; version=0.0.4; charset=UTF-8");
	/* Every line is a comment or "name value"; the two requests are counted. */
	{
		char *text = strndup((const char *)p->body.p, p->body.len), *rest = text;
		bool counted = false;

		for (char *line; (line = strsep(&rest, "\n")) != NULL && rest != NULL;) {
			char name[64];
			long long n;

			if (strncmp(line, "# HELP ", 7) == 0 ||
			    strncmp(line, "# TYPE ", 7) == 0)
				continue;
			ck_assert_int_eq(
			    sscanf(line, "quintet_%63[a-z0-9_] %lld", name, &n), 2);
			if (strcmp(name, "http_requests_total") == 0)
				counted = n == 2;
		}
		ck_assert(counted);
		free(text);
	}
	http_free(p);
	harness_free(h);
	h = harness_start("http.metrics_from=192.0.2.0/24", NULL);
	ck_assert_int_eq(http_status_of(h, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n"
					   "X-Forwarded-For: 192.0.2.1\r\n\r\n"),
			 403);
	harness_free(h);
}
END_TEST

START_TEST(pipeline)
{
	struct harness *h = harness_start(NULL);
	struct http_peer *p = _i == 0 ? http_connect(h) : http_connect_tls(h);
	struct buf all = BUF_INIT(1 << 20);

	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(buf_put_str(&all, i % 2 == 0
						       ? GET
						       : "GET /no HTTP/1.1\r\n"
							 "Host: localhost\r\n\r\n"),
				 Q_OK);
	http_send(p, buf_span(&all));
	for (int i = 0; i < 100; i++)
		http_hear(p, i % 2 == 0 ? 200 : 404, NULL);
	buf_free(&all);
	http_free(p);
	harness_free(h);
}
END_TEST

/* ---- refusals ---- */

#define HOST "Host: localhost\r\n"

static const struct {
	const char *request;
	int status;
	const char *allow;
} refusals[] = {
    {"GET /nothing HTTP/1.1\r\n" HOST "\r\n", 404, NULL},
    {"GET /healthz/ HTTP/1.1\r\n" HOST "\r\n", 404, NULL},
    {"GET /HEALTHZ HTTP/1.1\r\n" HOST "\r\n", 404, NULL},
    {"DELETE /healthz HTTP/1.1\r\n" HOST "\r\n", 405, "GET, HEAD"},
    {"OPTIONS /healthz HTTP/1.1\r\n" HOST "\r\n", 405, "GET, HEAD"},
    {"PROPFIND /healthz HTTP/1.1\r\n" HOST "\r\n", 405, "GET, HEAD"},
    {"POST /healthz HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", 405, "GET, HEAD"},
    {"OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 204, NULL},
    {"GET /healthz HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx", 413, NULL},
    {"GET /healthz HTTP/1.1\r\n" HOST "Content-Length: 9223372036854775807\r\n\r\n", 413,
     NULL},
    {"GET /healthz HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999\r\n\r\n", 400,
     NULL},
    {"GET /healthz HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n", 400, NULL},
    {"GET /healthz HTTP/1.1\r\n" HOST "Content-Length: 1x\r\n\r\n", 400, NULL},
    {"GET /healthz HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
     400, NULL},
    {"GET /healthz HTTP/1.1\r\n" HOST "Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
     400, NULL},
    {"GET /healthz HTTP/1.1\r\n" HOST "Content-Length: 1\r\n"
     "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     400, NULL},
    {"GET /healthz HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\n", 501, NULL},
    {"GET /healthz HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n", 501,
     NULL},
    {"GET /healthz HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", 400, NULL},
    {"GET /healthz HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
     "1\r\nx\r\n0\r\n\r\n",
     413, NULL},
    {"GET /healthz HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400,
     NULL},
    {"GET /healthz HTTP/1.1\r\n" HOST "Expect: tea\r\n\r\n", 417, NULL},
    {"GET /healthz HTTP/1.1\r\n\r\n", 400, NULL},
    {"GET /healthz HTTP/1.1\r\n" HOST HOST "\r\n", 400, NULL},
    {"GET /healthz HTTP/1.1\r\nHost: a b\r\n\r\n", 400, NULL},
    {"GET /healthz HTTP/1.1\r\n" HOST "A B: c\r\n\r\n", 400, NULL},
    {"GET /healthz HTTP/1.1\r\n" HOST "Name : c\r\n\r\n", 400, NULL},
    {"GET /healthz HTTP/1.1\r\n" HOST "Folded: c\r\n  d\r\n\r\n", 400, NULL},
    {"GET /healthz HTTP/1.1\r\n" HOST "Bell: \a\r\n\r\n", 400, NULL},
    {"GET /heal\tthz HTTP/1.1\r\n" HOST "\r\n", 400, NULL},
    {"GET /heal\1thz HTTP/1.1\r\n" HOST "\r\n", 400, NULL},
    {"GET healthz HTTP/1.1\r\n" HOST "\r\n", 400, NULL},
    {"GET * HTTP/1.1\r\n" HOST "\r\n", 400, NULL},
    {"GET /healthz#top HTTP/1.1\r\n" HOST "\r\n", 400, NULL},
    {"GET ftp://localhost/healthz HTTP/1.1\r\n" HOST "\r\n", 400, NULL},
    {"GET http:///healthz HTTP/1.1\r\n" HOST "\r\n", 400, NULL},
    {"GET http://u@localhost/healthz HTTP/1.1\r\n" HOST "\r\n", 400, NULL},
    {"CONNECT localhost:80 HTTP/1.1\r\n" HOST "\r\n", 501, NULL},
    {"GARBAGE\r\n\r\n", 501, NULL},
    {"GET /healthz HTTP/2.0\r\n" HOST "\r\n", 505, NULL},
    {"GET /healthz HTTP/x\r\n" HOST "\r\n", 505, NULL},
    {"GET /healthz\r\n\r\n", 505, NULL},
};

START_TEST(refused)
{
	struct harness *h = harness_start(NULL);

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct http_peer *p = http_connect(h);
		const char *allow;

		http_send_some(p, span_str(refusals[i].request));
		http_read(p, false);
		if (p->status != refusals[i].status)
			harness_fail("want %d for %s, got %s", refusals[i].status,
				     refusals[i].request, p->head);
		allow = http_header(p, "Allow");
		if (refusals[i].allow != NULL)
			ck_assert_str_eq(allow, refusals[i].allow);
		else
			ck_assert_ptr_null(allow);
		/* Whoever was not understood is not listened to any more. */
		if (p->status == 400 || p->status > 413) {
			ck_assert_str_eq(http_header(p, "Connection"), "close");
			http_hear_end(p);
		}
		http_free(p);
	}
	harness_free(h);
}
END_TEST

/* A head of 8 KiB is read; one byte more, or a line without end, is 431. */
START_TEST(long_heads)
{
	static char request[100000];
	struct harness *h = harness_start(NULL);
	int n;

	n = snprintf(request, sizeof(request), "GET /healthz HTTP/1.1\r\n" HOST "Pad: ");
	memset(request + n, 'x', 8192 - 4 - (size_t)n);
	strcpy(request + 8192 - 4, "\r\n\r\n");
	ck_assert_int_eq(http_status_of(h, request), 200);
	strcpy(request + 8192 - 4, "xx\r\n\r\n");
	ck_assert_int_eq(http_status_of(h, request), 431);
	memset(request, 'x', sizeof(request) - 1);
	memcpy(request, "GET /", 5);
	ck_assert_int_eq(http_status_of(h, request), 431);
	/* Many small headers are many, too. */
	n = snprintf(request, sizeof(request), "GET /healthz HTTP/1.1\r\n" HOST);
	for (int i = 0; i < 64; i++)
		n += snprintf(request + n, 100, "A: %d\r\n", i);
	strcpy(request + n, "\r\n");
	ck_assert_int_eq(http_status_of(h, request), 431);
	harness_free(h);
}
END_TEST

START_TEST(hosts)
{
	struct harness *h = harness_start("http.hosts=chat.example, 127.0.0.1:1", NULL);

	ck_assert_int_eq(http_status_of(h, GET), 421);
	ck_assert_int_eq(http_status_of(h, "GET /healthz HTTP/1.1\r\nHost: \r\n\r\n"),
			 421);
	ck_assert_int_eq(
	    http_status_of(h, "GET /healthz HTTP/1.1\r\nHost: CHAT.example:9034\r\n\r\n"),
	    200);
	ck_assert_int_eq(
	    http_status_of(h, "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n"), 200);
	ck_assert_int_eq(
	    http_status_of(h, "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:2\r\n\r\n"), 421);
	ck_assert_int_eq(http_status_of(h, "GET http://chat.example/healthz HTTP/1.1\r\n"
					   "Host: evil.example\r\n\r\n"),
			 200);
	harness_free(h);
}
END_TEST

START_TEST(cross_origin)
{
#define PREFLIGHT                                       \
	"OPTIONS /echo HTTP/1.1\r\nHost: a.example\r\n" \
	"Access-Control-Request-Method: GET\r\nOrigin: "
	struct harness *h = harness_new();
	struct http_peer *p;

	harness_make_folder(h, "server");
	harness_write(h, "server/test-mode", span_str(""));
	harness_boot(h, "http.test_echo=yes", "http.origins=https://b.example", NULL);
	p = http_connect(h);
	http_say(p, PREFLIGHT "https://b.example\r\n\r\n");
	http_hear(p, 204, NULL);
	ck_assert_str_eq(http_header(p, "Access-Control-Allow-Origin"),
			 "https://b.example");
	ck_assert_str_eq(http_header(p, "Vary"), "Origin");
	ck_assert_str_eq(http_header(p, "Access-Control-Allow-Methods"), "GET");
	ck_assert_ptr_null(http_header(p, "Access-Control-Allow-Credentials"));
	http_say(p, PREFLIGHT "https://c.example\r\n\r\n");
	http_hear(p, 403, NULL);
	ck_assert_ptr_null(http_header(p, "Access-Control-Allow-Origin"));
	http_say(p, PREFLIGHT "https://a.example\r\n\r\n");
	http_hear(p, 405, NULL);
	ck_assert_ptr_null(http_header(p, "Access-Control-Allow-Origin"));
	http_say(p, "GET /echo HTTP/1.1\r\nHost: a.example\r\n"
		    "Origin: https://b.example\r\n\r\n");
	http_hear(p, 426, NULL);
	ck_assert_str_eq(http_header(p, "Access-Control-Allow-Origin"),
			 "https://b.example");
	http_free(p);
	harness_free(h);
}
END_TEST

/* ---- time ---- */

/* A head that comes too slowly is answered with 408, however it drips. */
START_TEST(slow_head)
{
	struct harness *h = harness_start(NULL);
	struct http_peer *half = http_connect(h), *drips = http_connect(h), *p;
	int64_t deadline = harness_deadline(HARNESS_WAIT);

	harness_reload(h, "http.request_timeout=600ms", NULL);
	http_say(half, "GET /healthz HTTP/1.1\r\nHo");
	http_say(drips, "GET /healthz HTTP/1.1\r\nA: ");
	for (char c; recv(drips->fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) == -1;) {
		http_send_some(drips, span_str("x"));
		harness_nap(deadline, "408");
	}
	http_hear(drips, 408, NULL);
	http_hear(half, 408, NULL);
	http_hear_end(half);
	harness_reload(h, NULL);
	p = http_connect(h); /* nobody else is disturbed */
	http_say(p, GET);
	http_hear(p, 200, "ok\n");
	http_free(p);
	http_free(half);
	http_free(drips);
	harness_free(h);
}
END_TEST

START_TEST(byte_at_a_time)
{
	struct harness *h = harness_start(NULL);
	struct http_peer *p = _i == 0 ? http_connect(h) : http_connect_tls(h);

	p->drips = true;
	for (int i = 0; i < 2; i++) {
		http_say(p, GET);
		http_hear(p, 200, "ok\n");
	}
	http_say(p, "\r\n" GET); /* an empty line before a request is allowed */
	http_hear(p, 200, "ok\n");
	http_free(p);
	harness_free(h);
}
END_TEST

/* Between two requests a connection is kept, and not for ever. */
START_TEST(keep_alive)
{
	struct harness *h =
	    harness_start("http.keepalive=5s", "http.request_timeout=2s", NULL);
	struct http_peer *p = http_connect(h);
	int64_t since = clock_mono_ms(); /* before the server's own time begins */

	http_say(p, GET);
	http_hear(p, 200, "ok\n");
	http_hear_end(p);
	ck_assert_int_ge(clock_mono_ms() - since, 4900);
	http_free(p);
	harness_free(h);
}
END_TEST

START_TEST(switched_off)
{
	struct harness *h = harness_start("http.enabled=no", NULL);
	struct http_peer *p = http_connect(h);

	http_send_some(p, span_str(GET));
	http_hear_end(p);
	http_free(p);
	harness_free(h);
}
END_TEST

/* Many that send half a head hold little and hinder nobody. */
START_TEST(slow_crowd)
{
	struct harness *h = harness_start("http.request_timeout=10m", NULL);
	struct http_peer *crowd[150], *p;

	for (size_t i = 0; i < 150; i++) {
		crowd[i] = http_connect(h);
		http_say(crowd[i], "GET /healthz HTTP/1.1\r\nX: ");
	}
	p = http_connect(h);
	for (int i = 0; i < 100; i++) {
		http_say(p, GET);
		http_hear(p, 200, "ok\n");
	}
	http_free(p);
	for (size_t i = 0; i < 150; i++) {
		http_say(crowd[i], "y\r\n" HOST "\r\n");
		http_hear(crowd[i], 200, "ok\n");
		http_free(crowd[i]);
	}
	harness_free(h);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("http");
	TCase *c = harness_case(s, "answers");

	tcase_add_loop_test(c, health, 0, 2);
	tcase_add_test(c, old_version);
	tcase_add_test(c, metrics);
	tcase_add_loop_test(c, pipeline, 0, 2);
	c = harness_case(s, "refusals");
	tcase_add_test(c, refused);
	tcase_add_test(c, long_heads);
	tcase_add_test(c, hosts);
	tcase_add_test(c, cross_origin);
	c = harness_case(s, "time");
	tcase_add_test(c, slow_head);
	tcase_add_loop_test(c, byte_at_a_time, 0, 2);
	tcase_add_test(c, keep_alive);
	tcase_add_test(c, switched_off);
	tcase_add_test(c, slow_crowd);
	return harness_main(s);
}
