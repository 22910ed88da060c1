/* SPDX-License-Identifier: MIT
 *
 * A server that hangs while nobody says anything.  Its machine acknowledges whatever comes,
 * so only a question that is not answered tells; this takes its time, and so has a program
 * of its own, beside others.
 */
#include "tests/system/client_rooms.h"

#define QUIET_WAIT 100000 /* ms; a question after 10 s, and 8 s for the answer */

static struct run *
caller(struct harness *h)
{
	run_enrol(h, "nina");
	return run_start(h, "nina", "SERVER", "--user", "nina", "--protocol", "nodes",
			 "--reconnect", NULL);
}

static struct run *
contact(struct harness *h)
{
	run_environment("QUINTET_PASSWORD=geheim 12345");
	return run_start(h, "hans", "SERVER", "--user", "hans", "--protocol", "contacts",
			 "--clear", "--register", "--reconnect", NULL);
}

START_TEST(frozen)
{
	struct harness *h = cr_start();
	struct run *all[4];
	const size_t n = sizeof(all) / sizeof(all[0]);
	static const char *const ask[] = {"/list\n", "/nodes\n", "/contacts\n",
					  "/rooms\n"};
	static const char *const answers[] = {"* list: ", "* nodes: 0\n",
					      "* contacts: 0\n", "* rooms: 0\n"};

	run_enrol(h, "alice");
	all[0] = run_start(h, "alice", "SERVER", "--user", "alice", "--reconnect", NULL);
	all[1] = caller(h);
	all[2] = contact(h);
	cr_sign_up(h, "rita");
	all[3] = cr_log_in(h, "rita", "rita", "--reconnect", NULL);
	/* Nothing is under way any more: behind a login there are questions of the
	 * client's own, whose answers may take longer. */
	for (size_t i = 0; i < n; i++) {
		run_say(all[i], ask[i]);
		run_until(all[i], answers[i]);
	}
	harness_freeze(h);
	for (size_t i = 0; i < n; i++) {
		run_until_within(all[i], "* no connection, attempt 1 in ", QUIET_WAIT);
		run_until(all[i], "the server does not answer ");
	}
	harness_kill(h);
	harness_restart(h);
	for (size_t i = 0; i < n; i++) {
		run_until(all[i], "* logged in as ");
		run_quit(all[i], 0);
	}
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
