/* SPDX-License-Identifier: MIT
 *
 * DESIGN.  A font from disk would be one more thing to install and to find, and bitmap
 * fonts look poor when they are bent.  So digits are strokes (lines and arcs of
 * ellipses in a unit square) that are bent as points and drawn with a round brush: they
 * stay smooth whatever is done to them.  Each digit is turned, leant, scaled and moved
 * by chance, then two waves bend the whole picture; thin arcs in the digits' own colour
 * run across them, and specks lie over everything, so that neither cutting between
 * digits nor counting colours reads the number.
 *
 * The digits come from the kernel's randomness; the decoration from a small generator
 * that is seeded from there, since nothing hangs on it.
 */
#include "server/captcha.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <gd.h>
#include <libdeflate.h>

#include "crypto/random.h"

#define WIDTH   240
#define HEIGHT  80
#define MARGIN  14.0
#define CELL    ((WIDTH - 2 * MARGIN) / CAPTCHA_LEN)
#define GLYPH_W 26.0
#define GLYPH_H 47.0
#define SPECKS  420
#define ARCS    3
#define PI      3.14159265358979323846

/* ---- the digits as strokes in a square of side 1, y downwards ----
 *
 * rx > 0: an arc of an ellipse around x, y from one angle to the other, in degrees
 * clockwise from the right.  rx == 0: a line from x, y to a, b. */
struct stroke {
	double x, y, rx, ry, a, b;
};
#define LINE(x0, y0, x1, y1)         \
	{                            \
		x0, y0, 0, 0, x1, y1 \
	}
#define ARC(cx, cy, rx, ry, from, to)    \
	{                                \
		cx, cy, rx, ry, from, to \
	}
#define STROKES 4

/* clang-format off */
static const struct stroke digits_of[10][STROKES] = {
	{ARC(.50, .50, .42, .50, 0, 360)},
	{LINE(.22, .24, .54, 0), LINE(.54, 0, .54, 1), LINE(.24, 1, .84, 1)},
	{ARC(.50, .30, .40, .30, 180, 398), LINE(.82, .48, .08, 1), LINE(.08, 1, .94, 1)},
	{ARC(.46, .26, .36, .26, 200, 450), ARC(.46, .75, .42, .25, 270, 520)},
	{LINE(.70, 1, .70, 0), LINE(.70, 0, .06, .68), LINE(.06, .68, .98, .68)},
	{LINE(.86, 0, .22, 0), LINE(.22, 0, .18, .46), ARC(.48, .69, .42, .31, 225, 500)},
	{ARC(.50, .68, .40, .32, 0, 360), ARC(.80, .68, .70, .68, 180, 262)},
	{LINE(.06, 0, .94, 0), LINE(.94, 0, .36, 1), LINE(.40, .52, .84, .52)},
	{ARC(.50, .25, .34, .25, 0, 360), ARC(.50, .75, .42, .25, 0, 360)},
	{ARC(.50, .32, .40, .32, 0, 360), ARC(.20, .32, .70, .68, 0, 82)},
};
/* clang-format on */

/* ---- chance ---- */

/* xorshift64* (Vigna, 2016). */
static double
chance(uint64_t *state, double from, double to)
{
	uint64_t s = *state;

	s ^= s >> 12;
	s ^= s << 25;
	s ^= s >> 27;
	*state = s;
	s *= UINT64_C(2685821657736338717);
	return from + (to - from) * (double)(s >> 11) / 9007199254740992.0;
}

void
captcha_choose(char digits[CAPTCHA_SIZE])
{
	uint32_t n;

	do /* each number equally often */
		n = random_u32();
	while (n >= UINT32_MAX / 1000000 * 1000000);
	snprintf(digits, CAPTCHA_SIZE, "%06u", n % 1000000);
}

/* ---- drawing ---- */

struct painter {
	gdImagePtr image;
	int paper, ink[3];
	uint64_t dice;
	double phase_x, phase_y, wave_x, wave_y; /* of the two waves */
};

/* How one digit stands. */
struct pose {
	double cx, cy, w, h, turn, lean, brush;
	int ink;
};

static void
dot(struct painter *p, double x, double y, double size, int colour)
{
	double bent_x = x + 3.5 * sin(y * p->wave_y + p->phase_y);
	double bent_y = y + 4.5 * sin(x * p->wave_x + p->phase_x);
	int d = (int)lround(size);

	gdImageFilledEllipse(p->image, (int)lround(bent_x), (int)lround(bent_y), d, d,
			     colour);
}

/* A point of the unit square, as the digit stands. */
static void
dot_of(struct painter *p, const struct pose *o, double x, double y)
{
	double gx = (x - .5) * o->w + (.5 - y) * o->h * o->lean, gy = (y - .5) * o->h;
	double c = cos(o->turn), s = sin(o->turn);

	dot(p, o->cx + gx * c - gy * s, o->cy + gx * s + gy * c, o->brush, o->ink);
}

static void
draw_stroke(struct painter *p, const struct pose *o, const struct stroke *s)
{
	const int steps = 64;

	for (int i = 0; i <= steps; i++) {
		double t = (double)i / steps;

		if (s->rx > 0) {
			double angle = (s->a + (s->b - s->a) * t) * PI / 180;

			dot_of(p, o, s->x + s->rx * cos(angle),
			       s->y + s->ry * sin(angle));
		} else {
			dot_of(p, o, s->x + (s->a - s->x) * t, s->y + (s->b - s->y) * t);
		}
	}
}

static void
draw_digit(struct painter *p, int place, char digit)
{
	const struct stroke *strokes = digits_of[digit - '0'];
	struct pose o = {
	    .cx = MARGIN + CELL * (place + .5) + chance(&p->dice, -3, 3),
	    .cy = HEIGHT / 2.0 + chance(&p->dice, -6, 6),
	    .w = GLYPH_W * chance(&p->dice, .85, 1.1),
	    .h = GLYPH_H * chance(&p->dice, .85, 1.1),
	    .turn = chance(&p->dice, -.26, .26),
	    .lean = chance(&p->dice, -.18, .18),
	    .brush = chance(&p->dice, 3.6, 5.4),
	    .ink = p->ink[(int)chance(&p->dice, 0, 3)],
	};

	for (int i = 0; i < STROKES; i++)
		if (strokes[i].rx > 0 || strokes[i].a != 0 || strokes[i].b != 0)
			draw_stroke(p, &o, &strokes[i]);
}

/* A thin arc from the left edge to the right one. */
static void
draw_arc(struct painter *p)
{
	double from = chance(&p->dice, 8, HEIGHT - 8),
	       to = chance(&p->dice, 8, HEIGHT - 8);
	double belly = chance(&p->dice, -30, 30);
	int ink = p->ink[(int)chance(&p->dice, 0, 3)];

	for (int x = 0; x < 2 * WIDTH; x++) {
		double t = x / (2.0 * WIDTH);

		dot(p, x / 2.0, from + (to - from) * t + belly * sin(t * PI), 1.4, ink);
	}
}

static void
draw_specks(struct painter *p)
{
	for (int i = 0; i < SPECKS; i++) {
		int x = (int)chance(&p->dice, 0, WIDTH),
		    y = (int)chance(&p->dice, 0, HEIGHT);
		int colour = i % 3 == 0 ? p->paper : p->ink[i % 3];

		gdImageSetPixel(p->image, x, y, colour);
		if (i % 2 == 0)
			gdImageSetPixel(p->image, x + 1, y, colour);
	}
}

static gdImagePtr
draw(const char *digits)
{
	struct painter p = {.image = gdImageCreate(WIDTH, HEIGHT)};
	double light;

	if (p.image == NULL)
		return NULL;
	random_bytes(&p.dice, sizeof(p.dice));
	p.dice |= 1; /* never 0, from which it would not move */
	light = chance(&p.dice, 228, 250);
	p.paper = gdImageColorAllocate(p.image, (int)light, (int)light, 240);
	for (int i = 0; i < 3; i++)
		p.ink[i] = gdImageColorAllocate(p.image, (int)chance(&p.dice, 10, 100),
						(int)chance(&p.dice, 10, 100),
						(int)chance(&p.dice, 60, 130));
	p.phase_x = chance(&p.dice, 0, 2 * PI);
	p.phase_y = chance(&p.dice, 0, 2 * PI);
	p.wave_x = chance(&p.dice, .035, .06);
	p.wave_y = chance(&p.dice, .06, .1);
	for (int i = 0; i < CAPTCHA_LEN; i++)
		draw_digit(&p, i, digits[i]);
	for (int i = 0; i < ARCS; i++)
		draw_arc(&p);
	draw_specks(&p);
	return p.image;
}

/* ---- the PNG ----
 *
 * A chunk is length | type | data | CRC-32 of type and data, numbers big-endian
 * (RFC 2083 section 3.2). */

#define PNG_SIGNATURE 8
#define CHUNK_FRAME   12 /* length, type, CRC */

static uint32_t
be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void
put_be32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* Where the first IDAT begins; png is libgd's, but it is walked with care anyway. */
static enum qerr
find_idat(struct span png, size_t *at)
{
	struct reader in = reader_of(png);
	struct span head, skipped;

	if (reader_take(&in, PNG_SIGNATURE, &skipped) != Q_OK)
		return Q_FORMAT;
	while (in.left >= CHUNK_FRAME) {
		size_t here = png.len - in.left;

		(void)reader_take(&in, 8, &head);
		if (memcmp(head.p + 4, "IDAT", 4) == 0) {
			*at = here;
			return Q_OK;
		}
		if (reader_take(&in, be32(head.p), &skipped) != Q_OK ||
		    reader_take(&in, 4, &skipped) != Q_OK)
			return Q_FORMAT;
	}
	return Q_FORMAT;
}

/* keyword, NUL, text. */
static enum qerr
put_text_chunk(struct buf *out, const char *digits)
{
	uint8_t chunk[CHUNK_FRAME + sizeof(CAPTCHA_KEYWORD) + CAPTCHA_LEN];
	const uint32_t len = sizeof(chunk) - CHUNK_FRAME;

	put_be32(chunk, len);
	memcpy(chunk + 4, "tEXt", 4);
	memcpy(chunk + 8, CAPTCHA_KEYWORD, sizeof(CAPTCHA_KEYWORD));
	memcpy(chunk + 8 + sizeof(CAPTCHA_KEYWORD), digits, CAPTCHA_LEN);
	put_be32(chunk + 8 + len, libdeflate_crc32(0, chunk + 4, 4 + len));
	return buf_put(out, chunk, sizeof(chunk));
}

static enum qerr
append(struct span png, const char *digits, enum captcha_mode mode, struct buf *out)
{
	size_t before = out->len, idat;
	enum qerr e;

	if (mode == CAPTCHA_SECRET)
		return buf_put_span(out, png);
	if ((e = find_idat(png, &idat)) != Q_OK)
		return e;
	e = buf_put(out, png.p, idat);
	if (e == Q_OK)
		e = put_text_chunk(out, digits);
	if (e == Q_OK)
		e = buf_put(out, png.p + idat, png.len - idat);
	if (e != Q_OK)
		out->len = before;
	return e;
}

/* libgd's own way is to write to stderr, which is the log. */
static void
hush(int priority, const char *format, va_list args)
{
	(void)priority;
	(void)format;
	(void)args;
}

static void
hush_libgd(void)
{
	gdSetErrorMethod(hush);
}

enum qerr
captcha_draw(const char digits[CAPTCHA_SIZE], enum captcha_mode mode, struct buf *png)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	gdImagePtr image;
	void *bytes = NULL;
	int size = 0;
	enum qerr e = Q_NOMEM;

	assert(strspn(digits, "0123456789") == CAPTCHA_LEN);
	(void)pthread_once(&once, hush_libgd);
	if ((image = draw(digits)) != NULL)
		bytes = gdImagePngPtr(image, &size);
	if (bytes != NULL && size > 0)
		e = append(span_of(bytes, (size_t)size), digits, mode, png);
	gdFree(bytes);
	if (image != NULL)
		gdImageDestroy(image);
	return e;
}

bool
captcha_fits(const char digits[CAPTCHA_SIZE], struct span answer)
{
	return answer.len == CAPTCHA_LEN && secret_eq(digits, answer.p, CAPTCHA_LEN);
}
