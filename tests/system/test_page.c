/* SPDX-License-Identifier: MIT
 *
 * The web page in headless Chromium (page/drive.mjs): people register, post, chat, send
 * pictures, go and come back, by mouse and by keyboard alone, on a phone and in the dark,
 * with a server that restarts and with somebody at a terminal.  Pictures of what they saw
 * stay in BUILD/screenshots.
 */
#include "tests/system/page_play.h"

START_TEST(in_a_browser)
{
	page_play("tests/system/page/drive.mjs");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("page");
	TCase *tc = harness_case(suite, "page");

	tcase_set_timeout(tc, 280);
	tcase_add_test(tc, in_a_browser);
	return harness_main(suite);
}
