/* SPDX-License-Identifier: MIT
 *
 * The keys are those of readline, less and irssi where these agree.
 */
#include <string.h>

#include "base/clock.h"
#include "client/screen_inner.h"
#include "client/terminal.h"

/* ---- scrolling ---- */

static void
scroll(struct screen *s, int rows)
{
	if (screen_lines(s)->follow && rows < 0)
		scrollback_look_away(screen_lines(s));
	scrollback_scroll(screen_lines(s), rows);
}

/* Keys that scroll in every mode.  False: it is none. */
static bool
scrolls(struct screen *s, const struct stroke *k)
{
	int page = screen_lines(s)->height > 2 ? screen_lines(s)->height - 1 : 1;

	switch (k->kind) {
	case STROKE_PAGE_UP: scroll(s, -page); break;
	case STROKE_PAGE_DOWN: scroll(s, page); break;
	case STROKE_TOP: scrollback_top(screen_lines(s)); break;
	case STROKE_BOTTOM: scrollback_bottom(screen_lines(s)); break;
	default: return false;
	}
	return true;
}

/* ---- search ---- */

static void
search_now(struct screen *s)
{
	scrollback_search(screen_lines(s), buf_span(&s->search.text));
}

void
screen_search(struct screen *s, struct span text)
{
	s->mode = SCREEN_SEARCHING;
	editor_set(&s->search, span_of(NULL, 0));
	if (text.len > 0)
		(void)editor_insert(&s->search, text, NULL);
	search_now(s);
}

static void
search_end(struct screen *s, bool stay)
{
	(void)scrollback_search(screen_lines(s), span_of(NULL, 0));
	if (!stay)
		scrollback_bottom(screen_lines(s));
	s->mode = SCREEN_TYPING;
}

static void
search_again(struct screen *s, int direction)
{
	if (!scrollback_again(screen_lines(s), direction))
		screen_hint(s, direction < 0 ? "nothing before this one"
					     : "nothing behind this one");
}

static void
searching(struct screen *s, const struct stroke *k)
{
	switch (k->kind) {
	case STROKE_TEXT:
		if (editor_insert(&s->search, k->text, NULL) == Q_OK)
			search_now(s);
		break;
	case STROKE_BACKSPACE:
		editor_delete(&s->search, EDITOR_LEFT);
		search_now(s);
		break;
	case STROKE_UP: search_again(s, -1); break;
	case STROKE_DOWN: search_again(s, 1); break;
	case STROKE_ENTER: search_end(s, true); break;
	case STROKE_ESCAPE: search_end(s, false); break;
	case STROKE_CTRL:
		if (k->letter == 'r')
			search_again(s, -1);
		else if (k->letter == 's')
			search_again(s, 1);
		else if (k->letter == 'c' || k->letter == 'g')
			search_end(s, false);
		else if (k->letter == 'u')
			screen_search(s, span_of(NULL, 0));
		break;
	default: (void)scrolls(s, k);
	}
}

/* ---- pasting ---- */

static size_t
count_lines(struct span text)
{
	size_t n = 1;

	for (size_t i = 0; i < text.len; i++)
		n += text.p[i] == '\n' ||
		     (text.p[i] == '\r' && (i + 1 == text.len || text.p[i + 1] != '\n'));
	return n;
}

static void
insert(struct screen *s, struct span text)
{
	size_t dropped = 0;

	if (editor_insert(&s->editor, text, &dropped) != Q_OK)
		screen_hint(s, "too long: at most %zu bytes can be said at once",
			    s->front.protocol->text_max);
	else if (dropped > 0)
		screen_hint(s, "%zu characters that cannot be typed were left out",
			    dropped);
}

static void
paste(struct screen *s, struct span text)
{
	/* The newline behind the last line is rarely meant. */
	while (text.len > 0 &&
	       (text.p[text.len - 1] == '\n' || text.p[text.len - 1] == '\r'))
		text.len--;
	if (text.len == 0)
		return;
	s->pasted.len = 0;
	if (count_lines(text) <= SCREEN_PASTE_LINES ||
	    buf_put_span(&s->pasted, text) != Q_OK) {
		insert(s, text);
		return;
	}
	s->mode = SCREEN_PASTING;
	screen_hint(s, "put in %zu pasted lines as one message? y or n",
		    count_lines(text));
	s->hint_until_ms = INT64_MAX;
}

static void
pasting(struct screen *s, const struct stroke *k)
{
	bool yes = k->kind == STROKE_ENTER ||
		   (k->kind == STROKE_TEXT && (k->text.p[0] | 0x20) == 'y');
	bool no = k->kind == STROKE_ESCAPE ||
		  (k->kind == STROKE_CTRL && k->letter == 'c') ||
		  (k->kind == STROKE_TEXT && (k->text.p[0] | 0x20) == 'n');

	if (!yes && !no)
		return;
	s->mode = SCREEN_TYPING;
	s->hint[0] = '\0';
	if (yes)
		insert(s, buf_span(&s->pasted));
	s->pasted.len = 0;
}

/* ---- typing ---- */

static void
enter(struct screen *s)
{
	struct buf line = BUF_INIT(s->editor.text.max);

	if (screen_line(s, buf_span(&s->editor.text)))
		editor_take(&s->editor, &line);
	buf_wipe(&line);
}

static void
interrupt(struct screen *s)
{
	if (s->editor.text.len > 0) {
		editor_clear(&s->editor);
		screen_hint(s, "cleared; Up brings it back");
	} else if (clock_mono_ms() < s->again_until_ms) {
		screen_leave(s, false);
	} else {
		s->again_until_ms = clock_mono_ms() + SCREEN_AGAIN_MS;
		screen_hint(s, "Ctrl-C again leaves, as Ctrl-D and /quit do");
	}
}

static void
control(struct screen *s, char letter)
{
	struct editor *e = &s->editor;

	switch (letter) {
	case 'a': editor_move(e, EDITOR_HOME); break;
	case 'b': editor_move(e, EDITOR_LEFT); break;
	case 'c': interrupt(s); break;
	case 'd':
		if (e->text.len > 0)
			editor_delete(e, EDITOR_RIGHT);
		else
			screen_leave(s, false);
		break;
	case 'e': editor_move(e, EDITOR_END); break;
	case 'f': editor_move(e, EDITOR_RIGHT); break;
	case 'j': insert(s, span_str("\n")); break;
	case 'k': editor_kill(e, EDITOR_END); break;
	case 'l': terminal_forget(); break;
	case 'n': (void)editor_newer(e); break;
	case 'p': (void)editor_older(e); break;
	case 'r': screen_search(s, span_of(NULL, 0)); break;
	case 't': editor_transpose(e); break;
	case 'u': editor_kill(e, EDITOR_HOME); break;
	case 'w': editor_kill(e, EDITOR_WORD_LEFT); break;
	case 'y': editor_yank(e); break;
	case 'z': terminal_suspend(); break;
	default: break;
	}
}

static void
alt(struct screen *s, char letter)
{
	struct editor *e = &s->editor;

	switch (letter) {
	case 'b': editor_move(e, EDITOR_WORD_LEFT); break;
	case 'f': editor_move(e, EDITOR_WORD_RIGHT); break;
	case 'd': editor_kill(e, EDITOR_WORD_RIGHT); break;
	case 0x7f:
	case '\b': editor_kill(e, EDITOR_WORD_LEFT); break;
	case '\r':
	case '\n': insert(s, span_str("\n")); break;
	case 'a': screen_views_unread(s); break;
	case 'n': screen_views_go(s, views_beside(&s->views, 1)); break;
	case 'p': screen_views_go(s, views_beside(&s->views, -1)); break;
	case '<': scrollback_top(screen_lines(s)); break;
	case '>': scrollback_bottom(screen_lines(s)); break;
	default:
		if (letter >= '1' && letter <= '9' &&
		    (size_t)(letter - '1') < s->views.count)
			screen_views_go(s, s->views.all[letter - '1']);
		break;
	}
}

/* Home and End: of the line; where that is empty, of all that was said. */
static void
home_or_end(struct screen *s, bool home)
{
	if (s->editor.text.len > 0)
		editor_move(&s->editor, home ? EDITOR_HOME : EDITOR_END);
	else if (home)
		scrollback_top(screen_lines(s));
	else
		scrollback_bottom(screen_lines(s));
}

static void
tab(struct screen *s, int step)
{
	if (!completion_tab(&s->tab, &s->editor, &s->people, step))
		screen_hint(s, "nothing begins like that");
}

static void
typing(struct screen *s, const struct stroke *k)
{
	struct editor *e = &s->editor;

	if (k->kind != STROKE_TAB && k->kind != STROKE_BACK_TAB)
		completion_reset(&s->tab);
	switch (k->kind) {
	case STROKE_TEXT: insert(s, k->text); break;
	case STROKE_ENTER: enter(s); break;
	case STROKE_CTRL: control(s, k->letter); break;
	case STROKE_ALT: alt(s, k->letter); break;
	case STROKE_LEFT: editor_move(e, EDITOR_LEFT); break;
	case STROKE_RIGHT: editor_move(e, EDITOR_RIGHT); break;
	case STROKE_WORD_LEFT: editor_move(e, EDITOR_WORD_LEFT); break;
	case STROKE_WORD_RIGHT: editor_move(e, EDITOR_WORD_RIGHT); break;
	case STROKE_UP:
		if (!editor_row(e, -1))
			(void)editor_older(e);
		break;
	case STROKE_DOWN:
		if (!editor_row(e, 1))
			(void)editor_newer(e);
		break;
	case STROKE_HOME: home_or_end(s, true); break;
	case STROKE_END: home_or_end(s, false); break;
	case STROKE_BACKSPACE: editor_delete(e, EDITOR_LEFT); break;
	case STROKE_DELETE: editor_delete(e, EDITOR_RIGHT); break;
	case STROKE_TAB: tab(s, 1); break;
	case STROKE_BACK_TAB: tab(s, -1); break;
	case STROKE_ESCAPE: scrollback_bottom(screen_lines(s)); break;
	default: (void)scrolls(s, k);
	}
}

/* ---- the help ---- */

static void
helping(struct screen *s, const struct stroke *k)
{
	int page = screen_lines(s)->height > 2 ? screen_lines(s)->height - 1 : 1;
	int last = screen_help_rows(s) - screen_lines(s)->height;

	switch (k->kind) {
	case STROKE_PAGE_DOWN: s->help_at += page; break;
	case STROKE_DOWN: s->help_at++; break;
	case STROKE_PAGE_UP: s->help_at -= page; break;
	case STROKE_UP: s->help_at--; break;
	case STROKE_HOME:
	case STROKE_TOP: s->help_at = 0; break;
	case STROKE_END:
	case STROKE_BOTTOM: s->help_at = last; break;
	case STROKE_TEXT:
		if (k->text.p[0] != ' ' && k->text.p[0] != 'q')
			break;
		if (k->text.p[0] == ' ' && s->help_at < last)
			s->help_at += page;
		else
			s->mode = SCREEN_TYPING;
		break;
	default: s->mode = SCREEN_TYPING;
	}
	if (s->help_at > last)
		s->help_at = last;
	if (s->help_at < 0)
		s->help_at = 0;
}

/* ---- all ---- */

static void
focus(struct screen *s, bool in)
{
	s->focus_known = true;
	s->focused = in;
	if (in)
		scrollback_look_back(screen_lines(s));
	else
		scrollback_look_away(screen_lines(s));
}

static void
toggle_people(struct screen *s)
{
	bool beside =
	    s->canvas.columns > screen_lines(s)->width || screen_lines(s)->width == 0;

	if (s->people_shown != LAYOUT_PEOPLE_AUTO)
		s->people_shown = LAYOUT_PEOPLE_AUTO;
	else
		s->people_shown = beside ? LAYOUT_PEOPLE_HIDE : LAYOUT_PEOPLE_SHOW;
}

void
screen_stroke(struct screen *s, const struct stroke *k)
{
	switch (k->kind) {
	case STROKE_FOCUS_IN:
	case STROKE_FOCUS_OUT: focus(s, k->kind == STROKE_FOCUS_IN); return;
	case STROKE_F1:
		s->mode = s->mode == SCREEN_HELPING ? SCREEN_TYPING : SCREEN_HELPING;
		s->help_at = 0;
		return;
	case STROKE_F2: toggle_people(s); return;
	case STROKE_PASTE:
		if (s->mode == SCREEN_TYPING)
			paste(s, k->text);
		return;
	case STROKE_PASTE_TOO_LONG:
		screen_hint(s, "what was pasted is too long, and was left out");
		return;
	default: break;
	}
	switch (s->mode) {
	case SCREEN_TYPING: typing(s, k); break;
	case SCREEN_SEARCHING: searching(s, k); break;
	case SCREEN_PASTING: pasting(s, k); break;
	case SCREEN_HELPING: helping(s, k); break;
	}
}
