/* SPDX-License-Identifier: MIT
 *
 * rooms_join.h - before rooms begins: a new account with what a person is asked for, or
 * the password; either ends with a token.  Talks on the terminal, or with a script, and
 * blocks.
 *
 * A script's answers are lines of its input, in this order: the password (unless
 * QUINTET_PASSWORD or --password-file has it), and for --register the e-mail address, the
 * full name and the date of birth; then the digits of each captcha, whose picture is in
 * the file that is named.
 */
#ifndef CLIENT_ROOMS_JOIN_H
#define CLIENT_ROOMS_JOIN_H

#include "client/ask.h"
#include "client/options.h"
#include "client/rooms_state.h"

/* Get a token for login->user into login->rooms; sign_up: after making the account.  why
 * is a sentence. */
enum qerr rooms_join_run(const struct options *o, struct client_login *login,
			 const struct ask_source *source, bool sign_up, struct why *why);

#endif
