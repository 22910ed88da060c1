/* SPDX-License-Identifier: MIT
 *
 * contacts: one who does not read, or slowly.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/system/contacts_play.h"

static struct play *s;

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

/* Alice says all to Bob, and has every answer. */
static void
alice_says_all(void)
{
	struct line_peer *alice = play_peer(s, "alice");

	say_many(alice, 1, BEHIND);
	for (int i = 0; i < BEHIND; i++)
		line_hear(alice, "219 400");
}

/* Bob comes again by a connection that takes little. */
static struct line_peer *
narrow_bob(void)
{
	struct line_peer *bob;

	PLAY(s, "bob: logout");
	bob = line_connect_narrow(play_harness(s), "bob", 32768);
	play_join(s, bob);
	PLAY(s, "bob: login");
	return bob;
}

static void
expect_number(const struct line_message *m, int number)
{
	char text[16];
	size_t len = (size_t)snprintf(text, sizeof(text), "%d ", number);

	ck_assert_uint_eq(m->text.len, len + PADDING);
	ck_assert_int_eq(memcmp(m->text.p, text, len), 0);
}

/* count messages from 0 on, and somewhere among them this line. */
static void
hear_many_but_one(struct line_peer *p, int count, const char *one)
{
	int heard = 0, ones = 0;

	while (heard < count || ones < 1) {
		struct span line = line_expect(p);
		struct line_message m;

		if (line_message_parse(line, &m) == Q_OK) {
			expect_number(&m, heard++);
		} else {
			ck_assert(span_eq(line, span_str(one)));
			ones++;
		}
	}
	ck_assert_int_eq(ones, 1);
}

/* Nobody waits for him: the sender has every 219 at once, others chat on; and when he
 * reads he has missed nothing. */
START_TEST(slow_reader_makes_nobody_wait)
{
	struct line_peer *bob;

	s = play_start("alice bob carol dave", NULL);
	play_befriend(s, "alice", "bob");
	play_befriend(s, "carol", "dave");
	play_befriend(s, "alice", "carol");
	bob = narrow_bob();
	alice_says_all();
	PLAY(s, "carol> 115 2 hello", "carol< 219 400", "dave< 220 2 1447934844001 hello",
	     "carol> 115 3 hello", "carol< 219 400", "alice< 220 3 1447934844002 hello");
	/* What he asks himself is answered in between. */
	line_say(bob, "115 1 I am slow");
	PLAY(s, "alice< 220 1 1447934844003 I am slow");
	hear_many_but_one(bob, BEHIND, "219 400");
	PLAY(s, "alice> 115 1 after", "alice< 219 400", "bob< 220 1 1447934844004 after",
	     "bob: logout", "bob: login", "bob: nothing");
	play_end(s);
}
END_TEST

static int
slow_receivers(void)
{
	struct buf out = BUF_INIT(1 << 16);
	const char *at;
	int n;

	ck_assert_int_eq(harness_command(play_harness(s), &out, "ctl", "stats", NULL), 0);
	ck_assert_int_eq(buf_put_u8(&out, 0), Q_OK);
	at = strstr((char *)out.p, "slow_receivers_total");
	ck_assert_ptr_nonnull(at);
	n = atoi(at + strcspn(at, "0123456789\n"));
	buf_free(&out);
	return n;
}

/* Bob, for whose connection alone limits.sender_wait is that. */
static struct line_peer *
impatiently(const char *setting)
{
	struct line_peer *bob;

	harness_reload(play_harness(s), setting, NULL);
	bob = narrow_bob();
	harness_reload(play_harness(s), NULL);
	return bob;
}

/* He takes nothing: after a while he is cut off, and what he has not had waits. */
START_TEST(cut_off_who_takes_nothing)
{
	struct line_message m;

	s = play_start("alice bob", NULL);
	play_befriend(s, "alice", "bob");
	(void)impatiently("limits.sender_wait=1s");
	alice_says_all();
	HARNESS_UNTIL(slow_receivers() == 1);
	PLAY(s, "bob: reset", "bob: login");
	do
		m = line_hear_message(play_peer(s, "bob"));
	while (line_message_number(&m) < BEHIND - 1);
	expect_number(&m, BEHIND - 1);
	PLAY(s, "bob: nothing", "alice: nothing");
	play_end(s);
}
END_TEST

/* Nor is anything read from him while he does not take his own answers; that ends in the
 * same way. */
START_TEST(cut_off_who_takes_no_answer)
{
	struct line_peer *bob;

	s = play_start("alice bob", NULL);
	play_befriend(s, "alice", "bob");
	PLAY(s, "alice> 115 1 data:text/plain,a%20picture", "alice< 219 400",
	     "bob< 220 1 1447934844001 \"\" 1");
	bob = impatiently("limits.sender_wait=1s");
	for (int i = 0; i < 400000 && slow_receivers() == 0; i += 20000) {
		struct buf out = BUF_INIT(1 << 20);

		for (int j = 0; j < 20000; j++)
			ck_assert_int_eq(buf_put_str(&out, "119 1\n"), Q_OK);
		(void)send(bob->fd, out.p, out.len, MSG_DONTWAIT | MSG_NOSIGNAL);
		buf_free(&out);
	}
	HARNESS_UNTIL(slow_receivers() == 1);
	PLAY(s, "bob: reset", "bob: login", "bob: nothing", "alice: nothing");
	play_end(s);
}
END_TEST

/* Whoever takes a little all the time is left alone, however long it takes. */
START_TEST(not_cut_off_who_takes_a_little)
{
	enum { SIZE = 4 << 20 };
	const int patience_ms = (int)(harness_deadline(5000) - clock_mono_ms());
	static const char head[] = "115 1 data:text/x,";
	struct buf line = BUF_INIT(SIZE + 64);
	struct line_peer *bob;
	int64_t until;
	char some[4096], setting[64];

	s = play_start("alice bob", NULL);
	play_befriend(s, "alice", "bob");
	ck_assert_int_eq(buf_put_str(&line, head), Q_OK);
	ck_assert_int_eq(buf_reserve(&line, SIZE), Q_OK);
	memset(line.p + line.len, 'x', SIZE);
	line.len += SIZE;
	ck_assert_int_eq(buf_put_u8(&line, '\n'), Q_OK);
	line_send(play_peer(s, "alice"), buf_span(&line));
	PLAY(s, "alice< 219 400", "bob< 220 1 1447934844001 \"\" 1");
	snprintf(setting, sizeof(setting), "limits.sender_wait=%dms", patience_ms);
	bob = impatiently(setting);
	/* The second request's answer has to wait for the first one's to go. */
	line_send(bob, span_str("119 1\n112\n"));
	until = clock_mono_ms() + 2 * patience_ms;
	while (clock_mono_ms() < until) {
		ssize_t n = recv(bob->fd, some, sizeof(some), 0);

		ck_assert_int_gt(n, 0);
		ck_assert_int_eq(buf_put(&bob->in, some, (size_t)n), Q_OK);
		usleep((useconds_t)patience_ms * 4); /* 2 MB at most until then */
	}
	ck_assert_uint_gt(line_expect(bob).len, SIZE);
	PLAY(s, "bob< 214 1", "bob< 215 1 alice bob", "bob< 216", "bob: nothing");
	ck_assert_int_eq(slow_receivers(), 0);
	buf_free(&line);
	play_end(s);
}
END_TEST

/* He never reads again: his connection ends some time, the messages stay. */
START_TEST(stop_while_somebody_does_not_read)
{
	struct line_message m;
	int first;

	s = play_start("alice bob", "server.drain=300ms", NULL);
	play_befriend(s, "alice", "bob");
	(void)narrow_bob();
	alice_says_all();
	harness_stop(play_harness(s));
	harness_restart(play_harness(s));
	PLAY(s, "alice: end", "bob: reset", "bob: login");
	m = line_hear_message(play_peer(s, "bob"));
	first = line_message_number(&m);
	/* Not more was delivered than his buffer holds. */
	ck_assert_int_le(first, 4 * 65536 / PADDING);
	while (++first < BEHIND) {
		m = line_hear_message(play_peer(s, "bob"));
		expect_number(&m, first);
	}
	PLAY(s, "bob: nothing");
	harness_admin(play_harness(s), "check", NULL);
	play_end(s);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("contacts slow");
	TCase *tc = harness_case(suite, "slow");

	tcase_add_test(tc, slow_reader_makes_nobody_wait);
	tcase_add_test(tc, cut_off_who_takes_nothing);
	tcase_add_test(tc, cut_off_who_takes_no_answer);
	tcase_add_test(tc, not_cut_off_who_takes_a_little);
	tcase_add_test(tc, stop_while_somebody_does_not_read);
	return harness_main(suite);
}
