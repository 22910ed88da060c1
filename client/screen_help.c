/* SPDX-License-Identifier: MIT */
#include "client/screen_inner.h"

static const char *const keys[] = {
    "KEYS",
    "  Enter            say the line, or do the command",
    "  Alt-Enter, Ctrl-J   another line in the same message",
    "  PgUp, PgDn       scroll; Ctrl-Home, Ctrl-End (or Home, End while the line is",
    "                   empty) go to the top and the bottom",
    "  Ctrl-R           search in what was said: Up or Ctrl-R older, Down or Ctrl-S",
    "                   newer, Enter stays there, Esc comes back",
    "  Tab, Shift-Tab   complete a name, a command, or a file behind /send",
    "  Up, Down         the lines that you typed before (also Ctrl-P, Ctrl-N)",
    "  Alt-N, Alt-P     the next view and the one before: each partner, room, call",
    "                   has one, and the first one is for all else",
    "  Alt-1 to Alt-9   that view",
    "  Alt-A            to where something is unread",
    "  F1  this help    F2  people    Ctrl-L  draw the screen again",
    "  Ctrl-A, Ctrl-E   begin and end of the line;  Alt-B, Alt-F  by words",
    "  Ctrl-K, Ctrl-U, Ctrl-W, Alt-D   cut the rest, all before, the word before or",
    "                   behind;  Ctrl-Y  puts it back;  Ctrl-T  swaps two characters",
    "  Ctrl-C           clear the line; twice in an empty one: leave",
    "  Ctrl-D           leave, when the line is empty;  Ctrl-Z  stop for a while",
    "",
    "SIGNS",
    "  12:34~           it has waited for you, or is a replay",
    "  12:34?           your own: the server has not said yet that it has arrived",
    "  12:34!           your own: the connection was lost before it did",
    "  > + ?  before a name: your partner, who has written, who asks you",
    "  \\x1b \\u{202e}   what would have driven your terminal, shown instead",
    "",
    "COMMANDS",
};
#define KEYS ((int)(sizeof(keys) / sizeof(keys[0])))

static const char *
line(int i)
{
	return i < KEYS ? keys[i] : command_help[i - KEYS];
}

static bool
is_command(int i)
{
	return i >= KEYS;
}

/* How much of what is left of a line goes into a row: up to a blank. */
static size_t
fit(struct span s, int columns)
{
	size_t n = glyph_fit(s, columns), cut = n;

	if (n == s.len)
		return n;
	while (cut > 0 && s.p[cut] != ' ')
		cut--;
	return cut > 0 && columns > 12 ? cut : n > 0 ? n : 1;
}

#define INDENT 6 /* of what does not fit into a row */

/* Draw from row s->help_at of the help on, or, without a canvas, only count. */
static int
walk(struct screen *s, struct canvas *c, int columns, int top, int bottom)
{
	int row = 0;

	for (int i = 0; i < KEYS || command_help[i - KEYS] != NULL; i++) {
		struct span rest = span_str(line(i));
		unsigned style = !is_command(i) && line(i)[0] != ' ' ? STYLE_BOLD : 0;
		int indent = is_command(i) ? 2 : 0;

		do {
			size_t n = fit(rest, columns - indent);
			int at = top + row - s->help_at;

			if (c != NULL && at >= top && at < bottom)
				canvas_put(c, at, indent, columns, style,
					   span_of(rest.p, n));
			rest = span_of(rest.p + n, rest.len - n);
			while (rest.len > 0 && rest.p[0] == ' ')
				rest = span_of(rest.p + 1, rest.len - 1);
			indent = INDENT;
			row++;
		} while (rest.len > 0);
	}
	return row;
}

int
screen_help_rows(struct screen *s)
{
	return walk(s, NULL, s->canvas.columns, 0, 0);
}

void
screen_help_draw(struct screen *s, int top, int bottom)
{
	(void)walk(s, &s->canvas, s->canvas.columns, top, bottom);
}
