/* SPDX-License-Identifier: MIT
 *
 * rooms_account.h - a machine that makes an account of rooms, or proves a password, and
 * ends with a token in the login's rooms_state: the machine of rooms.h, which talks, logs
 * in with that and never sees a password.
 *
 *	rooms channel -> [SIGNUP -> captcha] -> LOGIN -> [captcha] -> [chat key] -> token
 *
 * A captcha is told (CLIENT_CAPTCHA), and the phase is CLIENT_PHASE_ASKED until
 * CLIENT_DO_ANSWER brings the digits.  It ends with CLIENT_LOGGED_OUT when the token is
 * there.
 */
#ifndef CLIENT_ROOMS_ACCOUNT_H
#define CLIENT_ROOMS_ACCOUNT_H

#include "client/protocol.h"

#define ROOMS_CAPTCHA_TRIES 3

/* What is wanted; borrowed by the login. */
struct rooms_wish {
	bool sign_up;
	const char *email, *fullname, *birth; /* sign_up */
	const char *password;
	bool save; /* a token for a month, not for a day */
};

extern const struct client_protocol client_rooms_account;

#endif
