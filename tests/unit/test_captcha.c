/* SPDX-License-Identifier: MIT
 *
 * The picture as a PNG that libgd reads again, and what its chunks say.  That a person
 * can read it is for a person to say.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include <gd.h>
#include <libdeflate.h>

#include "server/captcha.h"

static uint32_t
be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

struct seen {
	int texts, idats;
	bool text_after_idat;
	char text[64]; /* of the first tEXt, its NUL as '=' */
};

/* Walk over the chunks, whose lengths and checksums must be right. */
static struct seen
walk(struct span png)
{
	struct seen s = {0};
	size_t at = 8;

	ck_assert(png.len > 8 && memcmp(png.p, "\x89PNG\r\n\x1a\n", 8) == 0);
	while (at < png.len) {
		uint32_t len = be32(png.p + at);
		const uint8_t *type = png.p + at + 4;

		ck_assert_uint_le(len, png.len - at - 12);
		ck_assert_uint_eq(libdeflate_crc32(0, type, 4 + len),
				  be32(type + 4 + len));
		if (memcmp(type, "tEXt", 4) == 0) {
			s.texts++;
			s.text_after_idat = s.idats > 0;
			ck_assert_uint_lt(len, sizeof(s.text));
			memcpy(s.text, type + 4, len);
			*(char *)memchr(s.text, 0, sizeof(s.text)) = '=';
		}
		s.idats += memcmp(type, "IDAT", 4) == 0;
		at += 12 + len;
	}
	ck_assert_int_ge(s.idats, 1);
	return s;
}

static void
draws(const char *digits, enum captcha_mode mode, struct buf *png)
{
	png->len = 0;
	ck_assert_int_eq(captcha_draw(digits, mode, png), Q_OK);
}

START_TEST(secret_has_no_text)
{
	struct buf png = BUF_INIT(CAPTCHA_PNG_MAX);

	draws("012345", CAPTCHA_SECRET, &png);
	ck_assert_int_eq(walk(buf_span(&png)).texts, 0);
	ck_assert_ptr_null(memmem(png.p, png.len, "012345", 6));
	buf_free(&png);
}
END_TEST

START_TEST(told_has_the_digits_before_idat)
{
	struct buf png = BUF_INIT(CAPTCHA_PNG_MAX);
	struct seen s;

	draws("987650", CAPTCHA_TOLD, &png);
	s = walk(buf_span(&png));
	ck_assert_int_eq(s.texts, 1);
	ck_assert(!s.text_after_idat);
	ck_assert_str_eq(s.text, "quintet-captcha=987650");
	buf_free(&png);
}
END_TEST

/* A picture with ink in it, not twice the same, and small. */
START_TEST(pictures)
{
	struct buf a = BUF_INIT(CAPTCHA_PNG_MAX), b = BUF_INIT(CAPTCHA_PNG_MAX);
	char digits[CAPTCHA_SIZE];

	for (int d = 0; d < 10; d++) {
		gdImagePtr image;
		int dark = 0;

		snprintf(digits, sizeof(digits), "%06d", d * 111111);
		draws(digits, d % 2 == 0 ? CAPTCHA_TOLD : CAPTCHA_SECRET, &a);
		draws(digits, d % 2 == 0 ? CAPTCHA_TOLD : CAPTCHA_SECRET, &b);
		ck_assert(!span_eq(buf_span(&a), buf_span(&b)));
		ck_assert_uint_lt(a.len, 6000);
		image = gdImageCreateFromPngPtr((int)a.len, a.p);
		ck_assert_ptr_nonnull(image);
		for (int y = 0; y < gdImageSY(image); y++)
			for (int x = 0; x < gdImageSX(image); x++) {
				int c = gdImageGetPixel(image, x, y);

				dark += gdImageRed(image, c) < 128;
			}
		ck_assert_int_gt(dark, 1200);
		ck_assert_int_lt(dark, gdImageSX(image) * gdImageSY(image) / 2);
		gdImageDestroy(image);
	}
	buf_free(&a);
	buf_free(&b);
}
END_TEST

START_TEST(no_room)
{
	struct buf png = BUF_INIT(500);

	ck_assert_int_eq(buf_put_u8(&png, 'x'), Q_OK);
	ck_assert_int_eq(captcha_draw("123456", CAPTCHA_TOLD, &png), Q_LIMIT);
	ck_assert_int_eq(captcha_draw("123456", CAPTCHA_SECRET, &png), Q_LIMIT);
	ck_assert_uint_eq(png.len, 1);
	buf_free(&png);
}
END_TEST

/* 6,000 digits: each of the ten some 600 times; 400 and 800 are nine standard
 * deviations away. */
START_TEST(chosen_at_random)
{
	int count[10] = {0};
	char digits[CAPTCHA_SIZE];

	for (int i = 0; i < 1000; i++) {
		captcha_choose(digits);
		ck_assert_uint_eq(strspn(digits, "0123456789"), CAPTCHA_LEN);
		ck_assert_uint_eq(strlen(digits), CAPTCHA_LEN);
		for (int k = 0; k < CAPTCHA_LEN; k++)
			count[digits[k] - '0']++;
	}
	for (int d = 0; d < 10; d++) {
		ck_assert_int_gt(count[d], 400);
		ck_assert_int_lt(count[d], 800);
	}
}
END_TEST

START_TEST(answers)
{
	ck_assert(captcha_fits("012345", span_str("012345")));
	ck_assert(!captcha_fits("012345", span_str("012346")));
	ck_assert(!captcha_fits("012345", span_str("112345")));
	ck_assert(!captcha_fits("012345", span_str("12345")));
	ck_assert(!captcha_fits("012345", span_str("0123456")));
	ck_assert(!captcha_fits("012345", span_str(" 012345")));
	ck_assert(!captcha_fits("012345", span_of(NULL, 0)));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("captcha");
	TCase *c = tcase_create("captcha");

	tcase_add_test(c, secret_has_no_text);
	tcase_add_test(c, told_has_the_digits_before_idat);
	tcase_add_test(c, pictures);
	tcase_add_test(c, no_room);
	tcase_add_test(c, chosen_at_random);
	tcase_add_test(c, answers);
	suite_add_tcase(suite, c);
	return unit_main(suite);
}
