/* SPDX-License-Identifier: MIT
 *
 * test_mode.h - settings that are meant for tests would be holes in a server that people
 * use, so they count only in a data directory that is marked for tests: by a regular file
 * server/test-mode in it.
 */
#ifndef SERVER_TEST_MODE_H
#define SERVER_TEST_MODE_H

#include "base/err.h"

struct store;

/* For a protocol's start: Q_OK when the mark is there, else Q_DENIED, and why says that
 * setting needs it. */
enum qerr
test_mode_require(const struct store *store, const char *setting, struct why *why);

#endif
