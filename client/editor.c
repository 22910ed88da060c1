/* SPDX-License-Identifier: MIT */
#include "client/editor.h"

#include <stdlib.h>
#include <string.h>

#include <bsd/stdlib.h>
#include <utf8proc.h>

#define REPLACEMENT "\xef\xbf\xbd"

void
editor_init(struct editor *e, size_t max)
{
	*e = (struct editor){
	    .text = BUF_INIT(max),
	    .killed = BUF_INIT(max),
	    .draft = BUF_INIT(max),
	};
}

void
editor_fini(struct editor *e)
{
	buf_wipe(&e->text);
	buf_wipe(&e->killed);
	buf_wipe(&e->draft);
	for (size_t i = 0; i < e->history_count; i++)
		freezero(e->history[i], strlen(e->history[i]));
	e->history_count = 0;
}

/* ---- places ---- */

static struct span
from(const struct editor *e, size_t pos)
{
	return span_of(e->text.p + pos, e->text.len - pos);
}

static size_t
line_start(const struct editor *e, size_t pos)
{
	while (pos > 0 && e->text.p[pos - 1] != '\n')
		pos--;
	return pos;
}

static size_t
line_end(const struct editor *e, size_t pos)
{
	while (pos < e->text.len && e->text.p[pos] != '\n')
		pos++;
	return pos;
}

static size_t
before(const struct editor *e, size_t pos)
{
	size_t start = line_start(e, pos);

	if (pos == start)
		return pos > 0 ? pos - 1 : 0; /* the newline */
	return start + glyph_before(from(e, start), pos - start);
}

static size_t
after(const struct editor *e, size_t pos)
{
	struct glyph g;

	if (pos == e->text.len)
		return pos;
	glyph_next(from(e, pos), &g);
	return pos + g.used;
}

/* Letters, digits and all that is not ASCII. */
static bool
word_at(const struct editor *e, size_t pos)
{
	uint8_t c = e->text.p[pos];

	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z') || c >= 0x80 || c == '_';
}

static size_t
target(const struct editor *e, enum editor_move move)
{
	size_t pos = e->cursor;

	switch (move) {
	case EDITOR_LEFT: return before(e, pos);
	case EDITOR_RIGHT: return after(e, pos);
	case EDITOR_WORD_LEFT:
		while (pos > 0 && !word_at(e, before(e, pos)))
			pos = before(e, pos);
		while (pos > 0 && word_at(e, before(e, pos)))
			pos = before(e, pos);
		return pos;
	case EDITOR_WORD_RIGHT:
		while (pos < e->text.len && !word_at(e, pos))
			pos = after(e, pos);
		while (pos < e->text.len && word_at(e, pos))
			pos = after(e, pos);
		return pos;
	case EDITOR_HOME: return line_start(e, pos);
	case EDITOR_END: return line_end(e, pos);
	case EDITOR_FIRST: return 0;
	case EDITOR_LAST: return e->text.len;
	}
	return pos;
}

/* ---- changes ---- */

/* Text as it may stand in the line.  Q_LIMIT, Q_NOMEM. */
static enum qerr
clean(struct span s, struct buf *out, size_t *dropped)
{
	enum qerr e = Q_OK;

	while (s.len > 0 && e == Q_OK) {
		utf8proc_int32_t cp;
		utf8proc_ssize_t n = utf8proc_iterate(s.p, (utf8proc_ssize_t)s.len, &cp);

		if (n <= 0) {
			n = 1;
			e = buf_put_str(out, REPLACEMENT);
			++*dropped;
		} else if (cp == '\r') {
			if (s.len > 1 && s.p[1] == '\n')
				n = 2;
			e = buf_put_u8(out, '\n');
		} else if ((cp < 0x20 && cp != '\n' && cp != '\t') ||
			   (cp >= 0x7f && cp < 0xa0)) {
			++*dropped;
		} else {
			e = buf_put(out, s.p, (size_t)n);
		}
		s = span_of(s.p + n, s.len - (size_t)n);
	}
	return e;
}

enum qerr
editor_replace(struct editor *e, size_t start, size_t end, struct span text)
{
	size_t tail = e->text.len - end;
	enum qerr q = text.len > end - start
			  ? buf_reserve(&e->text, text.len - (end - start))
			  : Q_OK;

	if (q != Q_OK)
		return q;
	if (e->text.p == NULL) /* nothing in, nothing to put */
		return Q_OK;
	memmove(e->text.p + start + text.len, e->text.p + end, tail);
	if (text.len > 0)
		memcpy(e->text.p + start, text.p, text.len);
	e->text.len = start + text.len + tail;
	e->cursor = start + text.len;
	e->killing = false;
	return Q_OK;
}

enum qerr
editor_insert(struct editor *e, struct span text, size_t *dropped)
{
	struct buf good = BUF_INIT(e->text.max);
	size_t count = 0;
	enum qerr q = clean(text, &good, &count);

	if (q == Q_OK)
		q = editor_replace(e, e->cursor, e->cursor, buf_span(&good));
	if (q == Q_OK && dropped != NULL)
		*dropped = count;
	buf_wipe(&good);
	return q;
}

void
editor_set(struct editor *e, struct span text)
{
	(void)editor_replace(e, 0, e->text.len, text); /* of a line that did fit */
}

void
editor_move(struct editor *e, enum editor_move move)
{
	e->cursor = target(e, move);
	e->killing = false;
}

void
editor_delete(struct editor *e, enum editor_move move)
{
	size_t to = target(e, move), a = to < e->cursor ? to : e->cursor,
	       b = to < e->cursor ? e->cursor : to;

	(void)editor_replace(e, a, b, span_of(NULL, 0)); /* shrinks: cannot fail */
}

void
editor_kill(struct editor *e, enum editor_move move)
{
	size_t to = target(e, move), a, b;
	bool back = to < e->cursor, more = e->killing;
	struct buf all = BUF_INIT(e->killed.max);

	if (to == e->cursor && move == EDITOR_END)
		to = after(e, to); /* the newline */
	a = back ? to : e->cursor;
	b = back ? e->cursor : to;
	if (a == b)
		return;
	if ((!more || back || buf_put_span(&all, buf_span(&e->killed)) == Q_OK) &&
	    buf_put(&all, e->text.p + a, b - a) == Q_OK &&
	    (!more || !back || buf_put_span(&all, buf_span(&e->killed)) == Q_OK)) {
		buf_wipe(&e->killed);
		e->killed = all;
	} else {
		buf_wipe(&all);
	}
	(void)editor_replace(e, a, b, span_of(NULL, 0));
	e->killing = true;
}

void
editor_yank(struct editor *e)
{
	(void)editor_replace(e, e->cursor, e->cursor, buf_span(&e->killed));
}

void
editor_transpose(struct editor *e)
{
	size_t mid = e->cursor == e->text.len ? before(e, e->cursor) : e->cursor;
	size_t a = before(e, mid), b = after(e, mid);
	struct buf both = BUF_INIT(e->text.max);

	if (a < mid && mid < b && buf_put(&both, e->text.p + mid, b - mid) == Q_OK &&
	    buf_put(&both, e->text.p + a, mid - a) == Q_OK)
		(void)editor_replace(e, a, b, buf_span(&both));
	buf_wipe(&both);
}

bool
editor_row(struct editor *e, int by)
{
	size_t start = line_start(e, e->cursor), end = line_end(e, e->cursor), to;
	int columns = glyph_columns(span_of(e->text.p + start, e->cursor - start));

	if (e->text.len == 0 || (by < 0 ? start == 0 : end == e->text.len))
		return false;
	to = by < 0 ? line_start(e, start - 1) : end + 1;
	e->cursor =
	    to + glyph_fit(span_of(e->text.p + to, line_end(e, to) - to), columns);
	e->killing = false;
	return true;
}

/* ---- history ---- */

static void
remember(struct editor *e)
{
	size_t n = e->history_count;
	char *line;

	e->history_at = n;
	if (e->text.len == 0 || memchr(e->text.p, '\0', e->text.len) != NULL)
		return;
	if (n > 0 && span_eq(span_str(e->history[n - 1]), buf_span(&e->text)))
		return;
	if ((line = malloc(e->text.len + 1)) == NULL)
		return; /* a comfort; the line itself is not lost */
	memcpy(line, e->text.p, e->text.len);
	line[e->text.len] = '\0';
	if (n == EDITOR_HISTORY) {
		freezero(e->history[0], strlen(e->history[0]));
		memmove(&e->history[0], &e->history[1], (n - 1) * sizeof(e->history[0]));
		n--;
	}
	e->history[n] = line;
	e->history_count = e->history_at = n + 1;
}

static void
show_history(struct editor *e)
{
	if (e->history_at == e->history_count)
		editor_set(e, buf_span(&e->draft));
	else
		editor_set(e, span_str(e->history[e->history_at]));
}

bool
editor_older(struct editor *e)
{
	if (e->history_at == 0)
		return false;
	if (e->history_at == e->history_count) {
		e->draft.len = 0;
		if (buf_put_span(&e->draft, buf_span(&e->text)) != Q_OK)
			return false;
	}
	e->history_at--;
	show_history(e);
	return true;
}

bool
editor_newer(struct editor *e)
{
	if (e->history_at == e->history_count)
		return false;
	e->history_at++;
	show_history(e);
	return true;
}

void
editor_clear(struct editor *e)
{
	remember(e);
	e->text.len = e->cursor = e->draft.len = 0;
	e->killing = false;
}

void
editor_take(struct editor *e, struct buf *out)
{
	struct buf taken = e->text;

	remember(e);
	buf_wipe(out);
	*out = taken;
	e->text = (struct buf)BUF_INIT(taken.max);
	e->cursor = e->draft.len = 0;
	e->killing = false;
}
