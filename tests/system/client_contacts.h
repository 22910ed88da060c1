/* SPDX-License-Identifier: MIT
 *
 * client_contacts.h - people with the real client at a server of contacts, for tests.
 */
#ifndef TESTS_SYSTEM_CLIENT_CONTACTS_H
#define TESTS_SYSTEM_CLIENT_CONTACTS_H

#include "tests/system/client_run.h"

#define CC_PASSWORD "geheim 12345"

/* A server with this setting (may be NULL); the test's folder becomes the current one,
 * where files without another place are kept. */
struct harness *cc_start(const char *setting);
/* Register home's owner (of the same name) and log out again. */
void cc_sign_up(struct harness *h, const char *name);
/* Logged in, as who they were the last time. */
struct run *cc_log_in(struct harness *h, const char *name);
/* Run these lines as name; the exit status must be that. */
struct run *cc_script(struct harness *h, const char *name, const char *lines, int status);

#ifndef CLIENT_CONTACTS_INSIDE
#	define cc_start(...)   HARNESS_AT(cc_start(__VA_ARGS__))
#	define cc_sign_up(...) HARNESS_AT(cc_sign_up(__VA_ARGS__))
#	define cc_log_in(...)  HARNESS_AT(cc_log_in(__VA_ARGS__))
#	define cc_script(...)  HARNESS_AT(cc_script(__VA_ARGS__))
#endif

#endif
