/* SPDX-License-Identifier: MIT */
#include "client/glyph.h"

#include <string.h>

#include <utf8proc.h>

#include "base/text.h"

#define ZWJ    0x200d
#define VS16   0xfe0f /* emoji presentation */
#define KEYCAP 0x20e3
#define CIRCLE "\xe2\x97\x8c" /* dotted circle: carries a mark that has no base */

static bool
regional(utf8proc_int32_t cp)
{
	return cp >= 0x1f1e6 && cp <= 0x1f1ff;
}

static bool
pictograph(utf8proc_int32_t cp)
{
	return utf8proc_get_property(cp)->boundclass ==
		   UTF8PROC_BOUNDCLASS_EXTENDED_PICTOGRAPHIC ||
	       (cp >= 0x1f3fb && cp <= 0x1f3ff); /* skin tones */
}

/* The columns of one character within a cluster.  Vowels and finals of Hangul share
 * the two of what they follow; marks that take space do so in most terminals. */
static int
columns_of(utf8proc_int32_t cp)
{
	if ((cp >= 0x1160 && cp <= 0x11ff) || (cp >= 0xd7b0 && cp <= 0xd7ff))
		return 0;
	if (utf8proc_category(cp) == UTF8PROC_CATEGORY_MC)
		return 1;
	return utf8proc_charwidth(cp);
}

/* What has no place in a line of text, or would turn it round: base/text.h decides. */
static bool
escape(struct span one, struct glyph *g)
{
	char shown[16];
	size_t len = text_visible(one, shown, sizeof(shown));

	if (len == one.len && memcmp(shown, one.p, len) == 0)
		return false;
	g->kind = GLYPH_ESCAPE;
	memcpy(g->text, shown, len);
	g->len = len;
	g->columns = (int)len;
	g->used = one.len;
	return true;
}

static bool
control(struct span s, struct glyph *g)
{
	bool crlf = s.len > 1 && s.p[0] == '\r' && s.p[1] == '\n';

	if (s.p[0] == '\t')
		*g = (struct glyph){.kind = GLYPH_TAB, .used = 1, .columns = 1};
	else if (s.p[0] == '\n' || crlf)
		*g = (struct glyph){.kind = GLYPH_NEWLINE, .used = crlf ? 2 : 1};
	else
		return false;
	return true;
}

struct cluster {
	utf8proc_int32_t first;
	size_t len, shown, points;
	int sum;    /* of the columns of its characters */
	bool emoji; /* a sequence that is drawn as one */
	bool unsure;
};

/* Does a further character belong to it?  Takes it in. */
static bool
extend(struct cluster *c, utf8proc_int32_t before, utf8proc_int32_t cp, size_t n,
       utf8proc_int32_t *state)
{
	int width = columns_of(cp);

	if (utf8proc_grapheme_break_stateful(before, cp, state))
		return false;
	if (cp == VS16 || cp == ZWJ || cp == KEYCAP || regional(cp) || pictograph(cp)) {
		c->emoji = c->emoji || cp == KEYCAP || pictograph(c->first) ||
			   (cp == VS16 && c->first < 0x80) || regional(cp);
		c->unsure = true;
	}
	if (width > 0)
		c->unsure = true;
	c->sum += width;
	c->len += n;
	if (c->len <= GLYPH_SIZE - sizeof(CIRCLE))
		c->shown = c->len;
	c->points++;
	return true;
}

static void
read_cluster(struct span s, utf8proc_int32_t first, size_t first_len, struct cluster *c)
{
	utf8proc_int32_t before = first, cp, state = 0;
	char shown[16];

	*c = (struct cluster){.first = first,
			      .len = first_len,
			      .shown = first_len,
			      .points = 1,
			      .sum = columns_of(first),
			      .emoji = regional(first)};
	switch (utf8proc_category(first)) {
	case UTF8PROC_CATEGORY_CO: /* private use, or unknown to us: nobody knows */
	case UTF8PROC_CATEGORY_CN:
	case UTF8PROC_CATEGORY_CF: c->unsure = true; break;
	default: c->unsure = c->emoji; break;
	}
	while (c->len < s.len) {
		utf8proc_ssize_t n = utf8proc_iterate(
		    s.p + c->len, (utf8proc_ssize_t)(s.len - c->len), &cp);

		/* What must be shown as an escape ends it. */
		if (n <= 0 ||
		    text_visible(span_of(s.p + c->len, (size_t)n), shown,
				 sizeof(shown)) != (size_t)n ||
		    !extend(c, before, cp, (size_t)n, &state))
			break;
		before = cp;
	}
}

void
glyph_next(struct span s, struct glyph *g)
{
	utf8proc_int32_t cp;
	utf8proc_ssize_t n;
	struct cluster c;

	if (s.p[0] >= 0x20 && s.p[0] < 0x7f && (s.len == 1 || s.p[1] < 0x80)) {
		*g = (struct glyph){.used = 1, .len = 1, .columns = 1};
		g->text[0] = (char)s.p[0];
		return;
	}
	*g = (struct glyph){.kind = GLYPH_SHOWN};
	if (control(s, g))
		return;
	n = utf8proc_iterate(s.p, (utf8proc_ssize_t)s.len, &cp);
	if (escape(span_of(s.p, n > 0 ? (size_t)n : 1), g))
		return;
	read_cluster(s, cp, (size_t)n, &c);
	g->used = c.len;
	g->columns = c.emoji ? 2 : c.sum;
	g->unsure = c.unsure;
	if (c.sum == 0 && !c.emoji) {
		utf8proc_category_t k = utf8proc_category(cp);

		if (k != UTF8PROC_CATEGORY_MN && k != UTF8PROC_CATEGORY_ME)
			return; /* seen by nobody */
		memcpy(g->text, CIRCLE, sizeof(CIRCLE) - 1);
		g->len = sizeof(CIRCLE) - 1;
		g->columns = 1;
		g->unsure = true;
	}
	memcpy(g->text + g->len, s.p, c.shown);
	g->len += c.shown;
}

int
glyph_columns(struct span s)
{
	struct glyph g;
	int columns = 0;

	for (; s.len > 0; s = span_of(s.p + g.used, s.len - g.used)) {
		glyph_next(s, &g);
		columns += g.columns;
	}
	return columns;
}

size_t
glyph_fit(struct span s, int columns)
{
	size_t pos = 0;
	struct glyph g;

	while (pos < s.len) {
		glyph_next(span_of(s.p + pos, s.len - pos), &g);
		if (g.columns > columns)
			break;
		columns -= g.columns;
		pos += g.used;
	}
	return pos;
}

/* Clusters can be told only from their beginning; lines are short. */
size_t
glyph_before(struct span s, size_t pos)
{
	size_t at = 0, before = 0;
	struct glyph g;

	while (at < pos) {
		before = at;
		glyph_next(span_of(s.p + at, s.len - at), &g);
		at += g.used;
	}
	return before;
}
