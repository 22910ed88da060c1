/* SPDX-License-Identifier: MIT
 *
 * screen.h - the front for a person at a terminal: the full screen.
 *
 *   screen.c       this: the loop, and what happens; screen_views.c whose lines are
 *                  shown, screen_keys.c what keys do, screen_draw.c what it looks like,
 *                  screen_help.c the help
 *   terminal.c     the terminal, there and back; terminal_out.c in its own language
 *   strokes.c      bytes to keys          glyph.c       text to glyphs and columns
 *   editor.c       the line being typed   canvas.c      glyphs to cells
 *   completion.c   Tab                    layout.c      where things stand
 *   people.c       who is there           scrollback.c  what was said; _search, _draw
 *   views.c        one scrollback for each partner
 *
 * One poll(2) for keys, signals and the network, as in plain.h.  The terminal is given
 * back however it ends.
 */
#ifndef CLIENT_SCREEN_H
#define CLIENT_SCREEN_H

#include "client/client.h"

/* Can the terminal show it?  Q_MISSING: no; why says what it lacks. */
enum qerr screen_able(struct why *why);
/* As plain_run; bell: ring when something comes while nobody looks. */
enum qerr screen_run(const struct target *target, const struct client_protocol *protocol,
		     const struct client_login *login, bool bell, struct why *why);

#endif
