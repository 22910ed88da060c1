/* SPDX-License-Identifier: MIT
 *
 * Small pictures: what they look like, what gets none, and that they are made once.
 */
#include "tests/unit/core.h"

#include <gd.h>

#include "base/clock.h"
#include "server/board/upper.h"
#include "store/chats.h"
#include "store/media.h"
#include "tests/unit/tempdir.h"

#define COUNT(a)  ((int)(sizeof(a) / sizeof((a)[0])))
#define SOON_MS   20000
#define NOT_AGAIN "stays as it is"

static void
setup(void)
{
	struct store_options options = STORE_OPTIONS_DEFAULT;
	struct why why;

	tempdir_make();
	core_start();
	ck_assert_int_eq(store_open(at("d"), &options, &core.store, &why), Q_OK);
	ck_assert_int_eq(board_thumbs_start(&core), Q_OK);
}

static void
teardown(void)
{
	board_thumbs_stop();
	store_close(core.store);
	core_stop();
	tempdir_remove();
}

static uint64_t
keep(struct span content)
{
	struct media_info info = {.chat = 1};

	ck_assert_int_eq(media_add(core.store, &info, content), Q_OK);
	return info.id;
}

static enum qerr
small_of(uint64_t id, int64_t wait_ms, struct buf *out)
{
	return board_thumb_read(&core, id, clock_mono_ms() + wait_ms, out);
}

/* Left half red, right half see-through. */
static gdImagePtr
paint(int w, int h)
{
	gdImagePtr im = gdImageCreateTrueColor(w, h);

	ck_assert_ptr_nonnull(im);
	gdImageAlphaBlending(im, 0);
	gdImageSaveAlpha(im, 1);
	gdImageFilledRectangle(im, 0, 0, w - 1, h - 1,
			       gdTrueColorAlpha(0, 0, 0, gdAlphaTransparent));
	gdImageFilledRectangle(im, 0, 0, w / 2 - 1, h - 1, gdTrueColor(220, 20, 20));
	return im;
}

static const struct {
	int w, h, small_w, small_h;
} sizes[] = {
    {1000, 500, 160, 80}, {300, 3000, 16, 160}, {160, 160, 160, 160},
    {20, 10, 20, 10},     {4000, 2, 160, 1},    {1, 1, 1, 1},
};

START_TEST(sizes_and_colours)
{
	gdImagePtr im = paint(sizes[_i].w, sizes[_i].h), small;
	struct buf out = BUF_INIT(MEDIA_THUMB_MAX);
	int n, pixel;
	void *png = gdImagePngPtr(im, &n);

	ck_assert_int_eq(small_of(keep(span_of(png, (size_t)n)), SOON_MS, &out), Q_OK);
	small = gdImageCreateFromWebpPtr((int)out.len, out.p);
	ck_assert_ptr_nonnull(small);
	ck_assert_int_eq(gdImageSX(small), sizes[_i].small_w);
	ck_assert_int_eq(gdImageSY(small), sizes[_i].small_h);
	if (sizes[_i].small_w >= 16) {
		pixel = gdImageGetTrueColorPixel(small, 1, 0);
		ck_assert_int_gt(gdTrueColorGetRed(pixel), 160);
		ck_assert_int_lt(gdTrueColorGetGreen(pixel), 90);
		ck_assert_int_lt(gdTrueColorGetAlpha(pixel), 10);
		pixel = gdImageGetTrueColorPixel(small, sizes[_i].small_w - 2, 0);
		ck_assert_int_gt(gdTrueColorGetAlpha(pixel), 110);
	}
	gdImageDestroy(small);
	gdImageDestroy(im);
	gdFree(png);
	buf_free(&out);
}
END_TEST

START_TEST(every_kind)
{
	gdImagePtr im = paint(200, 100);
	struct buf out = BUF_INIT(MEDIA_THUMB_MAX);
	void *p;
	int n;

	switch (_i) {
	case 0: p = gdImageJpegPtr(im, &n, 80); break;
	case 1: p = gdImageGifPtr(im, &n); break;
	default: p = gdImageWebpPtrEx(im, &n, 80); break;
	}
	ck_assert_int_eq(small_of(keep(span_of(p, (size_t)n)), SOON_MS, &out), Q_OK);
	ck_assert_int_eq(image_kind_of(buf_span(&out), NULL), IMAGE_WEBP);
	gdFree(p);
	gdImageDestroy(im);
	buf_free(&out);
}
END_TEST

/* What cannot be decoded, or not at a bearable price. */
#define S(text) sizeof(text) - 1, text
static const struct {
	size_t len;
	const char *bytes;
} hopeless[] = {
    {S("no picture at all")},
    {S("GIF89a\1\0\1\0\0\0\0,")},
    /* A frame of 65535 x 65535 on a screen of 1 x 1, and a screen as large. */
    {S("GIF89a\1\0\1\0\0\0\0,"
       "\0\0\0\0\xff\xff\xff\xff\x80\0\0\0\xff\xff\xff\2\2\x44\1\0;")},
    {S("GIF89a\xff\xff\xff\xff\0\0\0,"
       "\0\0\0\0\xff\xff\xff\xff\x80\0\0\0\xff\xff\xff\2\2\x44"
       "\1\0;")},
    {S("RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xfe\xff\0\x2b\1\0")},
    {S("\xff\xd8\xff\xc0\0\x0b\x08\xff\xff\xff\xff\1\1\x11\0")},
    {S("\xff\xd8\xff\xc0\0\x0b\x08\0\3\0\2\1\1\x11\0")},
};

START_TEST(none_can_be_made)
{
	struct buf out = BUF_INIT(MEDIA_THUMB_MAX);
	uint64_t id = keep(span_of(hopeless[_i].bytes, hopeless[_i].len));

	ck_assert_int_eq(small_of(id, SOON_MS, &out), Q_MISSING);
	ck_assert_uint_eq(out.len, 0);
	/* That is remembered. */
	ck_assert_int_eq(media_thumb_read(core.store, id, &out), Q_OK);
	ck_assert_uint_eq(out.len, 0);
	buf_free(&out);
}
END_TEST

/* A photograph, 200 x 100, red in its upper left quarter, of a camera that was held so. */
static void
photograph(int orientation, struct buf *out)
{
	uint8_t exif[] = "\xff\xe1\0\x1e"
			 "Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\0\0\0";
	gdImagePtr im = gdImageCreateTrueColor(200, 100);
	uint8_t *p;
	int n;

	gdImageFilledRectangle(im, 0, 0, 99, 49, gdTrueColor(220, 20, 20));
	p = gdImageJpegPtr(im, &n, 90);
	exif[29] = (uint8_t)orientation;
	ck_assert_int_eq(buf_put(out, p, 2), Q_OK);
	ck_assert_int_eq(buf_put(out, exif, sizeof(exif) - 1), Q_OK);
	ck_assert_int_eq(buf_put(out, p + 2, (size_t)n - 2), Q_OK);
	gdFree(p);
	gdImageDestroy(im);
}

/* Where the red quarter is to be seen. */
static const struct {
	bool upright, right, below;
} seen[] = {
    {false, false, false}, {false, true, false}, {false, true, true},
    {false, false, true},  {true, false, false}, {true, true, false},
    {true, true, true},    {true, false, true},
};

START_TEST(the_right_way_up)
{
	struct buf jpeg = BUF_INIT(1 << 20), out = BUF_INIT(MEDIA_THUMB_MAX);
	gdImagePtr small;
	int w = seen[_i].upright ? 80 : 160, h = seen[_i].upright ? 160 : 80;

	photograph(_i + 1, &jpeg);
	ck_assert_int_eq(small_of(keep(buf_span(&jpeg)), SOON_MS, &out), Q_OK);
	small = gdImageCreateFromWebpPtr((int)out.len, out.p);
	ck_assert_ptr_nonnull(small);
	ck_assert_int_eq(gdImageSX(small), w);
	ck_assert_int_eq(gdImageSY(small), h);
	for (int corner = 0; corner < 4; corner++) {
		bool right = corner & 1, below = corner & 2;
		int pixel = gdImageGetTrueColorPixel(small, right ? w - 20 : 20,
						     below ? h - 20 : 20);

		ck_assert_int_eq(gdTrueColorGetRed(pixel) > 128,
				 right == seen[_i].right && below == seen[_i].below);
	}
	gdImageDestroy(small);
	buf_free(&jpeg);
	buf_free(&out);
}
END_TEST

/* As many scans as make a small file take minutes. */
START_TEST(a_jpeg_of_many_scans)
{
	gdImagePtr im = paint(64, 64);
	struct buf jpeg = BUF_INIT(1 << 20), out = BUF_INIT(MEDIA_THUMB_MAX);
	void *p;
	int n;

	gdImageInterlace(im, 1);
	p = gdImageJpegPtr(im, &n, 80);
	ck_assert_int_eq(buf_put(&jpeg, p, (size_t)n - 2), Q_OK); /* without its end */
	ck_assert_int_eq(small_of(keep(span_of(p, (size_t)n)), SOON_MS, &out), Q_OK);
	for (int i = 0; i < 101; i++)
		ck_assert_int_eq(buf_put(&jpeg, "\xff\xda\0\x08\1\1\0\0\0\0", 10), Q_OK);
	ck_assert_int_eq(buf_put(&jpeg, "\xff\xd9", 2), Q_OK);
	ck_assert_int_eq(image_kind_of(buf_span(&jpeg), NULL), IMAGE_JPEG);
	ck_assert_int_eq(small_of(keep(buf_span(&jpeg)), SOON_MS, &out), Q_MISSING);
	gdFree(p);
	gdImageDestroy(im);
	buf_free(&jpeg);
	buf_free(&out);
}
END_TEST

START_TEST(made_once)
{
	struct buf out = BUF_INIT(MEDIA_THUMB_MAX);
	uint64_t id = keep(span_str("GIF89a\1\1\1\1"));

	ck_assert_int_eq(media_thumb_add(core.store, id, span_str(NOT_AGAIN)), Q_OK);
	board_thumb_want(id);
	ck_assert_int_eq(small_of(id, SOON_MS, &out), Q_OK);
	ck_assert(span_eq(buf_span(&out), span_str(NOT_AGAIN)));
	buf_free(&out);
	/* Media that are gone have none, and nobody waits for them. */
	ck_assert_int_eq(small_of(777, SOON_MS, &out), Q_MISSING);
}
END_TEST

/* More than are remembered at once: nobody blocks, and whoever waits gets it in the end. */
START_TEST(many_at_once)
{
	gdImagePtr im = paint(30, 30);
	struct buf out = BUF_INIT(MEDIA_THUMB_MAX);
	enum { MANY = 300 };
	uint64_t last = 0;
	void *p;
	int n;

	p = gdImagePngPtr(im, &n);
	for (int i = 0; i < MANY; i++) {
		last = keep(span_of(p, (size_t)n));
		board_thumb_want(last);
	}
	CORE_AWAIT((out.len = 0, small_of(last, 1000, &out)) == Q_OK);
	gdFree(p);
	gdImageDestroy(im);
	buf_free(&out);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("thumbs");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, sizes_and_colours, 0, COUNT(sizes));
	tcase_add_loop_test(t, every_kind, 0, 3);
	tcase_add_loop_test(t, the_right_way_up, 0, COUNT(seen));
	tcase_add_loop_test(t, none_can_be_made, 0, COUNT(hopeless));
	tcase_add_test(t, a_jpeg_of_many_scans);
	tcase_add_test(t, made_once);
	tcase_add_test(t, many_at_once);
	suite_add_tcase(suite, t);
	return unit_main(suite);
}
