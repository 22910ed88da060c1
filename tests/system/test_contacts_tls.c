/* SPDX-License-Identifier: MIT
 *
 * contacts over TLS, on the same port as without.
 */
#include <stdio.h>
#include <string.h>

#include "tests/system/contacts_play.h"

static struct play *s;

/* One in the clear, one over TLS: they are in one chat. */
START_TEST(over_tls_and_in_the_clear)
{
	s = play_start("alice bob", NULL);
	PLAY(s, "alice: tls", "alice: login");
	play_befriend(s, "alice", "bob");
	PLAY(s, "alice> 115 1 hello", "alice< 219 400", "bob< 220 1 1447934844001 hello",
	     "bob> 115 1 hello yourself", "bob< 219 400",
	     "alice< 220 1 1447934844002 hello yourself",
	     "bob> 115 1 data:image/png;base64,AAEC", "bob< 219 400",
	     "alice< 220 1 1447934844003 \"\" 1", "alice> 119 1",
	     "alice< 227 400 data:image/png;base64,AAEC", "x: tls", "x> 110 alice wrong",
	     "x< 212 406 alice", "x> 110 bob geheim-123", "x< 212 405 bob",
	     "alice: logout", "x> 110 alice geheim-123", "x< 212 400 alice",
	     "x: nothing");
	play_end(s);
}
END_TEST

START_TEST(register_over_tls)
{
	s = play_start("", "contacts.cleartext=no", NULL);
	PLAY(s, "hans: tls", "hans> 117 hans geheim-123 \"\" \"\"", "hans< 222 400",
	     "hans: login", "hans: logout");
	play_end(s);
}
END_TEST

/* Others append to his outbox while his own worker reads and writes the stream. */
START_TEST(both_ways_at_once)
{
	struct buf out = BUF_INIT(1 << 20);
	struct line_peer *p[2];

	s = play_start("alice bob", NULL);
	PLAY(s, "alice: tls", "alice: login", "bob: tls", "bob: login");
	play_befriend(s, "alice", "bob");
	p[0] = play_peer(s, "alice");
	p[1] = play_peer(s, "bob");
	for (int i = 0; i < 2000; i++)
		ck_assert_int_eq(buf_printf(&out, "115 1 %d\n", i), Q_OK);
	for (int k = 0; k < 2; k++)
		line_send(p[k], buf_span(&out));
	for (int k = 0; k < 2; k++) {
		int answers = 0, heard = 0;

		while (answers < 2000 || heard < 2000) {
			struct span line = line_expect(p[k]);
			struct line_message m;
			char text[16];

			if (line_message_parse(line, &m) != Q_OK) {
				ck_assert(span_eq(line, span_str("219 400")));
				answers++;
				continue;
			}
			snprintf(text, sizeof(text), "%d", heard++);
			ck_assert(span_eq(m.text, span_str(text)));
		}
		line_hear_nothing(p[k]);
	}
	buf_free(&out);
	play_end(s);
}
END_TEST

START_TEST(what_waited_comes_over_tls)
{
	struct line_peer *alice;
	struct buf out = BUF_INIT(8 << 20);

	s = play_start("alice bob", NULL);
	play_befriend(s, "alice", "bob");
	PLAY(s, "bob: logout");
	alice = play_peer(s, "alice");
	for (int i = 0; i < 3000; i++)
		ck_assert_int_eq(buf_printf(&out, "115 1 %d %0500d\n", i, 0), Q_OK);
	line_send(alice, buf_span(&out));
	for (int i = 0; i < 3000; i++)
		line_hear(alice, "219 400");
	PLAY(s, "bob: tls", "bob: login");
	for (int i = 0; i < 3000; i++) {
		struct line_message m = line_hear_message(play_peer(s, "bob"));
		char text[16];
		size_t n = (size_t)snprintf(text, sizeof(text), "%d ", i);

		ck_assert_int_eq(memcmp(m.text.p, text, n), 0);
	}
	PLAY(s, "bob: nothing", "bob: logout", "bob: tls", "bob: login", "bob: nothing");
	buf_free(&out);
	play_end(s);
}
END_TEST

/* 12 MiB there, 16 MiB back. */
START_TEST(large_picture_over_tls)
{
	static const char head[] = "115 1 data:text/x,";
	size_t len = 12 << 20, body = len - strlen(head);
	struct buf line = BUF_INIT(16 << 20);
	struct span got;

	s = play_start("alice bob", NULL);
	PLAY(s, "alice: tls", "alice: login", "bob: tls", "bob: login");
	play_befriend(s, "alice", "bob");
	ck_assert_int_eq(buf_reserve(&line, len + 1), Q_OK);
	memset(line.p, 'x', len);
	memcpy(line.p, head, strlen(head));
	line.p[len] = '\n';
	line.len = len + 1;
	line_send(play_peer(s, "alice"), buf_span(&line));
	PLAY(s, "alice< 219 400", "bob< 220 1 1447934844001 \"\" 1", "bob> 119 1");
	got = line_expect(play_peer(s, "bob"));
	ck_assert_uint_eq(got.len,
			  strlen("227 400 data:text/x;base64,") + (body + 2) / 3 * 4);
	PLAY(s, "bob: nothing");
	buf_free(&line);
	play_end(s);
}
END_TEST

START_TEST(bad_lines_over_tls)
{
	s = play_start("alice", "contacts.max_errors=3", NULL);
	PLAY(s, "alice: tls", "alice> 999", "alice< 210", "alice> 110", "alice< 211",
	     "alice> 999", "alice< 210", "alice: end", "alice: tls", "alice: login",
	     "alice: close", "alice: login", "alice: reset", "alice: tls",
	     "alice: login");
	play_end(s);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("contacts tls");
	TCase *tc = harness_case(suite, "tls");

	tcase_add_test(tc, over_tls_and_in_the_clear);
	tcase_add_test(tc, register_over_tls);
	tcase_add_test(tc, both_ways_at_once);
	tcase_add_test(tc, what_waited_comes_over_tls);
	tcase_add_test(tc, large_picture_over_tls);
	tcase_add_test(tc, bad_lines_over_tls);
	return harness_main(suite);
}
