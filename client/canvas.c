/* SPDX-License-Identifier: MIT */
#include "client/canvas.h"

#include <stdlib.h>
#include <string.h>

static const struct cell blank = {.text = " ", .len = 1, .columns = 1};

enum qerr
canvas_resize(struct canvas *c, int rows, int columns)
{
	struct cell *cells;

	rows = rows < 1 ? 1 : rows > CANVAS_ROWS_MAX ? CANVAS_ROWS_MAX : rows;
	columns = columns < 1                    ? 1
		  : columns > CANVAS_COLUMNS_MAX ? CANVAS_COLUMNS_MAX
						 : columns;
	cells = reallocarray(c->cells, (size_t)rows * (size_t)columns, sizeof(*cells));
	if (cells == NULL)
		return Q_NOMEM;
	c->cells = cells;
	c->rows = rows;
	c->columns = columns;
	canvas_clear(c);
	return Q_OK;
}

void
canvas_clear(struct canvas *c)
{
	for (size_t i = 0; i < (size_t)c->rows * (size_t)c->columns; i++)
		c->cells[i] = blank;
	c->cursor = false;
}

void
canvas_free(struct canvas *c)
{
	free(c->cells);
	*c = (struct canvas){.cells = NULL};
}

struct cell *
canvas_cell(const struct canvas *c, int row, int column)
{
	return &c->cells[(size_t)row * (size_t)c->columns + (size_t)column];
}

/* A glyph of which one half is overwritten leaves no other half. */
static void
tear(struct canvas *c, int row, int column)
{
	int from = column, to = column + 1;

	while (from > 0 && canvas_cell(c, row, from)->columns == 0)
		from--;
	while (to < c->columns && canvas_cell(c, row, to)->columns == 0)
		to++;
	if (to - from > 1)
		for (; from < to; from++)
			*canvas_cell(c, row, from) = blank;
}

static void
put_cell(struct canvas *c, int row, int column, unsigned style, const char *text,
	 size_t len, int columns, bool unsure)
{
	for (int i = 0; i < columns; i++)
		tear(c, row, column + i);
	for (int i = 0; i < columns; i++) {
		struct cell *cell = canvas_cell(c, row, column + i);

		*cell = (struct cell){.style = (uint8_t)style, .unsure = unsure};
		if (i == 0) {
			memcpy(cell->text, text, len);
			cell->len = (uint8_t)len;
			cell->columns = (uint8_t)columns;
		}
	}
}

/* Columns from column on; -1: it does not fit. */
static int
put_glyph(struct canvas *c, int row, int column, int end, unsigned style,
	  const struct glyph *g)
{
	if (g->columns > end - column)
		return -1;
	if (g->kind == GLYPH_ESCAPE)
		for (int i = 0; i < g->columns; i++)
			put_cell(c, row, column + i, style | STYLE_UNDERLINE, g->text + i,
				 1, 1, false);
	else if (g->columns > 0)
		put_cell(c, row, column, style, g->text, g->len, g->columns, g->unsure);
	return g->columns;
}

static void
newline_escape(struct glyph *g)
{
	static const char shown[] = "\\x0a";

	g->kind = GLYPH_ESCAPE;
	g->len = sizeof(shown) - 1;
	memcpy(g->text, shown, g->len);
	g->columns = (int)g->len;
}

int
canvas_put(struct canvas *c, int row, int column, int end, unsigned style, struct span s)
{
	int start = column, n;
	struct glyph g;

	if (end > c->columns)
		end = c->columns;
	if (row < 0 || row >= c->rows || column < 0)
		return column;
	for (; s.len > 0; s = span_of(s.p + g.used, s.len - g.used)) {
		glyph_next(s, &g);
		if (g.kind == GLYPH_NEWLINE)
			newline_escape(&g);
		if (g.kind == GLYPH_TAB) {
			n = 8 - (column - start) % 8;
			n = n > end - column ? end - column : n;
			canvas_fill(c, row, column, column + n, style);
		} else {
			n = put_glyph(c, row, column, end, style, &g);
		}
		if (n == -1)
			break;
		column += n;
	}
	return column;
}

int
canvas_str(struct canvas *c, int row, int column, int end, unsigned style, const char *s)
{
	return canvas_put(c, row, column, end, style, span_str(s));
}

void
canvas_fill(struct canvas *c, int row, int column, int end, unsigned style)
{
	if (row < 0 || row >= c->rows)
		return;
	for (column = column < 0 ? 0 : column; column < end && column < c->columns;
	     column++)
		put_cell(c, row, column, style, " ", 1, 1, false);
}

enum qerr
canvas_text(const struct canvas *c, int row, struct buf *out)
{
	int last = c->columns;

	while (last > 0 && canvas_cell(c, row, last - 1)->len == 1 &&
	       canvas_cell(c, row, last - 1)->text[0] == ' ')
		last--;
	for (int i = 0; i < last; i++) {
		const struct cell *cell = canvas_cell(c, row, i);
		enum qerr e = buf_put(out, cell->text, cell->len);

		if (e != Q_OK)
			return e;
	}
	return Q_OK;
}
