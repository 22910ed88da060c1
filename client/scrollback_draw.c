/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <time.h>

#include "client/scrollback_inner.h"

#define TIME_COLUMNS 6 /* "12:34 " */
#define BAR_COLUMNS  2 /* "| " */

unsigned
scrollback_colour(const char *name)
{
	/* All that can be read on black and on white, without red, which is trouble. */
	static const uint8_t colours[] = {2, 3, 4, 5, 6, 10, 12, 13, 14};
	char folded[NAME_SIZE];
	uint32_t hash = 2166136261u; /* FNV-1a */

	name_fold(name, folded);
	for (const char *p = folded; *p != '\0'; p++)
		hash = (hash ^ (uint8_t)*p) * 16777619u;
	hash ^= hash >> 15; /* its lowest bits alone say little */
	return colours[hash % sizeof(colours)];
}

/* ---- wrapping ---- */

/* Where the texts of a line begin: on its first row, and on the others. */
static void
indents(const struct scrollback_line *l, int width, int *first, int *others)
{
	int label = l->name[0] != '\0' ? (int)strlen(l->name) + 3 : 2;

	*first = TIME_COLUMNS + label;
	*others = TIME_COLUMNS + BAR_COLUMNS;
	/* A narrow window: the name has the row for itself. */
	if (*first > width / 2 && *first > *others)
		*first = width;
}

/* The bytes of a row of so many columns; *skip are left out behind it.  Where a newline
 * does not break the line it is shown as four columns. */
static size_t
fit_row(struct span s, int columns, bool breaks, size_t *skip)
{
	size_t pos = 0, space = 0;
	int used = 0, n;
	struct glyph g;

	*skip = 0;
	while (pos < s.len) {
		glyph_next(span_of(s.p + pos, s.len - pos), &g);
		if (g.kind == GLYPH_NEWLINE && breaks) {
			*skip = g.used;
			return pos;
		}
		n = g.kind == GLYPH_TAB       ? 8 - used % 8
		    : g.kind == GLYPH_NEWLINE ? 4
					      : g.columns;
		if (used + n > columns) {
			if (s.p[pos] == ' ') { /* just fits: the space goes */
				*skip = 1;
				return pos;
			}
			if (space > 0)
				return space;
			/* Wider than the row: it has one for itself, and is cut. */
			return pos > 0 || columns == 0 ? pos : g.used;
		}
		used += n;
		pos += g.used;
		if (s.p[pos - 1] == ' ')
			space = pos;
	}
	return pos;
}

struct wrap {
	struct span rest; /* not shown yet */
	struct span row;
	bool first, more;
};

/* The next row.  Only messages are broken at newlines: behind their bar nothing can be
 * taken for a line of its own. */
static bool
next_row(struct wrap *w, const struct scrollback_line *l, int width)
{
	int first, others, columns;
	size_t n, skip;

	if (!w->more)
		return false;
	indents(l, width, &first, &others);
	columns = width - (w->first ? first : others);
	if (!w->first && columns < 1)
		columns = 1; /* go on, whatever the width */
	n = fit_row(w->rest, columns, l->name[0] != '\0', &skip);
	w->row = span_of(w->rest.p, n);
	w->more = n + skip < w->rest.len || (skip > 0 && w->rest.p[n] != ' ');
	w->rest = span_of(w->rest.p + n + skip, w->rest.len - n - skip);
	w->first = false;
	return true;
}

static struct wrap
wrap_begin(const struct scrollback_line *l)
{
	return (struct wrap){
	    .rest = span_of(l->text, l->len), .first = true, .more = true};
}

static int
text_rows(struct scrollback_line *l, int width)
{
	struct wrap w = wrap_begin(l);

	if (l->width == width && l->rows > 0)
		return l->rows;
	l->rows = 0;
	l->width = width;
	while (next_row(&w, l, width))
		l->rows++;
	return l->rows;
}

/* ---- rows above a line ---- */

static bool
local_day(int64_t time_ms, struct tm *tm)
{
	time_t t = (time_t)(time_ms / 1000);

	return localtime_r(&t, tm) != NULL;
}

static bool
new_day(const struct scrollback *s, size_t i)
{
	struct tm a, b;

	if (!local_day(scrollback_at(s, i)->time_ms, &b))
		return false;
	if (i == 0)
		return true;
	return !local_day(scrollback_at(s, i - 1)->time_ms, &a) ||
	       a.tm_yday != b.tm_yday || a.tm_year != b.tm_year;
}

static bool
marked(const struct scrollback *s, size_t i)
{
	return scrollback_at(s, i)->number == s->mark;
}

int
scrollback_rows(const struct scrollback *s, size_t i, int width)
{
	return text_rows(scrollback_at(s, i), width) + new_day(s, i) + marked(s, i);
}

/* ---- drawing ---- */

static void
draw_rule(struct canvas *c, int row, int right, unsigned style, const char *text)
{
	int column = canvas_str(c, row, 0, right, style, "---- ");

	column = canvas_str(c, row, column, right, style, text);
	column = canvas_str(c, row, column, right, style, " ");
	while (column < right)
		column = canvas_str(c, row, column, right, style, "-");
}

static void
draw_day(struct canvas *c, int row, int right, const struct scrollback_line *l)
{
	char text[64] = "";
	struct tm tm;

	if (local_day(l->time_ms, &tm))
		strftime(text, sizeof(text), "%A, %d %B %Y", &tm);
	draw_rule(c, row, right, STYLE_DIM, text);
}

static unsigned
text_style(const struct scrollback_line *l)
{
	unsigned style = l->old ? STYLE_DIM : 0;

	switch (l->kind) {
	case WORDS_TROUBLE: return style | 1;
	case WORDS_STATUS: return style | 6;
	default: return style;
	}
}

/* Behind the time. */
static const char *
sign(const struct scrollback *s, const struct scrollback_line *l)
{
	if (l->doubtful)
		return "!";
	if (l->said != 0 && s->said - l->said < s->unanswered)
		return "?";
	return l->old ? "~" : " ";
}

static void
draw_head(const struct scrollback *s, struct canvas *c, int row, int right,
	  const struct scrollback_line *l, bool found)
{
	char text[16] = "--:--";
	struct tm tm;
	int column;

	if (local_day(l->time_ms, &tm))
		strftime(text, sizeof(text), "%H:%M", &tm);
	column = canvas_str(c, row, 0, right, STYLE_DIM, text);
	column = canvas_str(c, row, column, right, found ? STYLE_BOLD : STYLE_DIM,
			    found ? ">" : sign(s, l));
	if (l->name[0] != '\0') {
		unsigned style = l->kind == WORDS_OWN ? STYLE_BOLD
						      : scrollback_colour(l->name) |
							    (l->old ? STYLE_DIM : 0);

		column = canvas_str(c, row, column, right, style, "<");
		column = canvas_str(c, row, column, right, style, l->name);
		canvas_str(c, row, column, right, style, "> ");
	} else {
		canvas_str(c, row, column, right, text_style(l),
			   l->kind == WORDS_TROUBLE ? "! " : "* ");
	}
}

/* A row of the text, with what is searched for in it reversed. */
static void
draw_text(const struct scrollback *s, struct canvas *c, int row, int column, int right,
	  const struct scrollback_line *l, struct span text)
{
	size_t pos = (size_t)(text.p - l->text), to = pos + text.len;
	struct span all = span_of(l->text, l->len);
	size_t start = 0, end = 0,
	       from = pos > SCROLLBACK_NEEDLE * 4 ? pos - SCROLLBACK_NEEDLE * 4 : 0;
	int begin = column;
	bool any = true;
	struct glyph g;

	if (text.len == 0)
		return;
	for (; pos < to && column < right; pos += g.used) {
		unsigned style = text_style(l);

		glyph_next(span_of(all.p + pos, to - pos), &g);
		while (any && end <= pos) {
			any = scrollback_match(s->needle, span_of(all.p, to), from,
					       &start, &end);
			from = end;
		}
		if (any && start < pos + g.used)
			style |= STYLE_REVERSE;
		if (g.kind == GLYPH_TAB) {
			int n = 8 - (column - begin) % 8;

			n = n < right - column ? n : right - column;
			canvas_fill(c, row, column, column + n, style);
			column += n;
		} else {
			column = canvas_put(c, row, column, right, style,
					    span_of(all.p + pos, g.used));
		}
	}
}

struct drawing {
	const struct scrollback *s;
	struct canvas *c;
	int top, bottom, right;
};

/* Draw the rows of line i so that its first one is at `row`; what lies outside is left
 * out. */
static void
draw_line(const struct drawing *d, size_t i, int row)
{
	const struct scrollback_line *l = scrollback_at(d->s, i);
	int first, others;
	struct wrap w = wrap_begin(l);
	bool head = true;

	indents(l, d->right, &first, &others);
	if (new_day(d->s, i)) {
		if (row >= d->top && row < d->bottom)
			draw_day(d->c, row, d->right, l);
		row++;
	}
	if (marked(d->s, i)) {
		if (row >= d->top && row < d->bottom)
			draw_rule(d->c, row, d->right, 3, "new");
		row++;
	}
	while (row < d->bottom && next_row(&w, l, d->right)) {
		if (row >= d->top) {
			if (head)
				draw_head(d->s, d->c, row, d->right, l,
					  d->s->found == l->number);
			else if (l->name[0] != '\0')
				canvas_str(d->c, row, TIME_COLUMNS, d->right, STYLE_DIM,
					   "| ");
			draw_text(d->s, d->c, row, head ? first : others, d->right, l,
				  w.row);
		}
		head = false;
		row++;
	}
}

void
scrollback_draw(struct scrollback *s, struct canvas *c, int top, int bottom, int right)
{
	struct drawing d = {s, c, top, bottom, right};
	size_t i;
	int row;

	s->width = right;
	s->height = bottom - top;
	if (s->count == 0 || s->height < 1)
		return;
	if (!s->follow)
		scrollback_scroll(s, 0); /* stay within what there is at this width */
	i = s->follow ? s->count - 1 : scrollback_place(s, s->at);
	row = bottom - 1 - (s->follow ? scrollback_rows(s, i, right) - 1 : s->row);
	draw_line(&d, i, row);
	while (row > top && i > 0) {
		i--;
		row -= scrollback_rows(s, i, right);
		draw_line(&d, i, row);
	}
}
