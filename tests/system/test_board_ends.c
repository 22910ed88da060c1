/* SPDX-License-Identifier: MIT
 *
 * board: how connections begin and end.  Origins, namespaces, receivers that do not
 * receive, a server that is killed.
 */
#include <stdio.h>
#include <string.h>

#include "tests/system/board_pictures.h"
#include "tests/system/board_play.h"

static struct board_play *s;

/* alice has announcement $a, bob chat $c about it; nobody is in the room. */
static void
begin(const char *setting)
{
	s = board_start("alice bob", "limits.per_address_before_login=1000", setting,
			NULL);
	board_deaf(s, "presence");
	BOARD(s, "alice: login", "alice> new-anons 'Bicycle','red'",
	      "alice< new-anons-response $a,'OK'", "alice< anons-added ...", "bob: login",
	      "bob> new-chat $a", "bob< new-chat-response $a,$c,'OK'",
	      "alice< chat-added ...");
}

/* ---- beginnings ---- */

static int
opens(const char *method, const char *query, const char *headers)
{
	char request[1024];

	snprintf(request, sizeof(request),
		 "%s /socket.io/?EIO=4&%s HTTP/1.1\r\nHost: lab:9034\r\n%s"
		 "Content-Length: 0\r\n\r\n",
		 method, query, headers);
	return http_status_of(board_harness(s), request);
}

#define UPGRADE                                                           \
	"Upgrade: websocket\r\nConnection: Upgrade\r\n"                   \
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSB" \
	"ub25jZQ==\r\n"

static const struct {
	const char *origin;
	int status;
} origins[] = {
    {"", 200},
    {"Origin: http://lab:9034\r\n", 200},
    {"Origin: https://lab:9034\r\n", 200},
    {"Origin: http://LAB:9034\r\n", 200},
    {"Origin: http://lab\r\n", 403},
    {"Origin: http://lab:9035\r\n", 403},
    {"Origin: http://evil.example\r\n", 403},
    {"Origin: http://lab:9034.evil.example\r\n", 403},
    {"Origin: http://lab:9034@evil.example\r\n", 403},
    {"Origin: ftp://lab:9034\r\n", 403},
    {"Origin: null\r\n", 403},
    {"Origin: http://lab:9034\r\nOrigin: http://lab:9034\r\n", 403},
    {"Origin: http://lab:9034 http://evil.example\r\n", 403},
    {"Origin: https://friend.example\r\n", 200},
};

/* Judged before a session or a 101 is made. */
START_TEST(origin)
{
	s = board_start("", "http.origins=https://friend.example", NULL);
	for (size_t i = 0; i < sizeof(origins) / sizeof(origins[0]); i++) {
		char upgrade[512];
		int want = origins[i].status;

		snprintf(upgrade, sizeof(upgrade), "%s%s", UPGRADE, origins[i].origin);
		ck_assert_msg(opens("GET", "transport=polling", origins[i].origin) ==
				  want,
			      "%s", origins[i].origin);
		ck_assert_msg(opens("GET", "transport=websocket", upgrade) ==
				  (want == 200 ? 101 : 403),
			      "%s", upgrade);
		if (want == 403)
			ck_assert_int_eq(
			    opens("POST", "transport=polling&sid=x", origins[i].origin),
			    403);
	}
	board_end(s);
}
END_TEST

START_TEST(namespaces)
{
	struct board_peer *p;
	struct span got;

	s = board_start("alice", NULL);
	board_polls(s, _i);
	BOARD(s, "alice: login");
	p = board_peer_of(s, "alice");
	board_say(p, "0/admin,");
	ck_assert(board_next(p, &got));
	ck_assert(span_eq(got, span_str("4/admin,{\"message\":\"Invalid namespace\"}")));
	/* A second 40 is ignored. */
	board_say(p, "0");
	BOARD(s, "alice> get-user-chats", "alice< user-chats 0,[]", "alice: nothing");
	/* Before CONNECT nothing but 40. */
	p = board_open(board_harness(s), "x", _i ? BOARD_POLLING : BOARD_WEBSOCKET);
	board_say(p, "2[\"auth-request\",\"alice\",\"" PLAY_PASSWORD "\"]");
	ck_assert(!board_next(p, &got));
	board_free(p);
	board_end(s);
}
END_TEST

/* A frame, which holds that. */
static void
hear_part(struct http_peer *p, const char *part)
{
	struct span got;

	ck_assert_int_eq(ws_next(p, &got), WS_FIN | 1);
	ck_assert_msg(memmem(got.p, got.len, part, strlen(part)) != NULL, "%.*s",
		      (int)got.len, (const char *)got.p);
}

START_TEST(over_tls)
{
	struct http_peer *p;

	s = board_start("alice", NULL);
	p = ws_connect(board_harness(s), "/socket.io/?EIO=4&transport=websocket", true);
	hear_part(p, "0{\"sid\":");
	eio_say(p, "40");
	hear_part(p, "40{\"sid\":");
	eio_say(p, "42[\"auth-request\",\"alice\",\"" PLAY_PASSWORD "\"]");
	hear_part(p, "42[\"auth-response\",1,");
	http_free(p);
	board_end(s);
}
END_TEST

/* ---- who does not receive ---- */

/* What waits for a connection that nobody polls is bounded; it is ended so that it comes
 * back, and the others do not notice. */
START_TEST(backlog)
{
	char text[8001];
	struct board_peer *p;
	struct span got;

	memset(text, 'x', sizeof(text));
	text[8000] = '\0';
	begin("board.max_backlog=64KiB");
	BOARD(s, "alice/2: login polling", "alice> join-chat $a,$c",
	      "alice< join-chat-response ...");
	for (int i = 0; i < 20; i++) {
		BOARDF(s, "bob> chat-msg $a,$c,'%s'", text);
		BOARD(s, "bob< chat-msg ...", "bob< chat-response 1,'OK'",
		      "alice< chat-msg ...");
	}
	/* What came before may still be heard, and no 41. */
	p = board_peer_of(s, "alice/2");
	while (board_next(p, &got))
		ck_assert(got.len > 0 && got.p[0] == '2');
	BOARD(s, "bob: nothing", "alice: nothing", "alice/2: reset", "alice/2: login",
	      "alice/2> get-user-chats",
	      "alice/2< user-chats 1,[{'AllMsgs':20,'NewMsgs':0}]");
	board_end(s);
}
END_TEST

/* A picture counts as a reference. */
START_TEST(backlog_of_pictures)
{
	size_t n = 1 << 20;
	uint8_t *big = calloc(1, n);

	ck_assert_ptr_nonnull(big);
	memcpy(big, picture_of(0)->bytes.p, picture_of(0)->bytes.len);
	begin("board.max_backlog=64KiB");
	board_blob(s, "big", span_of(big, n));
	BOARD(s, "alice/2: login polling", "alice/2> join-chat $a,$c",
	      "alice/2< join-chat-response ...");
	for (int i = 0; i < 5; i++)
		BOARD(s, "bob> chat-img $a,$c,'a','b',@big",
		      "bob< chat-img *,$a,$c,'bob',*,'a','image/png',@big,*",
		      "bob< chat-response 1,'OK'", "alice< new-img-notification ...");
	/* Never a packet without its attachment. */
	for (int i = 0; i < 5; i++)
		BOARD(s, "alice/2< chat-img *,$a,$c,'bob',*,'a','image/png',@big,*");
	BOARD(s, "alice/2: nothing");
	free(big);
	board_end(s);
}
END_TEST

/* ---- a server that is killed ---- */

/* What was acknowledged is there, once, in order; counts agree with the lists. */
START_TEST(killed)
{
	enum { MANY = 90 };
	struct buf list = BUF_INIT(65536);
	int acknowledged = 0, stored;
	struct board_peer *p;
	struct span got;

	begin(NULL);
	BOARD(s, "alice: close");
	p = board_peer_of(s, "bob");
	for (int i = 0; i < MANY; i++)
		BOARDF(s, "bob> chat-msg $a,$c,'n %d'", i);
	while (acknowledged < MANY / 3) {
		ck_assert(board_next(p, &got));
		acknowledged +=
		    memmem(got.p, got.len, "2[\"chat-response\",1,", 20) != NULL;
	}
	harness_kill(board_harness(s));
	harness_restart(board_harness(s));
	BOARD(s, "bob: reset", "bob: login", "alice: login", "bob> get-user-chats",
	      "bob< user-chats 1,[{'AllMsgs':$n,'NewMsgs':0}]", "alice> get-user-chats",
	      "alice< user-chats 1,[{'AllMsgs':$n,'NewMsgs':$n}]",
	      "alice> get-chat-messages $a,$c");
	stored = atoi(board_value(s, "n"));
	ck_assert_int_ge(stored, acknowledged);
	for (int i = 0; i < stored; i++)
		ck_assert_int_eq(
		    buf_printf(&list, "%s{'message_text':'n %d'}", i == 0 ? "" : ",", i),
		    Q_OK);
	BOARDF(s, "alice< chat-messages $n,[%s]", (const char *)list.p);
	harness_admin(board_harness(s), "check", NULL);
	buf_free(&list);
	board_end(s);
}
END_TEST

/* Whoever left the room before the kill has read what it had read, give or take what a
 * second before it brought. */
START_TEST(counts_after_a_kill)
{
	begin(NULL);
	BOARD(s, "bob> join-chat $a,$c", "bob< join-chat-response ...",
	      "alice> chat-msg $a,$c,'1'", "alice< chat-msg ...",
	      "alice< chat-response 1,'OK'", "bob< chat-msg ...", "bob> leave-chat $a,$c",
	      "bob< leave-chat-response $a,$c,'OK'", "alice> chat-msg $a,$c,'2'",
	      "alice< chat-msg ...", "alice< chat-response 1,'OK'",
	      "bob< new-msg-notification ...");
	harness_kill(board_harness(s));
	harness_restart(board_harness(s));
	BOARD(s, "bob: reset", "bob: login", "bob> get-user-chats",
	      "bob< user-chats 1,[{'AllMsgs':2,'NewMsgs':$new}]");
	ck_assert_int_ge(atoi(board_value(s, "new")), 1);
	ck_assert_int_le(atoi(board_value(s, "new")), 2);
	board_end(s);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("board_ends");
	TCase *tc = harness_case(suite, "board_ends");

	tcase_add_test(tc, origin);
	tcase_add_loop_test(tc, namespaces, 0, 2);
	tcase_add_test(tc, over_tls);
	tcase_add_test(tc, backlog);
	tcase_add_test(tc, backlog_of_pictures);
	tcase_add_test(tc, killed);
	tcase_add_test(tc, counts_after_a_kill);
	return harness_main(suite);
}
