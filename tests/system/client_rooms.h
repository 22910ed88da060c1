/* SPDX-License-Identifier: MIT
 *
 * client_rooms.h - people with the real client at a server of rooms, for tests.
 */
#ifndef TESTS_SYSTEM_CLIENT_ROOMS_H
#define TESTS_SYSTEM_CLIENT_ROOMS_H

#include "tests/system/client_run.h"

#define CR_PASSWORD "geheim 12345"

/* A server without captchas; the test's folder becomes the current one. */
struct harness *cr_start(void);
/* Sign up home's owner (of the same name) and log out again. */
void cr_sign_up(struct harness *h, const char *name);
/* Logged in with the token; more arguments may follow, NULL at the end. */
struct run *cr_log_in(struct harness *h, const char *home, const char *name, ...)
    __attribute__((sentinel));
/* Signed up and logged in, without and with coming back. */
struct run *cr_enter(struct harness *h, const char *name);
/* The six digits in the PNG's text chunk (rooms.captcha = test). */
void cr_digits(const char *png, char out[7]);

#ifndef CLIENT_ROOMS_INSIDE
#	define cr_start(...)   HARNESS_AT(cr_start(__VA_ARGS__))
#	define cr_sign_up(...) HARNESS_AT(cr_sign_up(__VA_ARGS__))
#	define cr_log_in(...)  HARNESS_AT(cr_log_in(__VA_ARGS__))
#	define cr_enter(...)   HARNESS_AT(cr_enter(__VA_ARGS__))
#endif

#endif
