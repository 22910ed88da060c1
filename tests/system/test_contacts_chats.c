/* SPDX-License-Identifier: MIT
 *
 * contacts: chats, and what 115 says and 220 brings.
 */
#include <stdio.h>
#include <string.h>

#include "tests/system/archive.h"
#include "tests/system/contacts_play.h"

static struct play *s;

/* ---- chats ---- */

START_TEST(create_and_list)
{
	s = play_start("alice bob carol", NULL);
	play_befriend(s, "alice", "bob");
	PLAY(s, "bob: nothing", /* the other member is not told */
	     "bob>   112", "bob< 214 1", "bob< 215 1 alice bob", "bob< 216",
	     /* one that exists is not made again, whoever asks */
	     "alice> 113 bob", "alice< 217 400", "bob> 113 alice", "bob< 217 400",
	     "alice> 112", "alice< 214 1", "alice< 215 1 alice bob", "alice< 216");
	play_befriend(s, "carol", "alice");
	PLAY(s, "alice> 112", "alice< 214 2", "alice< 215 1 alice bob",
	     "alice< 215 2 carol alice", "alice< 216", "bob>   112", "bob< 214 1",
	     "bob< 215 1 alice bob", "bob< 216");
	harness_stop(play_harness(s));
	harness_restart(play_harness(s));
	PLAY(s, "alice: end", "bob: end", "carol: end", "alice: login", "alice> 112",
	     "alice< 214 2", "alice< 215 1 alice bob", "alice< 215 2 carol alice",
	     "alice< 216");
	play_end(s);
}
END_TEST

START_TEST(delete_by_either)
{
	s = play_start("alice bob carol", NULL);
	play_befriend(s, "alice", "bob");
	PLAY(s, "carol: login", "carol> 114 1", "carol< 218 409", "carol> 115 1 hi",
	     "carol< 219 409", "carol> 114 2", "carol< 218 408", "carol> 115 2 hi",
	     "carol< 219 408", "carol> 114 9223372036854775807", "carol< 218 408",
	     "bob>   114 1", "bob<   218 400", /* not who made it */
	     "bob>   114 1", "bob<   218 408", "alice> 114 1", "alice< 218 408",
	     "alice> 115 1 hi", "alice< 219 408", "alice: nothing", "alice> 112",
	     "alice< 214 0", "alice< 216",
	     /* its id is not used again, not even by the next server */
	     "alice> 113 bob", "alice< 217 400", "alice> 112", "alice< 214 1",
	     "alice< 215 2 alice bob", "alice< 216", "alice> 114 2", "alice< 218 400",
	     "alice: logout", "bob: logout");
	harness_stop(play_harness(s));
	harness_restart(play_harness(s));
	PLAY(s, "bob: login", "bob> 113 alice", "bob< 217 400", "bob>   112",
	     "bob< 214 1", "bob< 215 3 bob alice", "bob< 216");
	harness_admin(play_harness(s), "check", NULL);
	play_end(s);
}
END_TEST

/* What was not delivered yet goes with the chat. */
START_TEST(delete_with_messages_waiting)
{
	struct buf file = BUF_INIT(1 << 16);

	s = play_start("alice bob", NULL);
	play_befriend(s, "alice", "bob");
	PLAY(s, "bob: logout", "alice> 115 1 one", "alice< 219 400",
	     "alice> 115 1 two data:,x", "alice< 219 400", "alice> 114 1",
	     "alice< 218 400", "bob: login", "bob: nothing", "bob>   113 alice",
	     "bob< 217 400", "bob: nothing", "alice> 119 1", "alice< 227 412",
	     "alice> 115 2 three", "alice< 219 400", "bob< 220 2 1447934844003 three");
	ck_assert(!harness_read(play_harness(s), "messages/chat-1.log", &file));
	ck_assert(!harness_read(play_harness(s), "media/1", &file));
	buf_free(&file);
	play_end(s);
}
END_TEST

/* ---- messages ---- */

static const struct {
	const char *sent, *heard; /* behind the ChatID; behind the TimeStamp */
} messages[] = {
    {"Hallo Andi", "Hallo Andi"},
    {" leading,  repeated, trailing ", " leading,  repeated, trailing "},
    {"back\\slash \\n \\", "back\\slash \\n \\"},
    {"tab\there", "tab\there"},
    {" ", " "},
    {"\xc3\xa4\xc3\xb6\xc3\xbc \xe2\x82\xac \xf0\x9f\x98\x80",
     "\xc3\xa4\xc3\xb6\xc3\xbc \xe2\x82\xac \xf0\x9f\x98\x80"},
    /* one well-formed quoted string, and nothing else, is unquoted */
    {"\"quoted\"", "quoted"},
    {"\" a b \"", " a b "},
    {"\"a \\\"b\\\" c\\\\d\"", "a \"b\" c\\d"},
    {"\"tab\\there\"", "tab\there"},
    {"\"two\\nlines\"", "\"two\\nlines\""},
    {"\"cr\\rhere\"", "\"cr\\rhere\""},
    {"\"\\\"begins with one\"", "\"\\\"begins with one\""},
    /* everything else is what people type */
    {"he said \"hi\"", "he said \"hi\""},
    {"\"quoted\" and more", "\"\\\"quoted\\\" and more\""},
    {"\"no end", "\"\\\"no end\""},
    {"\"bad \\q escape\"", "\"\\\"bad \\\\q escape\\\"\""},
    {"\"a\" \"b\"", "\"\\\"a\\\" \\\"b\\\"\""},
    {"\"", "\"\\\"\""},
    {"data:nothing", "data:nothing"},
    {"see data:x;base64,AA", "see data:x;base64,AA"},
    {"data:,x and more", "data:,x and more"},
};

START_TEST(messages_as_typed_and_as_heard)
{
	char step[256];

	s = play_start("alice bob", NULL);
	play_befriend(s, "alice", "bob");
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		struct line_peer *alice = play_peer(s, "alice");

		line_say(alice, "115 1 %s", messages[i].sent);
		snprintf(step, sizeof(step), "bob< 220 1 %lld %s",
			 (long long)(1447934844100 + (int64_t)i), messages[i].heard);
		PLAY(s, "alice< 219 400", step);
	}
	/* Not echoed to the sender. */
	PLAY(s, "alice: nothing", "bob: nothing");
	play_end(s);
}
END_TEST

/* The TimeStamp rises strictly within a chat, however fast the messages come, and the
 * file has them as they went out. */
START_TEST(time_rises_strictly)
{
	struct buf burst = BUF_INIT(1 << 16);
	struct line_peer *alice, *bob;
	struct archive a;
	int64_t last = 0;
	char text[16];

	s = play_start("alice bob", NULL);
	play_befriend(s, "alice", "bob");
	alice = play_peer(s, "alice");
	bob = play_peer(s, "bob");
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(buf_printf(&burst, "115 1 %d\n", i), Q_OK);
	line_send(alice, buf_span(&burst));
	for (int i = 0; i < 1000; i++) {
		struct line_message m = line_hear_message(bob);

		snprintf(text, sizeof(text), "%d", i);
		ck_assert(span_eq(m.text, span_str(text)));
		ck_assert_int_gt(m.time_ms, last);
		last = m.time_ms;
		line_hear(alice, "219 400");
	}
	ck_assert(archive_open(&a, play_harness(s), "chat-1"));
	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "%d", i);
		archive_expect(&a, "alice", "bob", span_str(text));
	}
	archive_close(&a);
	buf_free(&burst);
	harness_admin(play_harness(s), "check", NULL);
	play_end(s);
}
END_TEST

/* Both members in one chat see one order; each does not see its own. */
START_TEST(both_speak_at_once)
{
	struct line_peer *p[2];
	struct archive a;
	struct record r;
	int next[2] = {0, 0};

	s = play_start("alice bob", NULL);
	play_befriend(s, "alice", "bob");
	p[0] = play_peer(s, "alice");
	p[1] = play_peer(s, "bob");
	for (int i = 0; i < 200; i++)
		for (int k = 0; k < 2; k++)
			line_say(p[k], "115 1 %d", i);
	/* What bob hears is what the file has from alice, with its times. */
	for (int k = 0; k < 2; k++) {
		for (int n = 0; n < 400; n++)
			next[k] += line_expect(p[k]).len > 8; /* not 219 400 */
		ck_assert_int_eq(next[k], 200);
		next[k] = 0;
	}
	ck_assert(archive_open(&a, play_harness(s), "chat-1"));
	for (int i = 0; i < 400; i++) {
		char text[16];
		int who;

		ck_assert(archive_next(&a, &r));
		who = strcmp(r.from, "alice") == 0 ? 0 : 1;
		snprintf(text, sizeof(text), "%d", next[who]++);
		ck_assert(span_eq(r.data, span_str(text)));
	}
	archive_close(&a);
	play_end(s);
}
END_TEST

START_TEST(several_chats_of_one_user)
{
	s = play_start("alice bob carol", NULL);
	play_befriend(s, "alice", "bob");
	play_befriend(s, "alice", "carol");
	PLAY(s, "bob> 115 1 from bob", "bob< 219 400",
	     "alice< 220 1 1447934844001 from bob", "carol> 115 2 from carol",
	     "carol< 219 400", "alice< 220 2 1447934844002 from carol",
	     "alice> 115 2 to carol", "alice< 219 400",
	     "carol< 220 2 1447934844003 to carol", "bob: nothing", "bob> 115 2 intruder",
	     "bob< 219 409", "carol: nothing");
	play_end(s);
}
END_TEST

/* durability = always: 219 comes when the message is on the disk; the conversation is
 * the same. */
START_TEST(durable)
{
	s = play_start("alice bob", "store.durability=always", NULL);
	play_befriend(s, "alice", "bob");
	for (int i = 0; i < 20; i++)
		line_say(play_peer(s, "alice"), "115 1 a%d", i);
	for (int i = 0; i < 20; i++) {
		struct line_message m = line_hear_message(play_peer(s, "bob"));
		char text[16];

		snprintf(text, sizeof(text), "a%d", i);
		ck_assert(span_eq(m.text, span_str(text)));
		PLAY(s, "alice< 219 400");
	}
	harness_kill(play_harness(s));
	ck_assert_uint_eq(archive_count(play_harness(s), "chat-1"), 20);
	harness_admin(play_harness(s), "check", NULL);
	PLAY(s, "alice: end", "bob: end");
	play_end(s);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("contacts chats");
	TCase *tc = harness_case(suite, "chats");

	tcase_add_test(tc, create_and_list);
	tcase_add_test(tc, delete_by_either);
	tcase_add_test(tc, delete_with_messages_waiting);
	tcase_add_test(tc, messages_as_typed_and_as_heard);
	tcase_add_test(tc, time_rises_strictly);
	tcase_add_test(tc, both_speak_at_once);
	tcase_add_test(tc, several_chats_of_one_user);
	tcase_add_test(tc, durable);
	return harness_main(suite);
}
