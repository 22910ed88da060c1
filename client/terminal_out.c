/* SPDX-License-Identifier: MIT */
#include "client/terminal_out.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* curses.h has a macro for many a short word: last, and only here. */
#include "client/terminal.h"
#include <curses.h>
#include <term.h>
#undef columns /* term.h's short word for terminfo's "cols" */

/* xterm's: pasted text in brackets, the focus.  Others ignore private modes. */
#define MODES_ON  "\x1b[?2004h\x1b[?1004h"
#define MODES_OFF "\x1b[?1004l\x1b[?2004l"

static struct {
	bool set_up;
	struct buf bytes; /* to be written */
	struct canvas shown;
	bool known; /* shown is what the terminal shows */
	int colours;
	unsigned style; /* the pen's */
	const char *cup, *el, *clear, *normal, *bold, *dim, *reverse, *underline, *colour;
	const char *cursor_on, *cursor_off;
	int not_with_colour; /* ncv */
} out = {.bytes = BUF_INIT(64 << 20)};

/* ---- terminfo ---- */

static const char *
string(const char *name)
{
	const char *s = tigetstr(name);

	return s == (const char *)-1 ? NULL : s;
}

static int
put(int c)
{
	/* Without memory bytes get lost; then it is painted anew. */
	if (buf_put_u8(&out.bytes, (uint8_t)c) != Q_OK)
		out.known = false;
	return c;
}

static void
say(const char *s)
{
	if (s != NULL)
		tputs(s, 1, put);
}

static void
go(int row, int column)
{
	say(tparm(out.cup, row, column));
}

enum qerr
terminal_out_able(struct why *why)
{
	const char *term = getenv("TERM"), *no_colour = getenv("NO_COLOR");
	int error;

	if (out.set_up)
		return Q_OK;
	if (term == NULL || term[0] == '\0')
		return why_set(why, Q_MISSING, "TERM is not set");
	if (setupterm(NULL, STDOUT_FILENO, &error) != OK)
		return why_set(why, Q_MISSING, "the terminal %.40s is not known here",
			       term);
	out.cup = string("cup");
	out.clear = string("clear");
	if (out.cup == NULL || out.clear == NULL)
		return why_set(why, Q_MISSING, "the terminal %.40s has no full screen",
			       term);
	out.el = string("el");
	out.normal = string("sgr0");
	out.bold = string("bold");
	out.dim = string("dim");
	out.reverse = string("rev");
	out.underline = string("smul");
	out.colour = string("setaf");
	out.cursor_on = string("cnorm");
	out.cursor_off = string("civis");
	out.colours = no_colour != NULL && no_colour[0] != '\0' ? 0 : tigetnum("colors");
	out.not_with_colour = tigetnum("ncv");
	if (out.not_with_colour < 0)
		out.not_with_colour = 0;
	out.set_up = true;
	return Q_OK;
}

void
terminal_out_keys(struct strokes *s)
{
	static const struct {
		const char *name;
		enum stroke_kind kind;
	} keys[] = {
	    {"kcuu1", STROKE_UP},      {"kcud1", STROKE_DOWN},
	    {"kcub1", STROKE_LEFT},    {"kcuf1", STROKE_RIGHT},
	    {"khome", STROKE_HOME},    {"kend", STROKE_END},
	    {"kpp", STROKE_PAGE_UP},   {"kf1", STROKE_F1},
	    {"kf2", STROKE_F2},        {"knp", STROKE_PAGE_DOWN},
	    {"kdch1", STROKE_DELETE},  {"kbs", STROKE_BACKSPACE},
	    {"kcbt", STROKE_BACK_TAB}, {"kent", STROKE_ENTER},
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		strokes_name(s, string(keys[i].name), keys[i].kind);
}

/* ---- begin and end ---- */

void
terminal_out_begin(void)
{
	out.known = false;
	say(string("smcup"));
	say(string("smkx"));
	say(MODES_ON);
}

size_t
terminal_out_end(char *to, size_t size)
{
	struct buf before = out.bytes;
	size_t len;

	out.bytes = (struct buf)BUF_INIT(size);
	say(MODES_OFF);
	say(string("rmkx"));
	say(out.normal);
	say(out.cursor_on);
	if (string("rmcup") != NULL) {
		say(string("rmcup"));
	} else {
		say(out.clear);
	}
	len = out.bytes.len;
	if (len > 0)
		memcpy(to, out.bytes.p, len);
	buf_free(&out.bytes);
	out.bytes = before;
	return len;
}

void
terminal_out_forget(void)
{
	buf_free(&out.bytes);
	canvas_free(&out.shown);
	out.known = false;
}

enum qerr
terminal_out_flush(void)
{
	struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};
	size_t done = 0;
	enum qerr e = Q_OK;

	while (done < out.bytes.len && e == Q_OK) {
		ssize_t n =
		    write(STDOUT_FILENO, out.bytes.p + done, out.bytes.len - done);

		if (n > 0)
			done += (size_t)n;
		else if (errno == EAGAIN)
			(void)poll(&p, 1, 1000);
		else if (errno != EINTR)
			e = Q_SYS;
	}
	out.bytes.len = 0;
	return e;
}

/* ---- painting ---- */

static void
colour(unsigned c)
{
	if (c == 0 || out.colour == NULL || out.colours < 8)
		return;
	if (c > 7 && out.colours < 16) {
		say(out.bold);
		c &= 7;
	}
	say(tparm(out.colour, (int)c));
}

static void
pen(unsigned style)
{
	int no =
	    (style & STYLE_COLOUR) != 0 && out.colours >= 8 ? out.not_with_colour : 0;

	if (style == out.style)
		return;
	say(out.normal);
	out.style = style;
	if ((style & STYLE_BOLD) != 0 && (no & 32) == 0)
		say(out.bold);
	if ((style & STYLE_DIM) != 0 && (no & 16) == 0)
		say(out.dim);
	if ((style & STYLE_REVERSE) != 0 && (no & 4) == 0)
		say(out.reverse);
	if ((style & STYLE_UNDERLINE) != 0 && (no & 2) == 0)
		say(out.underline);
	colour(style & STYLE_COLOUR);
}

static bool
same(const struct cell *a, const struct cell *b)
{
	return a->len == b->len && a->columns == b->columns && a->style == b->style &&
	       memcmp(a->text, b->text, a->len) == 0;
}

/* The cells [from, to) of a row; the cursor stands anywhere. */
static void
paint_cells(const struct canvas *c, int row, int from, int to)
{
	/* In the last cell of all some terminals scroll. */
	if (row == c->rows - 1 && to == c->columns)
		to--;
	if (from >= to)
		return;
	go(row, from);
	for (int i = from; i < to; i++) {
		const struct cell *cell = canvas_cell(c, row, i);

		if (cell->columns == 0)
			continue;
		pen(cell->style);
		for (int k = 0; k < cell->len; k++)
			put((uint8_t)cell->text[k]);
		if (cell->unsure && i + cell->columns < to)
			go(row, i + cell->columns);
	}
}

static bool
row_unsure(const struct canvas *c, int row)
{
	for (int i = 0; i < c->columns; i++)
		if (canvas_cell(c, row, i)->unsure)
			return true;
	return false;
}

/* Nobody knows what a glyph of unsure width has left: begin with an empty row. */
static void
paint_whole(const struct canvas *c, int row)
{
	pen(0);
	go(row, 0);
	if (out.el != NULL)
		say(out.el);
	else
		for (int i = 0; i < c->columns - 1; i++)
			put(' ');
	paint_cells(c, row, 0, c->columns);
}

static void
paint_row(const struct canvas *c, int row)
{
	int from = 0, to = c->columns;

	while (from < to &&
	       same(canvas_cell(c, row, from), canvas_cell(&out.shown, row, from)))
		from++;
	if (from == to)
		return;
	if (row_unsure(c, row) || row_unsure(&out.shown, row)) {
		paint_whole(c, row);
		return;
	}
	while (same(canvas_cell(c, row, to - 1), canvas_cell(&out.shown, row, to - 1)))
		to--;
	/* No half of a wide glyph. */
	while (from > 0 && (canvas_cell(c, row, from)->columns == 0 ||
			    canvas_cell(&out.shown, row, from)->columns == 0))
		from--;
	while (to < c->columns && (canvas_cell(c, row, to)->columns == 0 ||
				   canvas_cell(&out.shown, row, to)->columns == 0))
		to++;
	paint_cells(c, row, from, to);
}

static bool
begin_paint(const struct canvas *c)
{
	if (out.known && out.shown.rows == c->rows && out.shown.columns == c->columns)
		return true;
	if (canvas_resize(&out.shown, c->rows, c->columns) != Q_OK)
		return false;
	out.known = true;
	out.style = 0;
	say(out.normal);
	say(out.clear);
	return true;
}

enum qerr
terminal_paint(const struct canvas *c)
{
	if (!begin_paint(c))
		return Q_NOMEM;
	say(out.cursor_off);
	for (int row = 0; row < c->rows; row++)
		paint_row(c, row);
	pen(0);
	memcpy(out.shown.cells, c->cells,
	       (size_t)c->rows * (size_t)c->columns * sizeof(*c->cells));
	if (c->cursor) {
		go(c->cursor_row, c->cursor_column);
		say(out.cursor_on);
	}
	return terminal_out_flush();
}

void
terminal_forget(void)
{
	out.known = false;
}

void
terminal_bell(void)
{
	put('\a');
}
