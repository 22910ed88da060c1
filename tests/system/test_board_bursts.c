/* SPDX-License-Identifier: MIT
 *
 * board: what a client says in one go is posted together.  Nobody can tell but by the
 * order: first all of it is told, then it is answered, message by message.
 */
#include <stdio.h>
#include <string.h>

#include "tests/system/archive.h"
#include "tests/system/board_play.h"

static struct board_play *s;

/* alice has announcement $a, bob chat $c about it; both are in the room. */
static void
begin(bool polls, const char *setting)
{
	s = board_start("alice bob", setting, NULL);
	board_about(s, polls);
	board_join_both(s);
}

/* ---- one go ---- */

START_TEST(together)
{
	begin(_i, NULL);
	BOARD(s, "bob: gather", "bob> chat-msg $a,$c,'one'", "bob? chat-msg $a,$c,'two'",
	      "bob? chat-msg $a,$c,'\\u0074hree'", "bob: send",
	      "bob< chat-msg $m,$a,$c,'bob',#t,'one'",
	      "bob< chat-msg $n,$a,$c,'bob',#u,'two'",
	      "bob< chat-msg $o,$a,$c,'bob',#v,'three'", "bob< chat-response 1,'OK'",
	      "bob< chat-response 1,'OK'", "bob< ack 1,'OK'", "bob< chat-response 1,'OK'",
	      "bob< ack 1,'OK'", "alice< chat-msg $m,$a,$c,'bob',#t,'one'",
	      "alice< chat-msg $n,$a,$c,'bob',#u,'two'",
	      "alice< chat-msg $o,$a,$c,'bob',#v,'three'", "bob: nothing",
	      "alice: nothing",
	      /* One alone is answered as well. */
	      "bob? chat-msg $a,$c,'four'", "bob< chat-msg *,$a,$c,'bob',*,'four'",
	      "bob< chat-response 1,'OK'", "bob< ack 1,'OK'",
	      "alice< chat-msg *,$a,$c,'bob',*,'four'");
	board_end(s);
}
END_TEST

/* Answers come in the order of what was asked. */
START_TEST(events_between)
{
	begin(_i, NULL);
	BOARD(s, "bob: gather", "bob> chat-msg $a,$c,'1'", "bob? typing $c",
	      "bob> chat-msg $a,$c,'2'", "bob> get-user-chats", "bob> chat-msg $a,$c,'3'",
	      "bob? no-such-event", "bob? chat-msg $a,$c,'4'", "bob: send",
	      "bob< chat-msg *,$a,$c,'bob',*,'1'", "bob< chat-response 1,'OK'",
	      "bob< ack 1,'OK'", "bob< chat-msg *,$a,$c,'bob',*,'2'",
	      "bob< chat-response 1,'OK'", "bob< user-chats 1,[{'AllMsgs':2}]",
	      "bob< chat-msg *,$a,$c,'bob',*,'3'", "bob< chat-response 1,'OK'",
	      "bob< ack -1,'Unknown event'", "bob< chat-msg *,$a,$c,'bob',*,'4'",
	      "bob< chat-response 1,'OK'", "bob< ack 1,'OK'",
	      "alice< chat-msg *,$a,$c,'bob',*,'1'", "alice< typing ...",
	      "alice< chat-msg *,$a,$c,'bob',*,'2'",
	      "alice< chat-msg *,$a,$c,'bob',*,'3'",
	      "alice< chat-msg *,$a,$c,'bob',*,'4'", "alice: nothing");
	board_end(s);
}
END_TEST

START_TEST(another_chat_between)
{
	begin(_i, NULL);
	BOARD(s, "alice> new-anons 'Lamp',''", "alice< new-anons-response $b,'OK'",
	      "alice< anons-added ...", "bob< anons-added ...", "bob> new-chat $b",
	      "bob< new-chat-response $b,$d,'OK'", "alice< chat-added ...", "bob: gather",
	      "bob> chat-msg $a,$c,'1'", "bob> chat-msg $b,$d,'2'",
	      "bob> chat-msg $b,$d,'3'", "bob? chat-msg $a,$c,'4'", "bob: send",
	      "bob< chat-msg *,$a,$c,'bob',*,'1'", "bob< chat-response 1,'OK'",
	      "bob< chat-msg *,$b,$d,'bob',*,'2'", "bob< chat-msg *,$b,$d,'bob',*,'3'",
	      "bob< chat-response 1,'OK'", "bob< chat-response 1,'OK'",
	      "bob< chat-msg *,$a,$c,'bob',*,'4'", "bob< chat-response 1,'OK'",
	      "bob< ack 1,'OK'", "alice< chat-msg *,$a,$c,'bob',*,'1'",
	      "alice< new-msg-notification *,$b,$d,'bob',*,'2'",
	      "alice< new-msg-notification *,$b,$d,'bob',*,'3'",
	      "alice< chat-msg *,$a,$c,'bob',*,'4'", "alice: nothing");
	board_end(s);
}
END_TEST

/* One that is refused is refused in its place, and hurts no other. */
START_TEST(refused_between)
{
	begin(_i, NULL);
	BOARD(s, "bob: gather", "bob> chat-msg $a,$c,'1'", "bob? chat-msg $a,$c,''",
	      "bob> chat-msg $a,$c,'2'", "bob? chat-msg $a,$c", "bob> chat-msg $a,$c,'3'",
	      "bob? chat-msg $a,999,'x'", "bob> chat-msg $a,$c,'4'",
	      "bob> chat-msg 99,$c,'y'", "bob: send", "bob< chat-msg *,$a,$c,'bob',*,'1'",
	      "bob< chat-response 1,'OK'", "bob< chat-response -1,$why",
	      "bob< ack -1,$why", "bob< chat-msg *,$a,$c,'bob',*,'2'",
	      "bob< chat-response 1,'OK'", "bob< chat-response -1,'Bad arguments'",
	      "bob< ack -1,'Bad arguments'", "bob< chat-msg *,$a,$c,'bob',*,'3'",
	      "bob< chat-response 1,'OK'", "bob< chat-response -1,'No such chat'",
	      "bob< ack -1,'No such chat'", "bob< chat-msg *,$a,$c,'bob',*,'4'",
	      "bob< chat-response 1,'OK'", "bob< chat-response -1,'No such chat'");
	for (int i = 1; i <= 4; i++)
		BOARDF(s, "alice< chat-msg *,$a,$c,'bob',*,'%d'", i);
	BOARD(s, "alice: nothing", "bob: nothing");
	board_end(s);
}
END_TEST

START_TEST(limit_reached)
{
	s = board_start("alice bob", "limits.messages=3", "limits.messages_rate=1", NULL);
	board_about(s, _i);
	BOARD(s, "bob: gather");
	for (int i = 1; i <= 5; i++)
		BOARDF(s, "bob? chat-msg $a,$c,'%d'", i);
	BOARD(s, "bob> get-user-chats", "bob: send");
	for (int i = 1; i <= 3; i++)
		BOARDF(s, "bob< chat-msg *,$a,$c,'bob',*,'%d'", i);
	for (int i = 1; i <= 3; i++)
		BOARD(s, "bob< chat-response 1,'OK'", "bob< ack 1,'OK'");
	for (int i = 4; i <= 5; i++)
		BOARD(s, "bob< chat-response -1,$why", "bob< ack -1,$why");
	BOARD(s, "bob< user-chats 1,[{'AllMsgs':3}]");
	ck_assert_ptr_nonnull(strstr(board_value(s, "why"), "Too much at once"));
	for (int i = 1; i <= 3; i++)
		BOARDF(s, "alice< new-msg-notification *,$a,$c,'bob',*,'%d'", i);
	BOARD(s, "alice: nothing",
	      /* And when there is nothing left at all. */
	      "bob: gather", "bob? chat-msg $a,$c,'6'", "bob? chat-msg $a,$c,'7'",
	      "bob: send", "bob< chat-response -1,*", "bob< ack -1,*",
	      "bob< chat-response -1,*", "bob< ack -1,*", "bob: nothing",
	      "alice: nothing");
	board_end(s);
}
END_TEST

START_TEST(deleted_between)
{
	begin(_i, NULL);
	BOARD(s, "bob: gather", "bob> chat-msg $a,$c,'1'", "bob> delete-chat $c",
	      "bob> chat-msg $a,$c,'2'", "bob? chat-msg $a,$c,'3'", "bob: send",
	      "bob< chat-msg *,$a,$c,'bob',*,'1'", "bob< chat-response 1,'OK'",
	      "bob< delete-chat-response $c,'OK'", "bob< chat-response -1,'No such chat'",
	      "bob< chat-response -1,'No such chat'", "bob< ack -1,'No such chat'",
	      "alice< chat-msg *,$a,$c,'bob',*,'1'", "alice< chat-deleted $a,$c",
	      "bob: nothing", "alice: nothing");
	board_end(s);
}
END_TEST

START_TEST(picture_between)
{
	static const uint8_t gif[] = "GIF89a\1\0\1\0\0\0\0;";

	begin(_i, NULL);
	board_blob(s, "gif", span_of(gif, sizeof(gif) - 1));
	BOARD(s, "bob: gather", "bob> chat-msg $a,$c,'1'",
	      "bob> chat-img $a,$c,'x.gif','image/gif',@gif", "bob> chat-msg $a,$c,'2'",
	      "bob: send", "bob< chat-msg *,$a,$c,'bob',*,'1'",
	      "bob< chat-response 1,'OK'",
	      "bob< chat-img *,$a,$c,'bob',*,'x.gif','image/gif',@gif,*",
	      "bob< chat-response 1,'OK'", "bob< chat-msg *,$a,$c,'bob',*,'2'",
	      "bob< chat-response 1,'OK'", "alice< chat-msg *,$a,$c,'bob',*,'1'",
	      "alice< chat-img *,$a,$c,'bob',*,'x.gif','image/gif',@gif,*",
	      "alice< chat-msg *,$a,$c,'bob',*,'2'");
	board_end(s);
}
END_TEST

/* ---- many ---- */

/* Say from..to-1 in one go. */
static void
say_many(const char *who, int from, int to)
{
	board_gather(board_peer_of(s, who));
	for (int i = from; i < to; i++)
		BOARDF(s, "%s> chat-msg $a,$c,'n %d'", who, i);
	board_send_gathered(board_peer_of(s, who));
}

/* Hear until that many of one's own were answered; how many were good, which are the
 * first ones.  Each came as chat-msg before. */
static int
hear_answers(const char *who, int count)
{
	struct board_peer *p = board_peer_of(s, who);
	int own = 0, good = 0, answered = 0;
	char text[160], want[32];
	struct span got;

	while (answered < count) {
		ck_assert(board_next(p, &got));
		snprintf(text, sizeof(text), "%.*s", (int)got.len, (const char *)got.p);
		snprintf(want, sizeof(want), "\"n %d\"]", own);
		if (strncmp(text, "2[\"chat-msg\",", 13) == 0) {
			ck_assert_ptr_nonnull(strstr(text, want));
			own++;
		} else if (strncmp(text, "2[\"chat-response\",1,", 20) == 0) {
			ck_assert_int_eq(good, answered);
			ck_assert_int_lt(good++, own);
			answered++;
		} else if (strncmp(text, "2[\"chat-response\",-1,", 21) == 0) {
			answered++;
		}
	}
	/* Told together, answered one by one. */
	ck_assert_int_ge(own, good);
	return good;
}

START_TEST(very_many)
{
	enum { MANY = 700 };

	begin(_i, NULL);
	say_many("bob", 0, MANY);
	ck_assert_int_eq(hear_answers("bob", MANY), MANY);
	for (int i = 0; i < MANY; i++)
		BOARDF(s, "alice< chat-msg *,$a,$c,'bob',*,'n %d'", i);
	BOARD(s, "alice: nothing", "bob: nothing");
	board_end(s);
}
END_TEST

/* Each as long as it may be. */
START_TEST(very_long)
{
	enum { MANY = 6, SIZE = 16384 };
	char text[SIZE + 1];

	begin(_i, NULL);
	BOARD(s, "bob: gather");
	for (int i = 0; i < MANY; i++) {
		memset(text, 'a' + i, SIZE);
		text[SIZE - i] = '\0';
		BOARDF(s, "bob> chat-msg $a,$c,'%s'", text);
		BOARDF(s, "bob> chat-msg $a,$c,'%d'", i);
	}
	BOARD(s, "bob: send");
	for (int i = 0; i < MANY; i++) {
		memset(text, 'a' + i, SIZE);
		text[SIZE - i] = '\0';
		BOARDF(s, "alice< chat-msg *,$a,$c,'bob',*,'%s'", text);
		BOARDF(s, "alice< chat-msg *,$a,$c,'bob',*,'%d'", i);
	}
	BOARD(s, "alice: nothing");
	board_end(s);
}
END_TEST

/* More than may wait for one who takes nothing: those who read take it all. */
START_TEST(more_than_backlog)
{
	enum { MANY = 12, SIZE = 1000 };
	char text[SIZE + 1];

	begin(false, "board.max_backlog=4KiB");
	BOARD(s, "bob: gather");
	for (int i = 0; i < MANY; i++) {
		memset(text, 'a' + i, SIZE);
		text[SIZE] = '\0';
		BOARDF(s, "bob> chat-msg $a,$c,'%s'", text);
	}
	BOARD(s, "bob: send");
	for (int i = 0; i < MANY; i++) {
		memset(text, 'a' + i, SIZE);
		BOARDF(s, "alice< chat-msg *,$a,$c,'bob',*,'%s'", text);
		BOARDF(s, "bob< chat-msg *,$a,$c,'bob',*,'%s'", text);
	}
	for (int i = 0; i < MANY; i++)
		BOARD(s, "bob< chat-response 1,'OK'");
	BOARD(s, "alice: nothing", "bob: nothing");
	board_end(s);
}
END_TEST

/* More is asked for in one go than may wait for one who takes nothing: who reads gets all
 * of it. */
START_TEST(much_asked)
{
	enum { MANY = 5, SIZE = 16000, ASKED = 12 };
	struct board_peer *bob;
	char text[SIZE + 1];

	s = board_start("alice bob", "board.max_backlog=128KiB", NULL);
	board_about(s, _i);
	bob = board_peer_of(s, "bob");
	memset(text, 'x', SIZE);
	text[SIZE] = '\0';
	for (int i = 0; i < MANY; i++) {
		BOARDF(s, "bob> chat-msg $a,$c,'%s'", text);
		BOARD(s, "bob< chat-msg ...", "bob< chat-response 1,'OK'",
		      "alice< new-msg-notification ...");
	}
	BOARD(s, "bob: gather");
	for (int i = 0; i < ASKED; i++)
		BOARD(s, "bob? get-chat-messages $a,$c");
	BOARD(s, "bob> chat-msg $a,$c,'last'");
	if (_i == 0) {
		BOARD(s, "bob: send");
	} else { /* its answer comes when the others were fetched */
		ck_assert_int_eq(buf_put_u8(&bob->held, '\0'), Q_OK);
		eio_ask_post(bob->out, SOCKET, bob->sid, (const char *)bob->held.p);
		bob->gathers = false;
		buf_free(&bob->held);
	}
	for (int i = 0; i < ASKED; i++)
		BOARD(s, "bob< chat-messages $n,*", "bob< ack 1,'OK'");
	BOARD(s, "bob< chat-msg *,$a,$c,'bob',*,'last'", "bob< chat-response 1,'OK'");
	if (_i == 1)
		http_hear(bob->out, 200, "ok");
	BOARD(s, "alice< new-msg-notification ...", "bob: nothing");
	board_end(s);
}
END_TEST

/* The other one deletes the chat meanwhile: what was told was answered with OK, the rest
 * was not. */
START_TEST(deleted_meanwhile)
{
	enum { MANY = 300 };
	int good;

	begin(_i, NULL);
	say_many("bob", 0, MANY);
	BOARD(s, "alice> delete-chat $c");
	good = hear_answers("bob", MANY);
	for (int i = 0; i < good; i++)
		BOARDF(s, "alice< chat-msg *,$a,$c,'bob',*,'n %d'", i);
	BOARD(s, "alice< delete-chat-response $c,'OK'", "alice: nothing");
	board_end(s);
}
END_TEST

/* ---- ends ---- */

START_TEST(logout_behind)
{
	begin(_i, NULL);
	BOARD(s, "bob: gather", "bob> chat-msg $a,$c,'1'", "bob> logout",
	      "bob> chat-msg $a,$c,'2'", "bob: send", "bob< chat-msg *,$a,$c,'bob',*,'1'",
	      "bob< chat-response 1,'OK'", "bob< logout-response 1,'OK'",
	      "bob< auth-response -1,'Unauthorized'", "bob: nothing",
	      "alice< chat-msg *,$a,$c,'bob',*,'1'", "alice< user-leave ...",
	      "alice: nothing");
	board_end(s);
}
END_TEST

/* The client says goodbye right behind, in each way there is, or what nobody understands:
 * what it said before was right, and is answered where that can arrive. */
START_TEST(end_behind)
{
	static const struct {
		const char *packet; /* NULL: Engine.IO's close */
		unsigned code;
	} ends[] = {{"1", 0}, {NULL, 1000}, {"7", 1002}, {"2[\"x\"", 1002}};
	const unsigned code = ends[_i / 2].code;
	struct board_peer *p;
	struct span got;

	begin(_i % 2, NULL);
	p = board_peer_of(s, "bob");
	BOARD(s, "bob: gather", "bob> chat-msg $a,$c,'1'", "bob> chat-msg $a,$c,'2'");
	if (ends[_i / 2].packet != NULL)
		board_say(p, ends[_i / 2].packet);
	else
		board_say_close(p);
	BOARD(s, "bob: send", "alice< chat-msg *,$a,$c,'bob',*,'1'",
	      "alice< chat-msg *,$a,$c,'bob',*,'2'", "alice< user-leave ...");
	if (code == 0 || p->way == BOARD_WEBSOCKET)
		BOARD(s, "bob< chat-msg *,$a,$c,'bob',*,'1'",
		      "bob< chat-msg *,$a,$c,'bob',*,'2'", "bob< chat-response 1,'OK'",
		      "bob< chat-response 1,'OK'");
	if (code != 0 && p->way == BOARD_WEBSOCKET) {
		ck_assert(!board_next(p, &got));
		ck_assert_uint_eq(p->code, code);
	}
	BOARD(s, "alice> get-user-chats", "alice< user-chats 1,[{'AllMsgs':2}]");
	board_end(s);
}
END_TEST

/* What has come is answered, and does not wait for the half that is to come. */
START_TEST(half_a_frame_behind)
{
	static const char packet[] = "42[\"typing\",1]";
	struct buf frame = BUF_INIT(256);
	struct board_peer *p;

	begin(false, NULL);
	p = board_peer_of(s, "bob");
	BOARD(s, "bob: gather", "bob> chat-msg $a,$c,'1'", "bob> chat-msg $a,$c,'2'");
	ws_frame(&frame, WS_FIN | 1, packet, strlen(packet));
	ck_assert_int_eq(buf_put(&p->held, frame.p, frame.len / 2), Q_OK);
	BOARD(s, "bob: send", "bob< chat-msg *,$a,$c,'bob',*,'1'",
	      "bob< chat-msg *,$a,$c,'bob',*,'2'", "bob< chat-response 1,'OK'",
	      "bob< chat-response 1,'OK'", "bob: reset",
	      "alice< chat-msg *,$a,$c,'bob',*,'1'",
	      "alice< chat-msg *,$a,$c,'bob',*,'2'", "alice< user-leave ...");
	buf_free(&frame);
	board_end(s);
}
END_TEST

/* From polling to a WebSocket between two goes. */
START_TEST(through_the_upgrade)
{
	begin(true, NULL);
	say_many("bob", 0, 5);
	BOARD(s, "bob: upgrade");
	say_many("bob", 5, 10);
	ck_assert_int_eq(hear_answers("bob", 10), 10);
	for (int i = 0; i < 10; i++)
		BOARDF(s, "alice< chat-msg *,$a,$c,'bob',*,'n %d'", i);
	BOARD(s, "alice: nothing", "bob: nothing");
	board_end(s);
}
END_TEST

/* ---- what was answered with OK is there ---- */

static int
stored(void)
{
	struct archive a;
	struct record r;
	char name[64], text[16];
	int n = 0;

	snprintf(name, sizeof(name), "chat-%s", board_value(s, "c"));
	ck_assert(archive_open(&a, board_harness(s), name));
	while (archive_next(&a, &r)) {
		snprintf(text, sizeof(text), "n %d", n++);
		ck_assert(span_eq(r.data, span_str(text)));
	}
	archive_close(&a);
	return n;
}

/* The connection is cut, and the server is killed, in the middle of many. */
START_TEST(cut_and_killed)
{
	enum { MANY = 600, SOME = 200 };
	int cut, good;

	begin(_i % 2, _i / 2 == 0 ? NULL : "store.durability=always");
	say_many("bob", 0, MANY);
	good = hear_answers("bob", SOME);
	ck_assert_int_eq(good, SOME);
	BOARD(s, "bob: reset", "alice: close");
	/* It stops when nothing of that is left to be done. */
	board_restart(s);
	cut = stored();
	ck_assert_int_ge(cut, SOME);

	BOARD(s, "bob: login");
	say_many("bob", cut, cut + MANY);
	for (struct span got; good < SOME + SOME;) {
		ck_assert(board_next(board_peer_of(s, "bob"), &got));
		good += memmem(got.p, got.len, "2[\"chat-response\",1,", 20) != NULL;
	}
	harness_kill(board_harness(s));
	harness_restart(board_harness(s));
	harness_admin(board_harness(s), "check", NULL);
	ck_assert_int_ge(stored(), cut + SOME);
	board_end(s);
}
END_TEST

/* No file of the server may grow beyond bytes; 0: as large as it likes. */
static void
limit_files(rlim_t bytes)
{
	struct rlimit r = {bytes != 0 ? bytes : RLIM_INFINITY, RLIM_INFINITY};

	ck_assert_int_eq(prlimit(board_harness(s)->pid, RLIMIT_FSIZE, &r, NULL), 0);
}

/* What cannot be stored is refused, all of it, and told to nobody. */
START_TEST(full_disk)
{
	begin(_i, NULL);
	limit_files(1);
	BOARD(s, "bob: gather", "bob> chat-msg $a,$c,'x'", "bob? chat-msg $a,$c,'y'",
	      "bob: send", "bob< chat-response -1,$why", "bob< chat-response -1,$why",
	      "bob< ack -1,$why", "alice: nothing");
	limit_files(0);
	BOARD(s, "bob> chat-msg $a,$c,'n 0'", "bob< chat-msg *,$a,$c,'bob',*,'n 0'",
	      "bob< chat-response 1,'OK'", "alice< chat-msg *,$a,$c,'bob',*,'n 0'");
	ck_assert_int_eq(stored(), 1);
	board_end(s);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("board_bursts");
	TCase *tc = harness_case(suite, "board_bursts");

	tcase_add_loop_test(tc, together, 0, 2);
	tcase_add_loop_test(tc, events_between, 0, 2);
	tcase_add_loop_test(tc, another_chat_between, 0, 2);
	tcase_add_loop_test(tc, refused_between, 0, 2);
	tcase_add_loop_test(tc, limit_reached, 0, 2);
	tcase_add_loop_test(tc, deleted_between, 0, 2);
	tcase_add_loop_test(tc, picture_between, 0, 2);
	tcase_add_loop_test(tc, very_many, 0, 2);
	tcase_add_loop_test(tc, very_long, 0, 2);
	tcase_add_test(tc, more_than_backlog);
	tcase_add_loop_test(tc, much_asked, 0, 2);
	tcase_add_loop_test(tc, deleted_meanwhile, 0, 2);
	tcase_add_loop_test(tc, logout_behind, 0, 2);
	tcase_add_loop_test(tc, end_behind, 0, 8);
	tcase_add_test(tc, half_a_frame_behind);
	tcase_add_test(tc, through_the_upgrade);
	tcase_add_loop_test(tc, cut_and_killed, 0, 4);
	tcase_add_loop_test(tc, full_disk, 0, 2);
	return harness_main(suite);
}
