/* SPDX-License-Identifier: MIT
 *
 * contacts: what is a line, what is an argument, and what is neither.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/system/contacts_play.h"

static struct play *s;

static void
begin(void)
{
	s = play_start("alice bob", NULL);
}

static void
end(void)
{
	play_end(s);
}

/* ---- operation codes ---- */

static const char *const no_codes[] = {
    "000",           "1",    "11",   "109",  "116",    "124",     "199",   "210",
    "212 400 alice", "1100", "1 10", "0110", "110x y", "99",      "hello", "1 ",
    "11x",           "+10",  " 110", "110,", "110\t",  "\"110\"", "２",
};

START_TEST(unknown_codes_are_210)
{
	struct line_peer *p;

	begin();
	p = line_connect(play_harness(s), "somebody");
	line_hear_nothing(p); /* the first bytes must look like contacts */
	for (size_t i = 0; i < sizeof(no_codes) / sizeof(no_codes[0]); i++) {
		line_say(p, "%s", no_codes[i]);
		line_hear(p, "210");
	}
	line_free(p);
	end();
}
END_TEST

/* ---- arguments ---- */

#define NAME_255                                                           \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"
#define GENDER_33 "0123456789abcdef0123456789abcdefg"

static const char *const bad_arguments[] = {
    /* too few, empty, too many */
    "110",
    "110 ",
    "110 alice",
    "110 alice ",
    "110 alice  geheim-123",
    "110 alice geheim-123 ",
    "110 alice geheim-123 more",
    "110  alice geheim-123",
    "100 alice",
    "111 ",
    "111 now",
    "112 ",
    "112 all",
    "113",
    "113 ",
    "113 a b",
    "114",
    "114 1 2",
    "115",
    "115 ",
    "115 1",
    "115 1 ",
    "115 1 \"\"",
    "117 new geheim-123",
    "117 new geheim-123 \"\"",
    "117 new geheim-123 a b c",
    "118 x",
    "119",
    "119 1 1",
    "120 x",
    "121",
    "121 a b",
    "122",
    "122 1",
    "122 1 1447934844123 x",
    "123",
    "123 a b",
    /* quotes */
    "113 \"bob",
    "113 \"bob\"x",
    "113 \"bob\" ",
    "113 \"b\\ob\"",
    "113 \"b\\x6fb\"",
    "113 \"bob\\",
    "113 \"bob\\\"",
    "110 \"alice\"geheim-123",
    /* ids */
    "114 0",
    "114 -1",
    "114 +1",
    "114 1x",
    "114 0x1",
    "114 9223372036854775808",
    "114 12345678901234567890",
    "114 00000000000000000001",
    "119 0",
    "119 -1",
    "119 x",
    "115 0 hello",
    "115 x hello",
    "115  1 hello",
    "122 x 1447934844123",
    "122 1 x",
    /* no media */
    "115 1 \"hello\" data:x",
    "115 1 \"hello\" data:;base64,A",
    "115 1 \"hello\" data:;base64,AB==",
    "115 1 data:,",
    "115 1 data:image/png;base64,",
    "115 1 \"hello\" data:,",
    "115 1 hello data:,",
    /* too long */
    ("117 new geheim-123 " NAME_255 " m"),
    ("117 new geheim-123 \"\" " GENDER_33),
    /* no UTF-8: stray, cut, overlong, surrogate, too large */
    "113 \x80",
    "113 \xff",
    "113 \xc3",
    "113 \xc0\xaf",
    "113 \xe0\x80\xaf",
    "115 1 \xed\xa0\x80",
    "115 1 \xf4\x90\x80\x80",
    "113 \"\xe2\x82\"",
};

/* 211 comes before every status, so before the login as after it. */
static void
all_are_invalid(struct line_peer *p)
{
	for (size_t i = 0; i < sizeof(bad_arguments) / sizeof(bad_arguments[0]); i++) {
		line_say(p, "%s", bad_arguments[i]);
		line_hear(p, "211");
		if (i % 50 == 49)
			line_say(p, "119 1"); /* a good one between: never 100 in a row */
		if (i % 50 == 49)
			ck_assert_uint_eq(line_expect(p).len, 7);
	}
}

START_TEST(bad_arguments_are_211)
{
	begin();
	all_are_invalid(play_peer(s, "alice"));
	PLAY(s, "alice: login");
	all_are_invalid(play_peer(s, "alice"));
	PLAY(s, "alice> 119 1", "alice< 227 412");
	end();
}
END_TEST

START_TEST(nul_is_211)
{
	struct line_peer *p;

	begin();
	PLAY(s, "alice: login");
	p = play_peer(s, "alice");
	line_send(p, span_of("113 b\0b\n", 8));
	line_hear(p, "211");
	line_send(p, span_of("115 1 a\0b\n", 10));
	line_hear(p, "211");
	line_send(p, span_of("113 bob\0\n", 9));
	line_hear(p, "211");
	line_hear_nothing(p);
	end();
}
END_TEST

START_TEST(any_argument_may_be_quoted)
{
	begin();
	PLAY(s, "alice> 110 \"alice\" \"" PLAY_PASSWORD "\"", "alice< 212 400 alice",
	     "bob>   110 bob \"geheim\\-123\"", "bob<   211",
	     "bob>   110 \"bob\" " PLAY_PASSWORD, "bob<   212 400 bob",
	     "alice> 121 \"bob\"", "alice< 232 400", "bob<   233 alice",
	     "bob>   121 \"alice\"", "bob<   232 400", "alice< 233 bob",
	     "alice> 113 \"bob\"", "alice< 217 400", /* ids, too */
	     "alice> 115 \"1\" hello", "alice< 219 400",
	     "bob<   220 1 1447934844001 hello", "bob>   122 \"1\" \"1447934844001\"",
	     "bob>   119 \"7\"", "bob<   227 412", "bob>   114 \"1\"", "bob<   218 400");
	end();
}
END_TEST

/* The name in 212 is as it was sent, quoted when it has to be. */
START_TEST(what_is_answered_is_quoted_when_needed)
{
	s = play_start("", "limits.login_failures=100", NULL);
	PLAY(s, "> 110 \"no body\" geheim-123", "< 212 406 \"no body\"", /* a space */
	     "> 110 \"\" geheim-123", "< 212 406 \"\"",                  /* empty */
	     "> 110 \"\\\"x\" geheim-123", "< 212 406 \"\\\"x\"", /* begins with " */
	     "> 110 \"a\\nb\" geheim-123", "< 212 406 \"a\\nb\"", "> 111", "< 213 407");
	PLAY(s, "x> 110 \"a\\tb\" geheim-123", "x< 212 406 \"a\\tb\"",
	     "x> 110 \"a\\rb\" geheim-123", "x< 212 406 \"a\\rb\"",
	     "x> 110 a\"b\\n geheim-123", "x< 212 406 a\"b\\n", /* ordinary in a word */
	     "x> 110 \"\\\\\" geheim-123", "x< 212 406 \\");
	end();
}
END_TEST

/* ---- line ends ---- */

START_TEST(empty_lines_and_cr_lf)
{
	struct line_peer *p;

	begin();
	p = play_peer(s, "alice");
	line_send(p, span_str("110 alice " PLAY_PASSWORD "\r\n\r\n\n\n112\r\n\n"));
	PLAY(s, "alice< 212 400 alice", "alice< 214 0", "alice< 216", "alice: nothing");
	/* Only one CR belongs to the end. */
	line_send(p, span_str("112\r\r\n"));
	PLAY(s, "alice< 210", "alice: nothing");
	end();
}
END_TEST

/* A message's own CR, and one that stands at its end by itself. */
START_TEST(cr_lf_ends_a_message)
{
	begin();
	play_befriend(s, "alice", "bob");
	PLAY(s, "alice> 115 1 hello\r", "alice< 219 400",
	     "bob<   220 1 1447934844001 hello", "alice> 115 1 a\rb\r", "alice< 219 400",
	     "bob<   220 1 1447934844002 \"a\\rb\"");
	end();
}
END_TEST

/* ---- packets ---- */

START_TEST(many_commands_in_one_packet)
{
	begin();
	PLAY(s, "bob: login");
	line_send(play_peer(s, "alice"),
		  span_str("110 alice " PLAY_PASSWORD "\n121 bob\n999\n112\n113 bob\n"
			   "115 1 hello\n118\n120\n111\n112\n100 alice " PLAY_PASSWORD
			   "\n115 \n"));
	PLAY(s, "alice< 212 400 alice", "alice< 232 400", "alice< 210", "alice< 214 0",
	     "alice< 216", "alice< 217 411", "alice< 219 408", "alice< 223 400",
	     "alice< 224 0", "alice< 226", "alice< 228 400", "alice< 229 1",
	     "alice< 230 bob", "alice< 231", "alice< 213 400", "alice< 211 407",
	     "alice< 212 400 alice", "alice< 211", "bob< 233 alice");
	end();
}
END_TEST

START_TEST(one_byte_at_a_time)
{
	begin();
	play_peer(s, "alice")->drips = true;
	PLAY(s, "alice: login");
	play_befriend(s, "alice", "bob");
	PLAY(s, "alice> 115 1 drop by drop", "alice< 219 400",
	     "bob<   220 1 1447934844001 drop by drop",
	     "alice> 115 1 data:text/plain,drop", "alice< 219 400",
	     "bob<   220 1 1447934844002 \"\" 1");
	end();
}
END_TEST

/* Cut at every place: the first part, a moment, the rest. */
START_TEST(a_command_in_two_packets)
{
	static const char line[] = "115 1 in \"two\" parts\r\n112\n";
	struct timespec moment = {0, 2000000};
	struct line_peer *alice;

	begin();
	play_befriend(s, "alice", "bob");
	alice = play_peer(s, "alice");
	for (size_t cut = 1; cut < sizeof(line) - 1; cut++) {
		line_send(alice, span_of(line, cut));
		nanosleep(&moment, NULL);
		line_send(alice, span_str(line + cut));
		PLAY(s, "alice< 219 400", "alice< 214 1", "alice< 215 1 alice bob",
		     "alice< 216");
		ck_assert(span_eq(line_hear_message(play_peer(s, "bob")).text,
				  span_str("in \"two\" parts")));
	}
	end();
}
END_TEST

/* Two people, one after the other in everything, each in a burst. */
START_TEST(two_clients_pipelined)
{
	struct buf a = BUF_INIT(1 << 16), b = BUF_INIT(1 << 16);

	begin();
	play_befriend(s, "alice", "bob");
	for (int i = 0; i < 500; i++) {
		ck_assert_int_eq(buf_printf(&a, "115 1 a%d\n", i), Q_OK);
		ck_assert_int_eq(buf_printf(&b, "115 1 b%d\n112\n", i), Q_OK);
	}
	line_send(play_peer(s, "alice"), buf_span(&a));
	line_send(play_peer(s, "bob"), buf_span(&b));
	for (int who = 0; who < 2; who++) {
		struct line_peer *p = play_peer(s, who == 0 ? "alice" : "bob");
		int answers = 0, messages = 0, expected = who == 0 ? 500 : 2000;
		struct line_message m;
		char text[16];

		while (answers < expected || messages < 500) {
			struct span line = line_expect(p);

			if (line_message_parse(line, &m) != Q_OK) {
				answers++;
				continue;
			}
			snprintf(text, sizeof(text), "%c%d", who == 0 ? 'b' : 'a',
				 messages++);
			ck_assert(span_eq(m.text, span_str(text)));
		}
		line_hear_nothing(p);
	}
	buf_free(&a);
	buf_free(&b);
	end();
}
END_TEST

/* ---- errors in a row ---- */

START_TEST(max_errors_in_a_row_end_the_connection)
{
	s = play_start("alice", "contacts.max_errors=3", NULL);
	PLAY(s, "> 999", "< 210", "> 110", "< 211", "> 119 1", "< 227 407", "> 999",
	     "< 210", "> 999", "< 210", ">", "> 115 1", "< 211", ": end");
	PLAY(s, "alice: login", "alice> 999", "alice< 210", "alice> 999", "alice< 210",
	     "alice> 112", "alice< 214 0", "alice< 216", "alice> 999", "alice< 210",
	     "alice> 999", "alice< 210", "alice> 999", "alice< 210", "alice: end");
	end();
}
END_TEST

START_TEST(a_hundred_errors_by_default)
{
	struct line_peer *p;

	begin();
	p = line_connect(play_harness(s), "somebody");
	for (int i = 0; i < 99; i++)
		line_hear_nothing(p);
	line_say(p, "119 1");
	line_hear(p, "227 407");
	for (int i = 0; i < 100; i++)
		line_hear_nothing(p);
	line_hear_end(p);
	line_free(p);
	end();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("contacts lines");
	TCase *tc = harness_case(suite, "lines");

	tcase_add_test(tc, unknown_codes_are_210);
	tcase_add_test(tc, bad_arguments_are_211);
	tcase_add_test(tc, nul_is_211);
	tcase_add_test(tc, any_argument_may_be_quoted);
	tcase_add_test(tc, what_is_answered_is_quoted_when_needed);
	tcase_add_test(tc, empty_lines_and_cr_lf);
	tcase_add_test(tc, cr_lf_ends_a_message);
	tcase_add_test(tc, many_commands_in_one_packet);
	tcase_add_test(tc, one_byte_at_a_time);
	tcase_add_test(tc, a_command_in_two_packets);
	tcase_add_test(tc, two_clients_pipelined);
	tcase_add_test(tc, max_errors_in_a_row_end_the_connection);
	tcase_add_test(tc, a_hundred_errors_by_default);
	return harness_main(suite);
}
