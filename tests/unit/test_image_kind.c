/* SPDX-License-Identifier: MIT
 *
 * Kinds of pictures by their first bytes: real ones, the shortest that count, one byte
 * less than that, and what only looks like one.
 */
#include "protocol/image_kind.h"

#include <string.h>

#include <gd.h>
#include <libdeflate.h>

#include "tests/unit/unit.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

/* ---- the shortest that count ---- */

/* bytes is a whole header, nothing behind it. */
struct sample {
	const char *what;
	enum image_kind kind;
	unsigned width, height;
	size_t len;
	const char *bytes;
};
#define S(text) sizeof(text) - 1, text

static const struct sample samples[] = {
    {"png, 1 x 1, grey", IMAGE_PNG, 1, 1,
     S("\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\1\0\0\0\1\x08\0\0\0\0\x3a\x7e\x9b\x55")},
    {"jpeg, baseline, grey", IMAGE_JPEG, 2, 3,
     S("\xff\xd8\xff\xc0\0\x0b\x08\0\3\0\2\1\1\x11\0")},
    {"jpeg behind others and fill bytes", IMAGE_JPEG, 65535, 1,
     S("\xff\xd8\xff\xe0\0\4ab\xff\xff\xff\xfe\0\2\xff\xc2\0\x11\x08\0\1\xff\xff\3"
       "\1\x11\0\2\x11\0\3\x11\0")},
    {"gif 87", IMAGE_GIF, 513, 2, S("GIF87a\1\2\2\0\0\0\0")},
    {"gif 89", IMAGE_GIF, 1, 1, S("GIF89a\1\0\1\0\0\0\0")},
    {"webp, lossy", IMAGE_WEBP, 0x0102, 0x3fff,
     S("RIFF\x1e\0\0\0WEBPVP8 \x12\0\0\0\x10\0\0\x9d\x01\x2a\x02\xc1\xff\x7f")},
    {"webp, lossless", IMAGE_WEBP, 16384, 1,
     S("RIFF\x16\0\0\0WEBPVP8L\x0a\0\0\0\x2f\xff\x3f\0\x10")},
    {"webp, extended", IMAGE_WEBP, 65535, 300,
     S("RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xfe\xff\0\x2b\1\0")},
};

START_TEST(test_shortest)
{
	const struct sample *s = &samples[_i];
	struct image_size size = {7, 7};
	char *more = malloc(s->len + 20);

	ck_assert_msg(image_kind_of(span_of(s->bytes, s->len), &size) == s->kind, "%s",
		      s->what);
	ck_assert_uint_eq(size.width, s->width);
	ck_assert_uint_eq(size.height, s->height);
	ck_assert_int_eq(image_kind_of(span_of(s->bytes, s->len), NULL), s->kind);
	/* What is behind the header does not matter. */
	memcpy(more, s->bytes, s->len);
	memset(more + s->len, 0xa5, 20);
	ck_assert_int_eq(image_kind_of(span_of(more, s->len + 20), NULL), s->kind);
	free(more);
}
END_TEST

/* Less than the header is none, wherever it was cut, and leaves size alone. */
START_TEST(test_cut_off)
{
	const struct sample *s = &samples[_i];
	struct image_size size = {7, 7};

	for (size_t n = 0; n < s->len; n++) {
		char *cut = malloc(n + 1); /* of that size, so that sanitizers see */

		cut = realloc(cut, n > 0 ? n : 1);
		memcpy(cut, s->bytes, n);
		ck_assert_msg(image_kind_of(span_of(cut, n), &size) == IMAGE_NONE,
			      "%s, %zu bytes", s->what, n);
		free(cut);
	}
	ck_assert_uint_eq(size.width, 7);
	ck_assert_uint_eq(size.height, 7);
}
END_TEST

/* ---- what only looks like one ---- */

/* A sample with one byte changed at a place. */
static const struct {
	int sample;
	size_t at;
	char value;
} spoilt[] = {
    {0, 0, 'x'},         {0, 4, '\n'},       {0, 11, 12},
    {0, 12, 'i'},        {0, 19, 0}, /* the width */
    {0, 24, 3},          {0, 25, 1},         {0, 26, 1},
    {0, 27, 1},          {0, 28, 2},         {0, 32, 0}, /* the CRC */
    {1, 1, 0},           {1, 3, 0x01},       {1, 5, 0x0c},
    {1, 6, 1},           {1, 6, 17},         {1, 8, 0},
    {1, 10, 0},          {1, 11, 0},         {1, 11, 2},
    {1, 3, (char)0xc4},  {1, 3, (char)0xda}, {1, 3, (char)0xd9},
    {1, 5, 1},           {2, 8, 'x'}, /* behind a segment stands no marker */
    {3, 4, '8'},         {3, 5, 'b'},        {3, 8, 0},
    {4, 6, 0},           {5, 0, 'r'},        {5, 8, 'w'},
    {5, 15, '8'},        {5, 20, 0x11}, /* no key frame */
    {5, 23, 0},          {5, 16, 9},    /* the chunk is too short */
    {6, 20, 0x2e},       {6, 24, 0x30}, /* version 1 */
    {7, 24, (char)0xff}, {7, 26, 1},    /* 65536, and more */
    {7, 16, 9},
};

START_TEST(test_spoilt)
{
	const struct sample *s = &samples[spoilt[_i].sample];
	char *bytes = malloc(s->len);

	memcpy(bytes, s->bytes, s->len);
	ck_assert_int_ne(bytes[spoilt[_i].at], spoilt[_i].value);
	bytes[spoilt[_i].at] = spoilt[_i].value;
	ck_assert_msg(image_kind_of(span_of(bytes, s->len), NULL) == IMAGE_NONE,
		      "%s, byte %zu", s->what, spoilt[_i].at);
	free(bytes);
}
END_TEST

/* With a CRC that is right for it, so that the rule itself is met. */
static const struct {
	const char *ihdr;
	bool good;
} headers[] = {
    {"\0\0\0\1\0\0\0\1\x08\0\0\0\0", true},
    {"\0\0\xff\xff\0\0\xff\xff\x08\6\0\0\1", true},
    {"\0\0\0\1\0\0\0\1\1\3\0\0\0", true},
    {"\0\0\0\1\0\0\0\1\x10\2\0\0\0", true},
    {"\0\0\0\0\0\0\0\1\x08\0\0\0\0", false},
    {"\0\0\0\1\0\0\0\0\x08\0\0\0\0", false},
    {"\0\1\0\0\0\0\0\1\x08\0\0\0\0", false},
    {"\x80\0\0\1\0\0\0\1\x08\0\0\0\0", false},
    {"\0\0\0\1\0\0\0\1\3\0\0\0\0", false},
    {"\0\0\0\1\0\0\0\1\4\2\0\0\0", false},
    {"\0\0\0\1\0\0\0\1\x10\3\0\0\0", false},
    {"\0\0\0\1\0\0\0\1\x08\1\0\0\0", false},
    {"\0\0\0\1\0\0\0\1\x08\5\0\0\0", false},
    {"\0\0\0\1\0\0\0\1\x08\7\0\0\0", false},
    {"\0\0\0\1\0\0\0\1\x08\0\1\0\0", false},
    {"\0\0\0\1\0\0\0\1\x08\0\0\1\0", false},
    {"\0\0\0\1\0\0\0\1\x08\0\0\0\2", false},
};

START_TEST(test_png_header)
{
	uint8_t png[33] = "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR";
	uint32_t crc;

	memcpy(png + 16, headers[_i].ihdr, 13);
	crc = libdeflate_crc32(0, png + 12, 17);
	for (int i = 0; i < 4; i++)
		png[29 + i] = (uint8_t)(crc >> (24 - 8 * i));
	ck_assert_int_eq(image_kind_of(span_of(png, sizeof(png)), NULL) == IMAGE_PNG,
			 headers[_i].good);
}
END_TEST

START_TEST(test_others)
{
	static const char *const others[] = {
	    "",
	    "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1\" height=\"1\"/>",
	    "<?xml version=\"1.0\"?><svg/>",
	    "BM\x3a",
	    "II*",
	    "%PDF-1.4",
	    "GIF89",
	    "GIF88a\1\1\1\1\1\1\1",
	    "RIFF\1\1\1\1WAVEfmt \1\1\1\1",
	    "<script>GIF89a</script>",
	    " GIF89a\1\1\1\1\1\1\1",
	};

	ck_assert_int_eq(image_kind_of(span_str(others[_i]), NULL), IMAGE_NONE);
}
END_TEST

/* Segments without end and markers without end take no longer than their bytes. */
START_TEST(test_long_jpeg)
{
	static uint8_t many[3 << 20];

	memset(many, 0xff, sizeof(many));
	many[1] = 0xd8;
	ck_assert_int_eq(image_kind_of(span_of(many, sizeof(many)), NULL), IMAGE_NONE);
	for (size_t i = 2; i + 4 <= sizeof(many); i += 4)
		memcpy(&many[i], "\xff\xe1\0\2", 4);
	ck_assert_int_eq(image_kind_of(span_of(many, sizeof(many)), NULL), IMAGE_NONE);
}
END_TEST

/* ---- real ones ---- */

START_TEST(test_real)
{
	gdImagePtr im = gdImageCreateTrueColor(37, 21);
	struct image_size size;
	void *p;
	int n;

	ck_assert_ptr_nonnull(im);
	gdImageFilledRectangle(im, 3, 3, 20, 12, gdTrueColor(200, 30, 90));
	gdImageInterlace(im, 1); /* a progressive JPEG */
	for (int kind = IMAGE_PNG; kind <= IMAGE_WEBP; kind++) {
		switch (kind) {
		case IMAGE_PNG: p = gdImagePngPtr(im, &n); break;
		case IMAGE_JPEG: p = gdImageJpegPtr(im, &n, 80); break;
		case IMAGE_GIF: p = gdImageGifPtr(im, &n); break;
		default: p = gdImageWebpPtrEx(im, &n, 80); break;
		}
		ck_assert_ptr_nonnull(p);
		ck_assert_int_eq(image_kind_of(span_of(p, (size_t)n), &size), kind);
		ck_assert_uint_eq(size.width, 37);
		ck_assert_uint_eq(size.height, 21);
		gdFree(p);
	}
	p = gdImageWebpPtrEx(im, &n, gdWebpLossless);
	ck_assert_int_eq(image_kind_of(span_of(p, (size_t)n), &size), IMAGE_WEBP);
	gdFree(p);
	gdImageDestroy(im);
}
END_TEST

START_TEST(test_names)
{
	static const char *const types[] = {"", "image/png", "image/jpeg", "image/gif",
					    "image/webp"};
	static const char *const extensions[] = {"", "png", "jpg", "gif", "webp"};

	for (int k = IMAGE_NONE; k <= IMAGE_WEBP; k++) {
		ck_assert_str_eq(image_type((enum image_kind)k), types[k]);
		ck_assert_str_eq(image_extension((enum image_kind)k), extensions[k]);
		ck_assert_int_eq(image_kind_of_type(types[k]), k);
	}
	ck_assert_int_eq(image_kind_of_type("image/svg+xml"), IMAGE_NONE);
	ck_assert_int_eq(image_kind_of_type("IMAGE/PNG"), IMAGE_NONE);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("image_kind");
	TCase *tc = tcase_create("image_kind");

	tcase_add_loop_test(tc, test_shortest, 0, COUNT(samples));
	tcase_add_loop_test(tc, test_cut_off, 0, COUNT(samples));
	tcase_add_loop_test(tc, test_spoilt, 0, COUNT(spoilt));
	tcase_add_loop_test(tc, test_png_header, 0, COUNT(headers));
	tcase_add_loop_test(tc, test_others, 0, 11);
	tcase_add_test(tc, test_long_jpeg);
	tcase_add_test(tc, test_real);
	tcase_add_test(tc, test_names);
	suite_add_tcase(suite, tc);
	return unit_main(suite);
}
