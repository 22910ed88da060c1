/* SPDX-License-Identifier: MIT
 *
 * enrol.h - becoming a user (docs/protocols/relay.md, "Enrolment"): 280, 281.
 *
 * The code never crosses the wire: it keys the proof that we send, and the proof
 * by which we trust the CA certificate that comes back.  Events: CLIENT_ENROLLED
 * and then CLIENT_LOGGED_OUT, or one of the other final ones.
 */
#ifndef CLIENT_ENROL_H
#define CLIENT_ENROL_H

#include "client/protocol.h"

/* login->code is as enrolment_code_parse made it. */
extern const struct client_protocol client_enrolment;

#define ENROLMENT_CODE_SIZE 17

/* A code as people type it: either case, with or without dashes and blanks.
 * Q_FORMAT: it is none. */
enum qerr enrolment_code_parse(struct span typed, char out[ENROLMENT_CODE_SIZE]);

#endif
