/* SPDX-License-Identifier: MIT
 *
 * contacts: a class at once, and one who does not read.
 *
 * Registering and logging in cost the server a hash each.  QUINTET_CROWD says how many
 * there are; 500 take some ten seconds of a processor.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/system/contacts_play.h"

#define CROWD     100
#define CROWD_MAX 1000
#define ROUNDS    5

static struct play *s;

static int
crowd_size(void)
{
	const char *said = getenv("QUINTET_CROWD");
	int n = said != NULL ? atoi(said) : CROWD;

	ck_assert_int_ge(n, 2);
	ck_assert_int_le(n, CROWD_MAX);
	return n & ~1;
}

#define EACH(i, n) for (int i = 0; i < (n); i++)

START_TEST(everybody_at_once)
{
	static struct line_peer *p[CROWD_MAX];
	int n = crowd_size();
	char text[64];

	s = play_start("", "limits.accounts=1000", "limits.per_address_before_login=1000",
		       NULL);
	EACH(i, n)
	{
		snprintf(text, sizeof(text), "u%03d", i);
		p[i] = line_connect(play_harness(s), text);
	}
	EACH(i, n) line_say(p[i], "117 u%03d password-%d u%d@example.org x", i, i, i);
	EACH(i, n) line_hear(p[i], "222 400");
	EACH(i, n) line_say(p[i], "110 u%03d password-%d", i, i);
	EACH(i, n)
	{
		snprintf(text, sizeof(text), "212 400 u%03d", i);
		line_hear(p[i], text);
	}
	/* In pairs: the even one asks, the odd one confirms. */
	for (int i = 0; i < n; i += 2)
		line_say(p[i], "121 u%03d", i + 1);
	EACH(i, n)
	{
		snprintf(text, sizeof(text), "233 u%03d", i - 1);
		line_hear(p[i], i % 2 == 0 ? "232 400" : text);
	}
	for (int i = 1; i < n; i += 2)
		line_say(p[i], "121 u%03d", i - 1);
	EACH(i, n)
	{
		snprintf(text, sizeof(text), "233 u%03d", i + 1);
		line_hear(p[i], i % 2 == 1 ? "232 400" : text);
	}
	/* Both make the chat at once: there is one. */
	EACH(i, n) line_say(p[i], "113 u%03d\n112", i ^ 1);
	EACH(i, n)
	{
		line_hear(p[i], "217 400");
		line_hear(p[i], "214 1");
	}
	for (int i = 0; i < n; i++) {
		struct span chat = line_expect(p[i]);
		unsigned long long id;

		snprintf(text, sizeof(text), "%.*s", (int)chat.len, (const char *)chat.p);
		ck_assert_int_eq(sscanf(text, "215 %llu ", &id), 1);
		line_hear(p[i], "216");
		for (int round = 0; round < ROUNDS; round++)
			line_say(p[i], "115 %llu round %d from %d", id, round, i);
	}
	for (int i = 0; i < n; i++) {
		int answers = 0, heard = 0;

		while (answers < ROUNDS || heard < ROUNDS) {
			struct span line = line_expect(p[i]);
			struct line_message m;

			if (line_message_parse(line, &m) != Q_OK) {
				ck_assert(span_eq(line, span_str("219 400")));
				answers++;
				continue;
			}
			snprintf(text, sizeof(text), "round %d from %d", heard++, i ^ 1);
			ck_assert(span_eq(m.text, span_str(text)));
		}
	}
	EACH(i, n) line_hear_nothing(p[i]);
	EACH(i, n) line_free(p[i]);
	harness_admin(play_harness(s), "check", NULL);
	play_end(s);
}
END_TEST

/* ---- one who does not read ---- */

#define BEHIND  8000 /* messages */
#define PADDING 1000

static void
say_many(struct line_peer *p, int chat, int count)
{
	struct buf out = BUF_INIT(64 << 20);

	for (int i = 0; i < count; i++)
		ck_assert_int_eq(
		    buf_printf(&out, "115 %d %d %0*d\n", chat, i, PADDING, 0), Q_OK);
	line_send(p, buf_span(&out));
	buf_free(&out);
}

static void
hear_many(struct line_peer *p, int first, int end)
{
	char text[16];

	for (int i = first; i < end; i++) {
		struct line_message m = line_hear_message(p);
		size_t n = (size_t)snprintf(text, sizeof(text), "%d ", i);

		ck_assert_uint_eq(m.text.len, n + PADDING);
		ck_assert_int_eq(memcmp(m.text.p, text, n), 0);
	}
}

/* Nobody waits for him: the sender has every 219 at once, others chat on; and when he
 * reads he has missed nothing. */
START_TEST(slow_reader_makes_nobody_wait)
{
	struct line_peer *alice, *bob;

	s = play_start("alice bob carol dave", NULL);
	play_befriend(s, "alice", "bob");
	play_befriend(s, "carol", "dave");
	play_befriend(s, "alice", "carol");
	PLAY(s, "bob: logout");
	bob = line_connect_narrow(play_harness(s), "bob", 32768);
	play_join(s, bob);
	PLAY(s, "bob: login");
	alice = play_peer(s, "alice");
	say_many(alice, 1, BEHIND);
	for (int i = 0; i < BEHIND; i++)
		line_hear(alice, "219 400");
	PLAY(s, "carol> 115 2 hello", "carol< 219 400", "dave< 220 2 1447934844001 hello",
	     "carol> 115 3 hello", "carol< 219 400", "alice< 220 3 1447934844002 hello");
	/* What he asks himself is answered in between. */
	line_say(bob, "115 1 I am slow");
	PLAY(s, "alice< 220 1 1447934844003 I am slow");
	for (int i = 0, answers = 0; i < BEHIND || answers < 1;) {
		struct span line = line_expect(bob);
		struct line_message m;
		char text[16];
		size_t n = (size_t)snprintf(text, sizeof(text), "%d ", i);

		if (line_message_parse(line, &m) == Q_OK) {
			ck_assert_uint_eq(m.text.len, n + PADDING);
			ck_assert_int_eq(memcmp(m.text.p, text, n), 0);
			i++;
		} else {
			ck_assert(span_eq(line, span_str("219 400")));
			answers++;
		}
	}
	PLAY(s, "alice> 115 1 after", "alice< 219 400", "bob< 220 1 1447934844004 after",
	     "bob: logout", "bob: login", "bob: nothing");
	play_end(s);
}
END_TEST

/* He never reads again: his connection ends some time, the messages stay. */
START_TEST(stop_while_somebody_does_not_read)
{
	struct line_peer *alice, *bob;
	struct line_message m;
	int first = 0;

	s = play_start("alice bob", "server.drain=300ms", NULL);
	play_befriend(s, "alice", "bob");
	PLAY(s, "bob: logout");
	bob = line_connect_narrow(play_harness(s), "bob", 32768);
	play_join(s, bob);
	PLAY(s, "bob: login");
	alice = play_peer(s, "alice");
	say_many(alice, 1, BEHIND);
	for (int i = 0; i < BEHIND; i++)
		line_hear(alice, "219 400");
	harness_stop(play_harness(s));
	harness_restart(play_harness(s));
	PLAY(s, "alice: end", "bob: reset", "bob: login");
	m = line_hear_message(play_peer(s, "bob"));
	for (size_t i = 0; i < m.text.len && m.text.p[i] != ' '; i++)
		first = first * 10 + (m.text.p[i] - '0');
	/* Not more was delivered than his buffer holds. */
	ck_assert_int_le(first, 4 * 65536 / PADDING);
	hear_many(play_peer(s, "bob"), first + 1, BEHIND);
	PLAY(s, "bob: nothing");
	harness_admin(play_harness(s), "check", NULL);
	play_end(s);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("contacts crowd");
	TCase *tc = harness_case(suite, "crowd");

	tcase_add_test(tc, everybody_at_once);
	tcase_add_test(tc, slow_reader_makes_nobody_wait);
	tcase_add_test(tc, stop_while_somebody_does_not_read);
	return harness_main(suite);
}
