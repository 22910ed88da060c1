/* SPDX-License-Identifier: MIT
 *
 * tty.h - one question to the person at the terminal, wherever standard input comes
 * from.  Blocks.
 */
#ifndef CLIENT_TTY_H
#define CLIENT_TTY_H

#include <stddef.h>

#include "base/err.h"

enum tty_echo {
	TTY_ECHO,
	TTY_SECRET /* what is typed is not seen */
};

/* The answer without its newline, perhaps "".  Q_MISSING: there is no terminal;
 * Q_CLOSED: it was ended with Ctrl-D, or the terminal is gone; Q_LIMIT: it does not fit
 * size, of which nothing is given.  The caller wipes out. */
enum qerr tty_ask(const char *question, enum tty_echo echo, char *out, size_t size);

#endif
