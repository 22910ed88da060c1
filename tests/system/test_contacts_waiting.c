/* SPDX-License-Identifier: MIT
 *
 * contacts: what was said while somebody was away comes at the next login, once, in
 * order, and not before it was delivered is it forgotten.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/system/contacts_play.h"

static struct play *s;

static void
begin(void)
{
	s = play_start("alice bob carol", NULL);
	play_befriend(s, "alice", "bob");
}

/* p says count messages "NUMBER PADDING" into the chat, beginning with first, without
 * waiting for the answers. */
static void
say_many(struct line_peer *p, int chat, int first, int count, int padding)
{
	struct buf out = BUF_INIT(256 << 20);

	for (int i = first; i < first + count; i++)
		ck_assert_int_eq(
		    buf_printf(&out, "115 %d %d %0*d\n", chat, i, padding, 0), Q_OK);
	line_send(p, buf_span(&out));
	buf_free(&out);
}

static void
all_stored(struct line_peer *p, int count)
{
	for (int i = 0; i < count; i++)
		line_hear(p, "219 400");
}

/* The number that a message of say_many begins with. */
static int
number_of(const struct line_message *m)
{
	int v = 0;

	for (size_t i = 0; i < m->text.len && m->text.p[i] != ' '; i++)
		v = v * 10 + (m->text.p[i] - '0');
	return v;
}

static void
hear_many(struct line_peer *p, int first, int count)
{
	for (int i = first; i < first + count; i++) {
		struct line_message m = line_hear_message(p);

		if (number_of(&m) != i)
			ck_abort_msg("%s expects message %d, received %d", p->name, i,
				     number_of(&m));
	}
}

/* ---- once, in order ---- */

START_TEST(waits_for_the_next_login)
{
	begin();
	PLAY(s, "bob: logout", "alice> 115 1 one", "alice< 219 400", "alice> 115 1 two",
	     "alice< 219 400", "bob: login", "bob< 220 1 1447934844001 one",
	     "bob< 220 1 1447934844002 two", "alice> 115 1 three", "alice< 219 400",
	     "bob< 220 1 1447934844003 three", "bob: logout", "bob: login",
	     "bob: nothing",
	     /* what alice said herself does not wait for her */
	     "alice: logout", "alice: login", "alice: nothing");
	play_end(s);
}
END_TEST

START_TEST(waits_over_a_restart)
{
	begin();
	PLAY(s, "alice> 115 1 one", "alice< 219 400", "bob< 220 1 1447934844001 one",
	     "bob: logout", "alice> 115 1 two", "alice< 219 400", "alice: logout");
	harness_stop(play_harness(s));
	harness_restart(play_harness(s));
	PLAY(s, "bob: login", "bob< 220 1 1447934844002 two", "bob: nothing",
	     "alice: login", "alice> 115 1 three", "alice< 219 400",
	     "bob< 220 1 1447934844003 three", "bob: logout", "alice: logout");
	harness_stop(play_harness(s));
	harness_restart(play_harness(s));
	PLAY(s, "bob: login", "bob: nothing");
	harness_admin(play_harness(s), "check", NULL);
	play_end(s);
}
END_TEST

/* First 233s, then 220s, oldest TimeStamp first over all chats, then what comes. */
START_TEST(order_over_all_chats)
{
	int64_t last = 0;
	int count[3] = {0};

	begin();
	play_befriend(s, "alice", "carol");
	PLAY(s, "alice: logout");
	for (int i = 0; i < 50; i++)
		PLAY(s, "bob> 115 1 x", "bob< 219 400", "carol> 115 2 x",
		     "carol< 219 400");
	PLAY(s, "carol> 123 alice", "carol< 234 400", "carol> 121 alice",
	     "carol< 232 400", "alice: login", "alice< 233 carol");
	for (int i = 0; i < 100; i++) {
		struct line_message m = line_hear_message(play_peer(s, "alice"));

		ck_assert_int_ge(m.time_ms, last);
		ck_assert_uint_le(m.chat, 2);
		last = m.time_ms;
		count[m.chat]++;
	}
	ck_assert_int_eq(count[1], 50);
	ck_assert_int_eq(count[2], 50);
	PLAY(s, "alice: nothing");
	play_end(s);
}
END_TEST

START_TEST(ten_thousand_in_one_go)
{
	struct line_peer *bob;

	begin();
	PLAY(s, "bob: logout");
	say_many(play_peer(s, "alice"), 1, 0, 10000, 100);
	all_stored(play_peer(s, "alice"), 10000);
	bob = play_peer(s, "bob");
	line_say(bob, "110 bob %s", PLAY_PASSWORD);
	line_say(bob, "112");
	line_hear(bob, "212 400 bob");
	/* 214, 215 and 216 come somewhere between. */
	for (int n = 0, answers = 0; n < 10000 || answers < 3;) {
		struct line_message m;

		if (line_message_parse(line_expect(bob), &m) == Q_OK)
			ck_assert_int_eq(number_of(&m), n++);
		else
			answers++;
	}
	/* And the conversation goes on behind them. */
	PLAY(s, "alice> 115 1 after", "alice< 219 400", "bob< 220 1 1447934844001 after");
	PLAY(s, "bob: logout", "bob: login", "bob: nothing");
	play_end(s);
}
END_TEST

/* Messages go on coming while what waited is being delivered: one order for all. */
START_TEST(said_during_the_catching_up)
{
	struct line_peer *bob;

	begin();
	PLAY(s, "bob: logout");
	say_many(play_peer(s, "alice"), 1, 0, 3000, 200);
	all_stored(play_peer(s, "alice"), 3000);
	bob = line_connect_narrow(play_harness(s), "bob", 32768);
	line_say(bob, "110 bob %s", PLAY_PASSWORD);
	line_hear(bob, "212 400 bob");
	for (int i = 0; i < 30; i++) {
		say_many(play_peer(s, "alice"), 1, 3000 + 100 * i, 100, 200);
		hear_many(bob, 100 * i, 100);
	}
	hear_many(bob, 3000, 3000);
	all_stored(play_peer(s, "alice"), 3000);
	say_many(play_peer(s, "alice"), 1, 6000, 1, 1);
	hear_many(bob, 6000, 1);
	line_free(bob);
	play_end(s);
}
END_TEST

/* ---- what was not acknowledged ---- */

/* The machine is gone while much is on its way: nothing that it has not got is
 * forgotten, and nothing is lost in between. */
START_TEST(reset_in_the_middle)
{
	struct line_peer *alice, *bob;
	struct line_message m;
	int again;

	begin();
	alice = play_peer(s, "alice");
	PLAY(s, "bob: logout");
	bob = line_connect_narrow(play_harness(s), "bob", 16384);
	line_say(bob, "110 bob %s", PLAY_PASSWORD);
	line_hear(bob, "212 400 bob");
	say_many(alice, 1, 0, 4000, 1000);
	hear_many(bob, 0, 200);
	all_stored(alice, 4000);
	line_reset(bob);
	PLAY(s, "bob: login");
	bob = play_peer(s, "bob");
	m = line_hear_message(bob);
	again = number_of(&m);
	/* What bob's kernel has acknowledged is delivered: what he has read, and at most
	 * what fits into his buffer. */
	ck_assert_int_gt(again, 0);
	ck_assert_int_le(again, 200 + 2 * 65536 / 1000);
	hear_many(bob, again + 1, 3999 - again);
	PLAY(s, "bob: nothing", "bob: logout", "bob: login", "bob: nothing");
	play_end(s);
}
END_TEST

/* ---- 122 ---- */

/* A client that confirms by hand says so together with its login: after the first 122
 * only 122 moves the position. */
static void
login_by_hand(void)
{
	line_send(play_peer(s, "bob"), span_str("110 bob " PLAY_PASSWORD "\n122 1 1\n"));
	PLAY(s, "bob< 212 400 bob");
}

START_TEST(seen_by_hand)
{
	begin();
	PLAY(s, "bob: logout", "alice> 115 1 one", "alice< 219 400");
	login_by_hand();
	PLAY(s, "bob< 220 1 1447934844001 one", "alice> 115 1 two", "alice< 219 400",
	     "bob< 220 1 1447934844002 two", "alice> 115 1 three", "alice< 219 400",
	     "bob< 220 1 1447934844003 three", "bob> 122 1 1447934844001", "bob: nothing",
	     "bob: logout");
	login_by_hand();
	PLAY(s, "bob< 220 1 1447934844002 two", "bob< 220 1 1447934844003 three",
	     "bob> 122 1 1447934844002", "bob> 122 1 1447934844001", /* never back */
	     "bob: nothing", "bob: close", "bob: login", "bob< 220 1 1447934844003 three",
	     /* a login without 122 counts what was taken */
	     "bob: logout", "bob: login", "bob: nothing");
	play_end(s);
}
END_TEST

START_TEST(unchanged_when_it_comes_again)
{
	begin();
	PLAY(s, "bob: logout", "alice> 115 1 \"one\\nline\"", "alice< 219 400",
	     "alice> 115 1 two data:text/x,y", "alice< 219 400");
	login_by_hand();
	PLAY(s, "bob< 220 1 1447934844001 \"one\\nline\"",
	     "bob< 220 1 1447934844002 \"two\" 1", "bob: nothing", "bob: reset");
	PLAY(s, "bob: login", "bob< 220 1 1447934844001 \"one\\nline\"",
	     "bob< 220 1 1447934844002 \"two\" 1", "bob: logout", "bob: login",
	     "bob: nothing");
	play_end(s);
}
END_TEST

/* The position of a user in the files, "CHAT ID". */
static bool
saved(const char *user, const char *position)
{
	struct buf file = BUF_INIT(4096);
	char path[64], line[32];
	bool yes;

	snprintf(path, sizeof(path), "queue/%s", user);
	snprintf(line, sizeof(line), "\n%s\n", position);
	yes = harness_read(play_harness(s), path, &file) &&
	      memmem(file.p, file.len, line, strlen(line)) != NULL;
	buf_free(&file);
	return yes;
}

START_TEST(seen_over_a_kill)
{
	begin();
	PLAY(s, "bob: logout");
	login_by_hand();
	PLAY(s, "alice> 115 1 one", "alice< 219 400", "bob< 220 1 1447934844001 one",
	     "alice> 115 1 two", "alice< 219 400", "bob< 220 1 1447934844002 two",
	     "bob> 122 1 1447934844001", "bob: nothing");
	HARNESS_UNTIL(saved("bob", "1 1")); /* once a second */
	harness_kill(play_harness(s));
	harness_restart(play_harness(s));
	PLAY(s, "bob: end", "alice: end", "bob: login", "bob< 220 1 1447934844002 two",
	     "bob: nothing");
	harness_admin(play_harness(s), "check", NULL);
	play_end(s);
}
END_TEST

/* A 122 that means nothing has no answer and does no harm. */
START_TEST(seen_of_nothing)
{
	begin();
	play_befriend(s, "alice", "carol"); /* chat 2 */
	PLAY(s, "bob> 122 7 1447934844001", "bob> 122 2 1447934844001",
	     "bob> 122 1 9223372036854775807", "bob> 122 1 1", "bob: nothing",
	     "alice> 115 2 hello", "alice< 219 400", "carol< 220 2 1447934844002 hello",
	     "alice> 115 1 hello", "alice< 219 400", "bob< 220 1 1447934844003 hello",
	     "bob> 122 2 1447934844002", "bob> 122 1 1447934844003", "bob: nothing",
	     "bob: logout", "bob: login", "bob: nothing", "carol: logout", "carol: login",
	     "carol: nothing",
	     /* what comes later is later than everything that was seen */
	     "bob> 122 1 9223372036854775807", "bob: nothing", "bob: logout",
	     "alice> 115 1 again", "alice< 219 400", "bob: login",
	     "bob< 220 1 1447934844004 again");
	play_end(s);
}
END_TEST

/* 122 confirms everything up to there, also between two messages. */
START_TEST(seen_up_to_a_time)
{
	struct line_message m[3];
	struct line_peer *bob;

	begin();
	PLAY(s, "bob: logout");
	login_by_hand();
	bob = play_peer(s, "bob");
	for (int i = 0; i < 3; i++) {
		struct timespec moment = {0, 5000000};

		PLAY(s, "alice> 115 1 x", "alice< 219 400");
		m[i] = line_hear_message(bob);
		nanosleep(&moment, NULL);
	}
	line_say(bob, "122 1 %lld", (long long)m[1].time_ms + 1);
	PLAY(s, "bob: nothing", "bob: logout", "bob: login");
	ck_assert_int_eq(line_hear_message(play_peer(s, "bob")).time_ms, m[2].time_ms);
	PLAY(s, "bob: nothing");
	play_end(s);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("contacts waiting");
	TCase *tc = harness_case(suite, "waiting");

	tcase_add_test(tc, waits_for_the_next_login);
	tcase_add_test(tc, waits_over_a_restart);
	tcase_add_test(tc, order_over_all_chats);
	tcase_add_test(tc, ten_thousand_in_one_go);
	tcase_add_test(tc, said_during_the_catching_up);
	tcase_add_test(tc, reset_in_the_middle);
	tcase_add_test(tc, unchanged_when_it_comes_again);
	tcase_add_test(tc, seen_by_hand);
	tcase_add_test(tc, seen_over_a_kill);
	tcase_add_test(tc, seen_of_nothing);
	tcase_add_test(tc, seen_up_to_a_time);
	return harness_main(suite);
}
