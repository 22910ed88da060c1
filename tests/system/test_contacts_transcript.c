/* SPDX-License-Identifier: MIT
 *
 * contacts: the sessions that docs/protocols/contacts.md shows are played against a
 * server, so that the page stays true.  Every fenced block with a line that begins with
 * a name (or none), an arrow and a code is one, each with a server of its own.
 */
#include <stdio.h>
#include <string.h>

#include "tests/system/contacts_play.h"

#define PAGE "docs/protocols/contacts.md"

static char *
read_page(void)
{
	FILE *f = fopen(PAGE, "r");
	char *text = NULL;
	size_t n = 0;

	ck_assert_msg(f != NULL, PAGE " cannot be read");
	ck_assert_int_gt(getdelim(&text, &n, '\0', f), 0);
	fclose(f);
	return text;
}

/* "> 110", "andi< 220" */
static bool
is_step(const char *line)
{
	size_t n = strspn(line, "abcdefghijklmnopqrstuvwxyz");
	int code;

	return (line[n] == '>' || line[n] == '<') &&
	       sscanf(line + n + 1, " %3d", &code) == 1 && code >= 100;
}

/* Play the lines up to the closing fence; returns how many. */
static size_t
play_block(char **rest)
{
	struct play *s = play_start("", NULL);
	size_t steps = 0;
	char *line;

	while ((line = strsep(rest, "\n")) != NULL && strncmp(line, "```", 3) != 0) {
		if (*line == '\0')
			continue;
		HARNESS_AT(play_line(s, span_str(line)));
		steps++;
	}
	play_end(s);
	return steps;
}

START_TEST(sessions_of_the_page)
{
	char *page = read_page(), *rest = page, *line;
	size_t steps = 0;

	while ((line = strsep(&rest, "\n")) != NULL) {
		if (strncmp(line, "```", 3) != 0)
			continue;
		if (rest != NULL && is_step(rest)) {
			steps += play_block(&rest);
			continue;
		}
		while ((line = strsep(&rest, "\n")) != NULL &&
		       strncmp(line, "```", 3) != 0)
			;
	}
	ck_assert_msg(steps >= 30, PAGE " shows no session");
	free(page);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("contacts transcript");
	TCase *tc = harness_case(suite, "transcript");

	tcase_add_test(tc, sessions_of_the_page);
	return harness_main(suite);
}
