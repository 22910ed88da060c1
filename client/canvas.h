/* SPDX-License-Identifier: MIT
 *
 * canvas.h - what the screen is to look like: cells in memory.  Text is put as glyphs
 * (glyph.h), never cut in the middle of one.  Pure; terminal.c brings it to the
 * terminal.
 */
#ifndef CLIENT_CANVAS_H
#define CLIENT_CANVAS_H

#include "client/glyph.h"

/* How a cell looks: attributes, and a colour of 1 to 15 in the lowest bits (0: the
 * terminal's own). */
enum {
	STYLE_COLOUR = 0x0f,
	STYLE_BOLD = 0x10,
	STYLE_DIM = 0x20,
	STYLE_REVERSE = 0x40,
	STYLE_UNDERLINE = 0x80
};

#define CANVAS_COLUMNS_MAX 1000
#define CANVAS_ROWS_MAX    500

struct cell {
	char text[GLYPH_SIZE];
	uint8_t len;
	uint8_t columns; /* 0: the right part of the glyph before it */
	uint8_t style;
	bool unsure;
};

struct canvas {
	int rows, columns;
	struct cell *cells; /* rows * columns */
	int cursor_row, cursor_column;
	bool cursor; /* shown */
};

/* Blank, of this size, which is cut to the maxima.  Q_NOMEM: unchanged. */
enum qerr canvas_resize(struct canvas *c, int rows, int columns);
void canvas_clear(struct canvas *c);
void canvas_free(struct canvas *c);
struct cell *canvas_cell(const struct canvas *c, int row, int column);

/* Put s at row, column; what would reach end (a column) is left out, and so is what
 * lies outside.  Tabs go to the next multiple of 8 columns from the start of s; a
 * newline is shown as an escape.  The column behind it. */
int
canvas_put(struct canvas *c, int row, int column, int end, unsigned style, struct span s);
int
canvas_str(struct canvas *c, int row, int column, int end, unsigned style, const char *s);
/* Blanks from column to end. */
void canvas_fill(struct canvas *c, int row, int column, int end, unsigned style);
/* The row as text without blanks at its end, for tests; appended to out. */
enum qerr canvas_text(const struct canvas *c, int row, struct buf *out);

#endif
