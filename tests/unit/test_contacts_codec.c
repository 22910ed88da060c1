/* SPDX-License-Identifier: MIT
 *
 * The lines of contacts, both ways (docs/protocols/contacts.md).
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "protocol/contacts.h"

static struct buf scratch = BUF_INIT(1 << 20);

static void
is_text(struct span s, const char *want)
{
	ck_assert_msg(span_eq(s, span_str(want)), "got \"%.*s\", want \"%s\"", (int)s.len,
		      (const char *)s.p, want);
}

static enum qerr
parse(const char *line, struct contacts_request *r)
{
	return contacts_request_parse(span_str(line), &scratch, r);
}

/* ---- shapes ---- */

static const struct {
	const char *line;
	enum qerr result;
	int code;
} shapes[] = {
    {"110 hans geheim123", Q_OK, 110},
    {"100 hans geheim123", Q_OK, 110},
    {"111", Q_OK, 111},
    {"112", Q_OK, 112},
    {"113 andi", Q_OK, 113},
    {"114 9223372036854775807", Q_OK, 114},
    {"117 hans geheim123 hans@example.org m", Q_OK, 117},
    {"117 hans geheim123 \"\" \"\"", Q_OK, 117},
    {"118", Q_OK, 118},
    {"119 1", Q_OK, 119},
    {"120", Q_OK, 120},
    {"121 \"bob\"", Q_OK, 121},
    {"122 3 1447934844123", Q_OK, 122},
    {"123 bob", Q_OK, 123},
    /* no such operation */
    {"116 x", Q_MISSING, 0},
    {"099", Q_MISSING, 0},
    {"210", Q_MISSING, 0},
    {"11", Q_MISSING, 0},
    {"1111", Q_MISSING, 0},
    {"11x", Q_MISSING, 0},
    {" 110 a b", Q_MISSING, 0},
    {"hello", Q_MISSING, 0},
    {"110\thans x", Q_MISSING, 0},
    /* wrong arguments */
    {"110", Q_FORMAT, 110},
    {"110 hans", Q_FORMAT, 110},
    {"110 hans ", Q_FORMAT, 110},
    {"110 hans  geheim123", Q_FORMAT, 110},
    {"110 hans geheim123 ", Q_FORMAT, 110},
    {"110 hans geheim123 x", Q_FORMAT, 110},
    {"110  hans geheim123", Q_FORMAT, 110},
    {"111 ", Q_FORMAT, 111},
    {"111 x", Q_FORMAT, 111},
    {"121 \"bob\"x", Q_FORMAT, 121},
    {"121 \"bob", Q_FORMAT, 121},
    {"121 \"b\\x\"", Q_FORMAT, 121},
    {"121 \"b\\", Q_FORMAT, 121},
    {"114 0", Q_FORMAT, 114},
    {"114 -1", Q_FORMAT, 114},
    {"114 +1", Q_FORMAT, 114},
    {"114 9223372036854775808", Q_FORMAT, 114},
    {"114 00000000000000000001", Q_FORMAT, 114},
    {"114 1x", Q_FORMAT, 114},
    {"115", Q_FORMAT, 115},
    {"115 1", Q_FORMAT, 115},
    {"115 1 ", Q_FORMAT, 115},
    {"115 1 \"\"", Q_FORMAT, 115},
    {"121 \xc3\x28", Q_FORMAT, 121},
    {"115 1 \xed\xa0\x80", Q_FORMAT, 115},
};

START_TEST(each_shape)
{
	struct contacts_request r;

	ck_assert_int_eq(parse(shapes[_i].line, &r), shapes[_i].result);
	ck_assert_int_eq(r.code, shapes[_i].code);
}
END_TEST

START_TEST(arguments_in_their_places)
{
	struct contacts_request r;

	ck_assert_int_eq(parse("117 hans \"pass \\\"wort\\\"\" \"\" \"a\\tb\\\\\"", &r),
			 Q_OK);
	ck_assert_uint_eq(r.argc, 4);
	is_text(r.arg[0], "hans");
	is_text(r.arg[1], "pass \"wort\"");
	is_text(r.arg[2], "");
	is_text(r.arg[3], "a\tb\\");
	ck_assert_int_eq(parse("110 ha\"ns x\"y", &r), Q_OK);
	is_text(r.arg[0], "ha\"ns");
	ck_assert_int_eq(parse("122 7 1447934844123", &r), Q_OK);
	ck_assert_uint_eq(r.id, 7);
	ck_assert_int_eq(r.time_ms, 1447934844123);
}
END_TEST

START_TEST(a_nul_is_refused)
{
	struct contacts_request r;

	ck_assert_int_eq(contacts_request_parse(span_of("121 a\0b", 7), &scratch, &r),
			 Q_FORMAT);
}
END_TEST

/* ---- 115, as people type it ---- */

static const struct {
	const char *line, *message, *media_type, *media;
} messages[] = {
    {"115 7 Hallo Andi", "Hallo Andi", NULL, NULL},
    {"115 7  two  spaces ", " two  spaces ", NULL, NULL},
    {"115 7 a\\nb", "a\\nb", NULL, NULL},
    {"115 7 \"quoted\"", "quoted", NULL, NULL},
    {"115 7 \"a\\nb\"", "a\nb", NULL, NULL},
    {"115 7 \"quoted\" and more", "\"quoted\" and more", NULL, NULL},
    {"115 7 \"quoted\" ", "\"quoted\" ", NULL, NULL},
    {"115 7 \"no end", "\"no end", NULL, NULL},
    {"115 7 \"bad \\q\"", "\"bad \\q\"", NULL, NULL},
    {"115 7 \"a\" \"b\"", "\"a\" \"b\"", NULL, NULL},
    {"115 7 see data:text/plain,hi%21", "see", "text/plain", "hi!"},
    {"115 7 see  data:text/plain,hi", "see ", "text/plain", "hi"},
    {"115 7 data:image/png;base64,AAEC", "", "image/png", "\x00\x01\x02"},
    {"115 7 \"\" data:,x", "", "", "x"},
    {"115 7 \"a b\" data:;base64,eHk=", "a b", "", "xy"},
    {"115 7 data:nothing", "data:nothing", NULL, NULL},
    {"115 7 see data:x;base64,AA", "see data:x;base64,AA", NULL, NULL},
    {"115 7 data:,x and more", "data:,x and more", NULL, NULL},
};

START_TEST(each_message)
{
	struct contacts_request r;
	uint8_t raw[64];

	ck_assert_int_eq(parse(messages[_i].line, &r), Q_OK);
	ck_assert_uint_eq(r.id, 7);
	is_text(r.message, messages[_i].message);
	ck_assert_int_eq(r.has_media, messages[_i].media != NULL);
	if (!r.has_media)
		return;
	is_text(r.media.type, messages[_i].media_type);
	contacts_media_decode(&r.media, raw);
	ck_assert_mem_eq(raw, messages[_i].media, r.media.size);
}
END_TEST

static const char *const bad_messages[] = {
    "115 7 \"\"",
    "115 7 \"a\" data:x",
    "115 7 \"a\" data:;base64,A",
    "115 7 data:,",
    "115 7 see data:;base64,",
    "115 7 \"a\" data:,",
    "115 7 \"a\" data:x;base64,AB==",
};

START_TEST(each_bad_message)
{
	struct contacts_request r;

	ck_assert_int_eq(parse(bad_messages[_i], &r), Q_FORMAT);
	ck_assert_int_eq(r.code, 115);
}
END_TEST

START_TEST(media_types)
{
	struct contacts_media m;
	char word[256] = "data:";

	memset(word + 5, 'a', 127);
	strcpy(word + 5 + 127, ",x");
	ck_assert_int_eq(contacts_media_parse(span_str(word), &m), Q_OK);
	memset(word + 5, 'a', 128);
	strcpy(word + 5 + 128, ",x");
	ck_assert_int_eq(contacts_media_parse(span_str(word), &m), Q_FORMAT);
	ck_assert_int_eq(contacts_media_parse(span_str("data:a\"b,x"), &m), Q_FORMAT);
	ck_assert_int_eq(contacts_media_parse(span_str("data:a\\b,x"), &m), Q_FORMAT);
	ck_assert_int_eq(contacts_media_parse(span_str("data:,a%2"), &m), Q_FORMAT);
	ck_assert_int_eq(contacts_media_parse(span_str("DATA:,a"), &m), Q_FORMAT);
	ck_assert_int_eq(contacts_media_parse(span_str("data:,a%25"), &m), Q_OK);
	ck_assert_uint_eq(m.size, 2);
}
END_TEST

/* ---- lines ---- */

START_TEST(lines_are_cut)
{
	struct contacts_framer f = {0};
	struct span in = span_str("111\r\n112\n\n11"), line;
	size_t used;

	ck_assert_int_eq(contacts_line_next(&f, in, false, &line, &used), Q_OK);
	is_text(line, "111");
	in.p += used, in.len -= used;
	ck_assert_int_eq(contacts_line_next(&f, in, false, &line, &used), Q_OK);
	is_text(line, "112");
	in.p += used, in.len -= used;
	ck_assert_int_eq(contacts_line_next(&f, in, false, &line, &used), Q_OK);
	is_text(line, "");
	in.p += used, in.len -= used;
	ck_assert_int_eq(contacts_line_next(&f, in, false, &line, &used), Q_SHORT);
	ck_assert_uint_eq(f.searched, 2);
}
END_TEST

static enum qerr
frame_of(const char *begin, size_t body, const char *end, bool big)
{
	struct contacts_framer f = {0};
	size_t n = strlen(begin), m = strlen(end), used;
	uint8_t *p = malloc(n + body + m);
	struct span line;
	enum qerr e;

	ck_assert_ptr_nonnull(p);
	memcpy(p, begin, n);
	memset(p + n, 'x', body);
	memcpy(p + n + body, end, m);
	e = contacts_line_next(&f, span_of(p, n + body + m), big, &line, &used);
	free(p);
	return e;
}

START_TEST(line_limits)
{
	ck_assert_int_eq(frame_of("115 ", CONTACTS_LINE_MAX - 4, "\n", false), Q_OK);
	ck_assert_int_eq(frame_of("115 ", CONTACTS_LINE_MAX - 4, "\r\n", false), Q_OK);
	ck_assert_int_eq(frame_of("115 ", CONTACTS_LINE_MAX - 4, "\r", false), Q_SHORT);
	ck_assert_int_eq(frame_of("115 ", CONTACTS_LINE_MAX - 3, "\n", true), Q_LIMIT);
	ck_assert_int_eq(frame_of("115 ", CONTACTS_LINE_MAX - 3, "", true), Q_LIMIT);
	ck_assert_int_eq(frame_of("115 1 data:,", CONTACTS_LINE_MAX, "\n", true), Q_OK);
	ck_assert_int_eq(frame_of("115 1 data:,", CONTACTS_LINE_MAX, "\n", false),
			 Q_LIMIT);
	ck_assert_int_eq(frame_of("119 1 data:,", CONTACTS_LINE_MAX, "\n", true),
			 Q_LIMIT);
	ck_assert_int_eq(
	    frame_of("115 1 data:,", CONTACTS_MEDIA_LINE_MAX - 12, "\n", true), Q_OK);
	ck_assert_int_eq(
	    frame_of("115 1 data:,", CONTACTS_MEDIA_LINE_MAX - 11, "\n", true), Q_LIMIT);
}
END_TEST

START_TEST(recognised)
{
	ck_assert_int_eq(contacts_recognise(span_str("11")), Q_OK);
	ck_assert_int_eq(contacts_recognise(span_str("1")), Q_SHORT);
	ck_assert_int_eq(contacts_recognise(span_str("1\xff")), Q_FORMAT);
	ck_assert_int_eq(contacts_recognise(span_str("GE")), Q_FORMAT);
}
END_TEST

/* ---- answers ---- */

static struct buf out = BUF_INIT(1 << 20);

/* What was put is this line, and a client reads the same values. */
static struct contacts_reply
put_and_read(const char *want)
{
	struct contacts_reply r;

	is_text(buf_span(&out), want);
	ck_assert_int_eq(
	    contacts_reply_parse((struct span){out.p, out.len - 1}, &scratch, &r), Q_OK);
	out.len = 0;
	return r;
}

START_TEST(answers)
{
	struct contacts_reply r;

	contacts_put_code(&out, CONTACTS_UNKNOWN);
	put_and_read("210\n");
	contacts_put_status(&out, CONTACTS_INVALID, 407);
	ck_assert_int_eq(put_and_read("211 407\n").status, 407);
	contacts_put_login(&out, 406, span_str("a b"));
	r = put_and_read("212 406 \"a b\"\n");
	is_text(r.arg[0], "a b");
	contacts_put_login(&out, 406, span_str(""));
	put_and_read("212 406 \"\"\n");
	contacts_put_count(&out, CONTACTS_CHAT_LIST_BEGIN, 0);
	put_and_read("214 0\n");
	contacts_put_chat(&out, 12, "hans", "andi");
	r = put_and_read("215 12 hans andi\n");
	ck_assert_uint_eq(r.id, 12);
	is_text(r.arg[1], "andi");
	contacts_put_contact(&out, "andi", 1447934844123);
	ck_assert_int_eq(put_and_read("225 andi 1447934844123\n").time_ms, 1447934844123);
	contacts_put_name(&out, CONTACTS_CONFIRM_ADD, "andi");
	is_text(put_and_read("233 andi\n").arg[0], "andi");
	contacts_put_media(&out, span_str("image/png"), span_of("\0\1\2", 3));
	r = put_and_read("227 400 data:image/png;base64,AAEC\n");
	is_text(r.arg[0], "data:image/png;base64,AAEC");
	contacts_put_media(&out, span_str(""), span_of("x", 1));
	put_and_read("227 400 data:text/plain;charset=US-ASCII;base64,eA==\n");
}
END_TEST

static const struct {
	const char *message;
	uint64_t media;
	const char *line;
} sended[] = {
    {"Hallo Hans", 0, "220 1 5 Hallo Hans\n"},
    {" x ", 0, "220 1 5  x \n"},
    {"a\tb", 0, "220 1 5 a\tb\n"},
    {"a\\b", 0, "220 1 5 a\\b\n"},
    {"\"x", 0, "220 1 5 \"\\\"x\"\n"},
    {"a\nb", 0, "220 1 5 \"a\\nb\"\n"},
    {"a\rb", 0, "220 1 5 \"a\\rb\"\n"},
    {"", 9, "220 1 5 \"\" 9\n"},
    {"hi", 9, "220 1 5 \"hi\" 9\n"},
    {"a\tb", 9, "220 1 5 \"a\\tb\" 9\n"},
};

START_TEST(each_220)
{
	struct contacts_reply r;

	ck_assert_int_eq(contacts_put_message(&out, 1, 5, span_str(sended[_i].message),
					      sended[_i].media),
			 Q_OK);
	r = put_and_read(sended[_i].line);
	ck_assert_uint_eq(r.id, 1);
	ck_assert_int_eq(r.time_ms, 5);
	ck_assert_uint_eq(r.media_id, sended[_i].media);
	is_text(r.arg[0], sended[_i].message);
}
END_TEST

static const char *const bad_replies[] = {
    "",
    "21",
    "299",
    "212",
    "212 400",
    "212 399 a",
    "214 x",
    "215 1 a",
    "220 1 5",
    "220 1 5 \"a\" 0",
    "220 1 5 \"a\"9",
    "220 1 5 \"a",
    "216 ",
    "219 400 x",
    "233 ",
    "227",
};

START_TEST(each_bad_reply)
{
	struct contacts_reply r;

	ck_assert_int_eq(contacts_reply_parse(span_str(bad_replies[_i]), &scratch, &r),
			 Q_FORMAT);
}
END_TEST

START_TEST(requests_come_back)
{
	static const char *const lines[] = {"110 hans \"ge heim\"\n",
					    "111\n",
					    "114 7\n",
					    "115 7 \"Hallo \\\"Andi\\\"\\n\"\n",
					    "115 7 \"\" data:,x\n",
					    "122 7 9\n",
					    "117 a b \"\" \"\"\n"};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct contacts_request r;
		char media[64];

		ck_assert_int_eq(
		    contacts_request_parse(span_of(lines[i], strlen(lines[i]) - 1),
					   &scratch, &r),
		    Q_OK);
		if (r.code == CONTACTS_SEND) {
			r.arg[0] = r.message;
			snprintf(media, sizeof(media), "data:%.*s,%.*s",
				 (int)r.media.type.len, (const char *)r.media.type.p,
				 (int)r.media.encoded.len,
				 (const char *)r.media.encoded.p);
			r.arg[1] = span_str(r.has_media ? media : "");
		}
		out.len = 0;
		ck_assert_int_eq(contacts_request_put(&out, &r), Q_OK);
		is_text(buf_span(&out), lines[i]);
	}
	out.len = 0;
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

int
main(void)
{
	Suite *s = suite_create("contacts codec");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, each_shape, 0, COUNT(shapes));
	tcase_add_test(t, arguments_in_their_places);
	tcase_add_test(t, a_nul_is_refused);
	tcase_add_loop_test(t, each_message, 0, COUNT(messages));
	tcase_add_loop_test(t, each_bad_message, 0, COUNT(bad_messages));
	tcase_add_test(t, media_types);
	tcase_add_test(t, lines_are_cut);
	tcase_add_test(t, line_limits);
	tcase_add_test(t, recognised);
	tcase_add_test(t, answers);
	tcase_add_loop_test(t, each_220, 0, COUNT(sended));
	tcase_add_loop_test(t, each_bad_reply, 0, COUNT(bad_replies));
	tcase_add_test(t, requests_come_back);
	suite_add_tcase(s, t);
	return unit_main(s);
}
