/* SPDX-License-Identifier: MIT
 *
 * screen_inner.h - what the files of the screen share: screen.c the loop and what
 * happens, screen_views.c whose lines are shown, screen_keys.c what keys do, screen_draw.c
 * what it looks like, screen_help.c the help, screen_leave.c the end.
 */
#ifndef CLIENT_SCREEN_INNER_H
#define CLIENT_SCREEN_INNER_H

#include "client/completion.h"
#include "client/front.h"
#include "client/layout.h"
#include "client/people.h"
#include "client/strokes.h"
#include "client/views.h"

#define SCREEN_HINT_MS  5000
#define SCREEN_AGAIN_MS 3000 /* for the second Ctrl-C */
/* More pasted lines than this are put in only after a question. */
#define SCREEN_PASTE_LINES 8

enum screen_mode {
	SCREEN_TYPING,
	SCREEN_SEARCHING,
	SCREEN_PASTING, /* "put these lines in?" */
	SCREEN_HELPING
};

/* A file on its way. */
struct screen_file {
	bool shown;
	char name[NAME_SIZE];
	char called[64]; /* made visible */
	struct client_transfer state;
};

struct screen {
	struct front front;
	const char *user;
	char server[TARGET_TEXT_SIZE];
	enum screen_mode mode;
	struct strokes strokes;
	struct editor editor, search;
	struct completion tab;
	struct views views;
	char chat[NAME_SIZE]; /* where the event of now belongs; "": nowhere */
	struct people people;
	struct canvas canvas;
	enum layout_people people_shown;
	struct screen_file files[2]; /* coming, going */
	int help_at;                 /* first row of the help that is shown */
	struct buf pasted;           /* SCREEN_PASTING */
	struct buf waiting;          /* lines taken, not done yet: length u32, line */
	struct buf parting;          /* to be said when the screen has gone: the same */
	char hint[160];              /* of the moment; "": none */
	int64_t hint_until_ms, again_until_ms;
	int64_t typed_ms; /* the last stroke */
	bool bell, ring;
	bool focus_known, focused;
	bool was_in;     /* there has been a login */
	bool quits;      /* as soon as what waits is done */
	bool mute;       /* what is said now answers our own question */
	unsigned to_ask; /* lists to be asked for: bits, 1 << verb */
	bool asking;     /* one of them is under way: */
	enum client_verb asked;
	int64_t ask_ms; /* when to ask again who is here; 0: not */
	bool gone;      /* the terminal */
	bool over;      /* leave */
};

/* What is shown. */
static inline struct scrollback *
screen_lines(struct screen *s)
{
	return &s->views.now->lines;
}

/* ---- screen.c ---- */
/* Say it in the row of hints for a while. */
void
screen_hint(struct screen *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A text of several lines, or what command_parse says. */
enum qerr screen_parse(struct span line, struct command *c, struct why *why);
/* A line has been typed.  False: not now, keep it. */
bool screen_line(struct screen *s, struct span line);

/* ---- screen_views.c ---- */
/* Where does e belong?  Shows that when it has become the partner.  True: e says no more
 * than that one has come back there. */
bool screen_views_heard(struct screen *s, const struct client_event *e);
/* Is what is shown what the partner hears? */
bool screen_views_heeded(const struct screen *s);
/* Show it, and speak to them from now on, if there is a chat. */
void screen_views_go(struct screen *s, struct view *view);
/* To the next one where something is unread. */
void screen_views_unread(struct screen *s);
/* /view NAME */
void screen_views_named(struct screen *s, struct span name);
/* Before drawing: what the list of people has to know. */
void screen_views_settle(struct screen *s);

/* ---- screen_keys.c ---- */
void screen_stroke(struct screen *s, const struct stroke *k);
void screen_search(struct screen *s, struct span text);

/* ---- screen_draw.c ---- */
void screen_draw(struct screen *s);

/* ---- screen_leave.c ---- */
/* /quit or /logout. */
bool screen_leaves(enum command_verb verb);
/* Log out and leave, or leave at once when that has been asked for already.  forget: as
 * front_forget. */
void screen_leave(struct screen *s, bool forget);
/* A line is placed: should it be read once more when the screen has gone? */
void screen_part(struct screen *s, const struct words *w);
/* The screen has gone: the end of the connection, and what there is to be said then. */
void screen_farewell(struct screen *s);

/* ---- screen_help.c ---- */
/* At this width. */
int screen_help_rows(struct screen *s);
void screen_help_draw(struct screen *s, int top, int bottom);

#endif
