/* SPDX-License-Identifier: MIT
 *
 * Which way up: each orientation in both orders of bytes, other segments before it, and
 * what lies about its lengths and offsets.
 */
#include "protocol/exif.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

#define COUNT(a)   ((int)(sizeof(a) / sizeof((a)[0])))
#define S(text)    sizeof(text) - 1, text
#define EXIF       "Exif\0\0"
#define SOI        "\xff\xd8"
#define LITTLE(n)  "II*\0\x08\0\0\0" n "\0"
#define BIG(n)     "MM\0*\0\0\0\x08\0" n
#define OTHER      "\x1a\1\5\0\1\0\0\0\xff\xff\xff\xff"
#define TURNED(v)  "\x12\1\3\0\1\0\0\0" v "\0\0\0"
#define BTURNED(v) "\1\x12\0\3\0\0\0\1\0" v "\0\0"

/* SOI, one APP1 of these bytes (behind others, if wanted), and room to be cut off. */
static struct exif_turn
turn_of(const char *before, size_t before_len, const char *app1, size_t len)
{
	size_t n = 2 + before_len + 4 + len;
	uint8_t *jpeg = malloc(n); /* of that size, so that sanitizers see */
	struct exif_turn turn;

	memcpy(jpeg, SOI, 2);
	memcpy(jpeg + 2, before, before_len);
	memcpy(jpeg + 2 + before_len, "\xff\xe1", 2);
	jpeg[4 + before_len] = (uint8_t)((len + 2) >> 8);
	jpeg[5 + before_len] = (uint8_t)(len + 2);
	memcpy(jpeg + 6 + before_len, app1, len);
	turn = exif_turn(span_of(jpeg, n));
	free(jpeg);
	return turn;
}

static const struct {
	bool mirror;
	unsigned quarters;
} turns[] = {
    {false, 0}, {true, 0},  {false, 2}, {true, 2},
    {true, 3},  {false, 1}, {true, 1},  {false, 3},
};

START_TEST(every_orientation)
{
	static const char others[] = "\xff\xe0\0\4ab\xff\xe1\0\6http";
	char little[] = EXIF LITTLE("\2") OTHER TURNED("\0") "\0\0\0\0";
	char big[] = EXIF BIG("\1") BTURNED("\0");
	struct exif_turn turn;

	little[6 + 8 + 2 + 12 + 8] = (char)(_i + 1);
	turn = turn_of("", 0, little, sizeof(little) - 1);
	ck_assert_int_eq(turn.mirror, turns[_i].mirror);
	ck_assert_uint_eq(turn.quarters, turns[_i].quarters);
	/* Behind an APP0 and another APP1. */
	turn = turn_of(others, sizeof(others) - 1, little, sizeof(little) - 1);
	ck_assert_uint_eq(turn.quarters, turns[_i].quarters);
	big[6 + 8 + 2 + 9] = (char)(_i + 1);
	turn = turn_of("", 0, big, sizeof(big) - 1);
	ck_assert_int_eq(turn.mirror, turns[_i].mirror);
	ck_assert_uint_eq(turn.quarters, turns[_i].quarters);
}
END_TEST

/* Nothing is turned, and nothing is read that is not there. */
static const struct {
	size_t len;
	const char *app1;
} hopeless[] = {
    {S("")},
    {S("Exif")},
    {S(EXIF)},
    {S(EXIF "I")},
    {S(EXIF "II")},
    {S(EXIF "XX*\0\x08\0\0\0\1\0" TURNED("\6"))},
    {S(EXIF "MI\0*\0\0\0\x08\0\1" BTURNED("\6"))},
    {S(EXIF "II+\0\x08\0\0\0\1\0" TURNED("\6"))},
    {S(EXIF "II*\0\xff\xff\xff\xff\1\0" TURNED("\6"))},
    {S(EXIF "II*\0\xfe\xff\xff\xff\1\0" TURNED("\6"))},
    {S(EXIF "II*\0\x80\0\0\0\1\0" TURNED("\6"))},
    {S(EXIF LITTLE("\0") TURNED("\6"))}, /* no entries */
    {S(EXIF LITTLE("\1") TURNED("\0"))}, /* 0, 9 and 256 are no orientations */
    {S(EXIF LITTLE("\1") TURNED("\x09"))},
    {S(EXIF LITTLE("\1") "\x12\1\3\0\1\0\0\0\0\1\0\0")},
    {S(EXIF LITTLE("\1") "\x12\1\4\0\1\0\0\0\6\0\0\0")}, /* a LONG */
    {S(EXIF LITTLE("\1") "\x12\1\3\0\2\0\0\0\6\0\0\0")}, /* two of them */
    {S(EXIF LITTLE("\2") OTHER "\x12\1\3\0\1\0\0\0\6")}, /* cut off */
    {S(EXIF "II*\0\x08\0\0\0\xff\xff" OTHER)},           /* fewer than it says */
    {S("exif\0\0" LITTLE("\1") TURNED("\6"))},
};

START_TEST(nothing_to_do)
{
	struct exif_turn turn = turn_of("", 0, hopeless[_i].app1, hopeless[_i].len);

	ck_assert(!turn.mirror);
	ck_assert_uint_eq(turn.quarters, 0);
}
END_TEST

START_TEST(not_in_a_jpeg)
{
	static const struct {
		size_t len;
		const char *bytes;
	} others[] = {
	    {S("")},
	    {S(SOI)},
	    {S("\xff\xe1\0\x1e" EXIF LITTLE("\1") TURNED("\6"))}, /* no SOI */
	    {S(SOI "\xff\xe1\0\x1f" EXIF LITTLE("\1")
		   TURNED("\6"))}, /* longer than all */
	    {S(SOI "\xff\xe1\0\1" EXIF LITTLE("\1") TURNED("\6"))},
	    /* Behind the beginning of the scans it is a part of the picture. */
	    {S(SOI "\xff\xda\0\2\xff\xe1\0\x1e" EXIF LITTLE("\1") TURNED("\6"))},
	};

	for (int i = 0; i < COUNT(others); i++)
		ck_assert_uint_eq(
		    exif_turn(span_of(others[i].bytes, others[i].len)).quarters, 0);
}
END_TEST

/* The first one counts. */
START_TEST(two_of_them)
{
	static const char first[] = "\xff\xe1\0\x1e" EXIF LITTLE("\1") TURNED("\3");
	static const char second[] = EXIF LITTLE("\1") TURNED("\6");

	ck_assert_uint_eq(
	    turn_of(first, sizeof(first) - 1, second, sizeof(second) - 1).quarters, 2);
	ck_assert_uint_eq(turn_of("", 0, second, sizeof(second) - 1).quarters, 1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("exif");
	TCase *tc = tcase_create("exif");

	tcase_add_loop_test(tc, every_orientation, 0, COUNT(turns));
	tcase_add_loop_test(tc, nothing_to_do, 0, COUNT(hopeless));
	tcase_add_test(tc, not_in_a_jpeg);
	tcase_add_test(tc, two_of_them);
	suite_add_tcase(suite, tc);
	return unit_main(suite);
}
