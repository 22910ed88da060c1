/* SPDX-License-Identifier: MIT
 *
 * terminal.h - the one terminal of this process, as a full screen: its state and the
 * way back from it, its size, its signals, and a canvas brought to it.
 *
 * It stands on the terminfo layer of ncursesw.  The window layer above that has its own
 * idea of how wide a character is (libc's), and a line that it is wrong about stays
 * wrong; here each row is placed on its own, and behind a glyph whose width terminals
 * do not agree on the column is set anew.
 *
 * Whatever ends the process, except SIGKILL, gives the terminal back as it was.
 */
#ifndef CLIENT_TERMINAL_H
#define CLIENT_TERMINAL_H

#include "client/canvas.h"
#include "client/strokes.h"

/* Can this one (TERM, standard input and output) show a full screen?  Q_MISSING: no,
 * and why says what it lacks. */
enum qerr terminal_able(struct why *why);

/* Take it over.  Its own keys are made known to strokes.  Q_MISSING, Q_SYS, Q_NOMEM. */
enum qerr terminal_open(struct strokes *strokes, struct why *why);
/* Give it back; fine when it is not open. */
void terminal_close(void);

/* A byte there for each signal, which is its number: SIGWINCH, SIGCONT, SIGTSTP,
 * SIGTERM, SIGHUP, SIGINT. */
int terminal_signal_fd(void);
/* The next one; 0: none. */
int terminal_signal(void);
void terminal_size(int *rows, int *columns);
/* Give it back, stop the process as Ctrl-Z does, and take it over again. */
void terminal_suspend(void);

/* Show c.  Only what has changed is written.  Q_SYS: the terminal is gone. */
enum qerr terminal_paint(const struct canvas *c);
/* The next terminal_paint writes everything. */
void terminal_forget(void);
void terminal_bell(void);

#endif
