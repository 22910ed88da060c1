/* SPDX-License-Identifier: MIT
 *
 * glyph.h - text as a terminal shows it: one glyph after the other, each with its
 * columns.  Everything that the full screen shows passes here, so nothing that came
 * from others reaches the terminal unless it is a glyph.
 *
 * A glyph is a grapheme cluster (Unicode annex 29) and never cut.  Widths are those of
 * current terminals; libc's differ from them for emoji.  Where terminals disagree
 * (emoji with a variation selector, joined ones, flags, marks that take space) the
 * glyph is unsure: whoever paints it then says where the next one begins, instead of
 * trusting that the cursor is there.  Pure.
 */
#ifndef CLIENT_GLYPH_H
#define CLIENT_GLYPH_H

#include <stdbool.h>

#include "base/bytes.h"

enum glyph_kind {
	GLYPH_SHOWN,
	GLYPH_ESCAPE, /* not safe to show: text is \x1b or \u{202e}, a column a byte */
	GLYPH_TAB,
	GLYPH_NEWLINE /* LF, CR LF */
};

/* Marks of a cluster beyond this many bytes are not shown: a character with a hundred
 * of them would cover the lines around it. */
#define GLYPH_SIZE 40

struct glyph {
	enum glyph_kind kind;
	size_t used;           /* bytes of the text that it stands for */
	char text[GLYPH_SIZE]; /* to be shown; no NUL */
	size_t len;
	int columns; /* 0 only for what nobody sees, as a zero width space */
	bool unsure;
};

/* The first glyph of s, which is not empty. */
void glyph_next(struct span s, struct glyph *out);
/* Columns of s on one line; tabs are one column, newlines none. */
int glyph_columns(struct span s);
/* The longest beginning of s, in bytes, that fits into columns. */
size_t glyph_fit(struct span s, int columns);
/* Where the glyph before the one at pos begins; pos is a beginning, or s.len. */
size_t glyph_before(struct span s, size_t pos);

#endif
