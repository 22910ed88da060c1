/* SPDX-License-Identifier: MIT
 *
 * Sources: ECMA-48 5.4 (control sequences), xterm's ctlseqs ("PC-Style Function Keys",
 * "Bracketed Paste Mode", "FocusIn/FocusOut").
 */
#include "client/strokes.h"

#include <string.h>

#include <utf8proc.h>

#define ESC         0x1b
#define PASTE_BEGIN "\x1b[200~"
#define PASTE_END   "\x1b[201~"
#define PASTE_LEN   (sizeof(PASTE_END) - 1)
/* A sequence that goes on longer is none. */
#define SEQUENCE_MAX 64

void
strokes_init(struct strokes *s)
{
	*s = (struct strokes){.in = BUF_INIT(STROKES_PASTE_MAX + 65536)};
}

void
strokes_fini(struct strokes *s)
{
	buf_wipe(&s->in);
}

void
strokes_name(struct strokes *s, const char *bytes, enum stroke_kind kind)
{
	size_t len = bytes != NULL ? strlen(bytes) : 0;

	/* Single bytes are understood anyway, and must not become something else. */
	if (len < 2 || len >= sizeof(s->names[0].bytes) || s->name_count == STROKES_NAMES)
		return;
	memcpy(s->names[s->name_count].bytes, bytes, len + 1);
	s->names[s->name_count++].kind = kind;
}

static struct span
rest_of(const struct strokes *s)
{
	return span_of(s->in.p + s->used, s->in.len - s->used);
}

bool
strokes_pending(const struct strokes *s)
{
	return s->in.len > s->used && !s->pasting;
}

/* Of a paste that is too long only the end is looked for. */
static void
drop_pasted(struct strokes *s)
{
	if (s->in.len <= STROKES_PASTE_MAX)
		return;
	s->too_long = true;
	buf_consume(&s->in, s->in.len - (PASTE_LEN - 1));
	s->searched = 0;
}

enum qerr
strokes_read(struct strokes *s, struct span bytes)
{
	buf_consume(&s->in, s->used);
	s->used = 0;
	if (s->pasting)
		drop_pasted(s);
	return buf_put_span(&s->in, bytes);
}

static bool
begins_with(struct span s, const char *what)
{
	size_t len = strlen(what);

	return s.len >= len && memcmp(s.p, what, len) == 0;
}

/* ---- sequences ---- */

/* CSI ... final, SS3 final: by their last byte. */
static enum stroke_kind
by_letter(char c, bool modified)
{
	switch (c) {
	case 'A': return STROKE_UP;
	case 'B': return STROKE_DOWN;
	case 'C': return modified ? STROKE_WORD_RIGHT : STROKE_RIGHT;
	case 'D': return modified ? STROKE_WORD_LEFT : STROKE_LEFT;
	case 'H': return modified ? STROKE_TOP : STROKE_HOME;
	case 'F': return modified ? STROKE_BOTTOM : STROKE_END;
	case 'M': return STROKE_ENTER; /* of the keypad */
	case 'P': return STROKE_F1;
	case 'Q': return STROKE_F2;
	case 'Z': return STROKE_BACK_TAB;
	case 'I': return STROKE_FOCUS_IN;
	case 'O': return STROKE_FOCUS_OUT;
	default: return STROKE_UNKNOWN;
	}
}

/* CSI number ~ */
static enum stroke_kind
by_number(unsigned n, bool modified)
{
	switch (n) {
	case 1:
	case 7: return modified ? STROKE_TOP : STROKE_HOME;
	case 3: return STROKE_DELETE;
	case 4:
	case 8: return modified ? STROKE_BOTTOM : STROKE_END;
	case 5: return STROKE_PAGE_UP;
	case 6: return STROKE_PAGE_DOWN;
	case 11: return STROKE_F1;
	case 12: return STROKE_F2;
	default: return STROKE_UNKNOWN;
	}
}

/* ESC [ parameters intermediates final.  Bytes of it; 0: more are needed. */
static size_t
control_sequence(struct span s, struct stroke *out)
{
	unsigned number = 0;
	bool modified = false;

	if (s.len > 3 && s.p[2] == '[') { /* the console's F1 and F2: ESC [ [ A */
		out->kind = s.p[3] == 'A'   ? STROKE_F1
			    : s.p[3] == 'B' ? STROKE_F2
					    : STROKE_UNKNOWN;
		return 4;
	}
	for (size_t i = 2; i < s.len && i < SEQUENCE_MAX; i++) {
		uint8_t c = s.p[i];

		if (c == '[' && i == 2)
			return 0;
		if (c >= '0' && c <= '9' && !modified && number < 1000)
			number = number * 10 + c - '0';
		modified = modified || c == ';';
		if (c >= 0x20 && c < 0x40)
			continue;
		out->kind = STROKE_UNKNOWN;
		if (c < 0x40 || c > 0x7e) /* it was none: what comes now is itself */
			return i;
		out->kind =
		    c == '~' ? by_number(number, modified) : by_letter((char)c, modified);
		return i + 1;
	}
	out->kind = STROKE_UNKNOWN;
	return s.len < SEQUENCE_MAX ? 0 : SEQUENCE_MAX;
}

/* Bytes of the key that terminfo has named so; 0: none. */
static size_t
named(const struct strokes *s, struct span in, struct stroke *out)
{
	for (size_t i = 0; i < s->name_count; i++)
		if (begins_with(in, s->names[i].bytes)) {
			out->kind = s->names[i].kind;
			return strlen(s->names[i].bytes);
		}
	return 0;
}

static size_t
alt(struct span in, struct stroke *out)
{
	out->kind = STROKE_ALT;
	out->letter = (char)in.p[1];
	if (in.p[1] == ESC || in.p[1] >= 0x80) {
		out->kind = STROKE_ESCAPE;
		return 1;
	}
	return 2;
}

static size_t
escape(const struct strokes *s, struct span in, bool final, struct stroke *out)
{
	size_t n = named(s, in, out);

	if (n > 0)
		return n;
	if (in.len == 1 || (in.len == 2 && (in.p[1] == '[' || in.p[1] == 'O'))) {
		if (!final)
			return 0;
		if (in.len == 2)
			return alt(in, out);
		out->kind = STROKE_ESCAPE;
		return 1;
	}
	if (in.p[1] == 'O') {
		out->kind = by_letter((char)in.p[2], false);
		return 3;
	}
	if (in.p[1] != '[')
		return alt(in, out);
	n = control_sequence(in, out);
	if (n == 0 && final) {
		out->kind = STROKE_UNKNOWN;
		n = in.len;
	}
	return n;
}

/* ---- the rest ---- */

static size_t
control(uint8_t c, struct stroke *out)
{
	switch (c) {
	case '\r': out->kind = STROKE_ENTER; break;
	case '\t': out->kind = STROKE_TAB; break;
	case 0x7f:
	case '\b': out->kind = STROKE_BACKSPACE; break;
	default:
		out->kind = STROKE_CTRL;
		out->letter =
		    (char)(c + '@' >= 'A' && c + '@' <= 'Z' ? c + 'a' - 1 : c + '@');
	}
	return 1;
}

/* As many characters as there are. */
static size_t
text(struct span in, bool final, struct stroke *out)
{
	utf8proc_int32_t cp;
	size_t len = 0;

	while (len < in.len && in.p[len] >= 0x20 && in.p[len] != 0x7f) {
		utf8proc_ssize_t n =
		    utf8proc_iterate(in.p + len, (utf8proc_ssize_t)(in.len - len), &cp);

		if (n <= 0)
			break;
		len += (size_t)n;
	}
	if (len == 0) {
		if (in.len < 4 && !final)
			return 0; /* the first bytes of one */
		out->kind = STROKE_UNKNOWN;
		return 1;
	}
	out->kind = STROKE_TEXT;
	out->text = span_of(in.p, len);
	return len;
}

static enum qerr
pasted(struct strokes *s, struct stroke *out)
{
	struct span in = rest_of(s);
	const uint8_t *end =
	    in.len > s->searched
		? memmem(in.p + s->searched, in.len - s->searched, PASTE_END, PASTE_LEN)
		: NULL;

	if (end == NULL) {
		s->searched = in.len < PASTE_LEN ? 0 : in.len - (PASTE_LEN - 1);
		return Q_SHORT;
	}
	out->kind = s->too_long ? STROKE_PASTE_TOO_LONG : STROKE_PASTE;
	out->text = span_of(in.p, (size_t)(end - in.p));
	if (out->text.len > STROKES_PASTE_MAX)
		out->kind = STROKE_PASTE_TOO_LONG;
	s->used += out->text.len + PASTE_LEN;
	s->pasting = s->too_long = false;
	return Q_OK;
}

enum qerr
strokes_next(struct strokes *s, bool final, struct stroke *out)
{
	struct stroke k = {.kind = STROKE_UNKNOWN, .text = span_of(NULL, 0)};
	struct span in = rest_of(s);
	enum qerr e = Q_SHORT;
	size_t n;

	if (!s->pasting && begins_with(in, PASTE_BEGIN)) {
		s->pasting = true;
		s->used += PASTE_LEN;
		s->searched = 0;
	}
	if (s->pasting) {
		if ((e = pasted(s, &k)) == Q_OK)
			*out = k;
		return e;
	}
	if (in.len == 0)
		return Q_SHORT;
	if (in.p[0] == ESC)
		n = escape(s, in, final, &k);
	else if (in.p[0] < 0x20 || in.p[0] == 0x7f)
		n = control(in.p[0], &k);
	else
		n = text(in, final, &k);
	if (n == 0)
		return Q_SHORT;
	s->used += n;
	*out = k;
	return Q_OK;
}
