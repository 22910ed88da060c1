/* SPDX-License-Identifier: MIT
 *
 * said.h - what a store has reported (struct store_options), each sentence with a newline.
 */
#ifndef TESTS_UNIT_SAID_H
#define TESTS_UNIT_SAID_H

#include <string.h>

static char said[8192];

static inline void
say(void *arg, const char *sentence)
{
	(void)arg;
	strncat(said, sentence, sizeof(said) - strlen(said) - 2);
	strcat(said, "\n");
}

#define ASSERT_SAID(text) \
	ck_assert_msg(strstr(said, text) != NULL, "not said: %s\n%s", text, said)

#endif
