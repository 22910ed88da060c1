/* SPDX-License-Identifier: MIT
 *
 * strokes.h - what a terminal sends, to what a person did: keys, pasted text, the
 * window that gets or loses the focus.  Pure; the bytes may come in any pieces.
 *
 * Terminals agree on few sequences beyond those of xterm; what terminfo says of this
 * one goes in with strokes_name.  What is not understood is swallowed, never text.
 */
#ifndef CLIENT_STROKES_H
#define CLIENT_STROKES_H

#include "base/bytes.h"

enum stroke_kind {
	STROKE_TEXT,  /* text: one or more characters, valid UTF-8 */
	STROKE_CTRL,  /* letter: Ctrl with it, 'a' to 'z' and others from '@' to '_' */
	STROKE_ALT,   /* letter: Alt with it, or Esc before it */
	STROKE_PASTE, /* text: as it was pasted, any bytes */
	STROKE_PASTE_TOO_LONG,
	STROKE_UP,
	STROKE_DOWN,
	STROKE_LEFT,
	STROKE_RIGHT,
	STROKE_WORD_LEFT, /* with Ctrl or Alt */
	STROKE_WORD_RIGHT,
	STROKE_HOME,
	STROKE_END,
	STROKE_PAGE_UP,
	STROKE_PAGE_DOWN,
	STROKE_TOP, /* Home and End with Ctrl */
	STROKE_BOTTOM,
	STROKE_DELETE,
	STROKE_BACKSPACE,
	STROKE_ENTER,
	STROKE_TAB,
	STROKE_BACK_TAB,
	STROKE_ESCAPE,
	STROKE_F1,
	STROKE_F2,
	STROKE_FOCUS_IN,
	STROKE_FOCUS_OUT,
	STROKE_UNKNOWN
};

struct stroke {
	enum stroke_kind kind;
	char letter;
	struct span text; /* borrowed until the next strokes_read */
};

#define STROKES_NAMES     24
#define STROKES_PASTE_MAX (1024 * 1024)

struct strokes {
	struct buf in;
	size_t used; /* of in */
	bool pasting, too_long;
	size_t searched; /* of in, for the end of what is pasted */
	struct {
		char bytes[16];
		enum stroke_kind kind;
	} names[STROKES_NAMES];
	size_t name_count;
};

void strokes_init(struct strokes *s);
void strokes_fini(struct strokes *s); /* wipes */
/* This terminal sends bytes for kind; NULL: it has no such key. */
void strokes_name(struct strokes *s, const char *bytes, enum stroke_kind kind);
/* Bytes have come.  Q_NOMEM, Q_LIMIT: they were dropped. */
enum qerr strokes_read(struct strokes *s, struct span bytes);
/* The next stroke.  Q_SHORT: none, or only the beginning of one.  final: nothing more
 * has come for a while, so that a lone Esc is the key of that name. */
enum qerr strokes_next(struct strokes *s, bool final, struct stroke *out);
/* There is the beginning of one. */
bool strokes_pending(const struct strokes *s);
#define STROKES_WAIT_MS 50 /* the while; over slow lines sequences come in pieces */

#endif
