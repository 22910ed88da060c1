/* SPDX-License-Identifier: MIT
 *
 * contacts: how long a line may be, and how long a connection may be silent.
 */
#include <stdio.h>
#include <string.h>

#include "protocol/contacts.h"
#include "tests/system/contacts_play.h"

static struct play *s;

/* head, then as many x as make len bytes, and LF. */
static void
long_line(struct buf *out, const char *head, size_t len)
{
	*out = (struct buf)BUF_INIT(2 * CONTACTS_MEDIA_LINE_MAX);
	ck_assert_int_eq(buf_reserve(out, len + 1), Q_OK);
	memset(out->p, 'x', len);
	memcpy(out->p, head, strlen(head));
	out->p[len] = '\n';
	out->len = len + 1;
}

/* It is refused: 211, and the end. */
static void
too_long(struct line_peer *p, const char *head, size_t len)
{
	struct buf line;

	long_line(&line, head, len);
	line_send_some(p, buf_span(&line));
	line_hear(p, "211");
	line_hear_end(p);
	buf_free(&line);
}

/* ---- 64 KiB ---- */

START_TEST(line_of_64_kib)
{
	struct buf line;
	struct line_message m;

	s = play_start("alice bob", NULL);
	play_befriend(s, "alice", "bob");
	long_line(&line, "115 1 ", CONTACTS_LINE_MAX);
	line_send(play_peer(s, "alice"), buf_span(&line));
	PLAY(s, "alice< 219 400");
	m = line_hear_message(play_peer(s, "bob"));
	ck_assert(span_eq(m.text, span_of(line.p + 6, CONTACTS_LINE_MAX - 6)));
	/* CR LF does not count. */
	line.len--;
	ck_assert_int_eq(buf_put_str(&line, "\r\n"), Q_OK);
	line_send(play_peer(s, "alice"), buf_span(&line));
	PLAY(s, "alice< 219 400");
	m = line_hear_message(play_peer(s, "bob"));
	ck_assert_uint_eq(m.text.len, CONTACTS_LINE_MAX - 6);
	buf_free(&line);
	play_end(s);
}
END_TEST

START_TEST(a_220_may_be_longer_than_a_line)
{
	struct line_peer *alice;
	struct span got;

	s = play_start("alice bob", NULL);
	play_befriend(s, "alice", "bob");
	alice = play_peer(s, "alice");
	/* Begins with ", so each of its bytes takes two in the 220. */
	line_send(alice, span_str("115 1 "));
	for (int i = 0; i < 60000; i += 1000) {
		char some[1001];

		memset(some, '"', 1000);
		some[1000] = '\0';
		line_send(alice, span_str(some));
	}
	line_send(alice, span_str("\n"));
	PLAY(s, "alice< 219 400");
	got = line_expect(play_peer(s, "bob"));
	ck_assert_uint_eq(got.len, strlen("220 1 1447934844123 \"\"") + 2 * 60000);
	ck_assert_int_eq(memcmp(got.p + got.len - 5, "\\\"\\\"\"", 5), 0);
	PLAY(s, "bob: nothing");
	play_end(s);
}
END_TEST

START_TEST(longer_than_64_kib)
{
	s = play_start("alice", NULL);
	PLAY(s, "alice: login");
	too_long(play_peer(s, "alice"), "115 1 ", CONTACTS_LINE_MAX + 1);
	/* Much longer: what follows the limit is drained, so 211 arrives. */
	PLAY(s, "alice: close", "alice: login");
	too_long(play_peer(s, "alice"), "113 ", 1 << 20);
	PLAY(s, "alice: close", "alice: login", "alice: nothing");
	play_end(s);
}
END_TEST

/* The end does not have to come for the limit to be seen. */
START_TEST(endless_line)
{
	struct buf line;

	s = play_start("alice", NULL);
	PLAY(s, "alice: login");
	long_line(&line, "113 ", CONTACTS_LINE_MAX + 1);
	line_send(play_peer(s, "alice"), span_of(line.p, CONTACTS_LINE_MAX + 1));
	/* One more byte may still be the CR of a CR LF. */
	line_send_some(play_peer(s, "alice"), span_str("xx"));
	PLAY(s, "alice< 211", "alice: end");
	buf_free(&line);
	play_end(s);
}
END_TEST

START_TEST(long_lines_before_the_login)
{
	struct line_peer *p;
	struct buf line;

	s = play_start("alice", NULL);
	too_long(play_peer(s, "x"), "117 ", CONTACTS_LINE_MAX + 1);
	too_long(play_peer(s, "y"), "115 1 data:,", CONTACTS_LINE_MAX + 1);
	p = play_peer(s, "z");
	long_line(&line, "115 1 ", CONTACTS_LINE_MAX);
	line_send(p, buf_span(&line));
	line_hear(p, "219 407");
	buf_free(&line);
	play_end(s);
}
END_TEST

/* ---- 12 MiB ---- */

/* 227 must bring what the x in the line were. */
static void
expect_picture(struct line_peer *p, uint64_t id, size_t size)
{
	static const char head[] = "227 400 data:text/x;base64,";
	struct span got;
	size_t n = strlen(head);

	line_say(p, "119 %llu", (unsigned long long)id);
	got = line_expect(p);
	ck_assert_uint_eq(got.len, n + (size + 2) / 3 * 4);
	ck_assert_int_eq(memcmp(got.p, head, n), 0);
	for (; n + 4 <= got.len - 4; n += 4)
		if (memcmp(got.p + n, "eHh4", 4) != 0) /* xxx */
			ck_abort_msg("the picture differs at %zu", n);
}

START_TEST(media_line_of_12_mib)
{
	static const char head[] = "115 1 big data:text/x,";
	struct buf line;

	s = play_start("alice bob", NULL);
	play_befriend(s, "alice", "bob");
	long_line(&line, head, CONTACTS_MEDIA_LINE_MAX);
	line_send(play_peer(s, "alice"), buf_span(&line));
	PLAY(s, "alice< 219 400", "bob< 220 1 1447934844001 \"big\" 1");
	expect_picture(play_peer(s, "bob"), 1, CONTACTS_MEDIA_LINE_MAX - strlen(head));
	PLAY(s, "bob: nothing", "alice: nothing");
	buf_free(&line);
	play_end(s);
}
END_TEST

START_TEST(media_line_longer_than_12_mib)
{
	s = play_start("alice bob", NULL);
	play_befriend(s, "alice", "bob");
	too_long(play_peer(s, "alice"), "115 1 data:,", CONTACTS_MEDIA_LINE_MAX + 1);
	PLAY(s, "bob: nothing");
	play_end(s);
}
END_TEST

/* Media counts only when it begins within the first 64 KiB, and in 115. */
START_TEST(long_line_without_media)
{
	struct buf line;

	s = play_start("alice bob", NULL);
	play_befriend(s, "alice", "bob");
	too_long(play_peer(s, "bob"), "113 data:,", 2 * CONTACTS_LINE_MAX);
	long_line(&line, "115 1 ", 3 * CONTACTS_LINE_MAX);
	memcpy(line.p + CONTACTS_LINE_MAX + 10, " data:,", 7);
	line_send_some(play_peer(s, "alice"), buf_span(&line));
	PLAY(s, "alice< 211", "alice: end");
	buf_free(&line);
	/* Within them it counts although the message is long. */
	PLAY(s, "alice: login", "bob: close", "bob: login");
	long_line(&line, "115 1 ", 3 * CONTACTS_LINE_MAX);
	memcpy(line.p + CONTACTS_LINE_MAX - 10, " data:,", 7);
	line_send(play_peer(s, "alice"), buf_span(&line));
	PLAY(s, "alice< 219 400");
	ck_assert_uint_gt(line_expect(play_peer(s, "bob")).len, CONTACTS_LINE_MAX - 20);
	PLAY(s, "bob: nothing");
	buf_free(&line);
	play_end(s);
}
END_TEST

/* ---- time, and connections ---- */

START_TEST(first_line_in_time)
{
	struct line_peer *p;

	s = play_start("alice", "limits.handshake_timeout=2s", NULL);
	PLAY(s, "alice> 999", "alice< 210"); /* a line, but no login */
	p = play_peer(s, "slow"); /* whose time is over later than hers would be */
	line_send(p, span_str("110 alice"));
	HARNESS_UNTIL(line_readable(p));
	PLAY(s, "slow: end", "alice: login", "alice: nothing");
	play_end(s);
}
END_TEST

START_TEST(login_in_time)
{
	s = play_start("alice bob", "contacts.login_timeout=2s", NULL);
	PLAY(s, "alice: login", "bob> 999", "bob< 210");
	HARNESS_UNTIL(line_readable(play_peer(s, "bob")));
	PLAY(s, "bob: end", "alice: nothing");
	play_end(s);
}
END_TEST

START_TEST(connections_before_login_are_few)
{
	struct harness *h;
	struct line_peer *more;

	s = play_start("alice bob carol", "limits.per_address_before_login=3", NULL);
	h = play_harness(s);
	PLAY(s, "alice: login", "bob: login", "x> 999", "x< 210", "y> 999", "y< 210",
	     "z> 999", "z< 210");
	more = line_connect(h, "more");
	line_hear_end(more);
	line_free(more);
	PLAY(s, "z: close");
	/* As soon as the server has seen that one is gone there is room again. */
	for (int64_t until = harness_deadline(HARNESS_WAIT);;) {
		struct span line;

		more = line_connect(h, "more");
		line_send_some(more, span_str("999\n"));
		if (line_next(more, &line))
			break;
		line_free(more);
		harness_nap(until, "there is room");
	}
	line_free(more);
	PLAY(s, "alice: nothing");
	play_end(s);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("contacts limits");
	TCase *tc = harness_case(suite, "limits");

	tcase_add_test(tc, line_of_64_kib);
	tcase_add_test(tc, a_220_may_be_longer_than_a_line);
	tcase_add_test(tc, longer_than_64_kib);
	tcase_add_test(tc, endless_line);
	tcase_add_test(tc, long_lines_before_the_login);
	tcase_add_test(tc, media_line_of_12_mib);
	tcase_add_test(tc, media_line_longer_than_12_mib);
	tcase_add_test(tc, long_line_without_media);
	tcase_add_test(tc, first_line_in_time);
	tcase_add_test(tc, login_in_time);
	tcase_add_test(tc, connections_before_login_are_few);
	return harness_main(suite);
}
