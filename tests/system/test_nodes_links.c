/* SPDX-License-Identifier: MIT
 *
 * Servers that are linked: finding each other's users, calls across, and what happens
 * when a server or a link ends.
 */
#include <string.h>

#include "tests/system/nodes_labs.h"

static struct nodes_peer *alice, *bob, *data[2];

/* Two labs that are linked, 0 having dialled, with alice and bob. */
static void
two_labs(void)
{
	labs_make(2);
	lab_boot(1, "", "0", NULL, NULL);
	lab_boot(0, "1", "", NULL, NULL);
	LAB_LINKED(0, 1);
	LAB_LINKED(1, 1);
	alice = nodes_login(lab[0].h, "alice");
	bob = nodes_login(lab[1].h, "bob");
}

static void
leave(void)
{
	nodes_close(alice);
	nodes_close(bob);
	labs_free();
}

START_TEST(call_across)
{
	two_labs();
	nodes_call(lab[0].h, alice, lab[1].h, bob, data);
	nodes_send_bytes(data[0], span_str("hello bob"));
	nodes_expect_bytes(data[1], span_str("hello bob"));
	nodes_send_bytes(data[1], span_str("hello alice"));
	nodes_expect_bytes(data[0], span_str("hello alice"));
	nodes_expect_nothing(alice);
	nodes_expect_nothing(bob);
	nodes_send_bytes(data[0], span_str("bye"));
	nodes_close(data[0]);
	nodes_expect_bytes(data[1], span_str("bye"));
	nodes_expect_end(data[1]);
	nodes_close(data[1]);
	leave();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("nodes_links");
	TCase *tc = harness_case(suite, "nodes_links");

	tcase_add_test(tc, call_across);
	return harness_main(suite);
}
