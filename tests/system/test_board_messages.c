/* SPDX-License-Identifier: MIT
 *
 * board: messages.  Who gets them, in which order, what is refused.
 */
#include <stdio.h>
#include <string.h>

#include "tests/system/board_play.h"

static struct board_play *s;

static void
begin(bool polls)
{
	/* Nobody answers pings while somebody else is busy with a large picture. */
	s = board_start("alice bob carol", "board.ping_timeout=1h", NULL);
	board_about(s, polls);
}

static void
begin_joined(bool polls)
{
	begin(polls);
	board_join_both(s);
}

/* ---- who gets what ---- */

START_TEST(each_gets_one)
{
	begin(_i);
	BOARD(s, "alice/2: login", "bob/2: login", "bob/3: login", "carol: login",
	      "x: open", "alice> join-chat $a,$c", "alice< join-chat-response ...",
	      "bob/2> join-chat $a,$c", "bob/2< join-chat-response ...",
	      "alice< user-join ...",
	      /* From a connection that is not in the room. */
	      "bob? chat-msg $a,$c,'hello'", "bob< chat-msg $m,$a,$c,'bob',#t,'hello'",
	      "bob< chat-response 1,'OK'", "bob< ack 1,'OK'",
	      "bob/2< chat-msg $m,$a,$c,'bob',#t,'hello'",
	      "bob/3< new-msg-notification $m,$a,$c,'bob',#t,'hello'",
	      "alice< chat-msg $m,$a,$c,'bob',#t,'hello'",
	      "alice/2< new-msg-notification $m,$a,$c,'bob',#t,'hello'", "bob: nothing",
	      "bob/2: nothing", "bob/3: nothing", "alice: nothing", "alice/2: nothing",
	      "carol: nothing", "x: nothing");
	board_end(s);
}
END_TEST

START_TEST(lengths)
{
	char *text = malloc(16386);

	ck_assert_ptr_nonnull(text);
	memset(text, 'x', 16386);
	begin_joined(_i);
	text[16385] = '\0';
	BOARD(s, "bob? chat-msg $a,$c,''", "bob< chat-response -1,$why",
	      "bob< ack -1,$why");
	BOARDF(s, "bob> chat-msg $a,$c,'%s'", text);
	BOARD(s, "bob< chat-response -1,*", "alice: nothing");
	text[16384] = '\0';
	BOARDF(s, "bob> chat-msg $a,$c,'%s'", text);
	BOARDF(s, "bob< chat-msg $m,$a,$c,'bob',*,'%s'", text);
	BOARD(s, "bob< chat-response 1,'OK'");
	BOARDF(s, "alice< chat-msg $m,$a,$c,'bob',*,'%s'", text);
	/* Bytes, not characters. */
	for (size_t i = 0; i < 16384; i += 2)
		memcpy(text + i, "\xc3\xa4", 2);
	BOARDF(s, "bob> chat-msg $a,$c,'%sx'", text);
	BOARD(s, "bob< chat-response -1,*");
	BOARDF(s, "bob> chat-msg $a,$c,'%s'", text);
	BOARDF(s, "bob< chat-msg *,$a,$c,'bob',*,'%s'", text);
	BOARD(s, "bob< chat-response 1,'OK'", "bob: nothing");
	free(text);
	board_end(s);
}
END_TEST

/* ---- order ---- */

/* Both write at once; everybody sees one order, without gaps and doubles. */
START_TEST(one_order)
{
	enum { EACH = 150, PEOPLE = 4 };
	static const char *const who[PEOPLE] = {"alice", "bob", "alice/2", "bob/2"};
	long long ids[PEOPLE][2 * EACH] = {{0}};

	begin_joined(_i);
	BOARD(s, "alice/2: login", "bob/2: login", "alice/2> join-chat $a,$c",
	      "alice/2< join-chat-response ...", "bob/2> join-chat $a,$c",
	      "bob/2< join-chat-response ...");
	for (int i = 0; i < EACH; i++) {
		BOARDF(s, "alice> chat-msg $a,$c,'a%d'", i);
		BOARDF(s, "bob> chat-msg $a,$c,'b%d'", i);
	}
	for (int k = 0; k < PEOPLE; k++) {
		struct board_peer *p = board_peer_of(s, who[k]);
		int heard = 0, own = 0, answered = 0;

		while (heard < 2 * EACH || (k < 2 && answered < EACH)) {
			char text[256], name[16];
			struct span got;

			ck_assert(board_next(p, &got));
			snprintf(text, sizeof(text), "%.*s", (int)got.len,
				 (const char *)got.p);
			if (strncmp(text, "2[\"chat-response\",1,", 20) == 0) {
				/* Behind its message. */
				ck_assert_int_lt(answered++, own);
				continue;
			}
			ck_assert_int_eq(sscanf(text,
						"2[\"chat-msg\",%lld,%*d,%*d,\"%15[a-z]",
						&ids[k][heard], name),
					 2);
			own += strcmp(name, who[k]) == 0;
			if (heard > 0)
				ck_assert_int_gt(ids[k][heard], ids[k][heard - 1]);
			heard++;
		}
		ck_assert_int_eq(memcmp(ids[k], ids[0], sizeof(ids[0])), 0);
	}
	board_end(s);
}
END_TEST

static bool
holds(struct span packet, const char *text)
{
	return memmem(packet.p, packet.len, text, strlen(text)) != NULL;
}

/* What is said while alice enters the room is in the list that she asks for then, or
 * comes live, and nothing of the room before join-chat-response. */
static void
enter_while_said(int i)
{
	bool joined = false, listed = false, live = false, asked = false;
	struct board_peer *p;
	struct span got;
	char text[32];

	snprintf(text, sizeof(text), "\"text %d\"", i);
	BOARD(s, "alice: login", "alice> join-chat $a,$c");
	BOARDF(s, "bob> chat-msg $a,$c,'text %d'", i);
	p = board_peer_of(s, "alice");
	while (!asked || !(listed || live)) {
		ck_assert(board_next(p, &got));
		if (holds(got, "2[\"join-chat-response\"")) {
			joined = true;
			BOARD(s, "alice> get-chat-messages $a,$c");
		} else if (holds(got, "2[\"chat-messages\"")) {
			asked = true;
			listed = holds(got, text);
		} else if (holds(got, "2[\"chat-msg\"")) {
			ck_assert(joined);
			live = live || holds(got, text);
		}
	}
	BOARD(s, "alice: close");
}

START_TEST(nothing_between)
{
	begin(_i);
	BOARD(s, "alice: close");
	for (int i = 0; i < 40; i++)
		enter_while_said(i);
	board_end(s);
}
END_TEST

/* Said while the room is left: read (NewMsgs 0) if it came as chat-msg, and else new. */
START_TEST(left_while_said)
{
	unsigned long all = 0;

	begin(_i);
	for (int i = 0; i < 40; i++) {
		struct board_peer *p = board_peer_of(s, "alice");
		bool live = false, left = false, told = false;
		struct span got;

		BOARD(s, "alice> join-chat $a,$c", "alice< join-chat-response ...",
		      "bob> chat-msg $a,$c,'x'", "alice> leave-chat $a,$c");
		while (!left || !(live || told)) {
			ck_assert(board_next(p, &got));
			live = live || holds(got, "2[\"chat-msg\"");
			told = told || holds(got, "2[\"new-msg-notification\"");
			left = left || holds(got, "2[\"leave-chat-response\"");
		}
		ck_assert(!(live && told));
		BOARD(s, "bob< chat-msg ...", "bob< chat-response 1,'OK'",
		      "alice> get-user-chats");
		BOARDF(s, "alice< user-chats 1,[{'AllMsgs':%lu,'NewMsgs':%d}]", ++all,
		       told ? 1 : 0);
	}
	board_end(s);
}
END_TEST

/* What was acknowledged is there after a kill. */
START_TEST(stored_before_said)
{
	begin_joined(_i);
	for (int i = 0; i < 20; i++) {
		BOARDF(s, "bob> chat-msg $a,$c,'%d'", i);
		BOARD(s, "bob< chat-msg ...", "bob< chat-response 1,'OK'");
	}
	harness_kill(board_harness(s));
	harness_restart(board_harness(s));
	BOARD(s, "alice: reset", "alice: login", "alice> get-chat-messages $a,$c",
	      "alice< chat-messages 20,*");
	board_end(s);
}
END_TEST

/* From polling to a WebSocket in the middle of it. */
START_TEST(through_the_upgrade)
{
	begin(true);
	BOARD(s, "bob> join-chat $a,$c", "bob< join-chat-response ...",
	      "alice> chat-msg $a,$c,'1'", "bob: upgrade", "alice> chat-msg $a,$c,'2'",
	      "bob< chat-msg *,$a,$c,'alice',*,'1'",
	      "bob< chat-msg *,$a,$c,'alice',*,'2'", "bob> chat-msg $a,$c,'3'",
	      "bob< chat-msg *,$a,$c,'bob',*,'3'", "bob< chat-response 1,'OK'",
	      "bob: nothing");
	board_end(s);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("board_messages");
	TCase *tc = harness_case(suite, "board_messages");

	tcase_add_loop_test(tc, each_gets_one, 0, 2);
	tcase_add_loop_test(tc, lengths, 0, 2);
	tcase_add_loop_test(tc, one_order, 0, 2);
	tcase_add_loop_test(tc, nothing_between, 0, 2);
	tcase_add_loop_test(tc, left_while_said, 0, 2);
	tcase_add_loop_test(tc, stored_before_said, 0, 2);
	tcase_add_test(tc, through_the_upgrade);
	return harness_main(suite);
}
