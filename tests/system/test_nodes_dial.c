/* SPDX-License-Identifier: MIT
 *
 * Whom a server dials, when the name of another one cannot be found out.
 */
#include <string.h>

#include "tests/system/nodes_labs.h"

/* Lab 0 dials the labs 1 and 2; of lab 2 it knows a name, and nobody answers for it. */
static void
silent_name(void)
{
	labs_make(LABS_MAX);
	strcpy(lab[2].place, "nowhere.test:9034");
	harness_load_faults(lab[0].h);
	atomic_store(&lab[0].h->fault->slow_names, 1);
	lab_boot(1, "", "0", NULL, NULL);
	lab_boot(0, "21", "", NULL, NULL);
	HARNESS_UNTIL(atomic_load(&lab[0].h->fault->names) == 1);
}

/* The others are dialled all the same, again and again. */
START_TEST(others_are_dialled)
{
	if (harness_skips_faults())
		return;
	silent_name();
	LAB_LINKED(0, 1);
	harness_kill(lab[1].h);
	LAB_LINKED(0, 0);
	harness_boot(lab[1].h, NULL);
	LAB_LINKED(0, 1);
	ck_assert(lab_says(0, "nowhere.test:9034, looked up for at most"));
	ck_assert_uint_eq(atomic_load(&lab[0].h->fault->names), 1);
	/* Now it is said that there is no such name, and it is tried later. */
	atomic_store(&lab[0].h->fault->slow_names, 0);
	HARNESS_UNTIL(lab_says(0, "nowhere.test:9034, tried again in"));
	labs_free();
}
END_TEST

/* A name that is not wanted any more is not waited for, nor does it stop the server. */
START_TEST(nobody_waits_for_it)
{
	if (harness_skips_faults())
		return;
	silent_name();
	LAB_LINKED(0, 1);
	harness_stop(lab[0].h);
	labs_free();
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("nodes_dial");
	TCase *c = harness_case(s, "names");

	tcase_add_test(c, others_are_dialled);
	tcase_add_test(c, nobody_waits_for_it);
	return harness_main(s);
}
