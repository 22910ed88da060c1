/* SPDX-License-Identifier: MIT
 *
 * The web page's files over HTTP: what is served and how, what browsers are told about
 * it, and that nothing else can be reached.
 */
#include <stdio.h>
#include <string.h>

#include <libdeflate.h>

#include "tests/system/http_peer.h"

#define HOST "Host: localhost\r\n"

/* A server whose page is in the test's folder: index.html, socket.io/socket.io.js. */
static struct harness *
start_with_page(struct span index)
{
	struct harness *h = harness_new();
	char setting[HARNESS_PATH + 32];

	harness_make_folder(h, "web");
	harness_make_folder(h, "web/socket.io");
	harness_write(h, "web/index.html", index);
	harness_write(h, "web/socket.io/socket.io.js", span_str("io = 1\n"));
	harness_write(h, "secret.txt", span_str("secret"));
	snprintf(setting, sizeof(setting), "http.web=%s/web", h->data);
	harness_boot(h, setting, NULL);
	return h;
}

static void
get(struct http_peer *p, const char *path, const char *headers)
{
	char request[1024];

	snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\n" HOST "%s\r\n", path,
		 headers);
	http_say(p, request);
	http_read(p, false);
}

static const char policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: "
    "data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

START_TEST(page)
{
	struct harness *h = start_with_page(span_str("<p>hello\n"));
	struct http_peer *p = _i == 0 ? http_connect(h) : http_connect_tls(h);

	get(p, "/", "");
	ck_assert_int_eq(p->status, 200);
	ck_assert(span_eq(p->body, span_str("<p>hello\n")));
	ck_assert_str_eq(http_header(p, "Content-Type"), "text/html; charset=UTF-8");
	ck_assert_str_eq(http_header(p, "Content-Security-Policy"), policy);
	ck_assert_str_eq(http_header(p, "X-Content-Type-Options"), "nosniff");
	ck_assert_str_eq(http_header(p, "Cache-Control"), "no-cache");
	ck_assert_str_eq(http_header(p, "Vary"), "Accept-Encoding");
	ck_assert_ptr_null(http_header(p, "Content-Encoding"));
	get(p, "/index.html?from=bookmark", "");
	ck_assert(span_eq(p->body, span_str("<p>hello\n")));
	get(p, "/socket.io/socket.io.js", "");
	ck_assert(span_eq(p->body, span_str("io = 1\n")));
	ck_assert_str_eq(http_header(p, "Content-Type"),
			 "text/javascript; charset=UTF-8");
	/* A page of another origin may read no more than before. */
	get(p, "/", "Origin: http://evil.example\r\n");
	ck_assert_int_eq(p->status, 200);
	ck_assert_ptr_null(http_header(p, "Access-Control-Allow-Origin"));
	http_free(p);
	harness_free(h);
}
END_TEST

/* The page that comes with the server, as a browser gets it. */
START_TEST(own_page)
{
	static const char *const paths[] = {"/", "/app.js", "/style.css", "/icon.svg"};
	struct harness *h = harness_start(NULL);
	struct http_peer *p = http_connect(h);
	char address[64];

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		get(p, paths[i], "Accept-Encoding: gzip, deflate, br\r\n");
		ck_assert_int_eq(p->status, 200);
		ck_assert_str_eq(http_header(p, "Content-Encoding"), "gzip");
	}
	HARNESS_UNTIL(harness_logged(h, "web-page"));
	snprintf(address, sizeof(address), "\n  http://127.0.0.1:%u/\n", h->port);
	ck_assert_ptr_nonnull(strstr((const char *)h->out.p, address));
	http_free(p);
	harness_free(h);
}
END_TEST

/* ---- what browsers keep ---- */

START_TEST(not_modified)
{
	struct harness *h = start_with_page(span_str("<p>hello\n"));
	struct http_peer *p = http_connect(h);
	char tag[64], header[160];

	get(p, "/", "");
	ck_assert_uint_lt(strlen(http_header(p, "ETag")), sizeof(tag));
	strcpy(tag, http_header(p, "ETag"));
	ck_assert_int_eq(tag[0], '"');
	snprintf(header, sizeof(header), "If-None-Match: \"x\", W/%s\r\n", tag);
	get(p, "/", header);
	ck_assert_int_eq(p->status, 304);
	ck_assert_uint_eq(p->body.len, 0);
	ck_assert_str_eq(http_header(p, "ETag"), tag);
	ck_assert_str_eq(http_header(p, "Cache-Control"), "no-cache");
	get(p, "/index.html", "If-None-Match: *\r\n");
	ck_assert_int_eq(p->status, 304);
	get(p, "/", "If-None-Match: \"x\"\r\n");
	ck_assert_int_eq(p->status, 200);
	ck_assert(span_eq(p->body, span_str("<p>hello\n")));
	http_free(p);
	/* Another page has another tag, and the old one is of no use any more. */
	harness_stop(h);
	harness_write(h, "web/index.html", span_str("<p>good bye\n"));
	harness_restart(h);
	p = http_connect(h);
	snprintf(header, sizeof(header), "If-None-Match: %s\r\n", tag);
	get(p, "/", header);
	ck_assert_int_eq(p->status, 200);
	ck_assert_str_ne(http_header(p, "ETag"), tag);
	http_free(p);
	harness_free(h);
}
END_TEST

/* Which form of a file that can be compressed is for which Accept-Encoding. */
static const struct {
	const char *header;
	bool gzip;
} codings[] = {
    {"", false},
    {"Accept-Encoding: gzip\r\n", true},
    {"Accept-Encoding: br, GZip, deflate\r\n", true},
    {"Accept-Encoding: br\r\nAccept-Encoding: gzip\r\n", true},
    {"Accept-Encoding: identity\r\n", false},
    {"Accept-Encoding: gzip;q=0\r\n", false},
    {"Accept-Encoding: gzipped\r\n", false},
    {"Accept-Encoding:\r\n", false},
};

START_TEST(compressed)
{
	static char page[20000], back[sizeof(page) + 1];
	struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
	struct harness *h;
	struct http_peer *p;
	char plain_tag[64], header[160];
	size_t n;

	memset(page, 'a', sizeof(page));
	h = start_with_page(span_of(page, sizeof(page)));
	p = http_connect(h);
	get(p, "/", "");
	strcpy(plain_tag, http_header(p, "ETag"));
	for (size_t i = 0; i < sizeof(codings) / sizeof(codings[0]); i++) {
		get(p, "/", codings[i].header);
		ck_assert_int_eq(p->status, 200);
		ck_assert_str_eq(http_header(p, "Vary"), "Accept-Encoding");
		if (!codings[i].gzip) {
			ck_assert_ptr_null(http_header(p, "Content-Encoding"));
			ck_assert(span_eq(p->body, span_of(page, sizeof(page))));
			continue;
		}
		ck_assert_str_eq(http_header(p, "Content-Encoding"), "gzip");
		ck_assert_str_ne(http_header(p, "ETag"), plain_tag);
		ck_assert_uint_lt(p->body.len, 200);
		ck_assert_int_eq(libdeflate_gzip_decompress(d, p->body.p, p->body.len,
							    back, sizeof(back), &n),
				 LIBDEFLATE_SUCCESS);
		ck_assert(span_eq(span_of(back, n), span_of(page, sizeof(page))));
	}
	/* The tag of one form is none of the other. */
	snprintf(header, sizeof(header), "Accept-Encoding: gzip\r\nIf-None-Match: %s\r\n",
		 plain_tag);
	get(p, "/", header);
	ck_assert_int_eq(p->status, 200);
	snprintf(header, sizeof(header), "Accept-Encoding: gzip\r\nIf-None-Match: %s\r\n",
		 http_header(p, "ETag"));
	get(p, "/", header);
	ck_assert_int_eq(p->status, 304);
	libdeflate_free_decompressor(d);
	http_free(p);
	harness_free(h);
}
END_TEST

/* Larger than what goes out in one piece. */
START_TEST(large)
{
	static uint8_t page[3 * 1024 * 1024];
	struct harness *h;
	struct http_peer *p;
	uint32_t x = 1;

	for (size_t i = 0; i < sizeof(page); i++)
		page[i] = (uint8_t)((x = x * 1664525 + 1013904223) >> 24);
	h = start_with_page(span_of(page, sizeof(page)));
	p = http_connect(h);
	get(p, "/", "Accept-Encoding: gzip\r\n");
	ck_assert_int_eq(p->status, 200);
	ck_assert_ptr_null(http_header(p, "Content-Encoding"));
	ck_assert(span_eq(p->body, span_of(page, sizeof(page))));
	http_free(p);
	harness_free(h);
}
END_TEST

/* ---- methods ---- */

START_TEST(head_request)
{
	struct harness *h = start_with_page(span_str("<p>hello\n"));
	struct http_peer *p = http_connect(h);

	for (int i = 0; i < 2; i++) {
		http_say(p, "HEAD / HTTP/1.1\r\n" HOST "\r\n");
		http_read(p, true);
		ck_assert_int_eq(p->status, 200);
		ck_assert_str_eq(http_header(p, "Content-Length"), "9");
		ck_assert_ptr_nonnull(http_header(p, "ETag"));
		ck_assert_str_eq(http_header(p, "Content-Security-Policy"), policy);
	}
	http_free(p);
	harness_free(h);
}
END_TEST

static const struct {
	const char *request;
	int status;
} answers[] = {
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", 405},
    {"PUT /index.html HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 405},
    {"DELETE /index.html HTTP/1.1\r\n" HOST "\r\n", 405},
    {"OPTIONS / HTTP/1.1\r\n" HOST "\r\n", 405},
    {"PROPFIND / HTTP/1.1\r\n" HOST "\r\n", 405},
    {"DELETE /socket.io/socket.io.js HTTP/1.1\r\n" HOST "\r\n", 405},
    {"GET /nothing HTTP/1.1\r\n" HOST "\r\n", 404},
    {"POST /nothing HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 404},
    {"GET /index.html/ HTTP/1.1\r\n" HOST "\r\n", 404},
    {"GET /socket.io HTTP/1.1\r\n" HOST "\r\n", 404},
    {"GET /web/index.html HTTP/1.1\r\n" HOST "\r\n", 404},
    {"GET /../secret.txt HTTP/1.1\r\n" HOST "\r\n", 404},
    {"GET /socket.io/../../secret.txt HTTP/1.1\r\n" HOST "\r\n", 404},
    {"GET /%2e%2e/secret.txt HTTP/1.1\r\n" HOST "\r\n", 404},
    {"GET /%2e%2e%2fsecret.txt HTTP/1.1\r\n" HOST "\r\n", 404},
    {"GET /..%5csecret.txt HTTP/1.1\r\n" HOST "\r\n", 404},
    {"GET /..\\secret.txt HTTP/1.1\r\n" HOST "\r\n", 404},
    {"GET /index.html%00.js HTTP/1.1\r\n" HOST "\r\n", 404},
    {"GET /%2e/index.html HTTP/1.1\r\n" HOST "\r\n", 404},
    {"GET //etc/passwd HTTP/1.1\r\n" HOST "\r\n", 404},
    {"GET http://localhost/../secret.txt HTTP/1.1\r\n" HOST "\r\n", 404},
};

START_TEST(other_requests)
{
	struct harness *h = start_with_page(span_str("<p>hello\n"));

	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct http_peer *p = http_connect(h);

		http_say(p, answers[i].request);
		http_hear(p, answers[i].status, NULL);
		if (answers[i].status == 405)
			ck_assert_str_eq(http_header(p, "Allow"), "GET, HEAD");
		ck_assert_msg(memmem(p->body.p, p->body.len, "secret", 6) == NULL, "%s",
			      answers[i].request);
		http_free(p);
	}
	/* A zero byte is no part of any target. */
	{
		static const char nul[] = "GET /index.html\0 HTTP/1.1\r\n" HOST "\r\n";
		struct http_peer *p = http_connect(h);

		http_send(p, span_of(nul, sizeof(nul) - 1));
		http_hear(p, 400, NULL);
		http_free(p);
	}
	harness_free(h);
}
END_TEST

/* ---- folders ---- */

START_TEST(no_folder)
{
	struct harness *h = harness_start("http.web=/nowhere/at/all", NULL);
	struct http_peer *p = http_connect(h);

	HARNESS_UNTIL(harness_logged(h, "no-web-page"));
	HARNESS_UNTIL(harness_logged(h, "/nowhere/at/all"));
	get(p, "/", "");
	ck_assert_int_eq(p->status, 404);
	ck_assert_ptr_nonnull(memmem(p->body.p, p->body.len, "http.web", 8));
	ck_assert_ptr_null(strstr((const char *)h->out.p, "http://")); /* no promise */
	get(p, "/healthz", "");
	ck_assert_int_eq(p->status, 200);
	http_free(p);
	harness_free(h);
}
END_TEST

/* What changes on the disk while the server runs is not served before the next start:
 * nobody gets half of an old page and half of a new one. */
START_TEST(read_once)
{
	struct harness *h = start_with_page(span_str("<p>hello\n"));
	struct http_peer *p = http_connect(h);

	harness_write(h, "web/index.html", span_str("<p>other\n"));
	harness_write(h, "web/new.html", span_str("<p>new\n"));
	get(p, "/", "");
	ck_assert(span_eq(p->body, span_str("<p>hello\n")));
	get(p, "/new.html", "");
	ck_assert_int_eq(p->status, 404);
	http_free(p);
	harness_free(h);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("web_files");
	TCase *tc = harness_case(suite, "web_files");

	tcase_add_loop_test(tc, page, 0, 2);
	tcase_add_test(tc, own_page);
	tcase_add_test(tc, not_modified);
	tcase_add_test(tc, compressed);
	tcase_add_test(tc, large);
	tcase_add_test(tc, head_request);
	tcase_add_test(tc, other_requests);
	tcase_add_test(tc, no_folder);
	tcase_add_test(tc, read_once);
	return harness_main(suite);
}
