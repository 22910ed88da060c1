/* SPDX-License-Identifier: MIT
 *
 * contacts: pictures and files.  What comes back is byte for byte what came.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "crypto/random.h"
#include "tests/system/contacts_play.h"

static struct play *s;

static void
begin(void)
{
	s = play_start("alice bob carol", NULL);
	play_befriend(s, "alice", "bob");
}

/* ---- forms ---- */

static const struct {
	const char *sent;  /* behind the ChatID */
	const char *heard; /* what stands before the MediaID in 220 */
	const char *media; /* in 227 */
} forms[] = {
    {"data:image/png;base64,iVBORw0KGgo=", "\"\"", "data:image/png;base64,iVBORw0KGgo="},
    {"\"\" data:image/png;base64,AAEC", "\"\"", "data:image/png;base64,AAEC"},
    {"a picture data:image/png;base64,AAEC", "\"a picture\"",
     "data:image/png;base64,AAEC"},
    {"two  data:,x", "\"two \"", "data:text/plain;charset=US-ASCII;base64,eA=="},
    {"\"quoted \\\"picture\\\"\" data:a/b;base64,AA==", "\"quoted \\\"picture\\\"\"",
     "data:a/b;base64,AA=="},
    {"\"two\\nlines\" data:a/b;base64,AAA=", "\"two\\nlines\"", "data:a/b;base64,AAA="},
    {"back\\slash data:a/b,x", "\"back\\\\slash\"", "data:a/b;base64,eA=="},
    /* percent-encoded */
    {"data:text/plain,a%20b%0A%00%ff", "\"\"", "data:text/plain;base64,YSBiCgD/"},
    {"data:text/html;charset=utf-8,%3cp%3E", "\"\"",
     "data:text/html;charset=utf-8;base64,PHA+"},
    {"data:;base64,eHk=", "\"\"", "data:text/plain;charset=US-ASCII;base64,eHk="},
    /* the last word alone counts */
    {"data:,x data:,y", "\"data:,x\"", "data:text/plain;charset=US-ASCII;base64,eQ=="},
    /* a name that would be a path somewhere else */
    {"data:../../etc/passwd;base64,AAEC", "\"\"", "data:../../etc/passwd;base64,AAEC"},
};

START_TEST(forms_of_media)
{
	begin();
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		long long time = 1447934844100 + (long long)i;
		char heard[256], asked[64], media[256];

		snprintf(heard, sizeof(heard), "bob< 220 1 %lld %s %zu", time,
			 forms[i].heard, i + 1);
		line_say(play_peer(s, "alice"), "115 1 %s", forms[i].sent);
		PLAY(s, "alice< 219 400", heard);
		snprintf(asked, sizeof(asked), "119 %zu", i + 1);
		snprintf(media, sizeof(media), "227 400 %s", forms[i].media);
		/* Both members may have it. */
		line_say(play_peer(s, "bob"), "%s", asked);
		line_hear(play_peer(s, "bob"), media);
		line_say(play_peer(s, "alice"), "%s", asked);
		line_hear(play_peer(s, "alice"), media);
	}
	harness_admin(play_harness(s), "check", NULL);
	play_end(s);
}
END_TEST

START_TEST(longest_type)
{
	char type[128];

	begin();
	memset(type, 't', 127);
	type[127] = '\0';
	line_say(play_peer(s, "alice"), "115 1 data:%s,x", type);
	PLAY(s, "alice< 219 400", "bob< 220 1 1447934844001 \"\" 1", "bob> 119 1");
	line_expect(play_peer(s, "bob"));
	/* One more is no media: a message like any other, or a mistake. */
	line_say(play_peer(s, "alice"), "115 1 data:%st,x", type);
	PLAY(s, "alice< 219 400");
	ck_assert_uint_gt(line_hear_message(play_peer(s, "bob")).text.len, 130);
	line_say(play_peer(s, "alice"), "115 1 \"x\" data:%st,x", type);
	PLAY(s, "alice< 211");
	play_end(s);
}
END_TEST

/* ---- a picture, byte for byte ---- */

#define PICTURE (1 << 20)

START_TEST(picture_byte_for_byte)
{
	static uint8_t bytes[PICTURE];
	static char encoded[BASE64_LEN(PICTURE)];
	struct buf file = BUF_INIT(2 * PICTURE), line = BUF_INIT(4 * PICTURE);
	static const char head[] = "227 400 data:image/jpeg;base64,";
	struct span got;
	size_t n;

	begin();
	random_bytes(bytes, sizeof(bytes));
	n = base64_encode(span_of(bytes, sizeof(bytes)), encoded);
	ck_assert_int_eq(buf_put_str(&line, "115 1 Urlaub data:image/jpeg;base64,"),
			 Q_OK);
	ck_assert_int_eq(buf_put(&line, encoded, n), Q_OK);
	ck_assert_int_eq(buf_put_str(&line, "\n"), Q_OK);
	line_send(play_peer(s, "alice"), buf_span(&line));
	PLAY(s, "alice< 219 400", "bob< 220 1 1447934844001 \"Urlaub\" 1", "bob> 119 1");
	got = line_expect(play_peer(s, "bob"));
	ck_assert_uint_eq(got.len, strlen(head) + n);
	ck_assert_int_eq(memcmp(got.p, head, strlen(head)), 0);
	ck_assert_int_eq(memcmp(got.p + strlen(head), encoded, n), 0);
	/* And it lies there as a file that can be looked at. */
	ck_assert(harness_read(play_harness(s), "media/1", &file));
	ck_assert(span_eq(buf_span(&file), span_of(bytes, sizeof(bytes))));
	buf_free(&file);
	buf_free(&line);
	play_end(s);
}
END_TEST

/* ---- who may have it, and when it is gone ---- */

START_TEST(members_only)
{
	begin();
	PLAY(s, "carol: login", "alice> 115 1 data:,x", "alice< 219 400",
	     "bob<   220 1 1447934844001 \"\" 1", "carol> 119 1", "carol< 227 409",
	     /* 412 comes before 409 */
	     "carol> 119 2", "carol< 227 412", "bob> 119 9223372036854775807",
	     "bob<   227 412", "bob> 119 1",
	     "bob<   227 400 data:text/plain;charset=US-ASCII;base64,eA==",
	     /* what was refused has taken no id and left no file */
	     "carol> 115 1 data:,y", "carol< 219 409", "carol> 115 7 data:,y",
	     "carol< 219 408", "alice> 123 bob", "alice< 234 400", "alice> 115 1 data:,y",
	     "alice< 219 411", "alice> 119 2", "alice< 227 412",
	     /* a chat without contact stays readable */
	     "bob>   119 1",
	     "bob<   227 400 data:text/plain;charset=US-ASCII;base64,eA==");
	play_end(s);
}
END_TEST

START_TEST(goes_with_the_chat)
{
	struct buf file = BUF_INIT(1 << 16);

	begin();
	PLAY(s, "alice> 115 1 data:,x", "alice< 219 400",
	     "bob<   220 1 1447934844001 \"\" 1", "bob> 115 1 data:,y", "bob< 219 400",
	     "alice< 220 1 1447934844002 \"\" 2", "alice> 114 1", "alice< 218 400",
	     "alice> 119 1", "alice< 227 412", "bob> 119 2", "bob< 227 412");
	ck_assert(!harness_read(play_harness(s), "media/1", &file));
	ck_assert(!harness_read(play_harness(s), "media/2", &file));
	/* The ids are not used again. */
	PLAY(s, "alice> 113 bob", "alice< 217 400", "alice> 115 2 data:,z",
	     "alice< 219 400", "bob< 220 2 1447934844003 \"\" 3", "bob> 119 1",
	     "bob<   227 412");
	buf_free(&file);
	harness_admin(play_harness(s), "check", NULL);
	play_end(s);
}
END_TEST

START_TEST(waits_and_survives_a_restart)
{
	begin();
	PLAY(s, "bob: logout", "alice> 115 1 for you data:image/gif;base64,R0lGODlh",
	     "alice< 219 400", "alice: logout");
	harness_stop(play_harness(s));
	harness_restart(play_harness(s));
	PLAY(s, "bob: login", "bob< 220 1 1447934844001 \"for you\" 1", "bob> 119 1",
	     "bob< 227 400 data:image/gif;base64,R0lGODlh", "alice: login",
	     "alice> 119 1", "alice< 227 400 data:image/gif;base64,R0lGODlh");
	harness_kill(play_harness(s));
	harness_restart(play_harness(s));
	/* An id that somebody has seen is not used again. */
	PLAY(s, "alice: end", "bob: end", "alice: login", "alice> 115 1 data:,x",
	     "alice< 219 400", "alice> 119 1",
	     "alice< 227 400 data:image/gif;base64,R0lGODlh");
	play_end(s);
}
END_TEST

/* What is not what was sent is not passed on. */
START_TEST(damaged_file)
{
	begin();
	PLAY(s, "alice> 115 1 data:,x", "alice< 219 400",
	     "bob<   220 1 1447934844001 \"\" 1");
	harness_write(play_harness(s), "media/1", span_str("something else"));
	PLAY(s, "bob> 119 1", "bob< 227 413", "bob> 115 1 what was that?", "bob< 219 400",
	     "alice< 220 1 1447934844002 what was that?");
	play_end(s);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("contacts media");
	TCase *tc = harness_case(suite, "media");

	tcase_add_test(tc, forms_of_media);
	tcase_add_test(tc, longest_type);
	tcase_add_test(tc, picture_byte_for_byte);
	tcase_add_test(tc, members_only);
	tcase_add_test(tc, goes_with_the_chat);
	tcase_add_test(tc, waits_and_survives_a_restart);
	tcase_add_test(tc, damaged_file);
	return harness_main(suite);
}
