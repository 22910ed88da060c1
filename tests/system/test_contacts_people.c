/* SPDX-License-Identifier: MIT
 *
 * contacts: who wishes whom, who is whose contact, and who hears of it.
 */
#include <string.h>

#include "tests/system/contacts_play.h"

static struct play *s;

/* ---- wish and confirmation ---- */

START_TEST(wish_and_confirm)
{
	s = play_start("alice bob", NULL);
	PLAY(s, "alice: login", "bob: login", "alice> 121 bob", "alice< 232 400",
	     "bob<   233 alice",
	     /* a wish is no contact */
	     "alice> 118", "alice< 223 400", "alice< 224 0", "alice< 226", "bob>   118",
	     "bob<   223 400", "bob<   224 0", "bob<   226", "alice> 113 bob",
	     "alice< 217 411", "bob> 113 alice", "bob< 217 411", "bob>   121 alice",
	     "bob<   232 400", "alice< 233 bob", "alice> 118", "alice< 223 400",
	     "alice< 224 1", "alice< 225 bob 1447934844001", "alice< 226", "bob>   118",
	     "bob<   223 400", "bob<   224 1", "bob<   225 alice 1447934844001",
	     "bob<   226", "alice: nothing", "bob: nothing");
	play_end(s);
}
END_TEST

START_TEST(asking_twice_is_nothing_new)
{
	s = play_start("alice bob", NULL);
	PLAY(s, "alice: login", "bob: login", "alice> 121 bob", "alice< 232 400",
	     "bob<   233 alice", "alice> 121 bob", "alice< 232 400", "alice> 121 BOB",
	     "alice< 232 400", "bob:   nothing", "bob>   121 alice", "bob<   232 400",
	     "alice< 233 bob", "bob>   121 alice", "bob<   232 400", "alice> 121 bob",
	     "alice< 232 400", "alice: nothing", "bob: nothing");
	play_end(s);
}
END_TEST

START_TEST(nobody_and_oneself)
{
	s = play_start("alice bob", NULL);
	PLAY(s, "alice: login", "alice> 121 nobody", "alice< 232 410", "alice> 121 alice",
	     "alice< 232 410", "alice> 121 ALICE", "alice< 232 410", "alice> 121 ../bob",
	     "alice< 232 410", "alice> 121 \"\"", "alice< 232 410", "alice> 121 \"b ob\"",
	     "alice< 232 410", "alice> 123 nobody", "alice< 234 410", "alice> 123 Alice",
	     "alice< 234 410", "alice> 113 nobody", "alice< 217 410", "alice> 113 alice",
	     "alice< 217 410", "alice> 113 bob", "alice< 217 411", "alice: nothing");
	play_end(s);
}
END_TEST

/* Every login says it until there is an answer, whatever happens in between. */
START_TEST(wish_is_repeated_until_confirmed)
{
	s = play_start("alice bob Carol", NULL);
	PLAY(s, "alice: login", "alice> 121 bob", "alice< 232 400", "Carol: login",
	     "Carol> 121 bob", "Carol< 232 400", "bob: login", "bob< 233 alice",
	     "bob< 233 Carol", "bob: nothing", "bob: logout", "bob: login",
	     "bob< 233 alice", "bob< 233 Carol", "bob> 121 alice", "bob< 232 400",
	     "alice< 233 bob", "bob: logout", "bob: login", "bob< 233 Carol",
	     "bob: nothing", "bob: logout", "alice: close", "Carol: close");
	harness_stop(play_harness(s));
	harness_restart(play_harness(s));
	PLAY(s, "bob: login", "bob< 233 Carol", "bob: nothing", "alice: login",
	     "alice: nothing");
	play_end(s);
}
END_TEST

/* Who asked and was away hears of the confirmation once. */
START_TEST(news_of_a_confirmation_once)
{
	s = play_start("alice bob", NULL);
	PLAY(s, "alice: login", "alice> 121 bob", "alice< 232 400", "alice: logout",
	     "bob: login", "bob< 233 alice", "bob> 121 alice", "bob< 232 400",
	     "alice: login", "alice< 233 bob", "alice: nothing", "alice: logout",
	     "alice: login", "alice: nothing", "bob: logout", "bob: login",
	     "bob: nothing");
	play_end(s);
}
END_TEST

/* The next line but for 233s; how many of these there were. */
static int
past_news(struct line_peer *p, const char *expected)
{
	struct span line;
	int news = 0;

	while ((line = line_expect(p)).len > 4 && memcmp(line.p, "233 ", 4) == 0)
		news++;
	if (!span_eq(line, span_str(expected)))
		ck_abort_msg("%s expects \"%s\", received \"%.*s\"", p->name, expected,
			     (int)line.len, (const char *)line.p);
	return news;
}

/* One of the two wishes first and the other confirms, and each is answered.  Who wished
 * hears of it; whether the wish still has to be told to the other is a race. */
START_TEST(both_at_once)
{
	struct line_peer *alice, *bob;

	s = play_start("alice bob", NULL);
	PLAY(s, "alice: login", "bob: login");
	alice = play_peer(s, "alice");
	bob = play_peer(s, "bob");
	for (int i = 0; i < 20; i++) {
		int heard;

		line_say(alice, "121 bob");
		line_say(bob, "121 alice");
		heard = past_news(alice, "232 400") + past_news(bob, "232 400");
		if (heard == 0)
			HARNESS_UNTIL(line_readable(alice) || line_readable(bob));
		line_say(alice, "113 bob");
		past_news(alice, "217 400");
		line_say(alice, "123 bob");
		past_news(alice, "234 400");
		line_say(bob, "113 alice");
		past_news(bob, "217 411");
	}
	play_end(s);
}
END_TEST

/* ---- the end of it ---- */

START_TEST(wish_taken_back)
{
	s = play_start("alice bob", NULL);
	PLAY(s, "alice: login", "alice> 121 bob", "alice< 232 400", "alice> 123 bob",
	     "alice< 234 400", "bob: login", "bob: nothing",
	     /* what bob asks now is a wish, not a confirmation */
	     "bob> 121 alice", "bob< 232 400", "alice< 233 bob", "alice> 113 bob",
	     "alice< 217 411",
	     /* it is bob's: alice has none to take back */
	     "alice> 123 bob", "alice< 234 400", "alice: logout", "alice: login",
	     "alice< 233 bob");
	play_end(s);
}
END_TEST

START_TEST(contact_removed)
{
	s = play_start("alice bob", NULL);
	play_befriend(s, "alice", "bob");
	PLAY(s, "alice> 115 1 one", "alice< 219 400", "bob< 220 1 1447934844001 one",
	     "alice> 123 BOB", "alice< 234 400", "bob: nothing", "alice> 118",
	     "alice< 223 400", "alice< 224 0", "alice< 226", "bob>   118",
	     "bob<   223 400", "bob<   224 0", "bob<   226",
	     /* the chat stays, but nobody can write into it */
	     "alice> 112", "alice< 214 1", "alice< 215 1 alice bob", "alice< 216",
	     "alice> 115 1 two", "alice< 219 411", "bob> 115 1 two", "bob< 219 411",
	     "alice> 113 bob", "alice< 217 411", "bob> 113 alice", "bob< 217 411",
	     /* until both have asked again */
	     "bob>   121 alice", "bob<   232 400", "alice< 233 bob", "alice> 115 1 two",
	     "alice< 219 411", "bob> 113 alice", "bob< 217 411", "alice> 121 bob",
	     "alice< 232 400", "bob< 233 alice", "alice> 113 bob", "alice< 217 400",
	     "alice> 115 1 two", "alice< 219 400", "bob<   220 1 1447934844002 two");
	play_end(s);
}
END_TEST

START_TEST(chat_without_contact_may_be_deleted)
{
	s = play_start("alice bob", NULL);
	play_befriend(s, "alice", "bob");
	PLAY(s, "bob> 123 alice", "bob< 234 400", "bob> 114 1", "bob< 218 400",
	     "alice> 115 1 x", "alice< 219 408", "alice> 112", "alice< 214 0",
	     "alice< 216");
	play_end(s);
}
END_TEST

START_TEST(user_who_is_gone)
{
	s = play_start("alice bob carol", NULL);
	play_befriend(s, "alice", "bob");
	PLAY(s, "carol: login", "carol> 121 alice", "carol< 232 400", "alice< 233 carol",
	     "carol: logout");
	harness_admin(play_harness(s), "user", "remove", "bob", NULL);
	harness_admin(play_harness(s), "user", "remove", "carol", NULL);
	PLAY(s, "bob: end", "alice> 115 1 hello", "alice< 219 411", "alice> 113 bob",
	     "alice< 217 410", "alice> 121 bob", "alice< 232 410", "alice> 120",
	     "alice< 228 400", "alice< 229 0", "alice< 231", "alice> 118",
	     "alice< 223 400", "alice< 224 0", "alice< 226", "alice: logout",
	     "alice: login", "alice: nothing", "alice> 114 1", "alice< 218 400");
	/* The next bob is another one. */
	play_add_users(play_harness(s), "bob");
	PLAY(s, "bob: login", "bob: nothing", "bob> 118", "bob< 223 400", "bob< 224 0",
	     "bob< 226", "alice> 113 bob", "alice< 217 411");
	play_end(s);
}
END_TEST

/* ---- lists ---- */

START_TEST(everybody_by_name)
{
	s = play_start("dora Alice bob Carol", NULL);
	play_befriend(s, "dora", "bob");
	PLAY(s, "dora> 120", "dora< 228 400", "dora< 229 3", "dora< 230 Alice",
	     "dora< 230 bob", "dora< 230 Carol", "dora< 231", "bob>  120",
	     "bob<  228 400", "bob<  229 3", "bob<  230 Alice", "bob<  230 Carol",
	     "bob<  230 dora", "bob<  231");
	play_add_users(play_harness(s), "Ben");
	PLAY(s, "dora> 120", "dora< 228 400", "dora< 229 4", "dora< 230 Alice",
	     "dora< 230 Ben", "dora< 230 bob", "dora< 230 Carol", "dora< 231");
	play_end(s);
}
END_TEST

START_TEST(no_directory)
{
	s = play_start("alice bob", "contacts.directory=no", NULL);
	PLAY(s, "alice: login", "alice> 120", "alice< 228 400", "alice< 229 0",
	     "alice< 231", "alice> 121 bob", "alice< 232 400");
	play_end(s);
}
END_TEST

/* In whatever case of letters somebody writes: the registered spelling comes. */
START_TEST(registered_spelling)
{
	s = play_start("Alice BOB", NULL);
	PLAY(s, "Alice: login", "BOB: login", "Alice> 121 bob", "Alice< 232 400",
	     "BOB< 233 Alice", "BOB>   121 aLiCe", "BOB< 232 400", "Alice< 233 BOB",
	     "Alice> 113 Bob", "Alice< 217 400", "BOB> 113 alice", "BOB< 217 400",
	     "BOB> 112", "BOB< 214 1", "BOB< 215 1 Alice BOB", "BOB< 216", "Alice> 118",
	     "Alice< 223 400", "Alice< 224 1", "Alice< 225 BOB 1447934844001",
	     "Alice< 226", "Alice> 123 bOB", "Alice< 234 400");
	play_end(s);
}
END_TEST

/* 220 and 233 may come between answers, never inside a list. */
START_TEST(no_event_inside_a_list)
{
	struct line_peer *alice, *bob;
	struct buf asks = BUF_INIT(1 << 20), says = BUF_INIT(1 << 20);
	int lists = 0, messages = 0;
	bool inside = false;
	struct line_message m;

	s = play_start("alice bob carol dave eve", NULL);
	play_befriend(s, "alice", "bob");
	PLAY(s, "carol: login");
	alice = play_peer(s, "alice");
	bob = play_peer(s, "bob");
	for (int i = 0; i < 300; i++) {
		ck_assert_int_eq(buf_put_str(&asks, "112\n118\n120\n"), Q_OK);
		ck_assert_int_eq(buf_printf(&says, "115 1 hello\n"), Q_OK);
	}
	line_send(bob, buf_span(&says));
	line_send(alice, buf_span(&asks));
	for (int i = 0; i < 20; i++)
		line_send(play_peer(s, "carol"), span_str("121 alice\n123 alice\n"));
	while (lists < 900 || messages < 300) {
		struct span line = line_expect(alice);
		int code = line.len < 3 ? 0
					: (line.p[0] - '0') * 100 +
					      (line.p[1] - '0') * 10 + line.p[2] - '0';

		if (code == 214 || code == 224 || code == 229) {
			ck_assert(!inside);
			inside = true;
		} else if (code == 216 || code == 226 || code == 231) {
			ck_assert(inside);
			inside = false;
			lists++;
		} else if (code == 220 || code == 233) {
			ck_assert(!inside);
			messages += line_message_parse(line, &m) == Q_OK;
		}
	}
	buf_free(&asks);
	buf_free(&says);
	play_end(s);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("contacts people");
	TCase *tc = harness_case(suite, "people");

	tcase_add_test(tc, wish_and_confirm);
	tcase_add_test(tc, asking_twice_is_nothing_new);
	tcase_add_test(tc, nobody_and_oneself);
	tcase_add_test(tc, wish_is_repeated_until_confirmed);
	tcase_add_test(tc, news_of_a_confirmation_once);
	tcase_add_test(tc, both_at_once);
	tcase_add_test(tc, wish_taken_back);
	tcase_add_test(tc, contact_removed);
	tcase_add_test(tc, chat_without_contact_may_be_deleted);
	tcase_add_test(tc, user_who_is_gone);
	tcase_add_test(tc, everybody_by_name);
	tcase_add_test(tc, no_directory);
	tcase_add_test(tc, registered_spelling);
	tcase_add_test(tc, no_event_inside_a_list);
	return harness_main(suite);
}
