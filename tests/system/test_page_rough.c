/* SPDX-License-Identifier: MIT
 *
 * The web page when things go wrong (page/rough.mjs): no network, a reload at the wrong
 * moment, a browser that keeps nothing or the wrong things, a chat that is deleted under
 * somebody's hands, wrong words at the door.
 */
#include "tests/system/page_play.h"

START_TEST(in_a_browser)
{
	page_play("tests/system/page/rough.mjs");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("page_rough");
	TCase *tc = harness_case(suite, "page_rough");

	tcase_set_timeout(tc, 280);
	tcase_add_test(tc, in_a_browser);
	return harness_main(suite);
}
