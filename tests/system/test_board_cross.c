/* SPDX-License-Identifier: MIT
 *
 * One set of chats: somebody in a browser (board) and somebody at a terminal (contacts).
 * ~NAME is in contacts.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "tests/system/board_pictures.h"
#include "tests/system/board_play.h"

static struct board_play *s;

/* alice and bob have contacts' chat 1; ~alice is at a terminal, bob in a browser. */
static void
begin_contacts(void)
{
	s = board_start("alice bob", NULL);
	board_deaf(s, "presence");
	BOARD(s, "~alice: login", "~bob: login", "bob: login", "~alice> 121 bob",
	      "~alice< 232 400", "~bob< 233 alice", "~bob> 121 alice", "~bob< 232 400",
	      "~alice< 233 bob", "~alice> 113 bob", "~alice< 217 400",
	      "bob< chat-added 0,$c,'alice',''", "~bob: logout");
}

START_TEST(chat_of_contacts)
{
	begin_contacts();
	BOARD(s, "bob> get-user-chats",
	      "bob< user-chats 1,[{'anons_id':0,'chat_id':$c,'AllMsgs':0,'NewMsgs':0,"
	      "'login':'alice','title':'','online':1}]",
	      "~alice> 115 $c Hello  bob <b>", "~alice< 219 400",
	      "bob< new-msg-notification $m,0,$c,'alice',#t,'Hello  bob <b>'",
	      "bob> join-chat 0,$c", "bob< join-chat-response 0,$c,'OK'",
	      "~alice> 115 $c again", "~alice< 219 400",
	      "bob< chat-msg *,0,$c,'alice',*,'again'", "bob> chat-msg 0,$c,'Hi alice'",
	      "bob< chat-msg *,0,$c,'bob',*,'Hi alice'", "bob< chat-response 1,'OK'",
	      "~alice< 220 $c 1447934844100 Hi alice",
	      /* As 220 needs quotes. */
	      "bob> chat-msg 0,$c,'two\\nlines'", "bob< chat-msg ...",
	      "bob< chat-response 1,'OK'", "~alice< 220 $c 1447934844101 \"two\\nlines\"",
	      /* History. */
	      "bob> get-chat-messages 0,$c",
	      "bob< chat-messages 4,[{'message_id':$m,'anons_id':0,'username':'alice',"
	      "'message_date':#t,'message_text':'Hello  bob <b>'},{},{},{}]",
	      "~alice> 113 bob", "~alice< 217 400", "~alice: nothing", "bob: nothing");
	harness_admin(board_harness(s), "check", NULL);
	board_end(s);
}
END_TEST

/* A chat about an announcement: both kinds beside each other. */
START_TEST(chat_of_board)
{
	begin_contacts();
	BOARD(s, "alice: login", "alice> new-anons 'Bicycle','red'",
	      "alice< new-anons-response $a,'OK'", "alice< anons-added ...",
	      "bob< anons-added ...", "bob> new-chat $a",
	      "bob< new-chat-response $a,$d,'OK'",
	      "alice< chat-added $a,$d,'bob','Bicycle'", "~bob: login", "~bob> 112",
	      "~bob< 214 2", "~bob< 215 $c alice bob", "~bob< 215 $d bob alice",
	      "~bob< 216", "~bob> 115 $d from a terminal", "~bob< 219 400",
	      "alice< new-msg-notification *,$a,$d,'bob',*,'from a terminal'",
	      "~alice< 220 $d 1447934844100 from a terminal",
	      "bob< new-msg-notification *,$a,$d,'bob',*,'from a terminal'",
	      /* 113 finds the other one alone. */
	      "~bob> 113 alice", "~bob< 217 400", "~bob> 112", "~bob< 214 2",
	      "~bob< 215 $c alice bob", "~bob< 215 $d bob alice", "~bob< 216",
	      "bob: nothing");
	/* After a 114 of the pair's own chat 113 makes a new one, and board hears of both. */
	BOARD(s, "~bob> 114 $c", "~bob< 218 400", "bob< chat-deleted 0,$c",
	      "alice< chat-deleted 0,$c", "~bob> 113 alice", "~bob< 217 400",
	      "alice< chat-added 0,$e,'bob',''", "bob< chat-added 0,$e,'alice',''",
	      "bob> get-user-chats", "bob< user-chats 2,*",
	      /* 411 is for the others: they need no contact for this. */
	      "~bob> 123 alice", "~bob< 234 400", "~bob> 115 $e x", "~bob< 219 411",
	      "~bob> 115 $d y", "~bob< 219 400", "~alice< 220 $d 1447934844101 y");
	harness_admin(board_harness(s), "check", NULL);
	board_end(s);
}
END_TEST

START_TEST(deleted_here)
{
	begin_contacts();
	BOARD(s, "bob> delete-chat $c", "bob< delete-chat-response $c,'OK'",
	      "~alice> 115 $c x", "~alice< 219 408", "~alice> 112", "~alice< 214 0",
	      "~alice< 216");
	board_end(s);
}
END_TEST

/* ---- what is sent again ---- */

/* In the room: not again as 220; only notified of, or missed: yes. */
START_TEST(not_twice)
{
	begin_contacts();
	BOARD(s, "bob> join-chat 0,$c", "bob< join-chat-response ...",
	      "~alice> 115 $c in the room", "~alice< 219 400", "bob< chat-msg ...",
	      "bob> leave-chat 0,$c", "bob< leave-chat-response ...",
	      "~alice> 115 $c notified", "~alice< 219 400",
	      "bob< new-msg-notification ...", "bob: close", "~alice> 115 $c missed",
	      "~alice< 219 400", "~bob: login", "~bob< 220 $c 1447934844100 notified",
	      "~bob< 220 $c 1447934844101 missed", "~bob: nothing",
	      "~bob> 122 $c 1447934844101", "~bob: logout", "~bob: login",
	      "~bob: nothing");
	board_end(s);
}
END_TEST

/* Read, notified, read: the gap is sent, and what is around it is not, over a restart. */
START_TEST(the_gap)
{
	begin_contacts();
	BOARD(s, "bob> join-chat 0,$c", "bob< join-chat-response ...", "~alice> 115 $c 1",
	      "~alice< 219 400", "bob< chat-msg ...", "bob> leave-chat 0,$c",
	      "bob< leave-chat-response ...", "~alice> 115 $c 2", "~alice< 219 400",
	      "bob< new-msg-notification ...", "bob> join-chat 0,$c",
	      "bob< join-chat-response ...", "~alice> 115 $c 3", "~alice< 219 400",
	      "bob< chat-msg ...", "bob: close");
	board_restart(s);
	BOARD(s, "~alice: end", "~bob: login", "~bob< 220 $c 1447934844100 2",
	      "~bob: nothing");
	board_end(s);
}
END_TEST

/* Someone who only uses browsers, and one day comes by a terminal, own messages are not
 * sent. */
START_TEST(own_messages)
{
	begin_contacts();
	BOARD(s, "bob> chat-msg 0,$c,'mine'", "bob< chat-msg ...",
	      "bob< chat-response 1,'OK'", "~alice< 220 $c 1447934844100 mine",
	      "~bob: login", "~bob: nothing", "bob> chat-msg 0,$c,'mine too'",
	      "bob< chat-msg ...", "bob< chat-response 1,'OK'",
	      "~alice< 220 $c 1447934844101 mine too", "~bob: nothing");
	board_end(s);
}
END_TEST

/* ---- pictures and files ---- */

static void
say_media(const char *who, const char *text, const char *type, struct span bytes)
{
	struct buf b = BUF_INIT(1 << 20);

	ck_assert_int_eq(
	    buf_printf(&b, "~%s> 115 $c %s data:%s;base64,", who, text, type), Q_OK);
	ck_assert_int_eq(buf_reserve(&b, BASE64_LEN(bytes.len)), Q_OK);
	b.len += base64_encode(bytes, (char *)b.p + b.len);
	BOARDF(s, "%.*s", (int)b.len, (const char *)b.p);
	buf_free(&b);
}

START_TEST(media_in_board)
{
	struct span png = picture_of(0)->bytes, jpeg = picture_of(1)->bytes;

	begin_contacts();
	board_blob(s, "png", png);
	board_blob(s, "jpeg", jpeg);
	BOARD(s, "bob> join-chat 0,$c", "bob< join-chat-response ...");
	/* With an empty text a chat-img alone. */
	say_media("alice", "\"\"", "image/png", png);
	BOARD(s, "~alice< 219 400",
	      "bob< chat-img 1,0,$c,'alice',*,'media-1.png','image/png',@png,*");
	/* After the text; the type is the one found. */
	say_media("alice", "\"look\"", "text/html", jpeg);
	BOARD(s, "~alice< 219 400", "bob< chat-msg $m,0,$c,'alice',#t,'look'",
	      "bob< chat-img 2,0,$c,'alice',#t,'media-2.jpg','image/jpeg',@jpeg,$m");
	/* No picture: a mark behind the text. */
	say_media("alice", "\"notes\"", "text/plain", span_str("hello"));
	BOARD(s, "~alice< 219 400",
	      "bob< chat-msg *,0,$c,'alice',*,'notes [file 3, 5 bytes]'",
	      "bob> leave-chat 0,$c", "bob< leave-chat-response ...");
	say_media("alice", "\"\"", "image/png", png);
	BOARD(s, "~alice< 219 400",
	      "bob< new-img-notification 4,0,$c,'alice',*,'media-4.png','image/png',*",
	      "bob> get-image 4", "bob< image 4,'media-4.png','image/png',@png",
	      "bob> get-image 3", "bob< image -1,*", "bob: nothing",
	      "bob> get-chat-messages 0,$c", "bob< chat-messages *,*");
	board_end(s);
}
END_TEST

START_TEST(pictures_in_contacts)
{
	struct span png = picture_of(0)->bytes;
	struct buf data = BUF_INIT(1 << 20);

	begin_contacts();
	board_blob(s, "png", png);
	ck_assert_int_eq(buf_put_str(&data, "~alice< 227 400 data:image/png;base64,"),
			 Q_OK);
	ck_assert_int_eq(buf_reserve(&data, BASE64_LEN(png.len) + 1), Q_OK);
	data.len += base64_encode(png, (char *)data.p + data.len);
	data.p[data.len] = '\0';
	BOARD(s, "bob> chat-img 0,$c,'my bike.png','image/png',@png",
	      "bob< chat-img $i,0,$c,'bob',*,'my bike.png','image/png',@png,*",
	      "bob< chat-response 1,'OK'",
	      "~alice< 220 $c 1447934844100 \"my bike.png\" $i", "~alice> 119 $i");
	BOARDF(s, "%s", (const char *)data.p);
	/* With an empty name. */
	BOARD(s, "bob> chat-img 0,$c,'','image/png',@png", "bob< chat-img ...");
	board_next_blob(board_peer_of(s, "bob"));
	BOARD(s, "bob< chat-response 1,'OK'", "~alice< 220 $c 1447934844101 \"\" 2");
	harness_admin(board_harness(s), "check", NULL);
	buf_free(&data);
	board_end(s);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("board_cross");
	TCase *tc = harness_case(suite, "board_cross");

	tcase_add_test(tc, chat_of_contacts);
	tcase_add_test(tc, chat_of_board);
	tcase_add_test(tc, deleted_here);
	tcase_add_test(tc, not_twice);
	tcase_add_test(tc, the_gap);
	tcase_add_test(tc, own_messages);
	tcase_add_test(tc, media_in_board);
	tcase_add_test(tc, pictures_in_contacts);
	return harness_main(suite);
}
