/* SPDX-License-Identifier: MIT
 *
 * node_play.h - a script under Node that talks to a server of a test, and says what is to
 * be done to the server: a line "do: WORDS", which is answered "done" on its input.
 *
 *	stop, start, restart	as said; the port stays
 *	crash			kill -9, and start
 *	freeze NAME		the script itself stands still, until the server takes NAME
 *				for gone
 *	kick NAME		server ctl kick
 *	say TEXT		server ctl say
 */
#ifndef TESTS_SYSTEM_NODE_PLAY_H
#define TESTS_SYSTEM_NODE_PLAY_H

#include "tests/system/harness.h"

/* False, after saying so, without Node or without this package in build/npm. */
bool node_has(const char *package);
/* node SCRIPT build/npm PORT ARGS...; the test fails unless it ends with status 0. */
void node_play(struct harness *h, const char *script, const char *arg, ...)
    __attribute__((sentinel));

#endif
