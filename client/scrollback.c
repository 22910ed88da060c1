/* SPDX-License-Identifier: MIT
 *
 * The place where one reads is kept as a line and a row in it, never as a distance from
 * the end: what comes below does not move what is being read, and a new width keeps the
 * line in sight.
 */
#include <stdlib.h>
#include <string.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>

#include "client/scrollback_inner.h"

enum qerr
scrollback_init(struct scrollback *s)
{
	*s = (struct scrollback){.follow = true, .next = 1};
	s->lines = calloc(SCROLLBACK_LINES, sizeof(*s->lines));
	return s->lines != NULL ? Q_OK : Q_NOMEM;
}

static void
drop_oldest(struct scrollback *s)
{
	struct scrollback_line *l = scrollback_at(s, 0);

	s->bytes -= l->len;
	freezero(l->text, l->len);
	l->text = NULL;
	s->first = (s->first + 1) % SCROLLBACK_LINES;
	s->count--;
	if (s->count == 0 || s->at < scrollback_at(s, 0)->number) {
		s->row = 0;
		s->at = l->number + 1;
		s->follow = s->follow || s->count == 0;
	}
	if (s->found <= l->number)
		s->found = 0;
}

void
scrollback_clear(struct scrollback *s)
{
	while (s->count > 0)
		drop_oldest(s);
	s->follow = true;
	s->mark = s->unseen = s->found = 0;
}

void
scrollback_fini(struct scrollback *s)
{
	if (s->lines == NULL)
		return;
	scrollback_clear(s);
	free(s->lines);
	s->lines = NULL;
}

/* ---- new lines ---- */

static void
set_text(struct scrollback_line *l, const struct words *w)
{
	size_t ours = strlen(w->ours), theirs = w->theirs.len;

	if (theirs > SCROLLBACK_LINE_MAX)
		theirs = SCROLLBACK_LINE_MAX;
	l->len = ours + theirs;
	if ((l->text = malloc(l->len + 1)) == NULL) {
		l->len = 0; /* an empty line says that there was one */
		return;
	}
	memcpy(l->text, w->ours, ours);
	if (theirs > 0)
		memcpy(l->text + ours, w->theirs.p, theirs);
}

static void
add_line(struct scrollback *s, const struct words *w, const char *name, int64_t now_ms)
{
	struct scrollback_line *l;

	while (s->count == SCROLLBACK_LINES ||
	       (s->count > 0 && s->bytes > SCROLLBACK_BYTES))
		drop_oldest(s);
	l = scrollback_at(s, s->count);
	*l = (struct scrollback_line){
	    .number = s->next++,
	    .kind = w->kind,
	    .old = w->old,
	    .time_ms = w->time_ms != 0 ? w->time_ms : now_ms,
	};
	strlcpy(l->name, name, sizeof(l->name));
	set_text(l, w);
	if (w->kind == WORDS_OWN)
		l->said = ++s->said;
	s->bytes += l->len;
	s->count++;
	if (!s->follow && w->kind != WORDS_OWN)
		s->unseen++;
}

void
scrollback_add(struct scrollback *s, const struct words *w, const char *own_name,
	       int64_t now_ms)
{
	const char *name = w->kind == WORDS_OWN       ? own_name
			   : w->kind == WORDS_MESSAGE ? w->name
						      : "";
	struct words rest;

	add_line(s, w, name, now_ms);
	if (w->theirs.len <= SCROLLBACK_LINE_MAX)
		return;
	words_set(&rest, WORDS_TROUBLE, "%zu bytes more of this are not shown here",
		  w->theirs.len - SCROLLBACK_LINE_MAX);
	add_line(s, &rest, "", now_ms);
}

void
scrollback_look_away(struct scrollback *s)
{
	if (s->mark == 0 || s->follow)
		s->mark = s->next;
}

void
scrollback_look_back(struct scrollback *s)
{
	if (s->mark == s->next)
		s->mark = 0;
}

void
scrollback_unmark(struct scrollback *s)
{
	s->mark = 0;
}

void
scrollback_unanswered(struct scrollback *s, size_t n)
{
	s->unanswered = n;
}

void
scrollback_doubt(struct scrollback *s)
{
	for (size_t i = s->count; s->unanswered > 0 && i-- > 0;) {
		struct scrollback_line *l = scrollback_at(s, i);

		if (l->said != 0 && s->said - l->said < s->unanswered)
			l->doubtful = true;
	}
	s->unanswered = 0;
}

/* ---- scrolling ---- */

/* A row of a line. */
struct place {
	size_t i;
	int row;
};

static struct place
bottom_of(const struct scrollback *s)
{
	size_t last = s->count - 1;

	return (struct place){last, scrollback_rows(s, last, s->width) - 1};
}

static struct place
current(const struct scrollback *s)
{
	struct place p = {scrollback_place(s, s->at), s->row};
	int rows;

	if (s->follow)
		return bottom_of(s);
	rows = scrollback_rows(s, p.i, s->width); /* perhaps fewer than before */
	if (p.row >= rows)
		p.row = rows - 1;
	return p;
}

static struct place
up(const struct scrollback *s, struct place p, int rows)
{
	while (rows > p.row && p.i > 0) {
		rows -= p.row + 1;
		p.i--;
		p.row = scrollback_rows(s, p.i, s->width) - 1;
	}
	p.row = rows > p.row ? 0 : p.row - rows;
	return p;
}

static struct place
down(const struct scrollback *s, struct place p, int rows)
{
	int left = scrollback_rows(s, p.i, s->width) - 1 - p.row;

	while (rows > left && p.i + 1 < s->count) {
		rows -= left + 1;
		p.i++;
		p.row = 0;
		left = scrollback_rows(s, p.i, s->width) - 1;
	}
	p.row += rows > left ? left : rows;
	return p;
}

static bool
before(struct place a, struct place b)
{
	return a.i < b.i || (a.i == b.i && a.row < b.row);
}

/* Show p as the last row, but no blank above the first one. */
static void
go(struct scrollback *s, struct place p)
{
	struct place least = down(s, (struct place){0, 0}, s->height - 1);
	struct place most = bottom_of(s);

	if (before(p, least))
		p = least;
	s->follow = !before(p, most);
	s->at = scrollback_at(s, p.i)->number;
	s->row = p.row;
	if (s->follow)
		s->unseen = 0;
}

void
scrollback_scroll(struct scrollback *s, int rows)
{
	if (s->count == 0 || s->width == 0)
		return;
	go(s, rows < 0 ? up(s, current(s), -rows) : down(s, current(s), rows));
}

void
scrollback_top(struct scrollback *s)
{
	if (s->count > 0 && s->width > 0)
		go(s, (struct place){0, 0});
}

void
scrollback_bottom(struct scrollback *s)
{
	s->follow = true;
	s->unseen = 0;
}

/* ---- what was found ---- */

bool
scrollback_again(struct scrollback *s, int direction)
{
	size_t i, start, end;

	if (s->needle[0] == '\0' || s->count == 0)
		return false;
	i = s->found != 0 ? scrollback_place(s, s->found) : direction < 0 ? s->count : 0;
	for (;;) {
		const struct scrollback_line *l;

		if (direction < 0 ? i == 0 : i + 1 >= s->count)
			return false;
		i = direction < 0 ? i - 1 : i + 1;
		l = scrollback_at(s, i);
		if (scrollback_match(s->needle, span_of(l->text, l->len), 0, &start,
				     &end) ||
		    scrollback_match(s->needle, span_str(l->name), 0, &start, &end))
			break;
	}
	s->found = scrollback_at(s, i)->number;
	if (s->width > 0) /* in the middle */
		go(s, down(s, (struct place){i, 0}, s->height / 2));
	return true;
}
