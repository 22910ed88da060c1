/* SPDX-License-Identifier: MIT
 *
 * tmux.h - the real client in full-screen terminals of a tmux of the test's own.
 *
 *	struct tmux *t = tmux_start(h);
 *	tmux_open(t, "alice", 80, 24, "TERM=screen-256color", "--user", "alice", NULL);
 *	tmux_until(t, "alice", "logged in as alice");
 *	tmux_type(t, "alice", "/list");
 *	tmux_key(t, "alice", "Enter");
 *	tmux_free(t);
 *
 * A window is named after its user, whose home is below the harness's folder.  All waits
 * are for something to be seen, and bounded; everything that goes wrong fails the test.
 * tmux dies with the test's process.
 */
#ifndef TESTS_SYSTEM_TMUX_H
#define TESTS_SYSTEM_TMUX_H

#include "tests/system/harness.h"

struct tmux;

struct tmux *tmux_start(struct harness *h);
void tmux_free(struct tmux *t);

/* Start the client there for the harness's server; setting is "NAME=value" for its
 * environment.  Its arguments, NULL at the end. */
void tmux_open(struct tmux *t, const char *who, int columns, int rows,
	       const char *setting, ...) __attribute__((sentinel));
/* Start any command: its words. */
void tmux_run(struct tmux *t, const char *who, int columns, int rows,
	      const char *const *words);
/* Remove the window of a program that has ended. */
void tmux_close(struct tmux *t, const char *who);
/* Text as it is; a key by tmux's name of it. */
void tmux_type(struct tmux *t, const char *who, const char *text);
void tmux_key(struct tmux *t, const char *who, const char *key);
/* Both: the text and Enter. */
void tmux_line(struct tmux *t, const char *who, const char *text);
/* Paste it as a person does, in brackets where the client has asked for these. */
void tmux_paste(struct tmux *t, const char *who, const char *text);
void tmux_resize(struct tmux *t, const char *who, int columns, int rows);

/* What is seen, rows behind each other; with colours: with their escape sequences.
 * Borrowed until the next call. */
const char *tmux_screen(struct tmux *t, const char *who);
const char *tmux_colours(struct tmux *t, const char *who);
bool tmux_shows(struct tmux *t, const char *who, const char *text);
/* Wait until it is seen, or is not seen any longer. */
void tmux_until(struct tmux *t, const char *who, const char *text);
void tmux_until_gone(struct tmux *t, const char *who, const char *text);
/* The same for a whole row, blanks at its end apart; where it begins with "12:34" any
 * time will do. */
void tmux_until_row(struct tmux *t, const char *who, const char *row);
/* Put what is seen into $QUINTET_BUILD/screens/NAME.txt, for people. */
void tmux_picture(struct tmux *t, const char *who, const char *name);
/* The program there has ended: its exit status, within the deadline. */
int tmux_status(struct tmux *t, const char *who);

#endif
