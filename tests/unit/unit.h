/* SPDX-License-Identifier: MIT
 *
 * unit.h - the few lines that every Check program here shares.
 */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

/* Check's macros cast away const and shadow; that is not ours to mend. */
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wshadow"
#include <check.h>
#include <stdlib.h>

/* Run the suite, print Check's one-line summary and each failure, and return
 * main's exit status. */
static inline int
unit_main(Suite *suite)
{
	SRunner *r = srunner_create(suite);
	int failed;

	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
