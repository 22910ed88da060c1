/* SPDX-License-Identifier: MIT
 *
 * terminal_out.h - what is written to the terminal, in its own language (terminfo).
 * For terminal.c.
 */
#ifndef CLIENT_TERMINAL_OUT_H
#define CLIENT_TERMINAL_OUT_H

#include "client/strokes.h"

/* Q_MISSING: TERM is not known, or its cursor cannot be placed. */
enum qerr terminal_out_able(struct why *why);
/* Tell strokes what its keys send. */
void terminal_out_keys(struct strokes *strokes);
/* Collect what switches to the full screen; what switches back: how many bytes. */
void terminal_out_begin(void);
size_t terminal_out_end(char *out, size_t size);
/* Write what was collected.  Q_SYS. */
enum qerr terminal_out_flush(void);
/* Free all memory. */
void terminal_out_forget(void);

#endif
