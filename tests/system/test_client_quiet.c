/* SPDX-License-Identifier: MIT
 *
 * A server that hangs while nobody says anything.  Its machine acknowledges whatever comes,
 * so only a question that is not answered tells; this takes its time, and so has a program
 * of its own, beside others.
 */
#include "tests/system/client_run.h"

#define QUIET_WAIT 40000 /* ms; a question after 10 s, and 8 s for the answer */

START_TEST(frozen)
{
	struct harness *h = harness_start(NULL, NULL);
	struct run *alice;

	run_enrol(h, "alice");
	alice = run_start(h, "alice", "SERVER", "--user", "alice", "--reconnect", NULL);
	run_until(alice, "* logged in as alice\n");
	harness_freeze(h);
	run_until_within(alice, "* no connection, attempt 1 in ", QUIET_WAIT);
	run_until(alice, "the server does not answer any longer\n");
	harness_kill(h);
	harness_restart(h);
	run_until(alice, "* logged in as alice\n");
	ck_assert_int_eq(run_end(alice), 0);
	run_free(alice);
	harness_free(h);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("client quiet");
	TCase *t = harness_case(s, "quiet");

	tcase_add_test(t, frozen);
	return harness_main(s);
}
