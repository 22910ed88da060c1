/* SPDX-License-Identifier: MIT
 *
 * board: what clients may send that makes no sense.  A failed event gets its answer and
 * harms nothing; a malformed packet ends the session, and only that.
 */
#include <stdio.h>
#include <string.h>

#include "tests/system/board_play.h"

static struct board_play *s;

/* alice has announcement $a, bob chat $c about it. */
static void
begin(bool polls)
{
	s = board_start("alice bob", "board.ping_timeout=1h", NULL);
	board_about(s, polls);
}

/* What each event answers before the reason, when it fails. */
static const struct {
	const char *event, *good, *answer;
} events[] = {
    {"get-chat-messages", "$a,$c", "chat-messages -1,[]"},
    {"new-chat", "$a", "new-chat-response *,-1"},
    {"join-chat", "$a,$c", "join-chat-response *,-1"},
    {"leave-chat", "$a,$c", "leave-chat-response *,-1"},
    {"chat-msg", "$a,$c,'hello'", "chat-response -1"},
    {"chat-img", "$a,$c,'a.png','image/png',@png", "chat-response -1"},
    {"get-anons", "0,10", "anons-list -1,[]"},
    {"new-anons", "'title','text'", "new-anons-response -1"},
    {"get-more-messages", "$c,9,10", "more-messages -1,[]"},
    {"get-image", "1", "image -1"},
    {"delete-chat", "$c", "delete-chat-response -1"},
    {"register", "'name','password'", "register-response -1"},
};
#define EVENTS (sizeof(events) / sizeof(events[0]))

static const char *const bad_values[] = {
    "null",
    "true",
    "-1",
    "1.5",
    "9007199254740992",
    "1e30",
    "[]",
    "{}",
    "[[[[[[[[1]]]]]]]]",
};

/* The good arguments with one in another's place, or cut before it. */
static void
spoil(const char *good, size_t which, const char *with, char *out, size_t size)
{
	size_t at = 0, from = 0;

	for (size_t i = 0; i < which; i++)
		at += strcspn(good + at, ",") + 1;
	from = at + strcspn(good + at, ",");
	if (with == NULL)
		snprintf(out, size, "%.*s", at == 0 ? 0 : (int)at - 1, good);
	else
		snprintf(out, size, "%.*s%s%s", (int)at, good, with, good + from);
}

static size_t
count_of(const char *good)
{
	size_t n = 1;

	for (; (good = strchr(good, ',')) != NULL; good++)
		n++;
	return n;
}

static void
try_bad(size_t event, const char *args)
{
	BOARDF(s, "bob? %s %s", events[event].event, args);
	BOARDF(s, "bob< %s,'Bad arguments'", events[event].answer);
	BOARD(s, "bob< ack -1,'Bad arguments'");
}

START_TEST(bad_arguments)
{
	static const uint8_t png[] = {0x89, 'P', 'N', 'G'};
	char args[256];

	begin(_i);
	board_blob(s, "png", span_of(png, sizeof(png)));
	for (size_t e = 0; e < EVENTS; e++)
		for (size_t i = 0; i < count_of(events[e].good); i++) {
			spoil(events[e].good, i, NULL, args, sizeof(args));
			try_bad(e, args);
			for (size_t v = 0; v < sizeof(bad_values) / sizeof(*bad_values);
			     v++) {
				spoil(events[e].good, i, bad_values[v], args,
				      sizeof(args));
				try_bad(e, args);
			}
		}
	BOARD(s, "bob? typing 'x'", "bob< ack -1,'Bad arguments'", "bob? typing",
	      "bob< ack -1,'Bad arguments'", "bob? get-chat-messages $a,$c,'x'",
	      "bob< chat-messages -1,[],'Bad arguments'", "bob< ack -1,'Bad arguments'",
	      "bob: nothing", "alice: nothing");
	board_end(s);
}
END_TEST

/* anons_id comes back as it was sent, and is -1 if that was no integer. */
START_TEST(failed_chats)
{
	begin(_i);
	BOARD(s, "bob> join-chat 77,$c", "bob< join-chat-response 77,-1,'No such chat'",
	      "bob> join-chat $a,77", "bob< join-chat-response $a,-1,'No such chat'",
	      "bob> join-chat 'x',$c", "bob< join-chat-response -1,-1,'Bad arguments'",
	      "bob> join-chat 1.0,$c", "bob< join-chat-response -1,-1,'Bad arguments'",
	      "bob> join-chat", "bob< join-chat-response -1,-1,'Bad arguments'",
	      "bob> leave-chat 77,'x'", "bob< leave-chat-response 77,-1,'Bad arguments'",
	      "bob> new-chat 9007199254740991",
	      "bob< new-chat-response 9007199254740991,-1,*", "bob> new-chat 0",
	      "bob< new-chat-response 0,-1,*");
	board_end(s);
}
END_TEST

/* Surplus ones are ignored; unknown events are acknowledged, without that nothing. */
START_TEST(more_than_wanted)
{
	begin(_i);
	BOARD(s, "bob? join-chat $a,$c,'x',{'y':[1]}",
	      "bob< join-chat-response $a,$c,'OK'", "bob< ack 1,'OK'",
	      "bob> no-such-event 1,2", "bob? no-such-event",
	      "bob< ack -1,'Unknown event'", "bob? Chat-Msg $a,$c,'x'",
	      "bob< ack -1,'Unknown event'", "bob? chat-response 1,'OK'",
	      "bob< ack -1,'Unknown event'", "bob: nothing");
	board_end(s);
}
END_TEST

START_TEST(texts)
{
	begin(_i);
	BOARD(s, "bob> join-chat $a,$c", "bob< join-chat-response ...",
	      "bob? chat-msg $a,$c,'a\\u0000b'", "bob< chat-response -1,*",
	      "bob< ack -1,*", "bob> register 'ab\\u0000','password'",
	      "bob< register-response -1,*");
	/* In an argument that nobody reads, too. */
	board_say(board_peer_of(s, "bob"), "2[\"chat-msg\",1,1,\"x\",{\"y\\u0000\":1}]");
	BOARD(s, "bob< chat-response -1,*", "bob> chat-msg $a,$c,'x',[[[[[[[[[1]]]]]]]]]",
	      "bob< chat-response -1,'Bad arguments'",
	      /* What JSON may hold comes out as it went in. */
	      "bob> chat-msg $a,$c,'\\u0010\\t\\u007f\\ud83d\\ude00\\u2028 \\\"<b>&'",
	      "bob< chat-msg *,$a,$c,'bob',#t,'\\u0010\\t\\u007f\\ud83d\\ude00\\u2028 "
	      "\\\"<b>&'",
	      "bob< chat-response 1,'OK'", "bob: nothing");
	board_end(s);
}
END_TEST

/* ---- malformed packets ---- */

#define TWO_ATTACHMENTS                                       \
	"52-[\"chat-img\",{\"_placeholder\":true,\"num\":0}," \
	"{\"_placeholder\":true,\"num\":1}]"

static const char *const malformed[] = {
    "2",
    "2{}",
    "2[]",
    "2[1]",
    "2[\"chat-msg\"",
    "2[\"chat-msg\"]x",
    "2[\"connect\"]",
    "2[\"disconnect\"]",
    "2[\"connect_error\"]",
    "2[\"newListener\"]",
    "2[\"chat-msg\",\"\\ud83d\"]",
    "2[\"chat-msg\",\"\xff\"]",
    "5-[\"x\"]",
    TWO_ATTACHMENTS,
    "51-[\"chat-img\",{\"_placeholder\":true,\"num\":1}]",
    "7",
    "9[\"x\"]",
    "4{}",
};

START_TEST(malformed_packets)
{
	begin(_i);
	board_deaf(s, "presence");
	BOARD(s, "alice> join-chat $a,$c", "alice< join-chat-response ...");
	for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
		struct board_peer *p;
		struct span got;

		BOARD(s, "bob/2: login", "bob/2> join-chat $a,$c",
		      "bob/2< join-chat-response ...", "alice< user-join ...");
		p = board_peer_of(s, "bob/2");
		board_say(p, malformed[i]);
		ck_assert_msg(!board_next(p, &got), "%s is answered", malformed[i]);
		if (p->way == BOARD_WEBSOCKET)
			ck_assert_msg(p->code ==
					  (strchr(malformed[i], 0xff) ? 1007 : 1002),
				      "%s: %u", malformed[i], p->code);
		BOARD(s, "bob/2: reset", "alice< user-leave ...");
	}
	BOARD(s, "bob: nothing", "alice: nothing");
	board_end(s);
}
END_TEST

/* An attachment that nothing announced. */
START_TEST(stray_attachment)
{
	struct board_peer *p;
	struct span got;

	begin(_i);
	p = board_peer_of(s, "bob");
	ws_put(p->in, WS_FIN | 2, "\1\2", 2);
	ck_assert(!board_next(p, &got));
	ck_assert_uint_eq(p->code, 1002);
	BOARD(s, "alice: nothing");
	board_end(s);
}
END_TEST

/* ---- sizes ---- */

/* Before the login 65,536 bytes, whatever was advertised. */
START_TEST(before_login)
{
	struct board_peer *p;
	struct span got;

	s = board_start("alice", NULL);
	BOARD(s, "a: open", "b: open polling");
	p = board_peer_of(s, "a");
	ws_put_header(p->in, WS_FIN | 1, 65537);
	ck_assert(!board_next(p, &got));
	ck_assert_uint_eq(p->code, 1009);
	p = board_peer_of(s, "b");
	{
		char head[512];

		snprintf(head, sizeof(head),
			 "POST /socket.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\n"
			 "Host: x\r\nContent-Length: 65537\r\n\r\n",
			 p->sid);
		http_say(p->out, head);
		http_read(p->out, false);
		ck_assert_int_eq(p->out->status, 413);
	}
	board_end(s);
}
END_TEST

START_TEST(behind_login)
{
	struct board_peer *p;
	struct span got;

	s = board_start("alice", NULL);
	BOARD(s, "alice: login");
	p = board_peer_of(s, "alice");
	ws_put_header(p->in, WS_FIN | 1, 16777217);
	ck_assert(!board_next(p, &got));
	ck_assert_uint_eq(p->code, 1009);
	board_end(s);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("board_args");
	TCase *tc = harness_case(suite, "board_args");

	tcase_add_loop_test(tc, bad_arguments, 0, 2);
	tcase_add_loop_test(tc, failed_chats, 0, 1);
	tcase_add_loop_test(tc, more_than_wanted, 0, 1);
	tcase_add_loop_test(tc, texts, 0, 2);
	tcase_add_loop_test(tc, malformed_packets, 0, 2);
	tcase_add_loop_test(tc, stray_attachment, 0, 1);
	tcase_add_test(tc, before_login);
	tcase_add_test(tc, behind_login);
	return harness_main(suite);
}
