/* SPDX-License-Identifier: MIT
 *
 * rooms_account.h - what rooms' SIGNUP may hold (docs/protocols/rooms.md, "Account").
 * Pure.
 */
#ifndef PROTOCOL_ROOMS_ACCOUNT_H
#define PROTOCOL_ROOMS_ACCOUNT_H

#include "protocol/rooms.h"

#define ROOMS_EMAIL_MAX    256 /* bytes, as all of these */
#define ROOMS_FULLNAME_MAX 256
#define ROOMS_PASSWORD_MIN 8
#define ROOMS_PASSWORD_MAX 384
#define ROOMS_DATE_SIZE    11 /* "yyyy-mm-dd" and a NUL */

/* Every rule but those that need to look accounts up, in the page's order; now_ms is
 * wall-clock time.  ROOMS_SIG_OTHER: no objection. */
enum rooms_sig rooms_signup_check(const struct rooms_signup *s, int64_t now_ms);

/* One '@' with something on both sides, no spaces, no controls; any length. */
bool rooms_email_valid(struct span email);
/* dd/mm/yyyy, dd-mm-yyyy, yyyy-mm-dd or yyyy/mm/dd, a day that exists and that is over
 * (UTC): as yyyy-mm-dd.  Q_FORMAT. */
enum qerr rooms_dob_parse(struct span dob, int64_t now_ms, char out[ROOMS_DATE_SIZE]);
/* Are there control characters (C0, DEL, C1) in text, which is valid UTF-8? */
bool rooms_has_controls(struct span text);

#endif
