/* SPDX-License-Identifier: MIT
 *
 * board: a whole class behind one address, with the limits as they are by default
 * (docs/protocols/README.md, "Fair limits").
 */
#include <stdio.h>
#include <string.h>

#include "tests/system/board_play.h"

#define MANY 230 /* more than limits.per_address_before_login */

static struct board_play *s;
static struct board_peer *peers[MANY];

static void
come(enum board_way way, size_t n)
{
	char auth[256], name[32];
	struct span got;

	snprintf(auth, sizeof(auth), "{\"token\":%s}", board_value(s, "t"));
	for (size_t i = 0; i < n; i++) {
		static const char welcome[] = "2[\"auth-response\",1,";

		snprintf(name, sizeof(name), "student %zu", i);
		peers[i] = board_connect(board_harness(s), name, way, auth);
		ck_assert(board_next(peers[i], &got));
		ck_assert_msg(got.len > sizeof(welcome) &&
				  memcmp(got.p, welcome, sizeof(welcome) - 1) == 0,
			      "%s: %.*s", name, (int)got.len, (const char *)got.p);
	}
}

static void
leave(size_t n)
{
	for (size_t i = 0; i < n; i++)
		board_free(peers[i]);
}

/* A WebSocket and the session that it carries are one. */
START_TEST(websockets)
{
	s = board_start("alice", NULL);
	BOARD(s, "alice: open", "alice> auth-request 'alice','geheim-123'",
	      "alice< auth-response 1,*,{'token':$t}");
	come(BOARD_WEBSOCKET, MANY);
	BOARD(s, "last: enter $t");
	leave(MANY);
	board_end(s);
}
END_TEST

/* Nor do connections that poll for somebody keep others out. */
START_TEST(polling)
{
	s = board_start("alice", NULL);
	BOARD(s, "alice: open", "alice> auth-request 'alice','geheim-123'",
	      "alice< auth-response 1,*,{'token':$t}");
	come(BOARD_POLLING, MANY / 2);
	BOARD(s, "last: enter $t");
	leave(MANY / 2);
	board_end(s);
}
END_TEST

/* Strangers are limited as before. */
START_TEST(strangers)
{
	struct http_peer *p;

	s = board_start("alice", "limits.per_address_before_login=3", NULL);
	BOARD(s, "alice: login", "a: open", "b: open");
	/* Two sessions and this connection, which wants a third one. */
	p = http_connect(board_harness(s));
	http_say(p, "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\n"
		    "Host: lab\r\n\r\n");
	http_hear(p, 503, NULL);
	http_free(p);
	ck_assert(
	    harness_logged(board_harness(s), "limit=limits.per_address_before_login"));
	BOARD(s, "alice> get-anons 0,1", "alice< anons-list 0,[]");
	board_end(s);
}
END_TEST

/* Pages that were read keep their connections for a while, but nobody out. */
START_TEST(readers)
{
	static struct http_peer *readers[MANY];

	s = board_start("alice", NULL);
	for (size_t i = 0; i < MANY; i++) {
		readers[i] = http_connect(board_harness(s));
		http_say(readers[i], "GET /healthz HTTP/1.1\r\nHost: lab\r\n\r\n");
		http_hear(readers[i], 200, NULL);
	}
	BOARD(s, "alice: login");
	for (size_t i = 0; i < MANY; i++)
		http_free(readers[i]);
	board_end(s);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("board_address");
	TCase *tc = harness_case(suite, "board_address");

	tcase_add_test(tc, websockets);
	tcase_add_test(tc, polling);
	tcase_add_test(tc, strangers);
	tcase_add_test(tc, readers);
	return harness_main(suite);
}
