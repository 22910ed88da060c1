/* SPDX-License-Identifier: MIT
 *
 * People with the real client at two servers that are linked: the two students of two labs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/system/client_run.h"
#include "tests/system/harness_run.h"
#include "tests/system/nodes_labs.h"

/* Who is at which lab; they find each other by number alone. */
static const char *const names[2] = {"anna", "ben"};
static struct run *who[2];
static char number[2][16];

/* "uin: N" of what `user show` says. */
static void
find_number(int i)
{
	struct buf out = BUF_INIT(65536);
	const char *at;

	ck_assert_int_eq(harness_command(lab[i].h, &out, "user", "show", names[i], NULL),
			 0);
	ck_assert_int_eq(buf_put_u8(&out, '\0'), Q_OK);
	ck_assert_ptr_nonnull(at = strstr((const char *)out.p, "uin:"));
	snprintf(number[i], sizeof(number[i]), "%lu", strtoul(at + 4, NULL, 10));
	buf_free(&out);
}

static void
start(void)
{
	labs_make(2);
	lab_boot(1, "", "0", NULL, NULL);
	lab_boot(0, "1", "", NULL, NULL);
	LAB_LINKED(0, 1);
	LAB_LINKED(1, 1);
	for (int i = 0; i < 2; i++) {
		who[i] =
		    run_enter(lab[i].h, names[i], "--protocol", "nodes", "--plain", NULL);
		find_number(i);
	}
}

/* status: the exit status of the one at lab 1. */
static void
finish(int status)
{
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(run_end(who[i]), i == 0 ? 0 : status);
		run_free(who[i]);
	}
	labs_free();
}

/* Say a command with the other one's number in it. */
static void
command(int i, const char *word)
{
	char line[64];

	snprintf(line, sizeof(line), "/%s %s\n", word, number[1 - i]);
	run_say(who[i], line);
}

/* Wait for "* BEFORE NUMBER" with the other one's number. */
static void
until(int i, const char *before)
{
	char text[96];

	snprintf(text, sizeof(text), "* %s %s", before, number[1 - i]);
	run_until(who[i], text);
}

static void
hear(int i, const char *text)
{
	char line[128];

	snprintf(line, sizeof(line), "<%s> %s\n", number[1 - i], text);
	run_until(who[i], line);
}

static void
call(int from)
{
	command(from, "call");
	until(1 - from, "request from");
	run_say(who[1 - from], "/accept\n");
	until(from, "chat with");
	until(1 - from, "chat with");
}

START_TEST(talk)
{
	start();
	call(0);
	run_say(who[0], "hello from the other lab\n");
	hear(1, "hello from the other lab");
	until(0, "delivered to");
	run_say(who[1], "and hello\n");
	hear(0, "and hello");
	until(1, "delivered to");
	run_say(who[0], "/ping\n");
	run_until(who[0], " answers in ");
	run_say(who[0], "/nodes\n");
	run_until(who[0], "* nodes: 1\n");
	run_say(who[0], "last words\n/hangup\n");
	hear(1, "last words");
	run_until(who[1], " ended: by the other side\n");
	run_until(who[0], " ended: by you\n");
	/* The other way round, with keys that are known now. */
	call(1);
	run_say(who[1], "again\n/wait delivered 900\n");
	hear(0, "again");
	finish(0);
}
END_TEST

START_TEST(refused_and_unknown)
{
	start();
	command(0, "call");
	until(1, "request from");
	run_say(who[1], "/refuse\n");
	until(0, "no chat with");
	run_say(who[0], "/call 4294967295\n");
	run_until(who[0], "* no chat with 4294967295");
	/* The line is still good for something. */
	call(0);
	run_say(who[0], "now?\n");
	hear(1, "now?");
	finish(0);
}
END_TEST

/* The other server dies in the middle, and its user's client with it: that is told. */
START_TEST(the_other_server_dies)
{
	start();
	call(0);
	run_say(who[0], "are you there?\n");
	hear(1, "are you there?");
	until(0, "delivered to");
	harness_kill(lab[1].h);
	run_until(who[0], " ended: ");
	finish(1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("client-nodes-labs");
	TCase *tc = harness_case(suite, "labs");

	tcase_add_test(tc, talk);
	tcase_add_test(tc, refused_and_unknown);
	tcase_add_test(tc, the_other_server_dies);
	return harness_main(suite);
}
