/* SPDX-License-Identifier: MIT
 *
 * enrol_code.h - the enrolment code: 80 random bits as 16 base32 characters (RFC 4648
 * section 6), shown in groups of four, kept in DIR/server/enroll-code.
 */
#ifndef SERVER_ENROL_CODE_H
#define SERVER_ENROL_CODE_H

#include "base/bytes.h"
#include "store/store.h"

#define ENROL_CODE_LEN  16 /* characters without dashes */
#define ENROL_CODE_SIZE 20 /* "XXXX-XXXX-XXXX-XXXX" and a NUL */

/* Read a code in either case, with or without dashes, white space around it
 * ignored; out has the shown form.  Q_FORMAT. */
enum qerr enrol_code_parse(struct span text, char out[ENROL_CODE_SIZE]);
/* The stored code.  Q_MISSING: there is none yet; Q_FORMAT: the file holds no
 * code; both with a sentence in why. */
enum qerr
enrol_code_read(struct store *store, char out[ENROL_CODE_SIZE], struct why *why);
/* For a start, which a damaged code must not prevent: when the file holds none, it
 * is set aside (and that is reported), so that a new one will be made. */
void enrol_code_set_aside_broken(struct store *store);
/* Make a new code and store it. */
enum qerr
enrol_code_make(struct store *store, char out[ENROL_CODE_SIZE], struct why *why);

#endif
