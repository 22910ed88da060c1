/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "client/keep.h"
#include "client/screen_inner.h"

/* ---- the row above: who, where, with whom, and how things stand ---- */

/* How it is with the partner, or without one. */
static void
state_text(const struct screen *s, char *out, size_t size)
{
	const struct client_view *v = front_view(&s->front);

	switch (front_over(&s->front) ? CLIENT_PHASE_OVER : v->phase) {
	case CLIENT_PHASE_CONNECTING:
		if (keep_state(s->front.keep) == KEEP_WAITING)
			snprintf(out, size, "no connection, again in %d s",
				 (clock_left_ms(keep_until(s->front.keep)) + 999) / 1000);
		else
			snprintf(out, size, "connecting");
		break;
	case CLIENT_PHASE_FREE: snprintf(out, size, "connected"); break;
	case CLIENT_PHASE_ASKING: snprintf(out, size, "asking %s", v->partner); break;
	case CLIENT_PHASE_ASKED: snprintf(out, size, "%s asks", v->partner); break;
	case CLIENT_PHASE_KEYING: snprintf(out, size, "keys with %s", v->partner); break;
	case CLIENT_PHASE_CHATTING:
		if (screen_views_heeded(s))
			snprintf(out, size, "in chat");
		else
			snprintf(out, size, "in chat with %s", v->partner);
		break;
	case CLIENT_PHASE_LEAVING: snprintf(out, size, "leaving"); break;
	case CLIENT_PHASE_OVER: snprintf(out, size, "no connection"); break;
	}
}

static bool
in_trouble(const struct screen *s)
{
	return front_over(&s->front) ||
	       (s->was_in && front_view(&s->front)->phase == CLIENT_PHASE_CONNECTING);
}

static void
draw_status(struct screen *s)
{
	const struct client_view *v = front_view(&s->front);
	struct canvas *c = &s->canvas;
	char left[NAME_SIZE + TARGET_TEXT_SIZE + 8], state[NAME_SIZE + 32], right[96];
	char partner[NAME_SIZE + 32] = "";
	size_t unread = v->unread;
	int column, end;

	for (size_t i = 0; i < s->views.count; i++)
		unread += s->views.all[i]->unseen;
	state_text(s, state, sizeof(state));
	snprintf(right, sizeof(right), "%s ", state);
	if (unread > 0)
		snprintf(right, sizeof(right), "%zu unread | %s ", unread, state);
	if (s->views.now->name[0] != '\0')
		snprintf(partner, sizeof(partner), " | %s", s->views.now->name);
	if (v->phase == CLIENT_PHASE_CHATTING && screen_views_heeded(s)) {
		snprintf(partner, sizeof(partner), " | %s%s", v->partner,
			 v->fingerprint[0] == '\0' ? ""
			 : v->verified             ? ", key verified"
						   : ", key not verified");
		if (c->columns < 60 && !v->verified)
			snprintf(partner, sizeof(partner), " | %s%s", v->partner,
				 v->fingerprint[0] == '\0' ? "" : ", key ?");
	}
	snprintf(left, sizeof(left), " %s@%s", s->user, s->server);
	if (c->columns < 60)
		snprintf(left, sizeof(left), " %s", s->user);
	end = c->columns - (int)strlen(right);
	canvas_fill(c, 0, 0, c->columns, STYLE_REVERSE);
	column = canvas_str(c, 0, 0, end, STYLE_REVERSE | STYLE_BOLD, left);
	canvas_str(c, 0, column, end, STYLE_REVERSE, partner);
	canvas_str(c, 0, end, c->columns,
		   STYLE_REVERSE | (in_trouble(s) ? STYLE_BOLD | 1 : 0), right);
}

/* ---- files on their way ---- */

#define BAR 20 /* columns between its brackets */

/* 1234567 as "1.2 MB". */
static enum qerr
put_amount(struct buf *out, uint64_t n)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
	double v = (double)n;
	size_t i = 0;

	for (; v >= 1000 && i + 1 < sizeof(units) / sizeof(units[0]); i++)
		v /= 1000;
	return buf_printf(out, i == 0 ? "%.0f %s" : "%.1f %s", v, units[i]);
}

/* How far it is, as wide as the columns allow.  What does not fit is left out. */
static void
put_meter(struct buf *out, const struct client_transfer *t, int columns)
{
	double part = t->size == 0 ? 1 : (double)t->done / (double)t->size;
	int full = part > 1 ? BAR : (int)(part * BAR);

	if (columns >= 110) {
		(void)buf_put_str(out, " ");
		(void)put_amount(out, t->done);
		(void)buf_put_str(out, " of ");
		(void)put_amount(out, t->size);
	}
	if (columns >= 70)
		(void)buf_printf(out, " [%.*s%.*s]", full, "####################",
				 BAR - full, "--------------------");
	(void)buf_printf(out, " %3.0f%%", part * 100);
	if (t->rate > 0) {
		(void)buf_put_str(out, " ");
		(void)put_amount(out, t->rate);
		(void)buf_put_str(out, "/s");
	}
	if (columns >= 70 && t->left_ms >= 0)
		(void)buf_printf(out, ", %" PRId64 ":%02" PRId64 " left",
				 t->left_ms / 60000, t->left_ms / 1000 % 60);
}

static void
draw_file(struct canvas *c, int row, const struct screen_file *f)
{
	struct buf meter = BUF_INIT(256);
	bool out = f->state.outgoing;
	int column, end;

	put_meter(&meter, &f->state, c->columns);
	end = c->columns - (int)meter.len;
	column = canvas_str(c, row, 0, end, 0, out ? "sending " : "getting ");
	column = canvas_str(c, row, column, end, STYLE_BOLD, f->called);
	column = canvas_str(c, row, column, end, 0, out ? " to " : " from ");
	canvas_str(c, row, column, end, scrollback_colour(f->name), f->name);
	canvas_put(c, row, end > 0 ? end : 0, c->columns, 0, buf_span(&meter));
	buf_free(&meter);
}

static int
files_shown(const struct screen *s)
{
	return s->files[0].shown + s->files[1].shown;
}

static void
draw_files(struct screen *s, const struct layout *l)
{
	int row = l->files;

	for (int i = 0; i < 2; i++)
		if (s->files[i].shown && row < l->files + l->file_rows)
			draw_file(&s->canvas, row++, &s->files[i]);
}

/* ---- the row of hints ---- */

static void
draw_hint(struct screen *s, const struct layout *l)
{
	struct canvas *c = &s->canvas;
	char text[160];
	unsigned style = STYLE_DIM;

	if (s->hint[0] != '\0') {
		snprintf(text, sizeof(text), "%s", s->hint);
		style = STYLE_BOLD | 3;
	} else if (s->mode == SCREEN_HELPING) {
		snprintf(text, sizeof(text), "PgUp PgDn scroll, q closes the help");
	} else if (s->mode == SCREEN_SEARCHING) {
		snprintf(text, sizeof(text),
			 "%zu found; Up older, Down newer, Enter stays, Esc comes back",
			 s->search.text.len > 0 ? scrollback_matches(screen_lines(s))
						: 0);
	} else if (in_trouble(s)) {
		snprintf(text, sizeof(text), "%s",
			 front_over(&s->front)
			     ? "the connection is over: Ctrl-D leaves, PgUp scrolls"
			     : "what you type is kept; Enter in an empty line tries now");
		style = STYLE_BOLD;
	} else if (s->waiting.len > 0) {
		snprintf(text, sizeof(text), "waiting for an answer");
	} else if (!screen_lines(s)->follow && screen_lines(s)->unseen == 0) {
		snprintf(text, sizeof(text), "Esc goes to the newest");
	} else if (!screen_lines(s)->follow) {
		snprintf(text, sizeof(text), "%" PRIu64 " new below; Esc goes there",
			 screen_lines(s)->unseen);
		style = STYLE_BOLD | 3;
	} else {
		snprintf(text, sizeof(text),
			 "F1 help  F2 people  Tab completes  PgUp scrolls  Ctrl-R "
			 "searches");
	}
	canvas_str(c, l->hint, 0, c->columns, style, text);
}

/* ---- the line that is being typed ---- */

struct input {
	struct canvas *c; /* NULL: only to measure */
	struct span text;
	size_t cursor;
	int left, right;       /* columns of the text */
	int top, bottom, skip; /* rows to draw, rows that are above them */
	int row, column;       /* where the next glyph goes, counted from 0 */
	int cursor_row, cursor_column;
};

static void
put_glyph(struct input *in, const struct glyph *g, size_t pos)
{
	int row = in->top + in->row - in->skip;

	if (in->c == NULL || row < in->top || row >= in->bottom)
		return;
	canvas_put(in->c, row, in->left + in->column, in->right, 0,
		   g->kind == GLYPH_TAB ? span_str(" ")
					: span_of(in->text.p + pos, g->used));
}

/* Walk through the text; afterwards the cursor's place is known. */
static void
walk(struct input *in)
{
	int width = in->right - in->left;
	struct glyph g;

	in->row = in->column = 0;
	for (size_t pos = 0; pos < in->text.len; pos += g.used) {
		int n;

		glyph_next(span_of(in->text.p + pos, in->text.len - pos), &g);
		n = g.kind == GLYPH_TAB ? 8 - in->column % 8 : g.columns;
		if (g.kind != GLYPH_NEWLINE && in->column + n > width && in->column > 0) {
			in->row++;
			in->column = 0;
		}
		if (pos == in->cursor) {
			in->cursor_row = in->row;
			in->cursor_column = in->column;
		}
		if (g.kind == GLYPH_NEWLINE) {
			in->row++;
			in->column = 0;
			continue;
		}
		put_glyph(in, &g, pos);
		in->column += n;
	}
	if (in->cursor == in->text.len) {
		if (in->column >= width) {
			in->row++;
			in->column = 0;
		}
		in->cursor_row = in->row;
		in->cursor_column = in->column;
	}
}

static const struct editor *
typed_into(const struct screen *s)
{
	return s->mode == SCREEN_SEARCHING ? &s->search : &s->editor;
}

static unsigned
prompt(const struct screen *s, char *out, size_t size)
{
	const struct client_view *v = front_view(&s->front);

	if (s->mode == SCREEN_SEARCHING) {
		snprintf(out, size, "search: ");
		return STYLE_BOLD;
	}
	snprintf(out, size, "> ");
	if (v->phase != CLIENT_PHASE_CHATTING || !screen_views_heeded(s))
		return 0;
	if (s->canvas.columns >= 40)
		snprintf(out, size, "%s> ", v->partner);
	return scrollback_colour(v->partner);
}

static struct input
input_of(const struct screen *s, const char *before)
{
	const struct editor *e = typed_into(s);

	return (struct input){
	    .text = buf_span(&e->text),
	    .cursor = e->cursor,
	    .left = (int)strlen(before),
	    /* The last cell of the screen stays empty, see terminal_out.c. */
	    .right = s->canvas.columns - 1,
	};
}

static void
draw_input(struct screen *s, const struct layout *l)
{
	char before[NAME_SIZE + 8];
	unsigned style = prompt(s, before, sizeof(before));
	struct input in = input_of(s, before);

	walk(&in);
	in.c = &s->canvas;
	in.top = l->input;
	in.bottom = l->input + l->input_rows;
	if (in.cursor_row >= l->input_rows)
		in.skip = in.cursor_row - l->input_rows + 1;
	canvas_str(&s->canvas, l->input, 0, in.left, style, before);
	walk(&in);
	s->canvas.cursor = s->mode != SCREEN_HELPING;
	s->canvas.cursor_row = l->input + in.cursor_row - in.skip;
	s->canvas.cursor_column = in.left + in.cursor_column;
}

static int
input_rows(struct screen *s)
{
	char before[NAME_SIZE + 8];
	struct input in;

	(void)prompt(s, before, sizeof(before));
	in = input_of(s, before);
	walk(&in);
	return (in.row > in.cursor_row ? in.row : in.cursor_row) + 1;
}

/* ---- all ---- */

static void
draw_people(struct screen *s, const struct layout *l)
{
	const struct client_view *v = front_view(&s->front);
	struct canvas *c = &s->canvas;

	if (l->people < 0)
		return;
	for (int row = l->top; row < l->bottom && l->people > 0; row++)
		canvas_str(c, row, l->people - 1, l->people, STYLE_DIM, "|");
	people_draw(&s->people, c, l->top, l->bottom, l->people, c->columns,
		    v->phase == CLIENT_PHASE_ASKED ? "" : v->partner);
}

void
screen_draw(struct screen *s)
{
	struct canvas *c = &s->canvas;
	struct layout l = layout_of(c->rows, c->columns, s->people_shown, input_rows(s),
				    files_shown(s));

	canvas_clear(c);
	if (l.too_small) {
		canvas_str(c, 0, 0, c->columns, 0, "too small");
		return;
	}
	draw_status(s);
	if (s->mode == SCREEN_HELPING) {
		screen_lines(s)->height = l.bottom - l.top;
		screen_help_draw(s, l.top, l.bottom);
	} else {
		if (l.right > 0)
			scrollback_draw(screen_lines(s), c, l.top, l.bottom, l.right);
		draw_people(s, &l);
	}
	draw_files(s, &l);
	draw_hint(s, &l);
	draw_input(s, &l);
}
