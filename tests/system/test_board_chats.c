/* SPDX-License-Identifier: MIT
 *
 * board: announcements, chats about them, who is in the room, lists and counts.
 */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "tests/system/board_play.h"

static struct board_play *s;

/* alice has announcement $a, bob chat $c about it; nobody is in the room. */
static void
begin(bool polls)
{
	s = board_start("alice bob carol", NULL);
	board_deaf(s, "presence");
	board_polls(s, polls);
	BOARD(s, "alice: login", "alice> new-anons 'Bicycle','red'",
	      "alice< new-anons-response $a,'OK'",
	      "alice< anons-added $a,'alice','Bicycle','red',#ta", "bob: login",
	      "bob? new-chat $a", "bob< new-chat-response $a,$c,'OK'", "bob< ack 1,'OK'",
	      "alice< chat-added $a,$c,'bob','Bicycle'");
}

/* ---- announcements ---- */

START_TEST(announcements)
{
	char title[130], text[8194];

	s = board_start("alice bob", NULL);
	board_polls(s, _i);
	BOARD(s, "alice: login", "alice/2: login", "bob: login", "x: open",
	      "bob> get-anons 0,100", "bob< anons-list 0,[]");
	for (int i = 1; i <= 5; i++) {
		BOARDF(s, "alice? new-anons 'Title %d','Text <b>%d</b>'", i, i);
		BOARDF(s, "alice< new-anons-response $a%d,'OK'", i);
		BOARD(s, "alice< ack 1,'OK'");
		/* To everyone logged in, the author too. */
		BOARDF(s,
		       "alice< anons-added $a%d,'alice','Title %d','Text <b>%d</b>',#t%d",
		       i, i, i, i);
		BOARDF(s, "alice/2< anons-added $a%d,'alice','Title %d',*,#t%d", i, i, i);
		BOARDF(s, "bob< anons-added $a%d,'alice','Title %d',*,#t%d", i, i, i);
	}
	BOARD(s, "bob? get-anons 0,2",
	      "bob< anons-list 2,[{'anons_id':$a5,'username':'alice','title':'Title 5',"
	      "'text':'Text <b>5</b>','datetime':#t5},{'anons_id':$a4}]",
	      "bob< ack 1,'OK'", "bob> get-anons $a4,100",
	      "bob< anons-list 3,[{'anons_id':$a3},{'anons_id':$a2},{'anons_id':$a1}]",
	      "bob> get-anons $a1,100", "bob< anons-list 0,[]", "bob> get-anons 0,0",
	      "bob< anons-list -1,[],*", "bob> get-anons 0,101",
	      "bob< anons-list -1,[],*", "x> get-anons 0,1",
	      "x< auth-response -1,'Unauthorized'");
	/* A title of 1 to 128 bytes, a text of at most 8,192. */
	memset(title, 't', sizeof(title));
	title[129] = '\0';
	memset(text, 'x', sizeof(text));
	text[8193] = '\0';
	BOARD(s, "bob> new-anons '','x'", "bob< new-anons-response -1,*");
	BOARDF(s, "bob> new-anons '%s','x'", title);
	BOARD(s, "bob< new-anons-response -1,*");
	BOARDF(s, "bob> new-anons 'x','%s'", text);
	BOARD(s, "bob< new-anons-response -1,*", "bob: nothing", "alice: nothing");
	title[128] = '\0';
	text[8192] = '\0';
	BOARDF(s, "bob> new-anons '%s','%s'", title, text);
	BOARD(s, "bob< new-anons-response $b,'OK'");
	BOARDF(s, "bob< anons-added $b,'bob','%s','%s',*", title, text);
	BOARD(s, "bob> new-anons 't',''", "bob< new-anons-response $b2,'OK'",
	      "bob< anons-added $b2,'bob','t','',*", "x: nothing");
	board_restart(s);
	BOARD(s, "bob: reset", "bob: login", "bob> get-anons 0,2",
	      "bob< anons-list 2,[{'anons_id':$b2,'text':''},{'anons_id':$b}]");
	board_end(s);
}
END_TEST

/* ---- chats ---- */

START_TEST(new_chats)
{
	begin(_i);
	BOARD(
	    s, "carol: login",
	    /* Twice gives the one that is there. */
	    "bob> new-chat $a", "bob< new-chat-response $a,$c,'OK'", "alice> new-chat $a",
	    "alice< new-chat-response $a,-1,$own", "bob> new-chat 999",
	    "bob< new-chat-response 999,-1,*", "carol> new-chat $a",
	    "carol< new-chat-response $a,$d,'OK'",
	    "alice< chat-added $a,$d,'carol','Bicycle'", "alice> get-user-chats",
	    "alice< user-chats 2,*", "bob> get-user-chats",
	    "bob< user-chats "
	    "1,[{'anons_id':$a,'chat_id':$c,'AllMsgs':0,'NewMsgs':0,'login':'alice',"
	    "'title':'Bicycle','online':*}]",
	    /* Not a member, no such chat, another announcement: one reason. */
	    "carol> join-chat $a,$c", "carol< join-chat-response $a,-1,'No such chat'",
	    "carol> chat-msg $a,$c,'x'", "carol< chat-response -1,'No such chat'",
	    "carol> get-chat-messages $a,$c", "carol< chat-messages -1,[],'No such chat'",
	    "carol> get-more-messages $c,100,10",
	    "carol< more-messages -1,[],'No such chat'", "carol> delete-chat $c",
	    "carol< delete-chat-response -1,'No such chat'", "carol? typing $c",
	    "carol< ack -1,'No such chat'", "bob> join-chat 0,$c",
	    "bob< join-chat-response 0,-1,'No such chat'", "bob> chat-msg 0,$c,'x'",
	    "bob< chat-response -1,'No such chat'", "bob> chat-msg $a,999,'x'",
	    "bob< chat-response -1,'No such chat'", "bob> get-chat-messages $a,999",
	    "bob< chat-messages -1,[],'No such chat'", "bob: nothing", "alice: nothing");
	board_end(s);
}
END_TEST

/* Two connections ask at the same moment: one chat. */
START_TEST(new_chat_at_once)
{
	enum { TIMES = 30 };
	char line[64];

	s = board_start("alice bob", NULL);
	board_deaf(s, "chat-added");
	BOARD(s, "alice: login", "bob: login", "bob/2: login");
	for (int i = 0; i < TIMES; i++) {
		BOARDF(s, "alice> new-anons 'T','%d'", i);
		BOARDF(s, "alice< new-anons-response $a%d,'OK'", i);
		BOARD(s, "alice< anons-added ...", "bob< anons-added ...",
		      "bob/2< anons-added ...");
		BOARDF(s, "bob> new-chat $a%d", i);
		BOARDF(s, "bob/2> new-chat $a%d", i);
		snprintf(line, sizeof(line), "new-chat-response $a%d,$c%d,'OK'", i, i);
		BOARDF(s, "bob< %s", line);
		BOARDF(s, "bob/2< %s", line);
	}
	BOARD(s, "bob> get-user-chats");
	BOARDF(s, "bob< user-chats %d,*", TIMES);
	harness_admin(board_harness(s), "check", NULL);
	board_end(s);
}
END_TEST

START_TEST(deleting)
{
	begin(_i);
	BOARD(s, "bob/2: login", "alice/2: login", "alice> join-chat $a,$c",
	      "alice< join-chat-response $a,$c,'OK'", "alice> chat-msg $a,$c,'hello'",
	      "alice< chat-msg ...", "alice< chat-response 1,'OK'",
	      "alice/2< new-msg-notification ...", "bob< new-msg-notification ...",
	      "bob/2< new-msg-notification ...", "bob? delete-chat $c",
	      "bob< delete-chat-response $c,'OK'", "bob< ack 1,'OK'",
	      "bob/2< chat-deleted $a,$c", "alice< chat-deleted $a,$c",
	      "alice/2< chat-deleted $a,$c", "alice> chat-msg $a,$c,'x'",
	      "alice< chat-response -1,'No such chat'", "bob> delete-chat $c",
	      "bob< delete-chat-response -1,'No such chat'", "bob> get-user-chats",
	      "bob< user-chats 0,[]", "alice> leave-chat $a,$c",
	      "alice< leave-chat-response $a,-1,*",
	      /* Then new-chat makes another one. */
	      "bob> new-chat $a", "bob< new-chat-response $a,$d,'OK'",
	      "alice< chat-added $a,$d,...", "bob> get-chat-messages $a,$d",
	      "bob< chat-messages 0,[]", "bob: nothing", "alice: nothing");
	ck_assert_str_ne(board_value(s, "c"), "");
	board_end(s);
}
END_TEST

/* ---- the room ---- */

START_TEST(joining)
{
	begin(_i);
	BOARD(s, "bob/2: login", "alice/2: login", "alice> join-chat $a,$c",
	      "alice< join-chat-response $a,$c,'OK'", "alice: nothing", "bob: nothing",
	      "bob? join-chat $a,$c", "bob< join-chat-response $a,$c,'OK'",
	      "bob< ack 1,'OK'", "alice< user-join $a,$c,'bob'",
	      /* Again, and a second connection: no user-join. */
	      "bob> join-chat $a,$c", "bob< join-chat-response $a,$c,'OK'",
	      "bob/2> join-chat $a,$c", "bob/2< join-chat-response $a,$c,'OK'",
	      "alice: nothing", "alice/2: nothing", "bob: nothing",
	      /* user-leave when the last one leaves. */
	      "bob? leave-chat $a,$c", "bob< leave-chat-response $a,$c,'OK'",
	      "bob< ack 1,'OK'", "alice: nothing", "bob> leave-chat $a,$c",
	      "bob< leave-chat-response $a,-1,*", "bob/2> leave-chat $a,$c",
	      "bob/2< leave-chat-response $a,$c,'OK'", "alice< user-leave $a,$c,'bob'");
	/* Whatever ends the connection leaves the room. */
	BOARD(s, "bob> join-chat $a,$c", "bob< join-chat-response $a,$c,'OK'",
	      "alice< user-join $a,$c,'bob'", "bob> logout", "bob< logout-response 1,*",
	      "alice< user-leave $a,$c,'bob'", "bob: login", "bob> join-chat $a,$c",
	      "bob< join-chat-response $a,$c,'OK'", "alice< user-join $a,$c,'bob'",
	      "bob: close", "alice< user-leave $a,$c,'bob'", "bob/2> join-chat $a,$c",
	      "bob/2< join-chat-response $a,$c,'OK'", "alice< user-join $a,$c,'bob'",
	      "bob/2: leave", "alice< user-leave $a,$c,'bob'");
	board_end(s);
}
END_TEST

/* A WebSocket that is torn; a client that polls no more. */
START_TEST(vanishing)
{
	s = board_start("alice bob carol", NULL);
	board_deaf(s, "presence");
	BOARD(s, "alice: login", "alice> new-anons 'Bicycle','red'",
	      "alice< new-anons-response $a,'OK'", "alice< anons-added $a,...",
	      "bob: login", "bob> new-chat $a", "bob< new-chat-response $a,$c,'OK'",
	      "alice< chat-added ...", "alice> join-chat $a,$c",
	      "alice< join-chat-response ...", "bob> join-chat $a,$c",
	      "bob< join-chat-response ...", "alice< user-join $a,$c,'bob'", "bob: reset",
	      "alice< user-leave $a,$c,'bob'");
	/* For bob's next connection alone. */
	harness_reload(board_harness(s), "board.ping_interval=1s",
		       "board.ping_timeout=2s", NULL);
	BOARD(s, "bob: login polling", "bob> join-chat $a,$c",
	      "bob< join-chat-response ...", "alice< user-join $a,$c,'bob'", "bob: reset",
	      "alice< user-leave $a,$c,'bob'");
	board_end(s);
}
END_TEST

START_TEST(typing)
{
	begin(_i);
	BOARD(s, "alice/2: login", "alice> join-chat $a,$c",
	      "alice< join-chat-response ...", "bob? typing $c", "bob< ack 1,'OK'",
	      "alice< typing $a,$c,'bob'", "alice/2: nothing", "bob: nothing",
	      "alice? typing $c", "alice< ack 1,'OK'", "bob: nothing", "alice> typing $c",
	      "alice: nothing");
	board_end(s);
}
END_TEST

START_TEST(presence)
{
	s = board_start("alice bob carol", NULL);
	board_polls(s, _i);
	BOARD(s, "alice: login", "alice> new-anons 'Bicycle','red'",
	      "alice< new-anons-response $a,'OK'", "alice< anons-added $a,...",
	      "bob: login", "alice: nothing", "bob> new-chat $a",
	      "bob< new-chat-response $a,$c,'OK'", "alice< chat-added $a,$c,...",
	      "bob> get-user-chats", "bob< user-chats 1,[{'login':'alice','online':*}]",
	      /* The first and the last session alone. */
	      "bob/2: login", "alice: nothing", "bob/2: close", "bob: nothing",
	      "alice: nothing", "bob: close", "alice< presence 'bob',0", "~bob: login",
	      "alice< presence 'bob',1", "bob: login", "alice: nothing", "~bob: close",
	      "bob: nothing", "bob> logout", "bob< logout-response 1,*",
	      "alice< presence 'bob',0",
	      /* To those alone who share a chat. */
	      "carol: login", "alice: nothing", "carol: close", "bob: login",
	      "alice< presence 'bob',1", "bob: nothing", "alice: nothing");
	board_end(s);
}
END_TEST

/* ---- counts ---- */

#define COUNTS(who, all, new)                                                       \
	who "> get-user-chats", who "< user-chats 1,[{'chat_id':$c,'AllMsgs':" #all \
				    ",'NewMsgs':" #new ",'last_message_id':" #all "}]"

static void
say(const char *who, const char *text)
{
	BOARDF(s, "%s> chat-msg $a,$c,'%s'", who, text);
	BOARDF(s, "%s< chat-msg *,$a,$c,'%.*s',*,'%s'", who, (int)strcspn(who, "/"), who,
	       text);
	BOARDF(s, "%s< chat-response 1,'OK'", who);
}

START_TEST(counts)
{
	begin(false);
	/* Never joined: all of others'. */
	say("bob", "1");
	say("bob", "2");
	BOARD(s, "alice< new-msg-notification ...", "alice< new-msg-notification ...",
	      COUNTS("alice", 2, 2), COUNTS("bob", 2, 0));
	say("alice", "3");
	BOARD(s, "bob< new-msg-notification ...", COUNTS("alice", 3, 2),
	      COUNTS("bob", 3, 1));
	/* In the room: none, on any connection. */
	BOARD(s, "alice/2: login", "alice> join-chat $a,$c",
	      "alice< join-chat-response ...", COUNTS("alice", 3, 0),
	      COUNTS("alice/2", 3, 0));
	say("bob", "4");
	BOARD(s, "alice< chat-msg ...", "alice/2< new-msg-notification ...",
	      COUNTS("alice/2", 4, 0), "alice> leave-chat $a,$c",
	      "alice< leave-chat-response ...", COUNTS("alice", 4, 0));
	say("bob", "5");
	BOARD(s, "alice< new-msg-notification ...", "alice/2< new-msg-notification ...",
	      COUNTS("alice", 5, 1));
	say("alice", "6");
	BOARD(s, "alice/2< new-msg-notification ...", "bob< new-msg-notification ...",
	      COUNTS("alice", 6, 1), COUNTS("bob", 6, 2));
	/* Over a restart, orderly or not. */
	board_restart(s);
	BOARD(s, "alice: end", "alice/2: end", "bob: end", "alice: login", "bob: login",
	      COUNTS("alice", 6, 1), COUNTS("bob", 6, 2), "bob> join-chat $a,$c",
	      "bob< join-chat-response ...", COUNTS("bob", 6, 0));
	say("alice", "7");
	BOARD(s, "bob< chat-msg ...", COUNTS("bob", 7, 0));
	board_restart(s);
	BOARD(s, "alice: end", "bob: end", "alice: login", "bob: login",
	      COUNTS("alice", 7, 1), COUNTS("bob", 7, 0));
	say("alice", "8");
	BOARD(s, "bob< new-msg-notification ...", COUNTS("bob", 8, 1));
	harness_admin(board_harness(s), "check", NULL);
	board_end(s);
}
END_TEST

/* The chats that somebody is in stay read when its last connection breaks. */
START_TEST(counts_after_a_break)
{
	begin(false);
	BOARD(s, "alice> join-chat $a,$c", "alice< join-chat-response ...");
	say("bob", "1");
	BOARD(s, "alice< chat-msg ...", "bob> join-chat $a,$c",
	      "bob< join-chat-response ...", "alice< user-join ...", "alice: reset",
	      "bob< user-leave $a,$c,'alice'");
	say("bob", "2");
	BOARD(s, "alice: login", COUNTS("alice", 2, 1));
	board_end(s);
}
END_TEST

/* A leave that was acknowledged outlives a kill that comes right behind it. */
START_TEST(counts_after_a_kill)
{
	begin(_i);
	for (int i = 1; i <= 4; i++) {
		say("bob", "what you see now");
		BOARD(s, "alice< new-msg-notification ...", "alice> join-chat $a,$c",
		      "alice< join-chat-response ...");
		say("bob", "is not new");
		BOARD(s, "alice< chat-msg ...", "alice> leave-chat $a,$c",
		      "alice< leave-chat-response $a,$c,'OK'");
		harness_kill(board_harness(s));
		harness_restart(board_harness(s));
		BOARD(s, "alice: reset", "bob: reset", "alice: login", "bob: login",
		      "alice> get-user-chats");
		BOARDF(s, "alice< user-chats 1,[{'AllMsgs':%d,'NewMsgs':0}]", 2 * i);
	}
	board_end(s);
}
END_TEST

static void
limit_files(rlim_t size)
{
	const struct rlimit lim = {size, RLIM_INFINITY};

	ck_assert_int_eq(prlimit(board_harness(s)->pid, RLIMIT_FSIZE, &lim, NULL), 0);
}

/* alice sees a message and leaves while the disk is full: her answer. */
static const char *
leave_when_full(int round)
{
	char name[16];

	BOARD(s, "alice> join-chat $a,$c", "alice< join-chat-response $a,$c,'OK'");
	say("bob", "hello");
	BOARD(s, "alice< chat-msg ...");
	limit_files(1);
	BOARD(s, "alice> leave-chat $a,$c");
	BOARDF(s, "alice< leave-chat-response $a,$r%d,*", round);
	BOARD(s, "alice> leave-chat $a,$c",
	      "alice< leave-chat-response $a,-1,'Not in the room'");
	limit_files(RLIM_INFINITY);
	snprintf(name, sizeof(name), "r%d", round);
	return board_value(s, name);
}

/* Does the file below the data directory contain text? */
static bool
says(const char *path, const char *text)
{
	struct buf b = BUF_INIT(4096);
	bool found = harness_read(board_harness(s), path, &b) &&
		     memmem(b.p, b.len, text, strlen(text)) != NULL;

	buf_free(&b);
	return found;
}

/* When it cannot be written down the answer says so, and once there is room it is. */
START_TEST(leaving_with_a_full_disk)
{
	char path[64], seen[64];
	int n = 1;

	begin(false);
	/* Once a second all is written down before the disk is full. */
	while (strcmp(leave_when_full(n), "-1") != 0)
		ck_assert_int_lt(n++, 50);
	snprintf(path, sizeof(path), "tallies/%s", board_value(s, "c"));
	snprintf(seen, sizeof(seen), "\nother-seen: %d\n", n);
	HARNESS_UNTIL(says(path, seen));
	harness_kill(board_harness(s));
	harness_restart(board_harness(s));
	BOARD(s, "alice: reset", "bob: reset", "alice: login", "alice> get-user-chats");
	BOARDF(s, "alice< user-chats 1,[{'AllMsgs':%d,'NewMsgs':0}]", n);
	board_end(s);
}
END_TEST

/* ---- lists ---- */

/* NAME< event N,[texts first to last] */
static void
hear_texts(const char *who, const char *event, int first, int last)
{
	struct buf b = BUF_INIT(65536);

	ck_assert_int_eq(buf_printf(&b, "%s< %s %d,[", who, event, last - first + 1),
			 Q_OK);
	for (int i = first; i <= last; i++)
		ck_assert_int_eq(
		    buf_printf(&b,
			       "%s{'message_id':$m%d,'anons_id':$a,'chat_id':$c,"
			       "'username':'bob','message_date':#t%d,"
			       "'message_text':'text %d'}",
			       i == first ? "" : ",", i, i, i),
		    Q_OK);
	BOARDF(s, "%s]", (char *)b.p);
	buf_free(&b);
}

START_TEST(pages)
{
	begin(_i);
	BOARD(s, "bob> join-chat $a,$c", "bob< join-chat-response ...", "alice: close");
	for (int i = 1; i <= 105; i++) {
		BOARDF(s, "bob> chat-msg $a,$c,'text %d'", i);
		BOARDF(s, "bob< chat-msg $m%d,$a,$c,'bob',#t%d,'text %d'", i, i, i);
		BOARD(s, "bob< chat-response 1,'OK'");
	}
	/* The newest 100, oldest first; what is before; what is behind. */
	BOARD(s, "alice: login", "alice? get-chat-messages $a,$c");
	hear_texts("alice", "chat-messages", 6, 105);
	BOARD(s, "alice< ack 1,'OK'", "alice? get-more-messages $c,$m6,3");
	hear_texts("alice", "more-messages", 3, 5);
	BOARD(s, "alice< ack 1,'OK'", "alice> get-more-messages $c,$m6,100");
	hear_texts("alice", "more-messages", 1, 5);
	BOARD(s, "alice> get-more-messages $c,$m1,10", "alice< more-messages 0,[]",
	      "alice> get-chat-messages $a,$c,$m2");
	hear_texts("alice", "chat-messages", 3, 102);
	BOARD(s, "alice> get-chat-messages $a,$c,$m103");
	hear_texts("alice", "chat-messages", 104, 105);
	BOARD(s, "alice> get-chat-messages $a,$c,$m105", "alice< chat-messages 0,[]",
	      "alice> get-chat-messages $a,$c,9007199254740991",
	      "alice< chat-messages 0,[]", "alice> get-more-messages $c,$m6,0",
	      "alice< more-messages -1,[],*", "alice> get-more-messages $c,$m6,101",
	      "alice< more-messages -1,[],*", "alice: nothing");
	/* The same after a kill. */
	harness_kill(board_harness(s));
	harness_restart(board_harness(s));
	BOARD(s, "alice: reset", "alice: login", "alice> get-chat-messages $a,$c");
	hear_texts("alice", "chat-messages", 6, 105);
	board_end(s);
}
END_TEST

/* An announcement that the administrator removes leaves its chats, with title ''. */
START_TEST(removed_announcement)
{
	char number[32];

	begin(false);
	say("bob", "hello");
	BOARD(s, "alice< new-msg-notification ...");
	snprintf(number, sizeof(number), "%s", board_value(s, "a"));
	harness_admin(board_harness(s), "anons", "remove", number, NULL);
	BOARD(s, "bob> get-anons 0,10", "bob< anons-list 0,[]", "bob> get-user-chats",
	      "bob< user-chats 1,[{'anons_id':$a,'chat_id':$c,'AllMsgs':1,'title':''}]",
	      "bob> join-chat $a,$c", "bob< join-chat-response $a,$c,'OK'");
	say("bob", "still there?");
	BOARD(s, "bob> new-chat $a", "bob< new-chat-response ...");
	board_end(s);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("board_chats");
	TCase *tc = harness_case(suite, "board_chats");

	tcase_add_loop_test(tc, announcements, 0, 2);
	tcase_add_loop_test(tc, new_chats, 0, 2);
	tcase_add_test(tc, new_chat_at_once);
	tcase_add_loop_test(tc, deleting, 0, 2);
	tcase_add_loop_test(tc, joining, 0, 2);
	tcase_add_test(tc, vanishing);
	tcase_add_loop_test(tc, typing, 0, 2);
	tcase_add_loop_test(tc, presence, 0, 2);
	tcase_add_test(tc, counts);
	tcase_add_test(tc, counts_after_a_break);
	tcase_add_loop_test(tc, counts_after_a_kill, 0, 2);
	tcase_add_test(tc, leaving_with_a_full_disk);
	tcase_add_loop_test(tc, pages, 0, 2);
	tcase_add_test(tc, removed_announcement);
	return harness_main(suite);
}
