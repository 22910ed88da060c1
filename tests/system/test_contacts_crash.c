/* SPDX-License-Identifier: MIT
 *
 * contacts: what has been answered with 400 is there, whatever happens to the server and
 * its disk; what was not stored has left nothing.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/system/archive.h"
#include "tests/system/contacts_play.h"

static struct play *s;

/* ---- kill -9 ---- */

#define MANY 20000

/* What bob has heard: each message once, by ChatID and TimeStamp, as a client does. */
struct heard {
	int64_t last_ms;
	int next;
};

static void
hear(struct heard *b, const struct line_message *m)
{
	char text[16];

	if (m->time_ms <= b->last_ms)
		return; /* seen before: the TimeStamp names the message */
	snprintf(text, sizeof(text), "%d", b->next);
	if (!span_eq(m->text, span_str(text)))
		ck_abort_msg("bob expects message %d, received %.*s", b->next,
			     (int)m->text.len, (const char *)m->text.p);
	b->next++;
	b->last_ms = m->time_ms;
}

/* Send numbers from first on until the server is killed, and count the 219s. */
static int
say_until_killed(struct line_peer *alice, int first, int kill_after)
{
	struct buf out = BUF_INIT(1 << 20);
	struct span line;
	int acked = 0;

	for (int i = first; i < first + MANY; i++)
		ck_assert_int_eq(buf_printf(&out, "115 1 %d\n", i), Q_OK);
	line_send(alice, buf_span(&out));
	buf_free(&out);
	while (acked < kill_after) {
		line_hear(alice, "219 400");
		acked++;
	}
	harness_kill(play_harness(s));
	/* What was on its way counts as well: it is seen. */
	alice->torn_ok = true;
	while (line_next(alice, &line)) {
		ck_assert(span_eq(line, span_str("219 400")));
		acked++;
	}
	return acked;
}

/* The file holds first, first + 1, ...; at least count of them; how many. */
static int
stored(int count)
{
	struct archive a;
	struct record r;
	char text[16];
	int n = 0;

	ck_assert(archive_open(&a, play_harness(s), "chat-1"));
	while (archive_next(&a, &r)) {
		snprintf(text, sizeof(text), "%d", n++);
		ck_assert(span_eq(r.data, span_str(text)));
	}
	archive_close(&a);
	ck_assert_int_ge(n, count);
	return n;
}

START_TEST(killed_in_the_middle_of_sends)
{
	struct heard bob = {0, 0};
	int in_file = 0;

	/* All that a round can store waits for bob. */
	s = play_start("alice bob", "contacts.backlog=100000",
		       _i == 0 ? NULL : "store.durability=always", NULL);
	play_befriend(s, "alice", "bob");
	/* The logout settles that alice has heard of bob's confirmation. */
	PLAY(s, "alice: logout", "alice: login");
	for (int round = 0; round < 4; round++) {
		struct line_peer *p = play_peer(s, "bob");
		struct line_message m;
		struct span line;
		int acked;

		acked = say_until_killed(play_peer(s, "alice"), in_file,
					 1 + round * (_i == 0 ? 700 : 70));
		acked += in_file;
		p->torn_ok = true;
		while (line_next(p, &line))
			if (line_message_parse(line, &m) == Q_OK)
				hear(&bob, &m);
		PLAY(s, "alice: close", "bob: close");
		harness_restart(play_harness(s));
		harness_admin(play_harness(s), "check", NULL);
		in_file = stored(acked);
		/* One more message: behind it nothing can come. */
		PLAY(s, "bob: login", "alice: login");
		line_say(play_peer(s, "alice"), "115 1 %d", in_file++);
		PLAY(s, "alice< 219 400");
		p = play_peer(s, "bob");
		while (bob.next < in_file) {
			line = line_expect(p);
			if (line_message_parse(line, &m) == Q_OK)
				hear(&bob, &m);
		}
		PLAY(s, "bob: nothing");
	}
	play_end(s);
}
END_TEST

/* ---- a full disk ---- */

/* No file of the server may grow beyond bytes; 0: as large as it likes. */
static void
limit_files(rlim_t bytes)
{
	struct rlimit r = {bytes != 0 ? bytes : RLIM_INFINITY, RLIM_INFINITY};

	ck_assert_int_eq(prlimit(play_harness(s)->pid, RLIMIT_FSIZE, &r, NULL), 0);
}

START_TEST(full_disk)
{
	struct buf file = BUF_INIT(1 << 20);

	s = play_start("alice bob carol dave", NULL);
	play_befriend(s, "alice", "bob");
	play_befriend(s, "alice", "carol");
	PLAY(s, "alice> 115 1 before", "alice< 219 400",
	     "bob< 220 1 1447934844001 before", "dave: login", "dave> 121 alice",
	     "dave< 232 400", "alice< 233 dave", "carol: logout");
	limit_files(1);
	PLAY(s, "alice> 115 1 lost", "alice< 219 413", "bob> 115 1 lost", "bob< 219 413",
	     "alice> 115 1 data:image/png;base64,AAEC", "alice< 219 413",
	     "alice> 113 carol", "alice< 217 400", /* exists: nothing to store */
	     "dave> 121 bob", "dave< 232 413", "alice> 121 dave", "alice< 232 413",
	     "alice> 123 bob", "alice< 234 413", "alice> 114 2", "alice< 218 413",
	     "> 117 eve geheim-123 \"\" \"\"", "< 222 413",
	     /* what needs no room works: lists, logins */
	     "carol: login", "alice> 112", "alice< 214 2", "alice< 215 1 alice bob",
	     "alice< 215 2 alice carol", "alice< 216", "alice> 119 1", "alice< 227 412",
	     "dave: nothing", "bob: nothing", "carol: nothing");
	limit_files(0);
	/* Nothing of it remains, and it goes on by itself. */
	PLAY(s, "alice> 115 1 after", "alice< 219 400", "bob< 220 1 1447934844002 after",
	     "alice> 115 2 after", "alice< 219 400", "carol< 220 2 1447934844003 after",
	     "alice> 115 1 data:image/png;base64,AAEC", "alice< 219 400");
	ck_assert(
	    span_eq(span_of(line_expect(play_peer(s, "bob")).p, 6), span_str("220 1 ")));
	PLAY(s, "alice> 121 dave", "alice< 232 400", "dave< 233 alice",
	     "> 117 eve geheim-123 \"\" \"\"", "< 222 400", "alice> 114 2",
	     "alice< 218 400", "alice> 123 bob", "alice< 234 400", "bob> 115 1 x",
	     "bob< 219 411");
	ck_assert_uint_eq(archive_count(play_harness(s), "chat-1"), 3);
	ck_assert(!harness_read(play_harness(s), "messages/chat-2.log", &file));
	buf_free(&file);
	harness_admin(play_harness(s), "check", NULL);
	PLAY(s, "alice: logout", "bob: logout");
	harness_stop(play_harness(s));
	harness_restart(play_harness(s));
	PLAY(s, "alice: login", "alice> 112", "alice< 214 1", "alice< 215 1 alice bob",
	     "alice< 216", "alice> 118", "alice< 223 400", "alice< 224 2");
	play_end(s);
}
END_TEST

/* The disk fills while messages come in a stream: those that were answered with 400 are
 * heard, the others are not, and they were not mixed up. */
START_TEST(disk_fills_in_a_stream)
{
	struct line_peer *alice, *bob;
	struct buf out = BUF_INIT(1 << 20);
	int ok[300], n_ok = 0;

	s = play_start("alice bob", NULL);
	play_befriend(s, "alice", "bob");
	alice = play_peer(s, "alice");
	bob = play_peer(s, "bob");
	limit_files(64 << 10);
	for (int i = 0; i < 300; i++)
		ck_assert_int_eq(buf_printf(&out, "115 1 %d %0*d\n", i, i % 3 * 400, 0),
				 Q_OK);
	line_send(alice, buf_span(&out));
	for (int i = 0; i < 300; i++) {
		struct span line = line_expect(alice);

		if (span_eq(line, span_str("219 400")))
			ok[n_ok++] = i;
		else
			ck_assert(span_eq(line, span_str("219 413")));
	}
	ck_assert_int_gt(n_ok, 50);
	ck_assert_int_lt(n_ok, 300);
	for (int i = 0; i < n_ok; i++) {
		struct line_message m = line_hear_message(bob);
		char text[16];
		size_t n = (size_t)snprintf(text, sizeof(text), "%d ", ok[i]);

		ck_assert_int_eq(memcmp(m.text.p, text, n), 0);
	}
	limit_files(0);
	PLAY(s, "bob: nothing", "alice> 115 1 after", "alice< 219 400",
	     "bob< 220 1 1447934844001 after");
	ck_assert_uint_eq(archive_count(play_harness(s), "chat-1"), (size_t)n_ok + 1);
	harness_admin(play_harness(s), "check", NULL);
	buf_free(&out);
	play_end(s);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("contacts crash");
	TCase *tc = harness_case(suite, "crash");

	tcase_add_loop_test(tc, killed_in_the_middle_of_sends, 0, 2);
	tcase_add_test(tc, full_disk);
	tcase_add_test(tc, disk_fills_in_a_stream);
	return harness_main(suite);
}
