/* SPDX-License-Identifier: MIT
 *
 * The picture is shrunk to the terminal's width; a dot is ink when it is clearly darker
 * than the paper around it.  How dark "clearly" is follows from the picture itself (Otsu,
 * 1979), and specks, which shrinking has made pale, stay below it.
 */
#include "client/captcha_text.h"

#include <stdlib.h>
#include <string.h>

#include <gd.h>

#define SIDE_MAX 1000 /* pixels; a captcha has 240 x 80 */
#define DOTS_MAX CAPTCHA_TEXT_COLUMNS
#define LEVELS   256

struct dots {
	int columns, rows;
	uint8_t dark[DOTS_MAX * DOTS_MAX]; /* 0 paper, 255 black */
};

/* The mean darkness of the pixels that a dot stands for. */
static uint8_t
darkness(gdImagePtr image, int x0, int y0, int x1, int y1)
{
	long sum = 0, n = 0;

	for (int y = y0; y < y1; y++)
		for (int x = x0; x < x1; x++) {
			int c = gdImageGetPixel(image, x, y);

			sum += 255 - (299 * gdImageRed(image, c) +
				      587 * gdImageGreen(image, c) +
				      114 * gdImageBlue(image, c)) /
					 1000;
			n++;
		}
	return n > 0 ? (uint8_t)(sum / n) : 0;
}

static void
shrink(gdImagePtr image, struct dots *d)
{
	int w = gdImageSX(image), h = gdImageSY(image);

	d->columns = w < DOTS_MAX ? w : DOTS_MAX;
	d->rows = h * d->columns / w;
	if (d->rows > DOTS_MAX)
		d->rows = DOTS_MAX;
	for (int r = 0; r < d->rows; r++)
		for (int c = 0; c < d->columns; c++)
			d->dark[r * d->columns + c] =
			    darkness(image, c * w / d->columns, r * h / d->rows,
				     (c + 1) * w / d->columns, (r + 1) * h / d->rows);
}

/* Otsu's threshold: the one that parts ink and paper best. */
static int
threshold(const struct dots *d)
{
	long count[LEVELS] = {0}, all = (long)d->rows * d->columns;
	double total = 0, below = 0, best = -1;
	long n = 0;
	int at = 128;

	for (long i = 0; i < all; i++)
		count[d->dark[i]]++;
	for (int i = 0; i < LEVELS; i++)
		total += (double)i * (double)count[i];
	for (int i = 0; i < LEVELS; i++) {
		double apart, a, b;

		n += count[i];
		below += (double)i * (double)count[i];
		if (n == 0 || n == all)
			continue;
		a = below / (double)n;
		b = (total - below) / (double)(all - n);
		apart = (double)n * (double)(all - n) * (b - a) * (b - a);
		if (apart > best) {
			best = apart;
			at = i;
		}
	}
	return at;
}

static bool
ink(const struct dots *d, int row, int column, int limit)
{
	return row < d->rows && d->dark[row * d->columns + column] > limit;
}

static enum qerr
put(const struct dots *d, struct buf *out)
{
	static const char *const blocks[] = {" ", "\xe2\x96\x80", "\xe2\x96\x84",
					     "\xe2\x96\x88"};
	int limit = threshold(d);
	enum qerr e = Q_OK;

	for (int r = 0; r < d->rows && e == Q_OK; r += 2) {
		for (int c = 0; c < d->columns && e == Q_OK; c++)
			e = buf_put_str(
			    out,
			    blocks[ink(d, r, c, limit) + 2 * ink(d, r + 1, c, limit)]);
		if (e == Q_OK)
			e = buf_put_u8(out, '\n');
	}
	return e;
}

/* Width and height stand in the first chunk (PNG, section 11.2.2): no picture is
 * unpacked before its size is known. */
static bool
plausible(struct span png)
{
	static const uint8_t magic[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
	uint32_t side[2];

	if (png.len < 33 || memcmp(png.p, magic, sizeof(magic)) != 0 ||
	    memcmp(png.p + 12, "IHDR", 4) != 0)
		return false;
	for (int i = 0; i < 2; i++) {
		const uint8_t *p = png.p + 16 + 4 * i;

		side[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
			  (uint32_t)p[2] << 8 | p[3];
	}
	return side[0] > 0 && side[0] <= SIDE_MAX && side[1] > 0 && side[1] <= SIDE_MAX;
}

enum qerr
captcha_text(struct span png, struct buf *out)
{
	struct buf copy = BUF_INIT(1024 * 1024);
	gdImagePtr image = NULL;
	struct dots *d = NULL;
	size_t before = out->len;
	enum qerr e;

	if (!plausible(png))
		return Q_FORMAT;
	/* libgd wants memory that it may write to. */
	if ((e = buf_put_span(&copy, png)) == Q_OK &&
	    (image = gdImageCreateFromPngPtr((int)copy.len, copy.p)) == NULL)
		e = Q_FORMAT;
	if (e == Q_OK && (d = calloc(1, sizeof(*d))) == NULL)
		e = Q_NOMEM;
	if (e == Q_OK) {
		shrink(image, d);
		e = put(d, out);
	}
	if (e != Q_OK)
		out->len = before;
	free(d);
	if (image != NULL)
		gdImageDestroy(image);
	buf_free(&copy);
	return e;
}
