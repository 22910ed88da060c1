/* SPDX-License-Identifier: MIT
 *
 * What of HTTP is pure: parsing within bounds, headers and queries, origins, routes.
 * (tests/system/test_http.c has the conversation.)
 */
#include "server/http/http.h"

#include <stdlib.h>
#include <string.h>

#include "server/http/origin.h"
#include "server/http/parse.h"
#include "tests/unit/unit.h"

/* ---- parsing ---- */

static struct http_request request;
static struct http_parse *parse;

static void
setup(void)
{
	parse = malloc(sizeof(*parse));
	ck_assert_ptr_nonnull(parse);
	http_parse_init(parse, &request);
	parse->body.max = 1000;
}

static void
teardown(void)
{
	http_parse_fini(parse);
	free(parse);
}

/* Feed text in pieces of step bytes: the result, and how many bytes were used. */
static enum qerr
feed(const char *text, size_t step, size_t *total)
{
	size_t len = strlen(text), used, given = 0;
	enum qerr e = Q_SHORT;

	*total = 0;
	while (e == Q_SHORT && (given < len || *total < given)) {
		given = given + step < len ? given + step : len;
		e = http_parse_head(parse, span_of(text + *total, given - *total), &used);
		*total += used;
		if (e == Q_SHORT && given == len)
			return e;
	}
	if (e != Q_OK)
		return e;
	do {
		e = http_parse_body(parse, span_of(text + *total, given - *total), &used);
		*total += used;
		if (e != Q_SHORT || given == len)
			break;
		given = given + step < len ? given + step : len;
	} while (true);
	return e;
}

static bool
is(struct span s, const char *text)
{
	return s.p != NULL && span_eq(s, span_str(text));
}

START_TEST(whole_requests)
{
	static const char text[] = "POST /a/b?x=1&yy=2 HTTP/1.1\r\nHost: h:9034\r\n"
				   "content-length: 5\r\nX-Empty:\r\nX-Two: a\r\n"
				   "X-Two: b\r\nList: gzip, Upgrade ,x\r\n\r\nhello"
				   "GET / HTTP/1.1\r\n";
	size_t used;

	ck_assert_int_eq(feed(text, (size_t)_i + 1, &used), Q_OK);
	ck_assert_uint_eq(used, strlen(text) - strlen("GET / HTTP/1.1\r\n"));
	ck_assert_int_eq(request.method, ROUTE_POST);
	ck_assert(is(request.path, "/a/b") && is(request.query, "x=1&yy=2"));
	ck_assert(is(request.host, "h:9034") && is(request.body, "hello"));
	ck_assert(is(http_field(&request, "CONTENT-LENGTH"), "5"));
	ck_assert(is(http_field(&request, "x-empty"), ""));
	ck_assert_ptr_null(http_field(&request, "X-Two").p);
	ck_assert_uint_eq(http_field_count(&request, "X-Two"), 2);
	ck_assert(http_field_has(&request, "list", "upgrade"));
	ck_assert(!http_field_has(&request, "list", "up"));
	ck_assert(http_field_has(&request, "x-two", "b"));
	ck_assert(is(http_query(&request, "x"), "1") &&
		  is(http_query(&request, "yy"), "2"));
	ck_assert_ptr_null(http_query(&request, "y").p);
	ck_assert(parse->keep_alive && !request.old && request.origin.p == NULL);
}
END_TEST

START_TEST(chunks)
{
	static const char text[] = "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
				   "chunked\r\n\r\n5;ext=1\r\nhello\r\n10\r\n, "
				   "wonderful worl\r\n1\r\nd\r\n0\r\nTrailer: x\r\n\r\n";
	size_t used;

	ck_assert_int_eq(feed(text, (size_t)_i + 1, &used), Q_OK);
	ck_assert_uint_eq(used, strlen(text));
	ck_assert(is(request.body, "hello, wonderful world"));
	ck_assert_ptr_null(http_field(&request, "Trailer").p);
}
END_TEST

START_TEST(bodies_have_bounds)
{
	static char text[3000] = "PUT / HTTP/1.1\r\nHost: h\r\n"
				 "Transfer-Encoding: chunked\r\n\r\n3e9\r\n";
	size_t used;

	memset(text + strlen(text), 'x', 1001);
	ck_assert_int_eq(feed(text, 100, &used), Q_FORMAT);
	ck_assert_int_eq(parse->status, 413);
}
END_TEST

START_TEST(length_is_judged_before_the_body)
{
	size_t used;

	ck_assert_int_eq(
	    feed("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n", 7, &used),
	    Q_FORMAT);
	ck_assert_int_eq(parse->status, 413);
}
END_TEST

START_TEST(expectation)
{
	size_t used;

	ck_assert_int_eq(feed("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n"
			      "Expect: 100-Continue\r\n\r\n",
			      50, &used),
			 Q_SHORT);
	ck_assert(parse->expects);
}
END_TEST

/* ---- small things ---- */

START_TEST(decoding)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
	    {"", ""},
	    {"abc", "abc"},
	    {"a%20b%2Fc", "a b/c"},
	    {"%e2%82%AC", "\u20ac"},
	    {"+", "+"},
	    {"%", NULL},
	    {"%2", NULL},
	    {"%zz", NULL},
	    {"a%00b", NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char out[32];
		size_t n;
		enum qerr e = http_decode(span_str(cases[i].in), out, &n);

		if (cases[i].out == NULL)
			ck_assert_int_eq(e, Q_FORMAT);
		else
			ck_assert(e == Q_OK &&
				  span_eq(span_of(out, n), span_str(cases[i].out)));
	}
}
END_TEST

START_TEST(origins)
{
	static const char listed[] = "https://b.example, http://c.example:8080";
	static const struct {
		const char *origin, *host;
		enum origin want;
	} cases[] = {
	    {NULL, "a.example", ORIGIN_NONE},
	    {"http://a.example", "a.example", ORIGIN_SAME},
	    {"https://a.example", "a.example", ORIGIN_SAME},
	    {"HTTPS://A.example", "a.EXAMPLE", ORIGIN_SAME},
	    {"http://a.example:80", "a.example", ORIGIN_SAME},
	    {"http://a.example", "a.example:80", ORIGIN_SAME},
	    {"https://a.example", "a.example:80", ORIGIN_REFUSED},
	    {"https://a.example", "a.example:443", ORIGIN_SAME},
	    {"http://a.example:9034", "a.example:9034", ORIGIN_SAME},
	    {"http://a.example:9034", "a.example:9035", ORIGIN_REFUSED},
	    {"http://a.example:9034", "a.example", ORIGIN_REFUSED},
	    {"http://[::1]:9034", "[::1]:9034", ORIGIN_SAME},
	    {"http://[::1]", "[::2]", ORIGIN_REFUSED},
	    {"http://a.example.evil", "a.example", ORIGIN_REFUSED},
	    {"http://evil", "a.example", ORIGIN_REFUSED},
	    {"null", "a.example", ORIGIN_REFUSED},
	    {"", "a.example", ORIGIN_REFUSED},
	    {"http://", "", ORIGIN_REFUSED},
	    {"http://a.example/", "a.example", ORIGIN_REFUSED},
	    {"http://a.example http://a.example", "a.example", ORIGIN_REFUSED},
	    {"http://u@a.example", "a.example", ORIGIN_REFUSED},
	    {"http://a.example:", "a.example", ORIGIN_REFUSED},
	    {"http://a.example:99999", "a.example:99999", ORIGIN_REFUSED},
	    {"file://a.example", "a.example", ORIGIN_REFUSED},
	    {"ws://a.example", "a.example", ORIGIN_REFUSED},
	    {"https://b.example", "a.example", ORIGIN_LISTED},
	    {"https://b.example:443", "a.example", ORIGIN_LISTED},
	    {"http://b.example", "a.example", ORIGIN_REFUSED},
	    {"http://c.example:8080", "a.example", ORIGIN_LISTED},
	    {"http://c.example", "a.example", ORIGIN_REFUSED},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct span o = {NULL, 0};

		if (cases[i].origin != NULL)
			o = span_str(cases[i].origin);
		ck_assert_msg(origin_judge(o, span_str(cases[i].host), listed) ==
				  cases[i].want,
			      "case %zu: %s", i, cases[i].origin);
	}
}
END_TEST

START_TEST(host_lists)
{
	ck_assert(host_listed(span_str("any"), ""));
	ck_assert(host_listed(span_str("A.example:1"), "b, a.example"));
	ck_assert(host_listed(span_str("a.example"), "a.example"));
	ck_assert(!host_listed(span_str("a.example:2"), "a.example:1"));
	ck_assert(!host_listed(span_str("a.example"), "a.example:1"));
	ck_assert(!host_listed(span_str("x"), "y"));
	ck_assert(!host_listed(span_str(""), "y"));
}
END_TEST

static bool
never(void)
{
	return false;
}

START_TEST(routes)
{
	static const struct http_route page = {.path = "/", .prefix = true},
				       exact = {.path = "/a/b"},
				       deep = {.path = "/a/", .prefix = true},
				       off = {.path = "/off", .exists = never};
	const struct http_route *const table[] = {&exact, &deep, &off, NULL};
	const struct http_route *const all[] = {&exact, &page, NULL};
	char allow[ROUTE_ALLOW_SIZE];

	ck_assert_ptr_eq(route_find(table, span_str("/a/b")), &exact);
	ck_assert_ptr_eq(route_find(table, span_str("/a/bc")), &deep);
	ck_assert_ptr_eq(route_find(table, span_str("/a/")), &deep);
	ck_assert_ptr_null(route_find(table, span_str("/a")));
	ck_assert_ptr_null(route_find(table, span_str("/off")));
	ck_assert_ptr_eq(route_find(all, span_str("/whatever")), &page);
	route_allow(ROUTE_GET | ROUTE_POST, allow);
	ck_assert_str_eq(allow, "GET, POST");
	route_allow(255, allow);
	ck_assert_str_eq(allow, "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("http");
	TCase *c = tcase_create("parse");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_loop_test(c, whole_requests, 0, 40);
	tcase_add_loop_test(c, chunks, 0, 40);
	tcase_add_test(c, bodies_have_bounds);
	tcase_add_test(c, length_is_judged_before_the_body);
	tcase_add_test(c, expectation);
	suite_add_tcase(suite, c);
	c = tcase_create("small");
	tcase_add_test(c, decoding);
	tcase_add_test(c, origins);
	tcase_add_test(c, host_lists);
	tcase_add_test(c, routes);
	suite_add_tcase(suite, c);
	return unit_main(suite);
}
