/* SPDX-License-Identifier: MIT
 *
 * contacts: a user is removed, and somebody else takes the name.
 */
#include "tests/system/contacts_play.h"

static struct play *s;

/* alice and bob have chat 1, with messages of both, two of them not yet delivered;
 * then bob is removed. */
static void
bob_is_removed(void)
{
	s = play_start("alice bob", NULL);
	play_befriend(s, "alice", "bob");
	PLAY(s, "alice> 115 1 one", "alice< 219 400", "bob< 220 1 1447934844001 one",
	     "bob> 115 1 two", "bob< 219 400", "alice< 220 1 1447934844002 two",
	     "bob: logout", "alice> 115 1 for bob only", "alice< 219 400",
	     "alice> 115 1 picture data:,secret", "alice< 219 400");
	harness_admin(play_harness(s), "user", "remove", "bob", NULL);
	PLAY(s, "alice> 115 1 to nobody", "alice< 219 411");
}

/* Nothing of the first bob's is there for the second. */
static void
expect_a_stranger(void)
{
	PLAY(s, "bob: login", "bob: nothing", "bob> 112", "bob< 214 0", "bob< 216",
	     "bob> 118", "bob< 223 400", "bob< 224 0", "bob< 226", "bob> 115 1 me again",
	     "bob< 219 409", "bob> 119 1", "bob< 227 409", "bob> 114 1", "bob< 218 409",
	     "bob> 122 1 1447934844002", "bob: nothing", "alice: nothing");
}

static void
expect_two_chats(void)
{
	PLAY(s, "alice> 112", "alice< 214 2", "alice< 215 1 alice bob",
	     "alice< 215 2 alice bob", "alice< 216", "bob> 112", "bob< 214 1",
	     "bob< 215 2 alice bob", "bob< 216");
}

START_TEST(a_new_user_of_an_old_name)
{
	bob_is_removed();
	play_add_users(play_harness(s), "bob");
	expect_a_stranger();
	PLAY(s, "alice> 115 1 are you bob", "alice< 219 411", "alice> 113 bob",
	     "alice< 217 411");
	/* They become contacts: a chat of their own, and the old one is not it. */
	play_befriend(s, "alice", "bob");
	expect_two_chats();
	PLAY(s, "alice> 115 1 still not", "alice< 219 411", "alice> 115 2 hello",
	     "alice< 219 400", "bob< 220 2 1447934844005 hello", "alice> 115 1 nor now",
	     "alice< 219 411", "bob> 115 2 hi", "bob< 219 400",
	     "alice< 220 2 1447934844006 hi", "bob: nothing",
	     /* The old one is alice's. */
	     "alice> 119 1",
	     "alice< 227 400 data:text/plain;charset=US-ASCII;base64,c2VjcmV0",
	     "alice> 114 1", "alice< 218 400", "bob: nothing", "bob> 114 1",
	     "bob< 218 408", "bob> 112", "bob< 214 1", "bob< 215 2 alice bob",
	     "bob< 216");
	harness_admin(play_harness(s), "check", NULL);
	play_end(s);
}
END_TEST

/* The next server knows it, too. */
START_TEST(after_a_restart)
{
	bob_is_removed();
	harness_stop(play_harness(s));
	harness_restart(play_harness(s));
	PLAY(s, "alice: end");
	play_add_users(play_harness(s), "bob");
	PLAY(s, "alice: login");
	expect_a_stranger();
	play_befriend(s, "alice", "bob");
	expect_two_chats();
	harness_stop(play_harness(s));
	harness_restart(play_harness(s));
	PLAY(s, "alice: end", "bob: end", "alice: login", "bob: login");
	expect_two_chats();
	PLAY(s, "alice> 115 1 no", "alice< 219 411", "bob> 115 1 no", "bob< 219 409");
	play_end(s);
}
END_TEST

/* Removed while no server runs. */
START_TEST(removed_offline)
{
	s = play_start("alice bob", NULL);
	play_befriend(s, "alice", "bob");
	PLAY(s, "bob: logout", "alice> 115 1 for bob only", "alice< 219 400");
	harness_stop(play_harness(s));
	harness_admin(play_harness(s), "user", "remove", "bob", NULL);
	harness_restart(play_harness(s));
	PLAY(s, "alice: end");
	play_add_users(play_harness(s), "bob");
	PLAY(s, "bob: login", "bob: nothing", "bob> 112", "bob< 214 0", "bob< 216",
	     "alice: login", "alice> 112", "alice< 214 1", "alice< 215 1 alice bob",
	     "alice< 216", "alice> 115 1 no", "alice< 219 411");
	play_end(s);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("contacts removed");
	TCase *tc = harness_case(suite, "removed");

	tcase_add_test(tc, a_new_user_of_an_old_name);
	tcase_add_test(tc, after_a_restart);
	tcase_add_test(tc, removed_offline);
	return harness_main(suite);
}
