/* SPDX-License-Identifier: MIT
 *
 * base64, hex, UTF-8, visible text (base/text.h) and names (base/name.h).
 */
#include "base/text.h"

#include <signal.h>
#include <string.h>

#include "base/name.h"
#include "tests/unit/unit.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

/* ---- base64 ---- */

/* RFC 4648 section 10, and a few with the last two letters of the alphabet. */
static const struct {
	const char *bytes, *text;
} base64_cases[] = {{"", ""},
		    {"f", "Zg=="},
		    {"fo", "Zm8="},
		    {"foo", "Zm9v"},
		    {"foob", "Zm9vYg=="},
		    {"fooba", "Zm9vYmE="},
		    {"foobar", "Zm9vYmFy"},
		    {"\xfb\xff\xbf", "+/+/"},
		    {"\xff", "/w=="},
		    {"\xfb\xf0", "+/A="}};

START_TEST(test_base64)
{
	struct span bytes = span_str(base64_cases[_i].bytes);
	const char *text = base64_cases[_i].text;
	char out[32];
	uint8_t back[32];
	size_t n;

	memset(out, '#', sizeof(out));
	n = base64_encode(bytes, out);
	ck_assert_uint_eq(n, strlen(text));
	ck_assert_uint_eq(n, BASE64_LEN(bytes.len));
	ck_assert_mem_eq(out, text, n);
	ck_assert_int_eq(out[n], '#');
	ck_assert_int_eq(base64_decode(span_str(text), back, &n), Q_OK);
	ck_assert(span_eq(span_of(back, n), bytes));
}
END_TEST

START_TEST(test_base64_strict)
{
	static const char *const bad[] = {"Z",        "Zg",   "Zg=",    "Zm9vY",
					  "Zg===",    "=",    "====",   "===",
					  "Z===",     "Zm=v", "=m9v",   "Zg==Zg==",
					  "Zm8=Zm9v", /* padding in the middle */
					  "Zh==",     "Zm9=", "/x==", /* surplus bits */
					  "Zm9v\n",   "Zm 9", " m9v",   "Zm9\t",
					  "Zm9-",     "Zm9_", "Zm9\xc3"};
	uint8_t out[32];
	size_t n = 77;

	for (int i = 0; i < COUNT(bad); i++)
		ck_assert_msg(base64_decode(span_str(bad[i]), out, &n) == Q_FORMAT, "%s",
			      bad[i]);
	for (int i = 0; i < COUNT(bad); i++)
		ck_assert_msg(base64_check(span_str(bad[i]), &n) == Q_FORMAT, "%s",
			      bad[i]);
	ck_assert_int_eq(base64_decode(span_of("Zm\0v", 4), out, &n), Q_FORMAT);
	ck_assert_int_eq(base64_check(span_of("Zm\0v", 4), &n), Q_FORMAT);
	ck_assert_uint_eq(n, 77);
}
END_TEST

START_TEST(test_base64_all_bytes)
{
	uint8_t bytes[257], back[BASE64_LEN(sizeof(bytes)) / 4 * 3];
	char text[BASE64_LEN(sizeof(bytes))];
	size_t n, checked;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 167);
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		n = base64_encode(span_of(bytes, len), text);
		ck_assert_int_eq(base64_check(span_of(text, n), &checked), Q_OK);
		ck_assert_uint_eq(checked, len);
		ck_assert_int_eq(base64_decode(span_of(text, n), back, &n), Q_OK);
		ck_assert(span_eq(span_of(back, n), span_of(bytes, len)));
	}
}
END_TEST

/* ---- hex ---- */

START_TEST(test_hex)
{
	static const uint8_t bytes[] = {0x00, 0x01, 0x7f, 0x80, 0xab, 0xff};
	static const char *const bad[] = {"",
					  "0",
					  "00017f80abf",
					  "00017f80abff0",
					  "00017f80abfg",
					  "00017f80ab f",
					  "0x017f80abff",
					  "00017f80abff00",
					  "00017f80ab:f"};
	char text[HEX_LEN(sizeof(bytes)) + 1];
	uint8_t out[sizeof(bytes)], untouched[sizeof(bytes)];

	hex_encode(span_of(bytes, sizeof(bytes)), text);
	ck_assert_str_eq(text, "00017f80abff");
	ck_assert_int_eq(hex_decode(span_str("00017F80aBFf"), out, sizeof(out)), Q_OK);
	ck_assert_mem_eq(out, bytes, sizeof(out));
	hex_encode(span_of(NULL, 0), text);
	ck_assert_str_eq(text, "");
	ck_assert_int_eq(hex_decode(span_of(NULL, 0), out, 0), Q_OK);
	memset(out, 0xee, sizeof(out));
	memset(untouched, 0xee, sizeof(untouched));
	for (int i = 0; i < COUNT(bad); i++)
		ck_assert_msg(hex_decode(span_str(bad[i]), out, sizeof(out)) == Q_FORMAT,
			      "%s", bad[i]);
	ck_assert_mem_eq(out, untouched, sizeof(out));
}
END_TEST

/* ---- UTF-8 ---- */

static const struct {
	const char *text;
	bool valid;
} utf8_cases[] = {
    {"", true},
    {"plain", true},
    {"\x7f", true},
    {"\xc2\x80", true},
    {"\xdf\xbf", true},
    {"\xe0\xa0\x80", true},
    {"\xed\x9f\xbf", true}, /* the last before the surrogates */
    {"\xee\x80\x80", true}, /* and the first behind them */
    {"\xef\xbf\xbf", true},
    {"\xf0\x90\x80\x80", true},
    {"\xf4\x8f\xbf\xbf", true}, /* U+10FFFF */
    {"\xf4\x90\x80\x80", false},
    {"\xf5\x80\x80\x80", false},
    {"\xff", false},
    {"\x80", false},
    {"\xbf", false},
    {"\xc0\x80", false}, /* overlong forms */
    {"\xc1\xbf", false},
    {"\xe0\x9f\xbf", false},
    {"\xf0\x8f\xbf\xbf", false},
    {"\xed\xa0\x80", false}, /* surrogates */
    {"\xed\xbf\xbf", false},
    {"\xc3", false}, /* cut */
    {"ok\xe2\x82", false},
    {"\xf0\x9f\x98", false},
    {"\xc3(", false},
    {"\xe2\x82\xacok\x80", false},
};

START_TEST(test_utf8)
{
	ck_assert_int_eq(utf8_valid(span_str(utf8_cases[_i].text)), utf8_cases[_i].valid);
}
END_TEST

START_TEST(test_utf8_nul)
{
	ck_assert(utf8_valid(span_of("a\0b", 3)));
	ck_assert(utf8_valid(span_of(NULL, 0)));
}
END_TEST

/* One character or one bad byte at each place of a longer text, which is
 * looked at in larger steps. */
START_TEST(test_utf8_places)
{
	uint8_t text[40];

	for (size_t at = 0; at + 4 <= sizeof(text); at++)
		for (size_t len = at + 4; len <= sizeof(text); len++) {
			memset(text, 'x', sizeof(text));
			memcpy(text + at, "\xf0\x9f\x98\x80", 4);
			ck_assert(utf8_valid(span_of(text, len)));
			text[at + 3] = 'x';
			ck_assert(!utf8_valid(span_of(text, len)));
			memset(text, 'x', sizeof(text));
			text[at] = 0x80;
			ck_assert(!utf8_valid(span_of(text, len)));
		}
}
END_TEST

/* ---- visible text ---- */

static const struct {
	const char *in;
	const char *out;
} visible_cases[] = {
    {"", ""},
    {"plain, \"quoted\" ~", "plain, \"quoted\" ~"},
    {"gr\xc3\xbcn \xe2\x82\xac \xf0\x9f\x98\x80",
     "gr\xc3\xbcn \xe2\x82\xac \xf0\x9f\x98\x80"},
    {"a\nb\r\t", "a\\x0ab\\x0d\\x09"},
    {"\x1b[2J\x1b]0;title\a", "\\x1b[2J\\x1b]0;title\\x07"},
    {"\x7f", "\\x7f"},
    {"\xc2\x9b"
     "31m",
     "\\x9b31m"}, /* C1's CSI */
    {"\xc2\xa0", "\xc2\xa0"},
    {"\xe2\x80\xaetxt.exe", "\\u{202e}txt.exe"}, /* right-to-left override */
    {"\xe2\x81\xa6\xe2\x81\xa9", "\\u{2066}\\u{2069}"},
    {"\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c", "\\u{200e}\\u{200f}\\u{61c}"},
    {"\xe2\x80\xa8\xe2\x80\xa9", "\\u{2028}\\u{2029}"},
    {"\xef\xbb\xbfx", "\\u{feff}x"},
    {"\xff\xfe", "\\xff\\xfe"},
    {"\xc3(", "\\xc3("},
    {"\xed\xa0\x80", "\\xed\\xa0\\x80"},
    {"end\xe2\x82", "end\\xe2\\x82"},
};

START_TEST(test_visible)
{
	char out[64];
	size_t n = text_visible(span_str(visible_cases[_i].in), out, sizeof(out));

	ck_assert_str_eq(out, visible_cases[_i].out);
	ck_assert_uint_eq(n, strlen(out));
}
END_TEST

/* Whatever the bytes, what comes out is valid and has no control in it. */
START_TEST(test_visible_any)
{
	for (unsigned a = 0; a < 256; a++)
		for (unsigned b = 0; b < 256; b++) {
			uint8_t in[3] = {(uint8_t)a, (uint8_t)b, 'x'};
			char out[16];
			size_t n = text_visible(span_of(in, 3), out, sizeof(out));

			ck_assert(n > 0 && n < sizeof(out) && out[n] == '\0');
			ck_assert(utf8_valid(span_of(out, n)));
			for (size_t i = 0; i < n; i++)
				ck_assert((uint8_t)out[i] >= 0x20 && out[i] != 0x7f);
		}
}
END_TEST

START_TEST(test_visible_cut)
{
	char out[17];

	memset(out, '#', sizeof(out));
	ck_assert_uint_eq(text_visible(span_str("0123456789abcdefg"), out, 16), 15);
	ck_assert_str_eq(out, "0123456789abcde");
	ck_assert_int_eq(out[16], '#'); /* size is kept */
	/* neither a character nor an escape is cut in two */
	ck_assert_uint_eq(text_visible(span_str("0123456789abc\xe2\x82\xac"), out, 16),
			  13);
	ck_assert_str_eq(out, "0123456789abc");
	ck_assert_uint_eq(text_visible(span_str("0123456789ab\xe2\x82\xac"), out, 16),
			  15);
	ck_assert_str_eq(out, "0123456789ab\xe2\x82\xac");
	ck_assert_uint_eq(text_visible(span_str("0123456789ab\n"), out, 16), 12);
	ck_assert_uint_eq(text_visible(span_str("0123456789a\n"), out, 16), 15);
	ck_assert_str_eq(out, "0123456789a\\x0a");
	ck_assert_uint_eq(text_visible(span_of("a\0b", 3), out, 16), 6);
	ck_assert_str_eq(out, "a\\x00b");
}
END_TEST

START_TEST(test_visible_too_small)
{
	char out[15];

	text_visible(span_str("x"), out, sizeof(out));
}
END_TEST

/* ---- names ---- */

static const struct {
	const char *name;
	bool valid;
} name_cases[] = {
    {"a", true},
    {"7", true},
    {"Alice", true},
    {"a.b_c-D9", true},
    {"a...", true},
    {"abcdefghijklmnopqrstuvwxyz012345", true},
    {"abcdefghijklmnopqrstuvwxyz0123456", false},
    {"", false},
    {".", false},
    {"..", false},
    {".hidden", false},
    {"_a", false},
    {"-a", false},
    {"a b", false},
    {"a/b", false},
    {"../a", false},
    {"a\n", false},
    {"a@b", false},
    {"a[", false},
    {"a`", false},
    {"a{", false},
    {"a:", false},
    {"a,", false},
    {"gr\xc3\xbcn", false},
};

START_TEST(test_name)
{
	struct span s = span_str(name_cases[_i].name);
	char out[NAME_SIZE] = "untouched";

	ck_assert_int_eq(name_valid(s), name_cases[_i].valid);
	ck_assert_int_eq(name_copy(s, out), name_cases[_i].valid ? Q_OK : Q_FORMAT);
	ck_assert_str_eq(out, name_cases[_i].valid ? name_cases[_i].name : "untouched");
}
END_TEST

START_TEST(test_name_nul)
{
	ck_assert(!name_valid(span_of("a\0", 2)));
	ck_assert(!name_valid(span_of("a\0b", 3)));
	ck_assert(!name_valid(span_of(NULL, 0)));
}
END_TEST

START_TEST(test_name_fold)
{
	char out[NAME_SIZE];

	name_fold("AlIcE.Z-9_a", out);
	ck_assert_str_eq(out, "alice.z-9_a");
	name_fold("ABCDEFGHIJKLMNOPQRSTUVWXYZ012345", out);
	ck_assert_str_eq(out, "abcdefghijklmnopqrstuvwxyz012345");
	ck_assert_int_eq(name_cmp("alice", "ALICE"), 0);
	ck_assert_int_lt(name_cmp("Alice", "bob"), 0);
	ck_assert_int_gt(name_cmp("bob", "Alice"), 0);
	ck_assert_int_lt(name_cmp("al", "Alice"), 0);
	ck_assert_int_gt(name_cmp("alice", "AL"), 0);
	/* as the folded forms compare: "_" stands between upper and lower case */
	ck_assert_int_lt(name_cmp("a_", "aB"), 0);
}
END_TEST

START_TEST(test_name_fold_too_long)
{
	char out[NAME_SIZE];

	name_fold("abcdefghijklmnopqrstuvwxyz0123456", out);
}
END_TEST

static Suite *
text_suite(void)
{
	Suite *s = suite_create("text");
	TCase *t = tcase_create("base64 and hex");

	tcase_add_loop_test(t, test_base64, 0, COUNT(base64_cases));
	tcase_add_test(t, test_base64_strict);
	tcase_add_test(t, test_base64_all_bytes);
	tcase_add_test(t, test_hex);
	suite_add_tcase(s, t);
	t = tcase_create("utf8");
	tcase_add_loop_test(t, test_utf8, 0, COUNT(utf8_cases));
	tcase_add_test(t, test_utf8_nul);
	tcase_add_test(t, test_utf8_places);
	suite_add_tcase(s, t);
	t = tcase_create("visible");
	tcase_add_loop_test(t, test_visible, 0, COUNT(visible_cases));
	tcase_add_test(t, test_visible_any);
	tcase_add_test(t, test_visible_cut);
	tcase_add_test_raise_signal(t, test_visible_too_small, SIGABRT);
	suite_add_tcase(s, t);
	t = tcase_create("names");
	tcase_add_loop_test(t, test_name, 0, COUNT(name_cases));
	tcase_add_test(t, test_name_nul);
	tcase_add_test(t, test_name_fold);
	tcase_add_test_raise_signal(t, test_name_fold_too_long, SIGABRT);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_main(text_suite());
}
