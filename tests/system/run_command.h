/* SPDX-License-Identifier: MIT
 *
 * run_command.h - for tests that run commands of the server in a harness h, and look at
 * what they said:
 *
 *	ck_assert_int_eq(RUN("user", "list"), 0);
 *	ck_assert(said("alice"));
 */
#ifndef TESTS_SYSTEM_RUN_COMMAND_H
#define TESTS_SYSTEM_RUN_COMMAND_H

#include <string.h>

#include "tests/system/harness.h"

static struct buf out = BUF_INIT(16 << 20);

/* Run it; its exit status, what it said in out. */
#define RUN(...) (out.len = 0, harness_command(h, &out, __VA_ARGS__, NULL))

/* What the last one said, as a string. */
static inline const char *
said_text(void)
{
	ck_assert_int_eq(buf_put_u8(&out, '\0'), Q_OK);
	out.len--;
	return (const char *)out.p;
}

static inline bool
said(const char *what)
{
	return strstr(said_text(), what) != NULL;
}

static inline size_t
lines_said(void)
{
	size_t n = 0;

	for (size_t i = 0; i < out.len; i++)
		n += out.p[i] == '\n';
	return n;
}

#endif
